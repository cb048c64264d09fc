// Package hostname knows what a host name looks like, and nothing of the DNS:
// whether a name is well formed ([Valid]), what an SMTP HELO is
// ([ParseHELO]), which organisation a name belongs to ([Organisation]), and
// whether somebody chose it or the operator of a network made it ([Classify]).
//
// Every function is pure, takes any bytes, and does work that is bounded by the
// length of a name (253 bytes; longer is not a name).
//
// # Generic or proper
//
// A name is generic if it was made from the address (in any base, order and
// padding) or from the number of a line, a customer or a machine, or if it is
// one word for everybody. It is proper if somebody chose it. The numbered pools
// of mail services are proper, even where the number is the address.
//
// Letters and digits are taken apart, and a word counts if all of it is in a
// list: there is no "dyn" in hyperdyne. A few that are joined to others freely
// (dsl, dhcp, mail, smtp) count at either end of a word or inside. Words and numbers
// count left of the registered domain only. The address is always the client's own,
// so that accidents are rare. The first line that holds decides:
//
//	   evidence                                           strength  basis
//	 1 the client's whole IPv4 address, its IPv6 address  full      address, packed,
//	   or the last 64 bits, its hardware address, in any            hex, ipv6
//	   base and order
//	 2 a serial of five digits after a word that is for   full      serial
//	   rented machines alone: vm125127, vps-189280
//	 3 three octets; 32 bits of an IPv6 address           half      part, ipv6
//	 4 the last two octets, beside a word for lines or    half      part
//	   machines or, as said below, without
//	 5 an address, but not the client's                   half      foreign
//	 6 a doubtful serial: vps123, srv189280, h2123456,    word      serial
//	   five digits at the start, eight that stand apart,
//	   eight or twelve hexadecimal digits, a long code of
//	   letters and digits in turn
//	 7 unassigned, no-rdns, hosted-by; the leftmost       word      phrase
//	   label is static, dynamic, clients or the like
//	 8 ports as the equipment counts them: pm0-3,         word      line
//	   h55n2fls31o1033, p432.as1.town1
//	 9 a word for lines beside a number that counts:      word      line
//	   ppp60, p7.dsl.example.net, but not dsl1 or vpn2
//	10 the last octet after a word for machines: vps-12;  word      line, part
//	   after a letter: u164; or at the end of a label
//	   without letters
//	11 none of these                                      proper
//
// So full is what contains the address, or a form that many hosters share; a number
// without the address, or one word, is word at most.
//
// A name that is generic by 1 to 10 is proper all the same if
//
//   - it has a mail word (mail, smtp, mx, relay, news, correo, poczta, ...),
//     unless it has 1 or 3 and a word for a kind of line: both
//     mx-203-0-113-10.dynamic.example.net and mail.203-0-113-10.dsl.example.net
//     are generic;
//   - its registered domain is a mail service's by its own name (sendgrid,
//     mailgun), unless it has a word for lines or for subscribers, or the whole
//     address as four labels.
//
// Without a word, two octets count if the name starts with them, if there are
// more labels, or if they are the two numbers of the one label and end it. They
// do not after one letter of those that mail services count under: m15-37,
// a24-22, r3-11; nor does the last octet there.
//
// A mail word is never evidence for generic. The letters of the registered
// domain are none either, but for the rule on mail services; its digits count
// if they bring the client's address to three octets or four.
package hostname
