package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/report/document"
	"policyd-rdns/cmd/policyd-rdns/internal/report/exemption"
)

func (r *Report) groupSection(id, title, noun string, g *Groups) section {
	t := table{Caption: title, Columns: slices.Concat(
		texts(noun), numbers("decisions", "messages"), numbers(outcomeNames(Passed)...), texts("rule", "senders"), moments("first", "last"),
	)}
	for i := range g.List {
		one := &g.List[i]
		name := cell{Text: plain.Brief(one.Name)}
		if noun == "domain" && !one.Confirmed {
			name.Text, name.Sort = "("+name.Text+")", name.Text
		}
		row := []cell{name, count(one.Decisions), count(one.Messages)}
		for _, n := range one.Refusals.all() {
			row = append(row, count(*n))
		}
		t.Rows = append(t.Rows, append(row,
			text(ruleText(one.Rule)), text(senderWords(one.Senders, one.MoreSenders)), r.moment(one.First), r.moment(one.Last)))
	}
	s := section{ID: id, Title: title, Notes: append(more(g.More, noun), cut(g.Cut, noun, g.Others)...)}
	switch {
	case len(g.List) == 0:
		s.Text = []string{"Nobody was refused."}
		return s
	case noun == "domain":
		s.Text = []string{"By the organisational domain of the clients' names. One in brackets is only claimed: the name does not resolve to the client. Senders are what clients said; anyone may say so."}
	default:
		s.Text = []string{"A /24 of IPv4, a /48 of IPv6. Senders are what clients said; anyone may say so."}
	}
	s.Tables = []table{t}
	return s
}

func (r *Report) troubleSection() section {
	s := section{ID: "dns", Title: "Trouble with the DNS"}
	if r.DNS.Decisions == 0 {
		s.Text = []string{"None: no lookup failed."}
		return s
	}
	s.Text = []string{fmt.Sprintf("A lookup failed for %s (%s). Zones are organisational domains, and the reverse zones of a /24 or a /48.",
		plain.Plural(r.DNS.Decisions, "decision"), plain.Percent(r.DNS.Decisions, r.Total.Decisions))}
	for _, fault := range slices.Sorted(maps.Keys(r.DNS.Other)) {
		s.Notes = append(s.Notes, fmt.Sprintf("Without a server: %s, %s.", plain.Brief(fault), plain.Times(r.DNS.Other[fault])))
	}
	if len(r.DNS.Servers) > 0 {
		s.Tables = append(s.Tables, r.serverTable())
	}
	if len(r.DNS.Zones) > 0 {
		s.Tables = append(s.Tables, r.zoneTable())
	}
	s.Notes = append(s.Notes, append(more(r.DNS.MoreZones, "zone"), cut(r.DNS.Cut, "zone", Count{})...)...)
	return s
}

// serverTable has a row for each server.
func (r *Report) serverTable() table {
	t := table{Caption: "Lookups that failed, by server", Columns: slices.Concat(texts("server"), numbers("failed"), texts("how"))}
	sums, how := map[string]int{}, map[string][]string{}
	var servers []string
	for _, f := range r.DNS.Servers {
		if sums[f.Server] == 0 {
			servers = append(servers, f.Server)
		}
		sums[f.Server] += f.Times
		how[f.Server] = append(how[f.Server], plain.Brief(f.Fault)+" "+plain.Number(f.Times))
	}
	slices.SortStableFunc(servers, func(a, b string) int { return cmp.Compare(sums[b], sums[a]) })
	for _, s := range servers {
		t.Rows = append(t.Rows, []cell{text(s), count(sums[s]), text(strings.Join(how[s], ", "))})
	}
	return t
}

func (r *Report) zoneTable() table {
	t := table{Caption: "Lookups that failed, by zone", Columns: slices.Concat(
		texts("zone"), numbers("decisions"), texts("fault", "example"), moments("first", "last"),
	)}
	for _, z := range r.DNS.Zones {
		t.Rows = append(t.Rows, []cell{
			text(plain.Brief(z.Zone)), count(z.Decisions), text(plain.Brief(z.Fault)), text(plain.Brief(z.Example)), r.moment(z.First), r.moment(z.Last),
		})
	}
	return t
}

func (r *Report) speedSection() section {
	sp := &r.Speed
	s := section{ID: "speed", Title: "Speed", Text: []string{
		fmt.Sprintf("Half of the decisions took %s at most, 90%% %s, 99%% %s; the slowest %s.",
			millisText(sp.P50), millisText(sp.P90), millisText(sp.P99), millisText(sp.Max)),
		fmt.Sprintf("%s needed the DNS; %s of these were answered from the cache alone. Queries sent: %s.",
			plain.Plural(sp.Queried, "decision"), plain.Percent(sp.Cached, sp.Queried), plain.Number(sp.Queries)),
	}}
	t := table{Caption: "The slowest decision of each of the slowest clients", Columns: slices.Concat(
		moments("time"), numbers("took"), texts("client", "name"), numbers("queries"), texts("fault"),
	)}
	for _, one := range sp.Slowest {
		t.Rows = append(t.Rows, []cell{
			r.moment(one.At),
			{Text: millisText(one.MS), Sort: fmt.Sprint(one.MS)},
			text(one.Client), text(plain.OrDash(plain.Brief(one.Name))), count(one.Queries), text(plain.OrDash(plain.Brief(one.Fault))),
		})
	}
	s.Tables = []table{t}
	return s
}

