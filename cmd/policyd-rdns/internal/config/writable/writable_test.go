package writable

import (
	"io/fs"
	"strings"
	"testing"
)

// TestByStrangers: who may write where the log is, or above.
func TestByStrangers(t *testing.T) {
	const sticky = fs.ModeSticky
	for _, test := range []struct {
		about string
		uid   int
		files map[string]owned // root's 0755 if they are not told
		links map[string]string
		want  string
	}{
		{about: "the usual", uid: 103, files: map[string]owned{"/var/log/policyd-rdns": {0o750, 103, 103}}},
		{about: "syslog's folder", files: map[string]owned{"/var/log": {0o775, 0, 104}}},
		{about: "DynamicUser", files: map[string]owned{"/var/log/policyd-rdns": {0o755, 61234, 61234}}},
		{about: "everybody", files: map[string]owned{"/var/log/policyd-rdns": {0o777, 103, 103}}, want: "folder /var/log/policyd-rdns may be written to by everybody"},
		{about: "sticky", files: map[string]owned{"/var/log/policyd-rdns": {0o777 | sticky, 0, 0}}, want: "folder /var/log/policyd-rdns may be written to by everybody"},
		{about: "a parent", files: map[string]owned{"/var/log": {0o777, 0, 0}}, want: "folder /var/log may be written to by everybody"},
		{about: "a sticky parent", files: map[string]owned{"/var/log": {0o777 | sticky, 0, 0}}},
		{about: "the root", files: map[string]owned{"/": {0o777, 0, 0}}, want: "folder / may be written to by everybody"},
		{about: "a group of people", files: map[string]owned{"/var/log/policyd-rdns": {0o770, 103, 1000}}, want: "folder /var/log/policyd-rdns may be written to by group 1000"},
		{about: "all people", files: map[string]owned{"/var/log": {0o775, 0, 100}}, want: "folder /var/log may be written to by group 100"},
		{about: "people who only read", files: map[string]owned{"/var/log/policyd-rdns": {0o750, 103, 1000}}},
		{about: "one's own group", uid: 1000, files: map[string]owned{"/var/log/policyd-rdns": {0o770, 1000, 1000}}},
		{about: "another's folder", uid: 103, files: map[string]owned{"/var/log/policyd-rdns": {0o755, 1001, 1001}}, want: "folder /var/log/policyd-rdns may be written to by its owner, user 1001"},
		{about: "the daemon's, as root sees it", files: map[string]owned{"/var/log/policyd-rdns": {0o755, 1001, 1001}}},
		{about: "the file", files: map[string]owned{"/var/log/policyd-rdns/d.log": {0o666, 103, 103}}, want: "file /var/log/policyd-rdns/d.log may be written to by everybody"},
		{about: "no file", files: map[string]owned{"/var/log/policyd-rdns/d.log": {fs.ModeNamedPipe | 0o666, 103, 103}}},
		{
			about: "a link to another folder", links: map[string]string{"/var/log/policyd-rdns": "/srv/log"},
			files: map[string]owned{"/srv": {0o777, 0, 0}}, want: "folder /srv may be written to by everybody",
		},
		{
			about: "a link where anybody could make it", links: map[string]string{"/var/log/policyd-rdns/d.log": "/srv/log/d.log"},
			files: map[string]owned{"/var/log/policyd-rdns": {0o777, 0, 0}}, want: "folder /var/log/policyd-rdns may be written to by everybody",
		},
	} {
		o := &onlooker{
			stat: func(path string) (owned, error) {
				f, told := test.files[path]
				switch {
				case told:
					return f, nil
				case strings.HasSuffix(path, ".log"):
					return owned{}, fs.ErrNotExist
				}
				return owned{mode: 0o755}, nil
			},
			resolve: func(path string) (string, error) {
				for from, to := range test.links {
					if rest, ok := strings.CutPrefix(path, from); ok {
						return to + rest, nil
					}
				}
				return path, nil
			},
			uid: test.uid, gids: []int{test.uid},
		}
		got := o.exposed("/var/log/policyd-rdns/d.log")
		if got != test.want && got != "the "+test.want {
			t.Errorf("%s: exposed = %q; want %q", test.about, got, test.want)
		}
	}
}
