package doctor

import (
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/tagheader"
)

// TestTags: what is said of the header of a tag, by what header_checks do with ours and
// with that of a stranger.
func TestTags(t *testing.T) {
	const table = "header_checks = regexp:/etc/postfix/header_checks\n"
	rules := []string{"consumer/lines; odd", "strangers"}
	ours, foreign := tagheader.Examples(rules)
	all := map[string]string{foreign: "IGNORE"}
	for _, h := range ours {
		all[h] = "IGNORE"
	}
	const pattern = `printf '%s\n' 'if !/^X-Policyd-Rdns: rule=(consumer.lines, odd|strangers)(, (consumer.lines, odd|strangers))*(;|$)/' '/^X-Policyd-Rdns:/ IGNORE' endif > '/etc/postfix/policyd-rdns.header_checks'`
	for _, test := range []struct {
		name, main string
		tags       []string
		read       machine.HeaderChecks
		want       []string
		id, do     string
	}{
		{name: "nobody tags", main: table, read: machine.HeaderChecks{Actions: all}},
		{
			name: "none", tags: rules, want: []string{"warning tag.foreign"}, id: "tag.foreign",
			do: pattern + "\npostconf -e 'header_checks = regexp:/etc/postfix/policyd-rdns.header_checks'\npostfix reload",
		},
		{
			name: "for something else", main: table, tags: rules, read: machine.HeaderChecks{Actions: map[string]string{foreign: "INFO seen"}},
			want: []string{"warning tag.foreign"}, id: "tag.foreign",
			do: "postconf -e 'header_checks = regexp:/etc/postfix/policyd-rdns.header_checks, regexp:/etc/postfix/header_checks'",
		},
		{
			name: "all of them", main: table, tags: rules, read: machine.HeaderChecks{Actions: all},
			want: []string{"error tag.stripped"}, id: "tag.stripped", do: "# in its place, where regexp:/etc/postfix/header_checks has it:\n" + pattern,
		},
		{name: "well", main: table, tags: rules, read: machine.HeaderChecks{Actions: map[string]string{foreign: "IGNORE"}}},
		{name: "of cleanup", main: "cleanup unix n - y - 0 cleanup\n  -o header_checks=regexp:/etc/postfix/header_checks\n", tags: rules, read: machine.HeaderChecks{Actions: map[string]string{foreign: "REJECT no"}}},
		{name: "unread", main: table, tags: rules, read: machine.HeaderChecks{Unread: "no program postmap on this host"}, want: []string{"info tag.read"}},
		{name: "from a file", main: table, tags: rules, want: []string{"info tag.read"}},
		{name: "elsewhere", main: "header_checks = mysql:/etc/postfix/headers.cf\n", tags: rules, want: []string{"info tag.foreign"}},
	} {
		m, v := wellMachine(good+test.main), view()
		m.Headers, v.Tags = test.read, test.tags
		t.Run(test.name, func(t *testing.T) { check(t, m, v, test.want, test.id, test.do) })
	}
}
