package policy

// SPF is what the domain of MAIL FROM, or of HELO for the null sender, says of a client
// (RFC 7208). The zero value: nobody has asked.
type SPF struct {
	// Result is one of those of [CheckSPF].
	Result Result
	// By is the term of the record that decided, and the domain whose record that is:
	// "ip4:192.0.2.0/24 example.com". Hostile; empty: none did.
	By string
	// Why says, for people, why a record cannot be read, or why a pass is worth nothing.
	Why string
}

// checkSPF asks the domain in whose name the client sends. Anybody may have a domain that
// says yes, so that it proves nothing of who the client is; it speaks for a host that cannot
// choose its name.
var checkSPF = check{
	name:     "spf",
	question: "does the domain of the sender say that the client sends for it?",
	good:     Own,
	outcomes: []outcome{
		{Own, "The domain names the client itself: by a, mx, ip4 of /24 or longer, or ip6 of /64 " +
			"or longer, in a record of its own organisation."},
		{Pass, "The domain lets the client send: by a larger network, or by the record of another " +
			"organisation."},
		{Fail, "The domain says that the client does not send for it."},
		{SoftFail, "The domain says that the client probably does not."},
		{Neutral, "The domain does not say, or has a pass for nearly everybody."},
		{None, "The domain has no SPF record, or is none."},
		{PermError, "Its record cannot be read, or takes too many lookups."},
		{TempError, "The DNS could not say."},
	},
	needs:    AttrHELO | AttrSender,
	standing: Claimed,
	turn:     theirs,
	fact:     func(f *Facts) *Result { return &f.SPF.Result },
	find: func(e *evaluation) Finding {
		return e.learnt(CheckSPF, of(Own, Pass, Fail, SoftFail, Neutral, None, PermError))
	},
	queries: func(f *Facts, list []Query) []Query {
		if f.SPF.Result == NotLearnt {
			list = append(list, Query{SPF: &f.SPF})
		}
		return list
	},
	evidence: func(_ *Request, f *Facts) (all []string) {
		for _, text := range []string{f.SPF.By, f.SPF.Why} {
			if text != "" {
				all = append(all, text)
			}
		}
		return all
	},
}

// learnt is what a check comes to whose result is a fact, and which may have some results.
func (e *evaluation) learnt(c Check, possible Results) Finding {
	switch r := *checks[c].fact(e.facts); r {
	case NotLearnt:
		return undetermined(checkSet(c), possible)
	case TempError:
		return undetermined(0, possible)
	default:
		return found(r)
	}
}

// vouched reports whether the domain of MAIL FROM says that the client sends for it.
func (e *evaluation) vouched() holding {
	if e.req.SenderDomain() == "" {
		return holds(No) // it is HELO's that was asked
	}
	passes := wanted{check: CheckSPF, results: of(Own, Pass)}
	return passes.holds(e)
}
