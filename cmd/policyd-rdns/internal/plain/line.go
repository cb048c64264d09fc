package plain

// Line is [Text] of at most 255 bytes, as long as the longest name of the DNS.
func Line(s string) string { return Text(s, 255) }

// Cell is [Text] for a column of a table, of at most 60 bytes.
func Cell(s string) string { return Text(s, 60) }
