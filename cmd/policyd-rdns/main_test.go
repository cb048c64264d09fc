package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// asProgram makes the test binary behave as the program itself, so that tests
// run the real one, in a process of its own, without building it again.
const asProgram = "POLICYD_RDNS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if os.Getenv("LISTEN_PID") == "self" {
			// Only here is the pid known that systemd would have set.
			os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the program with arguments, not started yet. It ends with the
// test at the latest.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// call runs a command line within the test's own process. A command that is not told of a
// configuration has the built-in one: that of this machine is nothing to a test. Of
// standard error the line that tells which one was read is left out; callAsIs has it.
func call(stdin string, args ...string) (status int, stdout, stderr string) {
	named := slices.ContainsFunc(args, func(arg string) bool { return arg == "-c" || strings.HasPrefix(arg, "--config") })
	if len(args) > 0 && slices.Contains([]string{"explain", "allow", "log", "replay", "report", "configtest", "serve", "history"}, args[0]) && !named {
		args = append(slices.Clone(args), "-c", "none")
	}
	status, stdout, stderr = callAsIs(stdin, args...)
	return status, stdout, whichFile.ReplaceAllString(stderr, "")
}

// whichFile is the line that tells which configuration a command has read.
var whichFile = regexp.MustCompile(`(?m)^policyd-rdns: (built-in configuration|configuration .*) \([0-9a-f]{12}\).*\n`)

// callAsIs runs a command line within the test's own process.
func callAsIs(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}

func TestExitStatus(t *testing.T) {
	tests := []struct {
		args   string
		status int
		stdout string // a part of it
		stderr string
	}{
		{"version", 0, "policyd-rdns ", ""},
		{"help serve", 0, "SIGHUP", ""},
		{"completion bash", 0, "bash completion", ""},
		{"", 2, "Usage:", "policyd-rdns: which command?"},
		{"--version", 0, versionLine(), ""},
		{"sevre", 2, "", `unknown command "sevre" (did you mean serve?)`},
		{"confgitest -c x", 2, "", `unknown command "confgitest" (did you mean configtest?)`},
		{"-x configtest", 2, "", "unknown shorthand flag: 'x' in -x"},
		{"xyzzy", 2, "", "policyd-rdns: unknown command \"xyzzy\"\n"},
		{"serve --prot 1", 2, "", "unknown flag: --prot"},
		{"serve extra", 2, "", `unknown command "extra"`},
		{"explain", 2, "", "explain wants one address"},
		{"explain example.com", 2, "", `"example.com" is no address`},
		{"explain 203.0.113.10 --stage rcpt", 2, "", "want client or recipient"},
		{"serve -c /nonexistent/config.toml", 1, "", "reading the configuration: open /nonexistent/config.toml"},
		{"configtest -c /nonexistent/config.toml", 1, "", "reading the configuration: open /nonexistent/config.toml"},
	}
	for _, test := range tests {
		status, stdout, stderr := call("", strings.Fields(test.args)...)
		if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("policyd-rdns %s = %d, %q, %q; want %d, %q, %q",
				test.args, status, stdout, stderr, test.status, test.stdout, test.stderr)
		}
	}
}

func needProgram(t testing.TB, name, debianPackage string) string {
	t.Helper()
	return testbed.NeedProgram(t, name, debianPackage)
}

func missing(t testing.TB, what string) {
	t.Helper()
	testbed.Missing(t, what)
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	testbed.WriteFile(t, path, text)
}

// longAlone leaves out of a short run a test of which the race detector has nothing to see,
// as it goes one way alone, and that takes ten seconds under it.
func longAlone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
}
