#!/usr/bin/env bash
# Fails when callers' stubs of the commit before, or their programs, would not work with the protos as they are now.
set -euo pipefail
cd "$(dirname "$0")/../.."

buf=$PWD/build/tools/bin/buf # see deploy/setup.sh
skip() {
  echo "SKIPPED checks.breaking: $1"
  exit 77
}
[[ -x "$buf" ]] || skip "buf is not installed"
# The folder may be somebody else's, as in containers.
git() { command git -c safe.directory="$PWD" "$@"; }
git rev-parse --quiet --verify HEAD >/dev/null || skip "this is no git repository"

if ! git rev-parse --quiet --verify HEAD~ >/dev/null; then
  echo "There is no commit before this one."
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUF_CACHE_DIR=$work/cache
git archive HEAD~ proto | tar -x -C "$work"
tests/proto/descriptor_set.sh "$work/proto" "$work/before.binpb"
tests/proto/descriptor_set.sh proto "$work/now.binpb"
"$buf" breaking "$work/now.binpb" --against "$work/before.binpb" --config proto/buf.yaml
