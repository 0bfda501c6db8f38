#!/usr/bin/env bash
# Builds the hand-written Go proxy into a folder: tests/bench/go_proxy/build.sh OUT
# The stubs are made there too, by protoc and the plugins that go.mod pins. Needs Go 1.24 or newer.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
module=idv.example/goproxy
googleapis=/usr/share/gocode/src/github.com/gogo/googleapis # as in proto/CMakeLists.txt

cp "$here"/*.go "$here/go.mod" "$here/go.sum" "$out"
cd "$out"
go build -o . google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

# Where the Go package of each file is: the files themselves do not say it.
annotations=kora/idv/gateway/v1/annotations.proto
google=google.golang.org/genproto/googleapis/api/annotations
packages="Mgoogle/api/annotations.proto=$google,Mgoogle/api/http.proto=$google"
packages+=",M$annotations=$module/gen/gatewayv1"
protos=()
for file in "$root"/proto/kora/idv/v1/*.proto; do
  name=${file#"$root/proto/"}
  protos+=("$name")
  packages+=",M$name=$module/gen/idvv1"
done
PATH="$out:$PATH" protoc -I "$root/proto" -I "$googleapis" \
  --go_out=. --go_opt="module=$module,$packages" --go-grpc_out=. --go-grpc_opt="module=$module,$packages" \
  "$annotations" "${protos[@]}"

go build -o idv_go_proxy .
