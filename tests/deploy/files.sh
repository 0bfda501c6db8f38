#!/usr/bin/env bash
# Fails when a file of deploy/ for containers breaks the rules of those who read it, or does not work.
#   tests/deploy/files.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."

tools=build/tools/bin # see deploy/setup.sh
for tool in python hadolint docker-compose kubectl kubernetes-validate; do
  if [[ ! -x "$tools/$tool" ]]; then
    echo "SKIPPED deploy.files: $tool is not installed"
    exit 77
  fi
done
exec "$tools/python" -B tests/deploy/files_test.py "$build"
