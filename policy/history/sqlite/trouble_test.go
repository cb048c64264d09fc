package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

// nobody is a user who is neither root nor the owner of anything.
const nobody = 65534

// written is a file with so many parties, closed.
func written(t testing.TB, n int) (path string) {
	t.Helper()
	path = aFile(t)
	s := Open(path, options())
	batch := make([]history.Stored, n)
	for i := range batch {
		batch[i] = storetest.Known(storetest.Number(i), now)
	}
	storetest.Save(t, s, batch...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// asides are the files that were set aside, without their journals.
func asides(t testing.TB, path string) (names []string) {
	t.Helper()
	for _, name := range files(t, path) {
		if strings.Contains(name, asideMark) && !strings.HasSuffix(name, "-wal") {
			names = append(names, filepath.Join(filepath.Dir(path), name))
		}
	}
	return names
}

// alter writes a file anew.
func alter(t testing.TB, path string, f func([]byte) []byte) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = f(data)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

// sql runs statements on a file that nobody has open.
func sql(t testing.TB, path string, statements ...string) {
	t.Helper()
	c, err := connect(storetest.Bounded(t), path, modeWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, s := range statements {
		if err := c.exec(storetest.Bounded(t), s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamaged: a file that is damaged is set aside as it is, which the call says that
// finds it; the next one begins a new file.
func TestDamaged(t *testing.T) {
	for name, harm := range map[string]func(path string) []byte{
		"half of it": func(path string) []byte { return alter(t, path, func(b []byte) []byte { return b[:len(b)/2] }) },
		"no page whole": func(path string) []byte {
			return alter(t, path, func(b []byte) []byte { return b[:1000] })
		},
		"no database": func(path string) []byte {
			return alter(t, path, func([]byte) []byte { return []byte(strings.Repeat("# config\n", 1000)) })
		},
		"its tables overwritten": func(path string) []byte {
			return alter(t, path, func(b []byte) []byte { return append(b[:100:100], bytes.Repeat([]byte{0xa5}, len(b)-100)...) })
		},
		"another version": func(path string) []byte {
			sql(t, path, "UPDATE meta SET version = 2")
			return alter(t, path, func(b []byte) []byte { return b })
		},
		"no key": func(path string) []byte {
			sql(t, path, "DELETE FROM meta")
			return alter(t, path, func(b []byte) []byte { return b })
		},
		"a table is lacking": func(path string) []byte {
			sql(t, path, "ALTER TABLE party DROP COLUMN returned")
			return alter(t, path, func(b []byte) []byte { return b })
		},
	} {
		path := written(t, 200)
		want := harm(path)
		s := opened(t, path, options())
		_, err := s.Key(storetest.Bounded(t))
		aside := asides(t, path)
		if err == nil || len(aside) != 1 || !strings.Contains(err.Error(), filepath.Base(aside[0])) {
			t.Errorf("%s: Key: %v; set aside: %q", name, err, aside)
			continue
		}
		if got, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: what was set aside is not what it was, or %v", name, err)
		}
		storetest.Key(t, s)
		storetest.Save(t, s, storetest.Known(storetest.Number(1), now))
		if got := storetest.Load(t, s, storetest.Number(1), storetest.Number(2)); got[0].LastPass != now || !got[1].Empty() {
			t.Errorf("%s: Load = %+v", name, got)
		}
	}
}

// filled is how many parties take more pages than the first two.
const filled = 600

// TestDamagedWhileOpen: damage that is found late is set aside likewise, the key of what
// is in memory goes on, and a disk that fails again and again does not push out what was
// set aside first.
func TestDamagedWhileOpen(t *testing.T) {
	path := written(t, filled)
	o := options()
	at := now.Time()
	o.Now = func() time.Time { return at }
	s := opened(t, path, o)
	key := storetest.Key(t, s)
	for round := range mostAside + 2 {
		sqlite := s.w
		if err := sqlite.exec(storetest.Bounded(t), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		s.reopen()
		// The first page, of the tables, stays whole, and the key with it.
		alter(t, path, func(b []byte) []byte { return append(b[:8192:8192], bytes.Repeat([]byte{7}, len(b)-8192)...) })
		batch := make([]history.Stored, filled/10)
		for i := range batch {
			batch[i] = storetest.Known(storetest.Number(i*9), now)
		}
		var err error
		for range 3 { // Key may find nothing amiss
			if _, err = s.Key(storetest.Bounded(t)); err == nil {
				err = s.Save(storetest.Bounded(t), batch)
			}
			if err != nil {
				break
			}
		}
		if err == nil {
			t.Fatalf("round %d: nothing is amiss", round)
		}
		// The first one is set aside by now; the others are too soon for that.
		if _, err := s.Load(storetest.Bounded(t), []history.Party{storetest.Number(1)}); err == nil || round > 0 && !damaged(err) {
			t.Errorf("round %d: Load of a damaged file: %v; want that it is", round, err)
		}
		if round > 0 {
			if n := len(asides(t, path)); n != min(round, mostAside) {
				t.Errorf("round %d: %d set aside within a minute", round, n)
			}
			at = at.Add(asideGap)
			if _, err = s.Key(storetest.Bounded(t)); err == nil {
				t.Errorf("round %d: Key says nothing of what it sets aside", round)
			}
		}
		if all := asides(t, path); !strings.Contains(err.Error(), filepath.Base(all[len(all)-1])) {
			t.Errorf("round %d: %v; set aside: %q", round, err, all)
		}
		if again := storetest.Key(t, s); again != key {
			t.Errorf("round %d: Key = %x; want %x", round, again, key)
		}
		if n := len(asides(t, path)); n != min(round+1, mostAside) {
			t.Errorf("round %d: %d set aside", round, n)
		}
		fill := make([]history.Stored, filled)
		for i := range fill {
			fill[i] = storetest.Known(storetest.Number(i), now)
		}
		storetest.Save(t, s, fill...)
	}
}

// TestFlippedBits: whatever bits of a file are wrong, a call works or says so, and after
// a few calls all is well again.
func TestFlippedBits(t *testing.T) {
	good, err := os.ReadFile(written(t, 200))
	if err != nil {
		t.Fatal(err)
	}
	seeds := uint64(8)
	if os.Getenv("POLICYD_RDNS_LONG") != "" {
		seeds = 400
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 7))
		path := aFile(t)
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		alter(t, path, func(b []byte) []byte {
			for range 1 + r.IntN(40) {
				at := r.IntN(len(b))
				if seed%2 == 0 {
					at = r.IntN(8192)
				}
				b[at] ^= 1 << r.IntN(8)
			}
			return b
		})
		until(t, path, func() error { return everything(t, path) })
	}
}

// until calls a function until it works, which is to be soon.
func until(t testing.TB, path string, f func() error) {
	t.Helper()
	var errs []error
	for range 4 {
		err := f()
		if err == nil {
			return
		}
		errs = append(errs, err)
	}
	if strings.Contains(errs[3].Error(), "another program") {
		return // a bit of its mark: never touched
	}
	t.Errorf("%q: %v", files(t, path), errors.Join(errs...))
}

// everything calls all that a store has.
func everything(t testing.TB, path string) error {
	s := Open(path, options())
	defer s.Close()
	if _, err := s.Key(storetest.Bounded(t)); err != nil {
		return err
	}
	var batch []history.Stored
	var parties []history.Party
	for i := range 220 {
		batch = append(batch, storetest.Known(storetest.Number(i), now+1))
		parties = append(parties, storetest.Number(i))
	}
	if _, err := s.Load(storetest.Bounded(t), parties); err != nil {
		_, found := s.Key(storetest.Bounded(t)) // sets it aside
		return errors.Join(err, found)
	}
	if err := s.Save(storetest.Bounded(t), batch); err != nil {
		_, found := s.Key(storetest.Bounded(t))
		return errors.Join(err, found)
	}
	if err := s.Delete(storetest.Bounded(t), parties); err != nil {
		_, found := s.Key(storetest.Bounded(t))
		return errors.Join(err, found)
	}
	return nil
}

// TestOthersFiles: a database of another program, and what is no file, are left alone.
func TestOthersFiles(t *testing.T) {
	folder := t.TempDir()
	other := filepath.Join(folder, "other.db")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sql(t, other, "CREATE TABLE mail (text)")
	before, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		other:                                "another program",
		folder:                               "no regular file",
		filepath.Join(folder, "no", "where"): "no such file or directory",
	} {
		s := opened(t, path, options())
		for range 2 {
			if _, err := s.Key(storetest.Bounded(t)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Key of %s: %v; want %q", path, err, want)
			}
		}
		if _, err := s.Load(storetest.Bounded(t), []history.Party{"a:192.0.2.1"}); err == nil {
			t.Errorf("Load of %s works", path)
		}
	}
	if after, err := os.ReadFile(other); err != nil || !bytes.Equal(after, before) || len(files(t, other)) != 1 {
		t.Errorf("another program's database was changed, or %q beside it; %v", files(t, other), err)
	}
}

// TestMoved: a file that is removed or replaced while it is open is let go.
func TestMoved(t *testing.T) {
	path := written(t, 10)
	s := opened(t, path, options())
	key := storetest.Key(t, s)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	storetest.Save(t, s, storetest.Known(storetest.Number(20), now))
	if got := storetest.Load(t, s, storetest.Number(20), storetest.Number(1)); got[0].Empty() || !got[1].Empty() {
		t.Errorf("after the file was removed: %+v", got)
	}
	if again := storetest.Key(t, s); again != key {
		t.Errorf("Key = %x; want what memory goes on with, %x", again, key)
	}
}

// TestFull: with no room left saving fails until there is some, reading goes on, and
// what was saved before is there.
func TestFull(t *testing.T) {
	path := written(t, 200)
	s := opened(t, path, options())
	storetest.Key(t, s)
	many := make([]history.Stored, 3000)
	for i := range many {
		many[i] = storetest.Known(storetest.Number(5000+i), now)
	}
	limit := func(pages string) {
		if _, err := s.w.values(storetest.Bounded(t), "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("60")
	if err := s.Save(storetest.Bounded(t), many); err == nil || !strings.Contains(err.Error(), "full") {
		t.Fatalf("Save without room: %v", err)
	}
	if got := storetest.Load(t, s, storetest.Number(1), storetest.Number(5000)); got[0].Empty() || !got[1].Empty() {
		t.Errorf("Load without room = %+v", got)
	}
	if _, err := s.Key(storetest.Bounded(t)); err == nil {
		t.Error("Key does not see that there is hardly room")
	}
	limit("100000")
	storetest.Key(t, s)
	storetest.Save(t, s, many...)
	if len(asides(t, path)) != 0 {
		t.Error("the file was set aside")
	}
}

// TestFileSize is the same with a limit of the system, in the write-ahead log.
func TestFileSize(t *testing.T) {
	path := written(t, 200)
	c := start(t, "full", path, 0)
	c.expect("well")
	c.end()
	if left := files(t, path); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
}

func childFull(path string, _ *bufio.Reader) error {
	ctx := context.Background()
	s := Open(path, options())
	if _, err := s.Key(ctx); err != nil {
		return err
	}
	if err := s.Save(ctx, []history.Stored{storetest.Known("a:192.0.2.1", now)}); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	narrow := limit
	narrow.Cur = 150_000
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &narrow); err != nil {
		return err
	}
	many := make([]history.Stored, 3000)
	for i := range many {
		many[i] = storetest.Known(storetest.Number(5000+i), now)
	}
	if err := s.Save(ctx, many); err == nil {
		return errors.New("Save works without room")
	}
	for range 3 {
		if _, err := s.Key(ctx); err == nil {
			return errors.New("Key works without room")
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if _, err := s.Key(ctx); err != nil {
		return err
	}
	if err := s.Save(ctx, many); err != nil {
		return err
	}
	records, err := s.Load(ctx, []history.Party{"a:192.0.2.1", storetest.Number(1), storetest.Number(5000)})
	if err != nil || slices.ContainsFunc(records, func(r history.Record) bool { return r.Empty() }) {
		return fmt.Errorf("Load: %v, %v", records, err)
	}
	fmt.Println("well")
	return s.Close()
}

// TestReadOnly: a file that cannot be written is an error until it can, and is left as it
// is.
func TestReadOnly(t *testing.T) {
	path, uid := aFile(t), uint32(0)
	if os.Getuid() == 0 {
		uid = nobody // root writes everything
	}
	s := Open(path, options())
	storetest.Save(t, s, storetest.Known(storetest.Number(1), now))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open := func(folder, file os.FileMode) {
		for name, mode := range map[string]os.FileMode{filepath.Dir(path): folder, path: file} {
			if uid != 0 {
				if err := os.Chown(name, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Whoever the test runs as, others may pass the folders above.
	if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	open(0o500, 0o400)
	c := start(t, "stranger", path, uid)
	for _, mode := range [][2]os.FileMode{{0o500, 0o400}, {0o700, 0o400}, {0o700, 0o000}} {
		open(mode[0], mode[1])
		c.tell("try")
		if got := c.line(); !strings.HasPrefix(got, "refused") {
			t.Errorf("folder %v, file %v: %s", mode[0], mode[1], got)
		}
	}
	open(0o700, 0o600)
	c.tell("try")
	c.expect("saved")
	c.end()
	if left := files(t, path); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
}

// childStranger tries to save at each line.
func childStranger(path string, in *bufio.Reader) error {
	ctx := context.Background()
	s := Open(path, options())
	for {
		if _, err := in.ReadString('\n'); err != nil {
			return s.Close()
		}
		_, err := s.Key(ctx)
		if err == nil {
			err = s.Save(ctx, []history.Stored{storetest.Known(storetest.Number(2), now)})
		}
		if err != nil {
			fmt.Println("refused:", strings.ReplaceAll(err.Error(), "\n", "; "))
		} else {
			fmt.Println("saved")
		}
	}
}

// TestLocked: as long as another process locks the file it is an error, soon, and no
// more.
func TestLocked(t *testing.T) {
	path := written(t, 10)
	c := start(t, "locker", path, 0)
	c.expect("locked")
	s := opened(t, path, options())
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Key(short); err == nil {
		t.Error("Key works though the file is locked")
	}
	if err := s.Save(short, []history.Stored{storetest.Known(storetest.Number(1), now)}); err == nil {
		t.Error("Save works though the file is locked")
	}
	c.end()
	storetest.Key(t, s)
	if got := storetest.Load(t, s, storetest.Number(1)); got[0].Empty() || len(asides(t, path)) != 0 {
		t.Errorf("after the lock: %+v; set aside: %q", got, asides(t, path))
	}
}

// childLocker locks a file until its input ends.
func childLocker(path string, in *bufio.Reader) error {
	ctx := context.Background()
	c, err := connect(ctx, path, modeWrite)
	if err != nil {
		return err
	}
	for _, s := range []string{"PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "UPDATE meta SET checked = 1"} {
		if err := c.exec(ctx, s); err != nil {
			return err
		}
	}
	fmt.Println("locked")
	io.Copy(io.Discard, in)
	if err := c.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	return c.close()
}

// TestUpgrade: the old process still has the file while the new one begins, and both
// save.
func TestUpgrade(t *testing.T) {
	path := written(t, 10)
	old := start(t, "holder", path, 0)
	key := old.line()
	s := opened(t, path, options())
	if got := fmt.Sprintf("%x", storetest.Key(t, s)); got != key {
		t.Errorf("the new process has the key %s; want %s", got, key)
	}
	for i := range 20 {
		old.tell(strconv.Itoa(i))
		storetest.Save(t, s, history.Stored{Party: storetest.Number(i), Record: history.Record{FirstContact: now, LastContact: now + 9}})
	}
	for range 20 {
		old.expect("saved")
	}
	old.end()
	for i := range 20 {
		want := history.Record{FirstContact: now, LastContact: now + 9, FirstPass: now, LastPass: now + 1}
		if i < 10 {
			want.FirstContact, want.FirstPass = now-86400, now-86400
		}
		if got := storetest.Load(t, s, storetest.Number(i))[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%d = %+v; want %+v", i, got, want)
		}
	}
}

// childHolder has a file open, and saves a party at each line.
func childHolder(path string, in *bufio.Reader) error {
	ctx := context.Background()
	s := Open(path, options())
	key, err := s.Key(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%x\n", key)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return s.Close()
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return err
		}
		err = s.Save(ctx, []history.Stored{{Party: storetest.Number(n), Record: history.Record{FirstContact: now, LastContact: now, FirstPass: now, LastPass: now + 1}}})
		if err != nil {
			return err
		}
		fmt.Println("saved")
	}
}

// TestDamagedAndHeld: a damaged file that another process has open is waited for.
func TestDamagedAndHeld(t *testing.T) {
	path := written(t, 10)
	old := start(t, "holder", path, 0)
	old.line()
	alter(t, path, func(b []byte) []byte { return append([]byte("no database"), b[11:]...) })
	s := opened(t, path, options())
	for range 2 {
		if _, err := s.Key(storetest.Bounded(t)); err == nil || !strings.Contains(err.Error(), "has it open") || len(asides(t, path)) != 0 {
			t.Errorf("Key: %v; set aside: %q", err, asides(t, path))
		}
	}
	old.kill()
	if _, err := s.Key(storetest.Bounded(t)); err == nil || len(asides(t, path)) != 1 {
		t.Errorf("Key: %v; set aside: %q", err, asides(t, path))
	}
	storetest.Key(t, s)
}

// TestKilled: a process that is killed in the midst of saving has lost what Save had not
// said yes to, and the file is whole.
func TestKilled(t *testing.T) {
	times := 6
	if os.Getenv("POLICYD_RDNS_LONG") != "" {
		times = 100
	}
	path := aFile(t)
	saved := 0
	for i := range times {
		c := start(t, "writer", path, 0)
		c.tell(strconv.Itoa(saved))
		r := rand.New(rand.NewPCG(uint64(i), 3))
		for range 1 + r.IntN(4) {
			saved = last(t, c.line())
		}
		for range r.IntN(1000) { // some more of its time
			if c.out.Buffered() > 0 {
				saved = last(t, c.line())
			}
		}
		if rest := strings.Split(c.kill(), "\n"); len(rest) > 1 {
			saved = last(t, rest[len(rest)-2])
		}
		s := Open(path, options())
		storetest.Key(t, s)
		whole, err := s.w.values(storetest.Bounded(t), "PRAGMA integrity_check")
		if err != nil || whole[0] != "ok" {
			t.Fatalf("killed %d times: %v, %v", i+1, whole, err)
		}
		for n, r := range storetest.Load(t, s, storetest.Number(saved*batchOf), storetest.Number(saved*batchOf+batchOf-1), storetest.Number(batchOf)) {
			if r.Empty() {
				t.Errorf("killed %d times: a party of a batch that was saved is gone: %d", i+1, n)
			}
		}
		if n := counted(t, s); n%batchOf != 0 {
			t.Errorf("killed %d times: %d parties: part of a batch is there", i+1, n)
		}
		saved++ // perhaps it was
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(files(t, path)) != 1 {
			t.Errorf("there are %q", files(t, path))
		}
	}
}

func last(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("the child says %q", line)
	}
	return n
}

// batchOf is how many parties a batch of childWriter has.
const batchOf = 100

// childWriter saves batches, and says which it has saved.
func childWriter(path string, in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	s := Open(path, options())
	for {
		n++
		batch := make([]history.Stored, batchOf)
		for i := range batch {
			batch[i] = storetest.Known(storetest.Number(n*batchOf+i), now)
		}
		if err := s.Save(context.Background(), batch); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestMapped: someone cuts the index of the journal, which is mapped: the daemon lives,
// and opens the file again.
func TestMapped(t *testing.T) {
	path := written(t, 10)
	s := opened(t, path, options())
	storetest.Save(t, s, storetest.Known(storetest.Number(20), now))
	storetest.Load(t, s, storetest.Number(1))
	if err := os.Truncate(path+"-shm", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(storetest.Bounded(t), []history.Party{storetest.Number(1)}); err == nil {
		t.Error("Load works without an index")
	}
	until(t, path, func() error { _, err := s.Key(storetest.Bounded(t)); return err })
	storetest.Save(t, s, storetest.Known(storetest.Number(21), now))
	for i, r := range storetest.Load(t, s, storetest.Number(1), storetest.Number(20), storetest.Number(21)) {
		if r.Empty() {
			t.Errorf("party %d is gone", i)
		}
	}
	if len(asides(t, path)) != 0 {
		t.Error("the file was set aside")
	}
}

// TestPanic: if SQLite panics it is an error, and the file is left alone from then on.
func TestPanic(t *testing.T) {
	s := Open(aFile(t), options())
	storetest.Key(t, s)
	_, err := call(storetest.Bounded(t), s, s.reading, func() (int, error) { panic("as in a damaged file") })
	if !errors.Is(err, errCrashed) {
		t.Errorf("a panic is %v", err)
	}
	for what, err := range map[string]error{
		"Key":   func() error { _, err := s.Key(storetest.Bounded(t)); return err }(),
		"Load":  func() error { _, err := s.Load(storetest.Bounded(t), []history.Party{storetest.Number(1)}); return err }(),
		"Save":  s.Save(storetest.Bounded(t), []history.Stored{storetest.Known(storetest.Number(1), now)}),
		"Close": s.Close(),
	} {
		if !errors.Is(err, errCrashed) {
			t.Errorf("%s after a panic: %v", what, err)
		}
	}
}
