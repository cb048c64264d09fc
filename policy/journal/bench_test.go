package journal_test

import (
	"runtime"
	"testing"

	"policyd-rdns/policy/journal"
)

func BenchmarkAppend(b *testing.B) {
	s := samples()[1]
	r := s.record()
	for name, format := range formats {
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf = format.Append(buf[:0], &r)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkParse(b *testing.B) {
	s := samples()[1]
	r := s.record()
	for name, format := range formats {
		b.Run(name, func(b *testing.B) {
			line := format.Append(nil, &r)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := journal.Parse(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead reads a log of a hundred lines, on one processor.
func BenchmarkRead(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, format := range formats {
		b.Run(name, func(b *testing.B) {
			var text []byte
			for i := range 100 {
				s := samples()[i%3]
				r := s.record()
				text = format.Append(text, &r)
			}
			r := journal.Reader{Inputs: []journal.Input{inputOf(7, string(text))}}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range journal.Read(b.Context(), &r, func(*journal.Line) (int, bool) { return 0, true }) {
					if err != nil {
						b.Fatal(err)
					}
				}
				if r.Counts.Decisions != 100 {
					b.Fatal(r.Counts)
				}
			}
		})
	}
}
