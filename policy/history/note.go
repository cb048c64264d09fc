package history

import (
	"net/netip"
	"time"

	"policyd-rdns/policy"
)

// Note notes what became of a request, by the parties of its client, as far as the
// decision says so (policy.Decision.Noted).
func (h *History) Note(req *policy.Request, p *policy.Parties, noted policy.Noted) {
	if h == nil || noted == 0 {
		return
	}
	if noted == policy.NotedCorrespondent {
		h.noteCorrespondent(req.RecipientDomain())
		return
	}
	s, now := h.settings.Load(), h.now()
	a := h.ask(req.Client, p)
	message := uint32(0)
	if noted&policy.NotedDeferral != 0 {
		message = h.message(req)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := event{noted: noted, message: message, now: now, enforced: Moment(h.enforced.Load()), settings: s}
	var at [numParties]uint32
	for which, hash := range a.hash {
		if hash == 0 {
			continue
		}
		if at[which] = h.memory.find(hash); at[which] != nobody {
			h.before(&e, req, h.memory.at(at[which]))
		}
	}
	for which, hash := range a.hash {
		if hash == 0 {
			continue
		}
		i := at[which]
		if i == nobody || h.memory.at(i).hash != hash { // an addition may have pushed it out
			if e.passes() && which != ofOrganisation && h.crowded(a.hash[ofOrganisation], &e) {
				continue
			}
			if i = h.add(which, hash, req.Client, p, &a); i == nobody {
				continue
			}
		} else if e.passes() && h.memory.at(i).settled(&e) {
			continue
		}
		h.change(i, now)
		party := h.memory.at(i)
		party.note(&e, which == ofAddress)
		h.memory.classify(i, party.worthKeeping())
	}
	if noted&policy.NotedPass != 0 && p.Sender != "" {
		h.noteSender(p.Sender, &a, &e)
	}
}

// event is what is noted of a client's parties.
type event struct {
	noted    policy.Noted
	message  uint32 // that was deferred
	returned bool   // it is one that a party was deferred for before
	lastPass Moment // of any party
	now      Moment
	enforced Moment // series from before have begun anew
	settings *Settings
}

// soon is how long after a pass another one need not be noted.
const soon = 10 * time.Second

// passes reports whether the event is a pass and nothing else.
func (e *event) passes() bool {
	return e.noted == policy.NotedContact|policy.NotedPass && !e.returned
}

// settled reports whether a pass says nothing new of a record: there was one just now.
func (r *Record) settled(e *event) bool {
	return r.stands(e.now, e.settings) && e.now.after(r.LastPass) < soon && r.LastPass >= r.Returned
}

// crowded reports whether what is remembered of an organisation beside itself has no room,
// and would have to go just after its pass. Who is of the organisation is remembered by that.
func (h *History) crowded(organisation uint64, e *event) bool {
	in := h.memory.groups[ofOrganisations][uint32(organisation)]
	return organisation != 0 && in != nil && in.n() >= mostOfOrganisation && h.memory.at(in.last()).settled(e)
}

// before adds to an event what is known of a party.
func (h *History) before(e *event, req *policy.Request, p *entry) {
	r := &p.Record
	if !r.stands(e.now, e.settings) {
		now := r.At(e.now, e.settings)
		r = &now
	}
	e.lastPass = max(e.lastPass, r.LastPass)
	if len(r.Deferrals) == 0 {
		return
	}
	if e.message == 0 {
		e.message = h.message(req)
	}
	e.returned = e.returned || returns(r, e.message, e.now, e.settings)
}

// change marks a party as used, and to be written.
func (h *History) change(i uint32, now Moment) {
	e := h.memory.at(i)
	h.mark(e)
	if e.LastContact != now { // within a second no order is kept
		h.memory.use(i)
	}
}

// mark marks a party as to be written.
func (h *History) mark(e *entry) {
	if e.dirty || h.store == nil {
		return
	}
	if len(h.dirty) >= 2*h.memory.most { // the store has been away for long: most of them are forgotten
		h.dirty = h.memory.dirty(h.dirty[:0])
	}
	e.dirty = true
	h.dirty = append(h.dirty, e.hash)
}

// note notes an event of a record; own: of the client's address.
func (r *Record) note(e *event, own bool) {
	if !r.stands(e.now, e.settings) {
		*r = r.At(e.now, e.settings)
	}
	r.FirstContact, r.LastContact = earlier(r.FirstContact, e.now), e.now
	if e.returned {
		r.comeBack(e.now)
		r.Deferrals = nil
	}
	if e.noted&policy.NotedPass != 0 {
		r.FirstPass, r.LastPass = earlier(r.FirstPass, e.now), e.now
		r.Objected, r.LastObjection = 0, 0
	}
	if e.noted&policy.NotedDeferral != 0 && !e.returned {
		r.deferrals([]Deferral{{e.message, e.now}}, e.settings)
	}
	if own && e.noted&policy.NotedObjection != 0 {
		if r.Objected < max(e.enforced, 1) || e.lastPass >= r.Objected {
			r.Objected = e.now
		}
		r.LastObjection = e.now
	}
}

// add adds one of a client's parties to the memory.
func (h *History) add(which int, hash uint64, client netip.Addr, p *policy.Parties, a *asked) uint32 {
	organisation := uint64(0)
	if which != ofOrganisation {
		organisation = a.hash[ofOrganisation]
	}
	i := h.memory.add(hash, party(which, client, p), a.wide, organisation)
	if i != nobody {
		h.memory.at(i).partial = h.store != nil
	}
	return i
}
