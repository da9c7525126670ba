package shop

import (
	"math"
	"math/rand/v2"
	"time"
)

// state is one sale in motion. It is moved by one simulated second at a time.
type state struct {
	Declared
	rng  *rand.Rand
	room Room
	gate gate

	open     float64 // simulated seconds since the doors opened; < 0: closed
	queued   float64 // simulated seconds since the pre-queue opened; < 0: not yet
	step     int     // steps of the plan that were done
	byHand   bool    // somebody else set the room: the plan no longer does
	queue    int
	active   int
	left     int
	held     int
	holds    int
	sold     int
	clock    int      // simulated seconds since the beginning: the index into due
	due      [][]hold // holds by the second in which something happens to them
	web      float64  // smoothed mean response time
	shedding float64  // share of requests that fail
	rho      float64  // load on the hosts, as a share of what they can do
	depth    float64  // messages in the order queue
	served   float64  // messages taken from it, per second
	taken    float64  // messages ever taken from it
	oldest   float64  // seconds
	fleet    *fleet   // the hosts
	takers   *fleet   // the order workers; nil: there are always enough
	ownGate  float64  // people a minute whom the shop lets in behind the room; < 0: all
	barriers map[string]*barrier
	edge     float64 // cache hit ratio
	db       float64 // connections
	dbCPU    float64 //
	workers  float64 // messages per second that the order workers can take

	ownAdmits                            drip
	joins, admits, leaves, holdsIn, gone drip
	checked, freed                       drip
	toA                                  drip
	declined                             drip
	strata                               []int // what is left of a shuffled pack, see patience
	waves                                waves

	now     Second   // the newest second
	seconds []Second // a ring of the last ones, by Unix time
}

// waves are the sale's sources of noise.
type waves struct{ arrive, admit, work, decline, pay, cache, db wave }

// hold is a basket: when its time comes it is paid, given back, or has expired.
type hold struct {
	tickets int
	pays    bool
	expires int
}

const keptSeconds = 300

func newState(d Declared, seed uint64, index int, from time.Time) *state {
	s := &state{
		Declared: d,
		rng:      rand.New(rand.NewPCG(seed, uint64(index)+1)),
		open:     from.Sub(d.Opens).Seconds(),
		queued:   from.Sub(d.Prequeue).Seconds(),
		due:      make([][]hold, holdLife+64),
		web:      serviceTime, edge: 0.94,
		seconds: make([]Second, keptSeconds),
		waves: waves{
			arrive: newWave(40, 0.05), admit: newWave(25, 0.012), work: newWave(30, 0.02),
			decline: newWave(45, 0.07), pay: newWave(30, 0.04), cache: newWave(120, 0.004), db: newWave(20, 0.004),
		},
	}
	most := d.limit
	for _, p := range d.steps {
		most = max(most, p.limit)
	}
	s.workers = max(40, float64(most)/60*0.306*7*1.4)
	s.room = roomOf(d, from)
	s.barriers = newBarriers(&d, from)
	s.beginAt(from)
	return s
}

func roomOf(d Declared, from time.Time) Room {
	r := Room{
		ID: d.Room, Sale: d.ID, Name: d.RoomName, Host: "tickets.example.com", Path: d.RoomPath,
		NewUsersPerMinute: d.limit, TotalActiveUsers: d.ceiling, SessionDuration: 5,
		QueueingMethod: "fifo", QueueingStatusCode: 200, TemplateLanguage: "en-US",
		CreatedOn: from.AddDate(0, -2, 0).Truncate(time.Second), ModifiedOn: from.AddDate(0, 0, -3).Truncate(time.Second),
	}
	if d.event != nil {
		e := Event{
			ID: r.ID[16:] + r.ID[:16], Name: d.ID + "_onsale", Description: "doors of " + d.ID,
			Prequeue: d.Prequeue, Start: d.Opens, End: d.Closes, Shuffle: d.event.shuffle,
			CreatedOn: r.CreatedOn, ModifiedOn: r.ModifiedOn,
		}
		if d.event.limit > 0 {
			limit, ceiling := d.event.limit, d.event.ceiling
			e.NewUsersPerMinute, e.TotalActiveUsers = &limit, &ceiling
		}
		r.Events = []Event{e}
	}
	return r
}

