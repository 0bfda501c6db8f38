#!/usr/bin/env bash
# Builds the gateway and the sandbox, starts both, and runs one verification through them.
#   deploy/local.sh          keeps serving on 127.0.0.1:8080 (gateway) and :8081 (sandbox) until Ctrl-C
#   deploy/local.sh --once   takes free ports, and exits after the verification with its result
set -euo pipefail
cd "$(dirname "$0")/.."

once=false
case "${1:-}" in
  "") ;;
  --once) once=true ;;
  *)
    sed -n '2,4s/^# \{0,1\}//p' "$0"
    [[ "$1" == --help ]] && exit 0 || exit 2
    ;;
esac

work=$(mktemp -d)
builder="" gateway="" sandbox=""

# Ends a program of ours, gently first: the gateway finishes its calls.
# shellcheck disable=SC2317 # The trap calls it.
stop() {
  local pid=$1 tries=150
  [[ -n "$pid" ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && ((tries-- > 0)); do sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# shellcheck disable=SC2317 # The trap calls it.
clean_up() {
  trap '' INT TERM HUP
  stop "$builder"
  stop "$gateway"
  stop "$sandbox"
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Says what went wrong and shows the end of the log that knows more.
fail() {
  echo
  echo "$1" >&2
  tail -n 20 "$2" >&2
  exit 1
}

# Runs a step of the build in the background, so that a signal is heard at once, and shows how far it is.
build_step() {
  : >"$work/build.log"
  "$@" >"$work/build.log" 2>&1 &
  builder=$!
  while kill -0 "$builder" 2>/dev/null; do
    [[ ! -t 1 ]] || printf '\rBuilding %s ' "$(tail -n 1 "$work/build.log" | grep -o '^\[[0-9/]*\]' || true)"
    sleep 0.2
  done
  wait "$builder" || fail "The build failed:" "$work/build.log"
  builder=""
}

build() {
  local start=$SECONDS
  printf 'Building '
  [[ -e build/build.ninja ]] || build_step cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo
  build_step ninja -C build idv-gateway idv-sandbox idv-verify
  echo "done in $((SECONDS - start)) s"
}

# Starts a program away from this terminal, so that Ctrl-C reaches this script alone, and bound to this script's life.
# Its output goes to NAME.out and NAME.log; its process id is in $started.
start() {
  local name=$1
  shift
  : >"$work/$name.out"
  setsid setpriv --pdeathsig TERM "$@" >"$work/$name.out" 2>"$work/$name.log" &
  started=$!
}

# Waits until a program has printed its address after this text, and leaves that in $address.
await_address() {
  local name=$1 pid=$2 text=$3 tries=400
  until address=$(sed -n "s/^$text //p;T;q" "$work/$name.out") && [[ -n "$address" ]]; do
    kill -0 "$pid" 2>/dev/null || fail "The $name ended early:" "$work/$name.log"
    ((tries-- > 0)) || fail "The $name does not listen after 20 s:" "$work/$name.log"
    sleep 0.05
  done
}

deploy/setup.sh
build

export IDV_SANDBOX_KEY=test_sk_sandbox
config=deploy/local.yaml
sandbox_listen=127.0.0.1:8081
! $once || sandbox_listen=127.0.0.1:0

start sandbox build/idv-sandbox --listen "$sandbox_listen"
sandbox=$started
await_address sandbox "$sandbox" "listening on"
if $once; then
  # The same gateway, but on a free port and in front of this very sandbox.
  config=$work/gateway.yaml
  sed "s/127\.0\.0\.1:\(8080\|9090\)/127.0.0.1:0/; s/127\.0\.0\.1:8081/$address/" deploy/local.yaml >"$config"
fi
start gateway build/idv-gateway --config "$config"
gateway=$started
await_address gateway "$gateway" "listening on grpc"

echo "A verification through the gateway at $address:"
result=0
build/idv-verify --target "$address" --tenant acme || result=$?
if ((result != 0)); then
  echo "The end of the gateway's log:" >&2
  tail -n 5 "$work/gateway.log" >&2
fi
if $once || ((result != 0)); then exit "$result"; fi

cat <<END

Serving until Ctrl-C:
  gateway  127.0.0.1:8080  plaintext gRPC, tenant acme, log $work/gateway.log
           127.0.0.1:9090  http: /statusz says how it is
  sandbox  127.0.0.1:8081  stands in for the vendor, log $work/sandbox.log
Try:
  build/idv-verify --external-id test-reject-1       # or test-fraud-, test-review-, test-expired-, test-slow-
  grpcurl -plaintext -d '{"external_id": "test-approve-1"}' 127.0.0.1:8080 kora.idv.v1.VerificationService/CreateVerification
END
trap 'echo; exit 0' INT TERM
wait -n "$gateway" "$sandbox" 2>/dev/null || true
dead=gateway
! kill -0 "$gateway" 2>/dev/null || dead=sandbox
fail "The $dead ended:" "$work/$dead.log"
