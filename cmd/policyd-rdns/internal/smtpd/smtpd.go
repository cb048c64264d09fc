// Package smtpd tells what Postfix's smtpd does with a recipient when a stranger
// brings mail, from its configuration alone: restriction by restriction, in the
// order of a session, as Postfix's own smtpd_check.c goes through them.
//
// A restriction has one of three outcomes. It ends its list (by a permit or a
// refusal), or the next one is looked at, or that depends on what is not known
// here: a table that could not be read, the answer of another policy service, the
// DNS. Then the list goes on, as it does for most clients, and the restriction is
// noted as undetermined.
//
// Who the strangers are is a sample of the address space ([Strangers]), so that a
// table which lets half of the world pass is told from one with a few exceptions.
//
// What is left to others: reading the configuration, and what to say of it.
package smtpd

import (
	"net/netip"
	"slices"
	"strings"
)

// Config is what holds for one SMTP service.
type Config struct {
	// Param is a parameter with all names in it expanded.
	Param func(name string) string
	// Table is the text of a lookup table that is a file, such as
	// "cidr:/etc/postfix/clients"; not ok: it is not known.
	Table func(name string) (text string, ok bool)

	tables   map[string]*table
	networks []trusted
	classes  map[string][]Unit
}

// Stage is one of the lists of restrictions.
type Stage struct {
	Name  string // "client"
	Param string // "smtpd_client_restrictions"
}

// Stages are the lists in the order of a session. That of ETRN is no part of
// bringing mail.
func Stages() []Stage {
	return []Stage{
		{"client", "smtpd_client_restrictions"},
		{"helo", "smtpd_helo_restrictions"},
		{"sender", "smtpd_sender_restrictions"},
		{"relay", "smtpd_relay_restrictions"},
		{"recipient", "smtpd_recipient_restrictions"},
		{"data", "smtpd_data_restrictions"},
		{"end_of_data", "smtpd_end_of_data_restrictions"},
		{"etrn", "smtpd_etrn_restrictions"},
	}
}

// Result is what a list of restrictions, or one of them, comes to.
type Result int

// The results. A permit ends its list and no other; the others end the session for
// this recipient. Broken is what Postfix answers with 451, "Server configuration
// error".
const (
	Dunno Result = iota
	Permit
	Refuse
	Discard
	Broken
)

// Trace is the way through one list.
type Trace struct {
	Result Result
	// Unit is which unit of the list ended it, By the restriction in it that did,
	// as written: within a class, or in the answer of a table, it is another.
	// Unit is -1 if nothing did.
	Unit int
	By   string
	// Calls are the arguments of check_policy_service that Postfix came to, each
	// once.
	Calls []string
	// Undetermined are the restrictions that might have ended the list.
	Undetermined []string
}

// Walk is the way of a stranger's recipient through the list of a stage.
func (c *Config) Walk(stage string, list []Unit, s *Stranger) Trace {
	c.prepare()
	w := walk{c: c, s: s, fallback: fallbackOf(stage), trace: Trace{Unit: -1}}
	early := stage == "client" || stage == "helo" || stage == "sender"
	w.recipient = !early || c.Param("smtpd_delay_reject") != "no"
	for i, u := range list {
		if r := w.restriction(u, false); r != Dunno {
			w.trace.Result, w.trace.Unit = r, i
			break
		}
	}
	return w.trace
}

// prepare reads what all walks need.
func (c *Config) prepare() {
	if c.classes != nil {
		return
	}
	c.tables, c.classes = map[string]*table{}, map[string][]Unit{}
	for _, name := range Split(c.Param("smtpd_restriction_classes"), Separators) {
		c.classes[name] = Units(c.Param(name))
	}
	for _, word := range Split(c.Param("mynetworks"), Separators) {
		word, not := strings.CutPrefix(word, "!")
		if p, ok := Network(word); ok {
			c.networks = append(c.networks, trusted{p, !not})
		}
	}
}

// trusted is an entry of mynetworks; the first that an address is in holds. Those
// in tables and files are not read.
type trusted struct {
	netip.Prefix
	yes bool
}

func (c *Config) trusts(a netip.Addr) bool {
	i := slices.IndexFunc(c.networks, func(n trusted) bool { return n.Contains(a) })
	return i >= 0 && c.networks[i].yes
}

