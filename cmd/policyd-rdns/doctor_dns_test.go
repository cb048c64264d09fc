package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"policyd-rdns/resolver/world"
)

// startValidating starts a name server on the loopback that has nothing but what
// doctor asks for: it vouches for the root zone, holds on to a "no" for a minute,
// and says "test" of itself.
func startValidating(t *testing.T) string {
	t.Helper()
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		packet := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			_, _ = pc.WriteTo(validReply(packet[:n]), from) // a lost datagram is asked again
		}
	})
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			serveValidTCP(conn)
		}
	})
	t.Cleanup(func() {
		pc.Close()
		l.Close()
		serving.Wait()
	})
	return pc.LocalAddr().String()
}

// serveValidTCP answers one question (RFC 1035 section 4.2.2).
func serveValidTCP(conn net.Conn) {
	defer conn.Close()
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	packet := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, packet); err != nil {
		return
	}
	reply := validReply(packet)
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
}

// validReply is header, question, and at most one record (RFC 1035 section 4.1).
func validReply(ask []byte) []byte {
	end := 12
	for end < len(ask) && ask[end] != 0 {
		end += int(ask[end]) + 1
	}
	end = min(end+5, len(ask))
	reply := append([]byte(nil), ask[:end]...)
	// QR RD; RA AD; then how many records the sections have.
	copy(reply[2:12], []byte{0x81, 0xa0, 0, 1, 0, 0, 0, 0, 0, 0})
	const soa, txt = 6, 16
	switch qtype := reply[end-3]; {
	case qtype == txt:
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, txt, 0, 3, 0, 0, 0, 0, 0, 5, 4, 't', 'e', 's', 't')
	case qtype != soa:
		reply[3] |= 3 // NXDOMAIN
		reply[9] = 1
		reply = append(reply, 0, 0, soa, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0)
		reply = append(reply, make([]byte, 19)...)
		reply = append(reply, 60) // the minimum
	}
	return reply
}
