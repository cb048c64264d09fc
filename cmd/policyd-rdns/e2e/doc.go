// Package e2e holds the end-to-end tests. They run the program, built as it is handed
// out, beside a private real Postfix and a real Unbound, all three in processes of
// their own, and are the SMTP clients:
//
//	smtpClient → postfixInstance → rdnsInstance → unboundInstance
//
// Postfix is told by XCLIENT which client it has before it. Nothing of the
// system's Postfix or Unbound but their programs is used, and no packet leaves
// the loopback. Each test has processes, ports and folders of its own, so that all
// run side by side. Of the program's own packages they use those that read what it
// writes: configuration, decision log, findings of doctor.
package e2e
