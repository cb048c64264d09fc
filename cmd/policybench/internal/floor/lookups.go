package floor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
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
		converseWith(conn, &asker{conn: &dns.Conn{Conn: to, UDPSize: dns.DefaultMsgSize}})
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
type asker struct{ conn *dns.Conn }

// confirm looks up the names of an address and what the first of them resolves to.
func (a *asker) confirm(client netip.Addr) error {
	name, err := dns.ReverseAddr(client.String())
	if err != nil {
		return err
	}
	names, err := a.ask(name, dns.TypePTR)
	if err != nil {
		return err
	}
	for _, r := range names {
		if ptr, ok := r.(*dns.PTR); ok {
			kind := dns.TypeA
			if client.Is6() {
				kind = dns.TypeAAAA
			}
			_, err = a.ask(ptr.Ptr, kind)
			return err
		}
	}
	return nil
}

func (a *asker) ask(name string, kind uint16) ([]dns.RR, error) {
	m := new(dns.Msg).SetQuestion(name, kind)
	if err := a.conn.SetDeadline(time.Now().Add(lookupTime)); err != nil {
		return nil, err
	}
	if err := a.conn.WriteMsg(m); err != nil {
		return nil, err
	}
	reply, err := a.conn.ReadMsg()
	if err != nil {
		return nil, err
	}
	if reply.Id != m.Id {
		return nil, errOther
	}
	return reply.Answer, nil
}
