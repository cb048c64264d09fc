package testbed

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
)

// Commands are the postconf commands of doctor's errors and warnings, each once.
func Commands(findings []doctor.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Level != doctor.Error && f.Level != doctor.Warning {
			continue
		}
		for _, line := range f.Do {
			if strings.HasPrefix(line, "postconf ") && !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}
