package smtpd

import (
	"fmt"
	"slices"
	"strings"
)

// restrictions are the names that Postfix knows (smtpd_check.c), the old ones too.
func restrictions() []string {
	return []string{
		"permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "sleep", WarnFirst, CallName,
		"permit_auth_destination", "permit_dnswl_client", "permit_inet_interfaces", "permit_mx_backup", "permit_mynetworks",
		"permit_naked_ip_address", "permit_rhswl_client", "permit_sasl_authenticated", "permit_tls_all_clientcerts",
		"permit_tls_clientcerts",
		"reject_authenticated_sender_login_mismatch", "reject_invalid_helo_hostname", "reject_invalid_hostname",
		"reject_known_sender_login_mismatch", "reject_maps_rbl", "reject_multi_recipient_bounce",
		"reject_non_fqdn_helo_hostname", "reject_non_fqdn_hostname", "reject_non_fqdn_recipient", "reject_non_fqdn_sender",
		"reject_plaintext_session", "reject_rbl", "reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_helo",
		"reject_rhsbl_recipient", "reject_rhsbl_reverse_client", "reject_rhsbl_sender", "reject_sender_login_mismatch",
		"reject_unauth_destination", "reject_unauth_pipelining", "reject_unauthenticated_sender_login_mismatch",
		"reject_unknown_address", "reject_unknown_client", "reject_unknown_client_hostname",
		"reject_unknown_forward_client_hostname", "reject_unknown_helo_hostname", "reject_unknown_hostname",
		"reject_unknown_recipient_domain", "reject_unknown_reverse_client_hostname", "reject_unknown_sender_domain",
		"reject_unlisted_recipient", "reject_unlisted_sender", "reject_unverified_recipient", "reject_unverified_sender",
		"defer_unauth_destination", "check_relay_domains", "check_recipient_maps",
		"check_ccert_access", "check_sasl_access", "check_etrn_access",
		"check_client_access", "check_client_a_access", "check_client_mx_access", "check_client_ns_access",
		"check_reverse_client_hostname_access", "check_reverse_client_hostname_a_access",
		"check_reverse_client_hostname_mx_access", "check_reverse_client_hostname_ns_access",
		"check_helo_access", "check_helo_a_access", "check_helo_mx_access", "check_helo_ns_access",
		"check_sender_access", "check_sender_a_access", "check_sender_mx_access", "check_sender_ns_access",
		"check_recipient_access", "check_recipient_a_access", "check_recipient_mx_access", "check_recipient_ns_access",
	}
}

func isRestriction(name string) bool { return slices.Contains(restrictions(), name) }

// The last release of Postfix whose restrictions are known here. A later one may
// have more.
const (
	knownMajor = 3
	knownMinor = 11
)

// newer reports whether Postfix may know restrictions that are not known here.
func (c *Config) newer() bool {
	major, minor := 0, 0
	_, err := fmt.Sscanf(c.Param("mail_version"), "%d.%d", &major, &minor)
	return err == nil && (major > knownMajor || major == knownMajor && minor > knownMinor)
}

// Strange reports whether a unit of a list is none of Postfix's restrictions, nor
// a class or a table, so that Postfix answers 451 when it comes to it.
func (c *Config) Strange(u Unit) bool {
	c.prepare()
	u, _ = u.CutWarn()
	name := strings.ToLower(u[0])
	if _, class := c.classes[u[0]]; class || isRestriction(name) {
		return false
	}
	if kind, _, table := strings.Cut(name, ":"); table {
		return kind == "inet" || !isWord(kind)
	}
	first, _, _ := strings.Cut(name, "_")
	return !c.newer() || !isWord(name) || !slices.Contains([]string{"permit", "reject", "defer", "check"}, first)
}

// isWord reports whether a text is of the letters of restrictions and of types of
// tables.
func isWord(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_'
	})
}

// Meant is what a strange unit was to be: restrictions in braces or quotes, one
// behind which another separator stands, one that is misspelt. None: who knows.
func Meant(u Unit) []Unit {
	if inner, ok := Unbrace(u[0]); ok && len(u) == 1 {
		return Units(inner)
	}
	name := strings.Trim(strings.ToLower(u[0]), "\"';.")
	known := restrictions()
	i := slices.Index(known, name)
	if i < 0 {
		i = slices.IndexFunc(known, func(k string) bool { return len(k) > 8 && nearly(k, name) })
	}
	if i < 0 || takesArgument(known[i]) != (len(u) > 1) {
		return nil
	}
	return []Unit{append(Unit{known[i]}, u[1:]...)}
}

// nearly reports whether two names differ in one place, by two letters at most.
func nearly(a, b string) bool {
	n := min(len(a), len(b))
	before, behind := 0, 0
	for before < n && a[before] == b[before] {
		before++
	}
	for behind < n-before && a[len(a)-1-behind] == b[len(b)-1-behind] {
		behind++
	}
	return max(len(a), len(b))-before-behind <= 2
}
