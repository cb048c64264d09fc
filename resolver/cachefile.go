package resolver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// A cache file is cacheMagic, the time it was written (milliseconds of the Unix
// epoch, 8 bytes), the answers, a zero byte, and the CRC-32C of all that. An
// answer is its type (PTR, A, AAAA) in one byte, what it is the answer to, its
// age and TTL in milliseconds, whether there was more (one byte), and the number
// of records with the records. An address is 4 or 16 bytes as the type has it,
// but the one that a PTR is about always 16; a name has its length before it.
// Numbers are varints.
const (
	cacheMagic = "policyd-rdns cache 1\n"
	cacheEnd   = 0
	// maxText is the longest name in presentation format, in bytes: each of 255
	// at most as \DDD.
	maxText = 4 * 255
)

var errDamaged = errors.New("damaged")

// savedAnswer is one answer in a cache file.
type savedAnswer struct {
	qtype uint16
	addr  addrKey // of a PTR
	host  string  // of A and AAAA
	age   time.Duration
	ttl   time.Duration
	more  bool
	names []string     // of a PTR
	addrs []netip.Addr // of A and AAAA
}

// appendAnswer appends an answer as the file has it.
func appendAnswer(b []byte, a *savedAnswer) []byte {
	b = append(b, byte(a.qtype))
	if a.qtype == dns.TypePTR {
		b = append(b, a.addr[:]...)
	} else {
		b = appendText(b, a.host)
	}
	b = binary.AppendUvarint(b, uint64(a.age.Milliseconds()))
	b = binary.AppendUvarint(b, uint64(a.ttl.Milliseconds()))
	more := byte(0)
	if a.more {
		more = 1
	}
	b = append(b, more)
	b = binary.AppendUvarint(b, uint64(len(a.names)+len(a.addrs)))
	for _, name := range a.names {
		b = appendText(b, name)
	}
	for _, addr := range a.addrs {
		b = append(b, addr.AsSlice()...)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// writeCache writes answers, as they were at a time, as a cache file.
func writeCache(out io.Writer, at time.Time, answers iter.Seq[*savedAnswer]) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 64<<10)
	buf := binary.BigEndian.AppendUint64([]byte(cacheMagic), uint64(at.UnixMilli()))
	w.Write(buf) // errors stay until Flush
	for a := range answers {
		buf = appendAnswer(buf[:0], a)
		w.Write(buf)
	}
	w.WriteByte(cacheEnd)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := out.Write(sum.Sum(nil))
	return err
}

// readCache reads a cache file. The answers are as old as they are now, by the
// wall clock. An error is the last that comes, and says that none of what came
// before is to be trusted: the checksum is at the end.
func readCache(in io.Reader, now time.Time) iter.Seq2[*savedAnswer, error] {
	return func(yield func(*savedAnswer, error) bool) {
		r := &cacheReader{in: bufio.NewReaderSize(in, 64<<10)}
		elapsed := r.header(now)
		for {
			a := r.answer()
			if r.err != nil {
				yield(nil, r.err)
				return
			}
			if a == nil {
				return
			}
			a.age += min(elapsed, maxPositive+maxStale) // past any use
			if !yield(a, nil) {
				return
			}
		}
	}
}

// cacheReader reads the parts of a cache file, and nothing any more after an
// error.
type cacheReader struct {
	in  *bufio.Reader
	sum uint32
	err error
	buf [maxText]byte
}

// header reads up to the first answer, and tells how long ago the file was
// written.
func (r *cacheReader) header(now time.Time) time.Duration {
	if string(r.bytes(len(cacheMagic))) != cacheMagic {
		r.fail(errors.New("no cache file of this version"))
		return 0
	}
	at := time.UnixMilli(int64(binary.BigEndian.Uint64(r.bytes(8))))
	elapsed := now.Sub(at)
	if elapsed < 0 {
		r.fail(fmt.Errorf("written in the future, at %v", at.UTC().Format(time.RFC3339)))
	}
	return elapsed
}

// answer reads an answer; nil at the end.
func (r *cacheReader) answer() *savedAnswer {
	a := &savedAnswer{qtype: uint16(r.bytes(1)[0])}
	switch a.qtype {
	case cacheEnd:
		sum := r.sum
		if binary.BigEndian.Uint32(r.bytes(4)) != sum {
			r.fail(errDamaged)
		}
		if _, err := r.in.ReadByte(); err != io.EOF {
			r.fail(errDamaged)
		}
		return nil
	case dns.TypePTR:
		a.addr = addrKey(r.bytes(16))
	case dns.TypeA, dns.TypeAAAA:
		a.host = r.name()
		r.check(a.host != ".")
	default:
		r.fail(errDamaged)
	}
	a.age = r.duration(maxPositive + maxStale)
	a.ttl = r.duration(maxPositive)
	a.more = r.number(1) == 1
	for range r.number(MaxRecords) {
		switch a.qtype {
		case dns.TypePTR:
			a.names = append(a.names, r.name())
		case dns.TypeA:
			a.addrs = append(a.addrs, netip.AddrFrom4([4]byte(r.bytes(4))))
		case dns.TypeAAAA:
			a.addrs = append(a.addrs, netip.AddrFrom16([16]byte(r.bytes(16))))
		}
	}
	return a
}

// bytes reads n bytes, which hold until the next call; after an error, zeros.
func (r *cacheReader) bytes(n int) []byte {
	b := r.buf[:n]
	if r.err == nil {
		if _, err := io.ReadFull(r.in, b); err != nil {
			r.fail(fmt.Errorf("%w: %w", errDamaged, err))
		}
		r.sum = crc32.Update(r.sum, crc32.MakeTable(crc32.Castagnoli), b)
	}
	if r.err != nil {
		clear(b)
	}
	return b
}

// number reads a varint.
func (r *cacheReader) number(most uint64) uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.bytes(1)[0]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	r.check(n <= most)
	if r.err != nil {
		return 0
	}
	return n
}

func (r *cacheReader) duration(most time.Duration) time.Duration {
	return time.Duration(r.number(uint64(most.Milliseconds()))) * time.Millisecond
}

// name reads a name as the cache has it.
func (r *cacheReader) name() string {
	name := string(r.bytes(int(r.number(maxText))))
	if name != "." {
		same, ok := canonical(name)
		r.check(ok && same == name)
	}
	return name
}

// check fails unless something holds.
func (r *cacheReader) check(ok bool) {
	if !ok {
		r.fail(errDamaged)
	}
}

func (r *cacheReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
