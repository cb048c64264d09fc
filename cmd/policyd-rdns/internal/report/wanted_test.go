package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// again is a try at each of some hours.
func again(y try, hours ...float64) []try {
	var all []try
	for _, h := range hours {
		y.at = time.Duration(h * float64(time.Hour))
		all = append(all, y)
	}
	return all
}

// daily are messages to n recipients, one each day.
func daily(y try, n int) []try {
	var all []try
	for i := range n {
		y.at = time.Duration(i) * 25 * time.Hour
		y.recipient = fmt.Sprintf("user%d@example.com", i)
		all = append(all, y)
	}
	return all
}

// wantedTest is what some clients do, and the points that they are given for it;
// nil: they are not listed.
type wantedTest struct {
	name  string
	rules *policy.Rules // nil: the built-in ones
	tries []try
	want  []int
}

// deferring are rules that defer who has no confirmed name.
func deferring(t *testing.T) *policy.Rules {
	rules := builtinRules()
	rules.List = slices.Insert(rules.List, 3, rule(t, "try later", policy.Defer, "fcrdns", "none"))
	return rules
}

// decentClients look like real senders, more or less.
func decentClients(t *testing.T) []wantedTest {
	deferring := deferring(t)
	return []wantedTest{
		{"confirmed name in the sender's domain", nil, again(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "mx.example.com", sender: "a@example.org"}, 0), nil}, // HELO is our name: 40-40
		{"the same with a bare address", nil, again(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "203.0.113.10", sender: "a@lists.example.org"}, 0), []int{40}},
		{"HELO in the sender's domain", nil, again(try{client: "203.0.113.10", helo: "mail.example.org=", sender: "a@example.org"}, 0), []int{40}},
		{"HELO of its own, on its own", nil, again(try{client: "203.0.113.10", helo: "mail.example.net=", sender: "a@example.org"}, 0), nil},
		{"and many recipients", nil, daily(try{client: "203.0.113.10", helo: "mail.example.net=", sender: "a@example.org"}, 6), []int{20, 15}},
		{"and retries", deferring, again(try{client: "203.0.113.10", helo: "mail.example.net=", sender: "a@example.org"}, 0, 0.5, 1.5, 4), []int{20, 15}},
		{"claims, on their own", nil, again(try{client: "203.0.113.10", ptr: "mail.example.org?", helo: "mail.example.org", sender: "a@example.org"}, 0), nil},
		{"claims and many recipients", nil, daily(try{client: "203.0.113.10", ptr: "mail.example.org?", helo: "mail.example.org", sender: "a@example.org"}, 5), []int{15, 15}},
		{"always the same", nil, daily(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "server.local", sender: "a@example.org"}, 5), []int{15, 15}},
		{"accepted in the end", nil, slices.Concat(
			again(try{client: "203.0.113.10", helo: "mail.example.org=", sender: "a@example.org"}, 0),
			again(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "mail.example.org=", sender: "a@example.org"}, 1, 2),
		), []int{40, 20, 10}},
		{"accepted from its network", nil, slices.Concat(
			again(try{client: "203.0.113.10", helo: "out1.example.org=", sender: "a@example.org"}, 0),
			again(try{client: "203.0.113.11", ptr: "out2.example.org", helo: "out2.example.org=", sender: "a@example.org"}, 1),
		), []int{40, 20}},
	}
}

