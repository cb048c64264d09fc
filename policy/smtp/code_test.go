package smtp_test

import (
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/smtp"
)

func TestParseCode(t *testing.T) {
	tests := []struct {
		in     string
		action policy.Action
		want   string // code, or error
	}{
		{"550 5.7.1", policy.Reject, "550 5.7.1"},
		{"550 5.7.25", policy.Reject, "550 5.7.25"},
		{"521 5.7.1", policy.Reject, "521 5.7.1"}, // also disconnects
		{"554 5.7.999", policy.Reject, "554 5.7.999"},
		{"550", policy.Reject, "550 5.7.1"},
		{"451 4.7.25", policy.Defer, "451 4.7.25"},
		{"421 4.7.0", policy.Defer, "421 4.7.0"},
		{"450", policy.Defer, "450 4.7.1"},

		{"", policy.Reject, `"": want a reply code and an enhanced code, such as "550 5.7.1"`},
		{"", policy.Defer, `"": want a reply code and an enhanced code, such as "450 4.7.1"`},

		{"5500", policy.Reject, `"5500": want a reply code and an enhanced code, such as "550 5.7.1"`},
		{"5.7.1", policy.Reject, `"5.7.1": want a reply code and an enhanced code, such as "550 5.7.1"`},
		{"590 5.7.1", policy.Reject, `"590 5.7.1": want a reply code and an enhanced code, such as "550 5.7.1"`}, // no such kind: RFC 5321 section 4.2.1

		{"450 4.7.1", policy.Reject, `"450 4.7.1": action reject wants a code that begins with 5`},
		{"250 2.0.0", policy.Reject, `"250 2.0.0": action reject wants a code that begins with 5`},
		{"550 5.7.1", policy.Defer, `"550 5.7.1": action defer wants a code that begins with 4`},

		{"550 ", policy.Reject, `"550 ": want an enhanced code of three numbers, such as "550 5.7.1"`},
		{"550  5.7.1", policy.Reject, `"550  5.7.1": want an enhanced code of three numbers, such as "550 5.7.1"`},
		{"550 5.7", policy.Reject, `"550 5.7": want an enhanced code of three numbers, such as "550 5.7.1"`},
		{"550 5.7.x", policy.Reject, `"550 5.7.x": want an enhanced code of three numbers, such as "550 5.7.1"`},
		{"550 5.7.1 go away", policy.Reject, `"550 5.7.1 go away": want an enhanced code of three numbers, such as "550 5.7.1"`},
		// Of a number of four digits Postfix makes text (RFC 3463 section 2: three at most).
		{"550 5.7.1000", policy.Reject, `"550 5.7.1000": want an enhanced code of three numbers, such as "550 5.7.1"`},
		{"550 5.1000.1", policy.Reject, `"550 5.1000.1": want an enhanced code of three numbers, such as "550 5.7.1"`},

		{"550 4.7.1", policy.Reject, `"550 4.7.1": the enhanced code's class must be 5, as the reply code's`},
		{"451 5.7.1", policy.Defer, `"451 5.7.1": the enhanced code's class must be 4, as the reply code's`},
		{"550 55.7.1", policy.Reject, `"550 55.7.1": the enhanced code's class must be 5, as the reply code's`},
		{"550 5.1.8", policy.Reject, `"550 5.1.8": Postfix rewrites x.1.n by the place of the check; want x.7.n (RFC 3463 section 3.8)`},

		{"550 5.7.1", policy.DUNNO, `"550 5.7.1": action dunno sends no code`},
		{"", policy.Info, `"": action info sends no code`},
	}
	for _, tt := range tests {
		code, err := policy.ParseCode(tt.in, tt.action)
		got := code.String()
		if err != nil {
			got = err.Error()
			if code != (smtp.Code{}) {
				t.Errorf("ParseCode(%q, %v) = %v beside an error; want the zero value", tt.in, tt.action, code)
			}
		}
		if got != tt.want {
			t.Errorf("ParseCode(%q, %v) = %s; want %s", tt.in, tt.action, got, tt.want)
		}
	}
	if got := (smtp.Code{}).String(); got != "" {
		t.Errorf("zero Code = %q; want an empty text", got)
	}
}

func TestCodeString(t *testing.T) {
	code, err := smtp.ParseCode("550 5.7.25", '5', "reject")
	if err != nil || code.String() != "550 5.7.25" || code.Temporary() != "4.7.25" {
		t.Errorf("%v, %v, temporary %s; want 550 5.7.25 and 4.7.25", code, err, code.Temporary())
	}
	if none := (smtp.Code{}); none.String() != "" || none.Temporary() != "4.7.1" {
		t.Errorf("no code is %q, temporary %q; want none and 4.7.1", none.String(), none.Temporary())
	}
}
