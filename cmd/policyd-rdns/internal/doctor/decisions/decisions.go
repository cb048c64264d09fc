// Package decisions looks at the file of the decision log, and at what rotates it.
package decisions

import (
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// Check looks at the file of a configuration's decision log; empty: it has none, and the
// journal looks after itself.
func Check(file string, l *machine.LogFile) []finding.Finding {
	switch {
	case file == "":
		return nil
	case l.Unread != "":
		return []finding.Finding{{ID: "log.read", Level: finding.Info, Title: "The decision log could not be looked at: " + plain.Brief(l.Unread)}}
	case !l.Exists:
		return []finding.Finding{{
			ID: "log.missing", Level: finding.Warning, Title: "There is no decision log " + plain.Brief(file),
			Why: "The daemon makes it when it starts or is sent a SIGHUP. It does not run with this configuration, or was not told of it, or the file was moved away.",
			Do:  []string{"systemctl reload policyd-rdns"},
		}}
	}
	var all []finding.Finding
	if l.File.Mode.Perm()&0o004 != 0 {
		all = append(all, finding.Finding{
			ID: "log.public", Level: finding.Info, Title: "Everybody on this host may read the decision log " + plain.Brief(file),
			Why: "It holds who writes to whom.",
			Do:  []string{"chmod o-r " + finding.QuoteShell(file)},
		})
	}
	return append(all, checkRotation(file, l)...)
}

func checkRotation(file string, l *machine.LogFile) []finding.Finding {
	if len(l.Rotations) == 0 {
		return []finding.Finding{{
			ID: "log.rotation", Level: finding.Warning, Title: "Nothing rotates the decision log " + plain.Brief(file),
			Why: "It grows until the disk is full: some 700 bytes for each recipient.",
			Do: []string{
				"# as /etc/logrotate.d/policyd-rdns:",
				file + " {", "    weekly", "    rotate 8", "    compress", "    delaycompress", "    missingok", "    postrotate",
				"        systemctl reload policyd-rdns", "    endscript", "}",
			},
		}}
	}
	i := slices.IndexFunc(l.Rotations, func(r machine.Rotation) bool { return !r.Reopens })
	if i < 0 {
		return []finding.Finding{{ID: "log.rotation", Level: finding.OK, Title: "The decision log " + plain.Brief(file) + " is rotated by " + plain.Brief(l.Rotations[0].File)}}
	}
	return []finding.Finding{{
		ID: "log.reopen", Level: finding.Error, Title: "The decision log is rotated by " + plain.Brief(l.Rotations[i].File) + ", and the daemon not told",
		Why: "It goes on writing into the renamed file, and once that is compressed or removed, into nothing.",
		Do:  []string{"# in the paragraph of " + plain.Brief(file) + ":", "    postrotate", "        systemctl reload policyd-rdns", "    endscript"},
	}}
}
