package policy

// Reply is the decision as an action of Postfix's access(5): the value of the
// policy reply's "action" attribute. It may hold bytes that the client or the
// DNS chose; the writer of the reply makes them harmless and bounds them.
//
// A reject names its code, since REJECT would be Postfix's
// access_map_reject_code. A defer is DEFER_IF_PERMIT, so that a later hard
// reject still wins, unless the rule names its code. OK is never sent: it would
// end the restrictions for a client that we merely have nothing against.
func (d *Decision) Reply() string {
	switch d.Action {
	case Reject:
		if d.Code.reply == "" {
			return "550 5.7.1 " + d.Text
		}
		return d.Code.String() + " " + d.Text
	case Defer:
		if d.Code.reply == "" || d.Downgraded {
			return "DEFER_IF_PERMIT " + d.Code.temporary() + " " + d.Text
		}
		return d.Code.String() + " " + d.Text
	case Info:
		return "INFO would " + d.Decided.String() + " (" + d.Rule + "): " + d.Text
	}
	return "DUNNO"
}
