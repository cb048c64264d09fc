package week

import (
	"bytes"
	"testing"
)

// TestRecord holds the recorded week to what other tests rely on: enough
// decisions, of every kind, and the same ones every time.
func TestRecord(t *testing.T) {
	log := Record(t)
	if n := bytes.Count(log, []byte("\n")); n < 2000 {
		t.Errorf("%d decisions; want 2000", n)
	}
	if again := Record(t); !bytes.Equal(log, again) {
		t.Errorf("recorded twice, the logs differ")
	}
	for _, want := range []string{
		"action=reject", "action=defer", "action=dunno", "downgraded=true", "would=", "outage=true", "cached=true",
		"ptr=found", "ptr=none", "ptr=malformed", "ptr=temperror",
		"fcrdns=pass", "fcrdns=mismatch", "fcrdns=unresolved", "fcrdns=none", "fcrdns=temperror",
		"name=proper", "name=generic", "strength=full", "helo_form=fqdn", "helo_form=literal",
		"helo_form=unqualified", "helo_form=bare_ip", "helo_form=malformed",
		"helo=match", "helo=own", "helo=related", "helo=mismatch", "helo=unresolved", "helo_name=generic",
		"authenticated=true", "client=2001:db8:",
	} {
		if !bytes.Contains(log, []byte(" "+want)) {
			t.Errorf("no decision has %s", want)
		}
	}
}
