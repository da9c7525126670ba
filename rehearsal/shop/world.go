package shop

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// Options say which night is played.
type Options struct {
	Seed     uint64
	Scenario string        // a name of Scenarios; "" is the first
	Start    time.Time     // wall time at which the history ends and the world begins to move
	History  time.Duration // how much is played before Start; default 60 min, at least 1 min
	Ahead    time.Duration // how much of the scenario's story is already over at Start
	Window   time.Duration // of wall time that the admission rate is a mean over; 0: a minute
}

// World is the whole platform's state. It is safe for many goroutines.
type World struct {
	mu       sync.Mutex
	scenario Scenario
	story    float64 // simulated seconds since the story began; < 0 in the history
	at       time.Time
	steps    uint64
	window   int // wall seconds of the admission rate
	sales    []*state
	byID     map[string]*state
	byRoom   map[string]*state
	fleets   []*fleet
	manager  *manager

	hindering bool // the scenario's hindrances are in place

	ledger  []Entry
	minutes *minutes
	watch   []func(at time.Time, sales []View)
	views   []View
}

// View is one sale's newest second, for whoever records the world as it moves.
type View struct {
	Sale *Declared
	Now  *Second
}

// Entry is one thing that was done to the platform.
type Entry struct {
	At   time.Time `json:"at"`
	Sale string    `json:"sale,omitempty"`
	By   string    `json:"by"`            // plan, scenario, control, autoscaling, keda, capacity, or the service that was asked
	Who  string    `json:"who,omitempty"` // the access key id or the user that asked it
	What string    `json:"what"`
	From any       `json:"from"`
	To   any       `json:"to"`
}

// New plays the history up to o.Start and returns the world as it stands then. Every second of
// the history, too, is shown to the watchers.
func New(o Options, watchers ...func(at time.Time, sales []View)) (*World, error) {
	scenario, ok := Find(o.Scenario)
	if !ok {
		return nil, fmt.Errorf("there is no scenario %q: see the list", o.Scenario)
	}
	if o.Window == 0 {
		o.Window = time.Minute
	}
	if o.History == 0 {
		o.History = time.Hour
	}
	if o.History < time.Minute || o.Ahead < 0 || o.Ahead > o.History {
		return nil, fmt.Errorf("a history of %s can't hold %s of the story", o.History, o.Ahead)
	}
	start := o.Start.UTC().Truncate(time.Second)
	from := start.Add(-o.History)
	w := &World{
		scenario: scenario, at: from, story: (o.Ahead - o.History).Seconds(),
		window: int(o.Window.Seconds()), byID: map[string]*state{}, byRoom: map[string]*state{}, watch: watchers,
	}
	cluster := newNodes(nodesOfCluster)
	if scenario.nodes > 0 {
		cluster = newNodes(scenario.nodes)
	}
	for i, d := range declare(start, scenario, start.Add(-o.Ahead)) {
		s := newState(d, o.Seed, i, from)
		s.fleet = newFleet(d.fleet(), o.Seed, uint64(i), cluster.of(d.Kind), from)
		w.fleets = append(w.fleets, s.fleet)
		if g, ok := d.workersFleet(); ok {
			s.takers = newFleet(g, o.Seed, uint64(100+i), cluster.of(d.Kind), from)
			w.fleets = append(w.fleets, s.takers)
		}
		s.measure(1)
		w.sales = append(w.sales, s)
		w.byID[d.ID], w.byRoom[d.Room] = s, s
		w.views = append(w.views, View{&s.Declared, &s.now})
	}
	w.minutes = newMinutes(w.sales)
	w.manager = newManager(w.sales, from)
	for w.at.Before(start) {
		w.advance(1)
	}
	return w, nil
}

// Advance moves wall time on by one second that holds n simulated ones. With n = 0 everything
// stands still and the flows go on at the last rate.
func (w *World) Advance(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(n)
}

func (w *World) advance(n int) {
	w.at = w.at.Add(time.Second)
	w.steps += uint64(n)
	w.doScheduled()
	w.hinder()
	for _, s := range w.sales {
		if n > 0 {
			var sum Second
			for i := range n {
				w.lookAtGate(s)
				f := s.move(w.at, w.story+float64(i+1), w.scenario, w.log)
				sum.add(&f)
			}
			sum.scale(float64(n))
			s.now.keepFlows(&sum)
		}
		s.now.Unix = w.at.Unix()
		limit, ceiling := s.room.Effective(w.at)
		s.now.Limit, s.now.Ceiling = float64(limit), float64(ceiling)
		s.now.WaitMinutes = s.wait(w.at)
		s.now.QueueAll, s.now.Suspended = s.room.QueueAll, s.room.Suspended
		s.seconds[s.now.Unix%keptSeconds] = s.now
	}
	w.story += float64(n)
	w.minutes.take(w.at, w.sales)
	for _, watch := range w.watch {
		watch(w.at, w.views)
	}
}

// keepFlows takes the flows of o and keeps the gauges.
func (s *Second) keepFlows(o *Second) {
	s.Joined, s.Admitted, s.Checkouts, s.Orders = o.Joined, o.Admitted, o.Checkouts, o.Orders
	s.Payments, s.Failed = o.Payments, o.Failed
	s.Requests, s.Codes = o.Requests, o.Codes
	s.EdgeRequests, s.EdgeErrors, s.EdgeHits = o.EdgeRequests, o.EdgeErrors, o.EdgeHits
}

// wait estimates the minutes that the last in the queue waits; 0 when it can't be said, because
// everybody is held back.
func (s *state) wait(at time.Time) float64 {
	if s.room.QueueAll || s.queue == 0 {
		return 0
	}
	minutes := float64(s.queue) / math.Max(1, s.gate.limit.now())
	if s.open < 0 {
		minutes += max(0, s.Opens.Sub(at).Minutes())
	}
	return math.Ceil(minutes)
}

// log writes into the ledger. What the plan and the policies did in the history is kept, too.
func (w *World) log(e Entry) {
	const keep = 2000
	if len(w.ledger) == keep {
		w.ledger = append(w.ledger[:0], w.ledger[keep/4:]...)
	}
	w.ledger = append(w.ledger, e)
}

// Note writes something that was done to the platform from outside into the ledger.
func (w *World) Note(by, what string, from, to any) { w.NoteOf(by, "", what, from, to) }

// NoteOf is like Note, with the user who did it.
func (w *World) NoteOf(by, who, what string, from, to any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log(Entry{At: w.at, By: by, Who: who, What: what, From: from, To: to})
}

// Now returns the wall time of the newest second.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// Story returns how long the scenario's story has been told, in simulated time.
func (w *World) Story() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.story * float64(time.Second))
}

// Scenario returns the night that is played.
func (w *World) Scenario() Scenario { return w.scenario }

// Sales returns what is fixed about each sale, in the order of their opening.
func (w *World) Sales() []Declared {
	out := make([]Declared, len(w.sales))
	for i, s := range w.sales {
		out[i] = s.Declared
	}
	return out
}
