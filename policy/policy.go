// Package policy is what a mail administrator thinks in: the facts about an
// SMTP client, the rules that judge them, and the decision.
package policy
