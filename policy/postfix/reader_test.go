package postfix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
)

const kind = "request=smtpd_access_policy\n"

// readFrom reads one request.
func readFrom(r *Reader) (req policy.Request, err error) {
	err = r.ReadRequest(&req)
	return req, err
}

// full is what a Postfix 3.12 sends, all told.
const full = kind + `protocol_state=RCPT
protocol_name=ESMTP
client_address=203.0.113.10
client_name=unknown
client_port=36480
reverse_client_name=mail.example.com
server_address=192.0.2.25
server_port=25
helo_name=mail.example.com
sender=alice@example.com
recipient=bob@example.org
recipient_count=0
queue_id=4ZxY3k1Nw2z5QkG
instance=1b2c.66f0a1b2.c3d4e.0
size=2048
etrn_domain=
stress=
sasl_method=plain
sasl_username=alice
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=TLSv1.3
encryption_cipher=TLS_AES_256_GCM_SHA384
encryption_keysize=256
tls_sni=mx.example.org
policy_context=mx
compatibility_level=3.12
mail_version=3.12.0

`

// withoutTime is for comparing.
func withoutTime(req policy.Request) policy.Request {
	req.Time = time.Time{}
	return req
}

func TestReadRequest(t *testing.T) {
	client := netip.MustParseAddr("203.0.113.10")
	long := strings.Repeat("x", maxLine-len("sender="))
	tests := []struct {
		name string
		in   string
		want policy.Request
	}{
		{"all attributes", full, policy.Request{
			Client: client, ClientName: "unknown", ReverseClientName: "mail.example.com",
			HELO: "mail.example.com", State: "RCPT", Sender: "alice@example.com", Recipient: "bob@example.org",
			Instance: "1b2c.66f0a1b2.c3d4e.0", QueueID: "4ZxY3k1Nw2z5QkG", Authenticated: true, Encrypted: true,
			Server: netip.MustParseAddr("192.0.2.25"), Context: "mx",
		}},
		{"Postfix 2.1 at CONNECT", kind + "protocol_state=CONNECT\nprotocol_name=SMTP\nhelo_name=\nqueue_id=\nsender=\nrecipient=\n" +
			"client_address=203.0.113.10\nclient_name=unknown\nreverse_client_name=unknown\ninstance=\n\n", policy.Request{
			Client: client, ClientName: "unknown", ReverseClientName: "unknown", State: "CONNECT",
		}},
		{"a bounce from MAIL on", kind + "protocol_state=DATA\nhelo_name=a?b?\nsender=\nrecipient_count=2\ninstance=1.2.3.0\n\n", policy.Request{
			State: "DATA", HELO: "a?b?", Instance: "1.2.3.0",
		}},
		{"the kind alone", kind + "\n", policy.Request{}},
		{"the kind last", "helo_name=a\n" + kind + "\n", policy.Request{HELO: "a"}},
		{"empty values", kind + "client_address=\nhelo_name=\nsasl_username=\nencryption_protocol=\nserver_address=\n\n", policy.Request{}},
		{"a value with =", kind + "sender=a=b=@example.com\nhelo_name==\n\n", policy.Request{Sender: "a=b=@example.com", HELO: "="}},
		{"repeated, the last holds", kind + "sender=a@example.com\nsender=b@example.com\n\n", policy.Request{Sender: "b@example.com"}},
		{"repeated, the last is empty", kind + "sasl_username=a\nsasl_username=\n\n", policy.Request{}},
		{"the kind repeated", "request=junk\n" + kind + "\n", policy.Request{}},
		{"unknown attributes", kind + "tls_future=1\n =\nSENDER=a\nsender =b\n\n", policy.Request{}},
		{"an undocumented state", kind + "protocol_state=XCLIENT\n\n", policy.Request{State: "XCLIENT"}},
		{"a HELO as sent at EHLO", kind + "helo_name=a b\t\x1b[1m\xff\r\n\n", policy.Request{HELO: "a b\t\x1b[1m?\r"}},
		{"UTF-8", kind + "sender=jörg@example.com\n\n", policy.Request{Sender: "jörg@example.com"}},
		{"IPv6", kind + "client_address=2001:db8::1\n\n", policy.Request{Client: netip.MustParseAddr("2001:db8::1")}},
		{"IPv6 with zone", kind + "client_address=fe80::1%eth0\n\n", policy.Request{Client: netip.MustParseAddr("fe80::1")}},
		{"IPv4-mapped", kind + "client_address=::ffff:203.0.113.10\nserver_address=::ffff:192.0.2.25\n\n", policy.Request{
			Client: client, Server: netip.MustParseAddr("192.0.2.25"),
		}},
		{"after XCLIENT", kind + "client_address=unknown\nserver_address=unknown\n\n", policy.Request{ClientText: "unknown"}},
		{"no address", kind + "client_address=[203.0.113.10]\n\n", policy.Request{ClientText: "[203.0.113.10]"}},
		{"an address with space", kind + "client_address=203.0.113.10 \n\n", policy.Request{ClientText: "203.0.113.10 "}},
		{"a long value is cut", kind + "helo_name=" + strings.Repeat("x", maxValue+1) + "\n\n", policy.Request{HELO: strings.Repeat("x", maxValue)}},
		{"the longest line", kind + "sender=" + long + "\n\n", policy.Request{Sender: long[:maxValue]}},
		{"256 attributes", kind + strings.Repeat("a=b\n", maxAttributes-1) + "\n", policy.Request{}},
		{"64 KiB", sized(maxRequest), policy.Request{}},
	}
	for _, tt := range tests {
		for how, src := range map[string]io.Reader{
			"at once":    strings.NewReader(tt.in),
			"by halves":  iotest.HalfReader(strings.NewReader(tt.in)),
			"in bytes":   iotest.OneByteReader(strings.NewReader(tt.in)),
			"with error": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			m := NewMemory(1 << 20)
			r := NewReader(src, m)
			got, err := readFrom(r)
			if err != nil {
				t.Errorf("%s, %s: ReadRequest() error: %v", tt.name, how, err)
				continue
			}
			if since := time.Since(got.Time); since < 0 || since > time.Minute {
				t.Errorf("%s, %s: Time = %v; want now", tt.name, how, got.Time)
			}
			if got := withoutTime(got); got != tt.want {
				t.Errorf("%s, %s: ReadRequest(%.300q) = %+v; want %+v", tt.name, how, tt.in, got, tt.want)
			}
			if _, err := readFrom(r); err != io.EOF {
				t.Errorf("%s, %s: ReadRequest() at the end, error = %v; want EOF", tt.name, how, err)
			}
			if used := m.used.Load(); used != 0 {
				t.Errorf("%s, %s: %d bytes are still charged; want 0", tt.name, how, used)
			}
		}
	}
}

