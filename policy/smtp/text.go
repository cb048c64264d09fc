package smtp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Values are what the placeholders of a text stand for.
type Values struct {
	Client    netip.Addr
	HELO      string
	Name      string       // the client's confirmed or else first name
	Addresses fmt.Stringer // what that name resolves to
	Recipient string
}

// placeholder is what a text may name in braces.
type placeholder struct {
	name   string
	append func(dst []byte, v Values) []byte
}

var placeholders = []placeholder{
	{"{client}", func(dst []byte, v Values) []byte { return v.Client.AppendTo(dst) }},
	{"{helo}", func(dst []byte, v Values) []byte { return append(dst, clip(v.HELO)...) }},
	{"{name}", func(dst []byte, v Values) []byte { return append(dst, clip(v.Name)...) }},
	{"{addresses}", func(dst []byte, v Values) []byte { return append(dst, clip(v.Addresses.String())...) }},
	{"{recipient}", func(dst []byte, v Values) []byte { return append(dst, clip(v.Recipient)...) }},
}

// Placeholders names the placeholders of a text, braces included.
func Placeholders() []string {
	var names []string
	for _, p := range placeholders {
		names = append(names, p.name)
	}
	return names
}

// maxValue bounds what a placeholder brings into a text, in bytes.
const maxValue = 100

func clip(s string) string { return s[:min(len(s), maxValue)] }

// Fill puts values into a text, each cut to 100 bytes. They may hold bytes that the client
// or the DNS chose. Braces with anything else in them stay as they are.
func Fill(text string, v Values) string {
	out := make([]byte, 0, len(text)+maxValue)
	for {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			return string(append(out, text...))
		}
		out, text = append(out, text[:i]...), text[i:]
		known := slices.IndexFunc(placeholders, func(p placeholder) bool { return strings.HasPrefix(text, p.name) })
		if known < 0 {
			out, text = append(out, '{'), text[1:]
			continue
		}
		out, text = placeholders[known].append(out, v), text[len(placeholders[known].name):]
	}
}
