package main

import (
	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/classify"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
)

func newClassify() *cobra.Command {
	var score, asJSON bool
	cmd := &cobra.Command{
		Use:   "classify [FILE]",
		Short: "say of names whether they were made from an address or chosen",
		Long: `classify reads lines of address<TAB>name, or names alone, and writes for each
name<TAB>generic or proper<TAB>strength<TAB>kind<TAB>why, or with --json an
object a line. With the address it finds the address in the name; without, only
what needs no address. The kind of a generic name is dynamic (a consumer's line,
or an address that changes hands), static (a fixed line, or a business'), server
(a rented machine) or unknown.

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
				return classify.Score(in, cmd.OutOrStdout())
			}
			return classify.Names(in, cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON, an object a line")
	cmd.Flags().BoolVar(&score, "score", false, "read a labelled table and tell how well it is classified")
	cmd.MarkFlagsMutuallyExclusive("json", "score")
	return cmd
}
