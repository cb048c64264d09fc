package cases

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"policyd-rdns/policy"
)

// Dice make choices from the bytes of a fuzz input, and the first of each when
// they have run out.
type Dice []byte

func (d *Dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

func (d *Dice) pick(from ...string) string { return from[d.roll(len(from))] }

// some picks one or more, each once.
func (d *Dice) some(from ...string) string {
	var picked []string
	for _, s := range from {
		if d.roll(3) == 1 {
			picked = append(picked, s)
		}
	}
	if len(picked) == 0 {
		return d.pick(from...)
	}
	return strings.Join(picked, ",")
}

// Rules are lines of a table.
func (d *Dice) Rules() []string {
	lines := []string{"with own:mx.example.org own:198.51.100.25 " +
		d.pick("", "", "defer_for:4h ", "grace:96h ", "defer_for:24h grace:48h ") + "dnswl:list.example " +
		d.pick("", "on_doubt:dunno ", "proper:.example.com ", "generic:b.example.com ", "networks:203.0.113.0/24 ", "mode:observe ")}
	for i := range 1 + d.roll(6) {
		line := fmt.Sprintf("rule r%d: %s%s when", i, d.pick("reject", "dunno", "defer", "reject", "tag", "hold"), d.pick("", "", "", " observe", " 50%"))
		line += d.entries(3)
		for range d.roll(4) - 1 {
			line += " unless" + d.entries(2)
		}
		lines = append(lines, line)
	}
	return lines
}

func (d *Dice) entries(most int) string {
	s := ""
	for range 1 + d.roll(most) {
		s += " " + d.entry()
	}
	return s
}

func (d *Dice) entry() string {
	checks := policy.AllChecks()
	i := d.roll(len(checks) + 6)
	if i < len(checks) {
		var results []string
		for _, r := range checks[i].Results() {
			results = append(results, r.String())
		}
		values := d.some(results...)
		if d.roll(4) == 0 {
			values = "!" + strings.ReplaceAll(values, ",", ",!")
		}
		return checks[i].String() + "=" + values
	}
	key := policy.EntryKeys()[len(checks)+d.roll(len(policy.EntryKeys())-len(checks))]
	values := map[string][]string{
		"client":        {"203.0.113.0/24", "own", "private", "2001:db8::/32"},
		"ptr_name":      {"a.example.com", ".example.com", "b.example.com"},
		"helo_is":       {"a.example.com", ".example.com", "x", "[203.0.113.10]"},
		"sender":        {"<>", "user@", "example.com"},
		"recipient":     {"postmaster@", "example.net"},
		"authenticated": {"true", "false"},
		"encrypted":     {"true", "false"},
		"context":       {"mx"},
		"until":         {"2026-11-22", "2026-11-23"},
	}
	if values[key] == nil {
		return key + "=" + policy.EntryExample(key)
	}
	return key + "=" + d.some(values[key]...)
}

// names are the client's that may be; many of them are of one organisation.
var names = []string{"a.example.com", "b.example.com~full-dynamic", "c.example.com~word-static", "a.example.org", "d.example.net~half-dynamic"}

// Client is the left side of a case.
func (d *Dice) Client() string {
	words := []string{d.pick("203.0.113.10", "2001:db8::25", "198.51.100.25", "127.0.0.1")}
	if d.roll(8) == 1 {
		words = append(words, d.pick("at:CONNECT", "at:MAIL"))
	}
	switch d.roll(7) {
	case 0:
		words = append(words, "ptr:?")
	case 1:
		words = append(words, "ptr:none")
	case 2:
		words = append(words, "ptr:temperror")
	case 3:
		words = append(words, "localhost>?")
	default:
		first := d.roll(len(names))
		words = append(words, names[first]+">"+d.forward())
		for _, name := range names[first+1:] {
			if d.roll(2) == 1 {
				words = append(words, name+">"+d.forward())
			}
		}
		if d.roll(5) == 1 {
			words = append(words, "more")
		}
	}
	switch d.roll(4) {
	case 1:
		words = append(words, "helo:"+d.pick("localhost", "localhost.localdomain", "[203.0.113.10]", "198.51.100.25", "[198.51.100.7]", "[IPv6:2001:db8::26]", "x", "a?b"))
	case 2, 3:
		name := d.pick("a.example.com", "e.example.com", "mx.example.org", "f.example.net~full")
		words = append(words, "helo:"+name+">"+d.forward())
	}
	if d.roll(6) == 1 {
		words = append(words, d.pick("auth", "to:postmaster@example.net", "from:<user@example.com>", "context:mx", "own_helo", "own_client"))
	}
	switch d.roll(6) {
	case 1:
		words = append(words, "past:"+d.pick("known", "returned", "new", "?")+d.pick("", ":objected:1h", ":objected:30h", ":correspondent", ":nat", ":sender"))
	case 2:
		words = append(words, "past:?")
	case 3:
		words = append(words, "past:new:sender", "from:<user@example.com>")
	}
	for _, voice := range voices {
		words = append(words, voice+":"+d.pick("?", "temperror", d.said(voice), d.said(voice)))
	}
	return strings.Join(words, " ")
}

// voices are the checks that others have a say in, whatever the client's names are.
var voices = []string{"spf", "dnswl"}

// said is one of the results of a check.
func (d *Dice) said(voice string) string {
	c, _ := policy.CheckByName(voice)
	return c.Results()[d.roll(len(c.Results()))].String()
}

// said is a result of a check, and settled if it is not one that the DNS could not say.
func said(voice string, random *rand.Rand, settled bool) string {
	c, _ := policy.CheckByName(voice)
	for {
		if r := c.Results()[random.IntN(len(c.Results()))]; r != policy.TempError || !settled {
			return voice + ":" + r.String()
		}
	}
}

// beside is in the network of clients, of either family.
const beside = "203.0.113.77+2001:db8::26"

func (d *Dice) forward() string {
	return d.pick("temperror", "none", "198.51.100.7", "me", "temperror", "me", "?", beside)
}

// Settled is one of the things that a client with doubts about it can turn out
// to be when the DNS answers.
func Settled(client string, random *rand.Rand) string {
	var words []string
	for w := range strings.FieldsSeq(client) {
		name, to, _ := strings.Cut(w, ">")
		switch {
		case w == "ptr:temperror":
			words = append(words, someNames(random)...)
		case w == "more":
			words = append(words, resolving(random, random.IntN(3))...)
		case to == "temperror":
			words = append(words, name+">"+forward(random))
		case w == "spf:temperror", w == "dnswl:temperror":
			voice, _, _ := strings.Cut(w, ":")
			words = append(words, said(voice, random, true))
		default:
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Queried is one of the things that can become of a client when what was not
// Queried is asked, in vain or not.
func Queried(client string, random *rand.Rand) string {
	var words []string
	for w := range strings.FieldsSeq(client) {
		name, to, _ := strings.Cut(w, ">")
		switch {
		case w == "ptr:?" && random.IntN(4) == 0:
			words = append(words, "ptr:temperror")
		case w == "ptr:?":
			words = append(words, someNames(random)...)
		case w == "spf:?", w == "dnswl:?":
			voice, _, _ := strings.Cut(w, ":")
			words = append(words, said(voice, random, false))
		case strings.HasPrefix(w, "past:?"):
			words = append(words, "past:"+[]string{"known", "returned", "new"}[random.IntN(3)]+strings.TrimPrefix(w, "past:?"))
		case to == "?" && random.IntN(4) == 0:
			words = append(words, name+">temperror")
		case to == "?":
			words = append(words, name+">"+forward(random))
		default:
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func forward(random *rand.Rand) string {
	return []string{"none", "198.51.100.7", "me", beside}[random.IntN(4)]
}

// resolving are n names of the client, with what they resolve to.
func resolving(random *rand.Rand, n int) (words []string) {
	for range n {
		words = append(words, names[random.IntN(len(names))]+">"+forward(random))
	}
	return words
}

// someNames is what the query for the client's names can bring.
func someNames(random *rand.Rand) []string {
	switch n := random.IntN(5); n {
	case 0:
		return []string{"ptr:none"}
	case 1:
		return []string{"localhost>?"}
	default:
		return resolving(random, n-1)
	}
}
