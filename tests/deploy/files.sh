#!/usr/bin/env bash
# Fails when a file of deploy/ for containers breaks the rules of those who read it, or does not work.
#   tests/deploy/files.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."

python=build/tools/bin/python # see deploy/setup.sh
if ! "$python" -c 'import kubernetes_validate' 2>/dev/null; then
  echo "SKIPPED deploy.files: kubernetes-validate is not installed"
  exit 77
fi
exec "$python" -B tests/deploy/files_test.py "$build"
