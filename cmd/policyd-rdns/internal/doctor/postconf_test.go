package doctor

import (
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

func TestPostfixTime(t *testing.T) {
	for _, test := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"10", 10 * time.Second, true},
		{"10s", 10 * time.Second, true},
		{"2m", 2 * time.Minute, true},
		{"1H", time.Hour, true},
		{"1w", 7 * 24 * time.Hour, true},
		{"", 0, false},
		{"s", 0, false},
		{"-1s", 0, false},
		{"99999999999999w", 0, false},
	} {
		if got, ok := maincf.Time(test.text); got != test.want || ok != test.ok {
			t.Errorf("maincf.Time(%q) = %v, %v; want %v, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// FuzzPostfix: whatever postconf is said to have printed is judged, in bounded
// time and size, and what is said of it can be printed.
func FuzzPostfix(f *testing.F) {
	f.Add(good)
	f.Add(withList("smtpd_restriction_classes = a b\na = b b\nb = a a permit\n" + before + "a POLICY"))
	f.Add("smtpd_client_restrictions = check_policy_service { unix:/a\x1b[31m, { default_action = '; rm -rf x } }\nsmtp inet n - y - 0 smtpd -o { a = ${b?{c}:{d}} }\n")
	f.Add("mynetworks = ![::1]/128 cidr:/x 0/0 [::ffff:127.0.0.0]/104\nsmtpd_data_restrictions=warn_if_reject warn_if_reject check_policy_service inet:10040\n")
	f.Add("smtpd_recipient_restrictions=check_policy_service{inet:10040}}{,permit\nqueue_directory=${{a}<level{b}?{/q}:{$queue_directory}}\nsmtp pass - - y - - smtpd\n")
	f.Add("mynetworks=0.0.0.0/0\nsmtpd_relay_restrictions=\nsmtpd_restriction_classes=a\na=check_policy_service tcp:127.0.0.1:10040\nsmtpd_client_restrictions=static:a,check_client_access cidr:{{!::/0 OK}}\nsmtpd_recipient_restrictions=permit_auth_destination,timeout=1s\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, f := range Examine(wellMachine(text), view()) {
			for _, s := range append([]string{f.Title, f.Why}, f.Do...) {
				if i := strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c > '~' }); i >= 0 || len(s) > finding.MaxDo+3 {
					t.Fatalf("%s says what cannot be printed, or too much: %.200q", f.ID, s)
				}
			}
			if f.Title == "" || f.ID == "" || f.Level == "" {
				t.Fatalf("%+v: want an ID, a level and a title", f)
			}
		}
	})
}
