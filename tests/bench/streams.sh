#!/usr/bin/env bash
# Measures what pictures cost on their way through idv-gateway, beside the bare parts it is made of, and what memory they
# take, in one run of about 20 s, on this machine.
#   tests/bench/streams.sh [--rounds N] [--megabytes N] [--uploads N] [--upload-megabytes N] [--anywhere] [--json FILE]
#                          [--gateway FILE]
#
# What runs, each with one thread, on loopback:
#   idv_bench_sink      stands in for the vendor: reads bodies and throws them away, answers {}, and counts
#   idv_bench_receive   the least gRPC server: reads a frame stream's messages and throws them away
#   idv_bench_send      the least libcurl multi client: POSTs a frame stream's JSON in chunks, its base64 made beforehand
#   idv-gateway         one shard, caller `local`, health and reflection on, its caps raised
#   idv_bench_upload    sends pictures to the receiver or the gateway, each message made once
# A round is: one stream of 500 MB in frames of 1 MiB to the receiver, the same stream's JSON from the libcurl client, that
# stream through the gateway, and 50 uploads of 8 MB at the same time through the gateway. Of those the vendor reads
# nothing before it has the heads of all 50 requests, so that all are held at once. Receiver
# and gateway are new each time; a small stream or a few small uploads come before.
#
# CPU is the processor time of the measured process, user and kernel, by its clock, over the images' size (MB: million
# bytes). "Bare parts" is receive + send: a gateway cannot do with less. Both have the gateway's allocator, the settings of
# its HTTP/2 windows and its upload buffer's size. All programs share one processor, unless --anywhere is given: on
# loopback the sender does the kernel's work for the receiver too, and where the scheduler puts the receiver makes that
# dearer or cheaper by half. Memory is the peak of the resident memory, less what it was before the stream or uploads.
# Rounds take turns, so that a noisy machine disturbs all alike; trust the ratios of a round more than its milliseconds. A
# MISS is no failure (exit 0): speed is never a test. A failed call, or a body that did not reach the vendor to its last
# byte, is (exit 1).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_bench_streams
exec "$root/build/idv_bench_streams" "$@"
