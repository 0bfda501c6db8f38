#!/usr/bin/env bash
# Builds the images, looks through them, and runs verifications in them as strictly as a cluster would.
#   tests/deploy/image.sh [BASE]
# BASE is the image of Debian 12 to build upon, such as debian:12-slim; without it, debootstrap makes one. By hand, since
# it compiles all that is in an image: about ten minutes, and less the next time. It takes root, and of Debian's packages
# buildah, podman and runc, and debootstrap when there is no BASE.
set -euo pipefail
cd "$(dirname "$0")/../.."

base=${1:-}
if [[ "$base" == -* ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  [[ "$base" == --help ]] && exit 0 || exit 2
fi

me=idv-image-test
work=$(mktemp -d)
# Neither systemd nor a network is needed, and limits are those of any user.
podman=(podman --runtime runc --cgroup-manager=cgroupfs)
confined=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024
  --read-only --read-only-tmpfs=false --cap-drop=ALL --security-opt=no-new-privileges)

# shellcheck disable=SC2317 # The trap calls it.
clean_up() {
  podman rm --force --time 1 "$me"-{sandbox,gateway,sidecar,plain} >/dev/null 2>&1 || true
  podman volume rm --force "$me"-{certificates,socket} >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

step() { echo "== $1"; }

# The most bare Debian there is, which finds security fixes where debian:12-slim does.
make_base() {
  step "a base by debootstrap"
  debootstrap --variant=minbase bookworm "$work/base" >"$work/debootstrap.log" || fail "$(tail "$work/debootstrap.log")"
  # With security fixes, as base images have them; from the mirrors of this machine.
  # shellcheck disable=SC2016 # names of apt's
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    grep -E ' bookworm(-updates|-security)? main$' | sort -u >"$work/base/etc/apt/sources.list"
  tar --directory "$work/base" --create . | podman import - "localhost/$me-base" >/dev/null
  rm -rf "$work/base"
  base=localhost/$me-base
}

build() {
  step "$1 built"
  nice -n 19 buildah build --isolation chroot --layers --timestamp 0 --file deploy/Dockerfile --target "$1" \
    --build-arg BASE="$base" --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
    --tag "localhost/$me-$1" . >"$work/build.log" 2>&1 || fail "$(tail -n 40 "$work/build.log")"
}

scan() {
  local image=$1
  shift
  "${podman[@]}" save --quiet --format oci-archive --output "$work/$image.tar" "localhost/$me-$image"
  echo -n "$image: "
  tests/deploy/scan_image.py "$work/$image.tar" "$@"
  rm "$work/$image.tar"
}

# Runs a program until it ends; the arguments are podman's.
run() { "${podman[@]}" run --rm "${confined[@]}" "$@"; }

# Starts a server, and waits for the last line that it says when it serves.
start() {
  local name=$1 line=$2 tries=100
  shift 2
  "${podman[@]}" run --detach --name "$me-$name" "${confined[@]}" "$@" >/dev/null
  until podman logs "$me-$name" 2>/dev/null | grep -q "^$line"; do
    if ((tries-- == 0)) || [[ -z "$(podman ps --quiet --filter "name=$me-$name")" ]]; then
      fail "$name does not serve: $(podman logs "$me-$name" 2>&1)"
    fi
    sleep 0.1
  done
}

# Ends a server by SIGTERM, which must be in order, and shows how long that took.
stop() {
  local name=$1 code from=$EPOCHREALTIME
  podman stop --time 60 "$me-$name" >/dev/null
  code=$(podman inspect --format '{{.State.ExitCode}}' "$me-$name")
  [[ "$code" == 0 ]] || fail "$name ended with $code after SIGTERM: $(podman logs "$me-$name" 2>&1 | tail)"
  echo "$name ended in order, $(((${EPOCHREALTIME/./} - ${from/./}) / 1000)) ms after SIGTERM"
  podman rm "$me-$name" >/dev/null
}

version=$(sed -n 's/^project(idv_gateway VERSION \([^ ]*\) .*/\1/p' CMakeLists.txt)
[[ -n "$base" ]] || make_base
for target in idv-gateway idv-sandbox certificates; do build "$target"; done

step "what is in them"
scan idv-gateway usr/bin/idv-gateway
scan idv-sandbox usr/bin/idv-sandbox usr/bin/idv-verify

step "the program alone"
[[ "$(run --network=none "localhost/$me-idv-gateway" --version)" == "idv-gateway $version" ]] ||
  fail "--version: $(run --network=none "localhost/$me-idv-gateway" --version)"
[[ "$(run --network=none "localhost/$me-idv-gateway" --help)" == *--config* ]] || fail "--help"
! run --network=none --entrypoint /bin/sh "localhost/$me-idv-gateway" -c true 2>/dev/null || fail "there is a shell"

step "over mutual TLS, as compose.yaml has it"
certificates=(--volume "$me-certificates:/certificates")
run --network=none --tmpfs /tmp "${certificates[@]}" "localhost/$me-certificates"
# One network, which reaches nothing else.
start sandbox "listening on" --network=none "${certificates[@]}" "localhost/$me-idv-sandbox" \
  --listen 127.0.0.1:8081 --tls-cert /certificates/sandbox.crt --tls-key /certificates/sandbox.key
sed 's/sandbox:8081/localhost:8081/; /private_hosts/d' deploy/compose/gateway.yaml >"$work/gateway.yaml"
gateway=(--network="container:$me-sandbox" "${certificates[@]}" --env IDV_SANDBOX_KEY=test_sk_sandbox
  --volume "$work/gateway.yaml:/etc/idv-gateway/config.yaml:ro" "localhost/$me-idv-gateway")
run "${gateway[@]}" --check --config /etc/idv-gateway/config.yaml
start gateway "listening on admin" "${gateway[@]}"
run --network="container:$me-sandbox" "${certificates[@]}" --entrypoint /usr/bin/idv-verify "localhost/$me-idv-sandbox" \
  --target localhost:8443 --tls-ca /certificates/ca.crt --tls-cert /certificates/client.crt \
  --tls-key /certificates/client.key
stop gateway
stop sandbox

step "over a socket, as the sidecar has it"
# Like an emptyDir in a pod with fsGroup 2000.
podman volume create --opt type=tmpfs --opt device=tmpfs --opt o=mode=2770,gid=2000 "$me-socket" >/dev/null
socket=(--volume "$me-socket:/run/idv")
mkdir "$work/key"
echo test_sk_sandbox >"$work/key/api_key"
chgrp 2000 "$work/key/api_key" && chmod 0440 "$work/key/api_key"
sed 's|https://api.korastratum.com|http://127.0.0.1:8081|' deploy/sidecar/example/config.yaml >"$work/sidecar.yaml"
start plain "listening on" --network=none "localhost/$me-idv-sandbox"
sidecar=(--network="container:$me-plain" --group-add 2000 "${socket[@]}" --volume "$work/key:/var/run/secrets/idv-gateway:ro"
  --volume "$work/sidecar.yaml:/etc/idv-gateway/config.yaml:ro" "localhost/$me-idv-gateway")
application=(--network=none "${socket[@]}" --entrypoint /usr/bin/idv-verify "localhost/$me-idv-sandbox"
  --target unix:///run/idv/gateway.sock)
start sidecar "listening on admin" "${sidecar[@]}"
run --user 1000:1000 --group-add 2000 "${application[@]}" --frames 30
! run --user 1000:1000 "${application[@]}" --timeout 2s >/dev/null 2>&1 || fail "who is not of the group may connect"
# One that was killed has left its socket, and the next one takes its place.
podman kill --signal KILL "$me-sidecar" >/dev/null
podman wait "$me-sidecar" >/dev/null && podman rm "$me-sidecar" >/dev/null
start sidecar "listening on admin" "${sidecar[@]}"
run --user 1000:1000 --group-add 2000 "${application[@]}" >/dev/null
stop sidecar
stop plain

echo "All is well."
