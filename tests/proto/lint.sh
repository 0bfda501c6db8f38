#!/usr/bin/env bash
# Fails when buf has something to say about the protos, or would format them differently.
set -euo pipefail
cd "$(dirname "$0")/../.."

buf=$PWD/build/tools/bin/buf # see deploy/setup.sh
if [[ ! -x "$buf" ]]; then
  echo "SKIPPED checks.proto: buf is not installed"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUF_CACHE_DIR=$work/cache
tests/proto/descriptor_set.sh proto "$work/now.binpb"
result=0
"$buf" lint "$work/now.binpb" --config proto/buf.yaml || result=1
"$buf" format proto --diff --exit-code || result=1
exit "$result"
