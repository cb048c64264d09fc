package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// checkNetworks compares mynetworks to what the daemon takes for its own clients.
func checkNetworks(x *examination) []Finding {
	text, known := x.params()["mynetworks"]
	if x.m.Postfix.Unread != "" || !known {
		return nil
	}
	var theirs []netip.Prefix
	var missing, unseen []string
	tooWide := maincf.WideNetworks(smtpd.Split(x.params().Expand(text), smtpd.Separators))
	for _, word := range smtpd.Split(x.params().Expand(text), smtpd.Separators) {
		p, ok := smtpd.Network(word)
		switch {
		case strings.HasPrefix(word, "!"):
			continue // an exception
		case !ok:
			unseen = append(unseen, brief(word))
			continue
		}
		for _, p := range address.Networks(p) { // as the daemon has them
			theirs = append(theirs, p)
			if !x.owns(p) && address.Public(p) && !slices.Contains(tooWide, word) {
				missing = append(missing, smtpd.PlainNetwork(p))
			}
		}
	}
	all := x.checkWide()
	if len(missing) > 0 {
		all = append(all, x.missingNetworks(missing))
	}
	if len(unseen) > 0 {
		all = append(all, Finding{
			ID: "own.networks-unseen", Level: Info, Title: "mynetworks names tables or files that doctor does not read: " + and(unseen),
			Why: "What is in there has to be in server.networks too, where the daemon is asked about such clients.",
		})
	}
	if extra := x.onlyOurs(theirs); len(extra) > 0 && len(unseen) == 0 {
		all = append(all, Finding{
			ID: "own.networks-more", Level: Info, Title: "In server.networks, and not in Postfix's mynetworks: " + and(extra),
			Why: "Those clients pass the daemon, and Postfix does not let them relay. For a second mail exchanger that is right.",
		})
	}
	if len(all) == 0 {
		all = append(all, Finding{ID: "own.networks", Level: OK, Title: "Postfix's mynetworks are all own clients of the daemon"})
	}
	return all
}

// missingNetworks matters where the daemon is asked about such clients.
func (x *examination) missingNetworks(missing []string) Finding {
	f := Finding{
		"own.networks", Info, "In Postfix's mynetworks, and not the daemon's own: " + and(missing),
		"Postfix lets these pass before it asks (permit_mynetworks), so that for now nothing is refused.",
		x.tomlLine("server", "networks", slices.Concat(x.v.Networks, missing)),
	}
	for _, c := range x.ours {
		if !c.dead && !slices.ContainsFunc(c.before(), func(s maincf.Step) bool { return s.Name == "permit_mynetworks" }) {
			f.Level = Warning
			f.Why = "The daemon is asked about these (in " + c.Param + "), and judges them as strangers."
		}
	}
	return f
}

// tomlLine is a list of the daemon's file.
func (x *examination) tomlLine(table, key string, values []string) []string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(brief(v))
	}
	return []string{"# in " + x.file() + ":", "[" + table + "]", key + " = [" + strings.Join(quoted, ", ") + "]"}
}

// owns reports whether the daemon takes all of a network for its own. The built-in
// rules let the loopback pass as well.
func (x *examination) owns(p netip.Prefix) bool {
	if p.Addr().IsLoopback() {
		return true
	}
	for _, text := range x.v.Networks {
		n, ok := smtpd.Network(text)
		if ok && slices.ContainsFunc(address.Networks(n), func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			return true
		}
	}
	return x.v.OwnsClient(p.Addr()) && x.v.OwnsClient(smtpd.LastAddr(p))
}

// onlyOurs are the daemon's networks that Postfix does not know.
func (x *examination) onlyOurs(theirs []netip.Prefix) []string {
	var extra []string
	for _, text := range x.v.Networks {
		n, ok := smtpd.Network(text)
		if ok && slices.ContainsFunc(address.Networks(n), func(q netip.Prefix) bool {
			return !slices.ContainsFunc(theirs, func(p netip.Prefix) bool { return p.Bits() <= q.Bits() && p.Contains(q.Addr()) })
		}) {
			extra = append(extra, brief(text))
		}
	}
	return extra
}

// checkNames compares what Postfix is called to the HELO names that the daemon
// takes for forged.
func checkNames(x *examination) []Finding {
	if x.m.Postfix.Unread != "" {
		return nil
	}
	get := func(name string) string {
		return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(x.params().Expand(x.params()[name]))), ".")
	}
	var names []string
	for _, name := range slices.Concat([]string{get("myhostname")}, smtpd.Split(get("proxy_interfaces"), smtpd.Separators)) {
		name = strings.Trim(name, "[]")
		if name != "" && !shared(name) && !x.v.OwnsName(name) {
			names = withNew(names, name)
		}
	}
	var all []Finding
	if len(names) > 0 {
		all = append(all, Finding{
			"own.names", Warning, "Postfix is called " + and(brieves(names)) + ", and the daemon does not know that name for its own",
			"A stranger whose HELO is the name of the host that he speaks to is a spammer; the rule \"HELO is our name\" cannot see it.",
			x.tomlLine("helo", "own_names", slices.Concat(x.v.OwnNames, names)),
		})
	} else if name := get("myhostname"); name != "" && shared(name) {
		all = append(all, Finding{
			ID: "own.names", Level: Info, Title: "Postfix is called " + brief(name) + ", as hosts elsewhere are: a HELO with that name is not known to be forged",
			Do: []string{"# myhostname, and the host, ought to have a name of the public DNS"},
		})
	} else if name := get("myhostname"); name != "" {
		all = append(all, Finding{ID: "own.names", Level: OK, Title: "A HELO with Postfix's own name, " + brief(name) + ", is known to be forged"})
	}
	if domain := get("mydomain"); !shared(domain) && !x.v.OwnsName(domain) {
		all = append(all, Finding{
			"own.domain", Info, fmt.Sprintf("A HELO with your domain alone, %s, is not known to be forged", brief(domain)),
			"It is a common one in spam. A host that the name resolves to may go on using it.",
			x.tomlLine("helo", "own_names", slices.Concat(x.v.OwnNames, names, []string{domain})),
		})
	}
	return all
}

// shared reports whether a name tells hosts apart only within a site, so that
// hosts elsewhere have it too.
func shared(name string) bool {
	_, err := netip.ParseAddr(name)
	return err != nil && hostname.Local(name)
}

func brieves(words []string) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = brief(w)
	}
	return all
}
