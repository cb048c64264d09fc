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

func atLeast(n, most int, nouns string) string {
	if n == most {
		return plain.Number(n) + " " + nouns + " or more"
	}
	return plain.Number(n) + " " + nouns
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

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

func clientText(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

// ruleText is the name of a rule as it is shown.
func ruleText(name string) string {
	if name == "" {
		return "(no rule held)"
	}
	return plain.Brief(name)
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
		names = append(names, plain.Brief(s.Domain))
	}
	if more {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}
