#!/usr/bin/env bash
# Builds idv-client-python in this folder, which has the repository's proto/ beside it: see ../run.py.
set -euo pipefail
cd "$(dirname "$0")"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt
# Packages of stubs, and google/api/*.proto, which they import: googleapis-common-protos has both.
site=$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
venv/bin/python -m grpc_tools.protoc -I proto -I "$site" --python_out=. --grpc_python_out=. \
  proto/kora/idv/v1/*.proto proto/kora/idv/gateway/v1/annotations.proto

cat >idv-client-python <<'END'
#!/usr/bin/env bash
here=$(dirname "$0")
exec "$here/venv/bin/python" -B "$here/idv_client.py" "$@"
END
chmod +x idv-client-python
