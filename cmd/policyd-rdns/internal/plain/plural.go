package plain

// Plural is a number with its noun, which takes an s unless it is one: "2 mails".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}
