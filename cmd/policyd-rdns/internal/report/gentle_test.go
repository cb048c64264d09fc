package report

import (
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

// TestGentle: a tag and a hold are told, and are no refusals.
func TestGentle(t *testing.T) {
	tag, hold := rule(t, "odd", policy.Tag, "ptr", "none"), rule(t, "look", policy.Hold, "sender", "a@example.org")
	for _, mode := range []policy.Mode{policy.Enforce, policy.Observe} {
		rules := &policy.Rules{Mode: mode, List: []policy.Rule{tag, hold}}
		log := logOf(t, rules, slices.Concat(
			again(try{client: "203.0.113.10", helo: "mail.example.org", sender: "a@example.org"}, 0),
			again(try{client: "203.0.113.11", helo: "mail.example.net", sender: "b@example.net"}, 1, 2),
		))
		r := read(t, log, rules)
		if r.Outcomes[Passed].Decisions != 3 || len(r.Networks.List) != 0 || len(r.Silent) != 0 {
			t.Errorf("%s: %+v, refused %+v, silent %q; want all passed, and no rule silent", mode, r.Outcomes, r.Networks.List, r.Silent)
		}
		held, tagged, words := 1, 2, "of the decisions, 1 held for the administrator; 2 with a header added"
		if mode != policy.Enforce {
			held, tagged, words = 0, 0, ""
		}
		if r.Notes.Held != held || r.Notes.Tagged != tagged || r.noteWords() != words {
			t.Errorf("%s: %d held, %d tagged, %q; want %d, %d, %q", mode, r.Notes.Held, r.Notes.Tagged, r.noteWords(), held, tagged, words)
		}
		var told []string
		for _, one := range r.Rules {
			if one.Name != "" {
				told = append(told, one.Action+" by "+one.Name)
			}
		}
		if got := strings.Join(told, ", "); !strings.Contains(got, "tag by odd") || !strings.Contains(got, "hold by look") {
			t.Errorf("%s: rules %s; want both", mode, got)
		}
	}
}
