#!/usr/bin/env bash
# Builds idv-client-java in this folder, which has the repository's proto/ beside it: see ../run.py.
# protoc, its plugin and google/api/*.proto come with Maven's artifacts.
set -euo pipefail
cd "$(dirname "$0")"

mvn --quiet --batch-mode compile dependency:copy-dependencies &>maven.log || {
  cat maven.log >&2
  exit 1
}

cat >idv-client-java <<'END'
#!/usr/bin/env bash
here=$(dirname "$0")
exec java -cp "$here/target/classes:$here/target/lib/*" idv.client.Main "$@"
END
chmod +x idv-client-java
