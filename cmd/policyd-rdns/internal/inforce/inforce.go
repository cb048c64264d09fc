// Package inforce finds the configuration that a command uses, says which one that is,
// and whether it is the one that the running daemon has.
package inforce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"policyd-rdns/cmd/policyd-rdns/internal/ask"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/config/environ"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// None is named for the built-in configuration.
const None = "none"

// Path is the file to read of one that was named, which may be empty or [None]; empty: the
// built-in configuration. Who names none gets that of the environment
// ([environ.PathVariable]), and then the default one, if it is there. A default file that
// cannot be looked at is one that is there.
func Path(named string) string { return choose(named, os.Getenv(environ.PathVariable), DefaultPath) }

func choose(named, environment, usual string) string {
	switch named = cmp.Or(named, environment); named {
	case None:
		return ""
	case "":
	default:
		return named
	}
	if _, err := os.Stat(usual); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return ""
	}
	return usual
}

// Load reads the configuration that was named, as [Path] has it, and tells of it on
// stderr. The error is as [config.Load]'s.
func Load(ctx context.Context, named string, stderr io.Writer) (*config.Config, error) {
	conf, err := config.Load(Path(named))
	if err == nil {
		Tell(ctx, conf, named, stderr)
	}
	return conf, err
}

// Tell says in a line which configuration was read of one that was named, and, where a
// daemon runs, whether it is the one in force, which takes a second at most. Who names
// none is told nothing.
func Tell(ctx context.Context, conf *config.Config, named string, stderr io.Writer) {
	if named == None {
		return
	}
	which := "configuration " + plain.Line(conf.Path)
	if conf.Path == "" {
		which = "built-in configuration"
	}
	hash, err := ask.Hash(ctx, conf.Server.Listen)
	fmt.Fprintf(stderr, "policyd-rdns: %s (%s)%s\n", which, conf.Hash, compared(conf.Hash, hash, err))
}

// compared says whether a configuration is in force, of the hash that the daemon told or
// why it did not.
func compared(hash, running string, err error) string {
	switch {
	case errors.Is(err, ask.ErrNobody):
		return ""
	case errors.Is(err, ask.ErrRefused):
		return "; whether it is in force, only root may ask"
	case err != nil:
		return "; whether it is in force is not known: " + plain.Line(err.Error())
	case running == hash:
		return ", which is in force"
	}
	return ", which is not in force: the daemon runs with " + plain.Line(running)
}
