package policy_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
)

func TestJudge(t *testing.T) {
	for _, file := range []string{"rules.txt", "history.txt"} {
		for _, tt := range cases.Read(t, file) {
			if got := cases.Told(tt.Rules.Judge(&tt.Req, &tt.Facts)); got != tt.Want {
				t.Errorf("%s: %s: %s; want %s", tt.Where, tt.Text, got, tt.Want)
			}
		}
	}
}

func TestModeString(t *testing.T) {
	for mode, want := range []string{policy.Enforce: "enforce", policy.Observe: "observe", policy.ObserveInfo: "observe"} {
		if got := policy.Mode(mode).String(); got != want {
			t.Errorf("Mode(%d) = %q; want %q", mode, got, want)
		}
	}
}

// A client without an address is never objected to, nor said to be open.
func TestJudgeNoAddress(t *testing.T) {
	for _, line := range []string{"all: reject", "none: reject when ptr=none"} {
		rule, err := cases.Rule(line)
		if err != nil {
			t.Fatal(err)
		}
		rules := policy.Rules{List: []policy.Rule{rule}, Mode: policy.Observe}
		req := policy.Request{ClientText: "unknown"}
		facts := policy.NewFacts(&req)
		got := rules.Judge(&req, &facts)
		if cases.Told(got) != "dunno" || got.Mode != policy.Observe {
			t.Errorf("%s: a client without an address: %s in mode %v; want dunno in mode observe", line, cases.Told(got), got.Mode)
		}
		if trials := rules.Trace(&req, &facts); trials != nil {
			t.Errorf("%s: Trace of a client without an address = %v; want none", line, trials)
		}
	}
}

// A percentage is a fixed share of clients: the same at every call, another
// for another rule, and as large as it says.
func TestPercent(t *testing.T) {
	const clients = 20000
	share := func(name string, percent int, addr func(i int) netip.Addr) map[int]bool {
		rules := policy.Rules{List: []policy.Rule{{Name: name, Action: policy.Reject, Percent: percent}}}
		in := map[int]bool{}
		for i := range clients {
			req := policy.Request{Client: addr(i)}
			facts := policy.NewFacts(&req)
			first, second := rules.Judge(&req, &facts), rules.Judge(&req, &facts)
			if first.Action != second.Action {
				t.Fatalf("%s at %d%%: %v, then %v for the same client", name, percent, first.Action, second.Action)
			}
			if first.Action == policy.Reject {
				in[i] = true
			}
		}
		return in
	}
	v4 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}) }
	v6 := func(i int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i >> 8), 15: byte(i)})
	}
	for _, percent := range []int{1, 10, 50, 99} {
		for _, addr := range []func(int) netip.Addr{v4, v6} {
			got := 100 * float64(len(share("r", percent, addr))) / clients
			if got < float64(percent)-1.5 || got > float64(percent)+1.5 {
				t.Errorf("%d%% of clients such as %v: the rule held for %.1f%%", percent, addr(1), got)
			}
		}
	}
	for _, all := range []int{0, 100} {
		if got := len(share("r", all, v4)); got != clients {
			t.Errorf("percent = %d: the rule held for %d of %d clients; want all", all, got, clients)
		}
	}

	ten, half, other := share("r", 10, v4), share("r", 50, v4), share("s", 50, v4)
	both := 0
	for i := range half {
		if other[i] {
			both++
		}
	}
	if both < clients/5 || both > clients*3/10 {
		t.Errorf("two rules at 50%% share %d of %d clients; want about a quarter", both, clients)
	}
	for i := range ten {
		if !half[i] {
			t.Fatalf("client %v is in 10%% but not in 50%% of the same rule", v4(i))
		}
	}
}

// TestJudging: on the way to one decision it is judged as it is at once, at each stage of
// the dialogue.
func TestJudging(t *testing.T) {
	rules := &policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer}
	var j policy.Judging
	for _, state := range []string{"CONNECT", "EHLO", "MAIL", "RCPT"} {
		req := policy.Request{Client: netip.MustParseAddr("203.0.113.10"), State: state, HELO: "mail.example.org"}
		f := policy.NewFacts(&req)
		f.PTR = resolver.None
		var got policy.Decision
		j.Begin(rules, &req, &f, false)
		j.Judge(&got)
		want := rules.Judge(&req, &f)
		if got.Early != want.Early || got.Rule != want.Rule || got.Action != want.Action || want.Early != (state != "RCPT") {
			t.Errorf("at %s: %+v; want %+v, and early before RCPT", state, got, want)
		}
	}
}

// TestHeader: however many rules tag, the checks are in the header, and it is one line of
// a reply.
func TestHeader(t *testing.T) {
	d := policy.Decision{Action: policy.Tag}
	d.Checks[policy.CheckName], d.Checks[policy.CheckFCrDNS] = policy.Generic, policy.Pass
	for _, tt := range []struct {
		tags []string
		want string
	}{
		{[]string{"odd"}, "PREPEND X-Policyd-Rdns: rule=odd; name=generic; fcrdns=pass"},
		{[]string{"a; b", "c"}, "PREPEND X-Policyd-Rdns: rule=a, b, c; name=generic; fcrdns=pass"},
		{slices.Repeat([]string{strings.Repeat("x", 99)}, 5), "PREPEND X-Policyd-Rdns: rule=" + strings.Repeat("x", 99) + ", " + strings.Repeat("x", 99) + "; name=generic; fcrdns=pass"},
		{[]string{strings.Repeat("x", 300)}, "PREPEND X-Policyd-Rdns: rule=; name=generic; fcrdns=pass"},
	} {
		d.Tags = tt.tags
		if got := d.ReplyHead(); got != tt.want {
			t.Errorf("tagged by %q: %s; want %s", tt.tags, got, tt.want)
		}
	}
}
