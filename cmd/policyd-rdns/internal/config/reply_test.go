package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

// TestContact: mail to whom the refused may write to is exempt, as mail to postmaster@ is,
// unless that exemption is switched off.
func TestContact(t *testing.T) {
	const off = "[[exempt]]\nname = \"postmaster\"\noff = true\n"
	for _, tt := range []struct {
		text, recipient string
		want            policy.Action
	}{
		{"", "postmaster@example.com", policy.DUNNO},
		{"", "help@example.com", policy.Reject},
		{"[reply]\ncontact = \"help\"\n", "help@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "HELP@example.net", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "postmaster@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "user@example.com", policy.Reject},
		{"[reply]\ncontact = \"help@example.com\"\n", "help@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help@example.com\"\n", "help@example.net", policy.Reject},
		{"[reply]\ncontact = \"\"\n", "postmaster@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n" + off, "help@example.com", policy.Reject},
	} {
		c, err := Parse("x.toml", []byte(tt.text+"[[rule]]\nname = \"all\"\nwhen = { client = \"0.0.0.0/0\" }\naction = \"reject\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		req := policy.Request{Client: netip.MustParseAddr("203.0.113.10"), State: "RCPT", Recipient: tt.recipient}
		f := policy.NewFacts(&req)
		f.Past.Asked, f.Past.DomainAsked = true, true
		f.SPF.Result = policy.None
		if d := c.Rules.Judge(&req, &f); d.Decided != tt.want {
			t.Errorf("%q: mail to %s: %s by %q; want %s", tt.text, tt.recipient, d.Decided, d.Rule, tt.want)
		}
	}
}

// TestWarnKeys: keys that others may have, or that the daemon may not, are told of, with what
// to do, wherever they are.
func TestWarnKeys(t *testing.T) {
	state := t.TempDir()
	t.Setenv("STATE_DIRECTORY", state)
	named := filepath.Join(t.TempDir(), "keys")
	kept := filepath.Join(state, StateKeys)
	for _, file := range []string{named, kept} {
		if err := os.WriteFile(file, []byte("key-1-0123456789abcdef\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const help = "[reply]\nhelp = \"https://mx.example.com/\"\n"
	inState := help + "listen = \"127.0.0.1:10042\"\n"
	inFile := help + fmt.Sprintf("key_file = %q\n", named)
	root := os.Geteuid() == 0
	for _, tt := range []struct {
		text, file string
		mode       os.FileMode
		owner      int // of the folder, and of the file's group; 0: root's
		want       string
	}{
		{inState, kept, 0o600, 0, ""},
		{inState, kept, 0o604, 0, "has the mode 0604, so that others than its owner may read or write it: who has a key makes case numbers"},
		{inFile, kept, 0o604, 0, ""}, // nobody reads that
		{help, kept, 0o604, 0, ""},
		{inFile, named, 0o400, 0, ""},
		{inFile, named, 0o602, 0, "want chmod 600, and the daemon's user as its owner"},
		{inFile, named, 0o640, 1234, "has the mode 0640"},
		{inFile, named, 0o620, 1234, "has the mode 0620"},
		{inState, kept, 0o640, 1234, "has the mode 0640"},
		// Group root is root alone; so it looks where systemd's LoadCredential= lets a user by ACL.
		{inFile, named, 0o440, 0, ""},
		{inState, kept, 0o600, 1234, "belongs to user 0, and its folder to user 1234, as whom the daemon runs: it cannot read it, and makes a key that ends with each run; want \"chown 1234 " + kept + "\""},
		{inFile, named, 0o600, 1234, ""}, // its folder is anybody's
	} {
		if !root && tt.mode&0o070 != 0 || !root && tt.owner != 0 {
			continue // needs root to give files away
		}
		group := tt.owner
		for _, file := range []string{named, kept} {
			for path, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			if root && os.Chown(filepath.Dir(file), tt.owner, group) != nil || root && os.Chown(file, 0, group) != nil {
				t.Fatalf("chown %s", file)
			}
		}
		if err := os.Chmod(tt.file, tt.mode); err != nil {
			t.Fatal(err)
		}
		c, err := Parse("x.toml", []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range c.AllWarnings() {
			if text := w.Error(); strings.Contains(text, "key_file") {
				got = append(got, text)
			}
		}
		all := strings.Join(got, "\n")
		if (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
			t.Errorf("%s of mode %04o, folder of %d, with\n%s: warnings %q; want %q", tt.file, tt.mode, tt.owner, tt.text, got, tt.want)
		}
	}
}
