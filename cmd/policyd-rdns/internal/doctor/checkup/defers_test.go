package checkup

import (
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
)

// TestDefers: which configurations have clients come again.
func TestDefers(t *testing.T) {
	const none = "default_rules = false\n"
	for _, test := range []struct {
		text string
		want bool
	}{
		{none, false},
		{none + "defer_for = \"4h\"\n", false},
		{none + "defer_for = \"4h\"\n[[rule]]\nname = \"a\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n", true},
		{none + "defer_for = \"4h\"\n[[rule]]\nname = \"a\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\ndefer_for = \"0s\"\n", false},
		{none + "[[rule]]\nname = \"a\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\ndefer_for = \"1h\"\n", true},
		{none + "[[rule]]\nname = \"a\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\ndefer_for = \"1h\"\nmode = \"observe\"\n", false},
		{none + "[[rule]]\nname = \"a\"\nwhen = { ptr = \"none\" }\naction = \"defer\"\n", false},
		{none + "[[rule]]\nname = \"a\"\nwhen = { name = \"generic\", history = \"new\" }\naction = \"defer\"\n", true},
		{none + "[[rule]]\nname = \"a\"\nwhen = { name = \"generic\" }\nunless = { history = \"known\" }\naction = \"defer\"\n", true},
		{none + "mode = \"observe\"\n[[rule]]\nname = \"a\"\nwhen = { name = \"generic\", history = \"new\" }\naction = \"defer\"\n", false},
	} {
		conf, err := config.Parse("x.toml", []byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := View(conf, config.Host{}).Defers; got != test.want {
			t.Errorf("%q: %v; want %v", test.text, got, test.want)
		}
	}
}
