package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// A claim is a client whose HELO is a proper name, smtp.example.com, and that has
// up to three names, one of each kind that matters: proper of HELO's domain,
// generic of it, proper of another. Each resolves to a place: "none", "far", "near",
// "me"; or it is "temperror" or "?"; "" is no such name.
type claim struct {
	helo                  string
	kin, generic, strange string
	more                  bool
	ptr                   string // in place of names, if not ""
}

// results are what the check is for a claim, however its doubts are settled.
func (c claim) results() map[string]bool {
	all := map[string]bool{}
	c.settle("temperror", func(s claim) { all[s.result()] = true })
	return all
}

// settle goes through what a claim can be when all that is of a kind is known.
func (c claim) settle(kind string, yield func(claim)) {
	if c.ptr == kind {
		for _, names := range someClaims() {
			names.helo = c.helo
			names.settle(kind, yield)
		}
		return
	}
	places := []string{"none", "far", "near", "me"}
	if kind == "?" {
		places = append(places, "temperror")
	}
	if c.more && kind == "temperror" {
		// Names that nobody has tried add to those that somebody has.
		for _, add := range someClaims() {
			more := c
			more.more = false
			for _, name := range []struct{ is, add *string }{{&more.kin, &add.kin}, {&more.generic, &add.generic}, {&more.strange, &add.strange}} {
				if *name.add == "me" {
					*name.is = "me"
				}
			}
			more.settle(kind, yield)
		}
		return
	}
	for _, open := range []*string{&c.helo, &c.kin, &c.generic, &c.strange} {
		if *open != kind {
			continue
		}
		for _, p := range places {
			*open = p
			c.settle(kind, yield)
		}
		return
	}
	yield(c)
}

// someClaims are the names that a client may turn out to have.
func someClaims() []claim {
	var all []claim
	for _, kin := range []string{"", "none", "me"} {
		for _, generic := range []string{"", "none", "me"} {
			for _, strange := range []string{"", "me"} {
				all = append(all, claim{kin: kin, generic: generic, strange: strange})
			}
		}
	}
	return all
}

// result is the check where there is no doubt, in the words of its definition.
func (c claim) result() string {
	switch {
	case c.helo == "me":
		return "match"
	case c.kin == "me":
		return "related"
	case c.helo == "near" && c.generic == "me" && c.strange != "me":
		return "related"
	case c.helo == "none":
		return "unresolved"
	}
	return "mismatch"
}

// holds is how true an entry is that asks for one result.
func (c claim) holds(result string) string {
	truths := map[string]bool{}
	asked := func(c claim) {
		switch all := c.results(); {
		case !all[result]:
			truths["no"] = true
		case len(all) == 1:
			truths["yes"] = true
		default:
			truths["unknown"] = true
		}
	}
	if c.ptr == "?" {
		temporary := c
		temporary.ptr = "temperror"
		temporary.settle("?", asked)
	}
	c.settle("?", asked)
	if len(truths) > 1 {
		return "not queried"
	}
	return slices.Collect(maps.Keys(truths))[0]
}

// evidence is a claim as the left side of a case.
func (c claim) evidence() string {
	places := map[string]string{"far": "198.51.100.7", "near": "203.0.113.77"}
	to := func(name, place string) string {
		if place == "" {
			return ""
		}
		if at, ok := places[place]; ok {
			place = at
		}
		return " " + name + ">" + place
	}
	s := "203.0.113.10" + to("helo:smtp.example.com", c.helo)
	if c.ptr != "" {
		return s + " ptr:" + c.ptr
	}
	names := to("mail.example.com", c.kin) + to("g.example.com~full", c.generic) + to("a.example.org", c.strange)
	if c.more {
		names += " more"
	}
	if names == "" {
		names = " ptr:none"
	}
	return s + names
}

// claims are all that there can be.
func claims() []claim {
	var all []claim
	places := []string{"none", "far", "near", "me", "temperror", "?"}
	names := []string{"", "none", "me", "temperror", "?"}
	for _, helo := range places {
		for _, ptr := range []string{"temperror", "?"} {
			all = append(all, claim{helo: helo, ptr: ptr})
		}
		for _, kin := range names {
			for _, generic := range names {
				for _, strange := range names {
					for _, more := range []bool{false, true} {
						all = append(all, claim{helo: helo, kin: kin, generic: generic, strange: strange, more: more})
					}
				}
			}
		}
	}
	return all
}

// TestRelated goes through every claim: what is known, what the DNS could not say
// and what was not queried leave those results possible that can still be, and no
// others; and nothing is left open that no question could settle.
func TestRelated(t *testing.T) {
	for _, c := range claims() {
		e, err := cases.Client(c.evidence())
		if err != nil {
			t.Fatalf("%s: %v", c.evidence(), err)
		}
		// A question that could settle one result is put for each that is not settled.
		results := []string{"match", "related", "mismatch", "unresolved"}
		open := slices.ContainsFunc(results, func(result string) bool { return c.holds(result) == "not queried" })
		for _, result := range results {
			entry, errs := policy.NewEntry("helo", []string{result}, nil)
			if errs != nil {
				t.Fatal(errs)
			}
			rules := policy.Rules{List: []policy.Rule{{Name: "r", When: policy.Table{entry}, Action: policy.Reject}}}
			got, want := rules.Trace(&e.Req, &e.Facts)[0].Holds.String(), c.holds(result)
			if open && want == "unknown" {
				want = "not queried"
			}
			if got != want {
				t.Errorf("%s: helo = %s holds: %s; want %s", strings.TrimSpace(c.evidence()), result, got, want)
			}
		}
	}
}
