package plain

import "strconv"

// Number is a count with its digits in groups of three: "1,234,567".
func Number(n int) string { return Grouped(strconv.Itoa(n), ",") }

// Grouped is a number's digits in groups of three, with a text between them.
func Grouped(digits, between string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + between + digits[i:]
	}
	return digits
}
