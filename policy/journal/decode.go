package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// ErrOther is the error of a line that is a log line, but no decision.
var ErrOther = errors.New("not a decision")

// Parse reads a line back, of either format, with or without its newline: the
// request, the facts and the decision, so that judging the request by the facts
// under the same rules gives the same decision. Unknown keys are passed over.
// The looks of names are judged anew. It returns ErrOther for a line that is no
// decision.
func Parse(line []byte) (Record, error) {
	fields, err := split(bytes.TrimSpace(line))
	if err != nil {
		return Record{}, err
	}
	if fields["msg"] != "decision" {
		return Record{}, ErrOther
	}
	d := decoder{fields: fields}
	r := d.record()
	return r, d.err
}

// split reads the fields of a line as text.
func split(line []byte) (map[string]string, error) {
	if len(line) > 0 && line[0] == '{' {
		return splitJSON(line)
	}
	return splitLogfmt(line)
}

func splitJSON(line []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	fields := make(map[string]string, len(raw))
	for k, v := range raw {
		if v[0] != '"' {
			fields[k] = string(v)
			continue
		}
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return nil, fmt.Errorf("reading JSON: %s: %w", k, err)
		}
		fields[k] = s
	}
	return fields, nil
}

func splitLogfmt(line []byte) (map[string]string, error) {
	fields := make(map[string]string, 40)
	for rest := string(line); rest != ""; rest = strings.TrimLeft(rest, " ") {
		key, after, ok := strings.Cut(rest, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			return nil, fmt.Errorf("%.60q: want key=value", rest)
		}
		if !strings.HasPrefix(after, `"`) {
			fields[key], rest, _ = strings.Cut(after, " ")
			continue
		}
		end := quoted(after)
		if end < 0 {
			return nil, fmt.Errorf("%s: no closing quote", key)
		}
		var s string
		if err := json.Unmarshal([]byte(after[:end]), &s); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		fields[key] = s
		rest = after[end:]
	}
	return fields, nil
}

// quoted finds the end of the quoted text at the beginning of s, or -1.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// decoder turns the fields of a line into a record. It keeps the first error.
type decoder struct {
	fields map[string]string
	err    error
}

func (d *decoder) bad(key string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("%s=%.60q: %w", key, d.fields[key], err)
	}
}

func (d *decoder) record() Record {
	r := Record{ID: d.fields["id"], Config: d.fields["config"], Reply: d.fields["reply"], Request: d.request()}
	if ms, err := strconv.ParseFloat(d.fields["ms"], 64); err == nil {
		r.Elapsed = time.Duration(ms * float64(time.Millisecond)).Round(time.Microsecond)
	}
	r.Facts = d.facts(&r.Request)
	r.Decision = d.decision()
	return r
}

func (d *decoder) request() policy.Request {
	f := d.fields
	t, err := time.Parse(timeFormat, f["time"])
	if err != nil {
		d.bad("time", errors.New("want an RFC 3339 time"))
	}
	return policy.Request{
		Time:              t,
		Client:            d.addr("client"),
		ClientText:        f["client_address"],
		ClientName:        f["client_name"],
		ReverseClientName: f["reverse_client_name"],
		HELO:              f["helo_is"],
		State:             f["state"],
		Sender:            f["sender"],
		Recipient:         f["recipient"],
		Instance:          f["instance"],
		QueueID:           f["queue_id"],
		Authenticated:     d.flag("authenticated"),
		Encrypted:         d.flag("encrypted"),
		Server:            d.addr("server"),
		Context:           f["context"],
	}
}

func (d *decoder) addr(key string) netip.Addr {
	v := d.fields[key]
	if v == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(v)
	if err != nil {
		d.bad(key, errors.New("want an address"))
	}
	return a
}

func (d *decoder) flag(key string) bool { return d.fields[key] == "true" }

func (d *decoder) facts(req *policy.Request) policy.Facts {
	f := policy.NewFacts(req)
	switch d.fields["ptr"] {
	case "":
	case "none":
		f.PTR = resolver.None
	case "found", "malformed":
		f.PTR = resolver.Found
	case "temperror":
		f.PTR = resolver.TempError
	default:
		d.bad("ptr", errors.New("unknown result"))
	}
	for _, e := range d.list("names") {
		i := strings.LastIndexByte(e, '>')
		if i < 0 {
			d.bad("names", errors.New("want name>address"))
			break
		}
		n := policy.NewName(e[:i], req.Client)
		n.Lead = d.lead("names", e[i+1:])
		f.Names = append(f.Names, n)
	}
	f.MoreNames = d.flag("more_names")
	f.HELO.Lead = d.lead("helo_to", d.fields["helo_to"])
	f.OwnClient, f.OwnHELO = d.flag("own_client"), d.flag("own_helo")
	f.Errors = d.list("dns_errors")
	f.Questions, _ = strconv.Atoi(d.fields["questions"])
	f.Cached, f.Stale = d.flag("cached"), d.flag("stale")
	return f
}

func (d *decoder) lead(key, s string) policy.Lead {
	switch s {
	case "":
		return policy.Lead{}
	case "none":
		return policy.Lead{Outcome: resolver.None}
	case "temperror":
		return policy.Lead{Outcome: resolver.TempError}
	}
	l := policy.Lead{Outcome: resolver.Found}
	for a := range strings.SplitSeq(s, "+") {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			d.bad(key, errors.New("want addresses, none or temperror"))
			return policy.Lead{}
		}
		l.Addrs = append(l.Addrs, addr)
	}
	return l
}

// list reads a list of elements.
func (d *decoder) list(key string) []string {
	v, ok := d.fields[key]
	if !ok {
		return nil
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

func (d *decoder) decision() policy.Decision {
	f := d.fields
	p := policy.Decision{Rule: f["rule"], Downgraded: d.flag("downgraded")}
	p.Action = d.action("action", f["action"])
	p.Decided = p.Action
	if v, ok := f["decided"]; ok {
		p.Decided = d.action("decided", v)
	}
	if f["mode"] == policy.Observe.String() {
		p.Mode = policy.Observe
	}
	if p.Action == policy.Info {
		p.Mode = policy.ObserveInfo
	}
	for _, e := range d.list("would") {
		a, rule, _ := strings.Cut(e, ":")
		p.Would = append(p.Would, policy.Verdict{Action: d.action("would", a), Rule: rule})
	}
	if p.Decided != p.Action && len(p.Would) > 0 {
		// The last is the decision itself.
		p.Would = p.Would[:len(p.Would)-1]
	}
	for i := range p.Checks {
		c := policy.Check(i)
		v := f[c.String()]
		result, ok := c.Result(v)
		if !ok && v == policy.None.String() {
			result, ok = policy.None, true
		}
		if !ok && v != "" {
			d.bad(c.String(), errors.New("unknown result"))
		}
		p.Checks[i] = result
	}
	switch p.Checks[policy.CheckName] {
	case policy.Proper, policy.None:
		p.Checks[policy.CheckStrength] = policy.None // which is not written
	}
	return p
}

func (d *decoder) action(key, v string) policy.Action {
	if v == policy.Info.String() {
		return policy.Info
	}
	a, err := policy.ParseAction(v)
	if err != nil {
		d.bad(key, err)
	}
	return a
}
