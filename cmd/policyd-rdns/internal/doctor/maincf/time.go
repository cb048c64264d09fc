package maincf

import (
	"strconv"
	"strings"
	"time"
)

// Time reads a time value of Postfix: a number with s, m, h, d or w, or
// with nothing for seconds.
func Time(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	unit := time.Second
	if text != "" {
		switch text[len(text)-1] {
		case 's', 'S':
		case 'm', 'M':
			unit = time.Minute
		case 'h', 'H':
			unit = time.Hour
		case 'd', 'D':
			unit = 24 * time.Hour
		case 'w', 'W':
			unit = 7 * 24 * time.Hour
		}
		text = strings.TrimRight(text, "sSmMhHdDwW")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<20 {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
