#!/usr/bin/env bash
# Builds idv-client-go in this folder, which has the repository's proto/ beside it: see ../run.py.
# Needs protoc, and a copy of google/api/*.proto: Go's modules of them (genproto) hold the generated code alone.
set -euo pipefail
cd "$(dirname "$0")"

googleapis=/usr/share/gocode/src/github.com/gogo/googleapis # Debian's golang-github-gogo-googleapis-dev
mkdir -p bin stubs
go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

# Which Go packages they become is left to each user by the protos, so the plugins are told file by file.
api=google.golang.org/genproto/googleapis/api/annotations # it has its generated code there already
options=(module=idv-client-go "Mgoogle/api/annotations.proto=$api" "Mgoogle/api/http.proto=$api")
for proto in proto/kora/idv/v1/*.proto; do
  options+=("M${proto#proto/}=idv-client-go/stubs/idv;idv")
done
options+=("Mkora/idv/gateway/v1/annotations.proto=idv-client-go/stubs/annotations;annotations")
joined=$(IFS=, && echo "${options[*]}")
protoc -I proto -I "$googleapis" \
  --plugin=bin/protoc-gen-go --go_out=. --go_opt="$joined" \
  --plugin=bin/protoc-gen-go-grpc --go-grpc_out=. --go-grpc_opt="$joined" \
  proto/kora/idv/v1/*.proto proto/kora/idv/gateway/v1/annotations.proto

go build -buildvcs=false -o idv-client-go . # what git says of this folder is not about this program
