package policy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
)

// Where the rules decide all the same, no question is sent.
func TestGatherAsksNothing(t *testing.T) {
	cases := []gatherCase{
		{name: "logged in", client: "203.0.113.10 auth helo:mail.example.com", want: "dunno (logged in)"},
		{name: "loopback", client: "127.0.0.1 helo:mail.example.com", want: "dunno (own client)"},
		{name: "this host", client: "203.0.113.25 helo:mx.example.org", facts: "own_client own_helo", want: "dunno (own client)"},
		{name: "postmaster", client: "203.0.113.10 helo:mail.example.com to:postmaster@example.org", want: "dunno (postmaster)"},
		{name: "localhost", client: "203.0.113.10 helo:localhost.localdomain", want: "reject (greets with our name)"},
		{name: "bare address", client: "203.0.113.10 helo:203.0.113.10", want: "reject (greets with a bare address)"},
		{name: "no rules", rules: []string{"with on_doubt:dunno"}, client: "203.0.113.10 helo:mail.example.com", want: "dunno"},
		{
			name: "nothing of the DNS in the rules", rules: []string{"rule a: reject when sender=example.com"},
			client: "203.0.113.10 helo:mail.example.com", want: "dunno",
		},
		{
			name: "not in the share", rules: []string{"rule a: reject 1% when ptr=none"},
			client: "203.0.113.10 helo:mail.example.com", want: "dunno",
		},
	}
	runGather(t, cases, false)
}

