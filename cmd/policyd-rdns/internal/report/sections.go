package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (r *Report) groupSection(id, title, noun string, g *Groups) section {
	t := table{caption: title, columns: []column{
		{title: noun},
		{title: "decisions", numeric: true},
		{title: "messages", numeric: true},
		{title: "rejected", numeric: true},
		{title: "deferred", numeric: true},
		{title: "observed", numeric: true},
		{title: "rule"},
		{title: "senders"},
		{title: "first", time: true},
		{title: "last", time: true},
	}}
	for i := range g.List {
		one := &g.List[i]
		name := cell{Text: safe(one.Name)}
		if noun == "domain" && !one.Confirmed {
			name.Text, name.Sort = "("+name.Text+")", name.Text
		}
		t.rows = append(t.rows, []cell{
			name, count(one.Decisions), count(one.Messages), count(one.Rejected), count(one.Deferred), count(one.Observed),
			text(ruleText(one.Rule)), text(senderWords(one.Senders, one.MoreSenders)), r.moment(one.First), r.moment(one.Last),
		})
	}
	s := section{id: id, title: title, notes: append(more(g.More, noun), cut(g.Cut, noun, g.Others)...)}
	switch {
	case len(g.List) == 0:
		s.text = []string{"Nobody was refused."}
		return s
	case noun == "domain":
		s.text = []string{"By the organisational domain of the clients' names. One in brackets is only claimed: the name does not resolve to the client. Senders are what clients said; anyone may say so."}
	default:
		s.text = []string{"A /24 of IPv4, a /48 of IPv6. Senders are what clients said; anyone may say so."}
	}
	s.tables = []table{t}
	return s
}

func (r *Report) troubleSection() section {
	s := section{id: "dns", title: "Trouble with the DNS"}
	if r.DNS.Decisions == 0 {
		s.text = []string{"None: no lookup failed."}
		return s
	}
	s.text = []string{fmt.Sprintf("A lookup failed for %s (%s). Zones are organisational domains, and the reverse zones of a /24 or a /48.",
		plural(r.DNS.Decisions, "decision"), percent(r.DNS.Decisions, r.Total.Decisions))}
	for _, fault := range slices.Sorted(maps.Keys(r.DNS.Other)) {
		s.notes = append(s.notes, fmt.Sprintf("Without a server: %s, %s.", safe(fault), times(r.DNS.Other[fault])))
	}
	if len(r.DNS.Servers) > 0 {
		s.tables = append(s.tables, r.serverTable())
	}
	if len(r.DNS.Zones) > 0 {
		s.tables = append(s.tables, r.zoneTable())
	}
	s.notes = append(s.notes, append(more(r.DNS.MoreZones, "zone"), cut(r.DNS.Cut, "zone", Count{})...)...)
	return s
}

// serverTable has a row for each server.
func (r *Report) serverTable() table {
	t := table{caption: "Lookups that failed, by server", columns: []column{{title: "server"}, {title: "failed", numeric: true}, {title: "how"}}}
	sums, how := map[string]int{}, map[string][]string{}
	var servers []string
	for _, f := range r.DNS.Servers {
		if sums[f.Server] == 0 {
			servers = append(servers, f.Server)
		}
		sums[f.Server] += f.Times
		how[f.Server] = append(how[f.Server], safe(f.Fault)+" "+number(f.Times))
	}
	slices.SortStableFunc(servers, func(a, b string) int { return cmp.Compare(sums[b], sums[a]) })
	for _, s := range servers {
		t.rows = append(t.rows, []cell{text(s), count(sums[s]), text(strings.Join(how[s], ", "))})
	}
	return t
}

func (r *Report) zoneTable() table {
	t := table{caption: "Lookups that failed, by zone", columns: []column{
		{title: "zone"}, {title: "decisions", numeric: true}, {title: "fault"}, {title: "asked for, as"}, {title: "first", time: true}, {title: "last", time: true},
	}}
	for _, z := range r.DNS.Zones {
		t.rows = append(t.rows, []cell{
			text(safe(z.Zone)), count(z.Decisions), text(safe(z.Fault)), text(safe(z.Example)), r.moment(z.First), r.moment(z.Last),
		})
	}
	return t
}

