package week

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"

	"policyd-rdns/policy"
)

// crowd is a number of clients of one kind, with addresses that follow each
// other. In its texts {n} is the number of the client, {ip} its address,
// {dash} the same with dashes, {rev} its numbers reversed, {hex} in hexadecimal.
type crowd struct {
	count    int
	first    string // address
	ptr      string // names, separated by spaces; empty: none
	Forwards string // what they resolve to: back, near (in the same /24), other or nowhere
	helo     string // HELO names, separated by |, of which each message has one
	match    bool   // the first HELO resolves to the client
	from     string // domains of senders, separated by spaces; <> is the null sender

	Messages   int  // in the week, about
	Recipients int  // of a message, at most
	Retries    bool // what was deferred
	Login      bool
	// Planted: it is decent, and has not proved who it is.
	Planted bool
}

// crowds are the clients of a week: some good senders, many small ones, and more
// that nobody wants.
func crowds() []crowd {
	return []crowd{
		// Well set up.
		{38, "198.51.100.1", "mail.firm-{n}.example", "back", "mail.firm-{n}.example", true, "firm-{n}.example", 12, 4, true, false, false},
		{12, "198.51.100.40", "out-{n}.pool.bigmail.example", "back", "out-{n}.pool.bigmail.example", true, "bigmail.example customer-{n}.example", 18, 6, true, false, false},
		{8, "198.51.100.55", "smtp{n}.newsletter.example", "back", "bounce.newsletter.example", false, "<> newsletter.example", 12, 3, true, false, false},
		{6, "198.51.100.65", "mx{n}.city.example www{n}.city.example city-{n}.example", "back", "mx{n}.city.example", true, "city.example", 8, 2, true, false, false},
		{14, "2001:db8:10::1", "mail6.firm-{n}.example", "back", "mail6.firm-{n}.example", true, "firm-{n}.example", 6, 3, true, false, false},
		// Small servers on names that their provider has given them.
		{20, "203.0.113.1", "{dash}.static.isp-alpha.example", "back", "mail.shop-{n}.example", true, "shop-{n}.example", 7, 2, true, false, false},
		{8, "203.0.113.22", "{dash}.business.isp-beta.example", "back", "server.office-{n}.local", false, "office-{n}.example", 9, 5, true, false, false},
		{5, "203.0.113.31", "h{hex}.cust.isp-beta.example", "back", "club-{n}.example", false, "club-{n}.example", 6, 3, true, false, false},
		{4, "203.0.113.40", "", "", "legacy.partner.example", false, "partner.example", 9, 2, true, false, false},
		{1, "203.0.113.45", "", "", "mail.repaired.example", true, "repaired.example", 2, 2, true, false, false},
		{5, "198.51.100.80", "relay-{n}.appliance.example", "back", "appliance", false, "appliance.example", 5, 1, true, false, false},
		{4, "198.51.100.90", "mail.moved-{n}.example", "other", "mail.moved-{n}.example", false, "moved-{n}.example", 6, 2, true, false, false},
		// Trouble with the DNS.
		{6, "203.0.113.50", "mail.broken-{n}.example", "back", "mail.broken-{n}.example", true, "broken-{n}.example", 4, 2, true, false, false},
		{3, "203.0.113.57", "mail.lame.example", "back", "mail.lame.example", true, "lame.example", 3, 1, true, false, false},
		{4, "203.0.113.61", "mail.slow-{n}.example", "back", "mail.slow-{n}.example", true, "slow-{n}.example", 4, 2, true, false, false},
		// Decent, as only who looks can tell: PTR, HELO and senders of one domain that resolves to
		// a neighbour; a rented host that has the senders' domain in its HELO; no PTR, and a HELO
		// that is its own.
		{3, "198.51.100.101", "mail.neighbour.example", "near", "mail.neighbour.example", false, "neighbour.example", 4, 2, true, false, true},
		{1, "198.51.100.111", "{dash}.rented.example", "back", "mail.tenant.example", false, "tenant.example", 3, 2, true, false, true},
		{1, "198.51.100.112", "", "", "box.single.example", true, "shared-office.example", 4, 2, true, false, true},
		// Nobody wants these.
		{60, "203.0.113.70", "{dash}.dyn.isp-alpha.example", "back", "ubuntu|localhost|{ip}|[{ip}]|mail.bigmail.example|DESKTOP-{n}|{dash}.dyn.isp-alpha.example", false, "bigmail.example shop-1.example lottery.test", 6, 3, false, false, false},
		{24, "203.0.113.140", "ppp-{rev}.isp-gamma.example", "nowhere", "ylmf-pc|win-{n}|mx.example.net|[192.0.2.77]", false, "lottery.test bank.test", 5, 4, false, false, false},
		{26, "203.0.113.170", "", "", "mail.bank.test|localhost.localdomain|{n}.invalid|bad_name!", false, "bank.test bigmail.example <>", 5, 3, false, false, false},
		{12, "203.0.113.200", "vps{n}.hosting.internal", "nowhere", "vps{n}.hosting.internal|vps{n}", false, "cheap-pills-{n}.test", 5, 5, false, false, false},
		{8, "203.0.113.215", "srv-{n}.pool.spamhost.example", "back", "srv-{n}.pool.spamhost.example", true, "offer-{n}.test", 16, 8, false, false, false},
		{16, "2001:db8:66::1", "", "", "host-{n}.v6.example|ubuntu", false, "lottery.test", 5, 2, false, false, false},
		{3, "203.0.113.225", `a\010b\027[31m.hostile.example`, "nowhere", "\x1b[31mred\x1b[0m|é.example|<script>", false, "hostile.test", 4, 1, false, false, false},
		// Our own.
		{3, "198.51.100.193", "web-{n}.example.net", "back", "web-{n}.example.net", true, "example.net", 8, 2, true, false, false},
		{9, "203.0.113.232", "{dash}.mobile.isp-alpha.example", "back", "[192.168.1.{n}]", false, "example.net", 7, 3, false, true, false},
	}
}

