package logfile

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// rotation is how the last rotation of a log names it: with .1 or, on FreeBSD, .0 behind
// it, or with a date (dateext of logrotate(8)), and what it is packed with.
var rotation = regexp.MustCompile(`^(\.[01]|-[0-9]{8,14})(\.[a-z0-9]+)?$`)

// Rotated is the file that a log was before its last rotation, and whether that is packed by
// its name; empty: there is none.
func Rotated(log string) (file string, packed bool) {
	entries, err := os.ReadDir(filepath.Dir(log))
	if err != nil || log == "" {
		return "", false
	}
	var newest time.Time
	name := filepath.Base(log)
	for _, e := range entries {
		behind, ours := strings.CutPrefix(e.Name(), name)
		parts := rotation.FindStringSubmatch(behind)
		if !ours || parts == nil {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && (file == "" || info.ModTime().After(newest)) {
			file, packed, newest = filepath.Join(filepath.Dir(log), e.Name()), parts[2] != "", info.ModTime()
		}
	}
	return file, packed
}
