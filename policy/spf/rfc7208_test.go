package spf

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"gopkg.in/yaml.v3"
)

// suite is a part of the public test suite of RFC 7208, which the library's module has as
// test data. It is read from there.
type suite struct {
	Description string
	Tests       map[string]struct {
		HELO     string `yaml:"helo"`
		Host     string
		MailFrom string   `yaml:"mailfrom"`
		Result   oneOrAll `yaml:"result"`
	}
	Zone map[string][]map[string]yaml.Node `yaml:"zonedata"`
}

// oneOrAll is a list, or the only item of one.
type oneOrAll []string

func (o *oneOrAll) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(o))
	}
	*o = oneOrAll{n.Value}
	return nil
}

// differences are the cases whose result is another, with the reason. None is a pass that
// should not be.
var differences = map[string]struct{ got, why string }{
	"a-colon-domain":            {"permerror", slash},
	"a-colon-domain-ip4mapped":  {"permerror", slash},
	"mx-colon-domain":           {"permerror", slash},
	"mx-colon-domain-ip4mapped": {"permerror", slash},
	"ptr-cname-loop":            {"temperror", "what the DNS cannot say of the client's names is no ground for a fail"},
	"p-macro-multiple":          {"neutral", "the macro p is always unknown, which section 7.3 advises"},
}

const slash = `the library takes no "/" in a domain-spec, which no host name has`

// TestRFC7208 holds the public suite, through our resolver.
func TestRFC7208(t *testing.T) {
	cases, counted := 0, make(map[string]int)
	for _, s := range readSuite(t) {
		zone := s.zone(t)
		for name, test := range s.Tests {
			cases++
			var r Result
			synctest.Test(t, func(t *testing.T) {
				r = Check(t.Context(), newDNS(t, zone), Query{Client: netip.MustParseAddr(test.Host), HELO: test.HELO, Sender: test.MailFrom})
			})
			got := r.RFC.String()
			d, known := differences[name]
			switch {
			case slices.Contains(test.Result, got) && known:
				t.Errorf("%s, %s: %s is no difference any more", s.Description, name, got)
			case slices.Contains(test.Result, got):
				counted["as it says"]++
			case known && got == d.got:
				counted["with a known difference"]++
			default:
				t.Errorf("%s, %s: %s (%+v); want %s", s.Description, name, got, r, strings.Join(test.Result, " or "))
			}
			if (r.Code == Own || r.Code == Pass) && !slices.Contains(test.Result, "pass") {
				t.Errorf("%s, %s: %v by %v; want no pass", s.Description, name, r.Code, r.By)
			}
			if r.RFC == Pass {
				counted["pass: "+r.Code.String()]++
			}
		}
	}
	t.Logf("%d cases: %v", cases, counted)
	if cases < 200 {
		t.Errorf("%d cases; want the whole suite", cases)
	}
}

func readSuite(t *testing.T) []suite {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "blitiri.com.ar/go/spf").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "rfc7208-tests.yml"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the module's test data are not here")
	} else if err != nil {
		t.Fatal(err)
	}
	var all []suite
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var s suite
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
}

// zone is the zone data as text of a world.
func (s *suite) zone(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for name, records := range s.Zone {
		owner := escaped(name) + "."
		var texts, policies [][]string
		notext, timeout := false, false
		for _, record := range records {
			for rtype, value := range record {
				var words oneOrAll
				if err := value.Decode(&words); err != nil {
					t.Fatal(err)
				}
				switch rtype {
				case "TXT":
					if notext = words[0] == "NONE"; !notext {
						texts = append(texts, words)
					}
				case "SPF":
					policies = append(policies, words)
				case "TIMEOUT":
					timeout = true
				case "CNAMELOOP":
					fmt.Fprintf(&text, "%s CNAME %s\n", owner, owner)
				case "MX":
					fmt.Fprintf(&text, "%s MX %s %s.\n", owner, words[0], escaped(words[1]))
				case "A", "AAAA":
					fmt.Fprintf(&text, "%s %s %s\n", owner, rtype, words[0])
				case "PTR", "CNAME":
					fmt.Fprintf(&text, "%s %s %s.\n", owner, rtype, escaped(strings.TrimSuffix(words[0], ".")))
				default:
					t.Fatalf("%s: record %s", name, rtype)
				}
			}
		}
		// Nobody queries type SPF any more. What has no TXT is to be one.
		if len(texts) == 0 && !notext {
			texts = policies
		}
		for _, words := range texts {
			fmt.Fprintf(&text, "%s TXT%s\n", owner, quoted(words))
		}
		if timeout && len(texts) == 0 {
			fmt.Fprintf(&text, "!drop %s\n", owner)
		}
	}
	return text.String()
}

// escaped is a name in presentation format: RFC 1035 section 5.1.
func escaped(name string) string {
	var s strings.Builder
	for i := range len(name) {
		if c := name[i]; c == '.' || c == '-' || c == '_' || isLetter(c) || isDigit(c) {
			s.WriteByte(c)
		} else {
			fmt.Fprintf(&s, "\\%03d", c)
		}
	}
	return s.String()
}

// quoted are the strings of a TXT as a zone file has them.
func quoted(words []string) string {
	var s strings.Builder
	for _, word := range words {
		for first := true; first || len(word) > 0; first = false {
			s.WriteString(" \"")
			n := min(len(word), 255)
			for i := range n {
				if c := word[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
					fmt.Fprintf(&s, "\\%03d", c)
				} else {
					s.WriteByte(c)
				}
			}
			s.WriteByte('"')
			word = word[n:]
		}
	}
	return cmp.Or(s.String(), ` ""`)
}
