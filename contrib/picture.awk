# The table of `policyd-rdns demo` as a picture (SVG), light and dark: `make picture`.
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function cell(x, class, s) { if (s != "") body = body sprintf("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, escaped(s)) }
function column(from, to,   s) { s = to ? substr($0, from, to - from) : substr($0, from); sub(/ +$/, "", s); return s }
NR == 1 {
	y = 28
	cell(16, "m", "$ policyd-rdns demo")
	helo = index($0, "SAYS HELO"); ptr = index($0, "PTR "); action = index($0, "ACTION"); rule = index($0, "RULE"); address = index($0, "ADDRESS")
}
/^$/ { exit }
{
	y += 21
	kind = NR == 1 ? "m" : column(action, rule)
	cell(16, NR == 1 ? "m" : "f", column(1, address))
	cell(348, NR == 1 ? "m" : "f", column(helo, ptr))
	said = kind; if (said == "dunno") said = "passes"
	cell(618, kind, NR == 1 ? "ACTION" : said)
	cell(690, "m", column(rule))
}
END {
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1010 " y + 18 "\" role=\"img\" aria-label=\"policyd-rdns demo: what becomes of a dozen kinds of clients\">"
	print "<style>"
	print "svg{--b:#fff;--f:#1f2328;--m:#59636e;--r:#b3261e;--d:#8a5a00;--l:#d1d9e0}"
	print "@media(prefers-color-scheme:dark){svg{--b:#0d1117;--f:#e6edf3;--m:#9198a1;--r:#ff8a80;--d:#e3b341;--l:#3d444d}}"
	print "text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:var(--f);white-space:pre}"
	print ".m{fill:var(--m)}.reject{fill:var(--r);font-weight:bold}.defer{fill:var(--d);font-weight:bold}.dunno{fill:var(--m)}"
	print "</style>"
	print "<rect width=\"1008\" height=\"" y + 16 "\" x=\"1\" y=\"1\" rx=\"8\" fill=\"var(--b)\" stroke=\"var(--l)\"/>"
	printf "%s</svg>\n", body
}
