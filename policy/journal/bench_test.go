package journal_test

import (
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
