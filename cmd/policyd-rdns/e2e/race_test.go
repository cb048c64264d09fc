//go:build race

package e2e

// withRace: the tests run under the race detector.
const withRace = true
