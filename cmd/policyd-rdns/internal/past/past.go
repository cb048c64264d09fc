// Package past shows what is remembered of clients, forgets it, and takes over what
// postgrey remembers. It asks the running daemon; without one it opens the store.
package past

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/ask"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/past/answer"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/hostname"
)

// Access is what a store is opened for.
type Access uint8

// What a store may be opened for.
const (
	Read   Access = iota // nothing is changed
	Change               // records of a store that is there
	Create               // one that is not there is made
)

// Socket is where the packaged daemon listens.
const Socket = ask.SocketPath

// Command is what the command has.
type Command struct {
	Config *config.Config
	// Open opens the store of the configuration, which names one.
	Open           func(ctx context.Context, a Access) (history.Store, error)
	Stdout, Stderr io.Writer
	Now            time.Time
	// Socket is where the daemon may listen beside what the configuration says, since
	// systemd opens that; empty: nowhere.
	Socket string
	JSON   bool
}

// daemonTime bounds a query to the daemon, storeTime what is asked of a store.
const (
	daemonTime = 5 * time.Second
	storeTime  = 30 * time.Second
)

// where is who can tell of the past.
type where struct {
	address string // of the daemon's unix socket; empty: it has none that is known
	tcp     string // where a daemon listens that cannot be asked; empty: none does
}

// find looks for the daemon.
func (c *Command) find(ctx context.Context) (where, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonTime)
	defer cancel()
	var unix, tcp []string
	for _, l := range c.Config.Server.Listen {
		if strings.HasPrefix(l, "unix:") {
			unix = append(unix, l)
		} else {
			tcp = append(tcp, l)
		}
	}
	if len(unix) == 0 && c.Socket != "" {
		unix = append(unix, "unix:"+c.Socket)
	}
	for _, l := range unix {
		switch _, err := ask.Query(ctx, l, "hash"); {
		case err == nil:
			return where{address: l}, nil
		case errors.Is(err, ask.ErrNobody):
		case len(tcp) > 0 && len(unix) == 1 && l == "unix:"+c.Socket:
			// Another's, perhaps: this configuration does not name it.
		default:
			return where{}, err
		}
	}
	for _, l := range tcp {
		if _, err := ask.Query(ctx, l, "hash"); err == nil {
			return where{tcp: l}, nil
		}
	}
	return where{}, nil
}

// query asks the daemon.
func (w *where) query(ctx context.Context, query string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonTime)
	defer cancel()
	return ask.Query(ctx, w.address, query)
}

// open opens the store where no daemon can be asked. what is what cannot be done without.
func (c *Command) open(ctx context.Context, w *where, a Access, what string) (history.Store, error) {
	store := c.Config.History.Store
	switch {
	case store == "" && w.tcp != "":
		return nil, fmt.Errorf("the daemon on %s remembers in memory alone, and tells of it on a unix socket: %s", w.tcp, listenHint)
	case store == "":
		return nil, fmt.Errorf("cannot %s: no daemon runs here, and history.store is empty", what)
	case c.Config.OnServer() || a == Create:
	default:
		if _, err := os.Stat(store); err != nil {
			return nil, fmt.Errorf("cannot %s: %w", what, err)
		}
	}
	return c.Open(ctx, a)
}

// listenHint is what lets the daemon be asked.
const listenHint = `add "unix:/run/policyd-rdns/socket" to listen below [server], in a folder that its user may write to, and restart it`

// subject is an address, a network that is remembered, or a name, in its usual form.
func subject(text string) (string, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return address.Plain(addr).String(), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		if p.Addr().Is4() || p.Bits() != 64 {
			return "", exit.Usage(fmt.Errorf("%s: of networks those of IPv6 are remembered, with 64 bits", p))
		}
		return p.Masked().String(), nil
	}
	name := hostname.ASCII(hostname.Normal(text))
	if form, _ := hostname.ParseHELO(name); form != hostname.FQDN {
		return "", exit.Usage(fmt.Errorf("%.60q: want an address, a /64 network, an organisation's domain or the name of a host", text))
	}
	return name, nil
}

