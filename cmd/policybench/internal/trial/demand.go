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
	newTail
	newQueries
	newCPU
	otherTrips
	growConnections
	growRules
	growExemptions
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
		cachedRate:      {"cached client, 100 connections: requests/s", " of the do-nothing server's of one thread", 0.80, true},
		cachedCPU:       {"cached client, 100 connections: CPU per request", " times the do-nothing server's of one thread", 1.5, false},
		cachedLatency:   {"cached client, 1 connection: median latency", " times the do-nothing server's", 1.15, false},
		halfLoad:        {"p99 at 50% of its own maximum rate, open loop", " ms", 1, false},
		newLatency:      {"new client, HELO is its name: median beyond 2 round trips", " ms", 2, false},
		newTail:         {"new client, HELO is its name, DNS that takes 20 ms: p99", " ms", 35, false},
		newQueries:      {"new client, HELO is its name: queries", "", 2, false},
		newCPU:          {"new client, HELO is its name: CPU per request", " times that of two bare lookups", 1.6, false},
		otherTrips:      {"new client, HELO is another name: round trips in sequence", "", 2.25, false},
		growConnections: {"CPU per request over 2000 connections, to that over 100", " times", 1.15, false},
		growRules:       {"CPU per request with 1000 CIDR entries, to that with 1", " times", 1.15, false},
		growExemptions:  {"CPU per request with 1000 exemptions, to that with 1", " times", 1.15, false},
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
