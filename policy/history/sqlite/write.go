package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/kept"
)

// most is how many parties one statement loads. Those of a decision are fewer.
const most = 8

// prepareAll prepares the statements. Where one of them fits no table, the file is
// damaged.
func (c *conn) prepareAll() error {
	for to, query := range map[**stmt]string{
		&c.find: "SELECT " + columns + " FROM party WHERE party = ?",
		&c.load: "SELECT party, " + columns + " FROM party WHERE party IN (?" + strings.Repeat(",?", most-1) + ")",
		&c.insert: "INSERT INTO party (party, first_contact, last_contact, first_pass, last_pass, returned, objected, last_objection, deferrals, rank) " +
			"VALUES (?,?,?,?,?,?,?,?,?,?)",
		// The rank is not written unless it changes, as it is indexed.
		&c.update: "UPDATE party SET first_contact = ?, last_contact = ?, first_pass = ?, last_pass = ?, returned = ?, objected = ?, " +
			"last_objection = ?, deferrals = ? WHERE party = ?",
		&c.move:     "UPDATE party SET rank = ? WHERE party = ? AND rank <> ?",
		&c.remove:   "DELETE FROM party WHERE party = ?",
		&c.leave:    "DELETE FROM party WHERE party IN (SELECT party FROM party WHERE rank >= ? AND rank < ? ORDER BY rank LIMIT ?)",
		&c.count:    "UPDATE meta SET parties = max(0, parties + ?) RETURNING parties",
		&c.begin:    "BEGIN IMMEDIATE",
		&c.commit:   "COMMIT",
		&c.rollback: "ROLLBACK",
	} {
		s, err := c.prepare(query)
		if code(err) == sqlError {
			return damagef("its tables are not of this version: %v", err)
		}
		if err != nil {
			return err
		}
		*to = s
		c.stmts = append(c.stmts, s.s)
	}
	return nil
}

