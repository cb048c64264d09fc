// Package valkey keeps the records of a history in Valkey or Redis, for several mail
// servers that share it.
//
// # What it promises
//
// Every method returns by its context, whatever the server does: it is down, frozen,
// starting, out of memory, a replica, or wants another password. That is an error, and
// Load then fails at once until Key has proven that the server answers and takes writes.
// Nothing is dialled in Load's way: that is for Key, and for Save and Delete, behind which
// one attempt at a time is made, of a second at most. Nothing is logged.
//
// Several daemons may save the same party at once: a record is read, merged and written
// only if it is still what was read, or all of that is done again. So nothing of either
// is lost; after some rounds the call fails and may be made again. What a failover loses is
// what the old server had not replicated, mostly below a second: a deferral more at most.
//
// # What is stored
//
// Keys begin with "policyd-rdns:". One is "policyd-rdns:key", the key of all hashes; the
// others are parties, as "policyd-rdns:a:192.0.2.1", with the bytes of
// history.Record.AppendBinary, and expire: after window where the party never passed, after
// keep where it did, each counted from the last write. What others have put there is taken
// for nothing, and is never read whole. The server is to keep what does not expire
// (maxmemory-policy noeviction or volatile-ttl): if the key of the hashes goes, all who
// wait begin anew. Who can reach the server can make strangers known and shorten
// defer_for, no more.
//
// It speaks to one server, be it behind a name or an address that moves to another, not to
// a cluster or to sentinels. Of commands it needs SET, GET, GETRANGE, DEL and EVAL, which
// all have since Redis 2.8.
package valkey

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	client "github.com/valkey-io/valkey-go"

	"policyd-rdns/policy/history"
)

// Options are those of a store. Of the zero value all but Settings is usable.
type Options struct {
	// Settings say when a record is over.
	Settings history.Settings
	// Roots are who signs a server's certificate; nil: whom the system trusts.
	Roots *x509.CertPool
	// Now is the time; nil: history.Clock. Only what is over is told by it.
	Now func() time.Time
}

const (
	// dialTime is how long connecting takes at most: the connection, TLS and the greeting,
	// each.
	dialTime = time.Second
	// silence is after how long without an answer a connection is given up, and how often it
	// is looked at.
	silence = time.Second
	look    = time.Second
	// mostCalls is how many calls are under way. The client queues 1024, and beyond that
	// it waits without regard for a context.
	mostCalls = 256
	// mostPassword is how long one is at most, in bytes.
	mostPassword = 4096
)

// prefix is that of all keys.
const prefix = "policyd-rdns:"

// Store is a server. Its methods may be called by several goroutines.
type Store struct {
	name         string // host and port
	option       client.ClientOption
	passwordFile string
	o            Options
	calls        chan struct{} // held by those that are under way

	behind sync.WaitGroup // dials, and connections that are being closed

	mu       sync.Mutex
	live     client.Client // nil: there is no connection
	dialling chan struct{} // closed when the dial that is under way has ended; nil: none is
	cause    error         // why Load is of no use at present; nil: it is
	key      *history.Key
	closed   bool
}

var _ history.Store = (*Store)(nil)

var (
	errClosed   = errors.New("the store is closed")
	errNoServer = errors.New("not connected yet")
	errOver     = errors.New("the connection is over")
)

// Open is a store in the server of a URL: valkey://[USER@]HOST[:PORT][/DB], redis:// the
// same, valkeys:// and rediss:// with TLS. The password is the first line of a file; an
// empty name: there is none. It connects to nothing: what is wrong with the server is an
// error of Key.
func Open(address, passwordFile string, o Options) (*Store, error) {
	option, err := parse(address)
	if err != nil {
		return nil, err
	}
	if option.TLSConfig != nil {
		option.TLSConfig.RootCAs = o.Roots
	}
	if o.Now == nil {
		o.Now = history.Clock()
	}
	s := &Store{
		name: option.InitAddress[0], option: option, passwordFile: passwordFile, o: o,
		calls: make(chan struct{}, mostCalls), cause: errNoServer,
	}
	if _, err := s.password(); err != nil {
		return nil, err
	}
	return s, nil
}

