package plain

import "testing"

// TestNearest: what is suggested for a misspelt key, and what is too far away.
func TestNearest(t *testing.T) {
	known := []string{"listen", "ptr", "when", "mode", "timeout", "cache_entries", "own_names", "helo", "servers", "code"}
	for word, want := range map[string]string{
		"lisen": "listen", "Listen": "listen", "lsiten": "listen", "listenn": "listen", "listener": "listen",
		"prt": "ptr", "ptrs": "ptr", "port": "", "pot": "", "ptx": "ptr",
		"wen": "when", "then": "when", "want": "", "men": "",
		"mod": "mode", "model": "mode", "made": "mode", "mad": "",
		"tiemout": "timeout", "timeuot": "timeout", "time": "", "tmieuot": "timeout",
		"cahce_entires": "cache_entries", "cache_file": "", "cache": "",
		"ownnames": "own_names", "own_name": "own_names", "names": "",
		"hello": "helo", "ehlo": "helo", "hold": "",
		"server": "servers", "sever": "", "": "", "x": "", "no": "",
	} {
		if got, ok := Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}
