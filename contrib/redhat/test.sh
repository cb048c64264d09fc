#!/usr/bin/env bash
# test.sh PACKAGE.rpm: the package installed below another root, what is in it run as it
# comes, and what its scripts would ask SELinux and systemd for, which stand-ins tell. As
# root, of a machine that may have mount namespaces.
set -euo pipefail
cd "$(dirname "$0")/../.."
. contrib/ask.sh

fail() { echo "test.sh: $*" >&2 && exit 1; }
note() { printf -- '-- %s\n' "$*"; }

rpm=$(readlink -f "$1")
[ "$(id -u)" = 0 ] || fail "has to be root"
[ -n "${POLICYD_RDNS_TEST:-}" ] || POLICYD_RDNS_TEST=yes exec unshare -m "$0" "$rpm"
temp=$(mktemp -d)
daemon=
clean() {
	status=$?
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	umount /etc/policyd-rdns 2>/dev/null && rmdir --ignore-fail-on-non-empty /etc/policyd-rdns || true
	rm -rf --one-file-system "$temp"
	exit $status
}
trap clean EXIT
root=$temp/root

note "installed"
[ "$(rpm -qp --qf '%{NAME} %{ARCH} %{LICENSE}' "$rpm")" = "policyd-rdns $(uname -m) MIT" ] || fail "$(rpm -qpi "$rpm")"
rpm -qp --requires "$rpm" | grep -qx postfix || fail "the package does not require postfix"
rpm -qp --recommends "$rpm" | grep -qx policycoreutils-python-utils || fail "the package does not recommend semanage"
mkdir -p "$root"
rpm -i --root "$root" --nodeps --noscripts "$rpm" >"$temp/out" 2>&1 || fail "rpm -i: $(cat "$temp/out")"
rpm -V --root "$root" --nodeps policyd-rdns >"$temp/out" 2>&1 || fail "rpm -V: $(cat "$temp/out")"
[ "$(rpm -q --root "$root" -c policyd-rdns | tr '\n' ' ')" = "/etc/logrotate.d/policyd-rdns /etc/policyd-rdns/config.toml " ] || fail "configuration files: $(rpm -q --root "$root" -c policyd-rdns)"
cmp contrib/redhat/config.toml "$root/etc/policyd-rdns/config.toml"
[ ! -e "$root/usr/lib/systemd/system/policyd-rdns.socket" ] || fail "there is a unix socket, which SELinux keeps Postfix from"
grep -q 'inet:127.0.0.1:10040, timeout=10s' "$root/usr/share/doc/policyd-rdns/examples/main.cf" || fail "main.cf has not the port"
mkdir "$temp/units"
cp "$root"/usr/lib/systemd/system/* "$temp/units"
sed -i 's#/usr/bin/policyd-rdns#/bin/true#' "$temp"/units/*.service
verified=$(systemd-analyze verify --man=no "$temp"/units/policyd-rdns.service "$temp"/units/policyd-rdns-report.timer 2>&1) || fail "units: $verified"

note "run as it comes"
run=$root/usr/bin/policyd-rdns
"$run" version
"$run" demo >"$temp/demo"
grep -q '550 5.7.1 <user@example.net>' "$temp/demo" || fail "demo: $(cat "$temp/demo")"
port=10098
export POLICYD_RDNS_LISTEN=127.0.0.1:$port
"$run" serve -c "$root/etc/policyd-rdns/config.toml" >/dev/null 2>"$temp/log" &
daemon=$!
refuses_nobody $port "$temp/log"
"$run" health -c "$root/etc/policyd-rdns/config.toml" >"$temp/health" || true # whether a DNS server answers here is not its matter
grep -Eq '^(well: observing|not well: no DNS server answers)' "$temp/health" || fail "health: $(cat "$temp/health")"
kill "$daemon" && wait "$daemon" || fail "the daemon ended with $?"
daemon=
unset POLICYD_RDNS_LISTEN

note "what its scripts ask for"
calls=$temp/calls
mkdir "$temp/bin" "$temp/none"
for program in systemctl selinuxenabled semanage; do
	printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$program" "$calls" >"$temp/bin/$program"
	chmod +x "$temp/bin/$program"
done
# ports LINE...: what semanage says of ports.
ports() {
	printf '%s\n' 'SELinux Port Type              Proto    Port Number' 'unreserved_port_t              tcp      61001-65535, 1024-32767' \
		'other_port_t                   udp      10040' "$@" >"$temp/ports"
}
printf '#!/bin/sh\n[ "$2" != -l ] || exec cat "%s"\necho "semanage $*" >>"%s"\n' "$temp/ports" "$calls" >"$temp/bin/semanage"
ports 'postfix_policyd_port_t         tcp      10031'
ln -s "$run" "$temp/bin/policyd-rdns"
mkdir -p /run/systemd
mount -t tmpfs none /run/systemd
mkdir -p /run/systemd/system
mkdir -p /etc/policyd-rdns
mount --bind "$root/etc/policyd-rdns" /etc/policyd-rdns
# script NAME ARGUMENT: what one of the package's scripts asks for, in $calls.
script() {
	: >"$calls"
	rpm -qp --scripts "$rpm" | awk -v name="$1" '/ scriptlet \(using / { on = $1 == name; next } on' >"$temp/script"
	[ -s "$temp/script" ] || fail "the package has no script $1"
	PATH=$temp/bin:$PATH sh -e "$temp/script" "$2" >"$temp/out" 2>&1 || fail "$1 $2: $(cat "$temp/out")"
}
called() { grep -q -- "$1" "$calls" || fail "not called: $1, but $(cat "$calls")"; }
not_called() { ! grep -q -- "$1" "$calls" || fail "called: $1"; }

script postinstall 1
called "semanage port -a -t postfix_policyd_port_t -p tcp 10040"
called "systemctl --no-reload preset policyd-rdns.service"
not_called "restart"
script postinstall 2
called "systemctl try-restart policyd-rdns.service"
echo 'nonsense = 1' | cat - contrib/redhat/config.toml >"$root/etc/policyd-rdns/config.toml"
script postinstall 2
not_called "restart"
grep -q "nonsense: unknown key" "$temp/out" || fail "the mistake is not shown: $(cat "$temp/out")"
script preuninstall 1
not_called "systemctl"
script preuninstall 0
called "disable --now .*policyd-rdns.service"
script postuninstall 1
not_called "semanage"
script postuninstall 0
not_called "semanage"
ports 'postfix_policyd_port_t         tcp      10040, 10031'
script postuninstall 0
called "semanage port -d -t postfix_policyd_port_t -p tcp 10040"
for label in 'tcp      10040, 10031' 'tcp      10031, 10035-10045'; do
	ports "postfix_policyd_port_t         $label"
	script postinstall 1
	[ ! -s "$temp/out" ] || fail "with the label already there: $(cat "$temp/out")"
	not_called "semanage"
done
for label in 'tcp      10040' 'tcp      7000, 10000-10100'; do
	ports 'postfix_policyd_port_t         tcp      10031' "other_port_t                   $label"
	script postinstall 1
	not_called "semanage"
	grep -q 'port 10040 is labelled other_port_t for something else' "$temp/out" || fail "nothing is said of another's label: $(cat "$temp/out")"
	script postuninstall 0
	not_called "semanage"
done
: >"$temp/ports"
script postinstall 1
not_called "semanage"
grep -q 'the labels of ports could not be read' "$temp/out" || fail "without labels: $(cat "$temp/out")"
mv "$temp/bin/semanage" "$temp/none"
command -v semanage >/dev/null || { script postinstall 1 && grep -q 'until you install policycoreutils-python-utils' "$temp/out" || fail "without semanage nothing is said: $(cat "$temp/out")"; }
printf '#!/bin/sh\nexit 1\n' >"$temp/bin/selinuxenabled"
script postinstall 1
[ ! -s "$temp/out" ] || fail "without SELinux: $(cat "$temp/out")"
note "well"
