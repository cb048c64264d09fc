package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// proxies are the reverse proxies that contrib has snippets for: each starts one before
// the page at an address.
func proxies() map[string]func(t *testing.T, address, page string) {
	return map[string]func(t *testing.T, address, page string){"nginx": startNginx, "caddy": startCaddy}
}

// snippet is a file of contrib for the page at an address.
func snippet(t *testing.T, page string, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "..", "contrib"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "127.0.0.1:10042", page)
}

// nginxMain wants the folder, the address to listen on, and the folder three times more.
const nginxMain = `
daemon off;
pid %[1]s/pid;
error_log stderr notice;
events { }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[1]s/policyd-rdns-limit.conf;
    server {
        listen %[2]s;
        include %[1]s/policyd-rdns.conf;
    }
}
`

func startNginx(t *testing.T, address, page string) {
	t.Helper()
	program := testbed.NeedProgram(t, "nginx", "nginx-light")
	dir := testbed.WorkFolder(t)
	for _, name := range []string{"policyd-rdns-limit.conf", "policyd-rdns.conf"} {
		testbed.WriteFile(t, filepath.Join(dir, name), snippet(t, page, "nginx", name))
	}
	config := filepath.Join(dir, "nginx.conf")
	testbed.WriteFile(t, config, fmt.Sprintf(nginxMain, dir, address))
	p := startProcess(t, "nginx", exec.Command(program, "-c", config, "-e", "stderr"))
	p.await(t, "start worker process ")
}

// caddyMain wants the address to listen on and the folder.
const caddyMain = `
{
	admin off
	auto_https off
}
http://%s {
	import %s/policyd-rdns.caddy
}
`

func startCaddy(t *testing.T, address, page string) {
	t.Helper()
	program := testbed.NeedProgram(t, "caddy", "caddy")
	dir := testbed.WorkFolder(t)
	testbed.WriteFile(t, filepath.Join(dir, "policyd-rdns.caddy"), snippet(t, page, "caddy", "policyd-rdns.caddy"))
	config := filepath.Join(dir, "Caddyfile")
	testbed.WriteFile(t, config, fmt.Sprintf(caddyMain, address, dir))
	cmd := exec.Command(program, "run", "--config", config, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	p := startProcess(t, "caddy", cmd)
	p.await(t, "serving initial configuration")
}

// TestProxySnippets: what reaches the page by way of the real proxies is the visitor's own
// address, whatever he says himself, and the end of the path.
func TestProxySnippets(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // it was too large, and is cut off
		}
		fmt.Fprintf(w, "%s %s %q", r.Method, r.URL.Path, r.Header["X-Forwarded-For"])
	}))
	t.Cleanup(page.Close)
	for name, start := range proxies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := testbed.FreeAddrs(t, 1)[0]
			start(t, address, page.Listener.Addr().String())
			visitor := testbed.Loopback()
			client := &http.Client{Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext:       (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}).DialContext,
			}}
			ask := func(method, path, body string, forged ...string) (int, string) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header["X-Forwarded-For"] = forged
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp.StatusCode, string(text)
			}
			passed := 0
			for _, forged := range [][]string{nil, {"203.0.113.10"}, {"203.0.113.10", "203.0.113.11"}, {"203.0.113.10, 127.0.0.1"}, {"nonsense"}} {
				for _, path := range []string{"/", "/474b7jpb01rgmydzhr7yk75t7m", "/a/b/474b7jpb01rgmydzhr7yk75t7m"} {
					for _, method := range []string{"GET", "POST"} {
						status, got := ask(method, "/rdns"+path, "", forged...)
						if status == http.StatusOK {
							passed++
						}
						if want := fmt.Sprintf("%s %s [%q]", method, path, visitor); status == http.StatusOK && got != want || status != http.StatusOK && status != http.StatusTooManyRequests {
							t.Errorf("%s %s, forged as %q: %d, %s; want %s", method, path, forged, status, got, want)
						}
					}
				}
			}
			if passed < 20 { // the burst that one visitor has
				t.Errorf("%d requests passed; want 20 at least", passed)
			}
			if status, got := ask("GET", "/elsewhere/474b7jpb01rgmydzhr7yk75t7m", ""); strings.Contains(got, visitor) {
				t.Errorf("what is not below /rdns/ reaches the page: %d, %s", status, got)
			}
			if status, got := ask("POST", "/rdns/", strings.Repeat("x", 10<<10)); status == http.StatusOK {
				t.Errorf("a large body reaches the page: %s", got)
			}
		})
	}
}
