package policy_test

import (
	"cmp"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// traced is the decision that a trace resolves to, as far as it tells one: the
// first rule that is not only observed and that holds, or that is a reject and
// may hold.
func traced(trials []policy.Trial) string {
	early := ""
	for _, t := range trials {
		if early != "" && (t.Rule.Action != policy.DUNNO || t.Holds == policy.NotReached) {
			return early
		}
		switch {
		case t.Holds == policy.Undetermined && early != "": // it spares perhaps, and is not waited for
		case t.Holds == policy.Undetermined:
			return "open"
		case t.Rule.Observe || !t.Rule.Action.Final():
		case t.Holds == policy.NotYet:
			if !t.Rule.Action.Permanent() {
				early = cmp.Or(early, t.Rule.Name) // it may spare the client, and is waited for
			}
		case t.Holds == policy.Yes, t.Holds == policy.Unknown && t.Rule.Action == policy.Reject:
			return t.Rule.Name
		}
	}
	return early
}

// agree compares a trace with the decision on the same facts.
func agree(t *testing.T, where string, rules *policy.Rules, e *cases.Evidence) {
	t.Helper()
	d := rules.Judge(&e.Req, &e.Facts)
	want := d.Rule
	if d.Undetermined {
		want = "open"
	}
	trials := rules.Trace(&e.Req, &e.Facts)
	// Without what is asked only where it matters a trace tells less.
	forgetful := false
	for _, c := range []policy.Check{policy.CheckHistory, policy.CheckSPF, policy.CheckDNSWL} {
		forgetful = forgetful || rules.Findings(&e.Req, &e.Facts)[c].Lacks != 0 && (want == "open" || traced(trials) == "open")
	}
	if got := traced(trials); got != want && !forgetful {
		t.Errorf("%s: %s: the trace resolves to %q, the judgement to %q", where, e.Text, got, want)
	}
	if len(trials) != len(rules.List) {
		t.Errorf("%s: %s: %d rules traced of %d", where, e.Text, len(trials), len(rules.List))
	}
}

func TestTraceAgrees(t *testing.T) {
	for _, file := range []string{"rules.txt", "builtin.txt", "history.txt"} {
		for _, tt := range cases.Read(t, file) {
			agree(t, tt.Where, tt.Rules, &tt.Evidence)
		}
	}
}

func TestTrace(t *testing.T) {
	rules := policy.Rules{OnDoubt: policy.Defer}
	for _, line := range []string{
		"watch: reject observe when ptr=none",
		"open: dunno when helo=match",
		"doubt: dunno when fcrdns=pass",
		"share: reject 1% when ptr=found",
		"spared: reject when ptr=found unless name=proper fcrdns=temperror unless client=own",
		"a: reject when name=proper recipient=user@",
		"late: reject when ptr=found",
	} {
		rule, err := cases.Rule(line)
		if err != nil {
			t.Fatal(err)
		}
		rules.List = append(rules.List, rule)
	}
	e, err := cases.Client("203.0.113.10 mail.example.com>temperror helo:mail.example.org>? to:user@example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"watch no: ptr no",
		"open not queried: helo not queried",
		"doubt unknown: fcrdns unknown",
		"share no, not in the share: ptr yes",
		"spared no: ptr yes unless name yes, fcrdns yes unless client no",
		"a yes: name yes, recipient yes",
		"late not reached: ptr yes",
	}
	for i, trial := range rules.Trace(&e.Req, &e.Facts) {
		got := trial.Rule.Name + " " + trial.Holds.String()
		if !trial.Share {
			got += ", not in the share"
		}
		got += ": " + entries(trial.When)
		for _, table := range trial.Unless {
			got += " unless " + entries(table)
		}
		if got != want[i] {
			t.Errorf("rule %d: %s; want %s", i+1, got, want[i])
		}
	}
}

func entries(trials []policy.EntryTrial) string {
	var s []string
	for _, t := range trials {
		s = append(s, t.Entry.Key+" "+t.Holds.String())
	}
	return strings.Join(s, ", ")
}
