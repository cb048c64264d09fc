#!/usr/bin/env bash
# archive.sh OS ARCH: the program with all that goes with it, as an archive for systems
# without a package, in dist/. One commit makes one archive, to the byte. stage.sh has run,
# of any architecture: it has written the manual pages.
set -euo pipefail
umask 022

os=$1 arch=$2
name=policyd-rdns-$VERSION-$os-$arch
folder=dist/stage/$os-$arch/$name
rm -rf "dist/stage/$os-$arch"
mkdir -p "$folder/man" "$folder/completions"

if [ "$os" = linux ] && [ -e "dist/stage/$arch/usr/bin/policyd-rdns" ]; then
	cp "dist/stage/$arch/usr/bin/policyd-rdns" "$folder"
else
	contrib/build.sh "$os/$arch" "$folder/policyd-rdns"
fi
cp -r README.md SECURITY.md CHANGELOG.md LICENSE config.example.toml "$folder"
cp -r "$(echo dist/stage/*/usr/share/doc/policyd-rdns/examples | cut -d' ' -f1)" "$folder/contrib"
cp -r contrib/docs "$folder/contrib/docs"
rm -f "$folder/contrib/config.example.toml"
contrib/debian/copyright.sh >"$folder/LICENSES"
case $os in
freebsd) cp contrib/freebsd/* "$folder" ;;
*)
	mkdir "$folder/systemd"
	cp systemd/* "$folder/systemd"
	cp contrib/debian/config.toml contrib/debian/logrotate contrib/linux/README.Linux "$folder"
	;;
esac
cp dist/host/man/* "$folder/man"
cp dist/host/_policyd-rdns "$folder/completions"
cp "$(echo dist/stage/*/usr/share/bash-completion/completions/policyd-rdns | cut -d' ' -f1)" "$folder/completions/policyd-rdns.bash"
cp "$(echo dist/stage/*/usr/share/fish/vendor_completions.d/policyd-rdns.fish | cut -d' ' -f1)" "$folder/completions"

tar -c -C "dist/stage/$os-$arch" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
	--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$name" | gzip -9n >"dist/$name.tar.gz"