func (r *Report) exemptionsSection() section {
	s := section{ID: "exemptions", Title: "Exemptions"}
	if len(r.Exemptions) == 0 {
		s.Text = []string{"The configuration has none."}
		return s
	}
	s.Text = []string{
		"Rules that let clients pass, and the tables of unless. Each record was judged again without each of them. " +
			"Spared: would have been refused, or observed, without it. Needless: would have passed all the same. " +
			"Not known: the DNS was not queried for what the other rules need.",
	}
	t := table{Caption: "Exemptions", Columns: slices.Concat(
		texts("exemption", "for"), numbers("spared", "needless", "not known"), moments("last used"), texts("state"),
	)}
	for i := range r.Exemptions {
		e := &r.Exemptions[i]
		name := ruleText(e.Rule)
		if e.Unless > 0 {
			name = fmt.Sprintf("%s, unless %d", name, e.Unless)
		}
		last := cell{Text: "never", Sort: "0"}
		if !e.LastUsed.IsZero() {
			last = r.moment(e.LastUsed)
		}
		t.Rows = append(t.Rows, []cell{
			text(name), text(plain.Brief(e.Holds)), count(e.Spared), count(e.Needless), count(e.Unknown), last,
			{Text: plain.OrDash(r.stateWords(e)), Mark: stateMark(e)},
		})
	}
	s.Tables = []table{t}
	return s
}

// stateWords says what is to be done about an exemption.
func (r *Report) stateWords(e *exemption.Report) string {
	var words []string
	if e.Used() == 0 {
		words = append(words, "never used")
	}
	switch e.State {
	case "expired":
		words = append(words, "expired on "+e.Until)
	case "soon":
		words = append(words, "ends on "+e.Until)
	}
	return strings.Join(words, "; ")
}

func stateMark(e *exemption.Report) string {
	switch e.State {
	case "expired":
		return Rejected.String()
	case "soon":
		return Deferred.String()
	}
	return ""
}

// metaWords are the figures of a client that may be wanted.
func (r *Report) metaWords(c *Client) []string {
	var parts []string
	for o, n := range c.Refusals.all() {
		if *n > 0 {
			parts = append(parts, plain.Number(*n)+" "+outcomes[o].label)
		}
	}
	by := "by rule"
	if len(c.Rules) > 1 {
		by = "mostly by rule"
	}
	lines := []string{
		fmt.Sprintf("%s: %s, %s \"%s\"", plain.Plural(c.Messages, "message"), strings.Join(parts, ", "), by, ruleText(c.Rules[0])),
		fmt.Sprintf("%s to %s, from %s", r.when(c.First), r.when(c.Last), domainWords(c.Senders)),
	}
	if c.Accepted > 0 {
		lines[0] += fmt.Sprintf("; %s accepted later", plain.Plural(c.Accepted, "message"))
	}
	if c.LastAccepted {
		lines = append(lines, "the last message was accepted: perhaps there is nothing left to do")
	}
	if n := len(c.Also); n > 0 {
		lines = append(lines, fmt.Sprintf("with %s of the same domain: %s", plain.Plural(n, "other client"), strings.Join(c.Also, ", ")))
	}
	if len(c.Against) > 0 {
		lines = append(lines, "against it: "+strings.Join(c.Against, "; "))
	}
	return lines
}

// card is what there is to say of a client that may be wanted.
func (r *Report) card(c *Client) document.Card {
	card := document.Card{Name: clientName(c), Points: plain.Plural(c.Points, "point"), Meta: r.metaWords(c), Run: strings.Join(c.Allow, "\n"), Paste: c.Paste}
	for _, e := range c.Evidence {
		card.Evidence = append(card.Evidence, document.Evidence{Points: e.Points, Text: plain.Sentence(e.Text)})
	}
	return card
}

func domainWords(domains []string) string {
	senders := make([]Sender, len(domains))
	for i, d := range domains {
		senders[i].Domain = d
	}
	return senderWords(senders, false)
}

// clientName is how a client that may be wanted is called: its name, in brackets
// if it is not confirmed, and its address.
func clientName(c *Client) string {
	switch {
	case c.Name == "":
		return "[" + c.Client + "]"
	case !c.Confirmed:
		return "(" + plain.Brief(c.Name) + ") [" + c.Client + "]"
	}
	return plain.Brief(c.Name) + " [" + c.Client + "]"
}
