#!/usr/bin/env bash
# Lets a polling storm go over idv-gateway and over what it is compared with, before an upstream that limits requests.
# About 3 minutes for each of three contenders, on this machine, and up to one more while the last writes end.
#   tests/bench/storm.sh [--seconds S] [--pollers N] [--verifications N] [--poll-deadline S] [--runs N] [--plan NAME]
#                        [--only NAME]... [--gateway FILE]
#
# The storm: 200 callers poll 20 verifications that never change, a second after each answer, every fifth time the list
# of document types instead (x-idv-priority: batch, a deadline of 60 s). Meanwhile 10 verifications, started over the
# first half minute (a third of a shorter storm), run through: eight writes each (interactive, a deadline of 90 s). What
# fails with RESOURCE_EXHAUSTED, UNAVAILABLE or DEADLINE_EXCEEDED is called again after the wait that the failure tells
# (grpc-retry-pushback-ms, RetryInfo), or a second. At the end no call starts any more: polls under way are cancelled,
# writes may end within a minute.
#
# The contenders, each with a new idv-sandbox whose tenant has the plan `professional`, 50 requests a minute,
# and whose answers take 80 ms:
#   gateway         idv-gateway that knows the plan
#   gateway, off    the same without budget, retries, breaker and cache: every call is one request
#   go              go_proxy/: grpc-go and net/http, as one writes it by hand in an afternoon; left out without Go
# All callers share 20 connections and one thread, whose processor time is in the report.
#
# A useful answer is an OK. Upstream requests are all that the sandbox got, 429s among them; at 50 a minute a contender
# without a cache cannot give more than 50 useful answers. "Unseen" are requests whose answer the sandbox's log did not
# show when it was read and emptied: so many of them may be 429s besides. A wait lasts from the first call to the useful
# answer, with the failures and pauses in between. Waits without an answer at the end count as long as they lasted. A
# poor figure is no failure (exit 0): speed is never a test. A wrong answer, or a program that does not start, is (exit
# 1).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

"$root/deploy/setup.sh"
cmake -S "$root" -B "$root/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C "$root/build" --quiet idv_bench_storm

flags=()
export PATH="$PATH:/usr/local/go/bin" # where Go's own installation puts it
if ! command -v go >/dev/null; then
  flags=(--without-go "there is no go tool")
elif ! "$here/go_proxy/build.sh" "$root/build/go_proxy"; then
  flags=(--without-go "it cannot be built")
fi
exec "$root/build/idv_bench_storm" "${flags[@]}" "$@"
