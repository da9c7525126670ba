package shop

import "time"

// Room is a waiting room as it is configured. What it does follows with a delay: see gate.
type Room struct {
	ID, Sale, Name, Host, Path string
	Description                string
	NewUsersPerMinute          int
	TotalActiveUsers           int
	SessionDuration            int // minutes
	QueueAll, Suspended        bool
	QueueingMethod             string // fifo, random, passthrough or reject
	DisableSessionRenewal      bool
	JSONResponseEnabled        bool
	QueueingStatusCode         int
	CustomPageHTML             string
	TemplateLanguage           string
	CreatedOn, ModifiedOn      time.Time
	Events                     []Event
}

// Event is a planned change of a waiting room. A nil number is the room's own.
type Event struct {
	ID, Name, Description string
	Prequeue, Start, End  time.Time // Prequeue may be zero: none
	Shuffle, Suspended    bool
	NewUsersPerMinute     *int
	TotalActiveUsers      *int
	SessionDuration       *int
	QueueingMethod        *string
	DisableSessionRenewal *bool
	CustomPageHTML        *string
	CreatedOn, ModifiedOn time.Time
}

// ActiveEvent returns the event whose values hold at a time, or nil. It begins with its pre-queue.
func (r *Room) ActiveEvent(at time.Time) *Event {
	for i := range r.Events {
		e := &r.Events[i]
		from := e.Start
		if !e.Prequeue.IsZero() {
			from = e.Prequeue
		}
		if !e.Suspended && !r.Suspended && !at.Before(from) && at.Before(e.End) {
			return e
		}
	}
	return nil
}

// Effective returns the limits that hold at a time: those of the active event where it has its own.
func (r *Room) Effective(at time.Time) (perMinute, ceiling int) {
	perMinute, ceiling = r.NewUsersPerMinute, r.TotalActiveUsers
	if e := r.ActiveEvent(at); e != nil {
		if e.NewUsersPerMinute != nil {
			perMinute = *e.NewUsersPerMinute
		}
		if e.TotalActiveUsers != nil {
			ceiling = *e.TotalActiveUsers
		}
	}
	return perMinute, ceiling
}

// The states that a room's status can say.
const (
	StatusPrequeueing = "event_prequeueing"
	StatusQueueing    = "queueing"
	StatusIdle        = "not_queueing"
	StatusSuspended   = "suspended"
)

// Status is what a room says of itself: estimates, 20 to 50 seconds old. It does not tell whether
// everybody is queued: that is in the room's configuration only.
type Status struct {
	State, EventID   string
	Queued, Active   int
	MaxWaitInMinutes int
}

// gate is what a room does. A new configuration reaches the data centres slowly: the limits move
// over one to two minutes, the switches after a few seconds.
type gate struct {
	limit, ceiling gradual
	all, off       delayed
}

// gradual moves from one value to the next over some simulated seconds.
type gradual struct {
	from, to  float64
	gone, all float64
}

func (g *gradual) aim(v, over float64) {
	if v == g.to {
		return
	}
	*g = gradual{from: g.now(), to: v, all: over}
}

func (g *gradual) now() float64 {
	if g.gone >= g.all {
		return g.to
	}
	return g.from + (g.to-g.from)*g.gone/g.all
}

// delayed is a switch that takes effect after some simulated seconds.
type delayed struct {
	on, next bool
	left     float64
}

func (d *delayed) set(v bool, after float64) {
	if v != d.next {
		d.next, d.left = v, after
	}
}

func (d *delayed) step() bool {
	if d.on != d.next {
		if d.left--; d.left <= 0 {
			d.on = d.next
		}
	}
	return d.on
}
