package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// daemon is a policyd-rdns under measurement.
type daemon struct {
	*program
	dir      string
	answered int64 // requests
}

// settings are what differs between the daemons of a run.
type settings struct {
	world string // address of the DNS
	rules string // further TOML
	env   []string
}

// startDaemon starts one with an empty log.
func (t *trial) startDaemon(ctx context.Context, s settings) (*daemon, error) {
	dir, err := os.MkdirTemp(t.dir, "daemon")
	if err != nil {
		return nil, err
	}
	d := &daemon{dir: dir}
	text := fmt.Sprintf("default_rules = true\n[server]\nlisten = [\"127.0.0.1:0\", %q]\n[resolver]\nservers = [%q]\n", "unix:"+d.socket(), s.world)
	text += fmt.Sprintf("[log]\nfile = %q\n%s", d.log(), s.rules)
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	d.program, err = startProgram(ctx, "policyd-rdns", s.env, t.options.Daemon, "serve", "-c", path)
	return d, err
}

// socket is the unix socket that it listens on, too, as the package for Debian has it.
func (d *daemon) socket() string { return filepath.Join(d.dir, "policy") }

func (d *daemon) log() string { return filepath.Join(d.dir, "decisions.log") }

// stop ends the daemon and compares its log to what it was asked.
func (d *daemon) stop() error {
	defer os.RemoveAll(d.dir)
	if err := d.program.stop(); err != nil {
		return err
	}
	lines, err := countLines(d.log())
	if err == nil && lines != d.answered {
		err = fmt.Errorf("%d requests were answered, %d decisions logged", d.answered, lines)
	}
	return err
}

func countLines(path string) (n int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for {
		size, err := f.Read(buf)
		n += int64(bytes.Count(buf[:size], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
