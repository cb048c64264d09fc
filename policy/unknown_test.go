package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
)

// rulesOf reads lines of a table.
func rulesOf(t *testing.T, lines string) *policy.Rules {
	t.Helper()
	rules := &policy.Rules{OnDoubt: policy.Defer}
	for line := range strings.SplitSeq(lines, "; ") {
		if err := cases.Setting(rules, line); err != nil {
			t.Fatal(err)
		}
	}
	return rules
}

// TestPossible: what the rules may come to where keys of the request are unknown.
func TestPossible(t *testing.T) {
	for _, tt := range []struct {
		rules, client, want string
		unknown             policy.Attributes
	}{
		{"rule a: dunno when sender=<>; rule b: reject when ptr=none", "203.0.113.10 ptr:none", "dunno (a); reject (b)", policy.AttrSender},
		{"rule a: dunno when sender=<>; rule b: reject when ptr=none", "203.0.113.10 ptr:none", "dunno (a)", 0},
		{"rule a: dunno when sender=<> ptr=found; rule b: reject when ptr=none", "203.0.113.10 ptr:none", "reject (b)", policy.AttrSender},
		{"rule a: reject when ptr=none unless recipient=abuse@", "203.0.113.10 ptr:none", "reject (a); dunno", policy.AttrRecipient},
		{"rule a: reject when ptr=none", "203.0.113.10 ptr:?", "", policy.AttrSender},
		{"rule a: dunno when fcrdns=pass sender=<>; rule b: reject when name=proper", "203.0.113.10 a.example.com>temperror", "reject (b)", policy.AttrSender},
		{"rule a: dunno when helo=match; rule b: reject when ptr=none", "203.0.113.10 ptr:none helo:a.example.com>me", "dunno (a); reject (b)", policy.AttrHELO},
	} {
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		e.Req.Unknown = tt.unknown
		if strings.Contains(tt.client, "temperror") {
			e.Facts.Errors = []resolver.LookupError{{About: "a.example.com", Reason: "SERVFAIL"}}
			tt.want += "; defer (b), downgraded"
		}
		var got []string
		for _, d := range rulesOf(t, tt.rules).Possible(&e.Req, &e.Facts) {
			got = append(got, cases.Told(d))
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s for %s, unknown %b: %s; want %s", tt.rules, tt.client, tt.unknown, s, tt.want)
		}
	}
}

func TestObserved(t *testing.T) {
	e, err := cases.Client("203.0.113.10 ptr:none helo:a.example.com>me")
	if err != nil {
		t.Fatal(err)
	}
	e.Req.Unknown = policy.AttrSender | policy.AttrHELO
	rules := rulesOf(t, "rule a: reject observe when ptr=none; rule b: defer observe when sender=<>; rule c: reject when ptr=none")
	certain, possible := rules.Observed(&e.Req, &e.Facts)
	if got := fmt.Sprint(certain, possible); got != "[{reject a}] [{reject a} {defer b}]" {
		t.Errorf("observed for certain and perhaps: %s; want a, and a and b", got)
	}
	if got := rules.Judge(&e.Req, &e.Facts).Checks; got[policy.CheckHELO] != policy.NotLearnt || got[policy.CheckPTR] != policy.None {
		t.Errorf("the checks are %v; want none of the unknown HELO", got)
	}
}

// TestCut: of what only the beginning is known an entry is undetermined, unless that is
// enough.
func TestCut(t *testing.T) {
	for _, tt := range []struct {
		rule, client string
		cut          policy.Attributes
		want         string
	}{
		{"sender=example.com", "from:<a@exam>", policy.AttrSender, "open"},
		{"sender=<>", "from:<a@exam>", policy.AttrSender, "dunno"},
		{"recipient=abuse@", "to:abu", policy.AttrRecipient, "open"},
		{"context=mx1", "context:mx", policy.AttrContext, "open"},
		{"context=mx", "context:mx", policy.AttrContext, "dunno"},
		{"context=mx", "context:mx", 0, "reject (r)"},
		{"helo_is=mail.example.com", "helo:mail.exam>?", policy.AttrHELO, "open"},
		{"helo_is=mail.example.com", "helo:a?b", policy.AttrHELO, "dunno"},
	} {
		e, err := cases.Client("203.0.113.10 ptr:none " + tt.client)
		if err != nil {
			t.Fatal(err)
		}
		e.Req.Cut = tt.cut
		if got := cases.Told(rulesOf(t, "rule r: reject when "+tt.rule).Judge(&e.Req, &e.Facts)); got != tt.want {
			t.Errorf("%s for %s: %s; want %s", tt.rule, tt.client, got, tt.want)
		}
	}
}

