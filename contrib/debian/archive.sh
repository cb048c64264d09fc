#!/usr/bin/env bash
# archive.sh ARCH: what stage.sh made, as an archive for other systems, in dist/.
# One commit makes one archive, to the byte.
set -euo pipefail

usr=dist/stage/$1/usr
name=policyd-rdns-$VERSION-linux-$1
folder=dist/stage/$1/$name
mkdir -p "$folder/man" "$folder/completions" "$folder/systemd"

cp "$usr/bin/policyd-rdns" README.md CHANGELOG.md LICENSE config.example.toml "$folder"
contrib/debian/copyright.sh >"$folder/LICENSES"
cp systemd/* "$folder/systemd"
cp dist/host/man/* "$folder/man"
cp "$usr/share/bash-completion/completions/policyd-rdns" "$folder/completions/policyd-rdns.bash"
cp "$usr/share/zsh/vendor-completions/_policyd-rdns" "$usr/share/fish/vendor_completions.d/policyd-rdns.fish" "$folder/completions"

tar -c -C "dist/stage/$1" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
	--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$name" | gzip -9n >"dist/$name.tar.gz"
