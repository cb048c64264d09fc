package load

import (
	"bytes"
	"strings"
	"testing"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix"
)

func TestActionOf(t *testing.T) {
	tests := []struct {
		reply, want string
		ok          bool
	}{
		{"", "", true},
		{"act", "", true},
		{"action=DUNNO", "", true},
		{"action=DUNNO\n", "", true},
		{"action=DUNNO\n\n", "DUNNO", true},
		{"action=550 5.7.1 no\n\n", "550", true},
		{"action=PREPEND X: y\nother=z\n\n", "PREPEND", true},
		{"action=DUNNO\r\n\n\n", "", false},
		{"action=DUNNO\n\na", "", false},
		{"action=\n\n", "", false},
		{"x", "", false},
		{"actinn=DUNNO\n\n", "", false},
		{"action=" + strings.Repeat("x", maxReply), "", false},
	}
	for _, test := range tests {
		got, err := actionOf([]byte(test.reply))
		if string(got) != test.want || (err == nil) != test.ok {
			t.Errorf("actionOf(%.60q) = %q, %v; want %q", test.reply, got, err, test.want)
		}
	}
}

func TestActions(t *testing.T) {
	a := actions{}
	for i := range 1000 {
		a.add([]byte(strings.Repeat("x", i)))
	}
	sum := int64(0)
	for word, n := range a {
		if len(word) > maxAction {
			t.Errorf("action of %d bytes; want at most %d", len(word), maxAction)
		}
		sum += *n
	}
	if sum != 1000 || len(a) > maxActions+1 {
		t.Errorf("%d actions, %d replies; want at most %d, 1000", len(a), sum, maxActions)
	}
}

func TestReadRequests(t *testing.T) {
	tests := []struct {
		file string
		want []string // none: an error
	}{
		{"a=b\n\n", []string{"a=b\n\n"}},
		{"\n\na=b\nc=\n\n\nd=e", []string{"a=b\nc=\n\n", "d=e\n\n"}},
		{"a=b\r\n\r\nc=d\r\n", []string{"a=b\n\n", "c=d\n\n"}},
		{"a==b=\n", []string{"a==b=\n\n"}},
		{"", nil},
		{"\n\n", nil},
		{"a\n", nil},
		{"=b\n", nil},
		{"a=" + strings.Repeat("b", maxRequest), nil},
		{strings.Repeat("a=b\n", maxRequest/4+1), nil},
	}
	for _, test := range tests {
		got, err := ReadRequests(strings.NewReader(test.file))
		if (err == nil) != (test.want != nil) || len(got) != len(test.want) {
			t.Errorf("ReadRequests(%.60q) = %q, %v; want %q", test.file, got, err, test.want)
			continue
		}
		for i, want := range test.want {
			if string(got[i]) != want {
				t.Errorf("ReadRequests(%.60q)[%d] = %q; want %q", test.file, i, got[i], want)
			}
		}
	}
}

// The requests are what the daemon reads as such, and say what the crowd says.
func TestClients(t *testing.T) {
	for kind, want := range map[crowd.Kind][3]string{ // HELO, client_name, client_address
		crowd.Named:    {"mail7.example.org", "mail7.example.org", "240.18.7.0"},
		crowd.Nameless: {"mx7.example.net", "unknown", "240.18.7.0"},
	} {
		c := Clients{Crowd: crowd.Crowd{Mix: crowd.Only(kind)}, Family: crowd.IPv4, Count: 8, First: 5, Once: true}
		b, ok := c.Append(nil, 2)
		var req policy.Request
		err := postfix.NewReader(bytes.NewReader(b), nil).ReadRequest(&req)
		if got := [3]string{req.HELO, req.ClientName, req.Client.String()}; !ok || err != nil || got != want || !req.Encrypted || req.Authenticated {
			t.Errorf("%v: %+v, %v; want %v", kind, req, err, want)
		}
		if _, ok := c.Append(nil, 3); ok {
			t.Errorf("%v: a client beyond the last", kind)
		}
	}
}

// In a crowd picked by chance nearly all have their turn, and none beyond.
func TestPicked(t *testing.T) {
	c := Clients{Family: crowd.IPv4, Count: 100}
	seen := map[string]bool{}
	for k := range uint64(1000) {
		b, _ := c.Append(nil, k)
		var req policy.Request
		err := postfix.NewReader(bytes.NewReader(b), nil).ReadRequest(&req)
		n, ok := crowd.Number(req.Client)
		if err != nil || !ok || n >= c.Count {
			t.Fatalf("request %d is about %v, %v; want one of the first %d", k, req.Client, err, c.Count)
		}
		seen[req.Client.String()] = true
	}
	if len(seen) < 95 {
		t.Errorf("1000 requests are about %d of 100 clients", len(seen))
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	c := Clients{Family: crowd.IPv6, Count: 1000}
	b := make([]byte, 0, 4<<10)
	k := uint64(0)
	if got := testing.AllocsPerRun(100, func() { b, _ = c.Append(b[:0], k); k++ }); got != 0 {
		t.Errorf("Append: %v allocations; want none", got)
	}
}

func FuzzActionOf(f *testing.F) {
	for _, reply := range []string{"action=DUNNO\n\n", "action=550 5.7.1 no\n\n", "action=PREPEND X: y\n\n", "220 mail\n\n", "act"} {
		f.Add([]byte(reply))
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		action, err := actionOf(reply)
		if action != nil && (err != nil || len(action) == 0 || bytes.ContainsAny(action, " \n") || !bytes.HasSuffix(reply, []byte("\n\n"))) {
			t.Errorf("actionOf(%q) = %q, %v", reply, action, err)
		}
		// A reply that is whole was none before its last byte.
		if action != nil {
			if early, err := actionOf(reply[:len(reply)-1]); early != nil || err != nil {
				t.Errorf("actionOf(%q) = %q, %v; want no end yet", reply[:len(reply)-1], early, err)
			}
		}
	})
}

func FuzzReadRequests(f *testing.F) {
	for _, file := range []string{"a=b\n\n", "a=b\r\n\r\nc=d", "\n", "a\n", "=b"} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		requests, err := ReadRequests(bytes.NewReader(file))
		if (err == nil) != (len(requests) > 0) {
			t.Fatalf("ReadRequests(%q) = %q, %v", file, requests, err)
		}
		for _, r := range requests {
			if !bytes.HasSuffix(r, []byte("\n\n")) || bytes.Count(r, []byte("\n\n")) != 1 || len(r) > maxRequest+1 {
				t.Errorf("ReadRequests(%q): request %q", file, r)
			}
		}
		// What was read reads the same again.
		again, err := ReadRequests(bytes.NewReader(bytes.Join(requests, nil)))
		if len(requests) > 0 && (err != nil || len(again) != len(requests)) {
			t.Errorf("ReadRequests(%q) = %d requests; again %d, %v", file, len(requests), len(again), err)
		}
	})
}
