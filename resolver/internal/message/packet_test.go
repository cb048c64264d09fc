package message

import (
	"fmt"
	"strings"
	"testing"
)

// TestMixCase: only letters change, and the length of a label is none.
func TestMixCase(t *testing.T) {
	name := strings.Repeat("aZ@[`{09-_", 6) + "x." + strings.Repeat("b", 63) + "."
	q, err := Query{Name: name, Type: TypeA}.Pack(true, true)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Query{Name: name, Type: TypeA}.Pack(true, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := q.section(), plain.section(); !sameText(got, want) || string(got) == string(want) {
		t.Errorf("%q with letters of any case = %q", want, got)
	}
}

func BenchmarkPack(b *testing.B) {
	for _, cased := range []bool{false, true} {
		b.Run(fmt.Sprintf("cased=%v", cased), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (Query{Name: "1.2.0.192.in-addr.arpa.", Type: TypePTR}).Pack(true, cased); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
