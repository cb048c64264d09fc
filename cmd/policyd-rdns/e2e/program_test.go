package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix"
)

// rdnsInstance is the real program, serving.
type rdnsInstance struct {
	process *process
	config  string // file
	log     string // file of decisions
	tcp     string // address that it listens on, if it does
}

// startProgram starts the program with a configuration, to which it adds the
// log. It returns when the program listens.
func startProgram(t *testing.T, config string) *rdnsInstance {
	t.Helper()
	dir := testbed.WorkFolder(t)
	d := &rdnsInstance{config: filepath.Join(dir, "config.toml"), log: filepath.Join(dir, "decisions.log")}
	d.configure(t, config)
	d.process = startProcess(t, "policyd-rdns", program(t, "serve", "-c", d.config))
	line := d.process.await(t, "msg=listening", "address=127.")
	_, d.tcp, _ = strings.Cut(line, "address=")
	return d
}

// configure writes the configuration file.
func (d *rdnsInstance) configure(t *testing.T, config string) {
	t.Helper()
	testbed.WriteFile(t, d.config, fmt.Sprintf("%s\n[log]\nfile = %q\n", config, d.log))
}

// reload puts another configuration into force.
func (d *rdnsInstance) reload(t *testing.T, config string) {
	t.Helper()
	d.configure(t, config)
	d.process.signal(syscall.SIGHUP)
	d.process.await(t, "configuration reloaded", "config="+d.loaded(t).Hash)
}

// loaded is the configuration as the program reads it.
func (d *rdnsInstance) loaded(t *testing.T) *config.Config {
	t.Helper()
	conf, err := config.Load(d.config)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// stopped ends the program and gives what ended gives.
func (d *rdnsInstance) stopped(t *testing.T) []journal.Record {
	t.Helper()
	d.process.signal(syscall.SIGTERM)
	return d.ended(t)
}

// ended waits for the end of the program and reads its decisions back. Each that
// was made under the configuration file as it is now has to be the one that its
// own log line comes to.
func (d *rdnsInstance) ended(t *testing.T) []journal.Record {
	t.Helper()
	if status := d.process.wait(t); status != 0 {
		t.Errorf("policyd-rdns ended with status %d; want 0", status)
	}
	records := d.decisions(t)
	conf := d.loaded(t)
	judged := 0
	for i := range records {
		if r := &records[i]; r.Config == conf.Hash {
			d.judgeAgain(t, conf, r)
			judged++
		}
	}
	if judged == 0 {
		t.Errorf("none of %d decisions was made under configuration %s", len(records), conf.Hash)
	}
	return records
}

// decisions reads the log.
func (d *rdnsInstance) decisions(t *testing.T) []journal.Record {
	t.Helper()
	text, err := os.ReadFile(d.log)
	if err != nil {
		t.Fatal(err)
	}
	var records []journal.Record
	for line := range bytes.Lines(text) {
		r, err := journal.Parse(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		records = append(records, r)
	}
	return records
}

// judgeAgain compares a decision to the one that its log line comes to.
func (d *rdnsInstance) judgeAgain(t *testing.T, conf *config.Config, r *journal.Record) {
	t.Helper()
	again := conf.Rules.Judge(&r.Request, &r.Facts)
	if again.Action == policy.Tag && r.Decision.Action == policy.DUNNO {
		again.Action = policy.DUNNO // the message has the header already
	}
	keys, err := conf.CaseKeys()
	if err != nil {
		t.Fatal(err)
	}
	told := postfix.NewReply(conf.Texts(keys).Reply(&r.Request, &r.Facts, &again).Action).String()
	if again.Action == policy.DUNNO {
		told = "" // as the log has it
	}
	if got, want := summary(&again), summary(&r.Decision); got != want || told != r.Reply && len(r.Request.ClientName) < maxFoundName {
		t.Errorf("judged again from the log: %s, %q; want %s, %q (%s as %q)",
			got, told, want, r.Reply, r.Request.Client, r.Request.HELO)
	}
}

// maxFoundName is how much of Postfix's name of a client the log has, in bytes: how long
// the reply may be cannot be told from more.
const maxFoundName = 64

// summary is what a log line says of a decision.
func summary(d *policy.Decision) string {
	return fmt.Sprint(d.Action, " ", d.Decided, " ", d.Rule, " ", d.Downgraded, " ", d.Would, " ", d.Tags, " ", d.Mode, " ", d.Checks)
}

// policyService is the restriction that has Postfix ask the program, as its
// first log lines propose it.
func policyService(endpoint string) string {
	return fmt.Sprintf("check_policy_service { %s, timeout=10s, default_action=DUNNO }", endpoint)
}
