package policy_test

import (
	"testing"
	"time"
)

// Nobody waits longer than the deadline; what could not be learnt is a
// temperror, and its reason is told.
func TestGatherDeadline(t *testing.T) {
	const ptr = "PTR 203.0.113.10 = "
	cases := []gatherCase{
		{
			name: "no reply about the address", dns: []string{ptr + "silence"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "ptr:temperror (203.0.113.10: deadline)",
			want:   "defer (no reverse name), downgraded", took: 5 * time.Second,
		},
		{
			name: "no reply about a name", dns: []string{ptr + "a.example.com b.example.com", "A a.example.com = silence", "A b.example.com = none"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10, 1s A a.example.com, 1s A b.example.com",
			facts:  "a.example.com>temperror b.example.com>none (a.example.com: deadline)",
			want:   "defer (reverse name not confirmed), downgraded", took: 5 * time.Second,
		},
		{
			name: "no reply about the greeting", dns: []string{ptr + "a.example.com", "A a.example.com = 203.0.113.10", "A smtp.example.net = silence"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10, 1s A a.example.com",
			facts:  "a.example.com>me helo:smtp.example.net>temperror (smtp.example.net: deadline)",
			want:   "dunno", took: 5 * time.Second,
		},
		{
			name: "no reply at all", dns: []string{ptr + "silence", "A smtp.example.net = silence"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10",
			facts:  "ptr:temperror helo:smtp.example.net>temperror (203.0.113.10: deadline) (smtp.example.net: deadline)",
			want:   "defer (no reverse name), downgraded", took: 5 * time.Second,
		},
		{
			name: "errors at once", dns: []string{ptr + "a.example.com b.example.com", "A a.example.com = temperror", "A b.example.com = temperror", "A smtp.example.net = temperror"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net, 0s PTR 203.0.113.10, 1s A a.example.com, 1s A b.example.com",
			facts: "a.example.com>temperror b.example.com>temperror helo:smtp.example.net>temperror" +
				" (a.example.com: SERVFAIL) (b.example.com: SERVFAIL) (smtp.example.net: SERVFAIL)",
			want: "defer (reverse name not confirmed), downgraded", took: 2 * time.Second,
		},
		{
			name: "an error of the name that greets is told once", dns: []string{ptr + "a.example.com", "A a.example.com = temperror"},
			client: "203.0.113.10 helo:a.example.com",
			asked:  "0s A a.example.com, 0s PTR 203.0.113.10",
			facts:  "a.example.com>temperror helo:a.example.com>temperror (a.example.com: SERVFAIL)",
			want:   "defer (reverse name not confirmed), downgraded", took: time.Second,
		},
	}
	runGather(t, cases, false)
}

// Before a reject, answers older than a minute are asked again.
func TestGatherAsksAgain(t *testing.T) {
	const ptr = "PTR 203.0.113.10 = "
	cases := []gatherCase{
		{
			name:   "all at hand",
			dns:    []string{ptr + "cached 2h a.example.com", "A a.example.com = cached 2h 203.0.113.10", "A smtp.example.net = cached 2h none"},
			client: "203.0.113.10 helo:smtp.example.net",
			facts:  "a.example.com>me helo:smtp.example.net>none cached",
			want:   "dunno, would reject (greeting not its own)",
		},
		{
			name: "an old answer goes on to help", dns: []string{ptr + "cached 23h a.example.com then none", "A a.example.com = cached 23h 203.0.113.10 then none"},
			client: "203.0.113.10",
			facts:  "a.example.com>me cached",
			want:   "dunno",
		},
		{
			name: "a young one will do", dns: []string{ptr + "cached 60s none then a.example.com"},
			client: "203.0.113.10",
			facts:  "ptr:none cached",
			want:   "reject (no reverse name)",
		},
		{
			name: "an older one will not: it is as it was", dns: []string{ptr + "cached 61s none then none"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "ptr:none",
			want:   "reject (no reverse name)", took: time.Second,
		},
		{
			name: "repaired", dns: []string{ptr + "cached 10m none then a.example.com", "A a.example.com = 203.0.113.10"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10, 1s A a.example.com",
			facts:  "a.example.com>me",
			want:   "dunno", took: 2 * time.Second,
		},
		{
			name: "failing: a defer", dns: []string{ptr + "cached 10m none then temperror"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "ptr:temperror (203.0.113.10: SERVFAIL)",
			want:   "defer (no reverse name), downgraded", took: time.Second,
		},
		{
			name: "silent: a defer at the deadline", dns: []string{ptr + "cached 10m none then silence"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "ptr:temperror (203.0.113.10: deadline)",
			want:   "defer (no reverse name), downgraded", took: 5 * time.Second,
		},
		{
			name:   "only what is old: the name's addresses",
			dns:    []string{ptr + "cached 30s a.example.com", "A a.example.com = cached 2m none then 203.0.113.10"},
			client: "203.0.113.10",
			asked:  "0s A a.example.com",
			facts:  "a.example.com>me",
			want:   "dunno", took: time.Second,
		},
		{
			name: "the greeting, which might be repaired", rules: []string{"rule a: reject when helo=unresolved"},
			dns:    []string{ptr + "cached 30s none", "A smtp.example.net = cached 2m none then 203.0.113.10"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s A smtp.example.net",
			facts:  "ptr:none helo:smtp.example.net>me",
			want:   "dunno", took: time.Second,
		},
		{
			name: "the greeting that did not spare the client", rules: []string{"rule a: reject when ptr=none unless helo=match"},
			dns:    []string{ptr + "none", "A smtp.example.net = cached 2m none then 203.0.113.10"},
			client: "203.0.113.10 helo:smtp.example.net",
			asked:  "0s PTR 203.0.113.10, 1s A smtp.example.net",
			facts:  "ptr:none helo:smtp.example.net>me",
			want:   "dunno", took: 2 * time.Second,
		},
		{
			name: "no reject, no hurry: a defer", rules: []string{"rule a: defer when ptr=none"},
			dns:    []string{ptr + "cached 10m none then a.example.com"},
			client: "203.0.113.10",
			facts:  "ptr:none cached",
			want:   "defer (a)",
		},
		{
			name: "no reject, no hurry: a rule that is observed", rules: []string{"rule a: reject observe when ptr=none"},
			dns:    []string{ptr + "cached 10m none then a.example.com"},
			client: "203.0.113.10",
			facts:  "ptr:none cached",
			want:   "dunno, would reject (a)",
		},
		{
			name: "what is decided under observation is decided well", rules: []string{"with mode:observe", "rule a: reject when ptr=none"},
			dns:    []string{ptr + "cached 10m none then a.example.com"},
			client: "203.0.113.10",
			asked:  "0s PTR 203.0.113.10",
			facts:  "a.example.com>?",
			want:   "dunno", took: time.Second,
		},
	}
	runGather(t, cases, false)
}
