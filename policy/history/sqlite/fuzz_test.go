package sqlite

import (
	"database/sql/driver"
	"errors"
	"os"
	"reflect"
	"testing"

	"policyd-rdns/policy/history"
)

// FuzzRow: whatever stands in a row, it is a record that can be written again, or none.
func FuzzRow(f *testing.F) {
	f.Add(uint64(0), int64(now), "", []byte(nil))
	f.Add(uint64(0o20000000), int64(now), "", make([]byte, 64))
	f.Add(uint64(0o20000000), int64(now), "", make([]byte, 63))
	f.Add(uint64(0o20000000), int64(now), "", make([]byte, 72))
	f.Add(uint64(0o00001000), int64(now), "soon", []byte{})
	f.Add(uint64(0o00000100), int64(-1), "", []byte{})
	f.Add(uint64(0o00000004), int64(1)<<32, "", []byte{})
	f.Fuzz(func(t *testing.T, kinds uint64, n int64, text string, blob []byte) {
		row := make([]driver.Value, moments+1)
		for i := range row {
			row[i] = []driver.Value{n, text, blob, nil, -n, float64(n), n >> 1, true}[kinds>>(3*i)&7]
		}
		r, ok := decode(row)
		if !ok {
			if !reflect.DeepEqual(r, history.Record{}) {
				t.Errorf("of a row that is none there is %+v", r)
			}
			return
		}
		again, ok := decode(encode(nil, &r))
		if !ok || !reflect.DeepEqual(again, r) {
			t.Errorf("written and read again: %+v, %v; want %+v", again, ok, r)
		}
		if rank(&r) < 0 || rank(&r) >= 2*rankKnown {
			t.Errorf("rank = %d", rank(&r))
		}
		decode(row[:kinds%moments])
	})
}

// FuzzFile: whatever a file has, what is asked of it works or says why not.
func FuzzFile(f *testing.F) {
	path := written(f, 40)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("# config\n"))
	f.Add([]byte{})
	for _, at := range []int{18, 28, 44, 103, 4096, 4100, 8192, 12288} {
		bad := append([]byte{}, good...)
		bad[at%len(bad)] ^= 0xff
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := aFile(t)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := everything(t, path); errors.Is(err, errCrashed) {
				t.Error(err)
			}
		}
	})
}
