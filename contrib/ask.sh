# shellcheck shell=bash
# What the tests of artefacts have in common, to be sourced.

# ask PORT: the answer of a daemon on the loopback about a client that the built-in rules
# reject without a lookup: its HELO is a bare address.
ask() {
	exec 3<>"/dev/tcp/127.0.0.1/$1"
	printf '%s\n' request=smtpd_access_policy protocol_state=RCPT protocol_name=ESMTP client_address=203.0.113.10 client_name=unknown \
		helo_name=203.0.113.10 sender=a@example.org recipient=b@example.com instance=1.2.3 "" >&3
	head -n 1 <&3
	exec 3>&-
}

# refuses_nobody PORT LOG: the daemon there decides to refuse, for now by a defer, and answers DUNNO.
refuses_nobody() {
	for _ in $(seq 100); do
		grep -q 'msg=listening' "$2" && break
		sleep 0.1
	done
	head -n 1 "$2" | grep -q 'observing: all is decided and logged, and nothing refused' || { echo "the log begins with: $(head -n 1 "$2")" >&2 && return 1; }
	answer=$(ask "$1")
	[ "$answer" = action=DUNNO ] || { echo "as it comes it answers $answer" >&2 && return 1; }
	for _ in $(seq 100); do
		grep -q 'decided=defer.*waiting=14400' "$2" && return
		sleep 0.1
	done
	echo "it did not decide to refuse: $(cat "$2")" >&2
	return 1
}
