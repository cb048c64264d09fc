package logfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
)

// form is a compression that is read.
type form struct {
	name  string
	magic string
	open  func(*bufio.Reader) (io.Reader, error)
	// rare is a part of magic that hardly stands in text, and where.
	rare string
	at   int
}

const (
	// maxDict bounds the dictionary of xz, in bytes: that of xz -9.
	maxDict = 64 << 20
	// maxWindow bounds the window of zstd, in bytes: that of zstd --long.
	maxWindow = 128 << 20
)

// The compressions that are read. gzip's members are read one by one, for there may be
// text behind them; the others read theirs themselves, and nothing but these.
var forms = [...]form{
	{"gzip", "\x1f\x8b\x08", gunzip, "\x1f\x8b\x08", 0},
	{"bzip2", "BZh", bunzip2, "&SY", 7}, // of pi, with which a block begins
	{"xz", "\xfd7zXZ\x00", unxz, "\xfd7zXZ\x00", 0},
	{"zstd", "\x28\xb5\x2f\xfd", unzstd, "\xb5\x2f\xfd", 1},
}

func gunzip(from *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return z, nil
}

func bunzip2(from *bufio.Reader) (io.Reader, error) { return bzip2.NewReader(from), nil }

func unxz(from *bufio.Reader) (io.Reader, error) { return xz.NewReader(from, maxDict) }

func unzstd(from *bufio.Reader) (io.Reader, error) {
	// With one decoder it starts no goroutine, and needs no end.
	return zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecoderMaxMemory(1<<63))
}

// broken says what is wrong with a member.
func (f *form) broken(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("its %s data end in the middle", f.name)
	case errors.Is(err, xz.ErrMemlimit), errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = fmt.Errorf("its %s data take more than %d MiB of memory to read", f.name, maxWindow>>20)
	case f.name != "gzip" && (errors.Is(err, xz.ErrFormat) || errors.Is(err, zstd.ErrMagicMismatch)):
		err = fmt.Errorf("something else follows its %s data", f.name)
	default:
		err = fmt.Errorf("its %s data are damaged: %w", f.name, err)
	}
	return &Broken{err}
}

// maxMagic is how long the beginnings are by which forms are told, in bytes.
const maxMagic = 10

// compression is that of the member that begins here, nil if it is none. Of a stream of
// which only a few bytes are there it waits for more, if they may be one.
func compression(from *bufio.Reader, head []byte) *form {
	if len(head) == 0 {
		return nil
	}
	if len(head) < maxMagic && (begins(head) || skippable(head)) {
		head, _ = from.Peek(maxMagic)
	}
	if skippable(head) && len(head) >= 4 {
		return &forms[3]
	}
	for i := range forms {
		f := &forms[i]
		if !bytes.HasPrefix(head, []byte(f.magic)) {
			continue
		}
		if f.name == "bzip2" && !bzip2Head(head) {
			continue
		}
		return f
	}
	return nil
}

// begins reports whether a few bytes may be the beginning of a compression.
func begins(head []byte) bool {
	for _, f := range forms {
		if n := min(len(head), len(f.magic)); string(head[:n]) == f.magic[:n] {
			return true
		}
	}
	return false
}

// skippable reports whether a frame of zstd begins that holds no data (RFC 8878 section
// 3.1.2), as pzstd and others write first.
func skippable(head []byte) bool {
	const magic = "\x2a\x4d\x18"
	n := min(len(head)-1, len(magic))
	return head[0]&0xf0 == 0x50 && n > 0 && string(head[1:1+n]) == magic[:n]
}

