package machine

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// Wanted says what of a machine to read, beside what there always is.
type Wanted struct {
	Postfix maincf.Postfix // by System.Postfix, or read elsewhere
	Unit    Unit           // by System.Unit
	Account string         // that Postfix's smtpd runs as
	Listen  []string       // the daemon's addresses, as in server.listen
	LogFile string         // of decisions; empty: there is none
	Sockets []string       // unix sockets: their files
	// Tables are the files of lookup tables, by the names of the tables.
	Tables map[string]string
	// Services are the policy services of others to try.
	Services []Service
	// Headers are to be looked up in header_checks.
	Headers Headers
	// Lookups are to be made in Postfix's tables.
	Lookups []Lookup
	// Domains are those whose MX hosts are looked up.
	Domains []string
	// Servers are the DNS servers that the daemon queries.
	Servers []netip.AddrPort
}

// Service is a policy service, as it is written and as it is dialled.
type Service struct{ Text, Network, Target string }

// examineTime bounds each query to a DNS server.
const examineTime = 3 * time.Second

// Read reads the machine. It takes some seconds at most for each DNS server and
// address that does not answer.
func (s *System) Read(ctx context.Context, w Wanted) Machine {
	m := Machine{Postfix: w.Postfix, Unit: w.Unit, Networks: s.Networks(), Paths: map[string]Path{}}
	m.Account = s.Account(w.Account)
	for _, file := range w.Sockets {
		m.Paths[file] = s.path(file)
	}
	m.Postfix.Tables = s.tables(w.Tables)
	m.Headers = s.headerChecks(ctx, w.Headers)
	m.Process = s.process(w.Unit.PID)
	m.Log = s.logFile(w.LogFile)
	m.SELinux = s.selinux(ctx, time.Now())
	m.Servers = make([]Server, len(w.Servers))
	m.Answers = make([]Answer, len(w.Listen))
	var asking sync.WaitGroup
	for i, addr := range w.Servers {
		asking.Go(func() { m.Servers[i] = Server{addr, s.Examine(ctx, addr, examineTime)} })
	}
	for i, address := range w.Listen {
		asking.Go(func() { m.Answers[i] = s.ask(ctx, address) })
	}
	asking.Go(func() { m.Silent = s.silent(ctx, w.Services) })
	asking.Go(func() { m.Lookups = s.lookups(ctx, w.Lookups) })
	asking.Go(func() { m.Exchangers = s.exchangers(ctx, w.Domains) })
	asking.Wait()
	m.Forwards = s.forwards(m.Servers)
	return m
}

// Postfix asks postconf(1), of the instance that MAIL_CONFIG names if it does.
// Names within values are expanded by postconf itself, if it can: since 2.10.
func (s *System) Postfix(ctx context.Context) maincf.Postfix {
	values, err := s.Run(ctx, "postconf", "-x")
	if err != nil {
		values, err = s.Run(ctx, "postconf")
	}
	if err != nil {
		return maincf.Postfix{Values: maincf.Defaults(), Unread: err.Error(), MasterUnread: err.Error()}
	}
	services, err := s.Run(ctx, "postconf", "-M")
	p := maincf.ParsePostfix(string(values), string(services))
	if err != nil {
		p.MasterUnread = err.Error()
	}
	return p
}

// maxTables bounds the lookup tables that are read, and the policy services that
// are tried.
const maxTables = 100

// tables reads lookup tables that are text files.
func (s *System) tables(files map[string]string) map[string]string {
	all := map[string]string{}
	for name, file := range files {
		if len(all) == maxTables {
			break
		}
		if text, err := s.ReadFile(file); err == nil && len(text) < maincf.MaxText {
			all[name] = string(text)
		}
	}
	return all
}

// silent finds the policy services that nobody answers at: a connection is opened,
// and closed again.
func (s *System) silent(ctx context.Context, services []Service) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	all := map[string]string{}
	for _, service := range services[:min(len(services), maxTables)] {
		conn, err := s.Dial(ctx, service.Network, service.Target)
		switch {
		case err == nil:
			conn.Close()
		case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist): // else it may be a matter of rights
			all[service.Text] = plainError(err)
		}
	}
	return all
}

