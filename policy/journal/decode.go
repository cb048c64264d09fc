package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal/scan"
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
	known   *memory // nil: all is judged anew
	err     error
	unknown string // the first word that is not known, with its key
}

// The fields that are looked at by name.
var (
	msgField, _     = fieldOf("msg")
	actionField, _  = fieldOf("action")
	decidedField, _ = fieldOf("decided")
	spanField, _    = fieldOf("ms")
	namesField, _   = fieldOf("names")
	heloToField, _  = fieldOf("helo_to")
	heloField, _    = fieldOf("helo_is")
)

// parse reads a line into a record, which is empty before.
func (d *decoder) parse(line string, r *Record) error {
	if !utf8.ValidString(line) {
		return errors.New("not UTF-8")
	}
	if err := d.split(line); err != nil {
		return err
	}
	if d.value[msgField] != "decision" {
		return ErrOther
	}
	for i := range table {
		if d.has.has(field(i)) || table[i].need {
			d.field(field(i), r)
		}
	}
	d.complete(r)
	r.Unknown = d.unknown
	return d.err
}

func (d *decoder) bad(f field, err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("%s=%.60q: %w", table[f].key, d.value[f], err)
	}
}

// strange notes a word of a key that another version may have written.
func (d *decoder) strange(f field, word string) {
	if d.unknown == "" {
		d.unknown = fmt.Sprintf("%s=%.60q", table[f].key, word)
	}
}

// field reads a key into the record.
func (d *decoder) field(f field, r *Record) {
	row, v := &table[f], d.value[f]
	switch row.kind {
	case kindText:
		*row.text(r) = v
	case kindFlag:
		*row.flag(r) = d.flag(f)
	case kindCheck:
		d.check(f, row.check, r)
	case kindNumber, kindCount:
		*row.number(r) = d.number(f)
	case kindAddr:
		*row.addr(r) = d.addr(f)
	case kindTime, kindMoment:
		*row.time(r) = d.time(f)
	case kindSpan:
		*row.span(r) = d.millis(f)
	case kindSaid, kindList:
		switch {
		case row.take == nil:
		case d.known != nil && f == namesField:
			d.names(r)
		case d.known != nil && f == heloToField:
			d.heloTo(r)
		default:
			d.take(f, d.of(f), r)
		}
	case kindCut:
		d.cut(f, r)
	}
}

// take reads a value that is taken apart, and reports whether it is known whole.
func (d *decoder) take(f field, v value, r *Record) bool {
	odd, err := table[f].take(v, r)
	if err != nil {
		d.bad(f, err)
	} else if odd != noWord {
		d.strange(f, odd)
	}
	return err == nil && odd == noWord
}

// cut reads the keys that hold less than there was.
func (d *decoder) cut(f field, r *Record) {
	d.bad(f, d.of(f).texts(func(key string) {
		if of, ok := fieldOf(key); ok && table[of].cuts {
			r.cut.add(of)
			r.Request.Cut |= table[of].judged
		}
	}))
}

// complete sets what follows from all keys together.
func (d *decoder) complete(r *Record) {
	f, p := &r.Facts, &r.Decision
	if d.known == nil {
		judgeNames(f, r.Request.Client)
		judgeHELO(f, r.Request.HELO, r.Request.Client)
	} else if !d.has.has(heloToField) {
		d.heloTo(r)
	}
	switch p.Checks[policy.CheckPTR] {
	case policy.None:
		f.PTR = resolver.None
	case policy.Found, policy.Malformed:
		f.PTR = resolver.Found
	case policy.TempError:
		f.PTR = resolver.TempError
	}
	f.Past.DomainAsked = true
	f.Past.Asked = p.Checks[policy.CheckHistory] != policy.NotLearnt
	switch p.Checks[policy.CheckName] {
	case policy.Proper, policy.None:
		p.Checks[policy.CheckStrength] = policy.None // which is not written
		p.Checks[policy.CheckKind] = policy.None
	}
	// The HELO that this version cuts is malformed whole, too: no other is so long.
	if r.Request.Cut&policy.AttrHELO != 0 && f.HELO.Form != hostname.Malformed {
		f.Unread.Add(policy.ChecksOf(policy.AttrHELO)...)
	}
	d.decided(p, r)
}

