// Package doctor finds out whether Postfix, the DNS and the machine are set up
// so that policyd-rdns can do its work, and says what to change.
//
// It works in two steps. [Read] reads what there is to read into one value, a
// [machine.Machine]: Postfix's parameters and services, the files on the way to a
// unix socket, what the DNS servers answer, the systemd unit, the log file, and
// what the running daemon answers to one request. [Examine] then turns that value
// and a [View] of the daemon's configuration into findings. It reads nothing itself
// and waits for nothing, so that a test, or a file from another machine, is as good
// as the machine itself.
//
// Whether Postfix calls the daemon is not read off the place of the call in a list:
// the mail of strangers is followed through all lists of each service (package
// smtpd), and what becomes of it decides.
//
// What is promised: nothing is changed. Postfix is asked by postconf(1) and
// "postmap -q" alone and systemd by "systemctl show"; the DNS servers get five queries each, and are
// queried for the MX hosts of our own domains; the daemon gets one request on each
// of its sockets, about the client 127.0.0.1; other policy services that Postfix
// calls see a connection without a request. All text of others in a finding is
// printable ASCII and bounded.
//
// What is left to others: which configuration file to look at, how findings are
// shown, and what the exit status is.
package doctor

import (
	"net/netip"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// Finding is one thing that was looked at and what came of it.
type Finding finding.Finding

// Level says how much a finding matters.
type Level = finding.Level

// The levels, worst first. Only an Error has to be mended.
const (
	Error   = finding.Error
	Warning = finding.Warning
	Info    = finding.Info
	OK      = finding.OK
)

// View is what the checks need to know of the daemon's configuration.
type View struct {
	// Path is its file; empty: the built-in one.
	Path string
	// Listen are the addresses as in server.listen: "127.0.0.1:10040",
	// "unix:/path".
	Listen []string
	// Deadline is for one decision.
	Deadline time.Duration
	// Connections is server.max_connections, Descriptors how many file descriptors
	// the daemon needs with all of them in use.
	Connections int
	Descriptors uint64
	// Networks and OwnNames are as written in server.networks and helo.own_names.
	Networks, OwnNames []string
	// OwnsClient reports whether an address is one of server.networks, or the host's.
	OwnsClient func(netip.Addr) bool
	// OwnsName reports whether a HELO with the name, or the address, would be held to
	// be ours. The name is lower case and without a final dot.
	OwnsName func(string) bool
	// LogFile is where decisions go; empty: the journal.
	LogFile string
	// Builtin reports whether the built-in rules are in force, which let users who
	// logged in, and clients of private and own addresses, pass.
	Builtin bool
	// Tags are the names of the rules in force that tag mail.
	Tags []string
	// Defers reports whether the rules have clients come again: a reject that waits, or a
	// defer by history.
	Defers bool
	// Contact and Help are as written in reply.contact and reply.help.
	Contact, Help string
}

// examination is what the checks look at.
type examination struct {
	m      *machine.Machine
	v      *View
	places []*place
	ours   []*call // of this daemon
	others []*call // of other policy services
	ways   map[*maincf.Service]*way
}

// Examine judges a machine. The findings are in order of subject: Postfix, the
// socket, the daemon, its unit and log, the DNS, what is our own.
func Examine(m *machine.Machine, v *View) []Finding {
	x := &examination{m: m, v: v}
	x.places = places(&m.Postfix)
	x.findCalls()
	x.findWays()
	var all []Finding
	for _, check := range []func(*examination) []Finding{
		checkRead,
		checkDies, checkBroken, checkCalled, each(checkByTable), checkUnreadTables, each(checkDead), checkSilent, each(checkFamily), each(checkOrder), each(checkUsers), checkTwice, each(checkStage), each(checkWarnOnly), each(checkUnlisted), each(checkFilterPort), checkOthers,
		checkSyntax, each(checkBraces), each(checkDefaultAction), each(checkTimeout), each(checkRequestLimit), each(checkHostNames),
		each(checkDelayReject), each(checkSoftens), checkPeerName, checkFront, checkStacked, checkSoftBounce, checkLimits, checkTags, checkRefusal,
		each(checkPaths), checkSELinux, checkAnswers, checkUnit, checkDescriptors, checkLog, checkStack,
		checkServers, checkForwarders, checkNegative,
		checkNetworks, checkNames, checkExchangers,
	} {
		all = append(all, once(check(x))...)
	}
	for i := range all {
		(*finding.Finding)(&all[i]).Clean()
	}
	return all
}

// each is a check of the daemon's calls, one by one.
func each(check func(*examination, *call) []Finding) func(*examination) []Finding {
	return func(x *examination) (all []Finding) {
		for _, c := range x.ours {
			all = append(all, check(x, c)...)
		}
		return all
	}
}

// Worst is the worst level among findings; OK if there is none.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		if f.Level.Rank() > worst.Rank() {
			worst = f.Level
		}
	}
	return worst
}
