// Package machine reads what doctor looks at beside Postfix's lists: files on the
// way to sockets, the systemd unit, the log, the DNS servers, the running daemon.
// What could not be read says why.
//
// What is promised: nothing is changed, and all is bounded in time and size.
package machine

import (
	"io/fs"
	"net/netip"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/resolver"
)

// Machine is all that was read. A part that could not be read says why in its
// field Unread; the rest of that part then says nothing.
type Machine struct {
	Postfix  maincf.Postfix
	Account  Account         // that Postfix's smtpd runs as
	Paths    map[string]Path // of the unix sockets that are called or listened on
	Servers  []Server        // that the daemon queries
	Forwards []Forward       // where those on this host may forward to
	// Silent is why nobody answers at a policy service that Postfix calls, by the
	// service as written.
	Silent map[string]string
	// Headers is what Postfix does with the headers that were to be looked up.
	Headers HeaderChecks
	// Lookups are what Postfix's tables say; nil: they were not asked.
	Lookups map[Lookup]LookedUp
	// Exchangers are the hosts that the DNS names for mail to our domains.
	Exchangers []Exchanger
	Networks   []netip.Prefix // of this host's interfaces
	Unit       Unit
	Process    Process // of the unit
	Log        LogFile
	SELinux    SELinux
	Answers    []Answer // of the daemon, one for each address that it listens on
}

// Account is a user with all its groups.
type Account struct {
	Unread string
	Name   string
	UID    int
	GIDs   []int
}

// Path is a file, and the folders on the way to it.
type Path struct {
	Unread  string
	Exists  bool
	Folders []File // from the root on, without the file itself
	File    File
}

// File is one file or folder.
type File struct {
	Path     string
	Mode     fs.FileMode
	UID, GID int
	Owner    string // the names, for people
	Group    string
}

// Server is a recursive DNS server and what it answered.
type Server struct {
	Addr netip.AddrPort
	resolver.Examination
}

// Forward is a file of a DNS server on this host that names servers to forward to
// further: "forward-addr" of Unbound, "forwarders" of BIND, "server" of dnsmasq,
// "nameserver" of systemd-resolved.
type Forward struct {
	File  string
	Addrs []netip.Addr
}

// Unit is what systemd says of the daemon.
type Unit struct {
	Unread   string
	Loaded   bool
	Active   string // "active", "failed", ...
	Enabled  string // "enabled", "disabled", "static", ...
	Config   string // the file that its command line names
	PID      int
	Restarts int
	Socket   SocketUnit
}

// SocketUnit is the unit that holds sockets for the daemon.
type SocketUnit struct {
	Active string
	Listen []string // as in server.listen
}

// Process is what the kernel says of the daemon.
type Process struct {
	Unread      string
	UID         int
	Descriptors uint64 // how many it may have
}

// LogFile is the decision log, if it is a file.
type LogFile struct {
	Unread    string
	Exists    bool
	File      File
	Rotations []Rotation // of logrotate, that are about it
}

// Rotation is one paragraph of logrotate.
type Rotation struct {
	File    string // of logrotate
	Reopens bool   // the daemon is told, or the file copied
}

// Answer is what the daemon said to a request over one of its addresses.
type Answer struct {
	Address string // as in server.listen
	Unread  string
	Action  string
	Took    time.Duration
}
