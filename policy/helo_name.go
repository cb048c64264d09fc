package policy

import "policyd-rdns/policy/hostname"

// checkHELOName asks whether HELO was made from an address.
var checkHELOName = check{
	name:     "helo_name",
	question: "was HELO made from an address?",
	good:     Proper,
	outcomes: []outcome{
		{Proper, "Somebody chose it."},
		{Generic, "It was made from an address, or from the number of a line or a machine."},
		{None, "It is no full host name."},
	},
	needs:    AttrHELO,
	standing: Silent,
	find: func(e *evaluation) Finding {
		switch h := &e.facts.HELO; {
		case h.Form != hostname.FQDN:
			return found(None)
		case h.Verdict.Generic:
			return found(Generic)
		}
		return found(Proper)
	},
	evidence: func(_ *Request, f *Facts) []string {
		if !f.HELO.Verdict.Generic {
			return nil
		}
		return []string{f.HELO.Verdict.String()}
	},
}
