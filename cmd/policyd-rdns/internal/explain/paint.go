package explain

import (
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// paintTruth paints how true a rule is.
func paintTruth(p plain.Paint, t policy.Truth) string {
	switch t {
	case policy.Yes:
		return p.Green(t.String())
	case policy.Unknown:
		return p.Yellow(t.String())
	case policy.NotReached:
		return p.Dim(t.String())
	}
	return t.String()
}

// PaintAction paints a text by what an action means for the sender.
func PaintAction(p plain.Paint, a policy.Action, text string) string {
	switch {
	case a.Permanent():
		return p.Red(text)
	case policy.DUNNO.Milder(a):
		return p.Yellow(text)
	}
	return p.Green(text)
}
