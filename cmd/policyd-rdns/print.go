package main

import (
	"strconv"

	"policyd-rdns/policy"
)

func itoa(i int) string { return strconv.Itoa(i) }

// paint writes in colours, if there is a terminal to show them.
type paint bool

func (p paint) as(code, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string   { return p.as("1", s) }
func (p paint) red(s string) string    { return p.as("31", s) }
func (p paint) yellow(s string) string { return p.as("33", s) }
func (p paint) green(s string) string  { return p.as("32", s) }
func (p paint) dim(s string) string    { return p.as("2", s) }

// truth paints how true a rule is.
func (p paint) truth(t policy.Truth) string {
	switch t {
	case policy.Yes:
		return p.green(t.String())
	case policy.Unknown:
		return p.yellow(t.String())
	case policy.NotReached:
		return p.dim(t.String())
	}
	return t.String()
}

// action paints a word by what an action means for the sender.
func (p paint) action(a policy.Action, s string) string {
	switch {
	case a.Permanent():
		return p.red(s)
	case a.Refuses():
		return p.yellow(s)
	}
	return p.green(s)
}