// hostileClients take pains to look like real senders.
func hostileClients(t *testing.T) []wantedTest {
	deferring := deferring(t)
	return []wantedTest{
		{"forged sender of a large provider", nil, daily(try{client: "203.0.113.10", helo: "mail.example.org", sender: "a@example.org"}, 2), nil},
		{
			"dial-up that forges its provider's customers", nil,
			daily(try{client: "203.0.113.10", ptr: "203-0-113-10.dyn.provider.example", helo: "203.0.113.10", sender: "a@provider.example"}, 9), nil,
		},
		{
			"the same that says HELO that name", deferring,
			daily(try{client: "203.0.113.10", ptr: "203-0-113-10.dyn.provider.example", helo: "203-0-113-10.dyn.provider.example=", sender: "a@provider.example"}, 9), nil,
		},
		{"botnet that forges one domain", nil, slices.Concat(
			daily(try{client: "203.0.113.10", helo: "mail.example.org", sender: "a@example.org"}, 9),
			daily(try{client: "198.51.100.10", helo: "mail.example.org", sender: "a@example.org"}, 9),
		), nil},
		{"botnet that retries as a queue does", deferring, slices.Concat(
			again(try{client: "203.0.113.10", helo: "pc-1", sender: "a@example.org"}, 0, 0.5, 1.5, 4, 30, 60),
			again(try{client: "203.0.113.11", helo: "pc-2", sender: "a@example.org"}, 0, 0.5, 1.5, 4, 30, 60),
			daily(try{client: "203.0.113.11", helo: "pc-2", sender: "b@example.org"}, 6),
		), nil},
		{"bot that is somebody else each time", nil, slices.Concat(
			daily(try{client: "203.0.113.10", helo: "one", sender: "a@one.example"}, 3),
			daily(try{client: "203.0.113.10", helo: "two", sender: "a@two.example"}, 3),
			daily(try{client: "203.0.113.10", helo: "three", sender: "a@three.example"}, 3),
		), nil},
		{"own address in many domains", nil, slices.Concat(
			daily(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@one.example"}, 5),
			again(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@two.example"}, 1),
			again(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@three.example"}, 1),
			again(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@four.example"}, 1),
			again(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@five.example"}, 1),
			again(try{client: "203.0.113.10", helo: "host.example.net=", sender: "a@six.example"}, 1),
		), nil},
		{"one lucky guess among many senders", nil, slices.Concat(
			again(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "203.0.113.10", sender: "a@example.org"}, 1),
			daily(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "203.0.113.10", sender: "a@example.com"}, 5),
		), nil},
		{
			"meant", &policy.Rules{List: []policy.Rule{rule(t, "not these", policy.Reject, "ptr_name", ".example.org")}},
			daily(try{client: "203.0.113.10", ptr: "mail.example.org", helo: "mail.example.org=", sender: "a@example.org"}, 5), nil,
		},
	}
}

// TestWanted holds the points of clients to what they do.
func TestWanted(t *testing.T) {
	for _, test := range slices.Concat(decentClients(t), hostileClients(t)) {
		rules := test.rules
		if rules == nil {
			rules = builtinRules()
		}
		slices.SortStableFunc(test.tries, func(a, b try) int { return int(a.at - b.at) })
		list := read(t, logOf(t, rules, test.tries), rules).Wanted.List
		var got []int
		for _, w := range list {
			for _, e := range w.Evidence {
				got = append(got, e.Points)
			}
			if w.Paste == "" || len(w.Allow) == 0 {
				t.Errorf("%s: nothing to paste for %s", test.name, w.Client)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: points %v; want %v", test.name, got, test.want)
		}
	}
}

// TestUnsure: of whom it cannot be told is listed apart, with what the checks said.
func TestUnsure(t *testing.T) {
	elsewhere := try{client: "203.0.113.10", ptr: "mail.example.org?", helo: "mail.example.org", sender: "a@example.org"}
	beside := elsewhere
	beside.beside = true
	tests := []struct {
		name    string
		tries   []try
		points  []int
		against string
	}{
		{"claims that lead elsewhere", again(elsewhere, 0), []int{15}, "name resolves to 192.0.2.99"},
		{"to a neighbour", again(beside, 0), []int{25}, "name resolves to 203.0.113.99"},
		{"a neighbour's name of another domain", again(try{client: "203.0.113.10", ptr: "mail.example.net?", beside: true, helo: "mail.example.org", sender: "a@example.org"}, 0), nil, ""},
		{"a rented host", again(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "mail.example.org", sender: "a@example.org"}, 0), []int{10}, "generic name"},
		{"who lies in HELO of one sender in three", slices.Concat(
			again(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "mail.example.org", sender: "a@example.org"}, 0),
			again(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "mail.example.org", sender: "a@one.example"}, 1),
			again(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "mail.example.org", sender: "a@two.example"}, 2),
		), nil, ""},
		{"no PTR, and a HELO of its own", again(try{client: "203.0.113.10", helo: "mail.example.net=", sender: "a@example.org"}, 0), []int{20}, "no reverse name"},
		{"a dial-up that says HELO anything", again(try{client: "203.0.113.10", ptr: "203-0-113-10.provider.example", helo: "pc", sender: "a@example.org"}, 0), nil, ""},
	}
	for _, test := range tests {
		w := read(t, logOf(t, builtinRules(), test.tries), builtinRules()).Wanted
		var got []int
		for _, one := range w.Unsure {
			for _, e := range one.Evidence {
				got = append(got, e.Points)
			}
			if all := strings.Join(one.Against, "; "); !strings.Contains(all, test.against) || one.Paste == "" || len(one.Allow) != 1 {
				t.Errorf("%s: against it: %s; %q, %q; want %s, a command and an exemption", test.name, all, one.Allow, one.Paste, test.against)
			}
		}
		if !slices.Equal(got, test.points) || len(w.List) > 0 {
			t.Errorf("%s: points %v, probably wanted %v; want %v, and nobody", test.name, got, w.List, test.points)
		}
	}
}

