package why

import (
	"fmt"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
)

// group prints a paragraph.
func (s *search) group(p plain.Paint, g *group) {
	r := g.newest
	said := explain.PaintAction(p, r.Decision.Decided, became(r))
	fmt.Fprintf(s.Stdout, "%s  %s%s  %s\n", p.Bold(s.time(g.last)), said, s.howOften(g), p.Dim(plain.OrDash(plain.Cell(r.ID))))
	s.wrapped("  ", who(g))
	s.wrapped("  ", strings.Join(because(g.newest), " "))
	if read := s.read(r); read != "" {
		s.wrapped("  ", "The sender read:")
		s.wrapped("    ", read)
	}
	s.wayOut(g)
	if len(s.Files) == 0 {
		s.call("All about the last one:", "explain --id "+plain.Cell(r.ID))
	}
}

// became is what became of a message, in words.
func became(r *journal.Record) string {
	d := &r.Decision
	switch {
	case r.NoAction:
		return "came to something that this version has no word for"
	case !d.CarriedOut():
		return "passed, as mode is observe: would have been " + participle(d.Decided)
	case d.Waiting > 0:
		return "deferred for now"
	case d.Decided != policy.DUNNO:
		return participle(d.Decided)
	case d.Exempt:
		return "passed by an exemption"
	case d.Early:
		return "passed for now"
	case d.Downgraded:
		return "passed in doubt"
	case d.Rule != "":
		return "passed by a rule"
	case len(d.Tags) > 0:
		return "passed with a tag"
	}
	return "passed"
}

func participle(a policy.Action) string {
	switch a {
	case policy.Reject:
		return "rejected"
	case policy.Defer:
		return "deferred"
	case policy.Hold:
		return "held for the administrator"
	}
	return a.String()
}

// howOften is how often that was.
func (s *search) howOften(g *group) string {
	if g.times < 2 {
		return ""
	}
	return fmt.Sprintf(", %s times since %s", plain.Number(g.times), s.time(g.first))
}

// who is a sentence about the clients, and one about the mail.
func who(g *group) string {
	var b strings.Builder
	r := g.newest
	if len(g.clients) > 0 {
		b.WriteString(crowd(g) + " The last was ")
	} else {
		b.WriteString("From ")
	}
	b.WriteString(explain.Client(&r.Request))
	switch name := explain.Name(r); {
	case name == "-" && r.Request.ClientName != "" && r.Request.ClientName != "unknown":
		fmt.Fprintf(&b, " (%s by Postfix's own lookup)", plain.Line(r.Request.ClientName))
	case name == "-":
	case name[0] == '(':
		fmt.Fprintf(&b, " (with the name %s, not confirmed)", strings.Trim(name, "()"))
	default:
		fmt.Fprintf(&b, " (%s)", name)
	}
	if helo := g.helos.String(); helo != "" {
		b.WriteString(", HELO " + helo)
	}
	if senders := g.senders.String(); senders != "" {
		b.WriteString("; sender " + senders)
	} else if r.Request.State == "RCPT" {
		b.WriteString("; sender <>")
	}
	if recipients := g.recipients.String(); recipients != "" {
		b.WriteString("; recipient " + recipients)
	}
	return b.String() + "."
}

// String lists the values for people.
func (f *few) String() string {
	var shown []string
	for _, v := range f.values {
		shown = append(shown, plain.Cell(v))
	}
	if f.more {
		return strings.Join(shown, ", ") + " and others"
	}
	return plain.List(shown, "and")
}

// crowd is a sentence about several clients.
func crowd(g *group) string {
	var most []string
	for _, c := range g.clients[:min(len(g.clients), mostAlone)] {
		most = append(most, fmt.Sprintf("%s (%s)", explain.Client(&c.newest.Request), plain.Number(c.times)))
	}
	than := ""
	if g.more {
		than = "more than "
	}
	return fmt.Sprintf("From %s%s, most from %s.", than, plain.Counted(len(g.clients), "client", "clients"), plain.List(most, "and"))
}

