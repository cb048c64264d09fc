// Package trial measures policyd-rdns beside a service that does nothing, on one
// machine and in one go, and says whether it is as fast as it is meant to be.
//
// The figures of a machine are worth little on another, and those of a shared one
// little a minute later. So what is judged is ratios: the two services are
// measured in turn, several times, each time for a short while, and the ratio of
// two neighbours is one sample. The table gives the median of the samples, and
// the least and the greatest of them, to tell how far it can be trusted.
//
// The daemon is the real program, with its decision log in a file and the built-in
// rules. Each of its measurements ends with a count: a request that was answered
// and not logged, or the other way round, ends the run.
package trial