// faults is what goes wrong in that DNS, and how long it takes when all goes
// well.
const faults = `
!delay * 12ms
!servfail *.54.113.0.203.in-addr.arpa
!servfail mail.broken-1.example
!servfail mail.broken-2.example
!servfail 53.113.0.203.in-addr.arpa
!servfail 52.113.0.203.in-addr.arpa
!drop 51.113.0.203.in-addr.arpa
!refused *.lame.example
!refused mail.lame.example
!delay *.slow-1.example 900ms
!delay mail.slow-2.example 1600ms
!drop mail.slow-3.example
`

// repair is what is added to the DNS in the middle of the week.
const repair = `
45.113.0.203.in-addr.arpa. PTR mail.repaired.example.
`

// Client is one of a crowd.
type Client struct {
	crowd
	Addr  netip.Addr
	Names []string // its PTR names
	HELOs []string // of which each message has one
	Froms []string // domains of senders; <> is the null sender
}

// Clients makes the clients of all crowds, and the DNS that they live in.
func Clients() (all []Client, zone string) {
	var z strings.Builder
	z.WriteString("$TTL 3600\nelsewhere.example. A 192.0.2.99\n" + strings.TrimSpace(faults) + "\n")
	for _, c := range crowds() {
		addr := netip.MustParseAddr(c.first)
		for n := 1; n <= c.count; n++ {
			one := newClient(c, addr, n)
			one.writeZone(&z)
			all = append(all, one)
			addr = addr.Next()
		}
	}
	return all, z.String()
}

func newClient(c crowd, addr netip.Addr, n int) Client {
	dashed := strings.NewReplacer(".", "-", ":", "-").Replace(addr.String())
	r := strings.NewReplacer("{n}", strconv.Itoa(n), "{ip}", addr.String(), "{dash}", dashed,
		"{rev}", reversed(dashed), "{hex}", fmt.Sprintf("%x", addr.AsSlice()))
	return Client{
		crowd: c,
		Addr:  addr,
		Names: strings.Fields(r.Replace(c.ptr)),
		HELOs: strings.Split(r.Replace(c.helo), "|"),
		Froms: strings.Fields(r.Replace(c.from)),
	}
}

func reversed(dashed string) string {
	var out string
	for part := range strings.SplitSeq(dashed, "-") {
		out = "-" + part + out
	}
	return out[1:]
}

func (c *Client) writeZone(z *strings.Builder) {
	record := "A"
	if c.Addr.Is6() {
		record = "AAAA"
	}
	for _, name := range c.Names {
		fmt.Fprintf(z, "%s PTR %s.\n", reverseName(c.Addr), name)
		switch c.Forwards {
		case "back":
			fmt.Fprintf(z, "%s. %s %s\n", name, record, c.Addr)
		case "near":
			fmt.Fprintf(z, "%s. A 198.51.100.100\n", name)
		case "other":
			fmt.Fprintf(z, "%s. A 192.0.2.98\n", name)
		}
	}
	if c.match && (len(c.Names) == 0 || c.HELOs[0] != c.Names[0]) {
		fmt.Fprintf(z, "%s. %s %s\n", c.HELOs[0], record, c.Addr)
	}
}

// reverseName is the name of an address in the DNS: RFC 1035 section 3.5, RFC
// 3596 section 2.5.
func reverseName(addr netip.Addr) string {
	var out string
	if addr.Is4() {
		for _, b := range addr.AsSlice() {
			out = strconv.Itoa(int(b)) + "." + out
		}
		return out + "in-addr.arpa."
	}
	for _, b := range addr.AsSlice() {
		out = fmt.Sprintf("%x.%x.%s", b&15, b>>4, out)
	}
	return out + "ip6.arpa."
}

// RandomRequest is a request of a client, some of whose texts are longer than a line
// of the log has room for.
func RandomRequest(random *rand.Rand, c *Client) policy.Request {
	from := ""
	if domain := Pick(random, c.Froms); domain != "<>" {
		from = "info@" + domain
	}
	helo := Pick(random, c.HELOs)
	switch random.IntN(20) {
	case 0:
		from = strings.Repeat(`"\\`, random.IntN(300)) + from
	case 1:
		helo = strings.Repeat("a\x01", random.IntN(300)) + helo
	case 2:
		helo += strings.Repeat(".example", random.IntN(100))
	}
	return policy.Request{
		Client: c.Addr, HELO: helo, State: Pick(random, []string{"RCPT", "RCPT", "RCPT", "CONNECT"}),
		Sender: from, Recipient: Pick(random, []string{"user", "postmaster"}) + "@example.net", Instance: "1.2.3",
		Authenticated: c.Login, Encrypted: c.Retries,
	}
}
