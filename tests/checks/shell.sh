#!/usr/bin/env bash
# Fails when shellcheck has something to say about a script.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v shellcheck >/dev/null; then
  echo "SKIPPED checks.shell: shellcheck is not installed"
  exit 77
fi
find . \( -path './build*' -o -path ./.git \) -prune -o \( -name '*.sh' -o -path ./.ci/run \) -print0 |
  xargs -0 shellcheck
