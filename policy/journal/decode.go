package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// ErrOther is the error of a line that is a log line, but no decision.
var ErrOther = errors.New("not a decision")

// Parse reads a line back, of either format, with or without its newline: the
// request, the facts and the decision, so that judging the request by the facts
// under the same rules gives the same decision, or none (Decision.Open) where the
// line does not hold what they ask for. Unknown keys are passed over; of words that
// are not known see [Record.Unknown]. The looks of names are judged anew. It returns ErrOther for a line that is no
// decision. The texts of the record share the memory of one copy of the line.
func Parse(line []byte) (Record, error) {
	var d decoder
	var r Record
	err := d.parse(string(bytes.TrimSpace(line)), &r)
	return r, err
}

// decoder turns the fields of a line into a record. It keeps the first error.
type decoder struct {
	fields
	err     error
	unknown string // the first word that is not known, with its key
}

// parse reads a line into a record, which is empty before.
func (d *decoder) parse(line string, r *Record) error {
	if !utf8.ValidString(line) {
		return errors.New("not UTF-8")
	}
	if err := d.split(line); err != nil {
		return err
	}
	if d.value[fMsg] != "decision" {
		return ErrOther
	}
	d.record(r)
	return d.err
}

func (d *decoder) bad(f field, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("%s=%.60q: %w", fieldKeys[f], d.value[f], err)
	}
}

// strange notes a word of a key that another version may have written.
func (d *decoder) strange(f field, word string) {
	if d.unknown == "" {
		d.unknown = fmt.Sprintf("%s=%.60q", fieldKeys[f], word)
	}
}

func (d *decoder) record(r *Record) {
	r.ID, r.Config, r.Reply = d.value[fID], d.value[fConfig], d.value[fReply]
	r.Elapsed = d.millis(fMS)
	r.Request = d.request()
	r.Facts = d.facts(&r.Request)
	r.Decision, r.NoAction = d.decision()
	if d.has[fCut] {
		r.cut = d.cut()
		r.Request.Cut = r.cut.texts()
	}
	d.unread(r)
	r.Unknown = d.unknown
}

// cut are the keys that hold less than there was.
func (d *decoder) cut() (cut fieldSet) {
	for _, key := range d.list(fCut) {
		for f := range numFields {
			if fieldKeys[f] == key && cuttable(f) {
				cut.add(f)
			}
		}
	}
	return cut
}

// unread notes the checks that another version knew more of than this one can
// read.
func (d *decoder) unread(r *Record) {
	unread := &r.Facts.Unread
	for i := range r.Decision.Checks {
		f := fPTR + field(i)
		if check := policy.Check(i); d.value[f] != "" && r.Decision.Checks[check] == policy.NotLearnt {
			unread.Add(check)
		}
	}
	// The HELO that this version cuts is malformed whole, too: no other is so long.
	if r.cut.has(fHELOIs) && r.Facts.HELO.Form != hostname.Malformed {
		unread.Add(policy.CheckHELOForm, policy.CheckHELO, policy.CheckHELOName)
	}
}

func (d *decoder) request() policy.Request {
	return policy.Request{
		Time:              d.time(),
		Client:            d.addr(fClient),
		ClientText:        d.value[fClientAddress],
		ClientName:        d.value[fClientName],
		ReverseClientName: d.value[fReverseClientName],
		HELO:              d.value[fHELOIs],
		State:             d.value[fState],
		Sender:            d.value[fSender],
		Recipient:         d.value[fRecipient],
		Instance:          d.value[fInstance],
		QueueID:           d.value[fQueueID],
		Authenticated:     d.flag(fAuthenticated),
		Encrypted:         d.flag(fEncrypted),
		Server:            d.addr(fServer),
		Context:           d.value[fContext],
	}
}

func (d *decoder) time() time.Time {
	layout, v := timeFormat, d.value[fTime]
	if len(v) == len("2006-01-02T15:04:05.000Z") && v[19] == '.' && v[23] == 'Z' {
		layout = time.RFC3339 // takes the fraction too, and is much faster
	}
	t, err := time.Parse(layout, v)
	if year := t.UTC().Year(); err != nil || year < 0 || year > 9999 {
		d.bad(fTime, errors.New("want an RFC 3339 time"))
	}
	return t
}

func (d *decoder) millis(key field) time.Duration {
	v := d.value[key]
	if v == "" {
		return 0
	}
	const most = 24 * 60 * 60 * 1000
	ms, err := strconv.ParseFloat(v, 64)
	if err != nil || !(ms >= 0 && ms <= most) { // nor NaN
		d.bad(key, errors.New("want a number of milliseconds"))
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond)).Round(time.Microsecond)
}

func (d *decoder) number(key field) int {
	v := d.value[key]
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err == nil {
		return n
	}
	// Some collectors know no whole numbers: 2.0, 2e0.
	const most = 1 << 53
	whole, err := strconv.ParseFloat(v, 64)
	if err != nil || whole != math.Trunc(whole) || math.Abs(whole) > most {
		d.bad(key, errors.New("want a number"))
		return 0
	}
	return int(whole)
}

func (d *decoder) addr(key field) netip.Addr {
	v := d.value[key]
	if v == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(v)
	if err != nil || a.Zone() != "" {
		d.bad(key, errors.New("want an address"))
	}
	return address.Plain(a)
}

func (d *decoder) flag(key field) bool {
	v := d.value[key]
	if v != "" && v != "true" && v != "false" {
		d.strange(key, v)
	}
	return v == "true"
}

