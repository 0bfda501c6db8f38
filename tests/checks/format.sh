#!/usr/bin/env bash
# Fails when clang-format would change a C++ file.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v clang-format-19 >/dev/null; then
  echo "SKIPPED checks.format: clang-format-19 is not installed"
  exit 77
fi
find . \( -path './build*' -o -path ./.git \) -prune -o \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 clang-format-19 --dry-run -Werror
