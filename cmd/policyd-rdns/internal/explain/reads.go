package explain

import (
	"fmt"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix"
)

// Wrapped is a reply to Postfix as the sending server reads it: Postfix puts
// its own words around a policy service's text, by the restriction list that
// called it (smtpd_check.c). Empty if the server reads nothing of it.
func Wrapped(req *policy.Request, f *policy.Facts, action policy.Action, reply, stage string) string {
	if !action.Refuses() {
		return ""
	}
	code, rest, _ := strings.Cut(postfix.NewReply(reply).String(), " ")
	if code == "DEFER_IF_PERMIT" {
		code = "450" // access_map_defer_code
	}
	enhanced, text, _ := strings.Cut(rest, " ")
	if stage == "client" {
		name := "unknown"
		if names := f.Confirmed(req.Client); len(names) > 0 {
			name = names[0]
		}
		return fmt.Sprintf("%s %s <%s[%s]>: Client host rejected: %s", code, enhanced, name, req.Client, text)
	}
	return fmt.Sprintf("%s %s <%s>: Recipient address rejected: %s", code, enhanced, req.Recipient, text)
}
