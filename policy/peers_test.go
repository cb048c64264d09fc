package policy_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/internal/cases"
)

// peersFolder has the tests of other programs, from which testdata/peers.txt was made. It is not
// a part of this repository.
const peersFolder = "../../shared/corpus/peers/"

// TestPeers: what other programs expect of clients is what we make of them, or there is a
// reason beside it.
func TestPeers(t *testing.T) {
	text, err := os.ReadFile("testdata/peers.txt")
	if err != nil {
		t.Fatal(err)
	}
	source, wanted, rows, judged := "", 0, 0, 0
	ends := func() {
		if rows != wanted {
			t.Errorf("%s: %d cases; want %d", source, rows, wanted)
		}
		rows = 0
	}
	for i, line := range strings.Split(string(text), "\n") {
		where := fmt.Sprintf("peers.txt:%d", i+1)
		switch fields := strings.Fields(line); {
		case line == "" || line[0] == '#':
		case fields[0] == "source":
			ends()
			source = fields[1]
			if wanted, err = strconv.Atoi(fields[2]); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			countPeer(t, source, wanted)
		case fields[0] == "-":
			rows++
			if _, why, _ := strings.Cut(line, ": "); why == "" {
				t.Errorf("%s: %s: no reason", where, line)
			}
		default:
			rows++
			judged++
			comparePeer(t, where, line)
		}
	}
	ends()
	if judged < 300 {
		t.Errorf("%d cases were judged; want 300 at least", judged)
	}
}

// countPeer compares the number of the cases of a program with what its own table has.
func countPeer(t *testing.T, source string, rows int) {
	t.Helper()
	table, err := os.ReadFile(peersFolder + source + ".tsv")
	if err != nil {
		t.Logf("%v: the cases are not counted", err)
		return
	}
	if n := bytes.Count(table, []byte("\n")) - 1; n != rows {
		t.Errorf("%s: %d cases; its table has %d", source, rows, n)
	}
}

// comparePeer judges the client of a line.
func comparePeer(t *testing.T, where, line string) {
	t.Helper()
	evidence, rest, _ := strings.Cut(line, " => ")
	ours, rest, _ := strings.Cut(rest, " | ")
	theirs, why, _ := strings.Cut(rest, " | ")
	e, err := cases.Client(evidence)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	rules := policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer}
	d := rules.Judge(&e.Req, &e.Facts)
	got := d.Action.String()
	if name, _, ok := strings.Cut(ours, "="); ok {
		check, known := policy.CheckByName(name)
		if !known {
			t.Fatalf("%s: there is no check %s", where, name)
		}
		got = name + "=" + d.Checks[check].String()
	}
	if got != ours {
		t.Errorf("%s: %s: %s; want %s", where, evidence, got, ours)
	}
	if (ours == theirs) != (why == "") || theirs == "" {
		t.Errorf("%s: %s: %s | %s | %s: want a reason where they differ, and there alone", where, evidence, ours, theirs, why)
	}
}
