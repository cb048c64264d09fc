package policy_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/internal/cases"
)

// selectors are the conditions of the exemptions of TestPrepared, some of which hold.
var selectors = []string{
	"client=192.0.2.0/24", "client=192.0.2.7,198.51.100.25", "client=private", "client=2001:db8:1::/48", "client=198.18.0.0/15 until=2027-01-01", "client=192.0.2.9 ptr=none",
	"ptr_name=.example.edu", "ptr_name=x.example.com,.example.edu", "ptr_name=b.example.com", "ptr_name=.example.edu fcrdns=pass",
	"helo_is=y", "helo_is=[203.0.113.11]", "sender=other@example.net", "sender=<>", "recipient=abuse@example.net", "recipient=postmaster@ until=2027-01-01",
}

// TestPrepared: whatever the rules, the request and what is known, a list that was prepared
// judges as one that was not.
func TestPrepared(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	passed, met := 0, 0
	for range 4000 {
		data := make(cases.Dice, 120)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		lines, client := data.Rules(), data.Client()
		if random.IntN(2) == 0 {
			client = cases.Queried(client, random)
		}
		var exempt []string
		for i := range 8 + random.IntN(8) {
			exempt = append(exempt, "exempt e"+fmt.Sprint(i)+": when "+selectors[random.IntN(len(selectors))])
		}
		lines = append(exempt, lines...)
		rules := rulesOf(t, strings.Join(lines, "; "))
		prepared := *rules
		prepared.Prepare()
		e, err := cases.Client(client)
		if err != nil {
			t.Fatalf("%s: %v", client, err)
		}
		want, got := rules.Judge(&e.Req, &e.Facts), prepared.Judge(&e.Req, &e.Facts)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: prepared %s; not prepared %s; the rules are\n%s", client, cases.Told(got), cases.Told(want), strings.Join(lines, "\n"))
		}
		if want.Exempt {
			met++
		} else {
			passed++
		}
	}
	if passed < 400 || met < 400 {
		t.Errorf("%d requests were exempt and %d were not: too few of either", met, passed)
	}
}

// BenchmarkExemptions is judging a client that none of so many exemptions is about.
func BenchmarkExemptions(b *testing.B) {
	e, err := cases.Client("203.0.113.10 mail.example.com>me helo:mail.example.com>me from:<a@example.com> to:b@example.net")
	if err != nil {
		b.Fatal(err)
	}
	e.Req.Time = time.Now()
	for _, kind := range []string{"client", "ptr_name", "sender"} {
		for _, n := range []int{1, 1000} {
			rules := policy.Rules{OnDoubt: policy.Defer}
			for i := range n {
				value := fmt.Sprintf("h%d.example.org", i)
				if kind == "client" {
					value = netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}).String()
				}
				entry, errs := policy.NewEntry(kind, []string{value}, []string{value})
				if len(errs) > 0 {
					b.Fatal(errs)
				}
				rules.List = append(rules.List, policy.Rule{Name: value, When: policy.Table{entry}, Action: policy.DUNNO, Exempt: true})
			}
			rules.List = append(rules.List, builtin.Rules()...)
			rules.Prepare()
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				for b.Loop() {
					rules.Judge(&e.Req, &e.Facts)
				}
			})
		}
	}
}
