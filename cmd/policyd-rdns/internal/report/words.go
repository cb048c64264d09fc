package report

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// minute is how times are told.
const minute = "2006-01-02 15:04"

func (r *Report) when(t time.Time) string { return t.In(r.place).Format(minute) }

// moment is a time in a table, without the year if that is the same in all.
func (r *Report) moment(t time.Time) cell {
	layout := "2 Jan 15:04"
	if r.First.In(r.place).Year() != r.Last.In(r.place).Year() {
		layout = "2 Jan 2006 15:04"
	}
	return cell{Text: t.In(r.place).Format(layout), Sort: strconv.FormatInt(t.UnixMilli(), 10)}
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number is a number with its thousands apart.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return number(n) + " times"
}

func atLeast(n, most int, nouns string) string {
	if n == most {
		return number(n) + " " + nouns + " or more"
	}
	return number(n) + " " + nouns
}

// durationWords is a duration as people tell it.
func durationWords(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}

// millisText is a time in milliseconds, to three digits at least.
func millisText(ms float64) string {
	if ms >= 100 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.3g ms", ms)
}

// percent is a share. What is not all and not nothing is not told as such.
func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	share := 100 * float64(n) / float64(of)
	switch {
	case n > 0 && share < 0.1:
		return "< 0.1%"
	case n < of && share > 99.9:
		return "> 99.9%"
	}
	return fmt.Sprintf("%.1f%%", share)
}

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

func clientText(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

// safe makes text from the network fit for a terminal, and for an eye that a
// page's direction of writing could deceive.
func safe(s string) string { return plain.Text(s, 100) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ruleText is the name of a rule as it is shown.
func ruleText(name string) string {
	if name == "" {
		return "(no rule held)"
	}
	return safe(name)
}

// senderWords names the most frequent of senders' domains.
func senderWords(all []Sender, more bool) string {
	const most = 3
	var names []string
	for i, s := range all {
		if i == most {
			more = true
			break
		}
		names = append(names, safe(s.Domain))
	}
	if more {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}
