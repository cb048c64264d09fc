package postfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
)

// ask is an inquiry as a command sends it.
func ask(query string) string { return "request=" + ownRequest + "\nquery=" + query + "\n\n" }

// told is an Inquirer that tells what it was asked, and by whom.
func told(_ context.Context, q *Inquiry) []Attribute {
	return []Attribute{{"query", q.Query}, {"asker", fmt.Sprint(q.Asker)}}
}

// wantLines reads an answer.
func (c *client) wantLines(want ...string) {
	c.t.Helper()
	var got []string
	for {
		line, err := c.replies.ReadString('\n')
		if line == "\n" || err != nil {
			if strings.Join(got, "|") != strings.Join(want, "|") || err != nil {
				c.t.Errorf("answer = %q, %v; want %q", got, err, want)
			}
			return
		}
		got = append(got, strings.TrimSuffix(line, "\n"))
	}
}

// TestInquiry asks between requests of Postfix, on sockets of the system: neither is
// taken for the other, and who asks is told apart.
func TestInquiry(t *testing.T) {
	owner := Owner
	if runtime.GOOS != "linux" {
		owner = Stranger
	}
	onEngines(t, func(t *testing.T, on engineKind) {
		s := startLive(t, on, &Server{Handler: greet, Inquire: told})
		for network, who := range map[string]Asker{"tcp": Network, "unix": owner} {
			c := s.dial(network)
			c.send(helo("a"))
			c.want("INFO a")
			c.send(ask("hash"))
			c.wantLines("query=hash", fmt.Sprint("asker=", who))
			c.send(helo("bb") + ask("one\xff") + ask("") + helo("ccc"))
			c.want("INFO bb")
			c.wantLines("query=one?", fmt.Sprint("asker=", who))
			c.wantLines("query=", fmt.Sprint("asker=", who))
			c.want("INFO ccc")
			c.send("query=hash\n" + helo("query.example.com")) // means nothing to Postfix's request
			c.want("INFO query.example.com")
		}
		if got := s.server.Stats(); got.Requests != 8 || got.BadRequests != 0 {
			t.Errorf("%+v; want 8 requests: inquiries are none", got)
		}
		s.stop()
	})
}

// TestInquiryOff: without an Inquirer such a request is none.
func TestInquiryOff(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		s := startLive(t, on, &Server{Handler: greet})
		c := s.dial("tcp")
		c.send(ask("hash"))
		c.wantEnd()
		if log := s.stop(); !strings.Contains(log, `want smtpd_access_policy`) {
			t.Errorf("log: %s", log)
		}
	})
}

// TestInquiryPanic: an Inquirer that panics has an answer all the same.
func TestInquiryPanic(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		s := startLive(t, on, &Server{Handler: greet, Inquire: func(context.Context, *Inquiry) []Attribute { panic("no") }})
		c := s.dial("tcp")
		c.send(ask("hash"))
		c.wantLines("error=the daemon failed over this; its log tells more")
		c.send(helo("a"))
		c.want("INFO a")
		if got := s.server.Stats().Panics; got != 1 {
			t.Errorf("%d panics; want 1", got)
		}
		s.stop()
	})
}

// TestInquiryWaits: one that takes its time holds up no other connection.
func TestInquiryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, &Server{Handler: greet, Inquire: func(context.Context, *Inquiry) []Attribute {
			<-time.After(time.Second)
			return nil
		}})
		a, b := s.dial(t), s.dial(t)
		a.send(ask("health"))
		begun := time.Now()
		b.send(helo("b"))
		b.want("INFO b")
		if took := time.Since(begun); took != 0 {
			t.Errorf("another request took %v", took)
		}
		a.wantLines()
		a.Close()
		b.Close()
		s.wantQuiet(t)
	})
}

// FuzzInquiry reads requests of both kinds, whole and cut anywhere: with the same result,
// within bounds.
func FuzzInquiry(f *testing.F) {
	for _, in := range []string{
		ask("hash"), ask("hash") + full + ask("health"), "query=a\nquery=b\nrequest=policyd_rdns\n\n",
		"request=policyd_rdns\nrequest=smtpd_access_policy\nquery=x\n\n", ask("\xff\u2028\r"), ask("a\x00"), "request=policyd_rdns\n\n",
		ask(strings.Repeat("x", 3000)), "request=Policyd_rdns\n\n", ask("=") + "request=",
	} {
		f.Add([]byte(in), uint(len(in)/2))
	}
	read := func(t *testing.T, src io.Reader) (all []string) {
		r := NewReader(src, NewMemory(maxRequest))
		r.inquiries = true
		for {
			var req policy.Request
			if err := r.ReadRequest(&req); err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, ErrRequest) {
					t.Errorf("error of a kind unknown: %v", err)
				}
				return append(all, err.Error())
			}
			if r.asked {
				q := r.inquiry(peer(addressed{}))
				if len(q.Query) > maxValue || strings.ContainsAny(q.Query, "\x00\n") || !utf8.ValidString(q.Query) || req != (policy.Request{}) || q.Asker != Stranger {
					t.Errorf("inquiry %+v, with %+v", q, req)
				}
				all = append(all, "?"+q.Query)
				continue
			}
			all = append(all, fmt.Sprint(withoutTime(req)))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint) {
		want := read(t, bytes.NewReader(in))
		cut %= uint(len(in)) + 1
		got := read(t, io.MultiReader(bytes.NewReader(in[:cut]), bytes.NewReader(in[cut:])))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("cut at %d: %q; want %q", cut, got, want)
		}
	})
}

// FuzzAnswer: whatever a value holds, an answer is its lines and the empty one.
func FuzzAnswer(f *testing.F) {
	f.Add("09388c781a7e", "")
	f.Add("a\n\naction=OK", "\xff\u2028\r\x00")
	f.Add(strings.Repeat("é", 500), " \n ")
	f.Fuzz(func(t *testing.T, one, two string) {
		got := string(appendAnswer([]byte("x"), []Attribute{{"one", one}, {"two", two}}))
		lines := strings.Split(got, "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "xone=") || !strings.HasPrefix(lines[1], "two=") || lines[2] != "" || lines[3] != "" {
			t.Errorf("%q, %q = %q", one, two, got)
		}
		for _, line := range lines {
			if len(line) > maxAction+5 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q, %q: line %q", one, two, line)
			}
		}
	})
}
