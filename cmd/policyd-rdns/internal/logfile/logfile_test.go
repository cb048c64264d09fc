package logfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// file is a file of testdata.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// packed are the compressions in testdata of log.txt.
var packed = []string{"gz", "bz2", "xz", "zst"}

// readLines reads all of a log; the error is that of NewLines or of reading.
func readLines(data io.Reader) (string, error) {
	r, err := NewLines(data, "log")
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// TestForms: text and members of every compression, one behind the other, are read.
func TestForms(t *testing.T) {
	log := file(t, "log.txt")
	for _, a := range packed {
		one := file(t, "log.txt."+a)
		tests := []struct {
			about string
			data  []byte
			want  string
		}{
			{"one", one, string(log)},
			{"two", append(bytes.Clone(one), one...), string(log) + string(log)},
			{"text, then it", append(bytes.Clone(log), one...), string(log) + string(log)},
			{"text of many buffers, then it", append(bytes.Repeat(log, 500), one...), strings.Repeat(string(log), 501)},
			{"text without a newline, then what is none of it", append([]byte("x"), one[:3]...), "x" + string(one[:3])},
		}
		if a == "gz" {
			tests = append(tests, []struct {
				about string
				data  []byte
				want  string
			}{
				{"it, then text", append(bytes.Clone(one), log...), string(log) + string(log)},
				{"it, then zeros", append(bytes.Clone(one), 0, 0, 0), string(log)},
				{"it, then another", append(bytes.Clone(one), file(t, "log.txt.xz")...), string(log) + string(log)},
			}...)
		}
		for _, test := range tests {
			for name, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "eof": iotest.DataErrReader,
			} {
				if name == "bytes" && len(test.data) > 10_000 {
					continue
				}
				if got, err := readLines(wrap(bytes.NewReader(test.data))); err != nil || got != test.want {
					t.Errorf("%s: %s, %s: read %d bytes, %v; want %d", a, test.about, name, len(got), err, len(test.want))
				}
			}
		}
		if !Compressed(one) || Compressed(log) || Compressed(nil) {
			t.Errorf("%s: Compressed is not true of it alone", a)
		}
	}
}

// zeros are a block of a file that was not written when the machine went down.
var zeros = strings.Repeat("\x00", 512)

