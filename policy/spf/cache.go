package spf

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"policyd-rdns/policy/address"
)

// maxPersonal bounds the HELO and the sender by which a result is kept, in bytes.
const maxPersonal = 512

// Cache keeps results by client and domain, and by the whole sender and HELO where a macro
// uses them, for their TTL. Those that were not used for longest are thrown out first. It
// may be used from any number of goroutines.
type Cache struct {
	now func() time.Time
	mu  sync.Mutex
	lru *simplelru.LRU[cacheKey, kept]
}

// cacheKey is what a result depends on. Sender and HELO are empty if it does not depend on
// them.
type cacheKey struct {
	client               netip.Addr
	domain, sender, helo string
}

// kept is a result and when it was made. A personal one is kept twice: for its domain it
// says only that the sender and HELO have to be looked at.
type kept struct {
	result Result
	at     time.Time
}

// NewCache makes a cache of so many results, at least 1. now is the clock by which they
// grow old; nil: time.Now.
func NewCache(entries int, now func() time.Time) *Cache {
	if now == nil {
		now = time.Now
	}
	lru, _ := simplelru.NewLRU[cacheKey, kept](max(entries, 1), nil) // only a size below 1 is an error
	return &Cache{now: now, lru: lru}
}

// Resize changes how many results are kept, at least 1.
func (c *Cache) Resize(entries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Resize(max(entries, 1))
}

// Len is how many results are kept, those past their TTL included.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Len()
}

// Get is the result at hand, if there is one that will do. It sends nothing.
func (c *Cache) Get(q Query) (Result, bool) {
	q.Client = address.Plain(q.Client)
	domain := q.Domain()
	if domain == "" || !q.Client.IsValid() {
		return Check(context.Background(), nil, q), true
	}
	return c.get(&q, domain)
}

func (c *Cache) get(q *Query, domain string) (Result, bool) {
	now := c.now()
	k := cacheKey{client: q.Client, domain: domain}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(k)
	if ok && e.result.Personal {
		k.sender, k.helo = q.Sender, q.HELO
		e, ok = c.lru.Get(k)
	}
	age := elapsed(e.at, now)
	r := e.result
	r.Age += age
	r.TTL -= age
	if !ok || r.TTL <= 0 || q.MaxAge > 0 && r.Age > q.MaxAge {
		return Result{}, false
	}
	r.Cached, r.Messages = true, 0
	return r, true
}

// elapsed is the time since then: by the wall clock too, for the monotonic one stands still
// while a machine is suspended.
func elapsed(then, now time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// Check is the result at hand, or that of [Check], which is kept.
func (c *Cache) Check(ctx context.Context, dns DNS, q Query) Result {
	if r, ok := c.Get(q); ok {
		return r
	}
	r := Check(ctx, dns, q)
	c.put(&q, r)
	return r
}

// Checker checks policies through a resolver, and keeps the results. It may be used from any
// number of goroutines.
type Checker struct {
	DNS   DNS
	Cache *Cache
}

// Begin is the result at hand; else wait checks, as [Check] does, and keeps the result. If
// nearby, there is no wait, and the code is NotChecked if nothing is at hand.
func (c *Checker) Begin(q Query, nearby bool) (r Result, wait func(context.Context) Result) {
	r, ok := c.Cache.Get(q)
	if ok || nearby {
		return r, nil
	}
	return r, func(ctx context.Context) Result { return c.Cache.Check(ctx, c.DNS, q) }
}

// put keeps a result.
func (c *Cache) put(q *Query, r Result) {
	if r.TTL <= 0 || r.Personal && len(q.Sender)+len(q.HELO) > maxPersonal {
		return
	}
	e := kept{r, c.now()}
	k := cacheKey{client: address.Plain(q.Client), domain: q.Domain()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Add(k, e)
	if r.Personal {
		k.sender, k.helo = q.Sender, q.HELO
		c.lru.Add(k, e)
	}
}
