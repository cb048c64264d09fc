#!/bin/sh
# Puts the call before postgrey's, once: as root, in mail-in-a-box's folder, after each
# upgrade of it.
set -eu
call='check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }'
greylisting='check_policy_service inet:127.0.0.1:10023'
list=$(postconf -h smtpd_recipient_restrictions)
case $list in
*private/policyd-rdns*) exit ;;
*"$greylisting"*) list="${list%%"$greylisting"*}$call, $greylisting${list#*"$greylisting"}" ;;
*) list="$list, $call" ;;
esac
tools/editconf.py /etc/postfix/main.cf smtpd_recipient_restrictions="$list"
postfix reload
