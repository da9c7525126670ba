package cloudflare

import (
	"net/http"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// event is an event on the wire: null is inherited from the room.
type event struct {
	ID                    string  `json:"id"`
	CreatedOn             string  `json:"created_on"`
	ModifiedOn            string  `json:"modified_on"`
	Name                  string  `json:"name"`
	Description           string  `json:"description"`
	Start                 string  `json:"event_start_time"`
	End                   string  `json:"event_end_time"`
	Prequeue              *string `json:"prequeue_start_time"`
	Shuffle               bool    `json:"shuffle_at_event_start"`
	Suspended             bool    `json:"suspended"`
	NewUsersPerMinute     *int    `json:"new_users_per_minute"`
	TotalActiveUsers      *int    `json:"total_active_users"`
	SessionDuration       *int    `json:"session_duration"`
	QueueingMethod        *string `json:"queueing_method"`
	DisableSessionRenewal *bool   `json:"disable_session_renewal"`
	CustomPageHTML        *string `json:"custom_page_html"`
}

func eventOnTheWire(e shop.Event) event {
	w := event{
		ID: e.ID, CreatedOn: stamp(e.CreatedOn), ModifiedOn: stamp(e.ModifiedOn), Name: e.Name, Description: e.Description,
		Start: stamp(e.Start), End: stamp(e.End), Shuffle: e.Shuffle, Suspended: e.Suspended,
		NewUsersPerMinute: e.NewUsersPerMinute, TotalActiveUsers: e.TotalActiveUsers, SessionDuration: e.SessionDuration,
		QueueingMethod: e.QueueingMethod, DisableSessionRenewal: e.DisableSessionRenewal, CustomPageHTML: e.CustomPageHTML,
	}
	if !e.Prequeue.IsZero() {
		prequeue := stamp(e.Prequeue)
		w.Prequeue = &prequeue
	}
	return w
}

func (s *Server) events(r *http.Request) (any, *pageInfo, error) {
	one, ok := s.world.Room(r.PathValue("room"))
	if !ok {
		return nil, nil, noSuchRoom
	}
	page, perPage, err := paging(r.URL.Query())
	if err != nil {
		return nil, nil, err
	}
	from, to := min((page-1)*perPage, len(one.Events)), min(page*perPage, len(one.Events))
	out := []event{}
	for _, e := range one.Events[from:to] {
		out = append(out, eventOnTheWire(e))
	}
	return out, info(page, perPage, len(out), len(one.Events)), nil
}

func (s *Server) find(r *http.Request) (shop.Room, shop.Event, error) {
	one, ok := s.world.Room(r.PathValue("room"))
	if !ok {
		return shop.Room{}, shop.Event{}, noSuchRoom
	}
	i := slices.IndexFunc(one.Events, func(e shop.Event) bool { return e.ID == r.PathValue("event") })
	if i < 0 {
		return shop.Room{}, shop.Event{}, noSuchEvent
	}
	return one, one.Events[i], nil
}

func (s *Server) event(r *http.Request) (any, *pageInfo, error) {
	_, e, err := s.find(r)
	if err != nil {
		return nil, nil, err
	}
	return eventOnTheWire(e), nil, nil
}

// details tells an event with what it inherits filled in.
func (s *Server) details(r *http.Request) (any, *pageInfo, error) {
	one, e, err := s.find(r)
	if err != nil {
		return nil, nil, err
	}
	w := eventOnTheWire(e)
	inherit(&w.NewUsersPerMinute, one.NewUsersPerMinute)
	inherit(&w.TotalActiveUsers, one.TotalActiveUsers)
	inherit(&w.SessionDuration, one.SessionDuration)
	inherit(&w.QueueingMethod, one.QueueingMethod)
	inherit(&w.DisableSessionRenewal, one.DisableSessionRenewal)
	inherit(&w.CustomPageHTML, one.CustomPageHTML)
	return w, nil, nil
}

func inherit[T any](own **T, from T) {
	if *own == nil {
		*own = &from
	}
}

// eventChange is the body of a PUT or PATCH of an event.
type eventChange struct {
	Name                  *string `json:"name"`
	Description           *string `json:"description"`
	Start                 *string `json:"event_start_time"`
	End                   *string `json:"event_end_time"`
	Prequeue              *string `json:"prequeue_start_time"`
	Shuffle               bool    `json:"shuffle_at_event_start"`
	Suspended             bool    `json:"suspended"`
	NewUsersPerMinute     *int    `json:"new_users_per_minute"`
	TotalActiveUsers      *int    `json:"total_active_users"`
	SessionDuration       *int    `json:"session_duration"`
	QueueingMethod        *string `json:"queueing_method"`
	DisableSessionRenewal *bool   `json:"disable_session_renewal"`
	CustomPageHTML        *string `json:"custom_page_html"`
}

// putEvent replaces an event: what is absent or null is inherited again.
func (s *Server) putEvent(r *http.Request) (any, *pageInfo, error) {
	_, was, err := s.find(r)
	if err != nil {
		return nil, nil, err
	}
	var c eventChange
	if err := readBody(r, &c); err != nil {
		return nil, nil, err
	}
	next, err := c.event(was.ID)
	if err != nil {
		return nil, nil, err
	}
	done, ok := s.world.SetEvent(r.PathValue("room"), next, s.options.Now())
	if !ok {
		return nil, nil, noSuchEvent
	}
	return eventOnTheWire(done), nil, nil
}

func (c *eventChange) event(id string) (shop.Event, error) {
	e := shop.Event{
		ID: id, Shuffle: c.Shuffle, Suspended: c.Suspended, NewUsersPerMinute: c.NewUsersPerMinute, TotalActiveUsers: c.TotalActiveUsers,
		SessionDuration: c.SessionDuration, QueueingMethod: c.QueueingMethod, DisableSessionRenewal: c.DisableSessionRenewal, CustomPageHTML: c.CustomPageHTML,
	}
	if c.Name == nil || c.Start == nil || c.End == nil {
		return e, invalid("name, event_start_time and event_end_time are required")
	}
	e.Name = *c.Name
	set(&e.Description, c.Description)
	for _, t := range []struct {
		name string
		from *string
		to   *time.Time
	}{{"event_start_time", c.Start, &e.Start}, {"event_end_time", c.End, &e.End}, {"prequeue_start_time", c.Prequeue, &e.Prequeue}} {
		if t.from == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, *t.from)
		if err != nil {
			return e, invalid(t.name + " must be an ISO 8601 timestamp")
		}
		*t.to = at.UTC()
	}
	switch {
	case e.End.Sub(e.Start) < time.Minute:
		return e, invalid("event_start_time must be at least one minute before event_end_time")
	case !e.Prequeue.IsZero() && e.Start.Sub(e.Prequeue) < 5*time.Minute:
		return e, invalid("prequeue_start_time must be at least five minutes before event_start_time")
	case e.Shuffle && e.Prequeue.IsZero():
		return e, invalid("shuffle_at_event_start needs a prequeue_start_time")
	case (e.NewUsersPerMinute == nil) != (e.TotalActiveUsers == nil):
		return e, invalid("new_users_per_minute and total_active_users must be set together")
	case e.QueueingMethod != nil && !oneOf(*e.QueueingMethod, methods...):
		return e, invalid("queueing_method is not known")
	case e.SessionDuration != nil && (*e.SessionDuration < 1 || *e.SessionDuration > 30):
		return e, invalid("session_duration must be between 1 and 30")
	}
	if e.NewUsersPerMinute != nil {
		return e, checkLimits(*e.NewUsersPerMinute, *e.TotalActiveUsers)
	}
	return e, nil
}