// because are sentences about the reason.
func because(r *journal.Record) (all []string) {
	d := &r.Decision
	reason := explain.Seen(r)
	rule := config.Quote(d.Rule)
	switch {
	case d.Exempt && d.Why != "":
		all = append(all, fmt.Sprintf("Exemption %s applied: %s.", rule, strings.TrimSuffix(plain.Line(d.Why), ".")))
	case d.Exempt:
		all = append(all, fmt.Sprintf("Exemption %s applied.", rule))
	case d.Early:
		all = append(all, fmt.Sprintf("Rule %s may spare it, and looks at what came later in the dialogue.", rule))
	case d.Rule != "":
		all = append(all, fmt.Sprintf("Rule %s decided.", rule))
	case !r.NoAction:
		all = append(all, "No rule decided.")
	}
	if reason != "" {
		all = append(all, speaks(d)+reason+".")
	}
	for _, name := range d.Tags {
		all = append(all, fmt.Sprintf("Rule %s tagged it: the message got a header that later filters can score.", config.Quote(name)))
	}
	if d.Action == policy.Hold {
		all = append(all, "Postfix keeps it in its hold queue: \"postqueue -p\" lists it, \"postsuper -H\" lets it go on, \"postsuper -d\" deletes it.")
	}
	if d.Downgraded {
		all = append(all, "It was not a reject, "+explain.Lesser(d)+".")
	}
	if waits, ok := strings.CutPrefix(explain.Waits(d), "deferred for now: "); ok {
		all = append(all, "It is "+waits+".")
	}
	return all
}

// speaks introduces a reason.
func speaks(d *policy.Decision) string {
	if d.Decided == policy.DUNNO {
		return "Seen: "
	}
	return "The reason: "
}

// maxRead bounds what a sender reads, in bytes: an SMTP reply line (RFC 5321 section
// 4.5.3.1.5).
const maxRead = 512

// read is what the sending server read; empty: nothing.
func (s *search) read(r *journal.Record) string {
	stage := "recipient"
	if r.Request.Recipient == "" {
		stage = "client"
	}
	return plain.Text(explain.Wrapped(&r.Request, &r.Facts, r.Decision.Action, r.Reply, stage), maxRead)
}

// wayOut tells what would let the clients pass that were not let pass, or would not be.
func (s *search) wayOut(g *group) {
	r := g.newest
	if d := &r.Decision; r.NoAction || d.Decided != policy.Hold && !d.Decided.Refuses() {
		return
	}
	about, subject, ok := "To let it pass:", exempt.Subject{}, false
	if subject, ok = subjectOf(r); !ok {
		return
	}
	if len(g.clients) > 0 {
		about = "To let one of them pass, here the last:"
	}
	s.call(about, strings.TrimPrefix(subject.Command(), "policyd-rdns "))
	if s.Block {
		fmt.Fprintf(s.Stdout, "  or, at the end of the configuration:\n%s", plain.Indent(plain.Indent(subject.Block())))
	}
}

// subjectOf is whom an exemption would be for; ok: there is somebody. A log may hold as a
// name what is none: that is not put into a command.
func subjectOf(r *journal.Record) (exempt.Subject, bool) {
	if !r.Request.Client.IsValid() {
		return exempt.Subject{}, false
	}
	subject := exempt.For(&r.Request, &r.Facts)
	if subject.Key == "ptr_name" && !hostname.Valid(subject.Value) {
		subject = exempt.Subject{Key: "client", Value: r.Request.Client.String()}
	}
	return subject, true
}

// call prints a call of this program on a line of its own, with the configuration that is
// in use.
func (s *search) call(about, call string) {
	if s.Config.Path != "" {
		call += " -c " + s.Config.Path
	}
	fmt.Fprintf(s.Stdout, "  %s\n    policyd-rdns %s\n", about, call)
}