// TestUnread: a check whose outcome could not be read is undetermined, whatever the
// facts would make of it, and nobody can be asked.
func TestUnread(t *testing.T) {
	e, err := cases.Client("203.0.113.10 ptr:none")
	if err != nil {
		t.Fatal(err)
	}
	e.Facts.Unread.Add(policy.CheckPTR)
	rules := rulesOf(t, "rule r: reject when ptr=none")
	var brief policy.Decision
	var j policy.Judging
	j.Begin(rules, &e.Req, &e.Facts, true)
	j.Judge(&brief)
	for _, d := range []policy.Decision{rules.Judge(&e.Req, &e.Facts), brief} {
		if !d.Undetermined || d.Lacks != 0 {
			t.Errorf("%s, lacks %b; want open, and nothing that would help", cases.Told(d), d.Lacks)
		}
	}
	e.Facts.Unread.Remove(policy.CheckPTR)
	if d := rules.Judge(&e.Req, &e.Facts); d.Decided != policy.Reject {
		t.Errorf("%s; want reject", cases.Told(d))
	}
}

// TestOutage: trouble of our own makes less of a doubt.
func TestOutage(t *testing.T) {
	e, err := cases.Client("203.0.113.10 ptr:temperror")
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(t, "rule r: reject when ptr=none,temperror")
	for _, tt := range []struct {
		outage, overload bool
		want             string
	}{
		{false, false, "defer (r), downgraded"},
		{true, false, "dunno (r), downgraded"},
		{false, true, "dunno (r), downgraded"},
	} {
		e.Facts.Outage, e.Facts.Overload = tt.outage, tt.overload
		if got := cases.Told(rules.Judge(&e.Req, &e.Facts)); got != tt.want {
			t.Errorf("outage %t, overload %t: %s; want %s", tt.outage, tt.overload, got, tt.want)
		}
	}
}

