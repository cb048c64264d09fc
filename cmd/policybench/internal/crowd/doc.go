// Package crowd is the clients of a benchmark: millions of them, none of which is
// kept. All that is to be known of one follows from its number and a seed: its
// address, how it stands in the DNS, its name and its HELO. So the program
// that asks about clients and the DNS that knows them agree without a word.
//
// # Addresses
//
// IPv4 clients are in 240.18.0.0/15, which nobody has (RFC 1112 section 4) and
// is not private: there are 131,072. IPv6 clients are in 2001:db8::/32 (RFC 3849), 2^32 of them.
// Clients that follow each other are in different networks (/24, /48).
//
// # Kinds
//
//	named     has a name that resolves back, and says HELO it
//	other     the same, but says HELO another name, which resolves back too
//	literal   the same, but says HELO its address: [240.18.0.1]
//	generic   its name was made from its address; the HELO does not resolve
//	nameless  has no name; the HELO resolves back
//	mismatch  has a name, and says HELO it, that resolves to another address
//
// Which one a client is depends on the shares of a [Mix].
package crowd
