package config

import "runtime"

// What the program needs beside connections and lookups: log, sockets, the
// runtime's own; and for each processor to serve connections.
const (
	spareDescriptors = 64
	loopDescriptors  = 3
)

// Descriptors is how many file descriptors the daemon needs with all its
// connections and lookups.
func (c *Config) Descriptors() uint64 {
	return uint64(c.Server.Connections + c.Resolver.MaxInFlight + spareDescriptors + loopDescriptors*runtime.GOMAXPROCS(0))
}
