#!/usr/bin/env bash
# Measures what it takes of a processor to know a caller and what it may do, among a thousand others, in about 10 s.
#   tests/bench/authentication.sh [ARGUMENTS OF GOOGLE BENCHMARK...]
# Local is whoever reaches a plaintext listener: what is more than that is what authentication adds. The targets are 1 us for
# a certificate and 2 us for a token that was verified before. NewToken verifies one each time.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_authentication_bench
exec "$root/build/idv_authentication_bench" --benchmark_repetitions=5 --benchmark_min_time=0.2 \
  --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true "$@"
