#!/usr/bin/env bash
# stage.sh ARCH: what packages install below /usr, in dist/stage/ARCH: usr for all of them,
# deb/usr and rpm/usr beside that. The environment has VERSION, DEBVERSION, MAINTAINER and
# SOURCE_DATE_EPOCH, as the Makefile sets them. Run in the repository's folder.
set -euo pipefail
umask 022

arch=$1
stage=dist/stage/$arch
doc=$stage/usr/share/doc/policyd-rdns
rm -rf "$stage"

put() { install -D -m 0644 "$1" "$2"; }
into() { mkdir -p "${1%/*}" && cat >"$1"; }
gz_into() { gzip -9n | into "$1"; }

contrib/build.sh "linux/$arch" "$stage/usr/bin/policyd-rdns"
contrib/build.sh "$(go env GOHOSTOS)/$(go env GOHOSTARCH)" dist/host/policyd-rdns # to write pages and completions
run=dist/host/policyd-rdns

mkdir -p dist/host/man
rm -f dist/host/man/*
$run man --epoch "$SOURCE_DATE_EPOCH" --folder dist/host/man
for page in dist/host/man/*; do
	gz_into "$stage/usr/share/man/man${page##*.}/${page##*/}.gz" <"$page"
done
$run completion bash | into "$stage/usr/share/bash-completion/completions/policyd-rdns"
$run completion zsh | into dist/host/_policyd-rdns
put dist/host/_policyd-rdns "$stage/deb/usr/share/zsh/vendor-completions/_policyd-rdns"
put dist/host/_policyd-rdns "$stage/rpm/usr/share/zsh/site-functions/_policyd-rdns"
$run completion fish | into "$stage/usr/share/fish/vendor_completions.d/policyd-rdns.fish"

for unit in policyd-rdns.service policyd-rdns-report.service policyd-rdns-report.timer; do
	put "systemd/$unit" "$stage/usr/lib/systemd/system/$unit"
done
# SELinux lets Postfix connect to a labelled port, and to no socket of systemd's.
put systemd/policyd-rdns.socket "$stage/deb/usr/lib/systemd/system/policyd-rdns.socket"

for page in README.md SECURITY.md contrib/docs/*; do
	put "$page" "$doc/${page#contrib/}"
done
put config.example.toml "$doc/examples/config.example.toml"
put contrib/debian/main.cf "$stage/deb/usr/share/doc/policyd-rdns/examples/main.cf"
put contrib/redhat/main.cf "$stage/rpm/usr/share/doc/policyd-rdns/examples/main.cf"
for folder in contrib/*/; do # what else is there to watch it with
	case $folder in
	contrib/debian/ | contrib/redhat/ | contrib/freebsd/ | contrib/image/ | contrib/docs/) ;;
	*) cp -r "$folder" "$doc/examples/" ;;
	esac
done
chmod -R u=rwX,go=rX "$doc/examples"

put contrib/debian/README.Debian "$stage/deb/usr/share/doc/policyd-rdns/README.Debian"
contrib/debian/copyright.sh debian | into "$stage/deb/usr/share/doc/policyd-rdns/copyright"
contrib/debian/changelog.sh "$DEBVERSION" "$MAINTAINER" "$SOURCE_DATE_EPOCH" | gz_into "$stage/deb/usr/share/doc/policyd-rdns/changelog.gz"
put contrib/debian/lintian-overrides "$stage/deb/usr/share/lintian/overrides/policyd-rdns"

put contrib/redhat/README.RedHat "$stage/rpm/usr/share/doc/policyd-rdns/README.RedHat"
put CHANGELOG.md "$stage/rpm/usr/share/doc/policyd-rdns/CHANGELOG.md"
contrib/debian/copyright.sh | into "$stage/rpm/usr/share/licenses/policyd-rdns/LICENSES"
