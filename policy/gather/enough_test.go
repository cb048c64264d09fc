package gather_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/internal/cases"
)

// A client without an address is not asked about, even for a complete picture.
func TestGatherNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := policy.Rules{List: builtin.Rules()}
		dns := newFakeDNS(t, nil)
		g := gather.Gatherer{DNS: dns, Deadline: time.Second, Complete: true}
		g.Decide(t.Context(), &policy.Request{ClientText: "unknown", HELO: "mail.example.com"}, &rules, new(policy.Facts))
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
			data := make(cases.Dice, 120)
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			rules := policy.Rules{OnDoubt: policy.Defer}
			lines := data.Rules()
			for _, line := range lines {
				if err := cases.Setting(&rules, line); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
			client := cases.Queried(data.Client(), random)
			e, err := cases.Client(client)
			if err != nil {
				t.Fatal(err)
			}
			gather := func(complete bool) policy.Decision {
				g := gather.Gatherer{DNS: newFakeDNS(t, dnsOf(client)), Deadline: 5 * time.Second, Complete: complete}
				return g.Decide(t.Context(), &e.Req, &rules, new(policy.Facts))
			}
			few, all := gather(false), gather(true)
			if !cases.Alike(few, all) || few.Undetermined {
				t.Errorf("%s: %s; with all questions asked %s; the rules are\n%s", client, cases.Told(few), cases.Told(all), strings.Join(lines, "\n"))
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
		name, to, forwards := strings.Cut(w, ">")
		name, _, _ = strings.Cut(name, "~")
		switch name, greets := strings.CutPrefix(name, "helo:"); {
		case strings.HasPrefix(w, "from:"):
		case strings.HasPrefix(w, "ptr:"):
			ptr = strings.TrimPrefix(w, "ptr:")
		case w == "more":
			ptr += " and more"
		case forwards:
			lines = append(lines, network+name+" = "+strings.NewReplacer("me", words[0], "+", " ").Replace(to))
			if !greets {
				ptr = strings.TrimSpace(name + " " + ptr)
			}
		}
	}
	return append(lines, "PTR "+words[0]+" = "+ptr)
}
