#!/usr/bin/env bash
# Measures idv-gateway beside the bare parts it is made of, in one run of about 80 s, on this machine.
#   tests/bench/quick.sh [--rounds N] [--calls N] [--rate N] [--seconds S] [--json FILE] [--gateway FILE]
#
# What runs, each with one thread, on loopback:
#   idv_bench_upstream  stands in for the vendor: answers every GET with the same verification of 1.4 kB, and counts
#   idv_bench_echo      the least gRPC server: a GetVerification's bytes in, the bytes of that verification out
#   idv_bench_curl      the least libcurl multi client: the gateway's request to the upstream, the body into a string
#   idv-gateway         one shard, caller `local`, health and reflection on
#   idv_bench_load      calls the echo or the gateway over four connections, and looks at every reply
# Both clients keep either 40 calls in flight, or 1,000 evenly spaced calls a second. The latency of such a call counts
# from when it was due: a server that stalls is not spared the calls that had to wait for it.
#
# CPU is the processor time of the measured process, user and kernel, by its clock, over the calls made. "Bare parts" is
# echo + libcurl: a gateway cannot do with less. At 1,000 calls/s libcurl's figure is without what its timer costs.
# Rounds take turns: echo, libcurl, gateway, echo, ... so that a noisy machine disturbs all alike; trust the ratios of a
# round more than its microseconds. A MISS is no failure (exit 0): speed is never a test. A failed call, or one that did
# not reach the upstream exactly once, is (exit 1).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_bench_quick
exec "$root/build/idv_bench_quick" "$@"
