package resolver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/miekg/dns"
)

// SaveCache writes the answers at hand to a file, for LoadCache after a restart:
// to path with ".new" after it, of mode 0600, which takes the place of the old
// file when it is whole and on the disk. Failures are left out, and so is what
// would be of no use any more (Config.Stale). It works after Close, too, and not
// twice at once for one path.
func (r *Resolver) SaveCache(path string) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(writeCache(f, time.Now(), r.saved()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return nil
}

// LoadCache reads what SaveCache wrote and says how many answers it took from
// it. Those that the cache has already are newer and stay; those that are of no
// use any more are left out. Answers have grown older meanwhile, by the wall
// clock.
//
// A file that is not whole, is none of ours, has another version or was written
// in the future (the clock was set back) is an error, and nothing is taken from
// it. One that does not exist is an error too: fs.ErrNotExist.
func (r *Resolver) LoadCache(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if s, err := f.Stat(); err != nil || !s.Mode().IsRegular() {
		return 0, errors.Join(err, fmt.Errorf("%s: no regular file", path))
	}
	// Once to see that it is good, and once more to take it: it may be large.
	for _, err := range readCache(f, time.Now()) {
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	n := 0
	for a, err := range readCache(f, time.Now()) {
		if err != nil {
			return n, fmt.Errorf("%s: changed while it was read: %w", path, err)
		}
		if r.load(a) {
			n++
		}
	}
	return n, nil
}

// saved are the answers that are still of use, the least recently used of each
// kind first.
func (r *Resolver) saved() iter.Seq[*savedAnswer] {
	return func(yield func(*savedAnswer) bool) {
		for k, e := range r.names.all() {
			a := r.names.save(e)
			a.qtype, a.addr, a.names = dns.TypePTR, k, e.records()
			if !yield(a) {
				return
			}
		}
		for k, e := range r.hosts.all() {
			a := r.hosts.save(e)
			a.qtype, a.host, a.addrs = k.qtype, k.name, e.records()
			if !yield(a) {
				return
			}
		}
	}
}

func (t *table[K, R]) all() iter.Seq2[K, *entry[R]] {
	return func(yield func(K, *entry[R]) bool) {
		for _, c := range []*lru.Cache[K, *entry[R]]{t.cache.few, t.cache.many} {
			for _, k := range c.Keys() {
				if e, ok := c.Peek(k); ok && t.lasting(e) && !yield(k, e) {
					return
				}
			}
		}
	}
}

// save is what a file keeps of every entry.
func (t *table[K, R]) save(e *entry[R]) *savedAnswer {
	return &savedAnswer{
		age: time.Duration(t.r.clock()-e.at) * time.Millisecond, ttl: time.Duration(e.ttl) * time.Millisecond,
		more: e.more,
	}
}

// lasting says that an entry is an answer that is still of use.
func (t *table[K, R]) lasting(e *entry[R]) bool {
	now := t.r.clock()
	return e.outcome != TempError && (e.fresh(now, 0) || t.r.usable(e.outcome, e.expires(), now))
}

// load puts an answer of a file into the cache, if it is news and of use.
func (r *Resolver) load(a *savedAnswer) bool {
	if a.qtype == dns.TypePTR {
		return r.names.load(a.addr, a, a.names)
	}
	return r.hosts.load(hostKey{a.host, a.qtype}, a, a.addrs)
}

func (t *table[K, R]) load(k K, a *savedAnswer, records []R) bool {
	now := t.r.clock()
	e := &entry[R]{outcome: None, more: a.more, at: now - a.age.Milliseconds(), ttl: uint32(a.ttl.Milliseconds())}
	size := 0
	for _, rec := range records {
		e.outcome = Found
		size += k.size(rec)
	}
	e.keep(records)
	e.large = size > fewBytes
	if size > maxBytes || t.cache.peek(k) != nil || !t.lasting(e) {
		return false
	}
	t.cache.put(k, e, now)
	return true
}
