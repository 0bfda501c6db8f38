#!/usr/bin/env bash
# Builds everything and runs the tests.
#   tests/run.sh [--all] [--long] [--sanitize address|thread] [CTEST ARGUMENTS...]
#     --all        also what needs more tools: proto lint, C++ format, shellcheck, the vendor's SDK at the sandbox, the
#                  clients in five languages, the chart, the examples of README.md
#     --long       storms and soaks at their full size, then everything under ThreadSanitizer, and at last ten minutes of
#                  mixed load under each sanitizer: an hour or two
#     --sanitize   instrumented, in build-address/ or build-thread/ instead of build/
# What cannot run is named in a line "SKIPPED name: why"; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }

all=OFF long=false sanitize="" ctest_arguments=()
while (($#)); do
  case "$1" in
    --help) usage && exit 0 ;;
    --all) all=ON ;;
    --long) long=true ;;
    --sanitize)
      sanitize=${2:-}
      [[ "$sanitize" =~ ^(address|thread)$ ]] || { usage >&2 && exit 2; }
      shift
      ;;
    *) ctest_arguments+=("$1") ;;
  esac
  shift
done
build=build${sanitize:+-$sanitize}

deploy/setup.sh
# ctest passes over what it does not know, so that a slip of the pen would test something else.
known=$(ctest --help)
for argument in "${ctest_arguments[@]}"; do
  if [[ "$argument" == --* ]] && ! grep -qw -e "${argument%%=*}" <<<"$known"; then
    echo "Neither this script nor ctest knows $argument." >&2
    usage >&2
    exit 2
  fi
done
if [[ $all == ON ]]; then
  deploy/setup.sh --all || echo "Not every tool of --all could be installed."
fi
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DIDV_SANITIZE="$sanitize" -DIDV_ALL="$all" >/dev/null
ninja -C "$build" --quiet

export ASAN_OPTIONS=halt_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Debian's gRPC is not instrumented; what it does inside is not ours to report.
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:suppressions=$PWD/tests/thread_sanitizer.txt

if $long; then export IDV_LONG=1; fi

# The summary is held back, so that it comes last.
result=0
ctest --test-dir "$build" --output-on-failure --parallel 2 --timeout 120 --no-tests=error "${ctest_arguments[@]}" |
  tee "$build/ctest.log" | sed '/% tests passed, /,$d' || result=$?

# A check says itself why it is skipped, GoogleTest in the line after "Skipped".
skipped=$(awk '/^[0-9]+\/[0-9]+ Test: / { name = $3 }
  /^SKIPPED / { print }
  /: Skipped$/ { getline; print "SKIPPED " name ": " $0 }' "$build/Testing/Temporary/LastTest.log")
if [[ -n "$skipped" ]]; then
  echo "$skipped"
  if [[ "${CI:-}" == true ]]; then
    echo "Nothing may be skipped when CI=true."
    result=1
  fi
fi
sed -n '/% tests passed, /,$p' "$build/ctest.log"
if $long && [[ -z "$sanitize" ]]; then
  echo "Under ThreadSanitizer:"
  env -u IDV_LONG tests/run.sh --sanitize thread "${ctest_arguments[@]}" || result=$?
  if ((${#ctest_arguments[@]} == 0)); then
    for sanitizer in address thread; do
      echo "Ten minutes of mixed load, --sanitize $sanitizer:"
      tests/run.sh --sanitize "$sanitizer" --tests-regex MixedLoadTest || result=$?
    done
  fi
fi
exit "$result"