// Show prints what is remembered of whom a text stands for. The status is 1 if nothing is.
func (c *Command) Show(ctx context.Context, text string) error {
	name, err := subject(text)
	if err != nil {
		return err
	}
	records, err := c.records(ctx, name)
	if err != nil {
		return err
	}
	return c.print(name, records)
}

// records are those that are not over.
func (c *Command) records(ctx context.Context, name string) (live []history.Stored, err error) {
	w, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	var all []history.Stored
	if w.address != "" {
		var told map[string]string
		if told, err = w.query(ctx, answer.Past+" "+name); err == nil {
			all, err = answer.Records(name, told)
		}
	} else {
		all, err = c.load(ctx, &w, name)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Record = s.Record.At(history.MomentOf(c.Now), &c.Config.History.Settings); !s.Record.Empty() {
			live = append(live, s)
		}
	}
	return live, nil
}

// load reads records from the store.
func (c *Command) load(ctx context.Context, w *where, name string) ([]history.Stored, error) {
	store, err := c.open(ctx, w, Read, "tell")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	parties := history.PartiesOf(name)
	records, err := store.Load(ctx, parties)
	if err != nil {
		return nil, err
	}
	all := make([]history.Stored, len(records))
	for i := range records {
		all[i] = history.Stored{Party: parties[i], Record: records[i]}
	}
	return all, nil
}

// Forget forgets whom a text stands for. The status is 1 if nothing was remembered, or if
// the daemon that remembers cannot be asked.
func (c *Command) Forget(ctx context.Context, text string) error {
	name, err := subject(text)
	if err != nil {
		return err
	}
	w, err := c.find(ctx)
	if err != nil {
		return err
	}
	n := 0
	switch {
	case w.tcp != "":
		// What it remembers it would write again.
		return fmt.Errorf("the daemon on %s is not to be asked over TCP: %s", w.tcp, listenHint)
	case w.address != "":
		var told map[string]string
		if told, err = w.query(ctx, answer.Forget+" "+name); err == nil {
			n, err = answer.Forgotten(told)
		}
	default:
		n, err = c.delete(ctx, &w, name)
	}
	if err != nil {
		return err
	}
	return c.printForgotten(name, n)
}

// delete takes records out of the store, and tells how many there were.
func (c *Command) delete(ctx context.Context, w *where, name string) (n int, err error) {
	store, err := c.open(ctx, w, Change, "forget")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	parties := history.PartiesOf(name)
	records, err := store.Load(ctx, parties)
	if err != nil {
		return 0, err
	}
	for i := range records {
		if !records[i].Empty() {
			n++
		}
	}
	return n, store.Delete(ctx, parties)
}

// Totals prints how many are remembered, by kind.
func (c *Command) Totals(ctx context.Context) error {
	w, err := c.find(ctx)
	if err != nil {
		return err
	}
	totals := answer.Totals{}
	if w.address != "" {
		var told map[string]string
		if told, err = w.query(ctx, answer.Past); err == nil {
			totals, err = answer.ReadTotals(told)
		}
	} else {
		err = c.count(ctx, &w, totals)
	}
	if err != nil {
		return err
	}
	return c.printTotals(totals)
}

// count counts what is in the store.
func (c *Command) count(ctx context.Context, w *where, totals answer.Totals) error {
	store, err := c.open(ctx, w, Read, "count")
	if err != nil {
		return err
	}
	defer store.Close()
	all, ok := store.(answer.Lister)
	if !ok {
		return errors.New("how many are remembered, the running daemon can tell")
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return all.Each(ctx, func(p history.Party, r *history.Record) { totals.Add(p, r, &c.Config.History.Settings, c.Now) })
}