// judgeNames judges the names among the facts by their looks.
func judgeNames(f *policy.Facts, client netip.Addr) {
	for i := range f.Names {
		n := &f.Names[i]
		to := n.Forward
		*n = policy.NewName(n.Name, client)
		n.Forward = to
	}
}

// judgeHELO judges the HELO by its looks.
func judgeHELO(f *policy.Facts, helo string, client netip.Addr) {
	to := f.HELO.Forward
	f.HELO = policy.NewHELO(helo, client)
	f.HELO.Forward = to
}

// decided sets what the rules came to, if that is told in no key of its own.
func (d *decoder) decided(p *policy.Decision, r *Record) {
	told := d.has.has(decidedField)
	switch {
	case told && d.value[decidedField] != d.value[actionField] && len(p.Would) > 0:
		p.Would = p.Would[:len(p.Would)-1] // the last is the decision itself
		if len(p.Would) == 0 {
			p.Would = nil
		}
	case !told && p.Action == policy.Info: // of what, it says nowhere
		d.strange(decidedField, "")
		r.NoAction = true
	case !told && p.Action != policy.Tag: // which is of what comes to dunno
		p.Decided = p.Action
	}
	if p.Action == policy.Info {
		p.Mode = policy.ObserveInfo
	}
}

func (d *decoder) time(f field) time.Time {
	v := d.value[f]
	if t, ok := scan.Time(v); ok {
		return t
	}
	t, err := time.Parse(timeFormat, v)
	if year := t.UTC().Year(); err != nil || year < 0 || year > 9999 {
		d.bad(f, errors.New("want an RFC 3339 time"))
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

// check reads the outcome of a check, not learnt if that is not known: another version
// knew more of it than this one can read.
func (d *decoder) check(f field, c policy.Check, r *Record) {
	v := d.value[f]
	if v == "" {
		return
	}
	result, known := c.Result(v)
	r.Decision.Checks[c] = result
	if fact := c.Fact(&r.Facts); fact != nil {
		*fact = result
	}
	switch {
	case known:
	case scan.Word(v):
		d.strange(f, v)
		r.Facts.Unread.Add(c)
	default:
		d.bad(f, errors.New("unknown result"))
	}
}

// noWord is what take gives where there is no word that it does not know: no line has
// it.
const noWord = "\x00"

// takeAction reads what was done.
func takeAction(v value, r *Record) (odd string, err error) {
	a, known, err := actionOf(v.text)
	r.Decision.Action = a
	if known {
		return noWord, nil
	}
	r.NoAction = true
	return v.text, err
}

// takeDecided reads what the rules came to.
func takeDecided(v value, r *Record) (odd string, err error) {
	a, known, err := actionOf(v.text)
	if known && a != policy.Info {
		r.Decision.Decided = a
		return noWord, nil
	}
	r.NoAction = true
	return v.text, err
}

func takeMode(v value, r *Record) (odd string, err error) {
	switch v.text {
	case "", policy.Enforce.String():
	case policy.Observe.String():
		r.Decision.Mode = policy.Observe
	default:
		return v.text, nil
	}
	return noWord, nil
}

// actionOf reads an action. A word that is none of those of this version is told from
// none at all, which is an error: without an action a line is no decision.
func actionOf(v string) (a policy.Action, known bool, err error) {
	a, known = policy.ActionByName(v)
	if known || scan.Word(v) {
		return a, known, nil
	}
	_, err = policy.ParseAction(v)
	return policy.DUNNO, false, err
}
