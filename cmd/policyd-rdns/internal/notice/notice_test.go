package notice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	for to, want := range map[string]bool{
		"postmaster": true, "postmaster@example.com": true, "mail+rdns@mx.example.com": true,
		"": false, "-f": false, "a b": false, "a\nBcc: b@example.com": false, "a,b": false, "<a@example.com>": false, "|sh": false, "é@example.com": false,
		strings.Repeat("a", 255): false,
	} {
		if err := CheckAddress(to); (err == nil) != want {
			t.Errorf("CheckAddress(%q) = %v; want well %v", to, err, want)
		}
	}
}

// TestMail has sendmail take a message, and one that does not want it.
func TestMail(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken")
	program := func(script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "sendmail"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	program(`{ echo "$@"; cat; } >` + taken)
	if err := Mail(t.Context(), "postmaster", "two\nlines", "text\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(taken)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(string(got), "\n\n")
	if body != "text\n" || !strings.HasPrefix(head, "-oi -t\nTo: postmaster\nSubject: two") || !strings.Contains(head, "\nAuto-Submitted: auto-generated\n") || strings.Contains(head, "\nlines") {
		t.Errorf("sendmail got\n%s", got)
	}
	program("echo 'no space left' >&2; exit 75")
	if err := Mail(t.Context(), "postmaster", "x", "text\n"); err == nil || !strings.Contains(err.Error(), "exit status 75: no space left") {
		t.Errorf("sendmail fails: %v", err)
	}
	if err := Hook(t.Context(), "cat >"+taken, "text\n"); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(taken); string(got) != "text\n" {
		t.Errorf("the command got %q", got)
	}
	if err := Hook(t.Context(), "exit 3", "text\n"); err == nil {
		t.Error("a command that fails is not told")
	}
}
