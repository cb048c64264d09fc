package maincf

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Call is the argument of a check_policy_service.
type Call struct {
	Endpoint Endpoint
	Options  []Option // in braces
	Braces   bool
	Bad      string // what Postfix would not accept
}

// ParseCall reads the argument of check_policy_service (smtpd_check.c,
// policy_client_register).
func ParseCall(arg string) Call {
	var c Call
	var words []string
	if strings.HasPrefix(arg, "{") {
		c.Braces = true
		inner, ok := smtpd.Unbrace(arg)
		if !ok {
			inner, c.Bad = strings.TrimPrefix(arg, "{"), "the braces are not closed"
		}
		words = smtpd.Split(inner, smtpd.Separators)
	} else if arg != "" {
		words = []string{arg}
	}
	if len(words) == 0 {
		c.Bad = "there is no service behind it"
		return c
	}
	c.Endpoint = ParseEndpoint(words[0])
	if !c.Endpoint.Valid() {
		c.Bad = "want inet:host:port or unix:path"
	}
	for _, word := range words[1:] {
		name, value, ok := Parameter(StripBraces(word))
		switch {
		case !ok:
			c.Bad = "behind the service want name=value, and braces around one with spaces in it"
		case !slices.Contains(CallOptions(), name):
			c.Bad = "there is no option " + plain.Text(name, 100)
		}
		c.Options = append(c.Options, Option{name, value})
	}
	return c
}

// CallOptions are those of a check_policy_service in braces (SMTPD_POLICY_README,
// "Advanced policy client configuration").
func CallOptions() []string {
	return []string{"timeout", "max_idle", "max_ttl", "request_limit", "retry_delay", "try_limit", "default_action", "policy_context"}
}

// IsStray reports whether a unit is no restriction, but an option of a call that
// was written without braces.
func IsStray(u smtpd.Unit) bool {
	name, _, ok := Parameter(StripBraces(u[0]))
	return ok && len(u) == 1 && slices.Contains(CallOptions(), name)
}