// fallbackOf is the restriction that a table alone stands for, "hash:/file".
func fallbackOf(stage string) string {
	switch stage {
	case "client", "helo", "sender", "etrn":
		return "check_" + stage + "_access"
	case "relay", "recipient":
		return "check_recipient_access"
	}
	return ""
}

// Bounds of a walk: classes and tables that name each other, and restrictions.
const (
	maxDepth = 20
	maxSteps = 5000
)

type walk struct {
	c         *Config
	s         *Stranger
	fallback  string
	recipient bool     // is known already
	within    []string // the classes that it is in: one within itself is passed over
	depth     int
	steps     int
	trace     Trace
}

// restriction is what one unit comes to; warn: a refusal is only logged.
func (w *walk) restriction(u Unit, warn bool) Result {
	if w.steps++; w.steps > maxSteps || w.depth > maxDepth {
		return Dunno
	}
	u, first := u.CutWarn()
	warn = warn || first
	name, arg := strings.ToLower(u[0]), ""
	if len(u) > 1 {
		arg = u[1]
	}
	if strings.Contains(name, ":") && !w.c.Strange(u) {
		name, arg = w.fallback, u[0]
	}
	inner := w.trace.By
	r := w.outcome(name, arg, u, warn)
	if r == Refuse && warn {
		return Dunno
	}
	if r != Dunno && w.trace.By == inner {
		w.trace.By = u.String()
	}
	return r
}

// outcome is what a restriction comes to, refusals that are only logged included.
func (w *walk) outcome(name, arg string, u Unit, warn bool) Result {
	switch name {
	case "permit":
		return Permit
	case "reject", "defer":
		return Refuse
	case "permit_mynetworks":
		return permitIf(w.c.trusts(w.s.Addr))
	case "permit_auth_destination", "permit_mx_backup", "check_relay_domains":
		return permitIf(w.recipient) // it is of a domain of ours
	case CallName:
		if !slices.Contains(w.trace.Calls, arg) {
			w.trace.Calls = append(w.trace.Calls, arg)
		}
		return Dunno // as far as is known
	case "":
		return Broken // a table alone where that stands for nothing
	}
	if list, ok := w.c.classes[u[0]]; ok {
		if slices.Contains(w.within, u[0]) {
			return Dunno
		}
		w.within = append(w.within, u[0])
		defer func() { w.within = w.within[:len(w.within)-1] }()
		return w.list(list, warn)
	}
	if isTable(name) {
		return w.table(name, arg, warn)
	}
	if w.c.Strange(u) {
		return Broken
	}
	if !isRestriction(name) {
		w.undetermined(name)
	}
	return Dunno // it decides by what the client is or says, for a few
}

func permitIf(ok bool) Result {
	if ok {
		return Permit
	}
	return Dunno
}

// list is a class, or what a table said.
func (w *walk) list(list []Unit, warn bool) Result {
	w.depth++
	defer func() { w.depth-- }()
	for _, u := range list {
		if r := w.restriction(u, warn); r != Dunno {
			return r
		}
	}
	return Dunno
}

func (w *walk) undetermined(text string) {
	if !slices.Contains(w.trace.Undetermined, text) {
		w.trace.Undetermined = append(w.trace.Undetermined, text)
	}
}

// GuardsRelay reports whether a list refuses recipients that are not ours, as
// Postfix wants it of smtpd_relay_restrictions or smtpd_recipient_restrictions:
// where neither does, smtpd ends for every client (has_required in smtpd_check.c,
// which looks neither into tables nor behind a permit).
func (c *Config) GuardsRelay(list []Unit) bool {
	c.prepare()
	steps := 0
	return c.guards(list, nil, &steps)
}

func (c *Config) guards(list []Unit, within []string, steps *int) bool {
	for _, u := range list {
		if *steps++; *steps > maxSteps {
			return false
		}
		u, warn := u.CutWarn()
		switch strings.ToLower(u[0]) {
		case "permit":
			if !warn {
				return false
			}
		case "check_relay_domains", "reject_unauth_destination", "defer_unauth_destination", "reject", "defer", "defer_if_permit":
			if !warn {
				return true
			}
		}
		inner, ok := c.classes[u[0]]
		if ok && !warn && !slices.Contains(within, u[0]) && c.guards(inner, append(slices.Clip(within), u[0]), steps) {
			return true
		}
	}
	return false
}
