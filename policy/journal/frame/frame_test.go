package frame

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// mail wants the messages of one program, and what begins like one of them.
type mail struct{}

func (mail) Program(name string) bool { return name == "postfix/smtpd" }

func (mail) Stem(name string) bool { return name == "postfix" }

func (mail) Message(text string, alone bool) bool {
	return alone && strings.HasPrefix(text, "NOQUEUE: ")
}

// decisions wants messages of a form, of whatever program.
type decisions struct{}

func (decisions) Program(string) bool { return false }

func (decisions) Stem(string) bool { return false }

func (decisions) Message(text string, _ bool) bool {
	return strings.HasPrefix(text, "time=") && strings.Contains(text, " msg=decision") || strings.HasPrefix(text, `{"time":`)
}

var written = time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)

// frames are what may stand before a message and its program.
var frames = []string{
	"", "mx ", "Nov 23 09:00:00 mx ", "2026-11-23T09:00:00Z mx ", "1795424400.5 mx ", "<22>Nov 23 09:00:00 mx ",
	"mail.log:7:Nov 23 09:00:00 mx ", "mail-1  | ", "mail-1  | Nov 23 09:00:00 mx ", "[pod/mail-0/mail] ",
	"2026-11-23T09:00:00.5Z stdout F ", "Nov 23 09:00:00 host docker/mail[812]: ", "host mail[812]: Nov 23 09:00:00 mx ",
	"<30>1 2026-11-23T09:00:00Z host mail 812 - - Nov 23 09:00:00 mx ", "Nov 23 09:00:00 <mail.info> mx ",
	`2026-11-23T09:00:00Z {app="mail", quote="\"}"} `, "Mon 2026-11-23 09:00:00 UTC mx ", "\ufeffNov 23 09:00:00 mx ",
	"\x1b[32mNov 23 09:00:00\x1b[0m mx ", "nov. 23 09:00:00 mx ", "11月 23 09:00:00 mx ", "2026-11-23 09:00:00,123\tmx\t",
	"20261123T090000Z mx ", "1795424400123 mx ", "Mon 2026-11-23 10:00:00 +01 mx ", "2026/11/23 09:00:00 mx ", "Nov 23 09:00:00 [192.0.2.25] ",
	"Nov 23 09:00:00 host postfix[812]: Nov 23 09:00:00 mx ", "2026-11-23T09:00:00Z postfix ",
	"Mon Nov 23 09:00:00 2026 mail.info ", "Nov 23 2026 09:00:00 mx: Nov 23 09:00:00 mx ",
}

// inObjects puts a line into objects of JSON and into logfmt.
func inObjects(line string) []string {
	text, _ := json.Marshal(line)
	return []string{
		fmt.Sprintf(`ts=2026-11-23T09:00:00Z level=info msg=%s`, text),
		fmt.Sprintf(`{"log":%s,"stream":"stdout","time":"2026-11-23T09:00:00.5Z"}`, text),
		fmt.Sprintf(`{"@timestamp":"2026-11-23T09:00:00Z","message":%s,"host":{"name":"mx"}}`, text),
		fmt.Sprintf(`{"_source": {"message": %s, "tags": [{"a": "}"}], "n": 1.5e3, "time": "2026-11-23T09:00:00Z"}}`, text),
	}
}

// TestFrames: before a message may stand what runtimes and collectors put there, in any
// pairing, and it is the same message.
func TestFrames(t *testing.T) {
	const text = "NOQUEUE: reject: CONNECT from unknown[203.0.113.1]: 554 no; proto=SMTP"
	const decision = "time=2026-11-23T09:00:00.000Z msg=decision ms=1"
	for _, frame := range frames {
		line := frame + "postfix/smtpd[17]: " + text
		for _, line := range append([]string{line}, inObjects(line)...) {
			c := &Clock{Written: written}
			l, ok := c.Cut(mail{}, line)
			if !ok || l.Text != text || l.Program != "postfix/smtpd" || l.PID != 17 {
				t.Errorf("Cut(%q) = %+v, %v; want the message of postfix/smtpd", line, l, ok)
			}
			if !l.Time.IsZero() && l.Time.Unix() != time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Unix() {
				t.Errorf("Cut(%q): time %v; want 2026-11-23 09:00:00", line, l.Time)
			}
		}
		line = frame + "policyd-rdns[17]: " + decision
		for _, line := range append([]string{line, frame + decision}, inObjects(line)...) {
			c := &Clock{Written: written}
			if l, ok := c.Cut(decisions{}, line); !ok || l.Text != decision {
				t.Errorf("Cut(%q) = %+v, %v; want the decision", line, l, ok)
			}
		}
	}
}

