package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config/container"
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

// surroundings are what a configuration depends on beside its files.
type surroundings struct {
	// variable is os.Getenv; nil: none is set.
	variable func(name string) string
	// container: all networks are those of a container.
	container bool
}

// here are the surroundings of this process.
func here() surroundings {
	return surroundings{
		variable:  os.Getenv,
		container: container.Is(os.DirFS("/"), os.Getenv) && container.Private(FindHost().Addrs),
	}
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

// environment puts what the environment says in the place of what the file does.
func (r *reader) environment(raw map[string]any) map[string]any {
	if r.around.variable == nil {
		return raw
	}
	if raw == nil {
		raw = map[string]any{}
	}
	if mode := r.around.variable(modeVariable); mode != "" {
		if mode != "enforce" && mode != "observe" {
			r.wrongVariable(modeVariable, mode, "want enforce or observe")
		} else {
			r.instead(modeVariable, mode)
			raw["mode"] = mode
		}
	}
	if text := r.around.variable(listenVariable); text != "" {
		var listen []any
		for address := range strings.SplitSeq(text, ",") {
			address = strings.TrimSpace(address)
			if err := postfix.CheckAddress(address); err != nil {
				r.wrongVariable(listenVariable, address, err.Error())
				continue
			}
			listen = append(listen, address)
		}
		r.instead(listenVariable, text)
		if server, ok := raw["server"].(map[string]any); ok {
			server["listen"] = listen
		} else if raw["server"] == nil {
			raw["server"] = map[string]any{"listen": listen}
		}
	}
	return raw
}

// instead notes that a variable is in force, which makes it another configuration.
func (r *reader) instead(name, value string) {
	r.variables = append(r.variables, name)
	fmt.Fprintf(r.Sum, "\x00%s=%s\x00", name, value)
}

func (r *reader) wrongVariable(name, value, want string) {
	r.Bad("", "environment: %s = %.200q: %s", name, value, want)
}
