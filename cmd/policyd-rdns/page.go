package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/helppage"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/policy/builtin"
)

// newPage writes the page for the refused as files.
func newPage() *cobra.Command {
	var path, folder string
	cmd := &cobra.Command{
		Use:   "page --static DIR",
		Short: "write the page for those who were refused, as files",
		Long: `page writes the page that the URL in a refusal names, for a web server that
serves files: in the folder a folder for each cause, with index.html in it, and
index.html that lists them, each in all languages. Such a page says what the
cause means, what to set, who can, and whom to ask ([reply] contact); it cannot
look anything up. The URL has the cause at its end, and no case number, where
[reply] help is set and listen and key_file are not.

The daemon serves a page that looks the address up, and says whether a mended
record would do: [reply] listen.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if folder == "" {
				return exit.Usage(errors.New("--static: want the folder to write to"))
			}
			conf, err := inforce.Load(cmd.Context(), path, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			written, err := helppage.WriteStatic(folder, helppage.Settings{Contact: conf.Reply.Contact, Open: builtin.TakesContact(conf.Rules.List, conf.Reply.Contact)})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d pages written, the list of them is %s\n", len(written), written[len(written)-1])
			return nil
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&folder, "static", "", "write a page for each cause into this `folder`")
	_ = cmd.MarkFlagDirname("static")
	return cmd
}
