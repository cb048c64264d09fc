#!/usr/bin/env bash
# test.sh DOCKER.tar OCI.tar: the image of this machine's architecture as it comes: what it
# says of itself, and run under its own root, which it may not write to, by its own user:
# demo, the daemon, its health check. Where podman can run containers it does; elsewhere the
# image is unpacked. As root.
set -euo pipefail
cd "$(dirname "$0")/../.."
. contrib/ask.sh

fail() { echo "test.sh: $*" >&2 && exit 1; }
note() { printf -- '-- %s\n' "$*"; }

docker=$(readlink -f "$1") oci=$(readlink -f "$2")
[ "$(id -u)" = 0 ] || fail "has to be root"
temp=$(mktemp -d)
daemon=
clean() {
	status=$?
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null || true
	fi
	umount "$temp/root/var/lib/policyd-rdns" 2>/dev/null || true
	umount "$temp/root" 2>/dev/null || true
	rm -rf --one-file-system "$temp"
	exit $status
}
trap clean EXIT

note "what it says of itself"
mkdir "$temp/docker" "$temp/oci" "$temp/root"
tar -x -C "$temp/docker" -f "$docker"
tar -x -C "$temp/oci" -f "$oci"
grep -q '"imageLayoutVersion"' "$temp/oci/oci-layout" || fail "the OCI archive is none"
[ "$(grep -o '"org.opencontainers.image.ref.name"' "$temp/oci/index.json" | wc -l)" = 1 ] || fail "the OCI archive has not one image"
config=$(ls "$temp"/docker/sha256*)
for want in '"User":"65532:65532"' '"Entrypoint":\["/usr/bin/policyd-rdns"\]' '"Cmd":\["serve"\]' '"Test":\["CMD","/usr/bin/policyd-rdns","health"\]' '"Volumes":{"/var/lib/policyd-rdns":{}}'; do
	grep -q "$want" "$config" || fail "the image's configuration has no $want: $(cat "$config")"
done

note "unpacked, under its own root"
for layer in "$temp"/docker/*.tar.gz; do
	tar -x -C "$temp/root" --numeric-owner -f "$layer"
	size=$(stat -c %s "$layer")
	[ "$size" -le 12000000 ] || fail "$size bytes compressed"
done
cmp contrib/image/config.toml "$temp/root/etc/policyd-rdns/config.toml"
: >"$temp/root/etc/resolv.conf" # an engine puts its own there
echo "nameserver 127.0.0.1" >"$temp/root/etc/resolv.conf"
mount --bind "$temp/root" "$temp/root"
mount -o remount,bind,ro "$temp/root"
mount -t tmpfs -o uid=65532,gid=65532,mode=0750 none "$temp/root/var/lib/policyd-rdns" # its volume
port=10099
inside() { with env -i PATH=/usr/bin POLICYD_RDNS_CONFIG=/etc/policyd-rdns/config.toml POLICYD_RDNS_LISTEN=127.0.0.1:$port "${set[@]}" "$(command -v chroot)" --userspec=65532:65532 "$temp/root" /usr/bin/policyd-rdns "$@"; }
with() { "$@"; }
served() { # in the background, so that its process is the daemon's
	with() { exec "$@"; }
	inside serve >/dev/null 2>"$1"
}
set=(POLICYD_RDNS_PORT=tcp://192.0.2.1:10040)
inside version
inside demo >"$temp/demo"
grep -q '550 5.7.1 <user@example.net>' "$temp/demo" || fail "demo: $(cat "$temp/demo")"
served "$temp/log" &
daemon=$!
refuses_nobody $port "$temp/log"
grep -q 'passed over" variables=POLICYD_RDNS_PORT$' "$temp/log" || fail "POLICYD_RDNS_PORT is not told of: $(cat "$temp/log")"
[ -s "$temp/root/var/lib/policyd-rdns/history.sqlite" ] || fail "no history in the volume"
! grep -q 'level=\(WARN\|ERROR\)' <(grep -v 'no DNS server answers' "$temp/log") || fail "the log has warnings: $(cat "$temp/log")"
inside allow 203.0.113.10 --why "ticket 4711" >/dev/null 2>"$temp/err" || fail "allow: $(cat "$temp/err")"
status=0
inside health >"$temp/health" || status=$?
# No DNS server answers here: the daemon says so, and that it is why it is not well.
[ $status = 1 ] && grep -q 'not well: no DNS server answers' "$temp/health" || fail "health = $status, $(cat "$temp/health")"
kill "$daemon"
wait "$daemon" || fail "the daemon ended with $?"
daemon=

note "enforcing, by the environment"
rm -f "$temp/root/var/lib/policyd-rdns/exempt.toml"
set=(POLICYD_RDNS_MODE=enforce)
served "$temp/log2" &
daemon=$!
for _ in $(seq 100); do grep -q msg=listening "$temp/log2" && break || sleep 0.1; done
head -n 1 "$temp/log2" | grep -q ', enforcing"' || fail "the log begins with $(head -n 1 "$temp/log2")"
grep -q '^action=DEFER_IF_PERMIT 4.7.1 ' <(ask $port) || fail "enforcing with defer_for it answers $(ask $port)"
kill "$daemon" && wait "$daemon" || true
daemon=

if command -v podman >/dev/null; then
	note "podman"
	podman load -q -i "$oci" >"$temp/loaded"
	image=$(sed -n 's/^Loaded image: //p' "$temp/loaded")
	if podman run --rm --read-only --network none "$image" demo >"$temp/demo" 2>"$temp/err"; then
		grep -q '550 5.7.1 <user@example.net>' "$temp/demo" || fail "demo: $(cat "$temp/demo")"
	else
		echo "podman loads the image, and can run none here: $(tail -n 1 "$temp/err")"
	fi
	podman rmi -f "$image" >/dev/null
fi
note "well"
