package environ

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func variables(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

func TestPassedOver(t *testing.T) {
	got := PassedOver([]string{
		"PATH=/bin", "POLICYD_RDNS_PORT=tcp://192.0.2.1:10040", "POLICYD_RDNS_MODE=observe", "POLICYD_RDNS_CONFIG=x", "POLICYD_RDNS_LISTEN=",
		"POLICYD_RDNS_SERVICE_HOST=192.0.2.1", "POLICYD_RDNS_PORT=again", "POLICYD_RDNS", "X_POLICYD_RDNS_Y=1",
	})
	if want := []string{"POLICYD_RDNS_PORT", "POLICYD_RDNS_SERVICE_HOST"}; !slices.Equal(got, want) {
		t.Errorf("passed over %q; want %q", got, want)
	}
}

// TestContainer: what engines leave, and networks that the Internet does not reach.
func TestContainer(t *testing.T) {
	for _, tt := range []struct {
		files fstest.MapFS
		set   map[string]string
		want  bool
	}{
		{fstest.MapFS{}, nil, false},
		{fstest.MapFS{".dockerenv": {}}, nil, true},
		{fstest.MapFS{"run/.containerenv": {}}, nil, true},
		{fstest.MapFS{"run/other": {}}, map[string]string{"container": "podman"}, true},
		{fstest.MapFS{}, map[string]string{"KUBERNETES_SERVICE_HOST": "192.0.2.1"}, true},
	} {
		if got := InContainer(tt.files, variables(tt.set)); got != tt.want {
			t.Errorf("InContainer(%v, %v) = %v; want %v", tt.files, tt.set, got, tt.want)
		}
	}
	for text, want := range map[string]bool{
		"": true, "127.0.0.1 ::1 172.22.1.9 fe80::1 fd00::9": true, "127.0.0.1 198.51.100.7": false, "172.22.1.9 2001:db8::1": false,
	} {
		var addrs []netip.Addr
		for _, a := range strings.Fields(text) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		if got := onlyPrivate(addrs); got != want {
			t.Errorf("onlyPrivate(%s) = %v; want %v", text, got, want)
		}
	}
}
