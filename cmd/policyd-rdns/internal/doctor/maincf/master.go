package maincf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Service is a line of master.cf(5).
type Service struct {
	Name    string // "smtp", "127.0.0.1:10025"
	Type    string // "inet", "unix", "pass"
	Chroot  string // "y", "n" or "-", the default
	MaxProc string // a number or "-", the default
	Command string // "smtpd"
	Options []Option
}

// Option is "-o name=value" behind a service: a parameter of its own.
type Option struct{ Name, Value string }

// String is the service as postconf(1) names it: "smtp/inet".
func (s *Service) String() string { return s.Name + "/" + s.Type }

// Sets reports whether the service has a value of its own for a parameter.
func (s *Service) Sets(name string) bool {
	return slices.ContainsFunc(s.Options, func(o Option) bool { return o.Name == name })
}

// parseService reads "name type private unprivileged chroot wakeup maxproc
// command arguments".
func parseService(line string) (Service, bool) {
	words := smtpd.Split(line, " \t")
	if len(words) < 8 {
		return Service{}, false
	}
	s := Service{Name: words[0], Type: words[1], Chroot: words[4], MaxProc: words[6], Command: words[7]}
	switch s.Type {
	case "inet", "unix", "fifo", "pass", "unix-dgram":
	default:
		return Service{}, false
	}
	for args := words[8:]; len(args) > 0; args = args[1:] {
		text, ok := strings.CutPrefix(args[0], "-o")
		if !ok {
			continue
		}
		if text == "" && len(args) > 1 {
			args = args[1:]
			text = args[0]
		}
		if inner, ok := smtpd.Unbrace(text); ok { // "-o { name = value }", Postfix 3.0
			text = inner
		}
		if name, value, ok := Parameter(text); ok {
			s.Options = append(s.Options, Option{name, value})
		}
	}
	return s, true
}

// Kind is what a service is for, as far as its name and place tell.
type Kind int

const (
	NotSMTP    Kind = iota
	MX              // where strangers bring mail
	Submission      // where users do
	Internal        // on the loopback: for what a filter brings back
)

func (k Kind) String() string {
	return [...]string{"", "incoming", "submission", "loopback"}[k]
}

// kindOf reads a service's name. What is no known port is for strangers.
func kindOf(s *Service) Kind {
	if s.Command != "smtpd" && !strings.HasSuffix(s.Command, "/smtpd") {
		return NotSMTP
	}
	if s.Type != "inet" {
		return MX // behind postscreen
	}
	host, port := CutHost(s.Name)
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return Internal
	}
	switch port {
	case "submission", "587", "smtps", "submissions", "465":
		return Submission
	}
	return MX
}

// CutHost parts "host:port", "[host]:port" or "port".
func CutHost(name string) (host, port string) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return "", name
	}
	return strings.Trim(name[:i], "[]"), name[i+1:]
}

// Chrooted reports whether the service's processes see nothing but the queue
// directory. The default was "y" before Postfix 3.0, and is so still at
// compatibility level 0 (COMPATIBILITY_README).
func (p *Postfix) Chrooted(s *Service) bool {
	if s.Chroot != "-" {
		return s.Chroot == "y"
	}
	level, _, _ := strings.Cut(p.Values["compatibility_level"], ".")
	n, err := strconv.Atoi(level)
	_, _, known := p.Version()
	return p.Before(3, 0) || err == nil && n == 0 || err != nil && known
}

// Processes is how many there may be of a service at once; 0: any number.
func (p *Postfix) Processes(s *Service) int {
	text := s.MaxProc
	if text == "-" {
		text = p.With(s).Expand("$default_process_limit")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// SMTPD are the SMTP services; without master.cf the one that every Postfix has.
func (p *Postfix) SMTPD() []Service {
	if p.MasterUnread != "" {
		return []Service{{Name: "smtp", Type: "inet", Chroot: "?", MaxProc: "-", Command: "smtpd"}}
	}
	var all []Service
	for _, s := range p.Services {
		if kindOf(&s) != NotSMTP {
			all = append(all, s)
		}
	}
	return all
}

// KindOf is that of a service among the others: where all are on the loopback,
// that is where strangers come in.
func (p *Postfix) KindOf(s *Service) Kind {
	k := kindOf(s)
	if k == Internal && !slices.ContainsFunc(p.SMTPD(), func(s Service) bool { return kindOf(&s) == MX }) {
		return MX
	}
	return k
}
