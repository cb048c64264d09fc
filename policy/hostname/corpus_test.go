package hostname

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
)

// corpusFile is a table of real names, each with its address and a label. It is
// not a part of this repository.
const corpusFile = "../../../shared/corpus/dev.tsv"

// labelled is one name of the corpus.
type labelled struct {
	generic bool
	client  netip.Addr
	name    string
}

func readCorpus(tb testing.TB) []labelled {
	tb.Helper()
	text, err := os.ReadFile(corpusFile)
	if err != nil {
		tb.Skipf("%s: %v: the figures on real names are not checked", tb.Name(), err)
	}
	var names []labelled
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, "\t")
		if len(f) < 3 || f[0] == "label" {
			continue
		}
		client, _ := netip.ParseAddr(f[1])
		names = append(names, labelled{f[0] == "generic", client, f[2]})
	}
	return names
}

// TestCorpus holds the figures that the classifier was built for.
func TestCorpus(t *testing.T) {
	type figure struct{ called, all int }
	var generic, named, hidden, full figure
	for _, n := range readCorpus(t) {
		v := Classify(n.name, n.client)
		called := 0
		if v.Generic {
			called = 1
		}
		if n.generic {
			generic.called += called
			generic.all++
			if !showsAddress(n.name, n.client) {
				hidden.called += called
				hidden.all++
			}
			continue
		}
		named.called += called
		named.all++
		full.all++
		if v.Strength == Full {
			full.called++
		}
		if v.Generic {
			t.Logf("named: Classify(%s, %v) = %v", n.name, n.client, v)
		}
	}
	tests := []struct {
		what     string
		got      figure
		min, max float64
	}{
		{"generic names called generic", generic, 0.95, 1},
		{"generic names without a visible address called generic", hidden, 0.70, 1},
		{"named hosts called generic", named, 0, 0.0005},
		{"named hosts called generic with full strength", full, 0, 0},
	}
	for _, tt := range tests {
		share := float64(tt.got.called) / float64(tt.got.all)
		t.Logf("%s: %d of %d, %.4f", tt.what, tt.got.called, tt.got.all, share)
		if !(share >= tt.min && share <= tt.max) {
			t.Errorf("%s: %.4f; want %.4f to %.4f", tt.what, share, tt.min, tt.max)
		}
	}
}

// showsAddress says in the plainest way whether a name shows its address, or
// the last two octets of it. It is what the corpus is broken down by.
func showsAddress(name string, client netip.Addr) bool {
	if !client.Is4() {
		return true
	}
	var numbers [256]int
	for _, s := range strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.ParseUint(s, 10, 8); err == nil && len(s) < 4 {
			numbers[n]++
		}
	}
	a := client.As4()
	if numbers[a[2]] > 0 && numbers[a[3]] > 0 {
		return true
	}
	seen, hex, backward, padded, reversed := 0, "", "", "", ""
	for i, o := range a {
		if numbers[o] > 0 {
			numbers[o]--
			seen++
		}
		hex += pad(o, 16, 2)
		backward += pad(a[3-i], 16, 2)
		padded += pad(o, 10, 3)
		reversed += pad(a[3-i], 10, 3)
	}
	flat := strings.NewReplacer("-", "", ".", "").Replace(name)
	for _, written := range []string{hex, backward, padded, reversed, padded[6:]} {
		if strings.Contains(flat, written) {
			return true
		}
	}
	return seen >= 3
}

func pad(v byte, base, width int) string {
	s := strconv.FormatUint(uint64(v), base)
	return strings.Repeat("0", width-len(s)) + s
}
