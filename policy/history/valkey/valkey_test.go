package valkey

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

const now = history.Moment(1_800_000_000)

var settings = history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}

func options() Options {
	return Options{Settings: settings, Now: func() time.Time { return now.Time() }}
}

// opened is a store that a test ends.
func opened(t testing.TB, url, passwordFile string) *Store {
	t.Helper()
	s, err := Open(url, passwordFile, options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func lasting(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// TestStore: what was saved is there, merged, in the order asked for, for every daemon,
// and expires.
func TestStore(t *testing.T) {
	server := aServer(t)
	s, other := opened(t, server.url(), ""), opened(t, strings.Replace(server.url(), "valkey", "redis", 1), "")
	if _, err := s.Load(storetest.Bounded(t), []history.Party{"a:192.0.2.1"}); err == nil {
		t.Error("Load connects")
	}
	key := storetest.Key(t, s)
	if key == (history.Key{}) || storetest.Key(t, other) != key {
		t.Error("the key is empty, or each has its own")
	}
	whole := storetest.Whole(now)
	const address, network, helo = "a:192.0.2.1", "n:2001:db8:0:1::/64", "h:mx.example.com"
	storetest.Save(t, s, history.Stored{Party: address, Record: whole}, storetest.Stranger(network, now), storetest.Stranger(network, now-1))
	storetest.Save(t, other, history.Stored{Party: network, Record: history.Record{LastContact: now + 5}})
	want := []history.Record{{}, {FirstContact: now - 1, LastContact: now + 5}, whole}
	for _, by := range []*Store{s, other} {
		if got := storetest.Load(t, by, helo, network, address); !reflect.DeepEqual(got, want) {
			t.Errorf("Load = %+v; want %+v", got, want)
		}
	}
	for name, life := range map[string]time.Duration{address: settings.Keep, network: settings.Window} {
		left, err := strconv.Atoi(strings.TrimPrefix(server.ask("PTTL", prefix+name), ":"))
		if d := life - time.Duration(left)*time.Millisecond; err != nil || d < 0 || d > time.Minute {
			t.Errorf("%s expires in %d ms; want %v", name, left, life)
		}
	}
	if err := s.Delete(storetest.Bounded(t), []history.Party{address, helo}); err != nil {
		t.Fatal(err)
	}
	want[2] = history.Record{}
	if got := storetest.Load(t, other, helo, network, address); !reflect.DeepEqual(got, want) {
		t.Errorf("Load after Delete = %+v; want %+v", got, want)
	}
	if !s.Shared() {
		t.Error("it is not shared")
	}
	// More than one batch, and one that changes nothing.
	many, parties := make([]history.Stored, 2*batch+1), make([]history.Party, 2*batch+1)
	for i := range many {
		many[i] = storetest.Known(storetest.Number(i), now)
		parties[len(many)-1-i] = many[i].Party
	}
	storetest.Save(t, s, many...)
	storetest.Save(t, other, many...)
	for from := 0; from < len(parties); from += 1000 {
		for i, r := range storetest.Load(t, s, parties[from:min(from+1000, len(parties))]...) {
			if r.Empty() {
				t.Errorf("%s is not there", parties[from+i])
			}
		}
	}
	if err := s.Delete(storetest.Bounded(t), parties); err != nil || server.ask("DBSIZE") != ":2" {
		t.Errorf("Delete: %v; there are %s keys", err, server.ask("DBSIZE"))
	}
}

// TestTogether: what several daemons save of the same parties at the same time is all
// there.
func TestTogether(t *testing.T) {
	server := aServer(t)
	const daemons, times = 3, 15
	var wait sync.WaitGroup
	for d := range daemons {
		s := opened(t, server.url(), "")
		storetest.Key(t, s)
		wait.Go(func() {
			for n := range times {
				at := now + history.Moment(d*times+n)
				var batch []history.Stored
				for i := range 20 {
					r := history.Record{FirstContact: now - history.Moment(d), LastContact: at}
					if n < 2 {
						r.Deferrals = []history.Deferral{{Hash: uint32(at), At: at}}
					}
					batch = append(batch, history.Stored{Party: storetest.Number(i), Record: r})
				}
				within(t, func() error { return s.Save(storetest.Bounded(t), batch) })
			}
		})
	}
	wait.Wait()
	s := opened(t, server.url(), "")
	storetest.Key(t, s)
	for i := range 20 {
		r := storetest.Load(t, s, storetest.Number(i))[0]
		if r.FirstContact != now-daemons+1 || r.LastContact != now+daemons*times-1 || len(r.Deferrals) != 2*daemons {
			t.Errorf("%d = %+v", i, r)
		}
	}
}

// TestForeignValues: what others have put under a party's name is nothing, and is written
// over.
func TestForeignValues(t *testing.T) {
	server := aServer(t)
	s := opened(t, server.url(), "")
	storetest.Key(t, s)
	record, _ := new(history.Record{FirstContact: now}).AppendBinary(nil)
	for i, command := range [][]string{
		{"SET", "", "yes"},
		{"RPUSH", "", "1", "2"},
		{"SET", "", ""},
		{"SET", "", string(record) + "x"},
		{"SETRANGE", "", "10000000", "x"},
		{"SET", "", string(record) + strings.Repeat("x", 64+8)},
	} {
		command[1] = prefix + string(storetest.Number(i))
		server.ask(command...)
		if got := storetest.Load(t, s, storetest.Number(i), storetest.Number(99)); !reflect.DeepEqual(got, make([]history.Record, 2)) {
			t.Errorf("of %.80q there is %+v", command, got)
		}
		storetest.Save(t, s, storetest.Known(storetest.Number(i), now))
		if got := storetest.Load(t, s, storetest.Number(i))[0]; got.LastPass != now {
			t.Errorf("after Save over %.80q there is %+v", command, got)
		}
	}
	server.ask("SET", prefix+"key", "short")
	if _, err := s.Key(storetest.Bounded(t)); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("Key that is none: %v", err)
	}
}

// soon is how long a call may take beyond its context on a machine that is busy.
const soon = 2 * time.Second

// fails checks that all calls fail in a short time, and for the reason given.
func fails(t *testing.T, s *Store, when, want string) {
	t.Helper()
	began := time.Now()
	_, keyErr := s.Key(lasting(t, 200*time.Millisecond))
	saveErr := s.Save(lasting(t, 200*time.Millisecond), []history.Stored{storetest.Known(history.MakeParty(history.KindHELO, when), now)})
	if keyErr == nil || saveErr == nil || !strings.Contains(keyErr.Error()+saveErr.Error(), want) || !strings.Contains(keyErr.Error(), s.name) {
		t.Errorf("%s: Key: %v; Save: %v; want %q", when, keyErr, saveErr, want)
	}
	for range 3 {
		if _, err := s.Load(lasting(t, 50*time.Millisecond), []history.Party{storetest.Number(1)}); err == nil {
			t.Errorf("%s: Load works", when)
		}
	}
	if took := time.Since(began); took > 550*time.Millisecond+soon {
		t.Errorf("%s: took %v", when, took)
	}
}

// well checks that all works again before long, as Key says.
func well(t *testing.T, s *Store, when string) {
	t.Helper()
	began := time.Now()
	within(t, func() error { _, err := s.Key(lasting(t, time.Second)); return err })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%s: it took %v", when, took)
	}
	storetest.Save(t, s, storetest.Known(storetest.Number(1), now))
	if r := storetest.Load(t, s, storetest.Number(1))[0]; r.Empty() {
		t.Errorf("%s: what was saved is not there", when)
	}
}

// TestDown: no server, one that is killed, and one that comes back without its memory:
// the key goes on.
func TestDown(t *testing.T) {
	server := aServer(t)
	server.kill()
	s := opened(t, server.url(), "")
	fails(t, s, "never up", "refused")
	server.start()
	well(t, s, "first up")
	key := storetest.Key(t, s)
	server.kill()
	fails(t, s, "killed", "")
	fails(t, s, "still down", "refused")
	server.start()
	well(t, s, "up again")
	if storetest.Key(t, s) != key {
		t.Error("there is another key after the server forgot all")
	}
}

// TestFrozen: a server that takes connections and answers nothing holds up nobody,
// however many ask, and what waits for it ends.
func TestFrozen(t *testing.T) {
	server := aServer(t)
	before := runtime.NumGoroutine()
	s := opened(t, server.url(), "")
	well(t, s, "at first")
	server.signal(syscall.SIGSTOP)
	var wait sync.WaitGroup
	began := time.Now()
	for range 3000 {
		wait.Go(func() {
			if _, err := s.Load(lasting(t, 50*time.Millisecond), []history.Party{storetest.Number(1), storetest.Number(2)}); err == nil {
				t.Error("Load works")
			}
		})
	}
	wait.Wait()
	if took := time.Since(began); took > 50*time.Millisecond+soon {
		t.Errorf("3000 loads took %v", took)
	}
	fails(t, s, "frozen", "deadline")
	// A connection more is taken by the kernel, and not answered either.
	within(t, func() error {
		s.Key(lasting(t, 50*time.Millisecond))
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.live != nil {
			return errors.New("the frozen connection is not given up")
		}
		return nil
	})
	fails(t, s, "frozen for long", "deadline")
	server.signal(syscall.SIGCONT)
	well(t, s, "thawed")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, func() error {
		if n := runtime.NumGoroutine(); n > before+2 {
			return fmt.Errorf("%d goroutines; before %d", n, before)
		}
		return nil
	})
	if _, err := s.Key(storetest.Bounded(t)); !errors.Is(err, errClosed) {
		t.Errorf("Key after Close: %v", err)
	}
}

