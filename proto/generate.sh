#!/bin/sh
# Generates the Go code beside each .proto. The plugins are pinned in go.mod, protoc is Debian's protobuf-compiler.
set -eu
cd "$(dirname "$0")/.."
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN=$bin go install google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
PATH=$bin:$PATH protoc -I proto \
	--go_out=. --go_opt=module=github.com/g2g-net/g2g \
	--go-grpc_out=. --go-grpc_opt=module=github.com/g2g-net/g2g \
	proto/gossippb/gossip.proto proto/adminpb/admin.proto