// openHistory opens a file that is a history already, to read.
func openHistory(ctx context.Context, path, mode string, wait time.Duration) (*conn, error) {
	c, err := connect(ctx, path, mode)
	if err != nil {
		return nil, err
	}
	for _, pragma := range []string{
		fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds()),
		"PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "PRAGMA mmap_size = 0", "PRAGMA cache_size = -8192", "PRAGMA query_only = ON",
	} {
		if err := c.exec(ctx, pragma); err != nil {
			c.close()
			return nil, err
		}
	}
	if err := c.prepareAll(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// records are those of parties, in their order.
func (c *conn) records(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	// What a context ends early costs a goroutine for each statement; these are short.
	quick := context.WithoutCancel(ctx)
	records := make([]history.Record, len(parties))
	for from := 0; from < len(parties); from += most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some := parties[from:min(from+most, len(parties))]
		values := make([]driver.Value, most)
		for i, p := range some {
			values[i] = string(p)
		}
		err := c.load.query(quick, func(row []driver.Value) {
			name, _ := row[0].(string)
			record, _ := decode(row[1:])
			for i, p := range some {
				if string(p) == name {
					records[from+i] = record
				}
			}
		}, values...)
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}

// transaction runs a function in one. What it returned an error for has not happened.
func (c *conn) transaction(ctx context.Context, f func(quick context.Context) error) error {
	if _, err := c.begin.exec(ctx); err != nil {
		return err
	}
	quick := context.WithoutCancel(ctx)
	err := f(quick)
	if err == nil {
		_, err = c.commit.exec(quick)
	}
	if err != nil {
		// Some errors have ended the transaction, and there is nothing to roll back.
		if _, failed := c.rollback.exec(quick); failed != nil && code(failed) != sqlError {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// atOnce is how many parties go with one batch at least.
const atOnce = 200

// save merges a batch, in the order of the table.
func (c *conn) save(ctx context.Context, batch []history.Stored, now history.Moment, o *Options) error {
	ordered := slices.Clone(batch)
	slices.SortStableFunc(ordered, func(a, b history.Stored) int { return strings.Compare(string(a.Party), string(b.Party)) })
	return c.transaction(ctx, func(quick context.Context) error {
		added := 0
		for i := range ordered {
			if err := ctx.Err(); err != nil {
				return err
			}
			isNew, err := c.merge(quick, &ordered[i], now, &o.Settings)
			if err != nil {
				return err
			}
			if isNew {
				added++
			}
		}
		return c.prune(quick, added, now, o)
	})
}

// merge merges one record, and reports whether its party was not there.
func (c *conn) merge(ctx context.Context, stored *history.Stored, now history.Moment, s *history.Settings) (isNew bool, err error) {
	party := string(stored.Party)
	var old history.Record
	found, readable := false, false
	err = c.find.query(ctx, func(row []driver.Value) {
		found = true
		old, readable = decode(row)
	}, party)
	if err != nil {
		return false, err
	}
	record := kept.Merged(&old, &stored.Record, now, s)
	if !found {
		_, err := c.insert.exec(ctx, append(encode([]driver.Value{party}, &record), rank(&record))...)
		return true, err
	}
	if readable && reflect.DeepEqual(record, old) {
		return false, nil
	}
	if _, err := c.update.exec(ctx, append(encode(nil, &record), party)...); err != nil {
		return false, err
	}
	if readable && rank(&record) == rank(&old) {
		return false, nil
	}
	_, err = c.move.exec(ctx, rank(&record), party, rank(&record))
	return false, err
}

// prune lets parties go, about twice as many as were added: who never passed and is
// forgotten, who passed so long ago, and those that are too many.
func (c *conn) prune(ctx context.Context, added int, now history.Moment, o *Options) error {
	steps := int64(atOnce + 2*added)
	gone := int64(0)
	for _, over := range []struct{ from, to int64 }{
		{0, ago(now, o.Settings.Window) / hour},
		{rankKnown, rankKnown + ago(now, o.Settings.Keep)/day},
	} {
		n, err := c.leave.exec(ctx, over.from, over.to, steps-gone)
		if err != nil {
			return err
		}
		gone += n
	}
	there, err := c.counted(ctx, int64(added)-gone)
	if err != nil {
		return err
	}
	if there > int64(o.Limit) && !c.recounted {
		// An administrator may have deleted some by hand. It takes a moment, so it is done once.
		c.recounted = true
		if err := c.exec(ctx, "UPDATE meta SET parties = (SELECT count(*) FROM party)"); err != nil {
			return err
		}
		if there, err = c.counted(ctx, 0); err != nil {
			return err
		}
	}
	if excess := min(there-int64(o.Limit), steps); excess > 0 {
		n, err := c.leave.exec(ctx, int64(0), int64(2*rankKnown), excess)
		if err != nil {
			return err
		}
		_, err = c.counted(ctx, -n)
		return err
	}
	return nil
}

// ago is so long before a moment, in seconds.
func ago(now history.Moment, d time.Duration) int64 { return max(0, int64(now)-int64(d/time.Second)) }

// counted keeps count of the parties, which to count takes long, and gives it.
func (c *conn) counted(ctx context.Context, more int64) (parties int64, err error) {
	err = c.count.query(ctx, func(row []driver.Value) { parties, _ = row[0].(int64) }, more)
	return parties, err
}

// forget removes parties.
func (c *conn) forget(ctx context.Context, parties []history.Party) error {
	return c.transaction(ctx, func(quick context.Context) error {
		gone := int64(0)
		for _, p := range parties {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := c.remove.exec(quick, string(p))
			if err != nil {
				return err
			}
			gone += n
		}
		_, err := c.counted(quick, -gone)
		return err
	})
}

// room is what has to be free after a disk was full, in bytes: more than a batch takes,
// or the next one would fail again.
const room = 1 << 20

// prove writes, to see whether that can be done.
func (c *conn) prove(ctx context.Context, muchToo bool, now history.Moment) error {
	if muchToo {
		err := c.transaction(ctx, func(quick context.Context) error {
			return c.exec(quick, "INSERT INTO probe VALUES (zeroblob(?))", int64(room))
		})
		if err != nil {
			return err
		}
	}
	return c.transaction(ctx, func(quick context.Context) error {
		if err := c.exec(quick, "DELETE FROM probe"); err != nil {
			return err
		}
		return c.exec(quick, "UPDATE meta SET checked = ?", int64(now))
	})
}
