package past

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/past/answer"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/postfix"
)

// kept are records: a store, and what a daemon remembers.
type kept map[history.Party]history.Record

// keeping is held while any of them is looked at: a daemon's answers come from a goroutine
// of its own.
var keeping sync.Mutex

// left is how many records there are.
func (k kept) left() int {
	keeping.Lock()
	defer keeping.Unlock()
	return len(k)
}

func (k kept) Key(context.Context) (history.Key, error) { return history.Key{}, nil }
func (k kept) Shared() bool                             { return false }
func (k kept) Close() error                             { return nil }

func (k kept) Load(_ context.Context, parties []history.Party) (all []history.Record, err error) {
	keeping.Lock()
	defer keeping.Unlock()
	for _, p := range parties {
		all = append(all, k[p])
	}
	return all, nil
}

func (k kept) Save(_ context.Context, records []history.Stored) error {
	keeping.Lock()
	defer keeping.Unlock()
	for _, s := range records {
		k[s.Party] = s.Record
	}
	return nil
}

func (k kept) Delete(_ context.Context, parties []history.Party) error {
	keeping.Lock()
	defer keeping.Unlock()
	for _, p := range parties {
		delete(k, p)
	}
	return nil
}

func (k kept) Each(_ context.Context, each func(history.Party, *history.Record)) error {
	keeping.Lock()
	defer keeping.Unlock()
	for p, r := range k {
		each(p, &r)
	}
	return nil
}

func (k kept) Show(_ context.Context, p history.Party) (history.Record, bool) {
	keeping.Lock()
	defer keeping.Unlock()
	r, ok := k[p]
	return r, ok
}

func (k kept) Forget(ctx context.Context, parties []history.Party) (n int, err error) {
	for _, p := range parties {
		if _, ok := k.Show(ctx, p); ok {
			n++
		}
	}
	return n, k.Delete(ctx, parties)
}