// parse is what a URL says. Its errors do not repeat what may be a password.
func parse(address string) (option client.ClientOption, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" {
		return option, errors.New("not a URL; want valkey://HOST:PORT/DB")
	}
	switch u.Scheme {
	case "valkey", "redis":
	case "valkeys", "rediss":
		option.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	default:
		return option, fmt.Errorf("%.20q is no scheme of it; want valkey://, or valkeys:// for TLS (redis://, rediss://)", u.Scheme)
	}
	if _, has := u.User.Password(); has {
		return option, errors.New("has a password in the URL, where others read it; want it in a file of its own")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return option, errors.New(`ends in "?" or "#"; want valkey://HOST:PORT/DB`)
	}
	if u.Hostname() == "" {
		return option, errors.New("names no host; want valkey://HOST:PORT/DB")
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return option, fmt.Errorf("port %.20q: want 1 to 65535", port)
	}
	if db := strings.TrimPrefix(u.Path, "/"); db != "" {
		n, err := strconv.ParseUint(db, 10, 16)
		if err != nil {
			return option, fmt.Errorf("database %.20q: want a number, such as 0", db)
		}
		option.SelectDB = int(n)
	}
	option.InitAddress = []string{net.JoinHostPort(u.Hostname(), port)}
	option.Username = u.User.Username()
	return option, nil
}

// password reads the password, each time that it connects, so that it may change.
func (s *Store) password() (string, error) {
	if s.passwordFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(s.passwordFile)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || len(line) > mostPassword {
		return "", fmt.Errorf("%s: want a password in its first line", s.passwordFile)
	}
	return line, nil
}

// Shared reports true: other mail servers write to it.
func (s *Store) Shared() bool { return true }

// Key is the key of all hashes, which the first of all daemons makes. It connects if
// there is no connection, and proves that the server takes writes.
func (s *Store) Key(ctx context.Context) (key history.Key, err error) {
	c, err := s.connected(ctx)
	if err != nil {
		return key, s.named(err)
	}
	s.mu.Lock()
	known := s.key
	s.mu.Unlock()
	mine := history.Key{}
	if known != nil {
		mine = *known // of a server that has forgotten all: what is in memory was hashed with it
	} else if _, err := rand.Read(mine[:]); err != nil {
		return key, err
	}
	name := prefix + "key"
	answers, err := s.do(ctx, c, c.B().Set().Key(name).Value(client.BinaryString(mine[:])).Nx().Build(), c.B().Get().Key(name).Build())
	if err != nil {
		return key, s.named(err)
	}
	if err := answers[0].Error(); err != nil && !client.IsValkeyNil(err) {
		return key, s.named(s.failed(c, err))
	}
	text, err := answers[1].ToString()
	if err != nil {
		return key, s.named(s.failed(c, err))
	}
	if len(text) != len(key) {
		return key, s.named(s.failed(c, fmt.Errorf("%s is no key: remove it", name)))
	}
	copy(key[:], text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = &key
	if s.live == c {
		s.cause = nil
	}
	return key, nil
}

// Load reads the records of parties, in their order, all at once. It never connects.
func (s *Store) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	s.mu.Lock()
	c, cause := s.live, s.cause
	s.mu.Unlock()
	if c == nil || cause != nil {
		return nil, s.named(cause)
	}
	values, err := s.values(ctx, c, parties)
	if err != nil {
		return nil, s.named(err)
	}
	records := make([]history.Record, len(parties))
	for i, value := range values {
		records[i] = decode(value)
	}
	return records, nil
}

// Delete forgets parties.
func (s *Store) Delete(ctx context.Context, parties []history.Party) error {
	c, err := s.connected(ctx)
	if err != nil {
		return s.named(err)
	}
	for len(parties) > 0 {
		some := parties[:min(len(parties), chunk)]
		parties = parties[len(some):]
		names := make([]string, len(some))
		for i, p := range some {
			names[i] = prefix + string(p)
		}
		answers, err := s.do(ctx, c, c.B().Del().Key(names...).Build())
		if err != nil {
			return s.named(err)
		}
		if err := answers[0].Error(); err != nil {
			return s.named(s.failed(c, err))
		}
	}
	return nil
}

