package replay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// randomConfig is a configuration of a few rules of any kind.
func randomConfig(random *rand.Rand) string {
	var b strings.Builder
	oneOf := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	fmt.Fprintf(&b, "default_rules = false\non_doubt = %q\nmode = %q\n", oneOf("defer", "dunno"), oneOf("enforce", "enforce", "observe"))
	fmt.Fprintf(&b, "[server]\nnetworks = [%s]\n", oneOf("", `"198.51.100.192/28"`, `"203.0.113.64/26"`))
	fmt.Fprintf(&b, "[resolver]\nservers = [\"192.0.2.53\", \"192.0.2.54\"]\n")
	fmt.Fprintf(&b, "[helo]\nown_names = [%s]\n", oneOf("", `"mail.firm-3.example"`, `".bigmail.example", "203.0.113.70"`))
	fmt.Fprintf(&b, "[names]\nproper = [%s]\ngeneric = [%s]\n", oneOf("", `".isp-beta.example"`), oneOf("", `".pool.bigmail.example", ".city.example"`))
	for i := range 1 + random.IntN(6) {
		fmt.Fprintf(&b, "[[rule]]\nname = \"r%d\"\naction = %q\n", i, oneOf("reject", "reject", "defer", "dunno"))
		fmt.Fprintf(&b, "when = { %s }\n", randomEntries(random))
		if random.IntN(3) == 0 {
			fmt.Fprintf(&b, "unless = { %s }\n", randomEntries(random))
		}
		if random.IntN(5) == 0 {
			fmt.Fprintf(&b, "mode = \"observe\"\n")
		}
		if random.IntN(8) == 0 {
			fmt.Fprintf(&b, "percent = 50\n")
		}
	}
	return b.String()
}

// randomEntries are some entries of a table, a number that makes each rule
// likely to be its own among them, so that none is unreachable.
func randomEntries(random *rand.Rand) string {
	lists := map[string][]string{
		"client":    {"203.0.113.0/25", "198.51.100.0/24", "2001:db8::/32", "own", "private"},
		"ptr_name":  {".isp-alpha.example", "mail.firm-3.example", ".spamhost.example", ".city.example"},
		"helo_is":   {"ubuntu", "localhost", ".bigmail.example", "appliance"},
		"sender":    {"<>", "lottery.test", "info@", ".example"},
		"recipient": {"postmaster@", "example.net", "user@example.com"},
	}
	var entries []string
	add := func(key string, values []string) {
		random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		some := values[:1+random.IntN(min(3, len(values)))]
		entries = append(entries, key+` = ["`+strings.Join(some, `", "`)+`"]`)
	}
	keys := policy.EntryKeys()
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys[:1+random.IntN(3)] {
		if check, ok := policy.CheckByName(key); ok {
			var values []string
			for _, r := range check.Results() {
				values = append(values, r.String())
			}
			add(key, values)
		} else if lists[key] != nil {
			add(key, lists[key])
		}
	}
	if len(entries) == 0 {
		entries = append(entries, `until = 2026-11-18, client = "203.0.113.0/24"`)
	}
	return strings.Join(entries, ", ")
}

// randomConfigFile is a random configuration that loads, in a file.
func randomConfigFile(t *testing.T, random *rand.Rand) (path string, conf *config.Config) {
	t.Helper()
	for {
		path := testbed.TempFile(t, "random.toml", randomConfig(random))
		if conf, err := config.Load(path); err == nil {
			return path, conf
		} else if !strings.Contains(err.Error(), "can never be reached") {
			t.Fatal(err)
		}
	}
}

// liveGatherer gathers facts as the daemon does under a configuration.
func liveGatherer(t *testing.T, conf *config.Config, dns *world.World, complete bool) *gather.Gatherer {
	t.Helper()
	servers, err := conf.DNSServers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{
		Servers: servers, Timeout: conf.Resolver.Timeout, CacheEntries: 10_000,
		MaxInFlight: conf.Resolver.MaxInFlight, Dial: dns.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return &gather.Gatherer{DNS: r, Deadline: conf.Server.Deadline, HostNames: []string{"mx.example.net"}, Complete: complete}
}

// replayAgreesWithLive has some clients judged under one random configuration,
// their log lines judged again under another, and the same clients judged live
// under that in the same world. Where all facts are logged, no decision may be
// open; where only those that were needed, none may be wrong. It counts the open
// ones and all.
func replayAgreesWithLive(t *testing.T, seed uint64) (open, all int) {
	random := rand.New(rand.NewPCG(seed, 11))
	_, was := randomConfigFile(t, random)
	path, next := randomConfigFile(t, random)
	p, err := newReplayer(&Options{Config: path, Decided: true, UTC: true})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(week.Begins))
		clients, zone := week.Clients()
		dns, err := world.Parse(zone)
		if err != nil {
			t.Fatal(err)
		}
		usual, complete := liveGatherer(t, was, dns, false), liveGatherer(t, was, dns, true)
		live := liveGatherer(t, next, dns, false)
		for range 40 {
			req := week.RandomRequest(random, &clients[random.IntN(len(clients))])
			req.Time = time.Now()
			want := live.Decide(context.Background(), &req, next.Rules, new(policy.Facts))
			for _, g := range []*gather.Gatherer{usual, complete} {
				j, cut := rejudge(t, p, g, was, req)
				all++
				switch {
				case j.change == undecided && (!g.Complete || cut):
					open++
				case j.change == undecided:
					t.Errorf("seed %d: %s, with all facts: %s", seed, req.Client, j.needs)
				case j.after.action != want.Decided:
					t.Errorf("seed %d: %s HELO %s: replay says %s by %q, live %s by %q (%s)", seed, req.Client, req.HELO, j.after.action, j.after.rule, want.Decided, want.Rule, want.Checks)
				}
			}
			time.Sleep(time.Second)
		}
	})
	return open, all
}

// rejudge has a request decided and logged, and judges the line again. cut reports
// that a text of it was too long for the line.
func rejudge(t *testing.T, p *replayer, g *gather.Gatherer, was *config.Config, req policy.Request) (j judged, cut bool) {
	t.Helper()
	r := journal.Record{Request: req}
	r.Decision = g.Decide(context.Background(), &req, was.Rules, &r.Facts)
	line := journal.JSON.Append(nil, &r)
	again, err := journal.Parse(line)
	if err != nil || len(line) > journal.MaxLine {
		t.Fatalf("%d bytes: %s: %v", len(line), line, err)
	}
	j, _ = p.judge(&journal.Line{Record: again, Text: string(line)})
	return j, again.Request.Cut != 0
}

func TestReplayAgreesWithLive(t *testing.T) {
	open, all := 0, 0
	for seed := range uint64(60) {
		o, n := replayAgreesWithLive(t, seed)
		open, all = open+o, all+n
	}
	// If hardly any could be judged again, or all, this would show nothing.
	if open < all/50 || open > all/2 {
		t.Errorf("%d of %d decisions are open; want some", open, all)
	}
}

func FuzzReplayAgreesWithLive(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(func(t *testing.T, seed uint64) { replayAgreesWithLive(t, seed) })
}
