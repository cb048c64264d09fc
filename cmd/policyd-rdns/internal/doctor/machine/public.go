package machine

import "net/netip"

// PublicName is whose public resolver an address is, as their operators publish
// them; empty: none that is known.
func PublicName(a netip.Addr) string {
	a = a.Unmap()
	for _, p := range publicResolvers() {
		for _, text := range p.networks {
			if netip.MustParsePrefix(text).Contains(a) {
				return p.name
			}
		}
	}
	return ""
}

type publicResolver struct {
	name     string
	networks []string
}

func publicResolvers() []publicResolver {
	return []publicResolver{
		{"Google Public DNS", []string{"8.8.8.8/32", "8.8.4.4/32", "2001:4860:4860::/48"}},
		{"Cloudflare", []string{"1.1.1.0/24", "1.0.0.0/24", "2606:4700:4700::/48"}},
		{"Quad9", []string{"9.9.9.0/24", "149.112.112.0/24", "2620:fe::/48"}},
		{"OpenDNS", []string{"208.67.220.0/24", "208.67.222.0/24", "2620:119:35::/48", "2620:119:53::/48"}},
		{"AdGuard DNS", []string{"94.140.14.0/24", "94.140.15.0/24", "2a10:50c0::/32"}},
		{"Level 3", []string{"4.2.2.0/29", "209.244.0.3/32", "209.244.0.4/32"}},
		{"Verisign", []string{"64.6.64.6/32", "64.6.65.6/32", "2620:74:1b::/48", "2620:74:1c::/48"}},
		{"Comodo", []string{"8.26.56.0/24", "8.20.247.0/24"}},
		{"CleanBrowsing", []string{"185.228.168.0/24", "185.228.169.0/24", "2a0d:2a00::/32"}},
		{"Yandex DNS", []string{"77.88.8.0/24", "2a02:6b8::feed:0/112"}},
		{"Hurricane Electric", []string{"74.82.42.42/32", "2001:470:20::2/128"}},
		{"Control D", []string{"76.76.2.0/24", "76.76.10.0/24", "2606:1a40::/32"}},
		{"DNS.WATCH", []string{"84.200.69.80/32", "84.200.70.40/32", "2001:1608:10:25::/64"}},
		{"AliDNS", []string{"223.5.5.5/32", "223.6.6.6/32", "2400:3200::/32"}},
		{"114DNS", []string{"114.114.114.114/32", "114.114.115.115/32"}},
	}
}
