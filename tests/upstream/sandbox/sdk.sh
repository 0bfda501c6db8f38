#!/usr/bin/env bash
# Drives the sandbox by every version of the vendor's server SDK that `deploy/setup.sh --all` installed.
#   sdk.sh IDV_SANDBOX
set -euo pipefail
program=$1
cd "$(dirname "$0")/../../.."

tools=build/tools
result=77
for package in "$tools"/koraidv-*; do
  [[ -d "$package/koraidv" ]] || continue
  echo "${package##*/}"
  ((result != 77)) || result=0
  PYTHONPATH=$package "$tools/bin/python" tests/upstream/sandbox/sdk_test.py "$program" || result=1
done
((result != 77)) || echo "SKIPPED sandbox.sdk: koraidv is not installed"
exit "$result"