func (d *decoder) facts(req *policy.Request) policy.Facts {
	f := policy.NewFacts(req)
	switch d.value[fPTR] {
	case "":
	case "none":
		f.PTR = resolver.None
	case "found", "malformed":
		f.PTR = resolver.Found
	case "temperror":
		f.PTR = resolver.TempError
	default:
		// Not asked, as far as anybody here can tell.
	}
	f.Names = d.names(req.Client)
	f.MoreNames = d.flag(fMoreNames)
	f.HELO.Lead = d.lead(fHELOTo, d.value[fHELOTo])
	f.OwnClient, f.OwnHELO = d.flag(fOwnClient), d.flag(fOwnHELO)
	f.Errors = d.list(fDNSErrors)
	f.Questions = d.number(fQuestions)
	f.Cached, f.Stale = d.flag(fCached), d.flag(fStale)
	f.Outage, f.Overload = d.flag(fOutage), d.flag(fOverload)
	return f
}

func (d *decoder) names(client netip.Addr) []policy.Name {
	elems := d.list(fNames)
	if len(elems) == 0 {
		return nil
	}
	names := make([]policy.Name, 0, len(elems))
	for _, e := range elems {
		i := strings.LastIndexByte(e, '>')
		if i < 0 {
			d.bad(fNames, errors.New("want name>address"))
			break
		}
		n := policy.NewName(e[:i], client)
		n.Lead = d.lead(fNames, e[i+1:])
		names = append(names, n)
	}
	return names
}

func (d *decoder) lead(key field, s string) policy.Lead {
	switch s {
	case "":
		return policy.Lead{}
	case "none":
		return policy.Lead{Outcome: resolver.None}
	case "temperror":
		return policy.Lead{Outcome: resolver.TempError}
	}
	if isWord(s) {
		d.strange(key, s)
		return policy.Lead{}
	}
	l := policy.Lead{Outcome: resolver.Found}
	for a := range strings.SplitSeq(s, "+") {
		addr, err := netip.ParseAddr(a)
		if err != nil || addr.Zone() != "" {
			d.bad(key, errors.New("want addresses, none or temperror"))
			return policy.Lead{}
		}
		l.Addrs = append(l.Addrs, addr)
	}
	return l
}

// isWord reports whether a text is like a word of this log: a lower-case letter, and
// then these, digits and hyphens. There is no point and no colon in it, and so it is no
// address.
func isWord(s string) bool {
	for i := range len(s) {
		letter := s[i] == '_' || 'a' <= s[i] && s[i] <= 'z'
		if !letter && (i == 0 || s[i] != '-' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return s != ""
}

// list reads a list of elements.
func (d *decoder) list(key field) []string {
	v := d.value[key]
	if v == "" {
		return nil
	}
	if strings.IndexByte(v, '\\') < 0 {
		return strings.Split(v, ",")
	}
	var elems []string
	var e []byte
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && i+1 < len(v):
			i++
			e = append(e, v[i])
		case c == ',':
			elems, e = append(elems, string(e)), e[:0]
		default:
			e = append(e, c)
		}
	}
	return append(elems, string(e))
}

// decision reads what was decided, and reports whether that is told in a word
// that is not known.
func (d *decoder) decision() (p policy.Decision, noAction bool) {
	p = policy.Decision{Rule: d.value[fRule], Downgraded: d.flag(fDowngraded)}
	known := false
	if p.Action, known = d.action(fAction, d.value[fAction]); !known {
		noAction = true
	}
	p.Decided = p.Action
	switch {
	case d.has[fDecided]:
		if p.Decided, known = d.action(fDecided, d.value[fDecided]); !known || p.Decided == policy.Info {
			d.strange(fDecided, d.value[fDecided])
			p.Decided, noAction = policy.DUNNO, true
		}
	case p.Action == policy.Info: // of what, it says nowhere
		d.strange(fDecided, "")
		p.Decided, noAction = policy.DUNNO, true
	}
	switch d.value[fMode] {
	case "", policy.Enforce.String():
	case policy.Observe.String():
		p.Mode = policy.Observe
	default:
		d.strange(fMode, d.value[fMode])
	}
	if p.Action == policy.Info {
		p.Mode = policy.ObserveInfo
	}
	p.Would = d.would()
	for i := range p.Checks {
		p.Checks[i] = d.check(policy.Check(i))
	}
	switch p.Checks[policy.CheckName] {
	case policy.Proper, policy.None:
		p.Checks[policy.CheckStrength] = policy.None // which is not written
	}
	return p, noAction
}

// would reads what was only observed, without the decision itself.
func (d *decoder) would() (all []policy.Verdict) {
	elems := d.list(fWould)
	if d.has[fDecided] && d.value[fDecided] != d.value[fAction] && len(elems) > 0 {
		elems = elems[:len(elems)-1] // the last is the decision itself
	}
	for _, e := range elems {
		word, rule, _ := strings.Cut(e, ":")
		a, known := d.action(fWould, word)
		if !known || a == policy.Info {
			a = policy.DUNNO
		}
		all = append(all, policy.Verdict{Action: a, Rule: rule})
	}
	return all
}

// check reads the outcome of a check, not learnt if that is not known.
func (d *decoder) check(c policy.Check) policy.Result {
	f := fPTR + field(c) // the fields of the checks are in their order
	result, ok := c.Result(d.value[f])
	switch {
	case ok || d.value[f] == "":
	case isWord(d.value[f]):
		d.strange(f, d.value[f])
	default:
		d.bad(f, errors.New("unknown result"))
	}
	return result
}

// action reads an action. A word that is none of those of this version is told
// from none at all: without an action a line is no decision.
func (d *decoder) action(f field, v string) (a policy.Action, known bool) {
	a, known = policy.ActionByName(v)
	switch {
	case known:
		return a, true
	case isWord(v):
		d.strange(f, v)
	default:
		_, err := policy.ParseAction(v)
		d.bad(f, err)
	}
	return policy.DUNNO, false
}