// TestRefusals: whatever the server answers instead is the error, and Key does not say
// that all is well before it is.
func TestRefusals(t *testing.T) {
	server, master := aServer(t), aServer(t)
	s := opened(t, server.url(), "")
	well(t, s, "at first")
	host, port, _ := net.SplitHostPort(master.address)
	for _, c := range []struct {
		when, want string
		ill, well  []string
	}{
		{"out of memory", "OOM", []string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
		{"a replica", "READONLY", []string{"REPLICAOF", host, port}, []string{"REPLICAOF", "NO", "ONE"}},
		{"too few replicas", "NOREPLICAS", []string{"CONFIG", "SET", "min-replicas-to-write", "1"}, []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		{"another password", "", []string{"CONFIG", "SET", "requirepass", "secret"}, nil},
	} {
		server.ask(c.ill...)
		if c.well == nil { // who is connected stays so
			fresh := opened(t, server.url(), "")
			fails(t, fresh, c.when, "NOAUTH")
			continue
		}
		fails(t, s, c.when, c.want)
		fails(t, s, c.when+" still", c.want)
		server.ask(c.well...)
		well(t, s, "after "+c.when)
	}
}

// TestLoading: a server that is starting is waited for.
func TestLoading(t *testing.T) {
	t.Parallel()
	server := aServer(t)
	s := opened(t, server.url(), "")
	well(t, s, "at first")
	server.ask("CONFIG", "SET", "rdbcompression", "no")
	for i := range 40 {
		server.ask("SET", fmt.Sprint("more", i), strings.Repeat("x", 2000))
	}
	server.ask("SAVE")
	server.kill()
	server.begin("--key-load-delay", "25000", "--loading-process-events-interval-bytes", "1024")
	within(t, func() error {
		_, err := s.Key(lasting(t, 200*time.Millisecond))
		if err == nil || !strings.Contains(err.Error(), "LOADING") {
			return fmt.Errorf("Key while it loads: %v", err)
		}
		return nil
	})
	well(t, s, "loaded")
	if r := storetest.Load(t, s, storetest.Number(1))[0]; r.Empty() {
		t.Error("what was saved before is gone")
	}
}

// TestPassword: it is read each time, and a wrong one is told as such.
func TestPassword(t *testing.T) {
	server := aServer(t)
	server.ask("ACL", "SETUSER", "history", "on", ">other", "~policyd-rdns:*", "+@all")
	server.ask("CONFIG", "SET", "requirepass", "secret")
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrong\n")
	s := opened(t, server.url(), file)
	fails(t, s, "a wrong password", "WRONGPASS")
	write("secret\r\nfor the store of policyd-rdns\n")
	well(t, s, "the right password")
	write("other")
	well(t, opened(t, "valkey://history@"+server.address, file), "as another user")
	write("\n")
	if _, err := Open(server.url(), file, options()); err == nil {
		t.Error("an empty password is taken")
	}
	if _, err := Open(server.url(), file+".none", options()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open without the file of the password: %v", err)
	}
}

// TestTLS: the server's name is checked.
func TestTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	roots := certificate(t, folder)
	tls := freeAddress(t)
	_, port, _ := net.SplitHostPort(tls)
	server := aServer(t, "--tls-port", port, "--tls-cert-file", filepath.Join(folder, "cert"), "--tls-key-file", filepath.Join(folder, "key"),
		"--tls-ca-cert-file", filepath.Join(folder, "cert"), "--tls-auth-clients", "no")
	host, _, _ := net.SplitHostPort(server.address)
	o := options()
	o.Roots = roots
	s, err := Open("rediss://"+net.JoinHostPort(host, port), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	well(t, s, "TLS")
	fails(t, opened(t, "valkeys://"+net.JoinHostPort(host, port), ""), "a certificate of nobody", "certificate")
	fails(t, opened(t, "valkeys://"+server.address, ""), "a port without TLS", "")
}

// certificate writes one for the address of this process and its key to a folder.
func certificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(freeAddress(t))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "store.example"}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	if err := errors.Join(
		os.WriteFile(filepath.Join(folder, "cert"), text, 0o600),
		os.WriteFile(filepath.Join(folder, "key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}

// TestOpen: what a URL may be, and what is said of others, without what may be a
// password.
func TestOpen(t *testing.T) {
	for url, want := range map[string]struct {
		address, user string
		db            int
		tls           bool
	}{
		"valkey://valkey.example":                   {"valkey.example:6379", "", 0, false},
		"redis://valkey.example:7000/":              {"valkey.example:7000", "", 0, false},
		"valkeys://[2001:db8::1]:7000/15":           {"[2001:db8::1]:7000", "", 15, true},
		"rediss://policyd%40mx@valkey.example:1/2":  {"valkey.example:1", "policyd@mx", 2, true},
		"valkey://history@192.0.2.1/0":              {"192.0.2.1:6379", "history", 0, false},
		"VALKEY://history@valkey.example:65535/007": {"valkey.example:65535", "history", 7, false},
	} {
		o, err := parse(url)
		if err != nil || o.InitAddress[0] != want.address || o.Username != want.user || o.SelectDB != want.db || (o.TLSConfig != nil) != want.tls {
			t.Errorf("parse(%q) = %+v, %v; want %+v", url, o, err, want)
		}
		if o.TLSConfig != nil && !strings.Contains(want.address, o.TLSConfig.ServerName) {
			t.Errorf("parse(%q) checks the name %q", url, o.TLSConfig.ServerName)
		}
	}
	for url, want := range map[string]string{
		"valkey://:5ecret@valkey.example":        "file of its own",
		"valkey://me:@valkey.example":            "file of its own",
		"valkey://me:5ecret@valkey.example:5eco": "not a URL",
		"valkey://me:%5ecret%zz@valkey.example":  "not a URL",
		"valkey.example:6379":                    "not a URL",
		"valkey:5ecret":                          "not a URL",
		"/var/lib/5ecret":                        "no scheme",
		"http://valkey.example":                  "no scheme",
		"valkey://":                              "no host",
		"valkey:///3":                            "no host",
		"valkey://valkey.example:0":              "port",
		"valkey://valkey.example:70000":          "port",
		"valkey://valkey.example/mail":           "database",
		"valkey://valkey.example/0/1":            "database",
		"valkey://valkey.example/-1":             "database",
		"valkey://valkey.example/?db=5ecret":     `"?"`,
		"valkey://valkey.example/#5ecret":        `"?"`,
	} {
		s, err := Open(url, "", options())
		if err == nil {
			s.Close()
			t.Errorf("Open(%q) works", url)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "5ec") {
			t.Errorf("Open(%q): %v; want %q", url, err, want)
		}
	}
}

// FuzzValue: whatever a value is, it is a record that is written the same again, or none.
func FuzzValue(f *testing.F) {
	whole, _ := new(history.Record{FirstContact: now, LastPass: now, Deferrals: make([]history.Deferral, history.MaxDeferrals)}).AppendBinary(nil)
	for _, seed := range []string{"", "yes", string(whole), string(whole[:29]), string(whole[:28]), string(whole) + "x", "\x02" + string(whole[1:])} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := decode(value)
		if reflect.DeepEqual(r, history.Record{}) {
			return
		}
		if again, err := r.AppendBinary(nil); err != nil || string(again) != value {
			t.Errorf("%q is written again as %q, %v", value, again, err)
		}
	})
}

// BenchmarkSave writes batches of a second.
func BenchmarkSave(b *testing.B) {
	for _, size := range []int{100, 1000, 20_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			server := aServer(b)
			s := opened(b, server.url(), "")
			storetest.Key(b, s)
			records := make([]history.Stored, size)
			n := 0
			for b.Loop() {
				for i := range records {
					n++
					records[i] = storetest.Known(storetest.Number(n%100_000), now+history.Moment(n))
				}
				storetest.Save(b, s, records...)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkLoad reads the parties of one decision.
func BenchmarkLoad(b *testing.B) {
	server := aServer(b)
	s := opened(b, server.url(), "")
	storetest.Key(b, s)
	storetest.Save(b, s, storetest.Known(storetest.Number(1), now), storetest.Known(storetest.Number(2), now), storetest.Stranger(storetest.Number(3), now))
	for b.Loop() {
		storetest.Load(b, s, storetest.Number(1), storetest.Number(2), storetest.Number(3), storetest.Number(4))
	}
}
