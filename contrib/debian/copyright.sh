#!/bin/sh
# Prints our licence, and those of all that is linked into the program, which
# want to be told with it. With "debian" the Apache License is not printed: each
# Debian system has it.
set -eu
for=${1:-}

rule() { printf '\n%s\n\n' "------------------------------------------------------------------------------"; }

# without_apache FILE: it may stand between other licences. Behind its terms there is
# an appendix with a notice that ends as below.
without_apache() {
	awk '
		/^ *Apache License$/ { print "Apache License, Version 2.0: see /usr/share/common-licenses/Apache-2.0"; skip = 1 }
		!skip { print }
		skip == 1 && /END OF TERMS AND CONDITIONS/ { skip = 2 }
		skip == 2 && /limitations under the License/ { skip = 0 }
	' "$1"
}

# licence NAME FOLDER
licence() {
	rule
	printf '%s\n\n' "$1"
	texts=$(find "$2" -maxdepth 1 \( -name 'LICENSE*' -o -name 'COPYING*' -o -name 'NOTICE*' \) | LC_ALL=C sort)
	[ -n "$texts" ] || { echo "$1: no licence" >&2 && exit 1; }
	for text in $texts; do
		if [ "$for" = debian ]; then
			without_apache "$text"
		else
			cat "$text"
		fi
	done
}

echo "policyd-rdns"
echo
cat LICENSE
rule
echo "The program holds the standard library of Go and these modules:"
licence "Go, https://go.dev" "$(go env GOROOT)"
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/policyd-rdns | sort -u |
	while read -r path version dir; do
		licence "$path $version" "$dir"
	done