func (r *Report) speedSection() section {
	sp := &r.Speed
	s := section{id: "speed", title: "Speed", text: []string{
		fmt.Sprintf("Half of the decisions took %s at most, 90%% %s, 99%% %s; the slowest %s.",
			millisText(sp.P50), millisText(sp.P90), millisText(sp.P99), millisText(sp.Max)),
		fmt.Sprintf("%s needed the DNS; %s of these were answered from the cache alone. %s were sent.",
			plural(sp.Asked, "decision"), percent(sp.Cached, sp.Asked), plural(sp.Questions, "question")),
	}}
	t := table{caption: "The slowest decision of each of the slowest clients", columns: []column{
		{title: "time", time: true}, {title: "took", numeric: true}, {title: "client"}, {title: "name"}, {title: "questions", numeric: true}, {title: "fault"},
	}}
	for _, one := range sp.Slowest {
		t.rows = append(t.rows, []cell{
			r.moment(one.At),
			{Text: millisText(one.MS), Sort: fmt.Sprint(one.MS)},
			text(one.Client), text(orDash(safe(one.Name))), count(one.Questions), text(orDash(safe(one.Fault))),
		})
	}
	s.tables = []table{t}
	return s
}

func (r *Report) exemptionsSection() section {
	s := section{id: "exemptions", title: "Exemptions"}
	if len(r.Exemptions) == 0 {
		s.text = []string{"The configuration has none."}
		return s
	}
	s.text = []string{
		"Rules that let clients pass, and the tables of unless. Each record was judged again without each of them. " +
			"Spared: would have been refused, or observed, without it. Needless: would have passed all the same. " +
			"Not known: the DNS was not asked what the other rules need.",
	}
	t := table{caption: "Exemptions", columns: []column{
		{title: "exemption"},
		{title: "for"},
		{title: "spared", numeric: true},
		{title: "needless", numeric: true},
		{title: "not known", numeric: true},
		{title: "last used", time: true},
		{title: "state"},
	}}
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
		t.rows = append(t.rows, []cell{
			text(name), text(safe(e.Holds)), count(e.Spared), count(e.Needless), count(e.Unknown), last,
			{Text: orDash(r.stateWords(e)), Mark: stateMark(e)},
		})
	}
	s.tables = []table{t}
	return s
}

// stateWords says what is to be done about an exemption.
func (r *Report) stateWords(e *Exemption) string {
	var words []string
	if e.used() == 0 {
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

func stateMark(e *Exemption) string {
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
	for _, p := range []struct {
		n    int
		what string
	}{{c.Rejected, "rejected"}, {c.Deferred, "deferred"}, {c.Observed, "only observed"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	by := "by rule"
	if len(c.Rules) > 1 {
		by = "mostly by rule"
	}
	lines := []string{
		fmt.Sprintf("%s: %s, %s \"%s\"", plural(c.Messages, "message"), strings.Join(parts, ", "), by, ruleText(c.Rules[0])),
		fmt.Sprintf("%s to %s, from %s", r.when(c.First), r.when(c.Last), domainWords(c.Senders)),
	}
	if c.Accepted > 0 {
		lines[0] += fmt.Sprintf("; %s accepted later", plural(c.Accepted, "message"))
	}
	if c.Settled {
		lines = append(lines, "the last message was accepted: perhaps there is nothing left to do")
	}
	if n := len(c.Also); n > 0 {
		lines = append(lines, fmt.Sprintf("with %s of the same domain: %s", plural(n, "other client"), strings.Join(c.Also, ", ")))
	}
	return lines
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
		return "(" + safe(c.Name) + ") [" + c.Client + "]"
	}
	return safe(c.Name) + " [" + c.Client + "]"
}
