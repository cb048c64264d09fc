package doctor

import (
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/tagheader"
)

// wantHeaders says which headers to look up in header_checks, if a rule tags.
func (x *examination) wantHeaders(w *machine.Wanted) {
	if len(x.v.Tags) == 0 {
		return
	}
	ours, foreign := tagheader.Examples(x.v.Tags)
	w.Headers.Headers = append(ours, foreign)
	w.Headers.Tables, _ = machine.HeaderTables(x.headerChecks())
}

// headerChecks is the value of header_checks, of the service that has the headers.
func (x *examination) headerChecks() string {
	p := x.params()
	for i := range x.m.Postfix.Services {
		if s := &x.m.Postfix.Services[i]; s.Name == "cleanup" && s.Sets("header_checks") {
			p = x.m.Postfix.With(s)
			break
		}
	}
	return p.Expand(p["header_checks"])
}

// checkTags looks whether the header of a tag tells what it seems to: that of strangers
// is taken off their mail, and ours is not, on which Postfix's header_checks work too.
func checkTags(x *examination) []Finding {
	tables, others := machine.HeaderTables(x.headerChecks())
	read := &x.m.Headers
	switch {
	case len(x.v.Tags) == 0:
		return nil
	case read.Unread != "" || read.Actions == nil && len(tables) > 0:
		return []Finding{{ID: "tag.read", Level: Info, Title: "What header_checks do with the header of a tag could not be read: " + brief(read.Unread)}}
	}
	ours, foreign := tagheader.Examples(x.v.Tags)
	for _, h := range ours {
		if action := read.Actions[h]; action != "" && !tagheader.Harmless(action) {
			return []Finding{{
				"tag.stripped", Error, "header_checks take off the header of our own tags, too: " + brief(action),
				"Postfix looks at the header that the daemon adds as at those of the sender, so that no filter sees it. A pattern can tell them apart by the names of our rules, which strangers do not know.",
				x.stripForeign("# in its place, where " + brief(strings.Join(tables, ", ")) + " has it:"),
			}}
		}
	}
	if read.Actions[foreign] != "" && !tagheader.Harmless(read.Actions[foreign]) {
		return []Finding{{ID: "tag.foreign", Level: OK, Title: "header_checks take off the header of tags that are not ours"}}
	}
	f := Finding{
		"tag.foreign", Warning, "The header of a tag, X-Policyd-Rdns, is not taken off the mail of strangers",
		"A rule adds it for filters behind Postfix. Mail that comes from another host with policyd-rdns, or from who knows of yours, brings one along.",
		x.stripForeign(""),
	}
	if others {
		f.Level = Info // in a table that was not looked into
	}
	return []Finding{f}
}

// stripForeign are the commands by which all such headers go but those of our rules.
func (x *examination) stripForeign(instead string) []string {
	folder := x.params()["config_directory"]
	if folder == "" {
		folder = "/etc/postfix"
	}
	file := folder + "/policyd-rdns.header_checks"
	var lines []string
	if instead != "" {
		lines = append(lines, instead)
	}
	lines = append(lines, "printf '%s\\n' "+finding.QuoteShell("if !/"+tagheader.Pattern(x.v.Tags)+"/")+" "+finding.QuoteShell("/"+tagheader.Any+"/ IGNORE")+" endif > "+finding.QuoteShell(file))
	if was := x.headerChecks(); !strings.Contains(was, file) {
		lines = append(lines, x.setMain("header_checks", strings.TrimSuffix("regexp:"+file+", "+was, ", "))...)
	}
	return append(lines, "postfix reload")
}
