package main

import (
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/classify"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/checkup"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// doors are where an address comes in that somebody is known by. Each returns
// what was read, as it is compared from then on.
func doors(t *testing.T) map[string]func(text string) string {
	configured := func(file string) *config.Config {
		c, err := config.Parse("test.toml", []byte(file))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		return c
	}
	request := func(text string) policy.Request {
		var req policy.Request
		in := "request=smtpd_access_policy\nclient_address=" + text + "\nserver_address=" + text + "\n\n"
		if err := postfix.NewReader(strings.NewReader(in), nil).ReadRequest(&req); err != nil {
			t.Fatal(err)
		}
		return req
	}
	record := func(text string) journal.Record {
		line := "time=2026-11-23T09:00:00.000Z level=INFO msg=decision id=x action=dunno client=" + text + " server=" + text + "\n"
		r, err := journal.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// holder is the address that a set, or a rule, has of those that it may.
	holder := func(has func(netip.Addr) bool) string {
		var all []string
		for _, text := range []string{"203.0.113.10", "10.0.0.1", "64:ff9b::a00:1"} {
			if has(netip.MustParseAddr(text)) {
				all = append(all, text)
			}
		}
		return strings.Join(all, " ")
	}
	rule := func(entry, client string) string {
		e, errs := policy.NewEntry(entry, []string{client}, nil)
		if errs != nil {
			t.Fatal(errs[0])
		}
		return holder(func(a netip.Addr) bool {
			req := policy.Request{Client: a, HELO: helo(a)}
			f := policy.NewFacts(&req)
			f.Past.Asked, f.Past.DomainAsked = true, true
			rules := policy.Rules{List: []policy.Rule{{Name: "r", When: policy.Table{e}, Action: policy.Reject}}}
			return rules.Judge(&req, &f).Rule == "r"
		})
	}
	return map[string]func(string) string{
		"client_address of Postfix": func(text string) string { return request(text).Client.String() },
		"server_address of Postfix": func(text string) string { return request(text).Server.String() },
		"client of Postfix's mail.log": func(text string) string {
			line := "Nov 23 09:00:00 mx postfix/smtpd[17]: NOQUEUE: reject: RCPT from unknown[" + text + "]: 554 5.7.1 no; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>\n"
			var got netip.Addr
			r := &maillog.Reader{Inputs: []maillog.Input{{Input: journal.Input{Name: "mail.log", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(line)), nil }}, Modified: time.Now()}}}
			if _, err := maillog.Read(t.Context(), r, func(a *maillog.Attempt) error { got = a.Client; return nil }); err != nil {
				t.Fatal(err)
			}
			return got.String()
		},
		"client of the decision log": func(text string) string { return record(text).Request.Client.String() },
		"server of the decision log": func(text string) string { return record(text).Request.Server.String() },
		"HELO, a literal": func(text string) string {
			g := policy.NewHELO(helo(netip.MustParseAddr(text)), netip.Addr{})
			return g.Addr.String()
		},
		"HELO, a bare address": func(text string) string {
			g := policy.NewHELO(text, netip.Addr{})
			return g.Addr.String()
		},
		"server.networks": func(text string) string {
			c := configured("[server]\nnetworks = [\"" + text + "\"]\n")
			return holder(c.Rules.Networks.Has)
		},
		"helo.own_names": func(text string) string {
			c := configured("[helo]\nown_names = [\"" + text + "\"]\n")
			return holder(c.Rules.OwnAddrs.Has)
		},
		"a rule's client":  func(text string) string { return rule("client", text) },
		"a rule's helo_is": func(text string) string { return rule("helo_is", helo(netip.MustParseAddr(text))) },
		"log --client": func(text string) string {
			filter, err := (&declog.Choice{Clients: []string{text}}).Filter(time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return holder(func(a netip.Addr) bool { return filter.Wants(&journal.Record{Request: policy.Request{Client: a}}) })
		},
		"the address of explain": func(text string) string {
			client, err := explain.Address(text)
			if err != nil {
				t.Fatal(err)
			}
			return client.String()
		},
		"the table of classify": func(text string) string {
			client, err := classify.Client(text)
			if err != nil {
				t.Fatal(err)
			}
			return client.String()
		},
		"an own name of Postfix, of doctor": func(text string) string {
			return holder(func(a netip.Addr) bool {
				c := configured("[helo]\nown_names = [\"" + a.String() + "\"]\n")
				return checkup.View(c, config.Host{}).OwnsName(text)
			})
		},
		"a question of the resolver": func(text string) string { return questioned(t, text) },
	}
}

// helo is an address as a literal.
func helo(a netip.Addr) string {
	if a.Is4() {
		return "[" + a.String() + "]"
	}
	return "[IPv6:" + a.String() + "]"
}

// questioned is the address whose names the resolver asks for.
func questioned(t *testing.T, text string) string {
	w, err := world.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")},
		Timeout: time.Second, CacheEntries: 2, MaxInFlight: 20, Dial: w.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.LookupPTR(t.Context(), netip.MustParseAddr(text), resolver.Options{})
	question := strings.Join(w.Queries(), ", ")
	for zone, address := range map[string]string{
		"10.113.0.203.in-addr.arpa": "203.0.113.10",
		"1.0.0.0.0.0.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.9.f.f.4.6.0.0.ip6.arpa": "64:ff9b::a00:1",
	} {
		if strings.Contains(question, zone) {
			return address
		}
	}
	return question
}

// TestAddressDoors: wherever an address comes in that somebody is known by, it is
// the IPv4 address within, if that is global.
func TestAddressDoors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"203.0.113.10", "203.0.113.10"},
		{"::ffff:203.0.113.10", "203.0.113.10"},
		{"64:ff9b::203.0.113.10", "203.0.113.10"},
		{"64:FF9B::CB00:710A", "203.0.113.10"},
		{"64:ff9b::10.0.0.1", "64:ff9b::a00:1"},
	}
	for name, read := range doors(t) {
		for _, tt := range tests {
			if got := read(tt.text); got != tt.want {
				t.Errorf("%s: %s is read as %s; want %s", name, tt.text, got, tt.want)
			}
		}
	}
}

// TestUnmap: nobody takes the IPv4 address out of an IPv6 one on his own, but
// where packets are sent to an address.
func TestUnmap(t *testing.T) {
	want := []string{
		"cmd/policybench/load.go", "cmd/policybench/main.go", // servers and listeners
		"cmd/policyd-rdns/internal/config/listening/listening.go", // listeners
		"cmd/policyd-rdns/internal/doctor/calls.go",               // listeners
		"cmd/policyd-rdns/internal/doctor/machine/public.go",      // DNS servers
		"cmd/policyd-rdns/internal/doctor/maincf/endpoint.go",     // listeners
		"policy/address/address.go",
		"policy/postfix/address.go", // listeners
		"resolver/resolvconf.go",
	}
	var got []string
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if name, _ := filepath.Rel(root, path); strings.Contains(string(text), ".Unmap()") {
			got = append(got, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("files that call Unmap: %v, %v; want %v: see the package address", got, err, want)
	}
}
