package waitingroom

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is this executor's name in targets and in the journal.
const System = "waitingroom"

// The kinds of target. Both bear the room's name.
const (
	KindRoom  = "waiting room"
	KindEvent = "waiting room event" // ID is the event's
)

// The settings, by Cloudflare's own names. SettingSuspended is read and compared, never set.
const (
	SettingQueueAll  = "queue_all"
	SettingRate      = "new_users_per_minute"
	SettingActive    = "total_active_users"
	SettingSuspended = "suspended"
)

// Cloudflare's bounds of both limits, from its published OpenAPI document.
const (
	Floor = 200
	Most  = 2147483647
)

// SafeAdmission is the signal that Safe reads unless another function is given: people per minute
// that the site can carry. It is not one of the standard signals.
const SafeAdmission = actions.SafeAdmission

// Options configure an executor. Zone, Room and Token are required.
type Options struct {
	BaseURL string // default https://api.cloudflare.com/client/v4
	Zone    string
	Room    string // id or name
	// Name is the room's name in targets, which the policy compares; default Room.
	Name  string
	Token string // with "Waiting Rooms Write"; no poller may share it
	// Client sends the requests; nil makes one. Redirects are never followed.
	Client *http.Client

	// Safe is how many people per minute the site can carry; known is false when that can't be
	// said. nil reads the signal SafeAdmission.
	Safe func(seen actions.Evidence) (perMinute float64, known bool)
	// MaxActive bounds total_active_users; 0: only Cloudflare's own bound.
	MaxActive float64

	// Ramp lists the shares of the rate at which resume goes on, ascending; default 0.25, 0.5, 1.
	Ramp []float64
	// RampEvery is the time between two steps; default 2 min, which is how long Cloudflare takes
	// to carry a limit to all its data centres.
	RampEvery time.Duration
	// Hold lists what stops a ramp before its next step, once people are let in again. A signal
	// that is missing or stale stops it too.
	Hold []actions.Condition
}

// Executor acts on one room.
type Executor struct {
	o   Options
	api *api

	mu sync.Mutex
	id string // of the room, once it is known
}

var _ actions.Executor = (*Executor)(nil)

// New makes an executor. It sends nothing.
func New(o Options) (*Executor, error) {
	if o.Zone == "" || o.Room == "" || o.Token == "" {
		return nil, errors.New("waiting room: zone, room and a token with Waiting Rooms Write are needed")
	}
	if o.BaseURL == "" {
		o.BaseURL = "https://api.cloudflare.com/client/v4"
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("waiting room: the base URL must be a full http or https address")
	}
	if o.Name == "" {
		o.Name = o.Room
	}
	if o.RampEvery <= 0 {
		o.RampEvery = 2 * time.Minute
	}
	if len(o.Ramp) == 0 {
		o.Ramp = []float64{0.25, 0.5, 1}
	}
	last := 0.0
	for _, share := range o.Ramp {
		if !(share > last && share <= 1) {
			return nil, fmt.Errorf("waiting room: the ramp %v must ascend from above 0 to at most 1", o.Ramp)
		}
		last = share
	}
	if o.Safe == nil {
		o.Safe = func(seen actions.Evidence) (float64, bool) {
			safe := seen.Signal(SafeAdmission)
			return safe.Value, safe.Usable()
		}
	}
	client := http.Client{Transport: transport()}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := strings.TrimSuffix(o.BaseURL, "/") + "/zones/" + url.PathEscape(o.Zone) + "/waiting_rooms"
	return &Executor{o: o, api: &api{base: base, token: o.Token, client: &client}}, nil
}

// transport is a pool of this executor's own, bounded at every step that a context doesn't see.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        8,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Info describes the executor.
func (e *Executor) Info() actions.Info {
	return actions.Info{
		System: System, Verbs: []actions.Verb{actions.Pause, actions.Rate, actions.Resume, actions.Undo},
		Deadline: 10 * time.Second, Versions: true,
		ReadBack: actions.ReadBackPlan{Tries: 6, First: 500 * time.Millisecond, Most: 8 * time.Second, Within: 30 * time.Second},
	}
}

