// Package hostname knows what a host name looks like, and nothing of the DNS:
// whether a name is well formed ([Valid]), what an SMTP greeting is
// ([ParseHELO]), which organisation a name belongs to ([Organisation]), and
// whether somebody chose it or the operator of a network made it ([Classify]).
//
// Every function is pure, takes any bytes, and does work that is bounded by the
// length of a name (253 bytes; longer is not a name).
//
// # Generic or proper
//
// A name is generic if it was made from the address (in any base, order and
// padding), from a number of a line, customer or machine, or is one word for
// everybody. It is proper if somebody chose it. The numbered pools of mail
// services are proper, even where the number is the address.
//
// Only the labels left of the registered domain are looked at; letters and
// digits are taken apart, and a word counts if all of it is in the list:
// neither dynamics.example.com nor host.dsl-example.net has an access word. The
// address is always the client's own, so that accidents are rare. The first
// line of this table that holds decides:
//
//	   evidence                                             strength  kind
//	 1 the client's whole IPv4 address, or 64 bits of       full      address, packed,
//	   its IPv6 address or its hardware address                       hex, ipv6
//	 2 three octets; 32 bits of an IPv6 address             half      part, ipv6
//	 3 the last two octets, beside a word for lines or      half      part
//	   machines, or (see below) with nothing else
//	 4 an address that is not the client's                  half      foreign
//	 5 a serial: five digits after a word for rented        full      serial
//	   machines (vm125127, srv-18928)
//	 6 a doubtful serial: vps123, five digits at the        half      serial
//	   start or after host-like words, a hardware address
//	 7 unassigned, no-rdns, hosted-by; static, dynamic,     word      phrase
//	   customer and the like as the whole leftmost label
//	 8 a word for lines beside a number that counts         word      line
//	   (ppp60.isp.example, p7.dsl.example.net)
//	 9 a word for machines and the last octet (vps-112)     word      line
//	10 none of these                                        proper
//
// A name that 1 to 9 would call generic is proper all the same if
//
//   - it has a mail word (mail, smtp, mx, relay, news, correo, poczta, ...)
//     left of the registered domain; but a kind of line or "dynamic" beside what
//     lines 1 and 2 hold outweighs that: mx-198-51-100-7.dynamic.example.net;
//   - the registered domain is that of a mail service (sendgrid, mailgun) and no
//     word for lines or subscribers is in the name.
//
// The last two octets count with nothing else if the name starts with them, or
// if they end a label after a word or after a letter that lines are counted
// under; m15-37 and a24-22 are of mail services.
//
// A mail word is never evidence for generic, and the letters of the registered
// domain are none but for the rule on mail services. Digits of it count where
// they give the client's address a third or fourth octet (ns1.ip-192-0-2.example).
package hostname
