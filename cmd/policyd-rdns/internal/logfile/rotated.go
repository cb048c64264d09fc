package logfile

import (
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// rotation is how the last rotation of a log names it: with .1 or, on FreeBSD, .0 behind
// it, or with a date (dateext of logrotate(8)), and what it is packed with.
var rotation = regexp.MustCompile(`^(\.[01]|-[0-9]{8,14})(\.[a-z0-9]+)?$`)

// Rotated is the file that a log was before its last rotation; empty: there is none.
func Rotated(log string) (file string) {
	entries, err := os.ReadDir(filepath.Dir(log))
	if err != nil || log == "" {
		return ""
	}
	var newest time.Time
	name := filepath.Base(log)
	for _, e := range entries {
		if len(e.Name()) <= len(name) || e.Name()[:len(name)] != name || !rotation.MatchString(e.Name()[len(name):]) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && (file == "" || info.ModTime().After(newest)) {
			file, newest = filepath.Join(filepath.Dir(log), e.Name()), info.ModTime()
		}
	}
	return file
}
