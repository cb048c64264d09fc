package valkey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/valkey-io/valkey-go"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/kept"
)

const (
	// chunk is how many parties one command is about, so that others of the server's clients
	// do not wait.
	chunk = 64
	// batch is how many are read, and written, without waiting in between. The client dials
	// a connection more for 2000 commands.
	batch = 1024
	// rounds is how often a record is merged again because another wrote it meanwhile.
	rounds = 8
	// mostValue is how much of a value is read, in bytes: more than a record has.
	mostValue = 128
)

// swap writes values that are still what was read, and gives the numbers of the others.
// What is no text at all is taken for nothing.
var swap = fmt.Sprintf(`local changed = {}
for i, key in ipairs(KEYS) do
  local value = redis.pcall('GETRANGE', key, 0, %d)
  if type(value) ~= 'string' then value = '' end
  if value == ARGV[3*i-2] then
    redis.call('SET', key, ARGV[3*i-1], 'PX', ARGV[3*i])
  else
    changed[#changed+1] = i
  end
end
return changed`, mostValue-1)

// values are the first bytes of what is stored of parties; of one that is not there, or is
// something else, none.
func (s *Store) values(ctx context.Context, c client.Client, parties []history.Party) ([]string, error) {
	if len(parties) == 0 {
		return nil, nil
	}
	commands := make([]client.Completed, len(parties))
	for i, p := range parties {
		commands[i] = c.B().Getrange().Key(prefix + string(p)).Start(0).End(mostValue - 1).Build()
	}
	answers, err := s.do(ctx, c, commands...)
	if err != nil {
		return nil, err
	}
	values := make([]string, len(parties))
	for i, a := range answers {
		switch err := a.Error(); {
		case err == nil:
			values[i], _ = a.ToString()
		case !strings.HasPrefix(err.Error(), "WRONGTYPE"):
			return nil, s.failed(c, err)
		}
	}
	return values, nil
}

// decode is the record of a value; an empty one of what is none.
func decode(value string) history.Record {
	var r history.Record
	if err := r.UnmarshalBinary([]byte(value)); err != nil {
		return history.Record{}
	}
	return r
}

// Save merges records into those that are there. Of one that fails a part may have been
// saved.
func (s *Store) Save(ctx context.Context, records []history.Stored) error {
	c, err := s.connected(ctx)
	if err != nil {
		return s.named(err)
	}
	rest := s.once(records)
	for range rounds {
		var again []history.Stored
		for some := range slices.Chunk(rest, batch) {
			changed, err := s.merge(ctx, c, some)
			if err != nil {
				return s.named(err)
			}
			again = append(again, changed...)
		}
		if rest = again; len(rest) == 0 {
			return nil
		}
	}
	return s.named(errors.New("others write the same records all the time"))
}

// once is what has no party twice, in order.
func (s *Store) once(records []history.Stored) []history.Stored {
	all := slices.Clone(records)
	slices.SortStableFunc(all, func(a, b history.Stored) int { return strings.Compare(string(a.Party), string(b.Party)) })
	n := 0
	for i := range all {
		if n > 0 && all[n-1].Party == all[i].Party {
			all[n-1].Record.Merge(&all[i].Record, &s.o.Settings)
			continue
		}
		all[n] = all[i]
		n++
	}
	return all[:n]
}

// write is one of a party, if what was read of it is still there.
type write struct {
	stored     *history.Stored
	old, value string
	life       time.Duration
}

// merge reads, merges and writes, and gives those that another wrote meanwhile.
func (s *Store) merge(ctx context.Context, c client.Client, some []history.Stored) (changed []history.Stored, err error) {
	parties := make([]history.Party, len(some))
	for i := range some {
		parties[i] = some[i].Party
	}
	values, err := s.values(ctx, c, parties)
	if err != nil {
		return nil, err
	}
	now := history.MomentOf(s.o.Now())
	var writes []write
	for i, old := range values {
		record := decode(old)
		record = kept.Merged(&record, &some[i].Record, now, &s.o.Settings)
		value, err := record.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		if string(value) != old {
			writes = append(writes, write{&some[i], old, string(value), kept.Life(&record, &s.o.Settings)})
		}
	}
	if len(writes) == 0 {
		return nil, nil
	}
	chunks := slices.Collect(slices.Chunk(writes, chunk))
	commands := make([]client.Completed, len(chunks))
	for i, writes := range chunks {
		var names, args []string
		for _, w := range writes {
			names = append(names, prefix+string(w.stored.Party))
			args = append(args, w.old, w.value, milliseconds(w.life))
		}
		commands[i] = c.B().Eval().Script(swap).Numkeys(int64(len(names))).Key(names...).Arg(args...).Build()
	}
	answers, err := s.do(ctx, c, commands...)
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		numbers, err := a.AsIntSlice()
		if err != nil {
			return nil, s.failed(c, err)
		}
		for _, n := range numbers {
			if n < 1 || n > int64(len(chunks[i])) {
				return nil, s.failed(c, fmt.Errorf("answers %d to a script of %d", n, len(chunks[i])))
			}
			changed = append(changed, *chunks[i][n-1].stored)
		}
	}
	return changed, nil
}

// milliseconds is a time in which a key expires, which is at least one.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, d.Milliseconds()), 10)
}