// Target is the room as the policy has to declare it. The rate of an event is a target of the same
// system, name and account, so Kind and ID are left open.
func (e *Executor) Target() actions.Target {
	return actions.Target{System: System, Name: e.o.Name, Account: e.o.Zone}
}

// Execute sends one PATCH, if the target is as the preview saw it.
func (e *Executor) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	if err := settable(p); err != nil {
		return actions.Receipt{}, err
	}
	now, err := e.look(ctx, p.Target.Kind == KindEvent, p.Target.ID)
	if err != nil {
		return actions.Receipt{}, unsent(err)
	}
	if err := unchanged(p, now); err != nil {
		return actions.Receipt{}, err
	}
	path, body := now.patch(p.To)
	var ignored map[string]any
	out, err := e.api.do(ctx, http.MethodPatch, path, body, &ignored)
	if err != nil {
		var f *failure
		if errors.As(err, &f) && f.nothing {
			return actions.Receipt{RequestID: out.ray}, &actions.RejectedError{Problem: f.problem}
		}
		return actions.Receipt{RequestID: out.ray}, err
	}
	return actions.Receipt{RequestID: out.ray, Text: "accepted by Cloudflare"}, nil
}

// unsent says that nothing was sent, because what has to be known before could not be read.
func unsent(err error) error {
	var p *sale.Problem
	if !errors.As(err, &p) {
		return err
	}
	q := *p
	q.Text = sale.Clean("nothing was sent, the target could not be read again: "+q.Text, 240)
	return &actions.RejectedError{Problem: q}
}

// settable is the error of a preview whose values must never be sent, or nil.
func settable(p actions.Preview) error {
	no := func(text string) error {
		return &actions.RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: "not sent: " + text, Hint: "open the panel again"}}
	}
	room := p.Target.Kind == KindRoom
	if p.Target.System != System || !room && p.Target.Kind != KindEvent || p.Target.ID == "" || len(p.To) == 0 {
		return no("the preview names no waiting room")
	}
	for name, s := range p.To {
		n, isNumber := s.Number()
		_, isFlag := s.Flag()
		switch {
		case name == SettingQueueAll && room && isFlag:
		case (name == SettingRate || name == SettingActive) && isNumber && n >= Floor && n <= Most && n == float64(int64(n)):
		default:
			return no(fmt.Sprintf("%s is not to be set to %s", sale.Clean(name, 40), sale.Clean(s.String(), 40)))
		}
	}
	return nil
}

// unchanged is the conflict between what was shown and what is, or nil.
func unchanged(p actions.Preview, now *view) error {
	is := now.value(p.Target.Kind == KindEvent)
	switch {
	case !is.Holds(p.From):
		return &actions.ConflictError{Text: sale.Clean(p.From.Change(is.Only(p.From)), 200)}
	case p.Version != "" && p.Version != now.version(p.Target.Kind == KindEvent):
		return &actions.ConflictError{Text: "it was written again at " + now.version(p.Target.Kind == KindEvent) + " with the same values"}
	}
	return nil
}

// ReadBack reads the room, or the event, that the preview names.
func (e *Executor) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	isEvent := p.Target.Kind == KindEvent
	now, err := e.look(ctx, isEvent, p.Target.ID)
	if err != nil {
		return actions.State{}, err
	}
	return actions.State{
		Value: now.value(isEvent), Version: now.version(isEvent), At: now.at, Modified: stamp(now.version(isEvent)),
	}, nil
}