func TestGatherQuestions(t *testing.T) {
	const me = "PTR 203.0.113.10 = "
	var many, manyAsked []string
	for i := range 12 {
		many = append(many, fmt.Sprintf("n%02d.example.net", i))
	}
	dns := []string{me + strings.Join(many, " ")}
	for i, name := range many {
		dns = append(dns, "A "+name+" = none")
		if i < 9 {
			manyAsked = append(manyAsked, "1s A "+name)
		}
	}
	cases := []gatherCase{
		{
			name: "PTR and HELO at once, then the names at once",
			dns: []string{
				me + "a.example.com b.example.com", "A smtp.example.net = none",
				"A a.example.com = none", "A b.example.com = 203.0.113.10 198.51.100.7",
			},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10, 1s A a.example.com, 1s A b.example.com",
			facts:  "a.example.com>none b.example.com>me+198.51.100.7 helo:smtp.example.net>none",
			want:   "dunno, would reject (greeting not its own)", took: 2 * time.Second,
		},
		{
			name:   "two in all when HELO is the name",
			dns:    []string{me + "mail.example.com", "A mail.example.com = 203.0.113.10"},
			client: "203.0.113.10 helo:Mail.Example.Com.",
			asked:  "0s A mail.example.com, 0s PTR 203.0.113.10",
			facts:  "mail.example.com>me helo:mail.example.com>me",
			want:   "dunno", took: time.Second,
		},
		{
			name:   "IPv6: AAAA only",
			dns:    []string{"PTR 2001:db8::25 = mail.example.com", "AAAA mail.example.com = 2001:db8::25", "AAAA smtp.example.com = none"},
			client: "2001:db8::25 helo:smtp.example.com",
			asked:  "0s AAAA smtp.example.com, 0s PTR 2001:db8::25, 1s AAAA mail.example.com",
			facts:  "mail.example.com>me helo:smtp.example.com>none",
			want:   "dunno", took: 2 * time.Second,
		},
		{
			name:   "at most ten names, HELO's first",
			dns:    dns,
			client: "203.0.113.10 helo:n11.example.net",
			asked:  "0s A n11.example.net, 0s PTR 203.0.113.10, " + strings.Join(manyAsked, ", "),
			facts:  "n11.example.net>none " + strings.Join(many[:9], ">none ") + ">none more helo:n11.example.net>none",
			want:   "defer (reverse name not confirmed), downgraded", took: 2 * time.Second,
		},
		{
			name:   "none that the rules do not need: no name",
			dns:    []string{me + "none", "A smtp.example.net = none"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10",
			facts:  "ptr:none helo:smtp.example.net>none",
			want:   "reject (no reverse name)", took: time.Second,
		},
		{
			name: "only PTR", rules: []string{"rule a: reject when ptr=none"},
			dns:    []string{me + "mail.example.com"},
			client: "203.0.113.10 helo:mail.example.com",
			asked:  "0s PTR 203.0.113.10",
			facts:  "mail.example.com>?",
			want:   "dunno", took: time.Second,
		},
		{
			name: "no greeting", rules: []string{"rule a: reject when fcrdns=mismatch,unresolved"},
			dns:    []string{me + "mail.example.com", "A mail.example.com = 203.0.113.10"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s PTR 203.0.113.10, 1s A mail.example.com",
			facts:  "mail.example.com>me",
			want:   "dunno", took: 2 * time.Second,
		},
		{
			name: "the greeting for an exemption", rules: []string{"rule a: reject when ptr=none unless helo=match"},
			dns:    []string{me + "none", "A smtp.example.net = 203.0.113.10"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10",
			facts:  "ptr:none helo:smtp.example.net>me",
			want:   "dunno", took: time.Second,
		},
		{
			name:   "greetings that lead nowhere are not asked",
			dns:    []string{me + "mail.example.com", "A mail.example.com = 203.0.113.10"},
			client: "203.0.113.10 helo:ubuntu",
			asked:  "0s PTR 203.0.113.10, 1s A mail.example.com",
			facts:  "mail.example.com>me",
			want:   "dunno, would reject (greeting is no host name), would reject (greeting not its own)", took: 2 * time.Second,
		},
		{
			name: "localhost.localdomain of our own", rules: []string{"rule a: reject when helo=own"},
			dns:    []string{"PTR 127.0.0.1 = none", "A localhost.localdomain = 127.0.0.1"},
			client: "127.0.0.1 helo:localhost.localdomain",
			asked:  "0s A localhost.localdomain, 0s PTR 127.0.0.1",
			facts:  "ptr:none helo:localhost.localdomain>me",
			want:   "dunno", took: time.Second,
		},
		{
			name:   "malformed names are not asked, nor kept beside others",
			dns:    []string{me + `localhost mail.example.com 203.0.113.10 a\032b.example.com`, "A mail.example.com = 203.0.113.10"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10, 1s A mail.example.com",
			facts:  "mail.example.com>me",
			want:   "dunno", took: 2 * time.Second,
		},
		{
			name:   "malformed names alone",
			dns:    []string{me + `localhost . a\032b.example.com`},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  `localhost>? .>? a\032b.example.com>?`,
			want:   "reject (no reverse name)", took: time.Second,
		},
		{
			name:   "a single label as greeting is no name",
			dns:    []string{me + "localhost"},
			client: "203.0.113.10 helo:ubuntu",
			asked:  "0s PTR 203.0.113.10",
			facts:  "localhost>?",
			want:   "reject (no reverse name)", took: time.Second,
		},
		{
			name:   "more names than the resolver keeps, one of them ours to try",
			dns:    []string{me + "a.example.com and more", "A a.example.com = none"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10, 1s A a.example.com",
			facts:  "a.example.com>none more",
			want:   "defer (reverse name not confirmed), downgraded", took: 2 * time.Second,
		},
		{
			name:   "more names than the resolver keeps, none well-formed",
			dns:    []string{me + "localhost and more"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "ptr:temperror (203.0.113.10: more than 100 names, the first of them malformed)",
			want:   "defer (no reverse name), downgraded", took: time.Second,
		},
	}
	runGather(t, cases, false)
}

func TestGatherAddresses(t *testing.T) {
	var addrs []string
	for i := range 12 {
		addrs = append(addrs, fmt.Sprintf("198.51.100.%d", i))
	}
	many := strings.Join(addrs, " ")
	seven := strings.Join(addrs[:7], "+")
	rules := []string{"rule a: reject when fcrdns=mismatch"}
	asked := "0s PTR 203.0.113.10, 1s A a.example.com"
	const ptr = "PTR 203.0.113.10 = a.example.com"
	cases := []gatherCase{
		{
			name: "the client's own is among those that are kept", rules: rules,
			dns: []string{ptr, "A a.example.com = " + many + " 203.0.113.10"}, client: "203.0.113.10", asked: asked,
			facts: "a.example.com>me+" + seven, want: "dunno", took: 2 * time.Second,
		},
		{
			name: "eight are kept", rules: rules,
			dns: []string{ptr, "A a.example.com = " + many}, client: "203.0.113.10", asked: asked,
			facts: "a.example.com>" + seven + "+198.51.100.7", want: "reject (a)", took: 2 * time.Second,
		},
		{
			// The client's may be among those that the resolver did not keep.
			name: "more than the resolver keeps", rules: rules,
			dns: []string{ptr, "A a.example.com = " + many + " and more"}, client: "203.0.113.10", asked: asked,
			facts: "a.example.com>temperror (a.example.com: more than 100 addresses)",
			want:  "defer (a), downgraded", took: 2 * time.Second,
		},
		{
			name: "more, with the client's", rules: rules,
			dns: []string{ptr, "A a.example.com = " + many + " 203.0.113.10 and more"}, client: "203.0.113.10", asked: asked,
			facts: "a.example.com>me+" + seven, want: "dunno", took: 2 * time.Second,
		},
		{
			name: "more than the resolver keeps of a greeting that is the name", rules: []string{"rule a: reject when helo=mismatch"},
			dns: []string{ptr, "A a.example.com = " + many + " and more"}, client: "203.0.113.10 helo:a.example.com",
			asked: "0s A a.example.com, 0s PTR 203.0.113.10",
			facts: "a.example.com>temperror helo:a.example.com>temperror (a.example.com: more than 100 addresses)",
			want:  "defer (a), downgraded", took: time.Second,
		},
	}
	runGather(t, cases, false)
}

// With Complete every question is asked, whatever the rules.
func TestGatherComplete(t *testing.T) {
	dns := []string{"PTR 203.0.113.10 = mail.example.com", "A mail.example.com = 203.0.113.10", "A smtp.example.net = none"}
	cases := []gatherCase{
		{
			name: "rules that decide", dns: dns, client: "203.0.113.10 auth helo:smtp.example.net",
			asked: "0s A smtp.example.net, 0s PTR 203.0.113.10, 1s A mail.example.com",
			facts: "mail.example.com>me helo:smtp.example.net>none",
			want:  "dunno (logged in)", took: 2 * time.Second,
		},
		{
			name: "no rules", rules: []string{"with on_doubt:dunno"}, dns: dns, client: "203.0.113.10 helo:smtp.example.net",
			asked: "0s A smtp.example.net, 0s PTR 203.0.113.10, 1s A mail.example.com",
			facts: "mail.example.com>me helo:smtp.example.net>none",
			want:  "dunno", took: 2 * time.Second,
		},
		{
			name: "but localhost", dns: dns, client: "203.0.113.10 helo:localhost.localdomain",
			asked: "0s PTR 203.0.113.10, 1s A mail.example.com",
			facts: "mail.example.com>me",
			want:  "reject (greets with our name)", took: 2 * time.Second,
		},
	}
	runGather(t, cases, true)
}

// A client without an address is not asked about, even for a complete picture.
func TestGatherNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := policy.Rules{List: policy.Builtin()}
		dns := newFakeDNS(t, nil)
		g := policy.Gatherer{DNS: dns, Deadline: time.Second, Complete: true}
		g.Gather(t.Context(), &policy.Request{ClientText: "unknown", HELO: "mail.example.com"}, &rules)
		if got := dns.questions(); got != "" {
			t.Errorf("asked %s about a client without an address", got)
		}
	})
}

// TestGatherEnough: whatever the rules and the DNS, what was not asked would
// not have changed the decision, and nothing is open in the end.
func TestGatherEnough(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	synctest.Test(t, func(t *testing.T) {
		for range 300 {
			data := make(dice, 120)
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			rules := policy.Rules{OnDoubt: policy.Defer}
			lines := data.rules()
			for _, line := range lines {
				if err := readSetting(&rules, line); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
			client := asked(data.client(), random)
			e, err := readEvidence(client)
			if err != nil {
				t.Fatal(err)
			}
			gather := func(complete bool) policy.Decision {
				g := policy.Gatherer{DNS: newFakeDNS(t, dnsOf(client)), Deadline: 5 * time.Second, Complete: complete}
				facts := g.Gather(t.Context(), &e.req, &rules)
				return rules.Judge(&e.req, &facts)
			}
			few, all := gather(false), gather(true)
			if told(few) != told(all) || few.Open {
				t.Errorf("%s: %s; with all questions asked %s; the rules are\n%s", client, told(few), told(all), strings.Join(lines, "\n"))
			}
		}
	})
}

// dnsOf is what the DNS says where a client is as the left side of a case.
func dnsOf(client string) []string {
	words := strings.Fields(client)
	network := "A "
	if strings.Contains(words[0], ":") {
		network = "AAAA "
	}
	var lines []string
	ptr := ""
	for _, w := range words[1:] {
		name, to, leads := strings.Cut(w, ">")
		name, _, _ = strings.Cut(name, "~")
		switch name, greets := strings.CutPrefix(name, "helo:"); {
		case strings.HasPrefix(w, "from:"):
		case strings.HasPrefix(w, "ptr:"):
			ptr = strings.TrimPrefix(w, "ptr:")
		case w == "more":
			ptr += " and more"
		case leads:
			lines = append(lines, network+name+" = "+strings.ReplaceAll(to, "me", words[0]))
			if !greets {
				ptr = strings.TrimSpace(name + " " + ptr)
			}
		}
	}
	return append(lines, "PTR "+words[0]+" = "+ptr)
}
