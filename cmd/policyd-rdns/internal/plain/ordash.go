package plain

// OrDash is s, or "-" for what is empty.
func OrDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
