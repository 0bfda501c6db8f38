#!/usr/bin/env bash
# Measures JSON to message, message to JSON and base64, beside json_util, nlohmann/json and Abseil, in about 20 s.
#   tests/bench/codec.sh [ARGUMENTS OF GOOGLE BENCHMARK...]
# The sample is the full verification of upstream-api.md, section 18, to the bytes of its message as upstream/upstream.cc
# does it, and besides to the message itself; for json_util with the enum values by their proto names, since it knows no
# others. A MISS is no failure.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_codec_bench
exec "$root/build/idv_codec_bench" --benchmark_repetitions=5 --benchmark_min_time=0.2 \
  --benchmark_enable_random_interleaving=true "$@"
