package trial

// demand is a line of the table: something measured, and what it should be.
type demand int

// The demands, in the order of the table.
const (
	cachedRate demand = iota
	cachedCPU
	cachedLatency
	halfLoad
	newLatency
	newQueries
	newCPU
	otherTrips
	growConnections
	growRules
	startEmpty
	startList
	scaling
	numDemands
)

// terms are what a demand says.
type terms struct {
	what, unit string
	limit      float64
	least      bool // the limit is the least that will do, not the most
}

func (d demand) terms() terms {
	return [numDemands]terms{
		cachedRate:      {"cached client, 100 connections: requests/s", " of the do-nothing server's", 0.80, true},
		cachedCPU:       {"cached client, 100 connections: CPU per request", " times the do-nothing server's", 1.5, false},
		cachedLatency:   {"cached client, 1 connection: median latency", " times the do-nothing server's", 1.15, false},
		halfLoad:        {"p99 at 50% of its own maximum rate, open loop", " ms", 2, false},
		newLatency:      {"new client, HELO is its name: median beyond 2 round trips", " ms", 2, false},
		newQueries:      {"new client, HELO is its name: queries", "", 2, false},
		newCPU:          {"new client, HELO is its name: CPU per request", " µs", 150, false},
		otherTrips:      {"new client, HELO is another name: round trips in sequence", "", 2.25, false},
		growConnections: {"CPU per request over 100 or 2000 connections, the dearer, to that over one", " times", 1.2, false},
		growRules:       {"CPU per request with 1000 CIDR entries, to that with 1", " times", 1.2, false},
		startEmpty:      {"start to listening", " ms", 50, false},
		startList:       {"start to listening with a long @file", " ms", 2000, false},
		scaling:         {"CPU per request on two processors, to that on one", " times", 1.15, false},
	}[d]
}

// met says whether the median of the samples is within the limit.
func (d demand) met(s spread) bool {
	a := d.terms()
	if a.least {
		return s.median() >= a.limit
	}
	return s.median() <= a.limit
}
