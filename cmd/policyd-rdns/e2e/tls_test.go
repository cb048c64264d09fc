package e2e

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestPostfixTLS shows that rules know an encrypted session.
func TestPostfixTLS(t *testing.T) {
	t.Parallel()
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), `
[[exempt]]
name = "own client"
off = true
[[exempt]]
when = { encrypted = true }
[[rule]]
name = "in clear"
when = { encrypted = false }
action = "reject"
text = "not in clear"
`))
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
		"smtpd_tls_security_level = may",
		"smtpd_tls_chain_files = " + writeCertificate(t),
	}})
	c := dialSMTP(t, postfix.addrs["smtp"])
	const recipient = "RCPT TO:<user@example.com>"
	c.must(t, "EHLO mail.example.org")
	c.must(t, "MAIL FROM:<sender@example.net>")
	want := "550 5.7.1 <user@example.com>: Recipient address rejected: not in clear; contact postmaster@example.com"
	if reply := c.say(t, recipient); reply != want {
		t.Errorf("in clear: %s; want %s", reply, want)
	}
	c.must(t, "RSET")
	c.startTLS(t)
	c.must(t, "EHLO mail.example.org")
	c.must(t, "MAIL FROM:<sender@example.net>")
	c.must(t, recipient)
	c.quit(t)
	records := rdns.stopped(t)
	if len(records) != 2 || records[0].Request.Encrypted || !records[1].Request.Encrypted {
		t.Errorf("decisions in the log: %+v; want one in clear and one encrypted", records)
	}
}

// startTLS goes on under TLS, with whomever it is.
func (c *smtpClient) startTLS(t *testing.T) {
	t.Helper()
	c.must(t, "STARTTLS")
	c.conn = tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	c.lines = bufio.NewReader(c.conn)
}

// writeCertificate gives a file with a key and a certificate for nobody.
func writeCertificate(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})...)
	path := filepath.Join(testbed.WorkFolder(t), "chain.pem")
	if err := os.WriteFile(path, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
