//go:build tools

// What build.sh generates the stubs with; named here so that go.mod pins it.

package main

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
