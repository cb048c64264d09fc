package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The sizes that hold: files and lines of code of main, lines of code of any other
// package. A line of code is one that is neither blank nor all comment; tests do not
// count.
const (
	mostMainFiles = 18
	mostMainLines = 1400
	mostLines     = 2000
	mostRoomy     = 2500 // of roomy
	mostRules     = 3000 // of policy, of which each check is a file
)

// roomy are the packages that may be larger: each is one thing, and long.
var roomy = []string{"resolver", "policy/journal", internalPackages + "report", internalPackages + "doctor", internalPackages + "config"}

const (
	module           = "policyd-rdns"
	mainPackage      = "cmd/policyd-rdns"
	internalPackages = "cmd/policyd-rdns/internal/"
)

// layers are the packages from the bottom up: a package imports those of its own
// layer and of those below. An entry that ends in a slash is all below it; the first
// entry that fits holds.
var layers = [][]string{
	{"policy/address"},
	{"policy/hostname", "policy/hostname/"},
	{"resolver", "resolver/"},
	{"policy", "policy/"},
	{internalPackages},
	{mainPackage},
}

// rooms are packages of which none imports another, but as lent says: what they have
// in common is below them.
var rooms = [][]string{
	{"policy/postfix", "policy/journal", "policy/history"},
	{
		internalPackages + "declog", internalPackages + "replay", internalPackages + "explain", internalPackages + "daemon",
		internalPackages + "report", internalPackages + "status", internalPackages + "classify", internalPackages + "manual",
		internalPackages + "doctor", internalPackages + "doctor/checkup", internalPackages + "why",
		internalPackages + "helppage", internalPackages + "helppage/look",
	},
}

// lent are what rooms have of each other.
var lent = map[string][]string{
	"declog":         {"explain"},                                        // the words for a decision
	"why":            {"declog", "explain"},                              // and searched
	"replay":         {"declog", "explain"},                              // logs are chosen, and changes listed, as log does
	"daemon":         {"explain", "status", "helppage", "helppage/look"}, // the pages
	"helppage":       {"helppage/look"},
	"doctor/checkup": {"doctor"},
}

// sharedImports are the packages of others that several of ours import, and which do.
// Any other is imported by one.
var sharedImports = map[string][]string{
	// Flags, of two programs; and the manual page, which is made from them.
	"github.com/spf13/cobra": {mainPackage, internalPackages + "manual", "cmd/policybench"},
	"github.com/spf13/pflag": {internalPackages + "manual", "cmd/policybench"},
	// The DNS world of tests and of the demonstration is a server.
	"github.com/miekg/dns": {"resolver/internal/message", "resolver/world"},
	// The benchmark shares nothing with what it measures.
	"golang.org/x/sys/unix":                   {"cmd/policybench/internal/load", internalPackages + "plain"},
	"github.com/HdrHistogram/hdrhistogram-go": {internalPackages + "report", internalPackages + "deferral", "cmd/policybench/internal/load"},
	// Keyed hashes, of who came before and of case numbers.
	"github.com/dchest/siphash":       {"policy/casenumber", "policy/history"},
	"golang.org/x/net/dns/dnsmessage": {"cmd/policybench/internal/floor", "cmd/policybench/internal/trial", "cmd/policybench/internal/zone"},
}

// aPackage is one of ours, without its tests, for whichever system a file is.
type aPackage struct {
	files, lines int
	imports      map[string]bool // ours without the module's name
}

// ourPackages reads the module, by folder.
func ourPackages(t *testing.T) map[string]*aPackage {
	t.Helper()
	nothing := regexp.MustCompile(`^\s*(//.*)?$`)
	all := map[string]*aPackage{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != root && (entry.Name() == "testdata" || entry.Name()[0] == '.'):
			return fs.SkipDir
		case !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if all[name] == nil {
			all[name] = &aPackage{imports: map[string]bool{}}
		}
		p := all[name]
		p.files++
		for line := range bytes.Lines(text) {
			if !nothing.Match(bytes.TrimRight(line, "\n")) {
				p.lines++
			}
		}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			p.imports[imported] = true
		}
		return nil
	})
	if err != nil || all[mainPackage] == nil {
		t.Fatalf("reading the packages of the module: %d, %v", len(all), err)
	}
	return all
}

// own gives one of our packages by what it is imported as.
func own(imported string) (name string, ok bool) { return strings.CutPrefix(imported, module+"/") }

// layer is that of one of our packages; -1: none, such as those of the benchmark.
func layer(name string) int {
	return slices.IndexFunc(layers, func(entries []string) bool {
		return slices.ContainsFunc(entries, func(entry string) bool {
			return name == entry || strings.HasSuffix(entry, "/") && strings.HasPrefix(name, entry)
		})
	})
}

// TestLayers: arrows between packages run one way.
func TestLayers(t *testing.T) {
	for name, p := range ourPackages(t) {
		for imported := range p.imports {
			to, ours := own(imported)
			if ours && layer(name) < layer(to) {
				t.Errorf("%s imports %s, which is above it", name, to)
			}
		}
	}
	for entry := range lent {
		if _, err := os.Stat(filepath.Join("internal", entry)); err != nil {
			t.Errorf("something is lent to what is not there: %v", err)
		}
	}
}

// TestRooms: packages that are beside each other know nothing of each other.
func TestRooms(t *testing.T) {
	all := ourPackages(t)
	for _, group := range rooms {
		for _, room := range group {
			p := all[room]
			if p == nil {
				continue // not built yet
			}
			for imported := range p.imports {
				to, _ := own(imported)
				from := strings.TrimPrefix(room, internalPackages)
				if slices.Contains(group, to) && !slices.Contains(lent[from], strings.TrimPrefix(to, internalPackages)) {
					t.Errorf("%s imports %s: what both need belongs below them", room, to)
				}
			}
		}
	}
}

// TestImportedOnce: each package of others is behind one of ours.
func TestImportedOnce(t *testing.T) {
	importers := map[string][]string{}
	for name, p := range ourPackages(t) {
		for imported := range p.imports {
			if domain, _, _ := strings.Cut(imported, "/"); strings.Contains(domain, ".") {
				importers[imported] = append(importers[imported], name)
			}
		}
	}
	for imported, by := range importers {
		slices.Sort(by)
		want := slices.Sorted(slices.Values(sharedImports[imported]))
		if len(by) > 1 && !slices.Equal(by, want) || len(want) > 0 && len(by) < len(want) {
			t.Errorf("%s is imported by %s; want one, or as listed %s", imported, strings.Join(by, ", "), strings.Join(want, ", "))
		}
	}
	for _, imported := range slices.Sorted(maps.Keys(sharedImports)) {
		if importers[imported] == nil {
			t.Errorf("%s is listed, and nobody imports it", imported)
		}
	}
}

// TestSizes: no package is more than one holds in the head.
func TestSizes(t *testing.T) {
	for name, p := range ourPackages(t) {
		most := mostLines
		switch {
		case name == mainPackage:
			most = mostMainLines
			if p.files > mostMainFiles {
				t.Errorf("%s has %d files; want at most %d: flags, and one call for each subcommand", name, p.files, mostMainFiles)
			}
		case name == "policy":
			most = mostRules
		case slices.Contains(roomy, name):
			most = mostRoomy
		}
		if p.lines > most {
			t.Errorf("%s has %d lines of code; want at most %d", name, p.lines, most)
		}
	}
}
