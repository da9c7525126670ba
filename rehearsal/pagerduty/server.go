package pagerduty

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Options of a server. RoutingKeys is required.
type Options struct {
	// RoutingKeys are the integration keys, of 32 characters, and the service that each is of.
	RoutingKeys map[string]string
	// Token lets the REST API be used ("Authorization: Token token=…"); "" shuts it. ReadToken is a
	// read-only one beside it.
	Token, ReadToken string
	// Now is the clock; time.Now unless given.
	Now func() time.Time
	// Process is the time from 202 to the incident, 0: 2 s. Page is the time from there to the
	// first page, 0: 5 s. Negative is at once.
	Process, Page time.Duration
	// PerMinute is how many events a minute and routing key pass; 0: 120.
	PerMinute int
	// Tell hears what happens, in order and with its true time, at the next request or look
	// after it. It must not call the server.
	Tell func(Happening)
}

// Happening is one thing that became of the events.
type Happening struct {
	At       time.Time
	What     string // triggered, deduplicated, acknowledged, resolved, dropped, paged, change
	Incident string // its id, or ""
	DedupKey string
	Text     string
}

// Server is the API. It is safe for many goroutines.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu        sync.Mutex
	pending   []arrived // by the time when they are processed
	incidents []*Incident
	changes   []Change
	dropped   []Event
	windows   map[string]*window
	rest      window
	number    int
}

// window counts the calls of one minute.
type window struct {
	from time.Time
	used int
}

// take counts a call and reports whether it may pass, how many are left and when it begins anew.
func (w *window) take(now time.Time, most int) (ok bool, left int, reset time.Duration) {
	if now.Sub(w.from) >= time.Minute || now.Before(w.from) {
		w.from, w.used = now, 0
	}
	w.used++
	return w.used <= most, max(most-w.used, 0), w.from.Add(time.Minute).Sub(now)
}

// arrived is an event that was accepted and not yet processed.
type arrived struct {
	Event
	due time.Time
}

// New makes the API. A routing key that has not 32 characters is an error.
func New(o Options) (*Server, error) {
	for key := range o.RoutingKeys {
		if len(key) != keyLength {
			return nil, fmt.Errorf("a routing key has %d characters, not %d", len(key), keyLength)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tell == nil {
		o.Tell = func(Happening) {}
	}
	o.Process = max(cmp.Or(o.Process, 2*time.Second), 0)
	o.Page = max(cmp.Or(o.Page, 5*time.Second), 0)
	o.PerMinute = cmp.Or(o.PerMinute, 120)
	s := &Server{options: o, mux: http.NewServeMux(), windows: map[string]*window{}, number: 4180}
	s.mux.HandleFunc("POST /v2/enqueue", s.enqueue)
	s.mux.HandleFunc("POST /v2/change/enqueue", s.change)
	s.mux.HandleFunc("GET /incidents", s.signedIn(s.list))
	s.mux.HandleFunc("GET /incidents/{id}", s.signedIn(s.get))
	s.mux.HandleFunc("GET /incidents/{id}/log_entries", s.signedIn(s.log))
	s.mux.HandleFunc("GET /incidents/{id}/notes", s.signedIn(s.notes))
	s.mux.HandleFunc("POST /incidents/{id}/notes", s.signedIn(s.annotate))
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// answer is the Events API's shape of every answer.
type answer struct {
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	DedupKey string   `json:"dedup_key,omitempty"`
	Errors   []string `json:"errors,omitempty"`
}

func respond(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(data) // a client that left needs no answer
}

// Failure answers every request as PagerDuty does when it fails itself.
func Failure() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusInternalServerError, answer{Status: "error", Message: "Internal Server Error", Errors: []string{"the event could not be processed: try again later"}})
	})
}

// Throttled answers every request as the Events API does after too many.
func Throttled() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { throttled(w) })
}

func throttled(w http.ResponseWriter) {
	respond(w, http.StatusTooManyRequests, answer{
		Status: "throttle exceeded", Message: "Requests for this service are arriving too quickly. Please retry later.", Errors: []string{"Enhance Your Calm."},
	})
}

func limits(h http.Header, most, left int, reset time.Duration) {
	h.Set("Ratelimit-Limit", strconv.Itoa(most))
	h.Set("Ratelimit-Remaining", strconv.Itoa(left))
	h.Set("Ratelimit-Reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
}
