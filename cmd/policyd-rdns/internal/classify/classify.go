// Package classify says of tables of names whether each was made from an address or
// chosen, and how well that is told.
package classify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// maxLine bounds a line of names; one that is longer ends the reading.
const maxLine = 64 << 10

func nameLines(in io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	return lines
}

// Names reads lines of address<TAB>name, or names alone, and writes for each
// name<TAB>generic or proper<TAB>strength<TAB>kind<TAB>why, or a JSON object.
func Names(in io.Reader, out io.Writer, asJSON bool) error {
	lines := nameLines(in)
	w := bufio.NewWriter(out)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		address, name, both := strings.Cut(line, "\t")
		if !both {
			address, name = "", line
		}
		client, err := Client(address)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		name = hostname.Normal(strings.TrimSpace(name))
		v := hostname.Classify(name, client)
		if asJSON {
			err = write(w, name, v)
		} else {
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", plain.Line(name), genericOrProper(v), v.Strength, v.Kind, v.Evidence())
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

// classified is the JSON object of a name.
type classified struct {
	Name     string `json:"name"`
	Verdict  string `json:"verdict"`
	Strength string `json:"strength,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Basis    string `json:"basis,omitempty"`
	Piece    string `json:"piece,omitempty"`
	Why      string `json:"why,omitempty"`
}

func write(w io.Writer, name string, v hostname.Verdict) error {
	line, err := json.Marshal(classified{name, genericOrProper(v), v.Strength.String(), v.Kind.String(), v.Basis.String(), v.Piece, v.Why})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Client reads the address of a table; "" and "-" stand for none.
func Client(text string) (netip.Addr, error) {
	if text = strings.TrimSpace(text); text == "" || text == "-" {
		return netip.Addr{}, nil
	}
	client, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%.60q: want address<TAB>name, or a name alone", text)
	}
	return address.Plain(client), nil
}

func genericOrProper(v hostname.Verdict) string {
	if v.Generic {
		return "generic"
	}
	return "proper"
}
