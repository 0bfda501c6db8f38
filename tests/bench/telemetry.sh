#!/usr/bin/env bash
# Measures what it takes of a processor to tell of a call, in about 10 s: series, a line in the log, a trace that is not kept.
#   tests/bench/telemetry.sh [ARGUMENTS OF GOOGLE BENCHMARK...]
# Process time, that of the log's own thread included; lines go to another process. The target is 3 us for all of it, beyond
# the record of the call itself (nothing0). Lines that were dropped cost less than others: there should be none.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_telemetry_bench
exec "$root/build/idv_telemetry_bench" --benchmark_repetitions=5 --benchmark_min_time=0.2 \
  --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true "$@"
