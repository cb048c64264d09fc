package doctor

import (
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
)

// checkLog looks at the decision log's file and its rotation.
func checkLog(x *examination) []Finding {
	file, l := x.v.LogFile, &x.m.Log
	switch {
	case file == "":
		return nil // the journal looks after itself
	case l.Unread != "":
		return []Finding{{ID: "log.read", Level: Info, Title: "The decision log could not be looked at: " + brief(l.Unread)}}
	case !l.Exists:
		return []Finding{{
			"log.missing", Warning, "There is no decision log " + brief(file),
			"The daemon makes it when it starts or is sent a SIGHUP. It does not run with this configuration, or was not told of it, or the file was moved away.",
			[]string{"systemctl reload policyd-rdns"},
		}}
	}
	var all []Finding
	if l.File.Mode.Perm()&0o004 != 0 {
		all = append(all, Finding{
			"log.public", Info, "Everybody on this host may read the decision log " + brief(file),
			"It holds who writes to whom.",
			[]string{"chmod o-r " + quoteShell(file)},
		})
	}
	return append(all, x.checkRotation()...)
}

func (x *examination) checkRotation() []Finding {
	file, l := x.v.LogFile, &x.m.Log
	if len(l.Rotations) == 0 {
		return []Finding{{
			"log.rotation", Warning, "Nothing rotates the decision log " + brief(file),
			"It grows until the disk is full: some 700 bytes for each recipient.",
			[]string{
				"# as /etc/logrotate.d/policyd-rdns:",
				file + " {", "    weekly", "    rotate 8", "    compress", "    delaycompress", "    missingok", "    postrotate",
				"        systemctl reload policyd-rdns", "    endscript", "}",
			},
		}}
	}
	i := slices.IndexFunc(l.Rotations, func(r machine.Rotation) bool { return !r.Reopens })
	if i < 0 {
		return []Finding{{ID: "log.rotation", Level: OK, Title: "The decision log " + brief(file) + " is rotated by " + brief(l.Rotations[0].File)}}
	}
	return []Finding{{
		"log.reopen", Error, "The decision log is rotated by " + brief(l.Rotations[i].File) + ", and the daemon not told",
		"It goes on writing into the renamed file, and once that is compressed or removed, into nothing.",
		[]string{"# in the paragraph of " + brief(file) + ":", "    postrotate", "        systemctl reload policyd-rdns", "    endscript"},
	}}
}
