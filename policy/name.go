package policy

import (
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// checkName asks whether the client's names were made from its address. It is judged
// over the confirmed names, or over all well-formed ones if none confirms; generic only
// if all are.
var checkName = check{
	name:     "name",
	question: "was the name made from the address, or chosen?",
	good:     Proper,
	outcomes: []outcome{
		{Proper, "Somebody chose it. Of several names one is enough; if some are confirmed, " +
			"only those count."},
		{Generic, "It was made from the address, or from the number of a line or a machine; of " +
			"several names each was."},
		{None, "There is no well-formed name."},
		{TempError, "The DNS could not say what the names are, or which of them are confirmed " +
			"where that matters."},
	},
	ofNames: true,
	find: func(e *evaluation) Finding {
		strengths, lacks := e.strengths()
		switch {
		case strengths == 0:
			return found(None)
		case strengths.Has(NotLearnt):
			return undetermined(lacks, of(Proper, Generic, None))
		case strengths == of(None):
			return found(Proper)
		case !strengths.Has(None):
			return found(Generic)
		}
		return undetermined(lacks, of(Proper, Generic))
	},
	evidence: func(_ *Request, f *Facts) []string {
		var all []string
		for i := range f.Names {
			if n := &f.Names[i]; n.Valid {
				all = append(all, n.Name+": "+n.Verdict.String())
			}
		}
		return all
	},
	objection: func(c *Checks, _ *Request, f *Facts) string {
		if c[CheckName] != Generic {
			return ""
		}
		for i := range f.Names {
			if v := &f.Names[i].Verdict; v.Generic {
				return "generic name: " + v.Evidence()
			}
		}
		return "generic name"
	},
}

// checkStrength asks how plainly generic the client's names are.
var checkStrength = check{
	name:     "strength",
	question: "how plainly generic is the name?",
	outcomes: []outcome{
		{Full, "The whole address is in it, or a serial number in a form that many hosters " +
			"share; or names.generic has it."},
		{Half, "A part of the address is in it, or an address that is another's."},
		{Word, "It has words that operators give to lines and unnamed machines, such as " +
			"static, dynamic, ppp60, unassigned, or what looks like a serial number."},
		{TempError, "The DNS could not say what the names are, or which of them are confirmed " +
			"where that matters."},
	},
	hides:   None,
	ofNames: true,
	find: func(e *evaluation) Finding {
		strengths, lacks := e.strengths()
		if strengths == 0 {
			return found(None)
		}
		if strengths.Has(NotLearnt) {
			return undetermined(lacks, of(Full, Half, Word, None))
		}
		for _, strength := range gradeStrength {
			if strengths == of(strength) {
				return found(strength)
			}
		}
		return undetermined(lacks, strengths)
	},
}

// A grade orders names from chosen to plainly generic, so that the grade of
// several names is their least: generic only if all are, and no stronger than
// the weakest.
type grade uint8

const (
	gradeProper grade = iota
	gradeWord
	gradeHalf
	gradeFull
	gradeNone // of no names: greater than any
)

// gradeStrength is the strength of a grade; that of a proper name is None.
var gradeStrength = [gradeNone]Result{gradeProper: None, gradeWord: Word, gradeHalf: Half, gradeFull: Full}

// grade is the grade of a name, if it is confirmed or if it is not. The
// configuration's list of proper names speaks of confirmed ones only: anyone
// may claim the name of a well-known host in his own reverse zone.
func (r *Rules) grade(n *Name, confirmed bool) grade {
	if confirmed && r.ProperNames.Has(n.Name) {
		return gradeProper
	}
	if r.GenericNames.Has(n.Name) {
		return gradeFull
	}
	if !n.Verdict.Generic {
		return gradeProper
	}
	switch n.Verdict.Strength {
	case hostname.Full:
		return gradeFull
	case hostname.Half:
		return gradeHalf
	}
	return gradeWord
}

// strengths are those that the client's names may turn out to have, None for a proper
// name; nothing if there is no name, and NotLearnt if nobody knows the names. Which of
// them confirm may be undetermined; all is known the same if every way that it can turn
// out gives the same. lacks are the queries that would tell.
func (e *evaluation) strengths() (strengths Results, lacks CheckSet) {
	f := e.facts
	if f.nameless() {
		return 0, 0
	}
	if f.PTR != resolver.Found {
		return of(NotLearnt), f.lacksConfirmation()
	}
	confirmed, all := gradeNone, gradeNone
	var may [gradeNone]bool // what names that may yet confirm would bring
	for i := range f.Names {
		n := &f.Names[i]
		all = min(all, e.rules.grade(n, false))
		switch {
		case n.Forward.To(e.req.Client):
			confirmed = min(confirmed, e.rules.grade(n, true))
		case n.Forward.Undetermined():
			may[e.rules.grade(n, true)] = true
		}
	}
	if f.MoreNames {
		may = [gradeNone]bool{true, true, true, true}
	}
	if confirmed != gradeNone {
		strengths |= of(gradeStrength[confirmed])
	} else if all != gradeNone {
		strengths |= of(gradeStrength[all])
	}
	for g := range may {
		if may[g] {
			strengths |= of(gradeStrength[min(confirmed, grade(g))])
		}
	}
	return strengths, f.lacksConfirmation()
}
