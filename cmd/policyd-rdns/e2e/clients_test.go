package e2e

import "slices"

// matrix is every client that is tried in each restriction list and over each
// kind of socket. Its addresses and names are those of
// testdata/world.zone.
func matrix() []mailClient {
	return slices.Concat(badlyNamed(), wellSetUp(), genericNames(), helos(), unclear(), hostile(), spared())
}

// goodName is the name of 203.0.113.20.
const goodName = "mail.example.org"

// What the rules under observation say of HELO names.
const (
	wouldNotOwn = "reject:HELO not its own"
)

// badlyNamed are clients without a name, or with one that does not resolve back.
func badlyNamed() []mailClient {
	return []mailClient{
		{addr: "203.0.113.10", helo: goodName, reply: "550 5.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "IPV6:2001:db8::10", helo: goodName, reply: "550 5.7.1 your server [2001:db8::10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "IPV6:::ffff:203.0.113.10", helo: goodName, reply: "550 5.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.15", helo: goodName, reply: "550 5.7.1 your server [203.0.113.15] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{
			addr: "203.0.113.11", helo: "mail.elsewhere.example", rule: "reverse name resolves elsewhere",
			reply: "550 5.7.1 the reverse DNS name mail.elsewhere.example of your server [203.0.113.11] resolves to 198.51.100.11, not to this address; PTR and address record have to match; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.12", helo: goodName, rule: "reverse name does not resolve",
			reply: "550 5.7.1 the reverse DNS name ip-203-0-113-12.provider.local of your server [203.0.113.12] does not resolve; give it an address record with this address; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.14", helo: "vps123.hosting.internal", rule: "reverse name does not resolve",
			reply: "550 5.7.1 the reverse DNS name vps123.hosting.internal of your server [203.0.113.14] does not resolve; give it an address record with this address; contact postmaster@example.com",
		},
		{ // Its name has an address, but not of the client's family.
			addr: "IPV6:2001:db8::11", helo: goodName, rule: "reverse name does not resolve",
			reply: "550 5.7.1 the reverse DNS name mail.example.org of your server [2001:db8::11] does not resolve; give it an address record with this address; contact postmaster@example.com",
		},
	}
}

// wellSetUp are clients that nothing is wrong with.
func wellSetUp() []mailClient {
	return []mailClient{
		{addr: "203.0.113.20", name: goodName, helo: goodName},
		{addr: "203.0.113.20", name: goodName, helo: "MAIL.Example.ORG."},
		{addr: "IPV6:2001:db8::20", name: "mail6.example.org", helo: "mail6.example.org"},
		{addr: "203.0.113.22", name: "back.several.example", helo: "back.several.example"},
		{addr: "203.0.113.23", name: "mail23.example.org", helo: "mail23.example.org"},
		{addr: "203.0.113.24", name: "mail24.example.org", helo: "mail24.example.org"},
		{addr: "203.0.113.28", name: "back.long.example", helo: "back.long.example"}, // more names than fit into UDP
		{addr: "203.0.113.25", name: "alias.example.net", helo: "alias.example.net"},
	}
}

// genericNames are clients whose confirmed name was made from their address.
func genericNames() []mailClient {
	return []mailClient{
		{
			addr: "203.0.113.13", name: "ip-203-0-113-13.provider.example", helo: "mail.example.net", rule: "generic name, foreign HELO",
			reply: "550 5.7.1 your server [203.0.113.13] has the generic reverse DNS name ip-203-0-113-13.provider.example, and its HELO mail.example.net does not resolve to it; give it a name of its own; contact postmaster@example.com",
		},
		{addr: "203.0.113.13", name: "ip-203-0-113-13.provider.example", helo: "ubuntu", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.13] is new here, and its HELO ubuntu is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "203.0.113.13", name: "ip-203-0-113-13.provider.example", helo: "ip-203-0-113-13.provider.example", rule: "generic name and HELO", reply: "450 4.7.1 your server [203.0.113.13] is new here, and its reverse DNS name ip-203-0-113-13.provider.example and HELO ip-203-0-113-13.provider.example look generic; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "IPV6:2001:db8::13", name: "20010db8000000000000000000000013.provider.example", helo: "20010db8000000000000000000000013.provider.example", rule: "generic name and HELO", reply: "450 4.7.1 your server [2001:db8::13] is new here, and its reverse DNS name 20010db8000000000000000000000013.provider.example and HELO 20010db8000000000000000000000013.provider.example look generic; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
	}
}

// helos are those of clients that are well set up otherwise, mostly.
func helos() []mailClient {
	return []mailClient{
		{addr: "203.0.113.20", name: goodName, helo: "mx.example.com", reply: "550 5.7.1 your server [203.0.113.20] says mx.example.com in HELO, which is ours; have it say its own host name; contact postmaster@example.com", rule: "HELO is our name"},
		{addr: "203.0.113.20", name: goodName, helo: "[203.0.113.1]", reply: "550 5.7.1 your server [203.0.113.20] says [203.0.113.1] in HELO, which is ours; have it say its own host name; contact postmaster@example.com", rule: "HELO is our name"},
		{addr: "203.0.113.20", name: goodName, helo: "203.0.113.20", reply: "550 5.7.1 your server [203.0.113.20] says 203.0.113.20 in HELO, which is an address; have it say its own host name; contact postmaster@example.com", rule: "HELO is a bare address"},
		{addr: "203.0.113.20", name: goodName, helo: "[203.0.113.20]"},
		{addr: "203.0.113.20", name: goodName, helo: "[198.51.100.7]", would: "reject:HELO is another address, proper name," + wouldNotOwn},
		{addr: "203.0.113.11", helo: "[198.51.100.7]", reply: "550 5.7.1 your server [203.0.113.11] says [198.51.100.7] in HELO, which is another address; have it say its own host name; contact postmaster@example.com", rule: "HELO is another address"},
		{addr: "IPV6:2001:db8::20", name: "mail6.example.org", helo: "[IPv6:2001:DB8:0::20]"},
		{addr: "IPV6:2001:db8::10", helo: "[IPv6:2001:db8::20]", reply: "550 5.7.1 your server [2001:db8::10] says [IPv6:2001:db8::20] in HELO, which is another address; have it say its own host name; contact postmaster@example.com", rule: "HELO is another address"},
		{addr: "IPV6:2001:db8::20", name: "mail6.example.org", helo: "[2001:db8::20]", rule: "HELO is no host name", reply: "450 4.7.1 your server [2001:db8::20] is new here, and its HELO [2001:db8::20] is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"}, // no tag: malformed
		{addr: "203.0.113.20", name: goodName, helo: "localhost", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO localhost is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "203.0.113.20", name: goodName, helo: "localhost.localdomain", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO localhost.localdomain is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "203.0.113.20", name: goodName, helo: "ubuntu", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO ubuntu is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "203.0.113.20", name: goodName, helo: "-mail..example.org", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO -mail..example.org is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{addr: "203.0.113.20", name: goodName, helo: "mail.example.net", would: wouldNotOwn},
		{addr: "203.0.113.20", name: goodName, helo: "nowhere.example.net", would: wouldNotOwn},
		{addr: "203.0.113.20", name: goodName, helo: "smtp.example.org"}, // related
		{addr: "203.0.113.20", name: goodName, helo: ""},
	}
}

// unclear are clients of whom the DNS cannot say enough.
func unclear() []mailClient {
	return []mailClient{
		{
			addr: "203.0.113.50", helo: goodName, rule: "no reverse name",
			reply: "450 4.7.1 temporary DNS failure: the names of your server [203.0.113.50] could not be looked up; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.51", helo: goodName, rule: "reverse name does not resolve",
			reply: "450 4.7.1 temporary DNS failure: the names of your server [203.0.113.51] could not be looked up; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.13", name: "ip-203-0-113-13.provider.example", helo: "mail.broken.example", rule: "generic name, foreign HELO",
			reply: "450 4.7.1 temporary DNS failure: the names of your server [203.0.113.13] could not be looked up; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
		{ // More names than are tried.
			addr: "203.0.113.26", helo: "n05.many.example", rule: "reverse name resolves elsewhere",
			reply: "450 4.7.1 temporary DNS failure: the names of your server [203.0.113.26] could not be looked up; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.27", helo: goodName, rule: "no reverse name",
			reply: "450 4.7.1 temporary DNS failure: the names of your server [203.0.113.27] could not be looked up; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
		{addr: "203.0.113.52", name: "mail52.example.net", helo: "mail52.example.net"},                       // its other name is broken
		{addr: "203.0.113.20", name: goodName, helo: "mail.broken.example", would: "defer:HELO not its own"}, // could not have been rejected
	}
}

// hostile are clients with names and HELO names that would end this reply and
// begin another (trap 8). Among them are clients that must get their own answer.
func hostile() []mailClient {
	return []mailClient{
		{addr: "203.0.113.60", helo: goodName, reply: "550 5.7.1 your server [203.0.113.60] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.10", helo: goodName, reply: "550 5.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.61", helo: goodName, reply: "550 5.7.1 your server [203.0.113.61] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.62", helo: goodName, reply: "550 5.7.1 your server [203.0.113.62] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.64", helo: goodName, reply: "550 5.7.1 your server [203.0.113.64] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", rule: "no reverse name"},
		{addr: "203.0.113.63", name: "good.evil.example", helo: "good.evil.example"}, // its other name is no host name
		{addr: "203.0.113.20", name: goodName, more: "HELO=a+0A+0Aaction=OK+0A+0A", seen: "a??action=OK??", rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.20] is new here, and its HELO a??action=OK?? is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com"},
		{
			addr: "203.0.113.13", name: "ip-203-0-113-13.provider.example", helo: "a\x1b[31m\u00e9 \"b\"", seen: "a?[31m\u00e9??b?",
			rule: "HELO is no host name", reply: "450 4.7.1 your server [203.0.113.13] is new here, and its HELO a?[31m???b? is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com",
		},
	}
}

// spared are clients whom the rules let pass without a question.
func spared() []mailClient {
	return []mailClient{
		{addr: "203.0.113.10", helo: goodName, more: "LOGIN=user", rule: "logged in"},
		{addr: "203.0.113.10", helo: goodName, rcpt: "postmaster@example.com", rule: "postmaster"},
		{addr: "203.0.113.10", helo: goodName, rcpt: "Abuse@Example.COM", rule: "postmaster"},
		{addr: "203.0.113.10", helo: goodName, rcpt: "postmaster", unasked: true},
		{addr: "10.1.2.3", helo: "localhost", rule: "own client"},
		{helo: "localhost", rule: "own client"},
		{addr: "[UNAVAILABLE]", helo: goodName},
	}
}
