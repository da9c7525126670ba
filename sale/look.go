package sale

import (
	"math"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale/forecast"
)

// look is what the closed minutes of a sale say: how its rates go on, how long people stay, what
// they cost and what they take. It is worked out again when a minute has closed.
type look struct {
	end int64 // the first minute that is not closed for each of the rates

	joining  forecast.Fit // people a minute
	admitted forecast.Fit // people a minute, since the gate was last set
	taken    forecast.Fit // tickets a minute
	settling bool         // the gate was set so lately that its limit has to stand for what is admitted
	before   float64      // the gate's last limit, or the admission, above 0; 0: none was seen

	session   float64 // minutes on the site; 0: not measured
	sessionAt int64   // the end of the minutes that it was measured in
	load      forecast.Load
	excess    float64 // database connections that no visitor explains

	each  float64 // tickets that a person takes who is let in; 0: not known
	doubt float64 // of it: the relative standard deviation
}

// lookedAt are the signals whose closed minutes the outlook follows from.
var lookedAt = []Signal{Waiting, InflowRate, AdmissionRate, AdmissionLimit, ActiveUsers, TicketsLeft, DBConnections}

// window is how many closed minutes a forecast follows from.
const window = 30

// mostMinutes is how far back a site is looked for at rest and at its most.
const mostMinutes = 120

// lookBack brings the look up to the newest closed minute.
func (s *saleEntry) lookBack() {
	if !s.assessed.moved {
		return
	}
	s.look = look{end: s.closed(AdmissionRate, TicketsLeft, ActiveUsers, Waiting)}
	admitted := s.minutesOf(AdmissionRate, s.look.end, window)
	s.gate(admitted)
	s.queueing(admitted)
	s.staying(admitted)
	s.loading()
	s.taking(admitted)
}

// closed is the first minute that is not closed for each of the named signals that were ever read; 0 when none
// was.
func (s *saleEntry) closed(names ...Signal) int64 {
	end := int64(math.MaxInt64)
	for _, name := range names {
		if l := s.assessed.rates[name]; l != nil && len(l.values) > 0 {
			end = min(end, l.next)
		}
	}
	if end == math.MaxInt64 {
		return 0
	}
	return end
}

// minutesOf are the last n closed minutes of a signal before one, NaN where there are none, in a slice that the
// caller owns.
func (s *saleEntry) minutesOf(name Signal, end int64, n int) []float64 {
	return s.assessed.rates[name].until(end, n)
}

// gate finds how many are let in since the gate was last set, or the doors opened: that nobody was let
// in before says nothing of how many are now.
func (s *saleEntry) gate(admitted []float64) {
	l := &s.look
	limits := s.minutesOf(AdmissionLimit, l.end, window)
	set := 0 // the first minute of the present limit
	if opened := s.opened(); opened > 0 {
		for i := range admitted[:opened] {
			admitted[i] = math.NaN()
		}
		set = min(opened+settles, len(limits))
	}
	for i := len(limits) - 1; i > 0; i-- {
		if a, b := limits[i], limits[i-1]; !math.IsNaN(a) && !math.IsNaN(b) && math.Abs(a-b) > 0.02*math.Max(a, b) {
			set = max(set, min(i+settles, len(limits)))
			break
		}
	}
	l.admitted = forecast.Steady(admitted[set:])
	l.settling = set > 0 && !l.admitted.OK
	if l.settling {
		if doubt := forecast.Steady(admitted); doubt.OK {
			l.admitted.Sigma, l.admitted.N = doubt.Sigma, doubt.N
		}
	}
	for _, past := range [][]float64{limits, admitted} {
		for _, v := range slices.Backward(past) {
			if v > 0 && l.before == 0 {
				l.before = v
			}
		}
	}
}

// opened is how many minutes of the window lie before the doors opened, or hold that.
func (s *saleEntry) opened() int {
	return int(min(max(minuteAt(s.sale.Opens.UnixNano())-(s.look.end-window), 0), window))
}

// queueing finds how many join: as it is read, or else by what the queue gained and let in.
func (s *saleEntry) queueing(admitted []float64) {
	if s.bySignal[InflowRate] != nil {
		s.look.joining = forecast.Smooth(s.minutesOf(InflowRate, s.closed(InflowRate), window))
		return
	}
	gained := differences(s.minutesOf(Waiting, s.look.end, window))
	for i := range gained {
		gained[i] += (admitted[i] + admitted[i+1]) / 2
	}
	s.look.joining = forecast.Smooth(gained)
}

