package config

import "runtime"

// What the program needs beside connections and lookups: log, sockets, the
// runtime's own; and for each processor to serve connections.
const (
	spareDescriptors = 64
	loopDescriptors  = 3
	pageDescriptors  = 96 // for who asks for the page of the refused, and for its lookups
)

// Descriptors is how many file descriptors the daemon needs with all its
// connections and lookups.
func (c *Config) Descriptors() uint64 {
	page := 0
	if c.Reply.Listen != "" {
		page = pageDescriptors
	}
	return uint64(page + c.Server.Connections + c.Resolver.MaxInFlight + spareDescriptors + loopDescriptors*runtime.GOMAXPROCS(0))
}
