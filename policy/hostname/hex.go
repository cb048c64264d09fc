package hostname

// decodeHex is which sets of two or more octets of a the end of a run of letters
// and digits is in hexadecimal, two digits each, in either direction, and
// how many bytes it takes.
func decodeHex(run []byte, a *[4]byte) (sets, int) {
	for n := min(4, len(run)/2); n > 1; n-- {
		tail := run[len(run)-2*n:]
		for first := range a {
			for _, step := range [...]int{1, -1} {
				if set := hexFrom(tail, a, first, step); set != 0 {
					return 1 << set, 2 * n
				}
			}
		}
	}
	return 0, 0
}

// hexFrom is the octets of a that the hexadecimal digits are, from the octet
// first on in steps of 1 or -1; 0 if they are not.
func hexFrom(digits []byte, a *[4]byte, first, step int) octets {
	set := octets(0)
	for i := first; len(digits) > 0; i += step {
		if i < 0 || i >= len(a) || !isHexOctet(digits, a[i]) {
			return 0
		}
		set |= 1 << i
		digits = digits[2:]
	}
	return set
}

// isHexOctet reports whether s starts with v in two hexadecimal digits.
func isHexOctet(s []byte, v byte) bool {
	return s[0] == hexDigit(v>>4) && s[1] == hexDigit(v&15)
}

func hexDigit(v byte) byte { return "0123456789abcdef"[v] }

// hexValue is the value of a hexadecimal digit in lower case, 16 of any other
// byte.
func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}
