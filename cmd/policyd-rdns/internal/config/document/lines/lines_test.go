package lines

import (
	"strings"
	"testing"
)

const file = `# a comment [server]
mode = "observe"
"quoted.key" = 1
[server]  # another
listen = [
  "a", # one
  'b]',
  """c
d""", "e",
]
deadline = "5s"
[[rule]]
name = "one"
helo.own_names = []
helo.x = 1
[[rule]]
when = { ptr = "none", client = ["x",
 "y"] }
unless = [
  { sender = "<>" },
  { client = "z", until = 2027-03-31 },
]
`

func TestIndex(t *testing.T) {
	index := Parse(file)
	for path, want := range map[string]int{
		"mode":                     2,
		"server":                   4,
		"server.listen":            5,
		"server.listen[1]":         7,
		"server.listen[2]":         8,
		"server.listen[3]":         9,
		"server.deadline":          11,
		"server.unknown":           4,
		"rule[0].name":             13,
		"rule[0].helo":             14,
		"rule[0].helo.own_names":   14,
		"rule[0].helo.x":           15,
		"rule[1]":                  16,
		"rule[1].when.ptr":         17,
		"rule[1].when.client[1]":   18,
		"rule[1].unless[0].sender": 20,
		"rule[1].unless[1].until":  21,
		"rule[1].unless[1].gone":   21,
		"gone":                     0,
	} {
		if got := index.At(path); got != want {
			t.Errorf("line of %s = %d; want %d", path, got, want)
		}
	}
}

// FuzzParse reads any bytes: every path is on a line of the file.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		file, "a = [[1, {b = 2}], \"\\\"\n", "[[a.b]]\n[a.b.c]\nd.\"e f\" = '', x",
		"]}=,\n'''\n", "[", "a={a={a=", "\"\\", "a = \"\"\"\n\\",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 1 + strings.Count(text, "\n")
		for path, line := range Parse(text) {
			if line < 1 || line > last {
				t.Errorf("line of %q = %d; want one of %d", path, line, last)
			}
		}
	})
}
