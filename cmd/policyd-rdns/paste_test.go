package main

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// offered is a block that a command offered, to let some clients pass.
type offered struct {
	by    string // the command
	block string // as it is shown
	whose []netip.Addr
}

// pasteFiles are the configurations that blocks are pasted at the end of.
func pasteFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{"(empty)": ""}
	names := []string{"../../contrib/debian/config.toml", "../../config.example.toml"}
	for _, pattern := range []string{"internal/config/testdata/*.toml", "internal/config/testdata/warnings/*.toml"} {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v, %v", pattern, more, err)
		}
		names = append(names, more...)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// warningsOf are the warnings about a configuration, as text.
func warningsOf(c *config.Config) (all []string) {
	for _, w := range c.AllWarnings() {
		all = append(all, w.Error())
	}
	return all
}

// told is all that a decision says.
func told(d *policy.Decision) string {
	return fmt.Sprint(summary(d), " ", d.Tags, " ", d.Exempt, " ", d.Early, " ", d.Undetermined, " ", d.Text)
}

// check pastes the block once and twice at the end of a file: nothing is wrong with the
// file, its clients pass, and nobody else's verdict is another.
func (p *offered) check(t *testing.T, path, text string, records []journal.Record) {
	t.Helper()
	before, err := config.Parse(path, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, times := range []int{1, 2} {
		after, err := config.Parse(path, []byte(text+strings.Repeat("\n"+p.block, times)))
		if err != nil {
			t.Errorf("%s with the block of %s, %d times: %v\n%s", path, p.by, times, err, p.block)
			return
		}
		if was, now := warningsOf(before), warningsOf(after); !slices.Equal(was, now) {
			t.Errorf("%s with the block of %s warns\n%s\nwithout\n%s", path, p.by, strings.Join(now, "\n"), strings.Join(was, "\n"))
		}
		for i := range records {
			r := &records[i]
			was, now := before.Rules.Judge(&r.Request, &r.Facts), after.Rules.Judge(&r.Request, &r.Facts)
			if !slices.Contains(p.whose, r.Request.Client) {
				if told(&was) != told(&now) {
					t.Errorf("%s with the block of %s: %v has\n%s; without\n%s", path, p.by, r.Request.Client, told(&now), told(&was))
				}
			} else if now.Undetermined || now.Decided != policy.DUNNO {
				t.Errorf("%s with the block of %s: %v has %s; want it to pass\n%s", path, p.by, r.Request.Client, told(&now), p.block)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// pasteClients are clients of explainZone, with their HELOs.
var pasteClients = [][2]string{
	{"203.0.113.10", "mail.example.org"},
	{"203.0.113.14", "mail.example.org"},
	{"203.0.113.13", "ubuntu.example.net"},
	{"203.0.113.30", "mail.example.com"},
	{"203.0.113.40", "red"},
	{"203.0.113.20", "203.0.113.20"},
	{"2001:db8::10", "mail.example.org"},
}

// learnAll are rules for which everything about a client is asked, so that other rules can
// judge it.
const learnAll = `
[[rule]]
name = "names"
when = { name = "temperror" }
action = "defer"
mode = "observe"
[[rule]]
name = "what they resolve to"
when = { fcrdns = "temperror" }
action = "defer"
mode = "observe"
[[rule]]
name = "HELO"
when = { helo = "temperror" }
action = "defer"
mode = "observe"
`

// TestPastedBlocks: no block that a command shows can hurt, wherever it is pasted.
func TestPastedBlocks(t *testing.T) {
	longAlone(t)
	dns, _ := startWorld(t, explainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "[http]\nlisten = \""+anyPort+"\"\n"+learnAll)
	d, url := serveWatched(t, path)
	conn, replies := dial(t, "tcp", d.address)
	var blocks []offered
	for _, c := range pasteClients {
		if _, err := ask(conn, replies, c[0], c[1]); err != nil {
			t.Fatal(err)
		}
	}
	_, front := testbed.Fetch(t, "GET", url, "")
	pages := slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`decision/\w+`).FindAllString(front, -1))))
	for _, c := range pasteClients {
		client := []netip.Addr{netip.MustParseAddr(c[0])}
		_, stdout, stderr := explainCall("--json", "-c", path, c[0], "--helo", c[1])
		var e struct{ Exempt string }
		if err := json.Unmarshal([]byte(stdout), &e); err != nil || e.Exempt == "" {
			t.Fatalf("explain --json %v: %v, %s%s", c, err, stdout, stderr)
		}
		blocks = append(blocks, offered{"explain --json", e.Exempt, client})
		_, stdout, _ = explainCall("-c", path, c[0], "--helo", c[1])
		_, block, ok := strings.Cut(stdout, "at the end of the configuration:\n")
		if !ok {
			t.Fatalf("explain %v offers no block:\n%s", c, stdout)
		}
		blocks = append(blocks, offered{"explain", block, client})
	}
	inPage := regexp.MustCompile(`(?s)<pre tabindex="0">(\[\[exempt\]\].*?)</pre>`)
	aClient := regexp.MustCompile(`<dt>Client</dt><dd><a [^>]*>([^<]*)</a>`)
	for _, page := range pages {
		_, body := testbed.Fetch(t, "GET", url+page, "")
		block, client := inPage.FindStringSubmatch(body), aClient.FindStringSubmatch(body)
		if block == nil || client == nil {
			t.Fatalf("%s offers no block:\n%s", page, body)
		}
		blocks = append(blocks, offered{"the status page", html.UnescapeString(block[1]), []netip.Addr{netip.MustParseAddr(client[1])}})
	}
	if len(blocks) != 3*len(pasteClients) {
		t.Errorf("%d blocks; want three for each client", len(blocks))
	}
	lines := d.stop(t)
	log := filepath.Join(t.TempDir(), "decisions.log")
	writeFile(t, log, strings.Join(lines, "\n")+"\n")
	for _, c := range pasteClients {
		_, stdout, stderr := call("", "why", c[0], "--block", "--file", log, "-c", path)
		_, block, ok := strings.Cut(stdout, "[[exempt]]\n")
		if !ok {
			t.Fatalf("why %s offers no block:\n%s%s", c[0], stdout, stderr)
		}
		block, _, _ = strings.Cut("[[exempt]]\n"+block, "\n\n")
		blocks = append(blocks, offered{"why", block + "\n", []netip.Addr{netip.MustParseAddr(c[0])}})
	}
	var records []journal.Record
	for _, line := range lines {
		records = append(records, recordsOf(t, []byte(line))...)
	}
	for name, text := range pasteFiles(t) {
		for i := range blocks {
			blocks[i].check(t, name, text, records)
		}
	}
}

// TestPastedReport is the same of the blocks of report, for a week's clients.
func TestPastedReport(t *testing.T) {
	longAlone(t)
	log := week.Record(t)
	var records []journal.Record
	seen := map[string]bool{}
	for _, r := range recordsOf(t, log) {
		key := fmt.Sprint(r.Request.Client, " ", r.Request.HELO, " ", r.Request.Sender == "", " ", r.Request.Recipient, r.Facts.Errors)
		if r.Request.Client.IsValid() && !seen[key] {
			seen[key] = true
			records = append(records, r)
		}
	}
	n := 0
	for _, wanted := range reportOn(t, log, week.Config).Wanted.List {
		if wanted.Paste == "" {
			continue
		}
		n++
		p := offered{by: "report", block: wanted.Paste, whose: []netip.Addr{netip.MustParseAddr(wanted.Client)}}
		for _, also := range wanted.Also {
			p.whose = append(p.whose, netip.MustParseAddr(also))
		}
		for _, file := range []string{"(empty)", "../../contrib/debian/config.toml", "../../config.example.toml"} {
			p.check(t, file, pasteFiles(t)[file], records)
		}
	}
	if n == 0 {
		t.Error("report offers no block")
	}
}

// TestPastedPackagedFile: configtest has nothing to say of the packaged file with a block
// at its end.
func TestPastedPackagedFile(t *testing.T) {
	packaged := pasteFiles(t)["../../contrib/debian/config.toml"]
	_, _, before := call("", "configtest", "-c", testbed.TempFile(t, "config.toml", packaged))
	for times := range 3 {
		text := packaged + strings.Repeat("\n[[exempt]]\nwhen = { client = \"192.0.2.1\" }\n", times)
		status, stdout, stderr := call("", "configtest", "--rules", "-c", testbed.TempFile(t, "config.toml", text))
		if n := strings.Count(stdout, `"192.0.2.1"`); status != 0 || strings.Count(stderr, "\n") != strings.Count(before, "\n") || n != times {
			t.Errorf("with %d blocks configtest = %d, %s, and %d exemptions", times, status, stderr, n)
		}
	}
}

// Parts of configurations: settings above the tables, tables, and blocks.
var (
	topParts   = []string{"mode = \"observe\"", "on_doubt = \"dunno\"", "default_rules = false"}
	tableParts = []string{
		"[server]\nnetworks = [\"198.51.100.0/24\"]", "[names]\nproper = [\".example.org\"]", "[names]\ngeneric = [\".example.com\"]",
		"[helo]\nown_names = [\"mail.example.com\"]", "[log]\nformat = \"json\"",
	}
	blockParts = []string{
		"[[rule]]\nname = \"no reverse name\"\noff = true",
		"[[rule]]\nname = \"generic name, foreign HELO\"\nmode = \"observe\"",
		"[[rule]]\nname = \"HELO not its own\"\nmode = \"enforce\"\naction = \"defer\"",
		"[[rule]]\nname = \"reverse name does not resolve\"\nunless = { helo = \"match\" }\ntext = \"no, {name}\"",
		"[[rule]]\nname = \"own defer\"\nwhen = { helo = \"!match\" }\naction = \"defer\"",
		"[[rule]]\nname = \"own tag\"\nwhen = { ptr = [\"none\", \"malformed\"] }\naction = \"tag\"",
		"[[rule]]\nname = \"own hold\"\nwhen = { name = \"generic\" }\nunless = { recipient = \"user@\" }\naction = \"hold\"",
		"[[rule]]\nname = \"own observed\"\nwhen = { fcrdns = \"!pass\" }\naction = \"reject\"\nmode = \"observe\"",
		"[[rule]]\nname = \"own pass\"\nwhen = { ptr_name = \".example.com\" }\naction = \"dunno\"",
		"[[rule]]\nname = \"all others\"\nwhen = { client = [\"203.0.113.0/24\", \"2001:db8::/32\"] }\nunless = { fcrdns = \"pass\" }\naction = \"reject\"",
		"[[exempt]]\nname = \"own client\"\noff = true",
		"[[exempt]]\nname = \"postmaster\"\noff = true",
		"[[exempt]]\nwhen = { ptr_name = \"mail.example.org\", helo = \"match\" }\nuntil = 2099-12-31\nwhy = \"ticket 4711\"",
		"[[exempt]]\nwhen = { sender = \"sender@example.org\" }\nunless = { ptr = \"none\" }",
	}
)

// randomFile is a configuration of some of the parts.
func randomFile(random *rand.Rand) string {
	var b strings.Builder
	for _, parts := range [][]string{topParts, tableParts, blockParts} {
		for _, i := range random.Perm(len(parts)) {
			now, _, _ := strings.Cut(parts[i], "\n")
			if random.IntN(3) > 0 || strings.HasPrefix(now, "[names]") && strings.Contains(b.String(), now) {
				continue
			}
			b.WriteString(parts[i] + "\n")
		}
	}
	return b.String()
}

// TestPastedAnywhere: to random files the exemption of a random client is added. It
// passes, and nobody else's verdict changes, of a week's clients.
func TestPastedAnywhere(t *testing.T) {
	longAlone(t)
	random := rand.New(rand.NewPCG(15, 1))
	var records []journal.Record
	seen := map[netip.Addr]int{}
	learnt, err := config.Parse("learnt.toml", []byte("default_rules = false\n"+learnAll))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recordsOf(t, week.Record(t)) {
		d := learnt.Rules.Judge(&r.Request, &r.Facts)
		fcrdns := d.Checks[policy.CheckFCrDNS] // a doubt may be about the exemption, too
		whole := fcrdns != policy.NotLearnt && fcrdns != policy.TempError && d.Checks[policy.CheckHELO] != policy.NotLearnt
		if c := r.Request.Client; c.IsValid() && seen[c] < 3 && !d.Undetermined && whole {
			seen[c]++
			records = append(records, r)
		}
	}
	if len(records) < 50 {
		t.Fatalf("%d clients of whom all is known; want more", len(records))
	}
	const files = 150
	for n := 0; n < files; {
		text := randomFile(random)
		if _, err := config.Parse("random.toml", []byte(text)); err != nil {
			continue // such as a rule that can never be reached
		}
		n++
		r := &records[random.IntN(len(records))]
		subject := exempt.For(&r.Request, &r.Facts)
		p := offered{by: subject.Command(), block: subject.Block()}
		// Its own records, and others of that name. A name may have been another one before.
		rest := slices.DeleteFunc(slices.Clone(records), func(o journal.Record) bool {
			named := slices.Contains(o.Facts.Confirmed(o.Request.Client), subject.Value)
			if named || o.Request.Client == r.Request.Client {
				p.whose = append(p.whose, o.Request.Client)
			}
			return o.Request.Client == r.Request.Client && subject.Key == "ptr_name" && !named
		})
		if p.check(t, "random.toml", text, rest); t.Failed() {
			t.Fatalf("the file was\n%s", text)
		}
	}
}
