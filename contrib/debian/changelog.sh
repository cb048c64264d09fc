#!/bin/sh
# changelog.sh VERSION MAINTAINER EPOCH: CHANGELOG.md in the form of
# debian-changelog(5). "Unreleased" is VERSION, of EPOCH; a release is headed
# "## 1.2.3 (2026-12-31)".
set -eu

today=$(LC_ALL=C date -u -R -d "@$3")
awk -v version="$1" -v maintainer="$2" -v today="$today" '
function item() {
	wrap = "fold -s -w 76 | sed \"2,\\$s/^/    /; s/ *\\$//\""
	if (text != "") print "  * " text | wrap
	close(wrap)
	text = ""
}
function entry() {
	item()
	if (date != "") printf "\n -- %s  %s\n\n", maintainer, date
	fflush()
}
/^## / {
	entry()
	date = today
	if ($2 != "Unreleased") {
		version = $2
		gsub(/-/, "~", version) # 1.0.0-rc.1 is before 1.0.0
		command = "LC_ALL=C date -u -R -d " substr($3, 2, 10)
		command | getline date
	}
	printf "policyd-rdns (%s) unstable; urgency=medium\n\n", version
	fflush()
	next
}
date == "" { next }
/^- / { item(); text = substr($0, 3); next }
/^  / { text = text " " substr($0, 3); next }
END { entry() }
' CHANGELOG.md
