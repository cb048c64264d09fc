package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

const (
	// lookTime is how often exempt_file is looked at. A change is to be in force within
	// 5 seconds.
	lookTime = 2 * time.Second
	// endTime is how long before its end an exemption is warned of, and endEvery how
	// often ends are looked for.
	endTime  = 24 * time.Hour
	endEvery = time.Minute
	// maxEnding bounds the warnings that are given at once.
	maxEnding = 20
)

// exemptions looks after the exemptions while the daemon runs: it takes changes of
// exempt_file, and warns of those that are about to end. One goroutine calls it.
type exemptions struct {
	*Daemon
	of     *generation // that was in force when the file was looked at last
	seen   glance      // of the file
	failed string      // what was wrong with it; empty: nothing
	// unsure: the file has lost exemptions, and may be about to be written whole.
	unsure bool

	warned  map[string]bool // of what ends, by its text
	checked *generation     // for ends
	again   time.Time       // when to look for ends again
}

// lookAfter goes on until ctx ends.
func (x *exemptions) lookAfter(ctx context.Context) {
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for {
		x.look(ctx)
		x.warn(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look takes the file's exemptions if it has changed, or if another configuration is in
// force, which may have read it before. While something is wrong with it, it is read
// each time: what keeps it from being read may show nowhere.
func (x *exemptions) look(ctx context.Context) {
	g := x.current.Load()
	if g.conf.ExemptFile == "" {
		x.well()
		x.of = g
		return
	}
	seen := glanceAt(g.conf.ExemptFile)
	same := seen.same(&x.seen)
	if g == x.of && same && x.failed == "" && !x.unsure {
		return
	}
	x.seen = seen
	conf, err := seen.exempting(g.conf)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		x.fail(g, err)
	case conf.FewerListed(g.conf) && !(same && x.unsure):
		// An editor that writes in place empties the file first, or moves it away. What is
		// gone at the next look, too, was meant.
		x.unsure = true
	default:
		x.unsure = false
		x.take(g, conf)
	}
}

// fail tells, once, what is wrong with the file.
func (x *exemptions) fail(g *generation, err error) {
	x.of = g
	why := err.Error()
	if why == x.failed {
		return
	}
	x.failed = why
	x.damage.Store(&why)
	x.log.Error("exempt_file is damaged, the exemptions of before stay in force", "file", g.conf.ExemptFile, "error", why)
}

func (x *exemptions) well() {
	x.failed = ""
	x.damage.Store(nil)
}

// take puts a configuration with other exemptions into force, if its own exemptions are
// others. If there is a new one meanwhile, the next look is at that.
func (x *exemptions) take(g *generation, conf *config.Config) {
	tell := x.of == nil || x.failed != ""
	if conf.Listed() != g.conf.Listed() {
		now := x.replace(g, conf)
		if now == nil {
			return
		}
		g, tell = now, true
	}
	x.of = g
	x.well()
	if tell {
		x.log.Info("exemptions of exempt_file", "file", g.conf.ExemptFile, "in_force", inForce(g.conf, time.Now()))
	}
}

// replace puts a configuration into force in place of that of a generation, with the
// same host; nil: another one is in force.
func (d *Daemon) replace(old *generation, conf *config.Config) *generation {
	d.changing.Lock()
	defer d.changing.Unlock()
	if d.current.Load() != old {
		return nil
	}
	now := d.generation(conf, old.host, old.loaded, old.keys)
	d.current.Store(now)
	return now
}

// glance is what can be seen of a file without reading it.
type glance struct {
	info fs.FileInfo // nil: there is none
	err  error       // why nothing can be seen
}

func glanceAt(path string) glance {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return glance{}
	}
	return glance{info, err}
}

// same reports whether a file is the one that was seen before, unchanged.
func (g *glance) same(before *glance) bool {
	if g.info == nil || before.info == nil {
		return g.info == nil && before.info == nil && g.err == nil && before.err == nil
	}
	a, b := g.info, before.info
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// exempting is a configuration with the exemptions of the file as it is now.
func (g *glance) exempting(conf *config.Config) (*config.Config, error) {
	switch {
	case g.err != nil:
		return nil, g.err
	case g.info != nil && !g.info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", conf.ExemptFile) // to read it may take for ever
	}
	return conf.Exempting()
}

// inForce is how many exemptions of exempt_file have not ended.
func inForce(conf *config.Config, now time.Time) (n int) {
	for i := range conf.Origins {
		if end, ends := conf.Rules.List[i].When.End(); conf.Origins[i].Source == config.Listed && (!ends || now.Before(end)) {
			n++
		}
	}
	return n
}

// ending is an exemption that ends soon.
type ending struct {
	*policy.Rule
	at   time.Time
	from string // file and line
}

// endings are the exemptions that end within a day, those of the configuration file too,
// in the order of the rules.
func endings(conf *config.Config, now time.Time) (soon []ending) {
	for i := range conf.Rules.List {
		r := &conf.Rules.List[i]
		if at, ends := r.When.End(); ends && r.Exempt && now.Before(at) && at.Sub(now) <= endTime {
			soon = append(soon, ending{r, at, fmt.Sprintf("%s:%d", conf.Origins[i].File, conf.Origins[i].Line)})
		}
	}
	return soon
}

// endingTexts are the same in words.
func endingTexts(conf *config.Config, now time.Time) (texts []string) {
	for _, e := range endings(conf, now) {
		text := plain.Line(cmp.Or(e.Name, e.from)) + " ends " + config.EndText(e.at)
		if e.Why != "" {
			text += ", " + plain.Line(e.Why)
		}
		texts = append(texts, text)
	}
	return texts
}

// warn warns of exemptions that end within a day, once of each.
func (x *exemptions) warn(now time.Time) {
	g := x.current.Load()
	if g == x.checked && now.Before(x.again) {
		return
	}
	x.checked, x.again = g, now.Add(endEvery)
	warned, n := map[string]bool{}, 0
	for _, e := range endings(g.conf, now) {
		var text strings.Builder
		config.WriteRule(&text, e.Rule)
		warned[text.String()] = true
		if x.warned[text.String()] {
			continue
		}
		if n++; n <= maxEnding {
			x.log.Warn("an exemption ends within a day", "exempt", e.Name, "until", e.at.UTC(), "why", e.Why, "from", e.from)
		}
	}
	x.warned = warned
	if n > maxEnding {
		x.log.Warn("further exemptions end within a day", "exemptions", n-maxEnding)
	}
}
