// Package environ is what a configuration takes from around the process: three variables of
// the environment, and whether it runs in a container.
package environ

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/postfix"
)

// PathVariable names the file of the configuration to commands that are given none.
const PathVariable = "POLICYD_RDNS_CONFIG"

// The settings that the environment has before the file, for containers. There are no
// more: the file is the configuration.
const (
	modeVariable   = "POLICYD_RDNS_MODE"
	listenVariable = "POLICYD_RDNS_LISTEN"
)

// ourVariables is how the names of all that could be meant for us begin.
const ourVariables = "POLICYD_RDNS_"

// Surroundings are what a configuration depends on beside its files; the zero value: nothing.
type Surroundings struct {
	// Variable is os.Getenv; nil: none is set.
	Variable func(name string) string
	// Container: all networks are those of a container.
	Container bool
}

// Here are the surroundings of this process, on a host with some addresses.
func Here(addrs []netip.Addr) Surroundings {
	return Surroundings{
		Variable:  os.Getenv,
		Container: InContainer(os.DirFS("/"), os.Getenv) && onlyPrivate(addrs),
	}
}

// InContainer reports whether a process is in a container, by what engines leave there:
// Docker, podman, Kubernetes, and systemd's for all that set "container".
func InContainer(root fs.FS, variable func(string) string) bool {
	for _, file := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, file); err == nil {
			return true
		}
	}
	return variable("container") != "" || variable("KUBERNETES_SERVICE_HOST") != ""
}

// onlyPrivate reports whether nobody on the Internet reaches any of a host's addresses: a
// container that shares the host's network has the host's.
func onlyPrivate(addrs []netip.Addr) bool {
	return !slices.ContainsFunc(addrs, func(a netip.Addr) bool {
		return !address.Private(a) && !a.IsLoopback() && !a.IsLinkLocalUnicast()
	})
}

// PassedOver are the names of variables, of an environment as os.Environ gives it, that
// look like ours and are none, in order: an orchestrator sets POLICYD_RDNS_PORT and the
// like for a service of our name.
func PassedOver(environ []string) []string {
	var names []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, ourVariables) && !slices.Contains([]string{PathVariable, modeVariable, listenVariable}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A Variable is one that stands in the place of a setting.
type Variable struct{ Name, Value string }

// Put puts what the environment says in the place of what a file does, as the TOML library
// gives that, and tells which variables are in force and what is wrong with them.
func (s *Surroundings) Put(raw map[string]any) (all map[string]any, used []Variable, wrong []string) {
	if s.Variable == nil {
		return raw, nil, nil
	}
	if raw == nil {
		raw = map[string]any{}
	}
	if mode := s.Variable(modeVariable); mode != "" {
		if mode != "enforce" && mode != "observe" {
			wrong = append(wrong, complaint(modeVariable, mode, "want enforce or observe"))
		} else {
			used = append(used, Variable{modeVariable, mode})
			raw["mode"] = mode
		}
	}
	text := s.Variable(listenVariable)
	if text == "" {
		return raw, used, wrong
	}
	var listen []any
	for address := range strings.SplitSeq(text, ",") {
		address = strings.TrimSpace(address)
		if err := postfix.CheckAddress(address); err != nil {
			wrong = append(wrong, complaint(listenVariable, address, err.Error()))
			continue
		}
		listen = append(listen, address)
	}
	if server, ok := raw["server"].(map[string]any); ok {
		server["listen"] = listen
	} else if raw["server"] == nil {
		raw["server"] = map[string]any{"listen": listen}
	}
	return raw, append(used, Variable{listenVariable, text}), wrong
}

func complaint(name, value, want string) string {
	return fmt.Sprintf("environment: %s = %.200q: %s", name, value, want)
}
