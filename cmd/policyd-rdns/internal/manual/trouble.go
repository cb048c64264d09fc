package manual

// Trouble is one thing that may go wrong, and what the daemon does then.
type Trouble struct{ When, Then string }

// Troubles are what policyd-rdns(8) tells of. Each has a test that makes it happen.
func Troubles() []Trouble {
	return []Trouble{
		{"one zone fails or is silent", "What it would tell is a temperror, at the latest after server.deadline (5 s). The lookup goes on behind and fills the cache."},
		{"the servers fail or are slow", "Answers past their TTL are used (stale in the log). They may help a client, and never support a reject."},
		{
			"no DNS server answers at all",
			"Doubts become DUNNO (outage in the log). One WARN tells when it begins, and one when it ends, with how many decisions it touched. Forged ICMP makes no outage.",
		},
		{
			"more lookups than resolver.max_inflight",
			"The oldest ends for a new one; who finds no room all the same passes (overload in the log). A network or a zone that has as many under way as there is room left for others gets a temperror. HELO names have half of the room at most, and an eighth to themselves. One WARN names who holds most.",
		},
		{
			"more connections than server.max_connections",
			"The one that has been idle longest, for 10 s or more, gives way; else new ones wait, and a WARN says so. Without file descriptors they wait too.",
		},
		{"a request is unreadable, or not whole in 60 s", "One line names the peer, the connection is closed, and Postfix tries again."},
		{"the client has no address (unknown)", "The answer is DUNNO, and it is logged."},
		{"all clients have one address, or private ones", "One WARN, and the headline of the status page: Postfix does not see who they are, as behind the NAT of containers or a load balancer."},
		{
			"many nameless clients are in one IPv6 prefix, as a translator has",
			"One WARN: NAT64 or SIIT with a prefix of its own hides IPv4, which 64:ff9b::/96 would not (RFC 6052).",
		},
		{
			"the store of history is away, slow, full or damaged",
			"What is in memory counts; who may be known or exempt by what the store holds is deferred at most (unsure in the log). One WARN says so, and one line when it answers again. A damaged file is set aside.",
		},
		{"the daemon panics over a request", "That one is answered DUNNO, and logged with its stack. Over a connection: that one is closed."},
		{"the log cannot be written", "Decisions go on. Lines lost are counted, and told at once, each minute, and at the end."},
		{
			"the daemon is down",
			"Postfix takes default_action: DUNNO as below; without it, 451. With policyd-rdns.socket it waits first, for twice timeout= at most.",
		},
	}
}
