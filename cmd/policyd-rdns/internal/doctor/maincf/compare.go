package maincf

import (
	"cmp"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// comparison evaluates "{a} operator {b} ? {yes} : {no}" (postconf(5), Postfix
// 3.0). What is no such thing is empty.
func (p Params) comparison(expr string, depth int, budget *int) string {
	left, rest, ok := operand(expr)
	if !ok {
		return ""
	}
	i := strings.IndexByte(rest, '{')
	if i < 0 {
		return ""
	}
	operator := strings.TrimSpace(rest[:i])
	right, rest, ok := operand(rest[i:])
	if !ok {
		return ""
	}
	rest, _ = strings.CutPrefix(rest, "?")
	yes, no := alternatives(rest)
	if !holds(p.expandWithin(left, depth, budget), operator, p.expandWithin(right, depth, budget)) {
		yes = no
	}
	return p.expandWithin(yes, depth, budget)
}

// operand cuts "{text}" from the front.
func operand(s string) (text, rest string, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || s[0] != '{' {
		return "", s, false
	}
	end := smtpd.Closing(s)
	if end < 0 {
		return "", s, false
	}
	return strings.TrimSpace(s[1:end]), strings.TrimSpace(s[end+1:]), true
}

// holds compares two compatibility levels, two numbers, or else two texts.
func holds(a, operator, b string) bool {
	order := 0
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	plain, level := strings.CutSuffix(operator, "level")
	switch {
	case level:
		order = compareLevels(a, b)
	case errX == nil && errY == nil:
		order = cmp.Compare(x, y)
	default:
		order = strings.Compare(a, b)
	}
	switch plain {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

// compareLevels compares compatibility levels, "2" or "3.6", number by number.
func compareLevels(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		if m != n {
			return cmp.Compare(m, n)
		}
	}
	return 0
}
