package status

import (
	"fmt"
	"html/template"
	"strconv"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// functions are those of the templates.
func functions() template.FuncMap {
	return template.FuncMap{
		"number":  number,
		"percent": percent,
		"clock":   func(t time.Time) string { return t.Format("15:04") },
		"when":    when,
		"full":    func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05.000 MST") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"ago":     func(now, t time.Time) string { return ago(now.Sub(t)) },
		"seconds": func(n int) string { return ago(time.Duration(n) * time.Second) },
		"ms":      ms,
		"mean":    mean,
		"dash":    dash,
	}
}

// number is a count with its digits in groups of three, by thin spaces that do
// not break.
func number(v any) string { return plain.Grouped(fmt.Sprint(v), "\u202f") }

// percent is a part of a whole.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 0, 64) + "\u202f%"
}

// when is a time of the last day by the clock, and an older one with its day.
func when(now, t time.Time) string {
	t = t.In(now.Location())
	if now.YearDay() == t.YearDay() && now.Year() == t.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("Jan 2 15:04")
}

// ms is a duration in milliseconds.
func ms(d time.Duration) string {
	if 0 < d && d < 50*time.Microsecond {
		return "under 0.1\u202fms"
	}
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + "\u202fms"
}

// mean is the time of one of n.
func mean(d time.Duration, n uint64) string {
	if n == 0 {
		return "–"
	}
	return ms(d / time.Duration(n))
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
