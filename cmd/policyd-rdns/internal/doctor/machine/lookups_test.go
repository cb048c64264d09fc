package machine

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLookups: what postmap says of keys that are there, that are not, and of tables that
// cannot be asked.
func TestLookups(t *testing.T) {
	none := exec.CommandContext(t.Context(), "false").Run()
	var status *exec.ExitError
	if !errors.As(none, &status) || status.ExitCode() != 1 {
		t.Fatalf("false: %v; want exit status 1", none)
	}
	var ran []string
	s := &System{Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
		ran = append(ran, name+" "+strings.Join(args, " "))
		switch {
		case args[2] == "nis:mail.aliases":
			return nil, errors.New("postmap: unsupported dictionary type: nis")
		case args[1] == "postmaster" && args[2] == "unix:passwd.byname":
			return []byte("postmaster:x:1:1\n"), nil
		}
		return nil, fmt.Errorf("postmap: %w", none)
	}}
	a, b, c := Lookup{"proxy:unix:passwd.byname", "postmaster"}, Lookup{"nis:mail.aliases", "a"}, Lookup{"nis:mail.aliases", "b"}
	d := Lookup{"hash:/etc/aliases", "-x"}
	got := s.lookups(t.Context(), []Lookup{a, a, b, c, d})
	want := map[Lookup]LookedUp{
		a: {Found: true}, b: {Unread: "postmap: unsupported dictionary type: nis"}, c: {Unread: "postmap: unsupported dictionary type: nis"}, d: {},
	}
	wantRan := []string{"postmap -q postmaster unix:passwd.byname", "postmap -q a nis:mail.aliases", "postmap -q -x hash:/etc/aliases"}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(ran, wantRan) {
		t.Errorf("lookups = %v, ran %q; want %v, %q", got, ran, want, wantRan)
	}
	if got := s.lookups(t.Context(), nil); got != nil {
		t.Errorf("without lookups: %v; want nil", got)
	}
	many := make([]Lookup, 2*maxLookups)
	for i := range many {
		many[i] = Lookup{"hash:/etc/aliases", fmt.Sprint(i)}
	}
	if got := s.lookups(t.Context(), many); len(got) != maxLookups {
		t.Errorf("%d lookups were made; want %d", len(got), maxLookups)
	}
}

// TestLookupsSlow: tables that do not answer take the time of one program together.
func TestLookupsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &System{Run: func(ctx context.Context, _ string, _ ...string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		begun := time.Now()
		got := s.lookups(t.Context(), []Lookup{{"mysql:/a", "x"}, {"mysql:/b", "x"}, {"mysql:/c", "x"}})
		if took := time.Since(begun); took != runTime || len(got) != 3 || got[Lookup{"mysql:/c", "x"}].Unread == "" {
			t.Errorf("lookups = %v in %v; want three that are not known in %v", got, took, runTime)
		}
	})
}

// TestFirstError: a warning of main.cf is not what went wrong.
func TestFirstError(t *testing.T) {
	const warning = "postmap: warning: /etc/postfix/main.cf, line 3: overriding earlier entry: myhostname=a.example\n"
	for _, test := range []struct{ said, want string }{
		{"", ""},
		{warning + warning, ""},
		{warning + "postmap: fatal: open database /etc/x.db: No such file or directory\n", "postmap: fatal: open database /etc/x.db: No such file or directory"},
		{"warning: of another program\n" + warning, "warning: of another program"},
	} {
		if got := firstError(test.said, "postmap"); got != test.want {
			t.Errorf("firstError(%q) = %q; want %q", test.said, got, test.want)
		}
	}
}

// TestRunStatus: a program that only says that nothing is found leaves its exit status.
func TestRunStatus(t *testing.T) {
	var status *exec.ExitError
	if _, err := run(t.Context(), "sh", "-c", "echo 'sh: warning: x' >&2; exit 1"); !errors.As(err, &status) || status.ExitCode() != 1 {
		t.Errorf("only a warning: %v; want exit status 1", err)
	}
	if _, err := run(t.Context(), "sh", "-c", "echo 'sh: fatal: x' >&2; exit 1"); errors.As(err, &status) || err == nil || !strings.HasSuffix(err.Error(), "sh: fatal: x") {
		t.Errorf("an error: %v; want what it said", err)
	}
}
