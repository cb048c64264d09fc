#!/usr/bin/env bash
# test.sh PACKAGE.deb: the package through its whole life on this machine, as
# root: installed, used, upgraded, removed, purged. Then nothing is left of it.
# It refuses to run where policyd-rdns is installed already.
#
# Where systemd does not run, a stand-in for systemctl tells what it would have
# been asked, if this may have a mount namespace of its own.
set -euo pipefail

. "$(dirname "$0")/../ask.sh"

# Each step that fails says why, and ends the test.
fail() { echo "test.sh: $*" >&2 && exit 1; }
note() { printf -- '-- %s\n' "$*"; }

deb=$(readlink -f "$1")
[ "$(id -u)" = 0 ] || fail "has to be root"
if [ -z "${POLICYD_RDNS_TEST:-}" ]; then
	dpkg-query -W policyd-rdns >/dev/null 2>&1 && fail "policyd-rdns is installed here"
	[ ! -e /etc/policyd-rdns ] || fail "/etc/policyd-rdns is there already"
	temp=$(mktemp -d)
	trap 'rm -rf "$temp"' EXIT
	manager=none
	if [ -d /run/systemd/system ]; then
		manager=real
	elif unshare -m true 2>/dev/null; then
		manager=fake
	fi
	run=()
	[ $manager != fake ] || run=(unshare -m)
	POLICYD_RDNS_TEST=$manager TEMP=$temp "${run[@]}" "$0" "$deb"
	exit
fi
manager=$POLICYD_RDNS_TEST temp=$TEMP

# --- the service manager

calls=$temp/calls
touch "$calls"
if [ "$manager" = fake ]; then
	mount -t tmpfs none /run/systemd
	mkdir /run/systemd/system "$temp/bin"
	cat >"$temp/bin/systemctl" <<-END
		#!/bin/sh
		case "\$*" in
		*--root=*) exec /usr/bin/systemctl "\$@" ;; # links only
		*is-enabled*) ls /etc/systemd/system/*.wants/"\${*##* }" >/dev/null 2>&1 && echo enabled ;;
		*is-active*) ;;
		*) echo "\$*" >>"$calls" ;;
		esac
	END
	chmod +x "$temp/bin/systemctl"
	export PATH=$temp/bin:$PATH
	[ ! -e /usr/sbin/policy-rc.d ] || mount --bind /bin/true /usr/sbin/policy-rc.d # images of containers deny all
fi

# called WORDS: the service manager was asked so since the last time.
called() {
	[ "$manager" != fake ] || grep -q -- "$1" "$calls" || fail "systemctl was not asked to $1, but: $(cat "$calls")"
}
not_called() { [ "$manager" != fake ] || ! grep -q -- "$1" "$calls" || fail "systemctl was asked to $1"; }

# running: with a systemd the daemon is up.
running() { [ "$manager" != real ] || systemctl --quiet is-active policyd-rdns.service || fail "the daemon is not running"; }

# --- this machine

ours() { find /etc /usr /var /run -xdev -name '*policyd-rdns*' -not -path '/usr/src/*' | LC_ALL=C sort; }
ours >"$temp/before"
private=
for folder in /var/log/private /var/lib/private; do
	[ -e $folder ] || private="$private $folder"
done

clean() {
	status=$?
	dpkg --purge policyd-rdns >/dev/null 2>&1 || true
	rm -rf /etc/policyd-rdns "$temp/root"
	for folder in $private; do
		rmdir "$folder" 2>/dev/null || true
	done
	exit $status
}
trap clean EXIT

# successor VERSION: the package again under another version, in $next. What
# follows changes it.
successor() {
	rm -rf "$temp/root"
	dpkg-deb -R "$deb" "$temp/root"
	sed -i "s/^Version: .*/&+$1/" "$temp/root/DEBIAN/control"
	next=$temp/next-$1.deb
}
pack() { dpkg-deb --root-owner-group -Znone -b "$temp/root" "$next" >/dev/null; }
install() { : >"$calls" && dpkg "$@" </dev/null >"$temp/dpkg" 2>&1 || fail "dpkg $*: $(cat "$temp/dpkg")"; }

config=/etc/policyd-rdns/config.toml
dropin=/etc/systemd/system/policyd-rdns.socket.d/postfix.conf

# socket_is QUEUE OWNER: the socket that systemd would open, by unit and drop-ins.
socket_is() {
	units=$(cat /lib/systemd/system/policyd-rdns.socket $dropin 2>/dev/null) || true
	path=$(sed -n 's/^ListenStream=//p' <<<"$units" | tail -n 1)
	user=$(sed -n 's/^SocketUser=//p' <<<"$units" | tail -n 1)
	mode=$(sed -n 's/^SocketMode=//p' <<<"$units" | tail -n 1)
	[ "$path $user $mode" = "$1/private/policyd-rdns $2 0600" ] || fail "the socket is $path, of $user, $mode; want it below $1, of $2, 0600"
	mkdir -p "$temp/units/policyd-rdns.socket.d"
	cp /lib/systemd/system/policyd-rdns* "$temp/units"
	[ ! -e $dropin ] || cp $dropin "$temp/units/policyd-rdns.socket.d"
	verified=$(systemd-analyze verify --man=no "$temp"/units/policyd-rdns.service "$temp"/units/policyd-rdns.socket "$temp"/units/policyd-rdns-report.timer 2>&1) || fail "units: $verified"
	[ -z "$verified" ] || fail "units: $verified"
	rm -r "$temp/units"
}

