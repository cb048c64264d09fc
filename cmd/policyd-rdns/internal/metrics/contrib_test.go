package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

const contrib = "../../../../contrib/"

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(contrib + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// needPromtool gives Prometheus's own tool, or skips the test.
func needPromtool(t *testing.T) string {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		const what = "needs the program promtool (Debian package prometheus)"
		if os.Getenv("POLICYD_RDNS_REQUIRE_ALL") != "" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	return promtool
}

// exported are the names of the series that the program exports, with the names
// and values of their labels.
func exported(t *testing.T) (names map[string]bool, labels map[string][]string) {
	t.Helper()
	m := New("1.2.3", busy)
	r := rules()
	r.List = append(r.List, policy.Rule{Name: "deferred", Action: policy.Defer})
	m.Tally(r, nil)
	names, labels = map[string]bool{}, map[string][]string{}
	for _, series := range regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? `).FindAllStringSubmatch(scraped(t, m), -1) {
		names[series[1]] = true
		for _, label := range regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(series[2], -1) {
			key := series[1] + " " + label[1]
			labels[key] = append(labels[key], label[2])
		}
	}
	return names, labels
}

// expressions are those of the dashboard, with Grafana's variables filled in.
func expressions(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "grafana/policyd-rdns.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$job", "policyd-rdns", "$instance", ".*")
	var all []string
	seen := map[int]bool{}
	for _, p := range dashboard.Panels {
		if p.Title == "" || seen[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: no title, no target, an ID twice, or too wide", p.ID, p.Title)
		}
		seen[p.ID] = true
		for _, target := range p.Targets {
			all = append(all, fill.Replace(target.Expr))
		}
	}
	if len(all) < 30 {
		t.Fatalf("%d expressions; want more", len(all))
	}
	return all
}

// TestContribNames holds alerts and dashboard to the metrics that the program
// really exports, and to their labels.
func TestContribNames(t *testing.T) {
	names, labels := exported(t)
	texts := map[string]string{
		"alerts":    read(t, "prometheus/policyd-rdns.rules.yml"),
		"tests":     read(t, "prometheus/policyd-rdns.rules.test.yml"),
		"dashboard": strings.Join(expressions(t), "\n"),
	}
	series := regexp.MustCompile(`\b((?:policyd_rdns|go|process)_\w+)(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`(\w+)(=~?)"([^"]*)"`)
	used := map[string]bool{}
	for where, text := range texts {
		for _, s := range series.FindAllStringSubmatch(text, -1) {
			used[s[1]] = true
			if !names[s[1]] {
				t.Errorf("%s: %s is not exported", where, s[1])
			}
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if slices.Contains([]string{"job", "instance", "le", "rule", "server"}, m[1]) {
					continue // Prometheus's, or the configuration's
				}
				value := regexp.MustCompile("^(" + m[3] + ")$")
				if !slices.ContainsFunc(labels[s[1]+" "+m[1]], value.MatchString) {
					t.Errorf("%s: %s has no %s%s%q", where, s[1], m[1], m[2], m[3])
				}
			}
		}
	}
	for name := range names {
		bare := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "_bucket")
		if strings.HasPrefix(name, namespace) && !used[name] && !used[bare] {
			t.Errorf("neither an alert nor the dashboard shows %s", name)
		}
	}
}

// TestContribAlerts runs the tests of the alerts, and sees that each has one.
func TestContribAlerts(t *testing.T) {
	tests := read(t, "prometheus/policyd-rdns.rules.test.yml")
	for _, alert := range regexp.MustCompile(`(?m)- alert: (\w+)`).FindAllStringSubmatch(read(t, "prometheus/policyd-rdns.rules.yml"), -1) {
		speaks := regexp.MustCompile(`alertname: ` + alert[1] + `\n +exp_alerts:\n +- exp_labels`)
		silent := regexp.MustCompile(`alertname: ` + alert[1] + `, exp_alerts: \[\]`)
		if !speaks.MatchString(tests) || !silent.MatchString(tests) {
			t.Errorf("no test has %s speak, or none has it silent", alert[1])
		}
	}
	promtool := needPromtool(t)
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"},
		{"test", "rules", "policyd-rdns.rules.test.yml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = contrib + "prometheus"
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "SUCCESS") {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestContribDashboard: every expression of the dashboard is one.
func TestContribDashboard(t *testing.T) {
	var file strings.Builder
	file.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, e := range expressions(t) {
		fmt.Fprintf(&file, "  - record: expression_%d\n    expr: %q\n", i, e)
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(needPromtool(t), "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
}
