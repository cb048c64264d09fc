package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/status"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy/journal"
)

// oddWords are values that some key may have, that none has, and that none could
// write.
var oddWords = []string{
	"", "info", "dunno", "reject", "defer", "hold", "tag", "true", "false", "maybe", "none", "temperror", "found", "malformed", "pass", "mismatch",
	"unresolved", "proper", "generic", "full", "fqdn", "literal", "bare_ip", "missing", "match", "own", "related", "observe", "enforce",
	"203.0.113.10", "2001:db8::1", "::", "0.0.0.0", "::ffff:203.0.113.10", "255.255.255.255", "0", "1", "-1", "999999999999", "0.001", "86400000.000",
	"mail.example.org", "mail.example.org>203.0.113.10", "mail.example.org>", ">", ">none", "a>none,b>temperror,c>bogus", ",", ",,,", ":", "reject:", "reject:r,dunno:",
	"info:x", "hold:x", "a@b", `"a@b"@example.org`, "@", "<>", "[203.0.113.10]", "[IPv6:2001:db8::1]", "[", ".", "..", "-", "RCPT", "CONNECT", "9999-12-31T23:59:59.999Z",
	"0000-01-01T00:00:00.000Z", "helo_is,sender,recipient,context", "INFO would (", "550", "550 5.7.1 no", "DEFER_IF_PERMIT", "é", "\x00", "{}", "x y=z",
	"192.0.2.1>192.0.2.53:53>no reply,192.0.2.1>>deadline", "a>b>c", ">>", ">192.0.2.53:53>", "[2001:db8::53%x]:53", strings.Repeat("a", 300),
}

// oddKeys are the keys of a line, and some that none has.
func oddKeys() []string {
	return append(journal.Keys(), "ptr_name", "kind", "history")
}

// field is a key with its value.
type field struct{ key, value string }

// wholeLine is a line with all keys, that contradict each other here and there.
func wholeLine(random *rand.Rand) []field {
	var all []field
	for _, key := range oddKeys() {
		value := map[string]string{
			"time": week.Begins.AddDate(0, 0, random.IntN(7)).Format("2006-01-02T15:04:05.000Z"), "level": "INFO", "msg": "decision",
			"id": "id" + strconv.Itoa(random.IntN(1000)), "action": "reject", "rule": "no reverse name", "mode": "enforce", "ptr": "found", "fcrdns": "mismatch",
			"name": "generic", "strength": "full", "helo_form": "fqdn", "helo": "mismatch", "helo_name": "proper", "client": "203.0.113." + strconv.Itoa(random.IntN(256)),
			"names": "ip-203-0-113-10.example.net>198.51.100.7", "helo_to": "198.51.100.7", "helo_is": "mail.example.org", "sender": "a@example.org",
			"recipient": "b@example.com", "instance": "1.2." + strconv.Itoa(random.IntN(9)), "state": "RCPT", "questions": "3", "ms": "1.204",
			"reply": "550 5.7.1 no", "dns_errors": "a.example.net>192.0.2.53:53>SERVFAIL",
		}[key]
		if value != "" {
			all = append(all, field{key, value})
		}
	}
	return all
}

// oddLine is a well-formed line, of either format, that no writer has written:
// keys are missing, strange, there twice, or have values of others.
func oddLine(random *rand.Rand) string {
	all := wholeLine(random)
	pick := func(texts []string) string { return texts[random.IntN(len(texts))] }
	for range random.IntN(8) {
		i := random.IntN(len(all))
		switch random.IntN(5) {
		case 0:
			all = append(all[:i], all[i+1:]...)
		case 1:
			all[i].value = pick(oddWords)
		case 2:
			all[i].value = all[random.IntN(len(all))].value
		case 3:
			all = append(all, field{pick(oddKeys()), pick(oddWords)})
		case 4:
			all[i].value = pick([]string{"info", "hold", "sibling", "", "true"})
		}
	}
	var b strings.Builder
	json := random.IntN(2) == 0
	for i, f := range all {
		text, err := journal.AppendJSON(nil, "x="+strconv.QuoteToASCII(f.value))
		if err != nil {
			text = []byte(`{"x":"bad"}` + "\n")
		}
		quoted := strings.TrimSuffix(strings.TrimPrefix(string(text), `{"x":`), "}\n")
		switch {
		case json && i == 0:
			fmt.Fprintf(&b, "{%q:%s", f.key, quoted)
		case json:
			fmt.Fprintf(&b, ",%q:%s", f.key, quoted)
		default:
			fmt.Fprintf(&b, "%s=%s ", f.key, quoted)
		}
	}
	if json {
		b.WriteByte('}')
	}
	return b.String() + "\n"
}

