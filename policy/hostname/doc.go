// Package hostname knows what a host name looks like, and nothing of the DNS:
// whether a name is well formed, what an SMTP greeting is (name, address
// literal, bare address), which organisation a name belongs to, and whether it
// was chosen by somebody or made from the address by the network's operator.
//
// Every function is pure, takes any bytes, and is bounded by the length of a
// name (253 bytes; longer is not a name).
package hostname
