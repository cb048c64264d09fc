package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/manual"
)

// newMan writes the manual pages. It is for those who build packages.
func newMan() *cobra.Command {
	var folder string
	var epoch int64
	cmd := &cobra.Command{
		Use:   "man [PAGE]",
		Short: "write manual pages, in roff",
		Long: `man writes a manual page: ` + strings.Join(manual.Pages(), ", ") + `.
Without a name it is the first of them; with --folder all of them are written there.`,
		Hidden:    true,
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: manual.Pages(),
		RunE: func(cmd *cobra.Command, args []string) error {
			head := manual.Head{Version: versionText(), Date: time.Unix(epoch, 0)}
			if folder != "" {
				return writePages(folder, cmd.Root(), head)
			}
			page := manual.Pages()[0]
			if len(args) > 0 {
				page = args[0]
			}
			return manual.Write(cmd.OutOrStdout(), page, cmd.Root(), head)
		},
	}
	cmd.Flags().StringVar(&folder, "folder", "", "write all pages into this `folder`, which is there")
	cmd.Flags().Int64Var(&epoch, "epoch", 0, "date of the page, in `seconds` since 1970 (SOURCE_DATE_EPOCH)")
	_ = cmd.MarkFlagDirname("folder")
	return cmd
}

func writePages(folder string, root *cobra.Command, head manual.Head) error {
	for _, name := range manual.Pages() {
		var page bytes.Buffer
		if err := manual.Write(&page, name, root, head); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), page.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
