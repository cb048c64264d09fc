// Package notice hands a text to somebody who is not there: by mail, through sendmail(1) of
// this host, or to the standard input of a command.
package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// limit bounds the command that takes the text.
const limit = time.Minute

// sendmail is where sendmail(1) may be, in the order of looking.
var sendmail = [...]string{"sendmail", "/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/local/sbin/sendmail"}

// CheckAddress refuses what cannot be the recipient of a mail, or could be taken for more
// than that: a local name or an address, in printable ASCII.
func CheckAddress(to string) error {
	bad := to == "" || len(to) > 254 || strings.HasPrefix(to, "-") ||
		strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`,;<>()"\:[]|`, r) })
	if bad {
		return fmt.Errorf("%.60q: want one address such as postmaster or postmaster@example.com", to)
	}
	return nil
}

// Mail sends a text in printable ASCII to an address that [CheckAddress] takes.
func Mail(ctx context.Context, to, subject, text string) error {
	for _, name := range sendmail {
		if path, err := exec.LookPath(name); err == nil {
			return run(ctx, message(to, subject, text), path, "-oi", "-t")
		}
	}
	return errors.New("no program sendmail on this host")
}

// message is a mail (RFC 5322). It says that a program wrote it, so that no vacation
// message comes back (RFC 3834 section 5).
func message(to, subject, text string) string {
	return "To: " + to + "\nSubject: " + plain.Line(subject) + "\nAuto-Submitted: auto-generated\n" +
		"MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n" + text
}

// Hook gives a text to a command line of the shell. The command gets nothing else.
func Hook(ctx context.Context, command, text string) error {
	return run(ctx, text, "sh", "-c", command)
}

func run(ctx context.Context, input, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		if first = plain.Line(plain.Brief(first)); first != "" {
			return fmt.Errorf("%s: %w: %s", name, err, first)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
