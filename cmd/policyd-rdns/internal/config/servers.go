package config

import (
	"net/netip"

	"policyd-rdns/resolver"
)

// ResolvConf names the DNS servers, where the configuration does not.
const ResolvConf = "/etc/resolv.conf"

// DNSServers are the recursive servers to query.
func (c *Config) DNSServers() ([]netip.AddrPort, error) {
	if len(c.Resolver.Servers) > 0 {
		return c.Resolver.Servers, nil
	}
	return resolver.ReadResolvConf(ResolvConf)
}

// NewResolver makes a resolver with a cache of so many entries, for a command that
// looks up by itself. It serves nothing that is stale.
func (c *Config) NewResolver(entries int) (*resolver.Resolver, error) {
	servers, err := c.DNSServers()
	if err != nil {
		return nil, err
	}
	return resolver.New(resolver.Config{
		Servers: servers, Timeout: c.Resolver.Timeout, CacheEntries: entries, MaxInFlight: c.Resolver.MaxInFlight,
	})
}