# postfix_is NAME=VALUE...: what postconf says in what follows, of a Postfix that is
# set up in another way.
postfix_is() {
	mkdir -p "$temp/postfix"
	printf '%s\n' "compatibility_level = 3.6" "$@" >"$temp/postfix/main.cf"
	: >"$temp/postfix/master.cf"
	export MAIL_CONFIG=$temp/postfix
}

note "lintian"
lintian --allow-root --fail-on none --show-overrides "$deb" | tee "$temp/lintian"
! grep -q '^[EW]:' "$temp/lintian" || fail "lintian is not content"

note "install (service manager: $manager)"
[ "$(dpkg-deb -f "$deb" Depends)" = postfix ] || fail "the package does not depend on postfix"
install -i "$deb"
called "start policyd-rdns.socket"
called "start policyd-rdns.service"
called "start policyd-rdns-report.timer"
running
socket_is /var/spool/postfix postfix
[ ! -e ${dropin%/*} ] || fail "Postfix is as usual, and there is $(ls -R ${dropin%/*})"
[ -L /etc/systemd/system/multi-user.target.wants/policyd-rdns.service ] || fail "the service is not enabled"
[ -L /etc/systemd/system/sockets.target.wants/policyd-rdns.socket ] || fail "the socket is not enabled"
[ -L /etc/systemd/system/timers.target.wants/policyd-rdns-report.timer ] || fail "the timer is not enabled"
policyd-rdns version
policyd-rdns demo >"$temp/demo"
grep -q '550 5.7.1 <user@example.net>' "$temp/demo" || fail "demo: $(cat "$temp/demo")"
policyd-rdns configtest -c $config >"$temp/rules" 2>&1 || fail "configtest: $(cat "$temp/rules")"
grep -q 'mode observe' "$temp/rules" || fail "a fresh installation does not only observe: $(cat "$temp/rules")"
port=10097
POLICYD_RDNS_LISTEN=127.0.0.1:$port policyd-rdns serve -c $config >/dev/null 2>"$temp/log" &
daemon=$!
refuses_nobody $port "$temp/log" || fail "a fresh installation refuses, or does not decide"
kill $daemon && wait $daemon || fail "the daemon ended with $?"
dpkg --verify policyd-rdns | grep -v /usr/share/ && fail "not as packed" # images leave documentation out
dpkg-deb -x "$deb" "$temp/root"
grep -q 'unix:private/policyd-rdns, timeout=10s, default_action=DUNNO' "$temp/root/usr/share/doc/policyd-rdns/examples/main.cf" || fail "main.cf has not the socket"
pages=$(cd "$temp/root/usr/share/man" && echo */*)
[ "$pages" = "man5/policyd-rdns-log.5.gz man5/policyd-rdns.toml.5.gz man8/policyd-rdns.8.gz" ] || fail "the manual pages are $pages"
for page in "$temp"/root/usr/share/man/*/*; do
	complaints=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
	[ -z "$complaints" ] || fail "$page: $complaints"
done
bash -n "$temp/root/usr/share/bash-completion/completions/policyd-rdns"

note "Postfix's queue folder and user are others, and then as usual again"
postfix_is "base = /srv/50% mail" 'queue_directory = $base/queue' "mail_owner = vmail"
install -i "$deb"
[ "$(tail -n +2 $dropin)" = "$(printf '[Socket]\nListenStream=\nListenStream=/srv/50%%%% mail/queue/private/policyd-rdns\nSocketUser=vmail')" ] || fail "$dropin: $(cat $dropin)"
called "stop policyd-rdns.service"
called "restart policyd-rdns.socket"
called "start policyd-rdns.service"
postfix_is "queue_directory = /srv/queue"
install -i "$deb"
socket_is /srv/queue postfix
called "restart policyd-rdns.socket"
install -i "$deb"
called "restart policyd-rdns.service"
not_called "policyd-rdns.socket"
echo "# mine" >"$temp/mine" && cat $dropin >>"$temp/mine" && cp "$temp/mine" $dropin
postfix_is "queue_directory = /srv/other"
install -i "$deb"
cmp -s "$temp/mine" $dropin || fail "the administrator's $dropin was changed"
install --remove policyd-rdns
cmp -s "$temp/mine" $dropin || fail "the administrator's $dropin went with the package"
sed -i 1d $dropin
install -i "$deb"
socket_is /srv/other postfix
install --remove policyd-rdns
[ ! -e ${dropin%/*} ] || fail "removing left $(ls -R ${dropin%/*})"
for broken in "queue_directory = relative" "queue_directory =" ; do
	postfix_is "$broken"
	install -i "$deb"
	socket_is /var/spool/postfix postfix
done
rm "$temp/postfix/main.cf" # postconf says nothing
install -i "$deb"
socket_is /var/spool/postfix postfix
unset MAIL_CONFIG

note "the service manager does not run, as in a chroot: the files are made all the same"
postfix_is "queue_directory = /srv/queue"
if [ "$manager" = fake ]; then
	mv /run/systemd/system "$temp/system"
	install -i "$deb"
	! grep -qv -- --root= "$calls" || fail "systemctl was asked: $(cat "$calls")"
	socket_is /srv/queue postfix
	mv "$temp/system" /run/systemd/system
fi
unset MAIL_CONFIG
install -i "$deb"
[ ! -e ${dropin%/*} ] || fail "Postfix is as usual again, and there is $(ls -R ${dropin%/*})"

note "upgrade: no question, all kept"
mkdir -p /var/log/private/policyd-rdns
[ -e /var/log/policyd-rdns ] || ln -s private/policyd-rdns /var/log/policyd-rdns # as DynamicUser has it
echo kept >/var/log/policyd-rdns/decisions.log
mkdir -p /var/lib/private/policyd-rdns
[ -e /var/lib/policyd-rdns ] || ln -s private/policyd-rdns /var/lib/policyd-rdns
[ -e /var/lib/policyd-rdns/history.sqlite ] || : >/var/lib/policyd-rdns/history.sqlite
echo 192.0.2.0/24 >/etc/policyd-rdns/partners
sed -i 's/^mode = .*/mode = "enforce"/' $config
successor 1
pack
install -i "$next"
called "restart policyd-rdns.service"
not_called "stop"
running
grep -q '^mode = "enforce"' $config || fail "the configuration was not kept"

note "exemptions: as root, kept by upgrades, no conffile, and gone with the purge"
exempt=/etc/policyd-rdns/exempt.toml
[ ! -e $exempt ] || fail "$exempt is there before the first exemption"
allowed=$(umask 077 && policyd-rdns allow 203.0.113.1 --for 30d --why "ticket 4711" 2>"$temp/err") || fail "allow: $(cat "$temp/err")"
grep -q '^203.0.113.1 is exempt until .*(ticket 4711)' <<<"$allowed" || fail "allow: $allowed"
grep -q "^policyd-rdns: configuration $config (" "$temp/err" || fail "allow does not say which file it read: $(cat "$temp/err")"
[ "$(stat -c '%U %a' $exempt)" = "root 644" ] || fail "$exempt: $(stat -c '%U %a' $exempt)"
policyd-rdns configtest --rules -c $config >"$temp/rules" 2>"$temp/err" || fail "configtest: $(cat "$temp/err")"
grep -q 'client = "203.0.113.1"' "$temp/rules" || fail "the exemption is not in force: $(cat "$temp/rules")"
! grep -q '^warning' "$temp/err" || fail "configtest: $(cat "$temp/err")"
policyd-rdns allow --list 2>/dev/null | grep -q '^203.0.113.1 .*ticket 4711' || fail "allow --list"
! dpkg-query -W -f '${Conffiles}' policyd-rdns | grep -q exempt || fail "exempt.toml is a conffile"

note "upgrade: the packaged configuration has changed too"
successor 2
echo '# news' >>"$temp/root$config"
pack
install --force-confold -i "$next"
grep -q '^mode = "enforce"' $config || fail "the configuration was not kept"
[ "$(cat /var/log/policyd-rdns/decisions.log)" = kept ] || fail "the log was not kept"
[ -e /var/lib/policyd-rdns/history.sqlite ] || fail "the history was not kept"

note "upgrade: mistakes in the configuration"
echo 'nonsense = 1' | cat - $config >"$temp/config" && cp "$temp/config" $config
successor 3
pack
install --force-confold -i "$next"
not_called "restart"
running
grep -q "nonsense: unknown key" "$temp/dpkg" || fail "the mistake is not shown: $(cat "$temp/dpkg")"

grep -q 203.0.113.1 $exempt || fail "the exemptions were not kept"

note "logrotate"
sed 's/^\tdaily/\tsize 1/' /etc/logrotate.d/policyd-rdns >"$temp/logrotate"
: >"$calls"
logrotate --force --state "$temp/logrotate.state" "$temp/logrotate"
called "reload policyd-rdns.service"
[ -s /var/log/policyd-rdns/decisions.log.1 ] || fail "the log was not rotated"

note "remove"
install --remove policyd-rdns
called "stop policyd-rdns.service"
[ ! -e /usr/bin/policyd-rdns ] || fail "the program is still there"
[ -s $config ] && [ -s $exempt ] && [ -s /var/log/policyd-rdns/decisions.log.1 ] && [ -e /var/lib/policyd-rdns/history.sqlite ] ||
	fail "removing took configuration, exemptions, log or history"

note "purge"
install --purge policyd-rdns
[ "$(ls /etc/policyd-rdns)" = partners ] || fail "/etc/policyd-rdns has $(ls /etc/policyd-rdns)"
rm -r /etc/policyd-rdns
ours | diff "$temp/before" - || fail "something is left"
! dpkg-query -W policyd-rdns >/dev/null 2>&1 || fail "dpkg still knows it"
note "nothing is left"