// sized returns a request of n bytes.
func sized(n int) string {
	var b strings.Builder
	b.WriteString(kind)
	for n-1-b.Len() > 1<<10 {
		b.WriteString("a=" + strings.Repeat("x", 1<<10-3-1) + "\n")
	}
	b.WriteString("a=" + strings.Repeat("x", n-1-b.Len()-3) + "\n\n")
	return b.String()
}

func TestReadRequestError(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string // error text; or that of an io error
	}{
		{"nothing", "", "EOF"},
		{"a name cut off", "requ", "unexpected EOF"},
		{"a line cut off", "request=smtpd_access_policy", "unexpected EOF"},
		{"no empty line", kind, "unexpected EOF"},
		{"an empty line", "\n", `bad policy request: request="", want smtpd_access_policy`},
		{"another kind", "request=junk\n\n", `bad policy request: request="junk", want smtpd_access_policy`},
		{"a kind that is longer", "request=smtpd_access_policy2\n\n", `bad policy request: request="smtpd_access_policy2", want smtpd_access_policy`},
		{"the last kind holds", kind + "request=" + strings.Repeat("x", 100) + "\n\n", `bad policy request: request="` + strings.Repeat("x", 60) + `", want smtpd_access_policy`},
		{"lines that end in CR LF", "request=smtpd_access_policy\r\n\r\n", `bad policy request: line "\r" has no "="`},
		{"HTTP", "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", `bad policy request: line "GET / HTTP/1.1\r" has no "="`},
		{"TLS", "\x16\x03\x01\x00\xf4\x01", "bad policy request: NUL byte"},
		{"a long line without =", strings.Repeat("\xff", 100) + "\n", `bad policy request: line "` + strings.Repeat(`\xff`, 60) + `" has no "="`},
		{"no name", kind + "=x\n\n", `bad policy request: line "=x" has no attribute name`},
		{"NUL in a value", kind + "helo_name=a\x00b\n\n", "bad policy request: NUL byte"},
		{"NUL in a line begun", kind + "helo_name=a\x00", "bad policy request: NUL byte"},
		{"257 attributes", kind + strings.Repeat("a=b\n", maxAttributes) + "\n", "bad policy request: more than 256 attributes"},
		{"a line too long", kind + "a=" + strings.Repeat("x", maxLine-1) + "\n\n", "bad policy request: line of more than 16384 bytes"},
		{"a line without end", strings.Repeat("x", 10<<20), "bad policy request: line of more than 16384 bytes"},
		{"NUL beyond the longest line", strings.Repeat("x", maxLine) + "\x00", "bad policy request: line of more than 16384 bytes"},
		{"NUL at the end of the longest line", strings.Repeat("x", maxLine-1) + "\x00", "bad policy request: NUL byte"},
		{"64 KiB and a byte", sized(maxRequest + 1), "bad policy request: more than 65536 bytes"},
	}
	for _, tt := range tests {
		for how, src := range map[string]io.Reader{
			"at once":   strings.NewReader(tt.in),
			"in thirds": iotest.HalfReader(iotest.HalfReader(strings.NewReader(tt.in))),
			"in bytes":  iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			m := NewMemory(1 << 20)
			got, err := readFrom(NewReader(src, m))
			if err == nil || err.Error() != tt.want {
				t.Errorf("%s, %s: ReadRequest(%.60q) error = %v; want %s", tt.name, how, tt.in, err, tt.want)
			}
			if wanted := strings.HasPrefix(tt.want, ErrRequest.Error()); errors.Is(err, ErrRequest) != wanted {
				t.Errorf("%s, %s: errors.Is(%v, ErrRequest) = %t; want %t", tt.name, how, err, !wanted, wanted)
			}
			if got != (policy.Request{}) {
				t.Errorf("%s, %s: ReadRequest() = %+v beside an error; want none", tt.name, how, got)
			}
			if used := m.used.Load(); used != 0 {
				t.Errorf("%s, %s: %d bytes are still charged; want 0", tt.name, how, used)
			}
		}
	}
}