// TestContainers: journald's entry of a container has its name and the whole line.
func TestContainers(t *testing.T) {
	for _, frame := range []string{
		"", "Nov 23 09:00:00 mx ", "<22>Nov 23 09:00:00 mx ", "\x1b[32mNov 23 09:00:00\x1b[0m mx ", "\ufeff2026-11-23T09:00:00Z mx ",
		"2026-11-23T09:00:00Z ", "x[12]: Nov 23 09:00:00 mx ",
	} {
		text, _ := json.Marshal(frame + "postfix/smtpd[17]: x")
		line := fmt.Sprintf(`{"SYSLOG_IDENTIFIER":"0123456789ab","_PID":"812","__REALTIME_TIMESTAMP":"1795424400000000","MESSAGE":%s}`, text)
		l, ok := (&Clock{Written: written}).Cut(mail{}, line)
		if !ok || l.Text != "x" || l.PID != 17 || l.Time.Unix() != 1795424400 {
			t.Errorf("Cut(%q) = %+v, %v; want x of process 17 at 1795424400", line, l, ok)
		}
	}
}

// TestNoFrames: prose is no frame, and another program's message is its own.
func TestNoFrames(t *testing.T) {
	const whole = "Nov 23 09:00:00 mx postfix/smtpd[1]: NOQUEUE: reject"
	for _, before := range []string{
		"Invalid user ", "Nov 23 09:00:00 mx sshd[7]: Invalid user ", "Nov 23 09:00:00 mx sshd: ", "mx dovecot: user=<",
		`203.0.113.1 - - [23/Nov/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 7 "-" "`, "a-1 b-2 c-3 d-4 ",
		"2026-11-23T09:00:00Z level=INFO msg=", `{"user_agent":"x"} `, `"a","b" `, "x=", "<1000>", "<not a priority>", "[not a label] ",
		strings.Repeat("Nov 23 09:00:00 mx ", 20), "-- Logs begin at ",
	} {
		line := before + whole
		if before == "Nov 23 09:00:00 mx sshd: " {
			line = before + "postfix/smtpd[1]: NOQUEUE: reject"
		}
		if l, ok := (&Clock{}).Cut(mail{}, line); ok {
			t.Errorf("Cut(%q) = %+v; want nothing", line, l)
		}
	}
}

