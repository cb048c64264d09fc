package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

func newClassify() *cobra.Command {
	var score bool
	cmd := &cobra.Command{
		Use:   "classify [FILE]",
		Short: "say of names whether they were made from an address or chosen",
		Long: `classify reads lines of address<TAB>name, or names alone, and writes for each
name<TAB>generic or proper<TAB>strength<TAB>why. With the address it finds the
address in the name; without, only what needs no address.

With --score it reads a labelled table, label<TAB>address<TAB>name<TAB>anything,
the label generic or named, and tells how many of the generic names it finds
(recall), how many of the others it takes for generic (false positives), both by
the kind of evidence, and the names that it gets wrong.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) > 0 {
				path = args[0]
			}
			in, err := logfile.Open(path, cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			if score {
				return scoreNames(in, cmd.OutOrStdout())
			}
			return classifyNames(in, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&score, "score", false, "read a labelled table and tell how well it is classified")
	return cmd
}

// maxNameLine bounds a line of names; one that is longer ends the reading.
const maxNameLine = 64 << 10

func nameLines(in io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxNameLine)
	return lines
}

func classifyNames(in io.Reader, out io.Writer) error {
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
		client, err := clientOf(address)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		name = hostname.Normal(strings.TrimSpace(name))
		v := hostname.Classify(name, client)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", plain.Line(name), genericOrProper(v), v.Strength, v.Evidence())
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

// clientOf reads the address of a table; "" and "-" stand for none.
func clientOf(text string) (netip.Addr, error) {
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