// oddRules ask for all that a line may hold.
const oddRules = `
default_rules = false
[names]
generic = [".example.net"]
[[rule]]
name = "friends"
action = "dunno"
when = { ptr_name = ".example.org", sender = "example.org", context = "mx" }
[[rule]]
name = "watched"
action = "reject"
mode = "observe"
when = { name = "generic", strength = ["full", "half"], helo_is = "mail.example.org" }
[[rule]]
name = "all checks"
action = "reject"
when = { fcrdns = ["mismatch", "none"], helo = ["mismatch", "unresolved"] }
unless = [{ recipient = "postmaster@" }, { client = "2001:db8::/32", until = 2030-01-01 }, { authenticated = true }]
[[rule]]
name = "no reverse name"
action = "defer"
when = { ptr = ["none", "malformed", "temperror"], helo_form = ["missing", "malformed"] }
`

// checkOddLines has all that reads logs read some odd lines: none panics, and each
// says that it is well, or that something changes.
func checkOddLines(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 15))
	var log strings.Builder
	for range 60 {
		log.WriteString(oddLine(random))
	}
	config := testbed.TempFile(t, "odd.toml", oddRules)
	for _, args := range []string{
		"log --utc -", "log --json -", "log --name .example.net --helo mail.example.org --action reject -",
		"report --utc -", "report --json -", "report --html - -", "report --top 0 --since 2026-11-17 -",
		"replay --utc -", "replay --utc --list -", "replay --json --list -", "replay --decided --top 0 -", "replay --against none --utc -",
	} {
		words := strings.Fields(args)
		command := append([]string{words[0], "-c", config}, words[1:]...)
		for i, w := range command {
			if w == "none" {
				command[i] = config
			}
		}
		if status, _, stderr := call(log.String(), command...); status != 0 && !strings.Contains(stderr, "no decision found") {
			t.Errorf("seed %d: %s = %d, %s", seed, args, status, stderr)
		}
	}
	checkOddPages(t, seed, log.String())
}

// checkOddPages has the status page show them.
func checkOddPages(t *testing.T, seed uint64, log string) {
	conf, err := config.Parse("", []byte(oddRules+"[resolver]\nservers = [\"192.0.2.53\"]\n[http]\nlisten = \"127.0.0.1:0\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	page := status.New(status.Source{
		State:   func() status.State { return status.State{} },
		Summary: daemon.Summary,
		Explain: func(r *journal.Record) status.Explanation { return daemon.Explained(conf, r) },
	}, time.Now)
	paths := []string{"/?show=all", "/?show=rejected", "/?show=passed&q=example", "/?show=all&q=203.0.113.0/24"}
	for line := range strings.Lines(log) {
		r, err := journal.Parse([]byte(line))
		if err != nil {
			continue
		}
		page.Keep(&r, []byte(line))
		if r.ID != "" {
			paths = append(paths, "/decision/"+url.PathEscape(r.ID))
		}
	}
	for _, path := range paths {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != 200 && w.Code != 404 { // an ID that is escaped is not found
			t.Errorf("seed %d: %s = %d, %s", seed, path, w.Code, w.Body)
		}
	}
}

// TestOddLines: lines that are well-formed and mean nothing, or what another
// version means, harm nobody who reads them.
func TestOddLines(t *testing.T) {
	longAlone(t)
	for seed := range uint64(25) {
		checkOddLines(t, seed)
	}
}

func FuzzOddLines(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(checkOddLines)
}

// TestInfoWithoutDecided: a line that says of nothing what was observed counts as
// one that nobody objected to, and what it was before is not known.
func TestInfoWithoutDecided(t *testing.T) {
	line := strings.Replace(string(week.Line(nil)), "action=dunno", "action=info", 1)
	status, stdout, stderr := call(line, "replay", "-c", testbed.TempFile(t, "new.toml", oddRules), "--utc", "-")
	if want := "undecided"; status != 0 || !strings.Contains(stdout, want) {
		t.Errorf("replay = %d, %s%s; want %s", status, stdout, stderr, want)
	}
	if want := `1 decision was written by another version, with words that this one does not know; what they say is taken as not learnt. The first is standard input:1: decided=""`; !strings.Contains(stderr, want) {
		t.Errorf("replay says %s; want %s", stderr, want)
	}
}

// TestUnknownWordsAreToldOnce: a log of another version is no damage, and each
// command says once how much of it is in words that it does not know.
func TestUnknownWordsAreToldOnce(t *testing.T) {
	known := string(week.Line(nil))
	log := known + strings.Replace(known, "action=dunno", "action=quarantine", 1) +
		strings.Replace(known, "queries=", "helo=sibling queries=", 1)
	const told = "policyd-rdns: 2 decisions were written by another version, with words that this one does not know; what they say is taken as not learnt." +
		" The first is standard input:2: action=\"quarantine\"\n"
	for _, args := range []string{"log -", "log --json -", "report -", "report --json -", "replay --utc -", "replay --json -"} {
		words := strings.Fields(args)
		status, stdout, stderr := call(log, append([]string{words[0], "-c", testbed.TempFile(t, "new.toml", oddRules)}, words[1:]...)...)
		if status != 0 || stderr != told {
			t.Errorf("%s = %d, %q; want %q", args, status, stderr, told)
		}
		if words[0] == "report" && !strings.Contains(stdout, "2 decisions were written by another version") && !strings.Contains(stdout, `"unknown":2`) {
			t.Errorf("%s does not tell of them: %s", args, stdout)
		}
	}
}
