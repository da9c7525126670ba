package shop

import (
	"math"
)

// load turns people into work and work into latency and errors.
//
// A host is a queue with one server: its mean response time is the service time over (1 - ρ).
// A full connection pool adds a wait that grows as u/(1 - u) with its use u. What exceeds the
// hosts or the pool fails.
func (s *state) load(f *Second, leaked float64) {
	people := float64(s.active) + s.lookers
	f.Requests = (2.5 + requestsPerPerson*people + requestsOfArrival*f.Admitted) * s.waves.work.x1()
	hosts := s.fleet.serving
	rho := f.Requests / (max(0.2, float64(hosts)) * hostRate)
	s.rho = rho

	wants := (s.idle + s.perActive*people + poolPerHost*float64(max(0, hosts-s.hosts))) * s.waves.db.next(s.rng)
	wants += leaked
	most := float64(s.DBMax)
	u := min(wants/most, 0.992)
	s.db = math.Round(min(wants, most))
	s.dbCPU = min(0.99, 0.05+0.72*(people/((most-s.idle)/s.perActive))+0.25*max(0, wants/most-0.95))

	mean := serviceTime/(1-min(rho, 0.985)) + 0.0122*u/(1-u)
	s.web += (mean - s.web) / 8
	refused := max(0, wants-most) / most * 3
	shed := max(0, 1-1/max(rho, 1e-9))
	slow := max(0, min(1, (3*s.web-0.6)/1.4)) * 0.0036
	s.shedding += (min(0.6, 0.0004+slow+refused+shed) - s.shedding) / 5

	f.Codes[1] = 0.012 * f.Requests
	f.Codes[2] = (s.shedding - min(s.shedding, shed)) * f.Requests
	f.Codes[3] = min(s.shedding, shed) * f.Requests
	f.Codes[0] = f.Requests - f.Codes[1] - f.Codes[2] - f.Codes[3]

	s.edge = min(0.99, 0.941*s.waves.cache.next(s.rng))
	f.EdgeRequests = f.Requests / (1 - s.edge)
	f.EdgeHits = f.EdgeRequests * s.edge
	f.EdgeErrors = f.EdgeRequests * (0.0006 + 0.55*s.shedding)
}

// x1 is the wave's present factor, without moving it.
func (w *wave) x1() float64 { return max(0, 1+w.size*max(-2.5, min(2.5, w.x))) }

// serve moves the order queue: seven messages an order. The workers take batches, so that even a
// light queue has some depth, and it deepens with the cube of their load.
func (s *state) serve(f *Second) {
	const perOrder = 7
	rate := perOrder * f.Orders
	workers := s.canTake()
	rho := min(1, s.served/max(1, workers))
	lag := 1.5 + 110*rho*rho*rho
	out := min(workers, s.depth/lag)
	s.served += (rate - s.served) / 20
	s.depth = max(0, s.depth+rate-out)
	s.taken += out
	s.oldest = 0
	if s.depth >= 1 {
		s.oldest = math.Max(lag, s.depth/max(1, workers))
	}
}

// canTake is how many messages per second the order workers that are there can take.
func (s *state) canTake() float64 {
	if s.takers == nil {
		return s.workers
	}
	return s.workers * float64(s.takers.serving) / workersOf
}

// measure writes the gauges of the second that ends; provider A's payments take slower times as long.
func (s *state) measure(slower float64) {
	g := &s.now
	g.Queue, g.Active = float64(s.queue), math.Round(float64(s.active)+s.lookers)
	g.Holds, g.Held, g.Left, g.Sold = float64(s.holds), float64(s.held), float64(s.left), float64(s.sold)
	g.DBConnections, g.DBCPU = s.db, s.dbCPU
	g.Depth, g.Oldest, g.InFlight = math.Floor(s.depth), s.oldest, math.Ceil(2*s.served)
	c := s.fleet
	g.InService, g.Desired, g.Min, g.Max = float64(c.inService), float64(c.g.Desired), float64(c.g.Min), float64(c.g.Max)
	g.Pending = float64(c.pending)
	g.WebMean = s.web
	pay := s.paymentScale * s.waves.pay.next(s.rng)
	g.PaymentScale = [2]float64{pay * max(1, slower), pay * 0.9}
	g.CheckoutLen = 0.8*g.PaymentScale[0] + 0.2*g.PaymentScale[1] + s.web
	g.MonthGood = 1 - s.monthFailed/s.monthAsked
	g.QueueAll, g.Suspended = s.room.QueueAll, s.room.Suspended
}