// path looks at a file and the folders on the way to it.
func (s *System) path(file string) Path {
	var p Path
	for i := range file {
		if file[i] != '/' {
			continue
		}
		folder, err := s.file(path.Clean(file[:i+1]))
		if err != nil {
			break // the file itself tells
		}
		p.Folders = append(p.Folders, folder)
	}
	f, err := s.file(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		p.Unread = err.Error()
	default:
		p.Exists, p.File = true, f
	}
	return p
}

func (s *System) file(name string) (File, error) {
	info, err := s.Stat(name)
	if err != nil {
		return File{}, err
	}
	f := File{Path: name, Mode: info.Mode(), UID: -1, GID: -1}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		f.UID, f.GID = int(sys.Uid), int(sys.Gid)
		f.Owner, f.Group = strconv.Itoa(f.UID), strconv.Itoa(f.GID)
		if u, err := user.LookupId(f.Owner); err == nil {
			f.Owner = u.Username
		}
		if g, err := user.LookupGroupId(f.Group); err == nil {
			f.Group = g.Name
		}
	}
	return f, nil
}

// process asks the kernel (proc(5)).
func (s *System) process(pid int) Process {
	if pid == 0 {
		return Process{Unread: "no unit runs"}
	}
	folder := "/proc/" + strconv.Itoa(pid)
	status, err := s.ReadFile(folder + "/status")
	if err != nil {
		return Process{Unread: err.Error()}
	}
	var p Process
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "Uid:" {
			p.UID = number(words[2]) // the effective one
		}
	}
	limits, _ := s.ReadFile(folder + "/limits") // root's alone; without, nothing is said
	for line := range strings.Lines(string(limits)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				p.Descriptors, _ = strconv.ParseUint(words[0], 10, 64)
			}
		}
	}
	return p
}

// logFile looks at the decision log, and for what rotates it.
func (s *System) logFile(file string) LogFile {
	var l LogFile
	if file == "" {
		return l
	}
	f, err := s.file(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l
	case err != nil:
		l.Unread = err.Error()
		return l
	}
	l.Exists, l.File = true, f
	more, _ := s.Glob("/etc/logrotate.d/*")
	for _, name := range slices.Concat([]string{"/etc/logrotate.conf"}, more) {
		text, err := s.ReadFile(name)
		if err != nil {
			continue
		}
		l.Rotations = append(l.Rotations, rotations(name, string(text), file)...)
	}
	return l
}

// rotations are the paragraphs of a logrotate file (logrotate.conf(5)) that are
// about a log.
func rotations(name, text, log string) []Rotation {
	var all []Rotation
	var patterns []string
	about, within, script := false, false, false
	var r Rotation
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		words := strings.Fields(strings.NewReplacer(`"`, "", "{", " { ").Replace(line))
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "#"):
		case script:
			script = words[0] != "endscript"
			r.Reopens = r.Reopens || tellsDaemon(line)
		case within && words[0] == "}":
			if about {
				all = append(all, r)
			}
			within, patterns = false, nil
		case within:
			script = slices.Contains([]string{"postrotate", "prerotate", "firstaction", "lastaction", "preremove"}, words[0])
			r.Reopens = r.Reopens || words[0] == "copytruncate"
		default:
			if strings.HasPrefix(words[0], "/") || words[0] == "{" {
				patterns = append(patterns, words...)
			}
			if slices.Contains(words, "{") {
				within, r = true, Rotation{File: name}
				about = slices.ContainsFunc(patterns, func(p string) bool {
					ok, err := path.Match(p, log)
					return err == nil && ok
				})
			}
		}
	}
	return all
}

// tellsDaemon reports whether a line of a script sends the daemon a SIGHUP.
func tellsDaemon(line string) bool {
	for _, word := range []string{"HUP", "kill -1", "reload"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// number is a number of the kernel or of systemd; 0 if it is none.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
