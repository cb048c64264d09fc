package postfix

import "sync/atomic"

// Stats is what a [Server] has done since it was made. The numbers are read
// one after the other and not at one moment.
type Stats struct {
	Open           int64 // connections that there are now
	Accepted       int64 // connections
	AcceptFailures int64 // tries that failed, for want of file descriptors say
	Full           int64 // connections that found as many as MaxConnections
	GaveWay        int64 // connections that were closed, being idle, for others to be served
	Requests       int64 // handed to the Handler
	BadRequests    int64 // connections closed for what their peer sent, or did not ([ErrRequest])
	Panics         int64 // of the Handler, or in serving a connection
}

// counters are the Stats of a Server at work.
type counters struct {
	open, accepted, acceptFailures, full, gaveWay, requests, badRequests, panics atomic.Int64
}

// Stats may be called at any time, also while Serve runs. It costs next to
// nothing.
func (s *Server) Stats() Stats {
	return Stats{
		Open:           s.count.open.Load(),
		Accepted:       s.count.accepted.Load(),
		AcceptFailures: s.count.acceptFailures.Load(),
		Full:           s.count.full.Load(),
		GaveWay:        s.count.gaveWay.Load(),
		Requests:       s.count.requests.Load(),
		BadRequests:    s.count.badRequests.Load(),
		Panics:         s.count.panics.Load(),
	}
}
