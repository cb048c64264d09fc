#!/usr/bin/env bash
# build.sh OS/ARCH FILE: the program, without C and without what the machine is that it is
# built on: one commit makes one program, to the byte. The environment has VERSION.
set -euo pipefail
GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o "$2" ./cmd/policyd-rdns
