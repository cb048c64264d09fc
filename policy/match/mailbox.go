package match

import "strings"

// SplitMailbox splits a mail address, as it stood between the angle brackets of
// the SMTP command, at the @ before its domain: the last one, for a quoted local
// part may hold others (RFC 5321 section 4.1.2). Without a domain all is local, as
// in "a@b" with the quotes.
func SplitMailbox(address string) (local, domain string, at bool) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 || strings.IndexByte(address[i:], '"') >= 0 { // no domain has a quote
		return address, "", false
	}
	return address[:i], address[i+1:], true
}

// MailDomain is the domain of a mail address in lower case and without a final
// dot; empty if it has none.
func MailDomain(address string) string {
	_, domain, _ := SplitMailbox(address)
	return strings.TrimSuffix(strings.ToLower(domain), ".")
}
