#!/usr/bin/env bash
# Builds idv-client-cpp in this folder, which has the repository's proto/ beside it: see ../run.py.
set -euo pipefail
cd "$(dirname "$0")"

launcher=$(command -v ccache || true)
# Not optimised, to be quick about it: give it -DCMAKE_BUILD_TYPE=Release for use.
cmake -S . -B build -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" >/dev/null
cmake --build build --parallel 2 >/dev/null
ln -sf build/idv-client-cpp .
