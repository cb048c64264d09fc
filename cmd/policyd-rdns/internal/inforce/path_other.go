//go:build !freebsd

package inforce

// DefaultPath is the file that is read if none is named, and there is one.
const DefaultPath = "/etc/policyd-rdns/config.toml"