// Close ends the store. It waits for a dial that is under way, three seconds at most.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	c := s.live
	s.live, s.cause = nil, errClosed
	s.mu.Unlock()
	if c != nil {
		c.Close()
	}
	s.behind.Wait()
	// Without a connection those that are under way end.
	for range mostCalls {
		s.calls <- struct{}{}
	}
	for range mostCalls {
		<-s.calls
	}
	return nil
}

// named adds which server an error is of.
func (s *Store) named(err error) error { return fmt.Errorf("%s: %w", s.name, err) }

// connected gives the connection, or has one made behind, and waits as the context allows.
func (s *Store) connected(ctx context.Context) (client.Client, error) {
	s.mu.Lock()
	if s.live != nil || s.closed {
		defer s.mu.Unlock()
		if s.closed {
			return nil, errClosed
		}
		return s.live, nil
	}
	if s.dialling == nil {
		ended := make(chan struct{})
		s.dialling = ended
		s.behind.Go(func() {
			c, err := s.dial()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.dialling = nil
			close(ended)
			switch {
			case s.closed && c != nil:
				c.Close()
			case s.closed:
			case err != nil:
				s.cause = err
			default:
				s.live = c
			}
		})
	}
	ended := s.dialling
	s.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		return nil, s.cause
	}
	return s.live, nil
}

// dial makes a client of one connection. When that ends the client does too: it may not
// dial again, as it would in the way of whichever call comes next.
func (s *Store) dial() (client.Client, error) {
	option := s.option
	password, err := s.password()
	if err != nil {
		return nil, err
	}
	option.Password = password
	option.Dialer = net.Dialer{Timeout: dialTime, KeepAlive: look}
	option.ConnWriteTimeout = silence
	option.ForceSingleClient = true
	option.PipelineMultiplex = -1 // one connection
	option.AlwaysPipelining = true
	option.DisableRetry = true
	option.DisableCache = true
	option.ReadBufferEachConn = 1 << 16
	option.WriteBufferEachConn = 1 << 16
	option.ClientName = "policyd-rdns"
	option.ClientSetInfo = []string{} // Redis 7.0 has no such command
	var dialled atomic.Bool
	option.DialCtxFn = func(ctx context.Context, address string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errOver
		}
		if t != nil {
			return (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, "tcp", address)
		}
		return d.DialContext(ctx, "tcp", address)
	}
	c, err := client.NewClient(option)
	if err != nil {
		if c != nil {
			c.Close()
		}
		return nil, err
	}
	return c, nil
}

// do sends commands at once. An error is one of the connection; those of commands are in
// the answers. The client itself is given all the time that it takes, behind, and the
// place of the call with it: a call that the client gave up for its context stays in the
// client's queue, where the next ones would wait without regard for theirs.
func (s *Store) do(ctx context.Context, c client.Client, commands ...client.Completed) ([]client.ValkeyResult, error) {
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return nil, s.failed(c, ctx.Err())
	}
	done := make(chan []client.ValkeyResult, 1)
	go func() {
		defer func() { <-s.calls }()
		done <- c.DoMulti(context.WithoutCancel(ctx), commands...)
	}()
	var answers []client.ValkeyResult
	select {
	case answers = <-done:
	case <-ctx.Done():
		return nil, s.failed(c, ctx.Err())
	}
	for _, a := range answers {
		if err := a.NonValkeyError(); err != nil {
			return nil, s.failed(c, err)
		}
	}
	return answers, nil
}

// failed notes an error, after which Load fails until Key works. A connection that is
// broken is closed; also one to a server that is no master any more, as the name may lead
// to another one by now. One that merely does not answer in time is left to the client,
// which gives it up before long.
func (s *Store) failed(c client.Client, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	answer, isAnswer := client.IsValkeyErr(err)
	late := errors.Is(err, context.DeadlineExceeded)
	keep := late || isAnswer && !strings.HasPrefix(answer.Error(), "READONLY") && !strings.HasPrefix(answer.Error(), "MASTERDOWN")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != c {
		return err // of a connection before
	}
	s.cause = err
	if !keep {
		s.live = nil
		s.behind.Go(c.Close)
	}
	return err
}
