#!/usr/bin/env bash
# Makes idv-client-node in this folder, which has the repository's proto/ beside it: see ../run.py.
# Nothing is generated: the protos are read when the client starts.
set -euo pipefail
cd "$(dirname "$0")"

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null

cat >idv-client-node <<'END'
#!/usr/bin/env bash
exec node "$(dirname "$0")/main.js" "$@"
END
chmod +x idv-client-node
