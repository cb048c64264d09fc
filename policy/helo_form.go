package policy

import "policyd-rdns/policy/hostname"

// checkHELOForm asks what the client said in HELO or EHLO (RFC 5321 section 4.1.1.1).
var checkHELOForm = check{
	name:     "helo_form",
	question: "what did the client say in HELO?",
	good:     FQDN,
	outcomes: []outcome{
		{FQDN, "A full host name, such as mail.example.org."},
		{Literal, "An address literal, such as [192.0.2.1]."},
		{Unqualified, "A name without a domain, such as mail or localhost."},
		{BareIP, "An address without brackets, such as 192.0.2.1, which SMTP does not allow."},
		{Malformed, "Neither a host name nor an address."},
		{Missing, "Nothing: MAIL came without a HELO before it."},
	},
	needs:    AttrHELO,
	standing: Silent,
	find: func(e *evaluation) Finding {
		switch e.facts.HELO.Form {
		case hostname.FQDN:
			return found(FQDN)
		case hostname.Literal:
			return found(Literal)
		case hostname.Unqualified:
			return found(Unqualified)
		case hostname.BareIP:
			return found(BareIP)
		case hostname.Malformed:
			return found(Malformed)
		}
		if e.req.heloGiven() {
			return found(Missing)
		}
		return found(NotLearnt) // and no rule about HELO holds
	},
	objection: func(c *Checks, _ *Request, _ *Facts) string {
		switch c[CheckHELOForm] {
		case Missing:
			return "no HELO"
		case BareIP:
			if c[CheckHELO] != Own {
				return "HELO is a bare address"
			}
		}
		return ""
	},
}
