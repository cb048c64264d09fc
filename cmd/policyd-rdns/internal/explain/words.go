package explain

import (
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
)

// Action is what became of a request, in brackets if it was not carried
// out.
func Action(d *policy.Decision) string {
	if !d.CarriedOut() {
		return "(" + d.Decided.String() + ")"
	}
	return d.Action.String()
}

// Client is the client, or what Postfix said in place of its address.
func Client(q *policy.Request) string {
	if q.Client.IsValid() {
		return q.Client.String()
	}
	return plain.OrDash(plain.Line(q.ClientText))
}

// Name is the client's confirmed name, or in brackets one that it claims.
func Name(r *journal.Record) string {
	f := &r.Facts
	for i := range f.Names {
		if f.Names[i].Forward.To(r.Request.Client) {
			return plain.Line(f.Names[i].Name)
		}
	}
	if len(f.Names) > 0 {
		return "(" + plain.Line(f.Names[0].Name) + ")"
	}
	return "-"
}

// Reason says in words what speaks against a client, or what else there is to
// say of the decision; last that it is a defer for now, if it is.
func Reason(r *journal.Record) string {
	reason, waits := Seen(r), Waits(&r.Decision)
	if reason != "" && waits != "" {
		reason += "; "
	}
	return reason + waits
}

// Seen is Reason without what will become of the decision.
func Seen(r *journal.Record) string {
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
	for _, text := range d.Checks.Objections(&r.Request, f) {
		add(plain.Line(text))
	}
	if len(f.Errors) > 0 && d.Downgraded {
		about := f.Errors[0].About
		add(plain.Line(about + ": " + f.Why(about)))
	}
	if len(all) == 0 && d.Decided != policy.DUNNO {
		// A rule of the file's own: what it says is the reason.
		add(plain.Line(reply.Sentence(replyText(r.Reply))))
	}
	if worthSaying(r) {
		add(Remembered(r))
	}
	add(standing(d))
	if r.Request.Authenticated {
		add("logged in")
	}
	if len(d.Tags) > 0 {
		add("tagged by " + plain.Line(strings.Join(d.Tags, ", ")))
	}
	for _, v := range d.Would {
		add("observed: " + v.Action.String() + ` by "` + plain.Line(v.Rule) + `"`)
	}
	if len(all) == 0 && d.Checks[policy.CheckFCrDNS] == policy.Pass {
		add("name confirmed")
	}
	return strings.Join(all, "; ")
}

// standing says why a client passes that the rules might object to.
func standing(d *policy.Decision) string {
	switch {
	case d.Exempt && d.Why != "":
		return "exempt: " + plain.Line(d.Why)
	case d.Exempt:
		return "exempt"
	case d.Early:
		return "judged later: this stage cannot tell whether it is spared"
	}
	return ""
}

// replyText is the text of a reply without its codes.
func replyText(reply string) string {
	if text, held := strings.CutPrefix(reply, "HOLD "); held {
		return text
	}
	if strings.HasPrefix(reply, "INFO ") {
		_, text, _ := strings.Cut(reply, ": ")
		return text
	}
	_, rest, _ := strings.Cut(reply, " ")
	_, text, _ := strings.Cut(rest, " ")
	return text
}

// Result is the result of a check; "-" if it was not needed.
func Result(r policy.Result) string {
	if r == policy.NotLearnt {
		return "-"
	}
	return r.String()
}