// TestMonths: a year of each language is read in its order, and one month alone as
// the last that it may be.
func TestMonths(t *testing.T) {
	for _, year := range []string{
		"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
		"Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
		"Jän Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
		"janv. févr. mars avril mai juin juil. août sept. oct. nov. déc.",
		"ene feb mar abr may jun jul ago sep oct nov dic",
		"gen feb mar apr mag giu lug ago set ott nov dic",
		"jan fev mar abr mai jun jul ago set out nov dez",
		"sty lut mar kwi maj cze lip sie wrz paź lis gru",
		"led úno bře dub kvě čen čec srp zář říj lis pro",
		"sij velj ožu tra svi lip srp kol ruj lis stu pro",
		"янв фев мар апр мая июн июл авг сен окт ноя дек",
		"січ лют бер кві тра чер лип сер вер жов лис гру",
		"1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
		"1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월",
		"tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
		"Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
		"alfa bravo charlie delta echo foxtrot golf hotel india juliet kilo lima", // of no language
	} {
		c := &Clock{Written: written}
		for i, month := range strings.Fields(year) {
			if month == "alfa" {
				month = "Jan" // before which nothing could tell
			}
			line := fmt.Sprintf("%s %2d 09:00:00 mx postfix/smtpd[1]: x", month, 2*i+5)
			l, ok := c.Cut(mail{}, line)
			if want := time.Date(2026, time.Month(i+1), 2*i+5, 9, 0, 0, 0, time.UTC); !ok || l.Time != want {
				t.Errorf("Cut(%q) = %v, %v; want %v", line, l.Time, ok, want)
			}
		}
	}
	for month, want := range map[string]time.Month{"lis": 11, "lip": 7, "D\xe9c.": 12, "M\xe4r": 3, "OKT": 10, "xyz": 12} {
		l, ok := (&Clock{Written: written}).Cut(mail{}, month+" 23 09:00:00 mx postfix/smtpd[1]: x")
		if !ok || l.Time.Month() != want || l.Time.Year() != 2026 {
			t.Errorf("Cut(%q) = %v, %v; want month %d of 2026", month, l.Time, ok, want)
		}
	}
}

// clean is a text as a program of the mail system logs it: printable, and without the
// blanks that a reader leaves out at its end.
func clean(s string) string {
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s), " ")
}

// FuzzMessage: whatever a stranger has written into a message, the message is that of
// the program that logged it, whole, in every frame; and of another program's message
// nothing is read.
func FuzzMessage(f *testing.F) {
	for _, frame := range frames {
		f.Add(frame + "postfix/smtpd[1]: NOQUEUE: reject: CONNECT from unknown[203.0.113.1]: 554 no")
		f.Add(frame + "policyd-rdns[1]: time=2026-11-23T09:00:00.000Z msg=decision")
		f.Add(inObjects(frame + "postfix/smtpd[1]: x")[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = "x " + clean(text) + " y"
		for _, frame := range frames {
			line := frame + "postfix/smtpd[17]: " + text
			for _, line := range append([]string{line}, inObjects(line)...) {
				if l, ok := (&Clock{}).Cut(mail{}, line); !ok || l.Text != text || l.PID != 17 {
					t.Errorf("Cut(%q) = %+v, %v; want the whole message", line, l, ok)
				}
			}
			for _, line := range []string{frame + "sshd[17]: Invalid user " + text, frame + "sshd: Invalid user " + text} {
				if l, ok := (&Clock{}).Cut(mail{}, line); ok {
					t.Errorf("Cut(%q) = %+v; want nothing", line, l)
				}
				if l, ok := (&Clock{}).Cut(decisions{}, line); ok {
					t.Errorf("Cut(%q) = %+v; want no decision", line, l)
				}
			}
		}
	})
}

// FuzzCut: whatever a line is, reading it does not panic, and what is found stands in it.
func FuzzCut(f *testing.F) {
	for _, frame := range frames {
		line := frame + "postfix/smtpd[1]: NOQUEUE: x"
		f.Add(line)
		for _, line := range inObjects(line) {
			f.Add(line)
		}
	}
	f.Add(`"2026-11-23T09:00:00Z","mx","Nov 23 09:00:00 mx postfix/smtpd[1]: ""x"""`)
	f.Add(`{"SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":[78,79,255]}`)
	f.Add(`{"a":{"b":[1,{"c":"\ud83d\ude00"}]},"message":["x"],"body":{"stringValue":"y"}}`)
	f.Fuzz(func(t *testing.T, line string) {
		c := &Clock{Written: written}
		for range 2 {
			l, ok := c.Cut(mail{}, line)
			if ok && l.Program == "" && !strings.HasPrefix(l.Text, "NOQUEUE: ") {
				t.Errorf("Cut(%q) = %+v; want a message", line, l)
			}
			if ok && !strings.ContainsAny(line, "\x1b{\"") && !strings.HasSuffix(line, l.Text) {
				t.Errorf("Cut(%q): text %q; want the end of the line", line, l.Text)
			}
			c.Cut(decisions{}, line)
		}
	})
}
