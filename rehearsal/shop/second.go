package shop

// Second is what one second of wall time showed of a sale. Flows are per second and are means
// over the simulated seconds that it held; the rest stands as it was at its end.
type Second struct {
	Unix int64

	Joined, Admitted  float64
	Checkouts, Orders float64
	Payments, Failed  [2]float64 // per provider
	Requests          float64    // at the load balancer, errors included
	Codes             [4]float64 // of them: see httpCodes
	EdgeRequests      float64
	EdgeErrors        float64
	EdgeHits          float64

	WebMean      float64    // seconds, of a response
	PaymentScale [2]float64 // seconds, see erlang
	CheckoutLen  float64    // seconds, see erlang

	Queue, Active           float64
	Holds, Left, Held, Sold float64
	DBConnections, DBCPU    float64
	Depth, InFlight, Oldest float64
	InService, Desired      float64
	Pending                 float64
	Min, Max                float64
	Limit, Ceiling          float64 // as configured at the gate, or by its event
	WaitMinutes             float64
	QueueAll, Suspended     bool
	MonthGood               float64 // of all requests in 30 days, the share that was answered
}

// httpCodes are the status codes that the shop answers with.
func httpCodes() [4]string { return [4]string{"200", "404", "500", "503"} }

// errors returns the share of the second's requests that the shop failed.
func (s *Second) errors() float64 { return s.Codes[2] + s.Codes[3] }

// add puts the flows of one simulated second onto s.
func (s *Second) add(o *Second) {
	s.Joined += o.Joined
	s.Admitted += o.Admitted
	s.Checkouts += o.Checkouts
	s.Orders += o.Orders
	for i := range s.Payments {
		s.Payments[i] += o.Payments[i]
		s.Failed[i] += o.Failed[i]
	}
	s.Requests += o.Requests
	for i := range s.Codes {
		s.Codes[i] += o.Codes[i]
	}
	s.EdgeRequests += o.EdgeRequests
	s.EdgeErrors += o.EdgeErrors
	s.EdgeHits += o.EdgeHits
}

// scale makes flows of n simulated seconds the mean of one.
func (s *Second) scale(n float64) {
	s.Joined /= n
	s.Admitted /= n
	s.Checkouts /= n
	s.Orders /= n
	for i := range s.Payments {
		s.Payments[i] /= n
		s.Failed[i] /= n
	}
	s.Requests /= n
	for i := range s.Codes {
		s.Codes[i] /= n
	}
	s.EdgeRequests /= n
	s.EdgeErrors /= n
	s.EdgeHits /= n
}
