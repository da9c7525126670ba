package shop

import (
	"fmt"
	"slices"
	"time"
)

// Rooms returns a copy of every waiting room, in a stable order.
func (w *World) Rooms() []Room {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Room, len(w.sales))
	for i, s := range w.sales {
		out[i] = s.room.clone()
	}
	return out
}

// Room returns a copy of a waiting room.
func (w *World) Room(id string) (Room, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byRoom[id]
	if !ok {
		return Room{}, false
	}
	return s.room.clone(), true
}

func (r Room) clone() Room {
	r.Events = slices.Clone(r.Events)
	return r
}

// SetRoom replaces a room's configuration and writes what changed into the ledger. The plan of the
// sale no longer touches the room after that. It reports false for an unknown room.
func (w *World) SetRoom(id string, r Room, at time.Time) (Room, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byRoom[id]
	if !ok {
		return Room{}, false
	}
	was := s.room
	r.ID, r.Sale, r.CreatedOn, r.Events = was.ID, was.Sale, was.CreatedOn, was.Events
	r.ModifiedOn = at.UTC()
	w.compare(s.ID, "", []change{
		{"new_users_per_minute", was.NewUsersPerMinute, r.NewUsersPerMinute},
		{"total_active_users", was.TotalActiveUsers, r.TotalActiveUsers},
		{"queue_all", was.QueueAll, r.QueueAll},
		{"suspended", was.Suspended, r.Suspended},
		{"queueing_method", was.QueueingMethod, r.QueueingMethod},
		{"session_duration", was.SessionDuration, r.SessionDuration},
		{"custom_page_html", was.CustomPageHTML, r.CustomPageHTML},
		{"description", was.Description, r.Description},
		{"name", was.Name, r.Name},
		{"host", was.Host, r.Host},
		{"path", was.Path, r.Path},
	})
	s.byHand = s.byHand || was.NewUsersPerMinute != r.NewUsersPerMinute
	s.room = r
	return r.clone(), true
}

type change struct {
	what     string
	from, to any
}

func (w *World) compare(sale, prefix string, changes []change) {
	for _, c := range changes {
		if c.from != c.to {
			w.log(Entry{At: w.at, Sale: sale, By: "cloudflare", What: prefix + c.what, From: c.from, To: c.to})
		}
	}
}

// SetEvent replaces an event of a room. It reports false when either is unknown.
func (w *World) SetEvent(room string, e Event, at time.Time) (Event, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byRoom[room]
	if !ok {
		return Event{}, false
	}
	i := slices.IndexFunc(s.room.Events, func(have Event) bool { return have.ID == e.ID })
	if i < 0 {
		return Event{}, false
	}
	was := s.room.Events[i]
	e.CreatedOn, e.ModifiedOn = was.CreatedOn, at.UTC()
	w.compare(s.ID, "event."+e.Name+".", []change{
		{"new_users_per_minute", number(was.NewUsersPerMinute), number(e.NewUsersPerMinute)},
		{"total_active_users", number(was.TotalActiveUsers), number(e.TotalActiveUsers)},
		{"suspended", was.Suspended, e.Suspended},
		{"event_start_time", was.Start.UTC().Format(time.RFC3339), e.Start.UTC().Format(time.RFC3339)},
		{"event_end_time", was.End.UTC().Format(time.RFC3339), e.End.UTC().Format(time.RFC3339)},
	})
	s.room.Events[i] = e
	return e, true
}

func number(p *int) string {
	if p == nil {
		return "inherited"
	}
	return fmt.Sprint(*p)
}

// statusEvery and statusAge make the estimates 20 to 50 seconds old: they are taken 20 s ago and
// kept for 30 s.
const (
	statusEvery = 30
	statusAge   = 20
)

// Status returns what a room says of itself at a wall time.
func (w *World) Status(room string, at time.Time) (Status, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.byRoom[room]
	if !ok {
		return Status{}, false
	}
	return s.status(min(at.Unix(), w.at.Unix())), true
}

func (s *state) status(unix int64) Status {
	taken := unix/statusEvery*statusEvery - statusAge
	then := s.seconds[taken%keptSeconds]
	if then.Unix != taken { // too young a world to know
		then = s.now
	}
	at := time.Unix(unix, 0)
	st := Status{State: StatusIdle, Queued: int(then.Queue), Active: int(then.Active), MaxWaitInMinutes: int(then.WaitMinutes)}
	if e := s.room.ActiveEvent(at); e != nil {
		st.EventID = e.ID
		if !e.Prequeue.IsZero() && at.Before(e.Start) {
			st.State = StatusPrequeueing
			return st
		}
	}
	switch {
	case then.Suspended:
		st.State, st.MaxWaitInMinutes = StatusSuspended, 0
	case then.Queue > 0:
		st.State = StatusQueueing
	}
	return st
}
