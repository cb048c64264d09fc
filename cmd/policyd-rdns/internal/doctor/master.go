package doctor

import (
	"net/netip"
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
		if name, value, ok := parameter(text); ok {
			s.Options = append(s.Options, Option{name, value})
		}
	}
	return s, true
}

// kind is what a service is for, as far as its name and place tell.
type kind int

const (
	notSMTP    kind = iota
	mx              // where strangers bring mail
	submission      // where users do
	internal        // on the loopback: for what a filter brings back
)

func (k kind) String() string {
	return [...]string{"", "incoming", "submission", "loopback"}[k]
}

// kindOf reads a service's name. What is no known port is for strangers.
func kindOf(s *Service) kind {
	if s.Command != "smtpd" && !strings.HasSuffix(s.Command, "/smtpd") {
		return notSMTP
	}
	if s.Type != "inet" {
		return mx // behind postscreen
	}
	host, port := cutHost(s.Name)
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return internal
	}
	switch port {
	case "submission", "587", "smtps", "submissions", "465":
		return submission
	}
	return mx
}

// cutHost parts "host:port", "[host]:port" or "port".
func cutHost(name string) (host, port string) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return "", name
	}
	return strings.Trim(name[:i], "[]"), name[i+1:]
}

// chrooted says that the service's processes see nothing but the queue
// directory. The default was "y" before Postfix 3.0, and is so still at
// compatibility level 0 (COMPATIBILITY_README).
func (p *Postfix) chrooted(s *Service) bool {
	if s.Chroot != "-" {
		return s.Chroot == "y"
	}
	level, _, _ := strings.Cut(p.Values["compatibility_level"], ".")
	n, err := strconv.Atoi(level)
	_, _, known := p.version()
	return p.before(3, 0) || err == nil && n == 0 || err != nil && known
}

// processes is how many there may be of a service at once; 0: any number.
func (p *Postfix) processes(s *Service) int {
	text := s.MaxProc
	if text == "-" {
		text = p.with(s).expand("$default_process_limit")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