// TestText: text is what it is, in UTF-8.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"a\r\nb":                          "a\r\nb",
		"\xef\xbb\xbfa\n":                 "a\n",
		"\xff\xfea\x00\n\x00\xe9\x00":     "a\n\u00e9",
		"\xfe\xff\x00a\x00\n\x00b":        "a\nb",
		"BZh not bzip2\n":                 "BZh not bzip2\n",
		"BZh91":                           "BZh91",
		"(\nx":                            "(\nx",
		"\x1f":                            "\x1f",
		"\x00\x00\x00\x00a log\n":         "\x00\x00\x00\x00a log\n", // after a crash
		"a log\n" + zeros + "a log\n":     "a log\n" + zeros + "a log\n",
		"M\xe4r 23 09:00:00 mx x: y\n":    "M\xe4r 23 09:00:00 mx x: y\n",
		"{\"a\":1}\n{\"b\":2}\n":          "{\"a\":1}\n{\"b\":2}\n",
		"[pod/x] a\n":                     "[pod/x] a\n",
		"-----BEGIN CERTIFICATE-----\n":   "-----BEGIN CERTIFICATE-----\n",
		"\x1b[32mNov 23\x1b[0m 09:00:00 ": "\x1b[32mNov 23\x1b[0m 09:00:00 ",
	} {
		if got, err := readLines(strings.NewReader(in)); err != nil || got != want {
			t.Errorf("NewLines(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// TestForeign: what is not read is said with its name and what to run.
func TestForeign(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar, "mail.log")
	copy(tar[257:], "ustar")
	noise := make([]byte, 300)
	for i := range noise {
		noise[i] = byte(i*i*7 + i)
	}
	for in, want := range map[string]string{
		"LPKSHHRH\x00\x00":                  "journalctl -o short-iso-precise --file log |",
		"\x04\x22\x4d\x18\x64\x40\xa7":      "log is compressed with lz4: it is not read here; hand it over on standard input: lz4 -dc log | policyd-rdns ... -",
		"LZIP\x01\x0c":                      "lzip -dc log",
		"\x5d\x00\x00\x80\x00\xff\xff":      "xz -dc --format=lzma log",
		"\x1f\x9d\x90":                      "gzip -dc log",
		"PK\x03\x04":                        "unzip -p log",
		"7z\xbc\xaf\x27\x1c":                "7z e -so log",
		"Salted__12345678":                  "log is encrypted with openssl: it is not read here",
		"age-encryption.org/v1\n":           "age -d log",
		"-----BEGIN PGP MESSAGE-----\n\nhQ": "gpg -d log",
		string(tar):                         "tar -xOf log",
		string(noise):                       "log is neither text nor compressed in a way that is known: it is not read here",
	} {
		_, err := readLines(strings.NewReader(in))
		if !errors.Is(err, errForeign) || !strings.Contains(err.Error(), want) {
			t.Errorf("NewLines(%.20q) = %v; want %q", in, err, want)
		}
	}
	failing := errors.New("no such device")
	if _, err := readLines(iotest.ErrReader(failing)); !errors.Is(err, failing) {
		t.Errorf("NewLines of what cannot be read = %v; want %v", err, failing)
	}
}

// TestBroken: of a file that was cut or changed, what can be read is read, and why that
// is not all is said.
func TestBroken(t *testing.T) {
	log := string(file(t, "log.txt"))
	for _, a := range packed {
		data := file(t, "log.txt."+a)
		for n := maxMagic; n < len(data); n++ {
			got, err := readLines(bytes.NewReader(data[:n]))
			var broken *Broken
			if !strings.HasPrefix(log, got) || !errors.As(err, &broken) {
				t.Errorf("%s cut to %d bytes: %d bytes, %v; want what was before, and Broken", a, n, len(got), err)
			}
		}
		for i := maxMagic; i < len(data); i++ {
			changed := bytes.Clone(data)
			changed[i] ^= 0x55
			got, err := readLines(bytes.NewReader(changed))
			if err == nil && got != log {
				t.Errorf("%s with byte %d changed: %d other bytes and no error", a, i, len(got))
			}
		}
	}
	after := append(file(t, "log.txt.xz"), "Nov 23 09:00:00 mx\n"...)
	if got, err := readLines(bytes.NewReader(after)); got != log || err == nil || !strings.Contains(err.Error(), "something else follows its xz data") {
		t.Errorf("text behind xz: %d bytes, %v; want the log and that something follows", len(got), err)
	}
	failing := errors.New("no such device")
	var broken *Broken
	if got, err := readLines(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(failing))); got != "a\n" || !errors.As(err, &broken) || !errors.Is(err, failing) {
		t.Errorf("a disk that fails: %q, %v; want a, and %v", got, err, failing)
	}
}

// hugeXZ is a file of xz whose block wants a dictionary of 4 GiB.
func hugeXZ(t *testing.T) []byte {
	data := file(t, "log.txt.xz")
	const begin = 12 // behind the stream's header
	size := int(data[begin]+1) * 4
	header := data[begin : begin+size]
	i := bytes.Index(header, []byte{0x21, 1}) // LZMA2, with one byte
	if i < 0 {
		t.Fatal("no LZMA2 in the sample")
	}
	header[i+2] = 40
	binary.LittleEndian.PutUint32(header[size-4:], crc32.ChecksumIEEE(header[:size-4]))
	return data
}

// TestBounded: what a file says of itself makes nobody take the memory.
func TestBounded(t *testing.T) {
	for about, data := range map[string][]byte{
		"xz":   hugeXZ(t),
		"zstd": []byte("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00"), // a window of 1 GiB
	} {
		_, err := readLines(bytes.NewReader(data))
		if err == nil || !strings.Contains(err.Error(), "more than 128 MiB of memory") {
			t.Errorf("%s that wants too much: %v; want that it is told", about, err)
		}
	}
	long := append(bytes.Repeat([]byte("{\n"), maxEntry), '}')
	if got, err := readLines(bytes.NewReader(long)); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") || got != "" {
		t.Errorf("an endless object: %d bytes, %v; want that it is told", len(got), err)
	}
	field := "__CURSOR=s=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\x7fx"
	if _, err := readLines(strings.NewReader(field)); err == nil || !strings.Contains(err.Error(), `field "MESSAGE"`) {
		t.Errorf("an endless field: %v; want that it is told", err)
	}
}

