package postfix

import (
	"strings"
	"testing"
)

func TestAppendReply(t *testing.T) {
	long := strings.Repeat("x", 1000)
	tests := []struct {
		in   string
		want string // the action
	}{
		{"DUNNO", "DUNNO"},
		{"", "DUNNO"},
		{" \t\r\n", "DUNNO"},
		{"550 5.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.10]", "550 5.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.10]"},
		{"DEFER_IF_PERMIT 4.7.1 try again", "DEFER_IF_PERMIT 4.7.1 try again"},
		{"DEFER_IF_REJECT later", "DEFER_IF_REJECT later"},
		{"INFO would=reject", "INFO would=reject"},
		{"WARN text", "WARN text"},
		{"REJECT", "REJECT"},
		{"DEFER text", "DEFER text"},
		{"521 5.7.1 go away", "521 5.7.1 go away"},
		{"451 4.7.25 later", "451 4.7.25 later"},
		{"  450 4.7.1 later  ", "450 4.7.1 later"},
		{"550   spaces within", "550   spaces within"},

		// A bare number permits: text is mandatory after the code.
		{"550", "550 Access denied"},
		{"450 ", "450 Access denied"},
		{"550 5.7.1", "550 5.7.1 Access denied"},
		{"550    5.7.25  ", "550 5.7.25 Access denied"},
		{"550" + strings.Repeat(" ", 500) + "text", "550 Access denied"},
		{"550 5.7.", "550 5.7."}, // no enhanced code, so a text
		{"550 5.7.1000", "550 5.7.1000"},
		{"550 2.0.0", "550 2.0.0"},
		{"550 5", "550 5"},
		{"550 5.x.1", "550 5.x.1"},

		// What Postfix would take for a permit, a restriction or a fault.
		{"0", "DUNNO"},
		{"200", "DUNNO"},
		{"1718000000", "DUNNO"},
		{"250 ok", "DUNNO"},
		{"55 text", "DUNNO"},
		{"5500 text", "DUNNO"},
		{"550: no PTR", "DUNNO"},
		{"550-5.7.1 text", "DUNNO"},
		{"550.", "DUNNO"},
		{"5x0 text", "DUNNO"},
		{"55x text", "DUNNO"},
		{"OK", "DUNNO"},
		{"RELAY", "DUNNO"},
		{"permit_mynetworks", "DUNNO"},
		{"hash:/etc/postfix/access", "DUNNO"},
		{"DUNNO: text", "DUNNO"},
		{"HANGUP", "DUNNO"},
		{"reject text", "DUNNO"}, // in capitals only

		{"HOLD", "HOLD"},
		{"HOLD look at this: a stranger", "HOLD look at this: a stranger"},
		{"HOLD a\n\naction=OK", "HOLD a??action=OK"},
		{"HOLDER text", "DUNNO"},

		// A header field, or the message's header would end there.
		{"PREPEND X-Policyd-Rdns: rule=strangers; name=generic", "PREPEND X-Policyd-Rdns: rule=strangers; name=generic"},
		{"PREPEND X-Policyd-Rdns: rule=a: b", "PREPEND X-Policyd-Rdns: rule=a: b"},
		{"PREPEND X-Policyd-Rdns: a\nBcc: x@example.com", "PREPEND X-Policyd-Rdns: a?Bcc: x@example.com"},
		{"PREPEND X-Policyd-Rdns: a\r\n\r\nbody", "PREPEND X-Policyd-Rdns: a????body"},
		{"PREPEND", "DUNNO"},
		{"PREPEND text", "DUNNO"},
		{"PREPEND two words: text", "DUNNO"},
		{"PREPEND : text", "DUNNO"},
		{"PREPEND  X: text", "DUNNO"},
		{"PREPEND X :text", "DUNNO"},
		{"PREPEND X:text", "DUNNO"},
		{"PREPEND X:", "DUNNO"},
		{"PREPEND X:    ", "DUNNO"},
		{"PREPEND X{}: text", "DUNNO"},
		{"PREPEND \nX: text", "DUNNO"},
		{"PREPEND X-" + long[:390] + ": text", "DUNNO"}, // cut in its name
		{"PREPEND X: " + long, "PREPEND X: " + long[:389]},

		// Whoever has a reverse zone or says EHLO chooses some of these bytes.
		{"550 5.7.1 a\n\naction=OK", "550 5.7.1 a??action=OK"},
		{"550 5.7.1 a\r\x00\x1b[31m\x7f\t", "550 5.7.1 a???[31m?"},
		{"550 5.7.1 jörg \xff\xfe \u2028 \U0001F4A9", "550 5.7.1 j?rg ?? ? ?"},
		{"\n550 text", "550 text"},
		{"550\ntext", "DUNNO"},
		{"550\u00a05.7.1", "DUNNO"},
		{"550 5.7.1 " + long, "550 5.7.1 " + long[:390]},
		{"550 " + strings.Repeat("é", 500), "550 " + strings.Repeat("?", 396)},
		{"550 " + long[:395] + " text", "550 " + long[:395]},
		{long, "DUNNO"},
	}
	for _, tt := range tests {
		want := "action=" + tt.want + "\n\n"
		if got := string(NewReply(tt.in).Append(nil)); got != want {
			t.Errorf("NewReply(%q) = %q; want %q", tt.in, got, want)
		}
		if got := string(NewReply(tt.in).Append([]byte("550 5.7.1"))); got != "550 5.7.1"+want {
			t.Errorf("NewReply, to a buffer, %q = %q; want %q", tt.in, got, "550 5.7.1"+want)
		}
	}
}

// A reply that nobody has made permits nothing and refuses nobody.
func TestZeroReply(t *testing.T) {
	var r Reply
	if got, want := string(r.Append(nil)), "action=DUNNO\n\n"; got != want || r.String() != "DUNNO" || r != NewReply("DUNNO") || r != NewReply("OK") {
		t.Errorf("the zero reply is %q, %q; want DUNNO", r, got)
	}
}

func BenchmarkAppendReply(b *testing.B) {
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = NewReply("550 5.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.10]").Append(buf[:0])
	}
}
