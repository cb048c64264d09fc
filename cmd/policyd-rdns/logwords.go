package main

import (
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// actionText is what became of a request, in brackets if it was not carried
// out.
func actionText(d *policy.Decision) string {
	if d.Action != d.Decided {
		return "(" + d.Decided.String() + ")"
	}
	return d.Action.String()
}

func clientText(q *policy.Request) string {
	if q.Client.IsValid() {
		return q.Client.String()
	}
	return orDash(safe(q.ClientText))
}

// nameText is the client's confirmed name, or in brackets one that it claims.
func nameText(r *journal.Record) string {
	f := &r.Facts
	for i := range f.Names {
		if f.Names[i].Lead.To(r.Request.Client) {
			return safe(f.Names[i].Name)
		}
	}
	if len(f.Names) > 0 {
		return "(" + safe(f.Names[0].Name) + ")"
	}
	return "-"
}

// reason says in words what speaks against a client, or what else there is to
// say of the decision.
func reason(r *journal.Record) string {
	var all []string
	add := func(s string) {
		if s != "" {
			all = append(all, s)
		}
	}
	d, f := &r.Decision, &r.Facts
	switch {
	case f.Outage:
		add("no DNS server answered")
	case f.Overload:
		add("the daemon was overloaded")
	}
	add(nameWords(r))
	add(heloWords(r))
	if len(f.Errors) > 0 && d.Downgraded {
		add(safe(f.Errors[0]))
	}
	if len(all) == 0 && d.Decided != policy.DUNNO {
		// A rule of the file's own: what it says is the reason.
		add(safe(replyText(r.Reply)))
	}
	if r.Request.Authenticated {
		add("logged in")
	}
	for _, v := range d.Would {
		add("observed: " + v.Action.String() + " by " + safe(v.Rule))
	}
	if len(all) == 0 && d.Checks[policy.CheckFCrDNS] == policy.Pass {
		add("name confirmed")
	}
	return strings.Join(all, "; ")
}

// nameWords says what is wrong with the client's names.
func nameWords(r *journal.Record) string {
	c := &r.Decision.Checks
	switch c[policy.CheckPTR] {
	case policy.None:
		return "no reverse name"
	case policy.Malformed:
		return "reverse name is malformed"
	case policy.TempError:
		return "reverse name not learnt"
	}
	var words string
	switch c[policy.CheckFCrDNS] {
	case policy.Mismatch:
		words = "name leads to " + firstLead(r.Facts.Names)
	case policy.Unresolved:
		words = "name leads nowhere"
	case policy.TempError:
		words = "name not confirmed, for trouble with the DNS"
	}
	if c[policy.CheckName] != policy.Generic {
		return words
	}
	if words != "" {
		words += ", "
	}
	for i := range r.Facts.Names {
		if v := &r.Facts.Names[i].Verdict; v.Generic {
			return words + "generic name: " + safe(evidence(*v))
		}
	}
	return words + "generic name"
}

// firstLead is where the first name leads that leads anywhere.
func firstLead(names []policy.Name) string {
	for i := range names {
		if l := &names[i].Lead; len(l.Addrs) > 0 {
			return leadText(l)
		}
	}
	return "another address"
}

// heloWords says what is wrong with the greeting.
func heloWords(r *journal.Record) string {
	c := &r.Decision.Checks
	switch c[policy.CheckHELO] {
	case policy.Own:
		return "greets with our name"
	case policy.TempError:
		return "greeting not learnt"
	case policy.Mismatch:
		switch c[policy.CheckHELOForm] {
		case policy.BareIP:
			return "greets with a bare address"
		case policy.Literal:
			return "greets with another address"
		}
		return "greeting leads to " + leadText(&r.Facts.HELO.Lead)
	case policy.Unresolved:
		switch c[policy.CheckHELOForm] {
		case policy.Unqualified:
			return "greeting is no host name"
		case policy.Malformed:
			return "greeting is malformed"
		case policy.Literal:
			return "greets with an address of the other family"
		}
		return "greeting leads nowhere"
	}
	switch c[policy.CheckHELOForm] {
	case policy.Missing:
		return "no greeting"
	case policy.BareIP:
		return "greets with a bare address"
	}
	return ""
}

// replyText is the text of a reply without its codes.
func replyText(reply string) string {
	if strings.HasPrefix(reply, "INFO ") {
		_, text, _ := strings.Cut(reply, ": ")
		return text
	}
	_, rest, _ := strings.Cut(reply, " ")
	_, text, _ := strings.Cut(rest, " ")
	return text
}