// TestWantedTogether: clients of one organisation are one, with one rule.
func TestWantedTogether(t *testing.T) {
	var tries []try
	for i := range 20 {
		tries = append(tries, try{
			at: time.Duration(i) * time.Minute, client: fmt.Sprintf("203.0.113.%d", 10+i), ptr: fmt.Sprintf("mail-out%d.example.org", i),
			helo: "bad helo", sender: "a@example.org",
		})
	}
	list := read(t, logOf(t, builtinRules(), tries), builtinRules()).Wanted.List
	if len(list) != 2 || len(list[0].Also) != maxAlso || len(list[1].Also) != 3 || list[0].Messages != 16 || list[0].Refusals.Deferred != 16 {
		t.Fatalf("%+v; want 16 and 4 clients", list)
	}
	if p := list[1].Paste; !strings.Contains(p, "mail-out16.example.org") || !strings.Contains(p, "mail-out19.example.org") || !strings.Contains(p, "ptr_name") {
		t.Errorf("the rule to paste is %s; want the names", p)
	}
	var want []string
	for i := 16; i < 20; i++ {
		want = append(want, fmt.Sprintf("policyd-rdns allow mail-out%d.example.org", i))
	}
	if got := slices.Sorted(slices.Values(list[1].Allow)); !slices.Equal(got, want) {
		t.Errorf("the commands are %q; want %q", got, want)
	}
}

// TestQueued tells a mail queue's tries from others.
func TestQueued(t *testing.T) {
	tests := []struct {
		minutes []float64
		want    bool
	}{
		{[]float64{0, 5, 15, 35, 75}, true},           // Postfix: doubling from 5 minutes
		{[]float64{0, 30, 90, 210}, true},             //
		{[]float64{0, 15, 30, 45, 60, 75, 90}, false}, // a timer
		{[]float64{0, 1, 3, 7, 15, 31, 63, 127}, false},
		{[]float64{0, 5, 15}, false},              // not for an hour
		{[]float64{0, 240}, false},                // once more
		{[]float64{0, 60, 70, 180}, false},        // somebody pressed a key
		{[]float64{0, 30, 90, 210, 210.1}, false}, // twice at once
	}
	for _, test := range tests {
		m := mail{tries: 1, first: begin, last: begin}
		for _, minutes := range test.minutes[1:] {
			m.again(begin.Add(time.Duration(minutes * float64(time.Minute))))
		}
		if got := m.queued(); got != test.want {
			t.Errorf("tries after %v minutes: queued() = %v; want %v", test.minutes, got, test.want)
		}
	}
}

// TestSenderDomain: it is behind the last @.
func TestSenderDomain(t *testing.T) {
	for _, test := range [][2]string{
		{"a@example.org", "example.org"}, {`"a@b"@Example.ORG`, "example.org"}, {`"a@b"`, `"a@b"`}, {"", "<>"}, {"root", "root"},
	} {
		if got := senderDomain(test[0]); got != test[1] {
			t.Errorf("senderDomain(%s) = %s; want %s", test[0], got, test[1])
		}
	}
}
