#!/usr/bin/env bash
# stage.sh ARCH: what the package installs below /usr, in dist/stage/ARCH. The
# environment has VERSION, DEBVERSION, MAINTAINER and SOURCE_DATE_EPOCH, as the
# Makefile sets them. Run in the repository's folder.
set -euo pipefail
umask 022

arch=$1
stage=dist/stage/$arch/usr
doc=$stage/share/doc/policyd-rdns
rm -rf "dist/stage/$arch"

put() { install -D -m 0644 "$1" "$2"; }
into() { mkdir -p "${1%/*}" && cat >"$1"; }
gz_into() { gzip -9n | into "$1"; }

build() { CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o "$1" ./cmd/policyd-rdns; }
build dist/host/policyd-rdns # to write pages and completions
run=dist/host/policyd-rdns
mkdir -p "$stage/bin"
GOOS=linux GOARCH=$arch build "$stage/bin/policyd-rdns"

for unit in service socket; do
	put "systemd/policyd-rdns.$unit" "$stage/lib/systemd/system/policyd-rdns.$unit"
done

mkdir -p dist/host/man
rm -f dist/host/man/*
$run man --epoch "$SOURCE_DATE_EPOCH" --folder dist/host/man
for page in dist/host/man/*; do
	gz_into "$stage/share/man/man${page##*.}/${page##*/}.gz" <"$page"
done
$run completion bash | into "$stage/share/bash-completion/completions/policyd-rdns"
$run completion zsh | into "$stage/share/zsh/vendor-completions/_policyd-rdns"
$run completion fish | into "$stage/share/fish/vendor_completions.d/policyd-rdns.fish"

put README.md "$doc/README.md"
put contrib/debian/README.Debian "$doc/README.Debian"
put config.example.toml "$doc/examples/config.example.toml"
put contrib/debian/main.cf "$doc/examples/main.cf"
for folder in contrib/*/; do # what else is there to watch it with
	[ "$folder" = contrib/debian/ ] || cp -r "$folder" "$doc/examples/"
done
chmod -R u=rwX,go=rX "$doc/examples"
contrib/debian/copyright.sh debian | into "$doc/copyright"
contrib/debian/changelog.sh "$DEBVERSION" "$MAINTAINER" "$SOURCE_DATE_EPOCH" | gz_into "$doc/changelog.gz"
put contrib/debian/lintian-overrides "$stage/share/lintian/overrides/policyd-rdns"