// TestEntries: entries over several lines are lines of JSON.
func TestEntries(t *testing.T) {
	size := func(s string) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(len(s)))) + s }
	tests := []struct{ about, in, want string }{
		{
			"export",
			"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795420800000000\nSYSLOG_IDENTIFIER=postfix/smtpd\nMESSAGE=a=b\n_UID=0\n\n__CURSOR=s=2\nMESSAGE\n" + size("c\nd") + "\nOTHER\n" + size("x\n\n") + "\n\n\n__CURSOR=s=3\nMESSAGE=e",
			`{"MESSAGE":"a=b","SYSLOG_IDENTIFIER":"postfix/smtpd","__REALTIME_TIMESTAMP":"1795420800000000"}` + "\n" + `{"MESSAGE":"c\nd"}` + "\n" + `{"MESSAGE":"e"}` + "\n",
		},
		{"json-pretty", "{\n\t\"a\" : \"}\\\"\",\n\t\"b\" : [1, {}]\n}\n{\n}\n", "{ \t\"a\" : \"}\\\"\", \t\"b\" : [1, {}] }\n{ }\n"},
		{"a list", "[\n {\"a\": 1},\n {\"b\": 2}\n]\n", "{\"a\": 1}\n{\"b\": 2}\n"},
		{"a list on one line", `[{"a":1},{"b":2}]`, "{\"a\":1}\n{\"b\":2}\n"},
		{"lines between", "{\n}\n-- Boot --\n{\n}\n", "{ }\n-- Boot --\n{ }\n"},
	}
	for _, test := range tests {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader} {
			if name == "bytes" && strings.HasPrefix(test.about, "a list on") {
				continue // of one byte nobody can tell
			}
			if got, err := readLines(wrap(strings.NewReader(test.in))); err != nil || got != test.want {
				t.Errorf("%s, %s: read\n%s%v; want\n%s", test.about, name, got, err, test.want)
			}
		}
	}
	for _, in := range []string{"{\n\"a\":", "__CURSOR=s=1\nMESSAGE\n\x05\x00\x00"} {
		var broken *Broken
		if got, err := readLines(strings.NewReader(in)); !errors.As(err, &broken) {
			t.Errorf("NewLines(%q) = %q, %v; want Broken", in, got, err)
		}
	}
}

// TestLive: a line of a stream is there before the next one.
func TestLive(t *testing.T) {
	from, to := io.Pipe()
	defer from.Close()
	lines := make(chan string)
	go func() {
		defer close(lines)
		r, err := NewLines(from, "-")
		if err != nil {
			return
		}
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for i := range 3 {
		if _, err := fmt.Fprintf(to, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
		if got, want := <-lines, fmt.Sprintf("line %d", i); got != want {
			t.Errorf("the stream brings %q; want %q", got, want)
		}
	}
	_ = to.Close()
	for line := range lines {
		t.Errorf("then %q; want the end", line)
	}
}

// FuzzNewLines: whatever a file holds, reading it does not panic, ends, and what is text
// comes out as it is.
func FuzzNewLines(f *testing.F) {
	for _, a := range packed {
		data := file(f, "log.txt."+a)
		f.Add(data)
		f.Add(append([]byte("a line\n"), data...))
	}
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("__CURSOR=s=1\nMESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00a\n\n"))
	f.Add([]byte("[\n{\"a\": [\"}\"]},\n]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewLines(bytes.NewReader(data), "log")
		if err != nil {
			return
		}
		got, err := io.ReadAll(io.LimitReader(r, 16<<20))
		text := bytes.HasPrefix(data, []byte("Nov"))
		if text && err == nil && !bytes.Contains(data, []byte("\x1f\x8b")) && nextMember(data) == 0 && !bytes.Equal(got, data) {
			t.Errorf("read %q of %q", got, data)
		}
	})
}
