package floor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// lookupTime is how long one lookup may take.
const lookupTime = 10 * time.Second

// ServeLookups is [Serve] with the two lookups that FCrDNS takes, one after the other: the
// names of the client's address, and what the first of them resolves to. It asks the DNS
// server at that address over UDP, once each, keeps nothing, and answers DUNNO, whatever
// comes of it. Each connection has a socket of its own.
func ServeLookups(ctx context.Context, l net.Listener, server string) error {
	return serve(ctx, l, func(conn net.Conn) {
		to, err := net.Dial("udp", server)
		if err != nil {
			return
		}
		defer to.Close()
		converseWith(conn, &asker{conn: to})
	})
}

// converseWith is converse for who looks up who asks.
func converseWith(conn net.Conn, a *asker) {
	r := bufio.NewReader(conn)
	var client netip.Addr
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if value, ok := bytes.CutPrefix(line, []byte("client_address=")); ok {
			client, _ = netip.ParseAddr(string(bytes.TrimSpace(value)))
		}
		if len(line) > 1 {
			continue
		}
		if err := a.confirm(client); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

var errOther = errors.New("a reply to another query")

// asker makes lookups over one socket.
type asker struct {
	conn net.Conn
	id   uint16
	buf  [4096]byte
}

// confirm looks up the names of an address and what the first of them resolves to.
func (a *asker) confirm(client netip.Addr) error {
	kind := dnsmessage.TypeA
	if client.Is6() {
		kind = dnsmessage.TypeAAAA
	}
	names, err := a.ask(reverse(client), dnsmessage.TypePTR)
	if err != nil || len(names) == 0 {
		return err
	}
	ptr, ok := names[0].Body.(*dnsmessage.PTRResource)
	if !ok {
		return nil
	}
	_, err = a.ask(ptr.PTR.String(), kind)
	return err
}

// reverse is the name of an address: RFC 1035 section 3.5, RFC 3596 section 2.5.
func reverse(client netip.Addr) string {
	b := client.AsSlice()
	var name []byte
	for i := len(b) - 1; i >= 0; i-- {
		if client.Is4() {
			name = fmt.Appendf(name, "%d.", b[i])
		} else {
			name = fmt.Appendf(name, "%x.%x.", b[i]&15, b[i]>>4)
		}
	}
	if client.Is4() {
		return string(name) + "in-addr.arpa."
	}
	return string(name) + "ip6.arpa."
}

func (a *asker) ask(name string, kind dnsmessage.Type) ([]dnsmessage.Resource, error) {
	q, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, err
	}
	a.id++
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: a.id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: q, Type: kind, Class: dnsmessage.ClassINET}},
	}
	query, err := m.AppendPack(a.buf[:0])
	if err != nil {
		return nil, err
	}
	if err := a.conn.SetDeadline(time.Now().Add(lookupTime)); err != nil {
		return nil, err
	}
	if _, err := a.conn.Write(query); err != nil {
		return nil, err
	}
	n, err := a.conn.Read(a.buf[:])
	if err != nil {
		return nil, err
	}
	var reply dnsmessage.Message
	if err := reply.Unpack(a.buf[:n]); err != nil {
		return nil, err
	}
	if reply.ID != a.id {
		return nil, errOther
	}
	return reply.Answers, nil
}