// bzip2Head reports whether what follows BZh is bzip2's: the size of blocks, and the
// first block or the end.
func bzip2Head(head []byte) bool {
	return len(head) >= maxMagic && '1' <= head[3] && head[3] <= '9' &&
		(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17rE8P\x90")
}

// nextMember finds the next compressed member in text, at the beginning of a line; 0:
// there is none.
func nextMember(text []byte) int {
	next := 0
	for i := range forms {
		f := &forms[i]
		for from := 0; ; {
			at := bytes.Index(text[from:], []byte(f.rare))
			if at < 0 {
				break
			}
			begin := from + at - f.at
			if begin > 0 && text[begin-1] == '\n' && bytes.HasPrefix(text[begin:], []byte(f.magic)) && (next == 0 || begin < next) {
				next = begin
			}
			from += at + 1
		}
	}
	return next
}

// errForeign is the error of a file in a form that is not read.
var errForeign = errors.New("is not read here")

// others are forms that are not read: what they are called, and the program that does.
var others = [...]struct{ magic, what, program string }{
	{"LPKSHHRH", "is a journal of systemd", "journalctl -o short-iso-precise --file"},
	{"\x04\x22\x4d\x18", "is compressed with lz4", "lz4 -dc"},
	{"\x02\x21\x4c\x18", "is compressed with lz4", "lz4 -dc"},
	{"LZIP\x01", "is compressed with lzip", "lzip -dc"},
	{"\x89LZO\x00", "is compressed with lzop", "lzop -dc"},
	{"\x5d\x00\x00", "is compressed with lzma", "xz -dc --format=lzma"},
	{"\x1f\x9d", "is compressed with compress", "gzip -dc"},
	{"\x1f\x1e", "is compressed with pack", "gzip -dc"},
	{"LRZI", "is compressed with lrzip", "lrzip -dqo -"},
	{"\xff\x06\x00\x00sNaPpY", "is compressed with snappy", "snzip -dc"},
	{"PK\x03\x04", "is a zip archive", "unzip -p"},
	{"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", "7z e -so"},
	{"Rar!\x1a\x07", "is a rar archive", "unrar p -inul"},
	{"Salted__", "is encrypted with openssl", ""},
	{"age-encryption.org/", "is encrypted with age", "age -d"},
	{"-----BEGIN AGE ENCRYPTED FILE", "is encrypted with age", "age -d"},
	{"-----BEGIN PGP MESSAGE", "is encrypted with OpenPGP", "gpg -d"},
	{"\x8c\x0d\x04", "is encrypted with OpenPGP", "gpg -d"},
	{"\x84\x5e\x03", "is encrypted with OpenPGP", "gpg -d"},
	{"\x85\x01\x0c\x03", "is encrypted with OpenPGP", "gpg -d"},
	{"\x85\x02\x0c\x03", "is encrypted with OpenPGP", "gpg -d"},
	{"SQLite format 3\x00", "is a database of SQLite", ""},
}

// Compressed reports whether a file with this beginning is no text to which lines are
// added.
func Compressed(head []byte) bool {
	if len(head) == 0 {
		return false
	}
	r := bufio.NewReader(bytes.NewReader(head))
	return compression(r, head) != nil || foreign(head, "") != nil
}

// foreign is the error of a form that is not read, nil for any other beginning.
func foreign(head []byte, name string) error {
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			return foreignError(name, o.what, o.program)
		}
	}
	// POSIX's header of a member (pax, ustar).
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return foreignError(name, "is a tar archive", "tar -xOf")
	}
	if notText(head) {
		return fmt.Errorf("%s is neither text nor compressed in a way that is known: it %w", name, errForeign)
	}
	return nil
}

func foreignError(name, what, program string) error {
	if program == "" {
		return fmt.Errorf("%s %s: it %w", name, what, errForeign)
	}
	return fmt.Errorf("%s %s: it %w; hand it over on standard input: %s %[1]s | policyd-rdns ... -", name, what, errForeign, program)
}

// minSample and maxSample are how much of a file is looked at to tell whether it is
// text, in bytes.
const (
	minSample = 16
	maxSample = 1 << 10
)

// minZeros are so many zeros in a row, in bytes, that they are of a block that was not
// written when the machine went down.
const minZeros = 8

// notText reports whether a beginning is no text: a quarter of it or more is neither
// printable nor UTF-8. Zeros at its very beginning are those of a crash, and so are many
// in a row.
func notText(head []byte) bool {
	if compression(bufio.NewReader(bytes.NewReader(head)), head) != nil || wide(head) {
		return false
	}
	sample := bytes.TrimLeft(head, "\x00")
	sample = sample[:min(len(sample), maxSample)]
	odd := 0
	for i := 0; i < len(sample); {
		if rest := bytes.TrimLeft(sample[i:], "\x00"); len(sample)-i-len(rest) >= minZeros {
			i = len(sample) - len(rest)
			continue
		}
		r, n := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != 0x1b {
			odd++
		}
		i += n
	}
	return len(sample) >= minSample && odd*4 >= len(sample)
}