// staying finds the newest steady state of the last two hours and how long people stayed then.
func (s *saleEntry) staying(admitted []float64) {
	l := &s.look
	end := s.closed(ActiveUsers, AdmissionRate)
	people, in := s.minutesOf(ActiveUsers, end, mostMinutes), s.minutesOf(AdmissionRate, end, mostMinutes)
	for n := mostMinutes; n > 0; n-- {
		if session, ok := forecast.Session(people[:n], in[:n]); ok {
			l.session, l.sessionAt = session, end-int64(mostMinutes-n)
			return
		}
	}
}

// loading finds what people on the site cost of the database's connections, and what connections
// of now nobody on the site explains: a leak, or hosts that were started since.
func (s *saleEntry) loading() {
	active := s.bySignal[ActiveUsers]
	if active == nil || s.assessed.rates[DBConnections] == nil {
		return
	}
	l := &s.look
	end := s.closed(ActiveUsers, AdmissionRate, DBConnections)
	people, open := s.minutesOf(ActiveUsers, end, mostMinutes), s.minutesOf(DBConnections, end, mostMinutes)
	l.load = forecast.Line(people, open)
	if last, read := active.ring.last(); !l.load.OK && read {
		// A waiting room tells its people of now alone. Those of before follow from whom it let in.
		people = forecast.Occupied(s.minutesOf(AdmissionRate, end, mostMinutes), s.session().Minutes(), last.value)
		l.load = forecast.Line(people, open)
	}
	if !l.load.OK {
		return
	}
	var over []float64
	for i := mostMinutes - 3; i < mostMinutes; i++ {
		if d := open[i] - l.load.Use(people[i]); !math.IsNaN(d) {
			over = append(over, d)
		}
	}
	if d := forecast.Median(over); d > math.Max(3*l.load.Sigma, 0.05*l.load.Use(people[mostMinutes-1])) {
		l.excess = d
	}
}

// What it takes to say what a person takes: how many must have left the site, and for how long it
// must have been open. Before that the baskets of the first are neither paid nor given back, and
// the stock looks to go faster than it does.
const (
	fewest = 50
	ripe   = 12 // minutes
	unripe = 0.12
)

// taking finds how many tickets go a minute, and how many a person takes who is let in: what left
// the stock over those who left the site. By Little's law people leave as those on the site over
// the time that they stay; while that is not known, as those who were let in but for whom the site
// gained. Both are counted from the opening on, over at most the window.
func (s *saleEntry) taking(admitted []float64) {
	l := &s.look
	left := s.minutesOf(TicketsLeft, l.end, window)
	gone := differences(left)
	for i := range gone {
		if gone[i] = -gone[i]; gone[i] < -0.02*math.Max(left[i], left[i+1]) {
			gone[i] = math.NaN() // tickets were put on sale
		}
	}
	for i := range min(len(gone), s.opened()) {
		gone[i] = math.NaN()
	}
	l.taken = forecast.Smooth(gone)
	active := s.minutesOf(ActiveUsers, l.end, window)
	session := s.session().Minutes()
	var tickets, people float64
	known := 0
	for i := range gone {
		// From the middle of one minute to that of the next.
		leaving := (admitted[i] + admitted[i+1]) / 2
		switch onSite := (active[i] + active[i+1]) / 2; {
		case session > 0 && !math.IsNaN(onSite):
			leaving = onSite / session
		case !math.IsNaN(onSite):
			leaving -= active[i+1] - active[i]
		}
		if math.IsNaN(gone[i]) || math.IsNaN(leaving) {
			continue
		}
		tickets, people, known = tickets+gone[i], people+leaving, known+1
	}
	if each := tickets / people; known >= forecast.Least && people >= fewest && isFinite(each) && each > 0 {
		l.each = each
		l.doubt = l.taken.Sigma / math.Max(l.taken.Level, 1) / math.Sqrt(float64(known))
		if known < ripe {
			l.doubt = math.Hypot(l.doubt, unripe)
		}
	}
}

// early adds a note when people wait well before the pre-queue, or before the doors where none is
// declared: the room is open, or somebody found another way in.
func (s *saleEntry) early(st *State, notes []Note) []Note {
	begins := s.sale.Prequeue
	if begins.IsZero() {
		begins = s.sale.Opens
	}
	k, why := s.seen(st, Waiting)
	if why != "" || k.Value < 1 || begins.IsZero() || !k.At.Before(begins.Add(-wellBefore)) {
		return notes
	}
	what := "the pre-queue"
	if s.sale.Prequeue.IsZero() {
		what = "the doors"
	}
	return append(notes, Note{Sale: s.sale.ID, Code: "early_queue", Text: Format(k.Value, Users, k.Spec.Estimate) + " wait already, " + spell(begins.Sub(k.At)) + " before " + what})
}

// wellBefore is how early a queue may open without being a surprise: Cloudflare opens a pre-queue
// five minutes early at least.
const wellBefore = 5 * time.Minute
