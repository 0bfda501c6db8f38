#!/usr/bin/env bash
# Builds the fuzz targets with clang++ and libFuzzer, in build-fuzz/, and runs them one after the other.
#   tests/fuzz/run.sh [--seconds N] [TARGET...]
#     --seconds   processor time for each target; default 60
#     TARGET      a folder of tests/fuzz/corpus/; default: all
# What a target finds interesting is kept in build-fuzz/corpus/TARGET/ for the next run. An input that breaks a target
# ends its run; it is named, kept in build-fuzz/findings/, and the exit code is then 1.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }

build=build-fuzz seconds=60 targets=()
while (($#)); do
  case "$1" in
    --help) usage && exit 0 ;;
    --seconds)
      seconds=${2:-}
      [[ "$seconds" =~ ^[1-9][0-9]*$ ]] || { usage >&2 && exit 2; }
      shift
      ;;
    *)
      [[ "$1" =~ ^[a-z0-9_]+$ && -d "tests/fuzz/corpus/$1" ]] || { usage >&2 && exit 2; }
      targets+=("$1")
      ;;
  esac
  shift
done
if ((${#targets[@]} == 0)); then
  for folder in tests/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi

deploy/setup.sh --fuzz
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++-19 -DIDV_FUZZ=ON >/dev/null
ninja -C "$build" --quiet "${targets[@]/#/fuzz_}"

export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

# Runs a target until it has used `seconds` of processor time. libFuzzer counts the time that passes, which is more
# where others use the processors too: so it is called again for what is left.
fuzz() {
  local target=$1 used=0 runs=0 started result=0 log
  local corpus=$build/corpus/$target findings=$build/findings
  mkdir -p "$corpus" "$findings"
  log=$build/fuzz_$target.log
  local options=(-rss_limit_mb=2048 -timeout=20 -max_len=8192 -print_final_stats=1
    -artifact_prefix="$findings/$target-")
  [[ ! -f tests/fuzz/$target.dict ]] || options+=(-dict="tests/fuzz/$target.dict")

  while ((used < seconds)); do
    started=$(children_seconds)
    "$build/fuzz_$target" "${options[@]}" -max_total_time=$((seconds - used)) "$corpus" "tests/fuzz/corpus/$target" \
      >"$log" 2>&1 || result=$?
    # At least one, so that this ends.
    used=$((used + 1 + $(children_seconds) - started))
    runs=$((runs + $(awk '/^stat::number_of_executed_units:/ { n = $2 } END { print n + 0 }' "$log")))
    ((result == 0)) || break
  done
  report "$target" "$runs" "$used" "$log"
  ((result == 0)) && return
  grep -E '^BROKEN|^SUMMARY|Test unit written|ERROR: ' "$log" | sed 's/^/    /'
  echo "    the whole of it: $log"
  return 1
}

# The processor time of the children that have ended, in whole seconds.
children_seconds() {
  local ticks
  read -r -a ticks <"/proc/$$/stat"
  echo $(((ticks[15] + ticks[16]) / $(getconf CLK_TCK)))
}

# One line: the last state that libFuzzer told.
report() {
  local last
  last=$(grep -E '^#[0-9]+' "$4" | tail -n 1)
  printf '%-12s %10d executions, %6s features, corpus %8s, %4d s\n' "$1" "$2" \
    "$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' <<<"$last")" "$(sed -n 's/.* corp: \([^ ]*\).*/\1/p' <<<"$last")" "$3"
}

result=0
for target in "${targets[@]}"; do fuzz "$target" || result=1; done
exit "$result"
