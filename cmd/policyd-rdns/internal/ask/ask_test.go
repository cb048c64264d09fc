package ask

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix"
)

// serve runs a server that answers inquiries until the test ends.
func serve(t *testing.T, inquire postfix.Inquirer) (addresses []string) {
	t.Helper()
	server := postfix.Server{Inquire: inquire, Handler: func(context.Context, *policy.Request) (postfix.Reply, func() postfix.Reply) {
		t.Error("an inquiry was taken for a policy request")
		return postfix.Reply{}, nil
	}}
	var listeners []net.Listener
	for _, address := range []string{"127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "socket")} {
		l, err := postfix.Listen(address, 0o600, "")
		if err != nil {
			t.Fatal(err)
		}
		if listeners = append(listeners, l); strings.HasPrefix(address, "unix:") {
			addresses = append(addresses, address)
			continue
		}
		addresses = append(addresses, l.Addr().String())
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listeners...) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return addresses
}

// TestHash asks a server on sockets of the system, and what is none.
func TestHash(t *testing.T) {
	well := func(_ context.Context, q *postfix.Inquiry) []postfix.Attribute {
		return []postfix.Attribute{{Name: "more", Value: ""}, {Name: q.Query, Value: "09388c781a7e"}}
	}
	nobody := []string{"127.0.0.1:1", "unix:" + filepath.Join(t.TempDir(), "none")}
	for _, address := range serve(t, well) {
		if hash, err := Hash(t.Context(), append(nobody, address)); hash != "09388c781a7e" || err != nil {
			t.Errorf("%s: %q, %v; want 09388c781a7e", address, hash, err)
		}
	}
	if hash, err := Hash(t.Context(), nobody); hash != "" || !errors.Is(err, ErrNobody) {
		t.Errorf("nobody listens: %q, %v", hash, err)
	}
	for why, want := range map[string]string{
		"only root and the daemon's own user may ask here": ErrRefused.Error(), "unknown query": `the daemon says "unknown query"`,
	} {
		all := serve(t, func(context.Context, *postfix.Inquiry) []postfix.Attribute {
			return []postfix.Attribute{{Name: "error", Value: why}}
		})
		if hash, err := Hash(t.Context(), append(nobody, all...)); hash != "" || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %s", why, hash, err, want)
		}
	}
	if hash, err := Hash(t.Context(), serve(t, func(context.Context, *postfix.Inquiry) []postfix.Attribute { return nil })); hash != "" || err == nil || !strings.Contains(err.Error(), "has no hash") {
		t.Errorf("without a hash: %q, %v", hash, err)
	}
}

// TestQueryEnds: who does not answer is not waited for longer than the context says.
func TestQueryEnds(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if answer, err := Query(ctx, l.Addr().String(), "hash"); err == nil {
		t.Errorf("nobody has answered %v", answer)
	}
}

// FuzzRead reads any answer: within bounds, and as it was written.
func FuzzRead(f *testing.F) {
	for _, in := range []string{
		"hash=09388c781a7e\n\n", "action=DUNNO\n\n", "error=only root may\n\n", "error=x\n\n", "\n", "a=b", "a\n\n", "=\n\n",
		strings.Repeat("a=b\n", 100), strings.Repeat("x", 20000), "a=b\na=c\n\nrest", "a=\x00\xff\r\n\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		answer, err := read(bytes.NewReader(in))
		slow, errSlow := read(io.MultiReader(bytes.NewReader(in[:len(in)/2]), bytes.NewReader(in[len(in)/2:])))
		if (err == nil) != (errSlow == nil) || len(slow) != len(answer) {
			t.Errorf("%q by halves: %v, %v; want %v, %v", in, slow, errSlow, answer, err)
		}
		if len(answer) > maxLines || err != nil && len(err.Error()) > 1000 {
			t.Errorf("%q: %d lines, %v", in, len(answer), err)
		}
		for name, value := range answer {
			if !bytes.Contains(in, []byte(name+"="+value+"\n")) || name == "action" || name == "error" {
				t.Errorf("%q: %q = %q", in, name, value)
			}
		}
	})
}
