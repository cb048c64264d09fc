package journal

import "policyd-rdns/policy"

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
	maxRule   = 200 // a configuration takes names of 100 bytes, of which each may need a backslash
	// maxWould bounds all that rules under observation would have done.
	maxWould = 384
	maxReply = 400
	maxWhy   = 160

	// A well-formed name takes no more bytes than it has (RFC 1035 section 2.3.4),
	// a final dot included. Of malformed ones, to which nothing but that leads, a
	// few are shown.
	maxName          = 254
	maxMalformed     = 300
	maxMalformedMany = 3
	maxAddr          = 39 // eight groups of IPv6
	maxErrors        = 3
	maxError         = 200

	// Mail addresses have 256 bytes at most, names of hosts 253 (RFC 5321 section
	// 4.5.3.1.3, RFC 1035): only what needs escapes, or is nothing of these, is cut.
	maxHELO      = 512
	maxMailbox   = 512
	maxText      = 64  // client_address, instance, queue_id
	maxState     = 32  // protocol_state
	maxFoundName = 128 // client_name, reverse_client_name: Postfix's own findings
	maxContext   = 128 // policy_context
)

// fieldLimits bounds the texts, by their key.
var fieldLimits = [numFields]int{
	fID: maxID, fConfig: maxConfig, fRule: maxRule, fReply: maxReply, fWhy: maxWhy,
	fClientAddress: maxText, fHELOIs: maxHELO, fSender: maxMailbox, fRecipient: maxMailbox,
	fInstance: maxText, fQueueID: maxText, fState: maxState,
	fClientName: maxFoundName, fReverseClientName: maxFoundName, fContext: maxContext,
}

// fieldSet is a set of keys.
type fieldSet uint64

func (s *fieldSet) add(f field) { *s |= 1 << f }

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// cuttable reports whether a key may hold less than there was.
func cuttable(f field) bool {
	return fieldLimits[f] > 0 || f == fWould || f == fNames || f == fDNSErrors
}

// texts are those keys of a set that a judgement looks at.
func (s fieldSet) texts() policy.Cut {
	var cut policy.Cut
	for f, text := range map[field]policy.Cut{
		fHELOIs: policy.CutHELO, fSender: policy.CutSender, fRecipient: policy.CutRecipient, fContext: policy.CutContext,
	} {
		if s.has(f) {
			cut |= text
		}
	}
	return cut
}
