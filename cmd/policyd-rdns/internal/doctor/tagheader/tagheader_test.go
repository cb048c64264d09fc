package tagheader

import (
	"regexp"
	"testing"
)

// TestPattern: the pattern takes our headers, and none of another rule.
func TestPattern(t *testing.T) {
	for _, rules := range [][]string{{"strangers"}, {"a", "b"}, {"consumer/lines; odd", "a (very) odd |^$ 100% \\ name", "it's"}} {
		ours, foreign := Examples(rules)
		pattern := regexp.MustCompile(Pattern(rules))
		for _, h := range append(ours, header(rules[0])) {
			if !pattern.MatchString(h) {
				t.Errorf("%s does not take %s", pattern, h)
			}
		}
		for _, h := range []string{foreign, header(rules[0] + "x"), header("x" + rules[0]), header(rules[0], "x"), "X-Policyd-Rdns: " + rules[0]} {
			if pattern.MatchString(h) {
				t.Errorf("%s takes %s", pattern, h)
			}
		}
	}
}