var (
	_ history.Store = kept{}
	_ answer.Keeper = kept{}
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// ago is a moment so many hours before now.
func ago(hours int) history.Moment {
	return history.MomentOf(now.Add(-time.Duration(hours) * time.Hour))
}

// some are records of every kind.
func some() kept {
	return kept{
		"a:203.0.113.10":          {FirstContact: ago(100), LastContact: ago(1), FirstPass: ago(90), LastPass: ago(2), Returned: ago(99)},
		"a:203.0.113.11":          {FirstContact: ago(5), LastContact: ago(1), Returned: ago(4)},
		"a:203.0.113.12":          {FirstContact: ago(3), LastContact: ago(1), Objected: ago(3), LastObjection: ago(1), Deferrals: []history.Deferral{{Hash: 1, At: ago(3)}, {Hash: 2, At: ago(1)}}},
		"a:203.0.113.13":          {FirstContact: ago(500), LastContact: ago(400)}, // forgotten
		"a:2001:db8:0:1::5":       {FirstContact: ago(2), LastContact: ago(2)},
		"n:2001:db8:0:1::/64":     {FirstContact: ago(50), LastContact: ago(2), FirstPass: ago(50), LastPass: ago(2)},
		"o:example.com":           {FirstContact: ago(50), LastContact: ago(2), FirstPass: ago(2), LastPass: ago(2)},
		"h:example.com":           {FirstContact: ago(1), LastContact: ago(1)},
		"c:0123456789abcdef":      {FirstContact: ago(1), LastContact: ago(1)},
		"h:xn--mller-kva.example": {FirstContact: ago(1), LastContact: ago(1)},
	}
}

// called is one call of the command.
type called struct {
	stdout, stderr bytes.Buffer
	opened         []Access
}

// command makes the command of a configuration, with a store.
func command(t *testing.T, text string, store kept) (*Command, *called) {
	t.Helper()
	conf, err := config.Parse("x.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out called
	return &Command{Config: conf, Stdout: &out.stdout, Stderr: &out.stderr, Now: now, Open: func(_ context.Context, a Access) (history.Store, error) {
		out.opened = append(out.opened, a)
		return store, nil
	}}, &out
}

// daemon is one that remembers, on a unix socket or on TCP. It listens for the test, and
// gives its address.
func daemon(t *testing.T, address string, keeper answer.Keeper) string {
	t.Helper()
	l, err := postfix.Listen(address, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}
	server := postfix.Server{
		Handler: func(context.Context, *policy.Request) (postfix.Reply, func() postfix.Reply) {
			panic("asked for a decision")
		},
		Inquire: func(ctx context.Context, q *postfix.Inquiry) []postfix.Attribute {
			switch {
			case q.Query == "hash":
				return []postfix.Attribute{{Name: "hash", Value: "0123456789ab"}}
			case q.Asker != postfix.Owner:
				panic("asked over TCP")
			}
			return answer.Make(ctx, keeper, q.Query, s, now)
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if strings.HasPrefix(address, "unix:") {
		return address
	}
	return l.Addr().String()
}

// socket is a configuration whose daemon listens on a unix socket, and its address.
func socket(t *testing.T) (text, address string) {
	address = "unix:" + filepath.Join(t.TempDir(), "socket")
	return fmt.Sprintf("[server]\nlisten = [%q]\n", address), address
}

// file is a history.store that is there.
func file(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "history.sqlite")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[history]\nstore = %q\n", name)
}

const shownKnown = `203.0.113.10 (address): known until 2027-01-01 10:00, and longer if it passes before
  last contact   2026-11-27 11:00, first 2026-11-23 08:00
  last pass      2026-11-27 10:00, first 2026-11-23 18:00
  came back      2026-11-23 09:00
`

// TestShow prints records, as the daemon tells them or as the store has them.
func TestShow(t *testing.T) {
	for _, test := range []struct {
		text, want string
	}{
		{"203.0.113.10", shownKnown},
		{"::ffff:203.0.113.10", shownKnown},
		{"203.0.113.11", "203.0.113.11 (address): returned\n  last contact   2026-11-27 11:00, first 2026-11-27 07:00\n  came back      2026-11-27 08:00\n"},
		{"203.0.113.12", "203.0.113.12 (address): new\n  last contact   2026-11-27 11:00, first 2026-11-27 09:00\n" +
			"  objected since 2026-11-27 09:00, last 2026-11-27 11:00\n  deferred for   2 messages that may come again\n"},
		{"203.0.113.13", "nothing is remembered of 203.0.113.13\n"},
		{"203.0.113.14", "nothing is remembered of 203.0.113.14\n"},
		{"2001:db8:0:1::5", "2001:db8:0:1::5 (address): new\n  last contact   2026-11-27 10:00\n" +
			"2001:db8:0:1::/64 (network): known until 2027-01-01 10:00, and longer if it passes before\n" +
			"  last contact   2026-11-27 10:00, first 2026-11-25 10:00\n  last pass      2026-11-27 10:00, first 2026-11-25 10:00\n"},
		{"Example.COM.", "example.com (organisation): new\n  last contact   2026-11-27 10:00, first 2026-11-25 10:00\n  last pass      2026-11-27 10:00\n" +
			"example.com (HELO name): new\n  last contact   2026-11-27 11:00\n"},
		{"müller.example", "xn--mller-kva.example (HELO name): new\n  last contact   2026-11-27 11:00\n"},
	} {
		withSocket, address := socket(t)
		t.Run(test.text, func(t *testing.T) {
			daemon(t, address, some())
			asking, asked := command(t, withSocket, nil)
			opening, opened := command(t, "[server]\nlisten = []\n"+file(t), some())
			for what, of := range map[string]struct {
				c   *Command
				out *called
			}{"asked": {asking, asked}, "opened": {opening, opened}} {
				err := of.c.Show(t.Context(), test.text)
				if got := of.out.stdout.String(); got != test.want || (err != nil) != strings.HasPrefix(test.want, "nothing") || err != nil && !errors.Is(err, exit.ErrNotWell) {
					t.Errorf("%s: %v\n%s\nwant:\n%s", what, err, got, test.want)
				}
			}
			if len(asked.opened) > 0 || !slices.Equal(opened.opened, []Access{Read}) {
				t.Errorf("opened %v by one that can ask, %v by the other", asked.opened, opened.opened)
			}
		})
	}
}

// TestJSON has the forms of --json.
func TestJSON(t *testing.T) {
	c, out := command(t, "[server]\nlisten = []\n"+file(t), some())
	c.JSON = true
	_ = c.Show(t.Context(), "203.0.113.10")
	const shown = `{
  "parties": [
    {
      "kind": "address",
      "name": "203.0.113.10",
      "known": true,
      "known_until": "2027-01-01T10:00:00Z",
      "first_contact": "2026-11-23T08:00:00Z",
      "last_contact": "2026-11-27T11:00:00Z",
      "first_pass": "2026-11-23T18:00:00Z",
      "last_pass": "2026-11-27T10:00:00Z",
      "returned": "2026-11-23T09:00:00Z"
    }
  ]
}
`
	if got := out.stdout.String(); got != shown {
		t.Errorf("%s\nwant:\n%s", got, shown)
	}
	out.stdout.Reset()
	if err := c.Show(t.Context(), "192.0.2.1"); !errors.Is(err, exit.ErrNotWell) || out.stdout.String() != "{\n  \"parties\": []\n}\n" {
		t.Errorf("of nobody: %s, %v", out.stdout.String(), err)
	}
	out.stdout.Reset()
	if err := c.Forget(t.Context(), "example.com"); err != nil || out.stdout.String() != "{\n  \"forgotten\": 2\n}\n" {
		t.Errorf("forgotten: %s, %v", out.stdout.String(), err)
	}
}

// TestTotals counts, where the daemon remembers and where the store does.
func TestTotals(t *testing.T) {
	const want = `  ALL  KNOWN  RETURNED  OBJECTED PARTIES
    4      1         1         1 addresses
    1      1         0         0 networks (/64)
    1      0         0         0 organisations
    2      0         0         0 HELO names
    0      0         0         0 sender domains
    1      0         0         0 correspondents
`
	text, address := socket(t)
	daemon(t, address, some())
	asking, asked := command(t, text, nil)
	opening, opened := command(t, "[server]\nlisten = []\n"+file(t), some())
	for _, of := range []struct {
		c   *Command
		out *called
	}{{asking, asked}, {opening, opened}} {
		if err := of.c.Totals(t.Context()); err != nil || of.out.stdout.String() != want {
			t.Errorf("%v\n%q\nwant:\n%q", err, of.out.stdout.String(), want)
		}
	}
	asking.JSON = true
	asked.stdout.Reset()
	if err := asking.Totals(t.Context()); err != nil || !strings.Contains(asked.stdout.String(), `"helo": {
    "parties": 2,`) {
		t.Errorf("%s, %v", asked.stdout.String(), err)
	}
}

// TestForget forgets through the daemon, or in the store.
func TestForget(t *testing.T) {
	records := some()
	text, address := socket(t)
	daemon(t, address, records)
	c, out := command(t, text+file(t), nil)
	if err := c.Forget(t.Context(), "2001:db8:0:1::5"); err != nil || out.stdout.String() != "2001:db8:0:1::5: forgotten\n" || records.left() != len(some())-2 || len(out.opened) > 0 {
		t.Errorf("%v: %s; %d left, opened %v", err, out.stdout.String(), records.left(), out.opened)
	}
	c, out = command(t, "[server]\nlisten = []\n"+file(t), records)
	if err := c.Forget(t.Context(), "Example.com"); err != nil || records.left() != len(some())-4 || !slices.Equal(out.opened, []Access{Change}) {
		t.Errorf("%v: %d left, opened %v", err, records.left(), out.opened)
	}
	out.stdout.Reset()
	if err := c.Forget(t.Context(), "192.0.2.1"); !errors.Is(err, exit.ErrNotWell) || out.stdout.String() != "nothing was remembered of 192.0.2.1\n" {
		t.Errorf("%v: %s", err, out.stdout.String())
	}
}

// TestDaemonOnTCP: it tells nobody over TCP; the file is read and not changed.
func TestDaemonOnTCP(t *testing.T) {
	records := some()
	listen := fmt.Sprintf("[server]\nlisten = [%q]\n", daemon(t, "127.0.0.1:0", records))
	c, out := command(t, listen+file(t), records)
	if err := c.Show(t.Context(), "203.0.113.10"); err != nil || out.stdout.String() != shownKnown || !slices.Equal(out.opened, []Access{Read}) {
		t.Errorf("%v: %s, opened %v", err, out.stdout.String(), out.opened)
	}
	err := c.Forget(t.Context(), "203.0.113.10")
	if err == nil || exit.Status(err) != exit.NotWell || !strings.Contains(err.Error(), `add "unix:/run/policyd-rdns/socket" to listen`) || records.left() != len(some()) || len(out.opened) != 1 {
		t.Errorf("%v; %d left, opened %v", err, records.left(), out.opened)
	}
	c, out = command(t, listen, records)
	if err := c.Show(t.Context(), "203.0.113.10"); err == nil || !strings.Contains(err.Error(), "in memory alone") || len(out.opened) > 0 {
		t.Errorf("%v, opened %v", err, out.opened)
	}
}

// TestNobodyToAsk: what is said where there is neither a daemon nor a store.
func TestNobodyToAsk(t *testing.T) {
	for text, want := range map[string]string{
		"[server]\nlisten = []\n": "cannot tell: no daemon runs here, and history.store is empty",
		"[server]\nlisten = []\n[history]\nstore = \"/nonexistent/history.sqlite\"\n": "cannot tell: stat /nonexistent/history.sqlite: no such file or directory",
	} {
		c, out := command(t, text, some())
		if err := c.Show(t.Context(), "203.0.113.10"); err == nil || err.Error() != want || len(out.opened) > 0 {
			t.Errorf("%q: %v; want %s", text, err, want)
		}
	}
	text, address := socket(t)
	daemon(t, address, nil)
	c, _ := command(t, text, nil)
	if err := c.Show(t.Context(), "203.0.113.10"); err == nil || !strings.Contains(err.Error(), "nothing is remembered, as no rule") {
		t.Error(err)
	}
}

// TestSubject: what is no party is wrong usage.
func TestSubject(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.10": "203.0.113.10", "2001:DB8::1": "2001:db8::1", "2001:db8:0:1::5/64": "2001:db8:0:1::/64", "MX.Example.com.": "mx.example.com",
		"203.0.113.0/24": "", "2001:db8::/48": "", "localhost": "", "": "", "a b.example": "", "user@example.com": "", "fe80::1%eth0": "", "a\nquery=hash.example": "",
	} {
		got, err := subject(in)
		if got != want || (err == nil) != (want != "") || err != nil && exit.Status(err) != exit.Misused {
			t.Errorf("subject(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestImportPostgrey takes over a folder.
func TestImportPostgrey(t *testing.T) {
	folder := t.TempDir()
	last := now.Add(-time.Hour).Unix()
	for name, text := range map[string]string{
		"clients.dump": fmt.Sprintf("VERSION=3\nformat=print\ntype=btree\nHEADER=END\n 203.0.113.10\n 9,%d\n 203.0.113.11\n 1,%d\n 203.0.113.12\n 9,%d\nDATA=END\n",
			last, last, now.Add(-1000*time.Hour).Unix()),
		"whitelist_clients":             "mail.example.org\n/^mx/\n",
		"postgrey_whitelist_recipients": "abuse@\n",
		"postgrey.lock":                 "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := kept{}
	c, out := command(t, "[server]\nlisten = []\n[history]\nstore = "+fmt.Sprintf("%q", filepath.Join(folder, "history.sqlite")), store)
	if err := c.ImportPostgrey(t.Context(), folder); err != nil {
		t.Error(err)
	}
	if _, err := config.Parse("x.toml", out.stdout.Bytes()); err != nil || strings.Count(out.stdout.String(), "[[exempt]]") != 2 {
		t.Errorf("%v:\n%s", err, out.stdout.String())
	}
	wantErr := "not taken over: " + folder + "/whitelist_clients:2: /^mx/: a regular expression: name the hosts that are meant\n" +
		"not taken over: 1 party of which it was too long ago\n" +
		"policyd-rdns: 2 parties taken over, of which 1 is known\n"
	if out.stderr.String() != wantErr {
		t.Errorf("stderr:\n%s\nwant:\n%s", out.stderr.String(), wantErr)
	}
	if got := slices.Sorted(maps.Keys(store)); !slices.Equal(got, []history.Party{"a:203.0.113.10", "a:203.0.113.11"}) || !slices.Equal(out.opened, []Access{Create}) {
		t.Errorf("kept %q, opened %v", got, out.opened)
	}

	// Without a store the exemptions are printed all the same.
	c, out = command(t, "[server]\nlisten = []\n", nil)
	if err := c.ImportPostgrey(t.Context(), folder); err == nil || !strings.HasPrefix(err.Error(), "2 parties cannot be kept: history.store is empty") || out.stdout.Len() == 0 {
		t.Error(err)
	}
	if err := c.ImportPostgrey(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "nothing of postgrey's is there") {
		t.Error(err)
	}
	database := t.TempDir()
	if err := os.WriteFile(filepath.Join(database, "postgrey.db"), []byte("\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x62\x31\x05\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.ImportPostgrey(t.Context(), database); !errors.Is(err, exit.ErrNotWell) || !strings.Contains(out.stderr.String(), "with db_dump -p") {
		t.Errorf("%v: %s", err, out.stderr.String())
	}
}

// TestOwnedByFolder: what root makes for the daemon belongs to the daemon.
func TestOwnedByFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "history.sqlite")
	for _, name := range []string{file, file + "-wal", filepath.Join(folder, "another")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const daemonUser = 64999
	if err := os.Chown(folder, daemonUser, daemonUser); err != nil {
		t.Fatal(err)
	}
	if err := ownedByFolder(file); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{file: daemonUser, file + "-wal": daemonUser, filepath.Join(folder, "another"): 0} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
			t.Errorf("%s is of user %d; want %d", name, got, want)
		}
	}
}

// FuzzAnswer reads anything as the daemon's answer: it never panics, and whom it is of
// was asked for.
func FuzzAnswer(f *testing.F) {
	for _, a := range answer.Make(f.Context(), some(), "past 203.0.113.10", &history.Settings{}, now) {
		f.Add("203.0.113.10", a.Value)
	}
	f.Add("example.com", "1 2 3 4")
	f.Fuzz(func(t *testing.T, text, value string) {
		told := map[string]string{"parties": "1", "party0": value, "forgotten": value}
		for _, kind := range answer.Kinds() {
			told["total_"+string(rune(kind))] = value
		}
		if all, err := answer.Records(text, told); err == nil {
			for _, s := range all {
				if !slices.Contains(history.PartiesOf(text), s.Party) {
					t.Errorf("%q: %v", text, s)
				}
			}
		}
		_, _ = answer.ReadTotals(told)
		_, _ = answer.Forgotten(told)
	})
}
