package load

import (
	"strconv"

	"policyd-rdns/cmd/policybench/internal/crowd"
)

// Source makes requests. It is safe for concurrent use.
type Source interface {
	// Append appends request k, counted from 0, or reports that there is none.
	Append(b []byte, k uint64) (request []byte, ok bool)
}

// Clients asks about a crowd, with all the attributes that Postfix 3.9 sends at
// RCPT.
type Clients struct {
	Crowd  crowd.Crowd
	Family crowd.Family
	Count  uint32 // of the clients, below the family's Size
	// Once asks about each client once, in the order of their numbers from First
	// on; else they are picked by chance.
	Once  bool
	First uint32
}

// Append implements Source. There is an end only to Once.
func (c *Clients) Append(b []byte, k uint64) (request []byte, ok bool) {
	n := c.First + uint32(k)
	switch {
	case !c.Once:
		n = uint32(crowd.Scatter(k^c.Crowd.Seed<<32) % uint64(c.Count))
	case k >= uint64(c.Count-c.First):
		return b, false
	}
	b = append(b, "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name="...)
	b = c.Crowd.AppendHELO(b, n, c.Family)
	b = append(b, "\nqueue_id=\nsender=sender@example.org\nrecipient=user@example.com\nrecipient_count=0\nclient_address="...)
	b = crowd.Address(n, c.Family).AppendTo(b)
	b = c.appendName(append(b, "\nclient_name="...), n)
	b = c.appendName(append(b, "\nreverse_client_name="...), n)
	// Of each message: process, time in hexadecimal, count.
	b = strconv.AppendUint(append(b, "\ninstance=7d2."...), 0x65f0_0000_0000+k, 16)
	return append(b, ".0\nsasl_method=\nsasl_username=\nsasl_sender=\nsize=24613\n"+
		"ccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"+
		"encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\nencryption_keysize=256\n"+
		"etrn_domain=\nstress=\nclient_port=40722\npolicy_context=\nserver_address=203.0.113.25\nserver_port=25\n"+
		"compatibility_level=3.9\nmail_version=3.9.1\n\n"...), true
}

func (c *Clients) appendName(b []byte, n uint32) []byte {
	before := len(b)
	if b = c.Crowd.AppendName(b, n, c.Family); len(b) == before {
		b = append(b, "unknown"...)
	}
	return b
}

// Recorded asks the same requests over and over.
type Recorded [][]byte

// Append implements Source. There is no end.
func (r Recorded) Append(b []byte, k uint64) (request []byte, ok bool) {
	return append(b, r[k%uint64(len(r))]...), true
}
