package journal

import (
	"policyd-rdns/policy"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/smtp"
)

// MaxLine is the longest line that [Format.Append] writes, in bytes, its newline
// included, whatever a client, the DNS or the configuration bring. systemd's
// journal takes up to 48 KiB whole (LineMax= in journald.conf(5)).
const MaxLine = 8 << 10

// The bounds of what a line holds of each value, in bytes as they are written:
// after escaping, without quotes. What is longer is cut, and the key is named
// under "cut". They add up to less than MaxLine, whatever the bytes are.
const (
	maxID     = 32
	maxConfig = 32
	maxRule   = 160 // a configuration takes names of 100 bytes, of which some may need a backslash
	// maxWould bounds all that rules under observation would have done.
	maxWould     = 256
	maxTags      = 112 // all rules that tagged the message
	maxWhyExempt = 96
	maxReply     = smtp.MaxAction
	maxCase      = casenumber.Length6
	maxWhy       = 128

	// A well-formed name takes no more bytes than it has (RFC 1035 section 2.3.4),
	// a final dot included. Of malformed ones, which cannot do any good, a
	// few are shown.
	maxName          = 254
	maxMalformed     = 260
	maxMalformedMany = 3
	maxAddr          = 39 // eight groups of IPv6
	// maxNames bounds all names: as objects of JSON, which take the most room.
	maxNames = policy.MaxNames*(maxName+maxAddr+len(`{"name":"","to":[""]},`)) + maxMalformedMany*(maxMalformed-maxName)

	// maxErrors bounds all that is told of lookups that failed, maxReason one reason.
	maxErrors = 320
	maxReason = 120
	maxServer = len("[2001:db8:1111:2222:3333:4444:5555:6666]:65535")

	// Mail addresses have 256 bytes at most, names of hosts 253 (RFC 5321 section
	// 4.5.3.1.3, RFC 1035): only what needs escapes, or is nothing of these, is cut.
	maxHELO      = 264
	maxMailbox   = 360
	maxText      = 48 // client_address, instance, queue_id
	maxState     = 32 // protocol_state
	maxFoundName = 64 // client_name, reverse_client_name: Postfix's own findings
	maxContext   = 80 // policy_context
	maxParty     = 64 // of the client that tells most for it
	maxSPFBy     = 128
	maxHost      = 64 // HOST_NAME_MAX of Linux

	maxTime   = len("292277026596-12-04T15:30:07.999Z")
	maxMoment = len("2026-11-24T15:30:07.999Z")
	maxAction = len("dunno, or reject")
	maxMode   = len("enforce")
	maxNumber = len("-9223372036854775808")
	maxSpan   = len("-9223372036854.775")
	maxCut    = 256 // all keys that may be cut
)

// maxFields bounds the keys of a line.
const maxFields = 128

// fieldSet is a set of keys.
type fieldSet [maxFields / 64]uint64

func (s *fieldSet) add(f field)      { s[f/64] |= 1 << (f % 64) }
func (s *fieldSet) drop(f field)     { s[f/64] &^= 1 << (f % 64) }
func (s *fieldSet) has(f field) bool { return s[f/64]&(1<<(f%64)) != 0 }
func (s *fieldSet) empty() bool      { return *s == fieldSet{} }
