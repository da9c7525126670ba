package shop

import (
	"math"
	"time"
)

// The gates that a shop can have beside its waiting room. Each lets people through by itself, behind
// the room, so that the least of all limits holds.
const (
	Turnstile = "turnstile" // the shop's own
	QueueIt   = "queue-it"
)

// Barrier is one such gate of one sale, as it is set. What it does follows with a delay: a
// turnstile's switch takes five simulated seconds and its rate twenty, Queue-it's speed a minute.
type Barrier struct {
	Sale       string
	PerMinute  int
	Paused     bool
	ModifiedOn time.Time
	Passed     float64 // people of the last minute
}

// barrier is a gate in motion. It draws no chance, so that nobody's night changes while it stands
// open.
type barrier struct {
	Barrier
	limit          gradual
	shut           delayed
	passes         drip
	ramp, switches float64 // simulated seconds until a rate and a switch have their effect
}

// newBarriers stand at the most that the plan ever grants. Until somebody sets one it holds nobody
// back, whatever the room does.
func newBarriers(d *Declared, from time.Time) map[string]*barrier {
	most := d.limit
	for _, p := range d.steps {
		most = max(most, p.limit)
	}
	if d.event != nil {
		most = max(most, d.event.limit)
	}
	open := Barrier{Sale: d.ID, PerMinute: most, ModifiedOn: from.AddDate(0, 0, -5).Truncate(time.Second)}
	limit := gradual{to: float64(most)}
	return map[string]*barrier{
		Turnstile: {Barrier: open, limit: limit, ramp: 20, switches: 5},
		QueueIt:   {Barrier: open, limit: limit, ramp: 60, switches: 60},
	}
}

// take is how many people a gate lets through in one simulated second.
func (b *barrier) take() int {
	b.limit.aim(float64(b.PerMinute), b.ramp)
	b.limit.gone++
	b.shut.set(b.Paused, b.switches)
	switch {
	case b.shut.step():
		return 0
	case b.limit.all == 0: // never set
		return math.MaxInt
	}
	return b.passes.take(b.limit.now() / 60)
}

// behind is how many of those whom the room lets in get through every gate behind it.
func (s *state) behind(allowed int) int {
	for _, name := range []string{Turnstile, QueueIt} {
		allowed = min(allowed, s.barriers[name].take())
	}
	return allowed
}

// Barriers returns a gate of every sale, in the order of the sales.
func (w *World) Barriers(gate string) []Barrier {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Barrier
	for _, s := range w.sales {
		if b := s.barriers[gate]; b != nil {
			out = append(out, s.shown(b))
		}
	}
	return out
}

// Barrier returns a gate of one sale.
func (w *World) Barrier(gate, sale string) (Barrier, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byID[sale]
	if !ok || s.barriers[gate] == nil {
		return Barrier{}, false
	}
	return s.shown(s.barriers[gate]), true
}

func (s *state) shown(b *barrier) Barrier {
	out := b.Barrier
	last := s.latest(60)
	for _, sec := range last {
		out.Passed += sec.Admitted
	}
	if len(last) > 0 {
		out.Passed *= 60 / float64(len(last))
	}
	return out
}

// SetBarrier lets set change a gate of a sale in one step and writes what changed into the ledger. who
// is whoever asked. It reports false for a gate or a sale that is not there.
func (w *World) SetBarrier(gate, sale, who string, set func(b *Barrier)) (Barrier, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byID[sale]
	if !ok || s.barriers[gate] == nil {
		return Barrier{}, false
	}
	b := s.barriers[gate]
	was := b.Barrier
	set(&b.Barrier)
	b.Sale, b.ModifiedOn = was.Sale, w.at
	for _, c := range []change{{"rate", was.PerMinute, b.PerMinute}, {"paused", was.Paused, b.Paused}} {
		if c.from != c.to {
			w.log(Entry{At: w.at, Sale: sale, By: gate, Who: who, What: c.what, From: c.from, To: c.to})
		}
	}
	return s.shown(b), true
}