// TestQueries: what a check lacks is told as far as it is known.
func TestQueries(t *testing.T) {
	for _, tt := range []struct{ client, want string }{
		{"203.0.113.10 ptr:? helo:mail.example.com>?", "ptr: PTR; helo: mail.example.com, claimed; dnswl: list"},
		{"203.0.113.10 mail.example.com>? -x>? helo:mail.example.com>?", "fcrdns: mail.example.com; helo: mail.example.com; dnswl: list"},
		{"203.0.113.10 a.example.com>me b.example.com>? helo:[203.0.113.10]", "fcrdns: b.example.com; dnswl: list"},
		{"203.0.113.10 ptr:none helo:mail.example.com>none spf:? dnswl:none", "spf: domain"},
		{"203.0.113.10 ptr:none helo:mail.example.com>none past:?", "history: domain; history: past; dnswl: list"},
	} {
		e, err := cases.Client(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, c := range policy.AllChecks() {
			for _, q := range c.Queries(&e.Facts, nil) {
				text := c.String() + ": " + q.Name
				switch {
				case q.Domain:
					text += "domain"
				case q.Past != nil:
					text += "past"
				case q.SPF != nil:
					text += "domain"
				case q.List != nil:
					text += "list"
				case q.To == nil:
					text += "PTR"
				}
				if q.Claimed {
					text += ", claimed"
				}
				all = append(all, text)
			}
		}
		if got := strings.Join(all, "; "); got != tt.want {
			t.Errorf("%s lacks %s; want %s", tt.client, got, tt.want)
		}
	}
}

func TestWhy(t *testing.T) {
	f := policy.Facts{Errors: []resolver.LookupError{{About: "a.example.com", Reason: "SERVFAIL"}, {About: "b.example.com", Reason: "no reply"}, {About: "a.example.com", Reason: "no reply"}}}
	if got := f.Why("a.example.com"); got != "SERVFAIL; no reply" {
		t.Errorf("Why = %q; want both reasons", got)
	}
	if got := f.Errors[1].String(); got != "b.example.com: no reply" {
		t.Errorf("String = %q; want the name and the reason", got)
	}
	if got := policy.ChecksOf(policy.AttrHELO); len(got) != 3 {
		t.Errorf("%v look at HELO; want three", got)
	}
	if !policy.CheckPTR.Shown(policy.None) || policy.CheckStrength.Shown(policy.None) || policy.CheckPTR.Shown(policy.NotLearnt) {
		t.Error("shown are the strength of a proper name, or what was not learnt, or not that there is no name")
	}
	if a, ok := policy.ActionByName("defer"); a != policy.Defer || !ok {
		t.Errorf("ActionByName(defer) = %v, %t", a, ok)
	}
	if _, ok := policy.ActionByName("Defer"); ok {
		t.Error("ActionByName takes capitals")
	}
	if policy.CheckHELO.Question() == "" || policy.CheckHELO.Good() != policy.Match {
		t.Error("helo has no question, or another good result than match")
	}
}

// TestEntryTold: what an entry tells those who look for mistakes in rules.
func TestEntryTold(t *testing.T) {
	type told struct {
		standing policy.Standing
		bare     bool
		implies  string
		misread  bool
		wide     bool
		dated    bool
		over     string
	}
	for _, tt := range []struct {
		key, values string
		want        told
	}{
		{"ptr", "none found", told{implies: "ptr 1100"}},
		{"helo_form", "fqdn", told{standing: policy.Silent, implies: "helo_form 10000000000000"}},
		{"client", "192.0.2.0/24 own", told{}},
		{"client", "0.0.0.0/1", told{wide: true}},
		{"ptr_name", ".example.com", told{implies: "fcrdns 100000"}},
		{"ptr_name", ".example.com .co.uk", told{implies: "fcrdns 100000", wide: true}},
		{"helo_is", "[192.0.2.1]", told{standing: policy.Claimed, implies: "helo_form 100000000000000"}},
		{"helo_is", "192.0.2.1", told{standing: policy.Claimed, implies: "helo_form 10000000000000000"}},
		{"helo_is", ".example.com", told{standing: policy.Claimed, implies: "helo_form 10000000000000"}},
		{"helo_is", "localhost.", told{standing: policy.Claimed, implies: "helo_form 1000000000000000"}},
		{"sender", "*@example.com", told{standing: policy.Claimed, misread: true}},
		{"recipient", "a@example.com", told{standing: policy.Silent}},
		{"authenticated", "true", told{bare: true}},
		{"encrypted", "false", told{standing: policy.Silent, bare: true}},
		{"context", "mx*", told{standing: policy.Silent, misread: true}},
		{"context", "mx", told{standing: policy.Silent}},
		{"until", "2027-03-31 2027-03-30", told{standing: policy.Silent, bare: true, dated: true, over: "2027-04-01T00:00:00Z"}},
		{"until", "2027-03-31 2027-04-01T18:00:00+02:00", told{standing: policy.Silent, bare: true, dated: true, over: "2027-04-01T16:00:00Z"}},
	} {
		values := strings.Fields(tt.values)
		e, errs := policy.NewEntry(tt.key, values, values)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		got := told{standing: e.Standing(), bare: e.Bare(), misread: e.Misread(values[0]) != "", wide: e.Wide() != "", dated: e.Dated(), over: over(&e)}
		if c, results, ok := e.Implies(); ok {
			got.implies = fmt.Sprintf("%v %b", c, results)
		}
		if got != tt.want {
			t.Errorf("%s = %s: %+v; want %+v", tt.key, tt.values, got, tt.want)
		}
	}
	if c := new(policy.Rules).Findings(&policy.Request{}, &policy.Facts{}); c[policy.CheckPTR].Lacks == 0 {
		t.Errorf("Findings of nothing = %+v; want a PTR that was not queried", c)
	}
}

// over is the end of an entry; empty: it has none.
func over(e *policy.Entry) string {
	end, ok := e.End()
	if !ok {
		return ""
	}
	return end.UTC().Format(time.RFC3339)
}

// TestForgetfulDraws: to see whether a reject rests on what is not remembered leaves the
// check history as it is, though no rule has asked for it.
func TestForgetfulDraws(t *testing.T) {
	for _, line := range []string{"rule nameless: reject when ptr=none", "rule others: reject when correspondent=false"} {
		e, err := cases.Client("203.0.113.10 ptr:none from:<user@example.org> past:new")
		if err != nil {
			t.Fatal(err)
		}
		e.Facts.Past.Unsure = true
		rules := &policy.Rules{OnDoubt: policy.Defer}
		if err := cases.Setting(rules, line); err != nil {
			t.Fatal(err)
		}
		if d := rules.Judge(&e.Req, &e.Facts); d.Checks[policy.CheckHistory] != policy.New {
			t.Errorf("%s: history is %q; want new", line, d.Checks[policy.CheckHistory])
		}
	}
}
