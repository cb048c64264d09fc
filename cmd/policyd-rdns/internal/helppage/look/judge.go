package look

import (
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// What a client is judged by that the page knows nothing of. Nobody's rules name these
// (RFC 2606), so that they exempt from nothing; that there is a sender matters, for bounces
// are spared here and there.
const (
	aSender    = "sender@sender.invalid"
	aRecipient = "recipient@recipient.invalid"
	aHELO      = "mail.helo.invalid"
)

// request is one to which nothing is known but the address.
func request(client netip.Addr) policy.Request {
	return policy.Request{Time: time.Now(), Client: client, State: "RCPT", Sender: aSender, Recipient: aRecipient}
}

// withoutExemptions are the rules for who is not exempt: nobody is told by the page that
// he is. No list is asked for strangers: it counts our queries, which are mail's.
func withoutExemptions(rules *policy.Rules) *policy.Rules {
	r := *rules
	r.AllowList = ""
	r.List = slices.DeleteFunc(slices.Clone(r.List), func(rule policy.Rule) bool { return rule.Exempt })
	return &r
}

// judge is what mail from an address would meet. What it will say in HELO nobody knows: it
// is judged with one of its own, and with one that is somebody else's.
func judge(rules *policy.Rules, req policy.Request, f policy.Facts, s State) Verdict {
	if s == stateUndetermined {
		return Unknown
	}
	own := judgeAs(rules, req, f, aHELO, resolvesTo(req.Client))
	if own != Passes {
		return own
	}
	if judgeAs(rules, req, f, aHELO, resolvesTo(another(req.Client))) != Passes {
		return ByHELO
	}
	// A name that was made from the address is one that many servers say in HELO.
	for i := range f.Names {
		if n := &f.Names[i]; n.Valid && n.Verdict.Generic && judgeAs(rules, req, f, n.Name, n.Forward) != Passes {
			return ByHELO
		}
	}
	return Passes
}

func resolvesTo(a netip.Addr) resolver.Forward {
	return resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{a}}
}

// judgeAs judges with a HELO, and what that resolves to. If that comes to a deferral, it is
// judged once more as if the client had come back.
func judgeAs(rules *policy.Rules, req policy.Request, f policy.Facts, helo string, to resolver.Forward) Verdict {
	req.HELO, f.HELO, f.OwnHELO = helo, policy.NewHELO(helo, req.Client), false
	f.HELO.Forward = to
	f.Past = policy.Past{Asked: true, DomainAsked: true}
	d := rules.Judge(&req, &f)
	switch {
	case d.Undetermined, d.Downgraded:
		return Unknown
	case !d.Decided.Refuses():
		return Passes
	case d.Waiting > 0 || d.Decided.Permanent():
		return Refused
	}
	f.Past.FirstContact, f.Past.Returned = req.Time.Add(-time.Hour), req.Time
	if d = rules.Judge(&req, &f); !d.Decided.Refuses() {
		return Waits
	}
	return Refused
}

// another is an address of the same family that is not the client's.
func another(client netip.Addr) netip.Addr {
	if next := client.Next(); next.IsValid() {
		return next
	}
	return client.Prev()
}
