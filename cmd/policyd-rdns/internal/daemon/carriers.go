package daemon

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/resolver"
)

// What makes a network a carrier of IPv4: so many clients without a name, of
// those that have one or none so many percent, and one in so many of all messages.
//
// Hosts of IPv6 that stand in one /96 are few, and numbered from its beginning, so
// that their last 32 bits are no address that is global; hardly any has an address that
// ends in three octets of zeros, as those behind a shorter prefix do. Who sends from a network
// of his own may choose these at random; then one in seven is not global either,
// and that all of 64 are happens about once in 13,000 times.
const (
	carrierClients  = 64
	carrierNameless = 90
	carrierShare    = 5
	// maxCarriers bounds the networks that are counted. Whatever has more than one
	// in nine of the messages that count is among so many (Misra and Gries, 1982).
	maxCarriers = 8
)

// carriers notices a prefix of a network's own under which NAT64 or SIIT shows
// IPv4 clients (RFC 6052 section 2.2). Nothing but its use tells such a prefix,
// and none of these addresses has a name, so that all of IPv4 is refused. It says
// so once. The zero value is ready.
type carriers struct {
	told     bool
	messages int
	list     []carrier
}

// carrier is a network that may carry IPv4.
type carrier struct {
	network  netip.Prefix
	votes    int
	since    time.Time
	before   int // messages of all before the first of it
	messages int
	named    int
	nameless int
	clients  []netip.Addr // nameless ones, each once, at most carrierClients
	spoiled  bool         // it has clients whose last 32 bits are no address that is global
}

// see counts a message of a client that is not our own.
func (c *carriers) see(req *policy.Request, ptr resolver.Outcome, log *slog.Logger) {
	if c.told {
		return
	}
	c.messages++
	if !req.Client.Is6() {
		return
	}
	network, carried := embedded(req.Client)
	one := c.find(network, carried, req.Time)
	if one == nil {
		return
	}
	one.count(req.Client, carried, ptr)
	if !one.convicted(c.messages, req.Time) {
		return
	}
	*c = carriers{told: true}
	log.Warn("mail of IPv4 hosts seems to come through a translator (NAT64, SIIT) with a prefix of its own: none of them has a name there, so that all are judged as nameless",
		"network", network, "clients", carrierClients,
		"mend", "have it translate with the well-known prefix 64:ff9b::/96 (RFC 6052), under which each is judged as its IPv4 address, "+
			"or let Postfix have an IPv4 address; until then exempt them: when = { client = \""+network.String()+"\" }")
}

// embedded is the network of an IPv6 address and whether the rest may be an IPv4
// client: behind 32, 40, 48, 56, 64 or 96 bits, but for bits 64 to 71, which are zero as
// is all that follows it (RFC 6052 section 2.2).
func embedded(client netip.Addr) (network netip.Prefix, carried bool) {
	b := client.As16()
	const skipped = 8
	last := len(b) - 1
	for last > skipped && b[last] == 0 {
		last--
	}
	size := 12
	if last < skipped+5 {
		size = 4 + last - skipped
	}
	network, _ = client.Prefix(8 * size) // of an IPv6 address
	var v4 []byte
	for i := size; len(v4) < 4; i++ {
		if i != skipped {
			v4 = append(v4, b[i])
		}
	}
	return network, b[skipped] == 0 && address.Global4([4]byte(v4))
}

// find is what is counted of a network; nil: nothing. One that may carry IPv4 gets
// a place, or takes a vote from each that has one.
func (c *carriers) find(network netip.Prefix, carried bool, now time.Time) *carrier {
	for i := range c.list {
		if c.list[i].network == network {
			return &c.list[i]
		}
	}
	switch {
	case !carried:
		return nil
	case len(c.list) < maxCarriers:
		c.list = append(c.list, carrier{network: network, since: now, before: c.messages - 1})
		return &c.list[len(c.list)-1]
	}
	for i := range c.list {
		c.list[i].votes--
	}
	c.list = slices.DeleteFunc(c.list, func(one carrier) bool { return one.votes <= 0 })
	return nil
}

func (c *carrier) count(client netip.Addr, carried bool, ptr resolver.Outcome) {
	c.votes++
	c.messages++
	c.spoiled = c.spoiled || !carried
	switch ptr {
	case resolver.Found:
		c.named++
	case resolver.None:
		c.nameless++
		if len(c.clients) < carrierClients && !slices.Contains(c.clients, client) {
			c.clients = append(c.clients, client)
		}
	}
}

// convicted reports whether it is a carrier, after so many messages of all.
func (c *carrier) convicted(messages int, now time.Time) bool {
	return len(c.clients) == carrierClients && !c.spoiled &&
		c.nameless*100 >= (c.named+c.nameless)*carrierNameless &&
		c.messages*carrierShare >= messages-c.before &&
		now.Sub(c.since) >= natTime
}
