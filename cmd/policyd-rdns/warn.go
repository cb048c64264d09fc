package main

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy"
)

// warn notes what is allowed and probably not meant.
func (c *config) warn(r *reader) {
	for i, address := range c.server.listen {
		ap, err := netip.ParseAddrPort(address)
		if err == nil && !ap.Addr().IsLoopback() {
			r.doubtful("server.listen["+itoa(i)+"]", "server.listen = %q: not on the loopback: whoever reaches the port can ask, and nothing is encrypted", address)
		}
	}
	if host, _, err := net.SplitHostPort(c.http.listen); err == nil && !isLoopback(host) {
		r.doubtful("http.listen", "http.listen = %q: not on the loopback: whoever reaches the port reads who sends mail to whom, and nothing is encrypted", c.http.listen)
	}
	if c.resolver.timeout >= c.server.deadline {
		r.doubtful("resolver.timeout", "resolver.timeout = %q: not below server.deadline (%q), so that no second try is made", c.resolver.timeout, c.server.deadline)
	}
	refuses := false
	for i := range c.rules.List {
		rule := &c.rules.List[i]
		refuses = refuses || rule.Action != policy.DUNNO && !rule.Observe
		c.warnRule(r, i)
	}
	if !refuses {
		r.doubtful("rule", "no rule rejects or defers, so that all clients pass; default_rules = true lets the built-in rules follow")
	}
	c.warnings = r.warnings
}

// isLoopback says that a host is this one, seen by nobody else.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (c *config) warnRule(r *reader, i int) {
	rule := &c.rules.List[i]
	at := "rule[" + itoa(i) + "]"
	if rule.Action.Permanent() {
		for _, e := range rule.When {
			if slices.Contains(e.Written, "temperror") {
				r.doubtful(at+".when."+e.Key, "rule[%d] %q: when.%s lists temperror: a doubt is never rejected, so that this becomes a defer", i+1, rule.Name, e.Key)
			}
		}
		for n, except := range rule.Unless {
			if key := claim(except); key != "" {
				r.doubtful(at+".unless["+itoa(n)+"]."+key, "rule[%d] %q: unless.%s alone exempts: anyone may claim it", i+1, rule.Name, key)
			}
			warnExpired(r, rule, i, except)
		}
	}
	if rule.Action == policy.DUNNO && !rule.Observe {
		if key := claim(rule.When); key != "" {
			r.doubtful(at+".when."+key, "rule[%d] %q: when.%s alone exempts: anyone may claim it", i+1, rule.Name, key)
		}
	}
}

// warnExpired notes an exemption whose date is over.
func warnExpired(r *reader, rule *policy.Rule, i int, except policy.Table) {
	for _, e := range except {
		if e.Key != "until" || len(e.Written) != 1 {
			continue
		}
		if day, err := time.Parse(time.DateOnly, e.Written[0]); err == nil && time.Now().After(day.AddDate(0, 0, 1)) {
			r.doubtful("rule["+itoa(i)+"].unless", "rule[%d] %q: an exemption ended on %s", i+1, rule.Name, e.Written[0])
		}
	}
}

// claim gives the key of a table that rests on nothing but what the client
// says of itself.
func claim(t policy.Table) string {
	key := ""
	for i := range t {
		switch t[i].Standing() {
		case policy.Claimed:
			key = t[i].Key
		case policy.Proven:
			return ""
		}
	}
	return key
}
