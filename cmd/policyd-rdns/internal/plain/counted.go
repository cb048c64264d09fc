package plain

// Counted is a number with words in the form for one or for many: "1 decision was",
// "2 decisions were".
func Counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}