// beginAt puts the sale where it would be if it had been moved from its own beginning.
func (s *state) beginAt(from time.Time) {
	limit, ceiling := s.room.Effective(from)
	s.gate.limit = gradual{to: float64(limit)}
	s.gate.ceiling = gradual{to: float64(ceiling)}
	s.sold = int(math.Round(s.Declared.sold * float64(s.Tickets)))
	s.left = s.Tickets - s.sold
	switch {
	case s.open >= 0:
		s.active = int(s.steady / 60 * s.session)
		s.step = len(s.steps)
	case s.queued >= 0:
		s.queue = int(s.before / 60 * s.queued)
	}
}

// move takes the sale one simulated second on. at is the wall time, story the scenario's second.
func (s *state) move(at time.Time, story float64, scn Scenario, log func(Entry)) Second {
	s.advanceDoors(at, log)
	var f Second
	f.Joined = float64(s.arrive())
	f.Admitted = float64(s.admit())
	s.abandon()
	s.active -= min(s.active, s.leaves.take(float64(s.active)/s.session))
	s.settle(&f, scn, story)
	s.hold()
	s.load(&f, scn.leaked(s.ID, story))
	s.monthAsked, s.monthFailed = s.monthAsked+f.Requests, s.monthFailed+f.errors()
	s.fleet.move(at, s.rho, log)
	s.serve(&f)
	if s.takers != nil {
		s.takers.move(at, s.served/max(1, s.canTake()), log)
	}
	s.measure(scn.paymentFactor(s.ID, story))
	s.clock++
	return f
}

// advanceDoors opens the pre-queue and the doors and does the plan's steps.
func (s *state) advanceDoors(at time.Time, log func(Entry)) {
	if s.queued >= 0 || !at.Before(s.Prequeue) {
		s.queued = max(0, s.queued+1)
	} else {
		s.queued = -1
	}
	if s.open >= 0 || !at.Before(s.Opens) {
		s.open = max(0, s.open+1)
	} else {
		s.open = -1
	}
	for s.open >= 0 && s.step < len(s.steps) && s.open >= s.steps[s.step].after.Seconds() {
		p := s.steps[s.step]
		s.step++
		if s.byHand {
			continue
		}
		if was := s.room.NewUsersPerMinute; was != p.limit {
			s.room.NewUsersPerMinute, s.room.ModifiedOn = p.limit, at
			log(Entry{At: at, Sale: s.ID, By: "plan", What: "new_users_per_minute", From: was, To: p.limit})
		}
	}
	limit, ceiling := s.room.Effective(at)
	s.gate.limit.aim(float64(limit), 60+60*s.rng.Float64())
	s.gate.ceiling.aim(float64(ceiling), 60+60*s.rng.Float64())
	s.gate.all.set(s.room.QueueAll, 3+3*s.rng.Float64())
	s.gate.off.set(s.room.Suspended || s.room.QueueingMethod == "passthrough", 3+3*s.rng.Float64())
	s.gate.limit.gone++
	s.gate.ceiling.gone++
	s.gate.all.step()
	s.gate.off.step()
}

// arrive returns how many people come to the gate: few before the doors, a surge when they open,
// then a steady trickle that fades when there is nothing left to buy.
func (s *state) arrive() int {
	perMinute := 0.0
	switch {
	case s.open >= 0:
		perMinute = s.steady + s.surge*math.Exp(-s.open/s.surgeT)
		if s.left == 0 {
			perMinute *= 0.15
		}
	case s.queued >= 0:
		perMinute = s.before
	}
	n := s.joins.take(perMinute / 60 * s.waves.arrive.next(s.rng))
	s.queue += n
	return n
}

// admit lets people in: as many as the limit grants, the site has room for and the queue holds.
func (s *state) admit() int {
	noise := s.waves.admit.next(s.rng)
	if s.open < 0 && !s.gate.off.on {
		return 0
	}
	allowed := 0
	switch {
	case s.gate.off.on: // no waiting room at all: everybody walks in
		allowed = max(50, s.queue/8)
	case s.gate.all.on || s.room.QueueingMethod == "reject":
	default:
		allowed = s.admits.take(s.gate.limit.now() / 60 * noise)
		allowed = min(allowed, max(0, int(s.gate.ceiling.now())-s.active))
	}
	if s.ownGate >= 0 {
		allowed = min(allowed, s.ownAdmits.take(s.ownGate/60))
	}
	n := min(s.behind(allowed), s.queue)
	s.queue -= n
	s.active += n
	return n
}

// abandon takes those out of the queue who give up: few, or nearly all once it is sold out.
func (s *state) abandon() {
	share := 0.0002 / 60
	if s.left == 0 && s.open > 0 {
		share = 0.25 / 60
	}
	s.queue -= min(s.queue, s.gone.take(float64(s.queue)*share))
}
