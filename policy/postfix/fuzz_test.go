package postfix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
)

// FuzzReadRequest holds the reader to its bounds, and to the same result
// however the bytes are cut into reads.
func FuzzReadRequest(f *testing.F) {
	for _, in := range []string{ // all short: the limits have tests, and long ones slow the search
		full,
		full + full,
		kind + "\n",
		kind + "client_address=::ffff:203.0.113.10\nhelo_name=[IPv6:2001:db8::1]\nsender=a=b\n\n" + full,
		kind + "client_address=fe80::1%eth0\nserver_address=unknown\n\n",
		kind + "client_address=unknown\nsasl_username=a\n\nrequest=",
		kind + strings.Repeat("a=b\n", maxAttributes),
		kind + "helo_name=" + strings.Repeat("x", smallBuffer) + "\n\n" + kind + "\n",
		"request=smtpd_access_policy\r\n\r\n",
		"=\n\n",
		"a\x00=\n",
	} {
		f.Add([]byte(in), uint(len(in)/2))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint) {
		requests, fault := readAll(t, bytes.NewReader(in))
		cut %= uint(len(in)) + 1
		again, faultAgain := readAll(t, io.MultiReader(bytes.NewReader(in[:cut]), bytes.NewReader(in[cut:])))
		if fmt.Sprint(requests) != fmt.Sprint(again) || fault.Error() != faultAgain.Error() {
			t.Errorf("cut at %d: %+v, %v; want %+v, %v", cut, again, faultAgain, requests, fault)
		}
		for _, req := range requests {
			rendered := render(req)
			got, err := readFrom(NewReader(strings.NewReader(rendered), nil))
			if err != nil || withoutTime(got) != req {
				t.Errorf("ReadRequest(%q) = %+v, %v; want %+v", rendered, got, err, req)
			}
		}
	})
}

// readAll reads to the end and checks what holds of any request.
func readAll(t *testing.T, src io.Reader) ([]policy.Request, error) {
	m := NewMemory(maxRequest)
	r := NewReader(src, m)
	var requests []policy.Request
	for {
		req, err := readFrom(r)
		if err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, ErrRequest) {
				t.Errorf("error of a kind unknown: %v", err)
			}
			if used := m.used.Load(); used != 0 {
				t.Errorf("%d bytes are still charged; want 0", used)
			}
			return requests, err
		}
		if cap(r.buf) > maxRequest {
			t.Errorf("the buffer has %d bytes", cap(r.buf))
		}
		for _, s := range []string{
			req.ClientText, req.ClientName, req.ReverseClientName, req.HELO, req.State, req.Sender,
			req.Recipient, req.Instance, req.QueueID, req.Context,
		} {
			if len(s) > maxValue || strings.ContainsAny(s, "\x00\n") {
				t.Errorf("a value is %q", s)
			}
		}
		if req.Client != address.Plain(req.Client) || req.Client.IsValid() && req.ClientText != "" {
			t.Errorf("client %v, %q", req.Client, req.ClientText)
		}
		requests = append(requests, withoutTime(req))
	}
}

// render writes a request as Postfix would.
func render(req policy.Request) string {
	var b strings.Builder
	b.WriteString(kind)
	write := func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, value) }
	addr := func(name string, a netip.Addr) {
		if a.IsValid() {
			write(name, a.String())
		}
	}
	write("client_address", req.ClientText)
	addr("client_address", req.Client)
	write("client_name", req.ClientName)
	write("reverse_client_name", req.ReverseClientName)
	write("helo_name", req.HELO)
	write("protocol_state", req.State)
	write("sender", req.Sender)
	write("recipient", req.Recipient)
	write("instance", req.Instance)
	write("queue_id", req.QueueID)
	addr("server_address", req.Server)
	write("policy_context", req.Context)
	if req.Authenticated {
		write("sasl_username", "alice")
	}
	if req.Encrypted {
		write("encryption_protocol", "TLSv1.3")
	}
	b.WriteString("\n")
	return b.String()
}

// sendable is a reply that Postfix takes for neither a permit nor the name of a
// restriction, unless it is textless.
var (
	sendable = regexp.MustCompile(`^action=(` +
		`(DUNNO|REJECT|DEFER|DEFER_IF_PERMIT|DEFER_IF_REJECT|HOLD|INFO|WARN)( [ -~]*)?` +
		`|PREPEND [A-Za-z0-9-]+: [ -~]*[!-~]` +
		`|[45][0-9]{2} +[!-~][ -~]*)\n\n$`)
	textless = regexp.MustCompile(`^action=[0-9]{3}( +[45]\.[0-9]{1,3}\.[0-9]{1,3})?\n\n$`)
)

// FuzzAppendReply holds every reply to one printable line that Postfix takes
// for neither a permit nor the name of a restriction.
func FuzzAppendReply(f *testing.F) {
	for _, action := range []string{
		"", "DUNNO", "550", "550 5.7.1", "550 5.7.1 text", "550: text", "0123456789", "OK",
		"DEFER_IF_PERMIT 4.7.1 text", "INFO\ttext", "550 5.7.1 a\n\naction=OK", "450 \xff\u2028",
		"550" + strings.Repeat(" ", maxAction) + "x", strings.Repeat("é", maxAction+1),
		"HOLD text", "PREPEND X-Policyd-Rdns: rule=a; name=generic", "PREPEND X:  a\n\nb", "PREPEND text", "PREPEND \u212a: x",
	} {
		f.Add(action)
	}
	f.Fuzz(func(t *testing.T, action string) {
		reply := NewReply(action)
		got := reply.Append(nil)
		if !sendable.Match(got) || textless.Match(got) {
			t.Errorf("NewReply(%q) = %q", action, got)
		}
		value := strings.TrimSuffix(strings.TrimPrefix(string(got), "action="), "\n\n")
		if value != reply.String() {
			t.Errorf("NewReply(%q) is %q, and is sent as %q", action, reply, value)
		}
		if len(value) > maxAction {
			t.Errorf("NewReply(%q) has %d bytes; want at most %d", action, len(value), maxAction)
		}
		if again := NewReply(value).Append(nil); !bytes.Equal(again, got) {
			t.Errorf("NewReply(%q) = %q; want it unchanged", value, again)
		}
	})
}
