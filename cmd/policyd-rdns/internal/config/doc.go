// Package config reads the configuration file: TOML over the defaults. All that
// is wrong with a file comes at once, each problem with its line, key and value
// and with what would be right; so do warnings, of what is allowed and probably
// not meant. It writes rules as TOML too, to be pasted into a file. It starts
// nothing; of this host it looks up addresses, groups and folders, for the
// warnings. The file as such is read by
// package document, the only importer of the TOML library.
package config
