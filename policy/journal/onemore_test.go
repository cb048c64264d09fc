package journal

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A further key is a row of the table and a field of the record, and nothing else: with
// one, in a copy of these two files, the package is whole, and the key is written, read
// back, converted and bounded.
func TestOneMoreKey(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the package anew")
	}
	dir := t.TempDir()
	replaced := map[string]string{}
	for _, change := range []struct{ file, before, add string }{
		{"journal.go", "\t// Unknown is the first", "\tColour string\n\n"},
		{"table.go", "\t\t{key: \"cut\"", "\t\ttextRow(\"colour\", 32, \"The colour of the client.\", func(r *Record) *string { return &r.Colour }),\n"},
	} {
		text, err := os.ReadFile(change.file)
		if err != nil {
			t.Fatal(err)
		}
		before, after, found := strings.Cut(string(text), change.before)
		if !found {
			t.Fatalf("%s has no %q", change.file, change.before)
		}
		copied := filepath.Join(dir, change.file)
		if err := os.WriteFile(copied, []byte(before+change.add+change.before+after), 0o600); err != nil {
			t.Fatal(err)
		}
		path, err := filepath.Abs(change.file)
		if err != nil {
			t.Fatal(err)
		}
		replaced[path] = copied
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", path, "-short", "-v", "-run", "TestEveryKey|TestLimitsAddUp|TestCutComesLast", ".")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: TestEveryKey/colour") {
		t.Errorf("the key was not tried: %s", out)
	}
}
