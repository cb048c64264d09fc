package history

import (
	"context"
	"encoding/binary"
	"encoding/hex"

	"policyd-rdns/policy"
)

// Sender is policy/gather's.
func (h *History) Sender(domain string, nearby bool) (is policy.Sender, wait func(context.Context) policy.Sender) {
	if domain == "" {
		return policy.Sender{}, nil
	}
	is, whole := h.ofDomain(domain)
	switch {
	case whole:
		return is, nil
	case !h.well.Load():
		return unsure(is), nil
	case nearby:
		return policy.Sender{Correspondent: policy.Undetermined}, nil
	}
	loaded := make(chan bool, 1)
	go func() {
		name := h.correspondent(domain)
		loaded <- h.loadThese(MakeParty(KindCorrespondent, string(name[:])), MakeParty(KindSender, domain))
	}()
	return policy.Sender{Correspondent: policy.Undetermined}, func(ctx context.Context) policy.Sender {
		sure := answered(ctx, loaded)
		is, whole := h.ofDomain(domain)
		if sure || whole {
			return is
		}
		return unsure(is)
	}
}

// unsure is what memory has of a domain of which the store may have more.
func unsure(is policy.Sender) policy.Sender {
	for _, t := range []*policy.Truth{&is.Correspondent, &is.Known} {
		if *t == policy.No {
			*t = policy.Unknown
		}
	}
	return is
}

// ofDomain is what memory has of a domain. whole: the store has no more that matters.
func (h *History) ofDomain(domain string) (is policy.Sender, whole bool) {
	now := h.now()
	whole = h.store == nil
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.correspondents.Load() != 0 { // else a keyed hash is too dear
		name := h.correspondent(domain)
		found, all := h.counts(h.memory.hashBytes(KindCorrespondent, name[:]), now, func(r *Record) bool { return !r.Empty() })
		if whole = all; found {
			is.Correspondent = policy.Yes
		}
	}
	found, all := h.counts(h.memory.hashName(KindSender, domain), now, (*Record).Known)
	if found {
		is.Known = policy.Yes
	}
	return is, whole && all
}

// counts reports whether memory has a party of which something is true, as it counts at a
// moment. whole: the store has no more that matters.
func (h *History) counts(hash uint64, now Moment, what func(*Record) bool) (is, whole bool) {
	i := h.memory.find(hash)
	if i == nobody {
		return false, h.store == nil
	}
	e := h.memory.at(i)
	r := e.At(now, h.settings.Load())
	is = what(&r)
	return is, is || h.store == nil || !h.shared && !e.partial
}

// correspondent is the name of the party that a domain is to which users of ours write: a
// keyed hash, in hexadecimal digits.
func (h *History) correspondent(domain string) (name [16]byte) {
	var buf [300]byte
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], h.hash(append(append(buf[:0], KindCorrespondent), domain...)))
	hex.Encode(name[:], sum[:])
	return name
}

// loadThese reads parties from the store that a domain is. One that is none is remembered as
// such, so that the file is not read for each message of a domain.
func (h *History) loadThese(parties ...Party) bool {
	records := h.ofStore(parties)
	if records == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, p := range parties {
		hash, _ := h.memory.hashParty(p)
		at := h.memory.find(hash)
		if at == nobody {
			if records[n].Empty() && h.shared { // it is asked again anyway
				continue
			}
			at = h.memory.add(hash, p, 0, 0)
			if p.Kind() == KindCorrespondent {
				h.correspondents.Add(1)
			}
		}
		h.merge(at, &records[n])
	}
	return true
}

// noteCorrespondent notes that a user of ours writes to a domain. It is as a pass, so that
// it is no stranger and is kept as long.
func (h *History) noteCorrespondent(domain string) {
	if domain == "" {
		return
	}
	now := h.now()
	name := h.correspondent(domain)
	h.mu.Lock()
	defer h.mu.Unlock()
	hash := h.memory.hashBytes(KindCorrespondent, name[:])
	i := h.memory.find(hash)
	if i == nobody {
		i = h.memory.add(hash, MakeParty(KindCorrespondent, string(name[:])), 0, 0)
		h.correspondents.Add(1)
	}
	h.change(i, now)
	r := &h.memory.at(i).Record
	r.FirstContact, r.LastContact = earlier(r.FirstContact, now), now
	r.FirstPass, r.LastPass = now, now
	h.memory.classify(i, passed)
}

// noteSender notes a pass of a domain of MAIL FROM. The lock is held.
func (h *History) noteSender(domain string, a *asked, e *event) {
	hash := h.memory.hashName(KindSender, domain)
	i := h.memory.find(hash)
	if i == nobody {
		// What others are remembered by in the client's network is not touched.
		i = h.memory.add(hash, MakeParty(KindSender, domain), a.wide^uint64(KindSender), 0)
		if i == nobody {
			return
		}
		h.memory.at(i).partial = h.store != nil
	}
	party := h.memory.at(i)
	if party.settled(e) {
		return
	}
	h.change(i, e.now)
	party.note(&event{noted: policy.NotedPass, now: e.now, settings: e.settings}, false)
	h.memory.classify(i, party.worthKeeping())
}
