package gather

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/resolver"
)

// warmDNS has all answers at hand, and nothing else.
type warmDNS struct {
	names []string
	addrs map[string][]netip.Addr
}

func (d *warmDNS) BeginPTR(context.Context, netip.Addr, resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	if d.names == nil {
		return resolver.Answer{Outcome: resolver.None, Cached: true}, nil
	}
	return resolver.Answer{Outcome: resolver.Found, Names: d.names, Cached: true}, nil
}

func (d *warmDNS) BeginAddrs(_ context.Context, _, name string, _ resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	addrs, ok := d.addrs[name]
	if !ok {
		return resolver.Answer{Outcome: resolver.None, Cached: true}, nil
	}
	return resolver.Answer{Outcome: resolver.Found, Addrs: addrs, Cached: true}, nil
}

func (d *warmDNS) Raise(string, string, resolver.Options) bool { return false }

func (d *warmDNS) Count(resolver.Kind, resolver.Outcome, resolver.Source) {}

func (d *warmDNS) Outage() bool { return false }

// TestJudgedTwice: a client whose answers are in the cache is judged twice at most, and
// once if the rules decide without the DNS.
func TestJudgedTwice(t *testing.T) {
	client := netip.MustParseAddr("203.0.113.10")
	dns := &warmDNS{
		names: []string{"mail.example.com", "other.example.com", "203-0-113-10.example.net"},
		addrs: map[string][]netip.Addr{"mail.example.com": {client}, "smtp.example.net": {client}},
	}
	nameless := &warmDNS{addrs: dns.addrs}
	tests := []struct {
		name string
		dns  DNS
		req  policy.Request
		want int
	}{
		{"HELO is its name", dns, policy.Request{HELO: "mail.example.com"}, 2},
		{"HELO is another name of its own", dns, policy.Request{HELO: "smtp.example.net"}, 2},
		{"HELO does not resolve", dns, policy.Request{HELO: "gone.example.net"}, 2},
		{"HELO is related", dns, policy.Request{HELO: "gone.example.com"}, 2},
		{"HELO is a literal", dns, policy.Request{HELO: "[192.0.2.1]"}, 2},
		{"no HELO", dns, policy.Request{}, 2},
		{"no name", nameless, policy.Request{HELO: "smtp.example.net"}, 2},
		{"logged in", dns, policy.Request{HELO: "smtp.example.net", Authenticated: true}, 1},
		{"HELO is a bare address", dns, policy.Request{HELO: "203.0.113.10"}, 1},
	}
	for _, tt := range tests {
		g := Gatherer{DNS: tt.dns, Deadline: time.Second}
		rules := policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()}
		tt.req.Client, tt.req.State, tt.req.Time = client, "RCPT", time.Now()
		var f policy.Facts
		in := new(inquiry)
		in.begin(&g, &tt.req, &rules, &f)
		var d policy.Decision
		if !in.run(t.Context(), &d) || in.judged != tt.want {
			t.Errorf("%s: judged %d times, undetermined: %v; want %d times and a decision", tt.name, in.judged, d.Undetermined, tt.want)
		}
	}
}