// An error of the source comes out as it is, whatever was read before.
func TestReadRequestSourceError(t *testing.T) {
	broken := errors.New("connection reset")
	for _, in := range []string{"", "request=", kind} {
		_, err := readFrom(NewReader(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), nil))
		if err != broken {
			t.Errorf("ReadRequest(%q and a reset) error = %v; want %v", in, err, broken)
		}
	}
}

func TestReadRequestPipelined(t *testing.T) {
	var in bytes.Buffer
	const n = 300
	for i := range n {
		fmt.Fprintf(&in, "%shelo_name=%d.example.com\npadding=%s\n\n", kind, i, strings.Repeat("x", i*i%9000))
	}
	in.WriteString("request=smtp") // and an end in the midst
	m := NewMemory(1 << 20)
	r := NewReader(&in, m)
	for i := range n {
		got, err := readFrom(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if want := fmt.Sprintf("%d.example.com", i); got.HELO != want {
			t.Fatalf("request %d: HELO = %q; want %q", i, got.HELO, want)
		}
		if charged, want := m.used.Load(), int64(cap(r.buf)-smallBuffer); charged != want {
			t.Fatalf("request %d: %d bytes are charged; want %d", i, charged, want)
		}
	}
	if _, err := readFrom(r); err != io.ErrUnexpectedEOF {
		t.Errorf("error at the end = %v; want unexpected EOF", err)
	}
	if used := m.used.Load(); used != 0 {
		t.Errorf("%d bytes are still charged; want 0", used)
	}
}

// One bound holds over all connections; what one gives back another may take.
func TestMemory(t *testing.T) { synctest.Test(t, memory) }

func memory(t *testing.T) {
	big := kind + "a=" + strings.Repeat("x", 10<<10) + "\n"
	m := NewMemory(16<<10 - smallBuffer)
	halfway := func() (*Reader, *io.PipeWriter) {
		src, dst := io.Pipe()
		return NewReader(src, m), dst
	}
	first, rest := halfway()
	done := make(chan error)
	go func() {
		_, err := readFrom(first)
		done <- err
	}()
	if _, err := io.WriteString(rest, big); err != nil {
		t.Fatal(err)
	}

	_, err := readFrom(NewReader(strings.NewReader(big+"\n"), m))
	want := "bad policy request: unfinished requests of all connections exceed 12288 bytes"
	if err == nil || err.Error() != want || !errors.Is(err, ErrRequest) {
		t.Errorf("a second big request: error = %v; want %s", err, want)
	}
	if _, err := readFrom(NewReader(strings.NewReader(kind+"\n"), m)); err != nil {
		t.Errorf("an ordinary request: error = %v; want none", err)
	}

	if _, err := io.WriteString(rest, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the first big request: error = %v; want none", err)
	}
	if _, err := readFrom(NewReader(strings.NewReader(big+"\n"), m)); err != nil {
		t.Errorf("a big request after the first: error = %v; want none", err)
	}
	if used := m.used.Load(); used != 0 {
		t.Errorf("%d bytes are still charged; want 0", used)
	}
}

// Without a bound the limits of the single request hold all the same.
func TestMemoryNil(t *testing.T) {
	if _, err := readFrom(NewReader(strings.NewReader(sized(maxRequest)), nil)); err != nil {
		t.Errorf("ReadRequest(64 KiB) error = %v; want none", err)
	}
}

func TestSized(t *testing.T) {
	for _, n := range []int{maxRequest, maxRequest + 1} {
		if got := len(sized(n)); got != n {
			t.Errorf("len(sized(%d)) = %d", n, got)
		}
	}
}

func BenchmarkReadRequest(b *testing.B) {
	src := &endless{data: full}
	r := NewReader(src, NewMemory(1<<20))
	b.SetBytes(int64(len(full)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readFrom(r); err != nil {
			b.Fatal(err)
		}
	}
}

// endless sends the same request again and again, one a read, as Postfix does.
type endless struct{ data string }

func (e *endless) Read(p []byte) (int, error) { return copy(p, e.data), nil }