// look reads the room's configuration and, when one is named, an event's: what a write is compared
// with and what it is proven by.
func (e *Executor) look(ctx context.Context, isEvent bool, id string) (*view, error) {
	now := &view{at: time.Now()}
	var err error
	if now.room, err = e.readRoom(ctx); err != nil {
		return nil, err
	}
	if isEvent {
		if now.active, err = e.api.event(ctx, now.room.ID, id); err != nil {
			return nil, err
		}
		return now, nil
	}
	if id != "" && id != now.room.ID {
		return nil, e.api.fail(sale.NotFound, fmt.Sprintf("the room %q has another id now", e.o.Name), "open the panel again", true)
	}
	return now, nil
}

// readRoom reads the configuration of the room, which may be known by its name only.
func (e *Executor) readRoom(ctx context.Context) (room, error) {
	e.mu.Lock()
	id := e.id
	e.mu.Unlock()
	if id == "" {
		id = e.o.Room
		if !isID(id) {
			found, err := e.api.find(ctx, e.o.Room)
			if err != nil {
				return room{}, err
			}
			id = found.ID
		}
	}
	r, err := e.api.room(ctx, id)
	if err == nil {
		e.mu.Lock()
		e.id = r.ID
		e.mu.Unlock()
	}
	return r, err
}

// isID reports whether a word has the form of Cloudflare's ids: 32 hex digits.
func isID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// view is the room as it was read.
type view struct {
	at     time.Time
	room   room
	status *status  // nil: could not be read
	events []event  // as they were set
	active *event   // the one whose values hold now, as it was set
	inner  *event   // the same with what it inherits
	lost   error    // why it is not known which event is active, or what it sets
	doubts []string // what a person must know of how this was found out
}

// read reads everything that a preview says. Only the room itself must be there.
func (e *Executor) read(ctx context.Context) (*view, error) {
	now := &view{at: time.Now()}
	var err error
	if now.room, err = e.readRoom(ctx); err != nil {
		return nil, err
	}
	if s, err := e.api.status(ctx, now.room.ID); err == nil {
		now.status = &s
	} else {
		now.doubts = append(now.doubts, "the room's status could not be read: "+err.Error())
	}
	if now.events, err = e.api.events(ctx, now.room.ID); err != nil {
		now.doubts = append(now.doubts, "the room's events could not be read: "+err.Error())
	}
	now.lost = e.findActive(ctx, now, err)
	return now, nil
}

// findActive finds the event whose values hold now. The status is cached, the times of an event are
// not: near an edge of the event its times decide, else the status does.
func (e *Executor) findActive(ctx context.Context, now *view, unlisted error) error {
	said := ""
	if now.status != nil {
		said = now.status.EventID
	}
	if i := slices.IndexFunc(now.events, func(ev event) bool { return ev.covers(now.at) }); i >= 0 {
		now.active = &now.events[i]
		if now.status != nil && said != now.active.ID {
			now.doubts = append(now.doubts, fmt.Sprintf("event %s is active by its times; the status, 20-50s old, does not say so", sale.Clean(now.active.Name, 60)))
		}
	} else if said != "" {
		i := slices.IndexFunc(now.events, func(ev event) bool { return ev.ID == said })
		switch {
		case i < 0:
			found, err := e.api.event(ctx, now.room.ID, said)
			if err != nil {
				return err
			}
			now.active = found
		case now.events[i].near(now.at):
			now.doubts = append(now.doubts, fmt.Sprintf("event %s is over by its times; the status, 20-50s old, still names it", sale.Clean(now.events[i].Name, 60)))
		default:
			now.active = &now.events[i]
			now.doubts = append(now.doubts, fmt.Sprintf("the status names event %s, its times do not cover now: see this machine's clock", sale.Clean(now.events[i].Name, 60)))
		}
	}
	if now.active == nil {
		if unlisted != nil && now.status == nil {
			return unlisted // whether an event is active is not known at all
		}
		return nil
	}
	inner, err := e.api.details(ctx, now.room.ID, now.active.ID)
	if err == nil {
		now.inner = inner
	}
	return err
}
