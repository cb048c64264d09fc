package daemon

import (
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/keyfile"
	"policyd-rdns/policy/casenumber"
)

// caseKeys are the keys of case numbers that a configuration asks for, as they are now:
// those of its file, or of the state folder, where they are made; without that folder keys
// that are forgotten with this run. An error is one of its file.
func (d *Daemon) caseKeys(conf *config.Config) (*casenumber.Keys, error) {
	if !conf.HasKeys() || conf.Reply.KeyFile != "" {
		return conf.CaseKeys()
	}
	path := config.StateFile(config.StateKeys)
	keys, err := keyfile.ReadOrMake(path)
	if err == nil {
		return keys, nil
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if d.passing == nil {
		d.passing, _ = casenumber.ParseKeys(casenumber.NewKey()) // which is one
	}
	d.log.Warn("case numbers have a key that ends with this run, since that of the state folder cannot be read or made: mend or remove the file, or name one in reply.key_file", "file", path, "error", err)
	return d.passing, nil
}
