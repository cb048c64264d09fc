package trial

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
)

// writeCache writes a cache file of policyd-rdns with two answers, name and
// address, for each of so many named clients of IPv6: a daemon would take minutes
// to learn a million. The format is that of package resolver.
func writeCache(path string, clients uint32, at time.Time) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const typePTR, typeAAAA = 12, 28 // RFC 1035 section 3.2.2, RFC 3596 section 2.1
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	b := binary.BigEndian.AppendUint64([]byte("policyd-rdns cache 1\n"), uint64(at.UnixMilli()))
	c := crowd.Crowd{Mix: crowd.Only(crowd.Named)}
	var name []byte
	about := append(binary.AppendUvarint([]byte{0}, uint64(time.Hour.Milliseconds())), 0, 1) // age, TTL, whole, one record
	for n := range clients {
		addr := crowd.Address(n, crowd.IPv6).As16()
		name = c.AppendName(name[:0], n, crowd.IPv6)
		text := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
		b = append(append(append(append(b, typePTR), addr[:]...), about...), text...)
		b = append(append(append(append(b, typeAAAA), text...), about...), addr[:]...)
		_, _ = w.Write(b) // its error stays until Flush
		b = b[:0]
	}
	_ = w.WriteByte(0)
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := f.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	return f.Close()
}
