package past

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/postgrey"
)

// batch is how many records are saved at once.
const batch = 1000

// ImportPostgrey takes over what postgrey has in a folder: dumps of its databases go to
// the store, whitelists become exemptions on standard output, and what was left is told
// line by line. The status is 1 if a file could not be read, or records not be kept.
func (c *Command) ImportPostgrey(ctx context.Context, folder string) error {
	var im postgrey.Import
	well, err := c.readFolder(folder, &im)
	if err != nil {
		return err
	}
	for i := range im.Exempt {
		if i > 0 {
			fmt.Fprintln(c.Stdout)
		}
		config.WriteRule(c.Stdout, &im.Exempt[i])
	}
	for _, l := range im.Left {
		fmt.Fprintf(c.Stderr, "not taken over: %s:%d: %s: %s\n", plain.Line(l.File), l.Line, plain.Line(l.Text), plain.Line(l.Why))
	}
	if im.MoreLeft > 0 {
		fmt.Fprintf(c.Stderr, "not taken over: %s more\n", plain.Plural(im.MoreLeft, "line"))
	}
	for _, why := range slices.Sorted(maps.Keys(im.Skipped)) {
		fmt.Fprintf(c.Stderr, "not taken over: %s %s\n", plain.Counted(im.Skipped[why], "entry", "entries"), why)
	}
	if err := c.keep(ctx, &im); err != nil {
		return err
	}
	if !well {
		return exit.ErrNotWell
	}
	return nil
}

// readFolder reads what is postgrey's of a folder. well: no file was in vain.
func (c *Command) readFolder(folder string, im *postgrey.Import) (well bool, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false, err
	}
	well = true
	read := 0
	for _, entry := range entries {
		if !entry.Type().IsRegular() && entry.Type()&os.ModeSymlink == 0 {
			continue
		}
		name := filepath.Join(folder, entry.Name())
		switch err := readFile(name, im); {
		case errors.Is(err, postgrey.ErrNothing):
			continue
		case err != nil:
			fmt.Fprintf(c.Stderr, "policyd-rdns: %s: %s\n", plain.Line(name), plain.Line(err.Error()))
			well = false
		}
		read++
	}
	if read == 0 {
		return false, fmt.Errorf("%s: nothing of postgrey's is there: want its whitelists, and what db_dump -p writes of postgrey.db and postgrey_clients.db", folder)
	}
	return well, nil
}

func readFile(name string, im *postgrey.Import) error {
	f, err := os.Open(name)
	if err != nil {
		return errors.Unwrap(err) // the path is told
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return postgrey.ErrNothing
	}
	return im.Read(name, f)
}

// keep saves records that are not over.
func (c *Command) keep(ctx context.Context, im *postgrey.Import) error {
	var all []history.Stored
	over, known := 0, 0
	for _, s := range im.Records() {
		at := s.Record.At(history.MomentOf(c.Now), &c.Config.History.Settings)
		switch {
		case at.Empty():
			over++
			continue
		case at.Known():
			known++
		}
		all = append(all, s)
	}
	if over > 0 {
		fmt.Fprintf(c.Stderr, "not taken over: %s of which it was too long ago\n", plain.Counted(over, "party", "parties"))
	}
	if len(all) == 0 {
		return nil
	}
	if c.Config.History.Store == "" {
		return fmt.Errorf("%s cannot be kept: history.store is empty, and memory is the daemon's", plain.Counted(len(all), "party", "parties"))
	}
	if err := c.save(ctx, all); err != nil {
		return err
	}
	fmt.Fprintf(c.Stderr, "policyd-rdns: %s taken over, of which %s known\n", plain.Counted(len(all), "party", "parties"), plain.Counted(known, "is", "are"))
	return nil
}

// save merges records into the store. A daemon that runs finds them there: it asks the
// store for whom it does not have in memory.
func (c *Command) save(ctx context.Context, all []history.Stored) (err error) {
	if _, missing := os.Stat(c.Config.History.Store); missing != nil && !c.Config.OnServer() {
		defer func() {
			if err == nil {
				err = ownedByFolder(c.Config.History.Store)
			}
		}()
	}
	store, err := c.open(ctx, &where{}, Create, "keep it")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for some := range slices.Chunk(all, batch) {
		if err := saveSome(ctx, store, some); err != nil {
			return err
		}
	}
	return nil
}

func saveSome(ctx context.Context, store history.Store, some []history.Stored) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return store.Save(ctx, some)
}
