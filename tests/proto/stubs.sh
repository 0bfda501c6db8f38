#!/usr/bin/env bash
# Fails when buf cannot make stubs as proto/buf.gen.yaml says. Languages whose plugins are not here are left out.
#   tests/proto/stubs.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "$0")/../.."

buf=$PWD/build/tools/bin/buf # see deploy/setup.sh
if [[ ! -x "$buf" ]]; then
  echo "SKIPPED checks.stubs: buf is not installed"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUF_CACHE_DIR=$work/cache
PATH=$PATH:$build/clients/go/bin # where the client in Go has built its plugins, if it has
cmake --install "$build" --component protos --prefix "$work" >/dev/null
cd "$work/share/idv-gateway"

# An entry of `plugins` begins with its name and ends before the next one.
keeps=true
while IFS= read -r line; do
  if [[ "$line" =~ ^\ \ -\ local:\ (.*) ]]; then
    keeps=true
    command -v "${BASH_REMATCH[1]}" >/dev/null || { keeps=false && echo "without ${BASH_REMATCH[1]}"; }
  elif [[ "$line" == "  - protoc_builtin:"* ]]; then
    keeps=true
  fi
  if $keeps; then echo "$line" >>"$work/buf.gen.yaml"; fi
done <buf.gen.yaml
"$buf" generate idv.binpb --template "$work/buf.gen.yaml" --path kora -o "$work/stubs"

for stub in cpp/kora/idv/v1/{liveness.pb,liveness_service.grpc.pb}.cc python/kora/idv/v1/{liveness_pb2,liveness_service_pb2_grpc}.py \
  java/kora/idv/v1/Liveness.java; do
  [[ -s "$work/stubs/$stub" ]] || { echo "there is no $stub" && exit 1; }
done
foreign=$(find "$work/stubs" -path '*google/api*')
[[ -z "$foreign" ]] || { echo "stubs of others: $foreign" && exit 1; }
