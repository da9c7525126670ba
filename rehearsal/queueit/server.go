package queueit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// The limit of the API, per event.
const (
	calls  = 10
	window = time.Minute
)

// Options of a server. Key is what the client sends as "api-key".
type Options struct {
	Key string
	Now func() time.Time
}

// Server is the API. It is safe for many goroutines.
type Server struct {
	world   *shop.World
	options Options
	sales   map[string]shop.Declared
	mux     *http.ServeMux

	mu     sync.Mutex
	called map[string][]time.Time // by event, oldest first
}

// New makes the API of a world.
func New(world *shop.World, o Options) *Server {
	s := &Server{world: world, options: o, sales: map[string]shop.Declared{}, mux: http.NewServeMux(), called: map[string][]time.Time{}}
	for _, d := range world.Sales() {
		s.sales[d.ID] = d
	}
	s.mux.HandleFunc("GET /2_0/event", s.list)
	s.mux.HandleFunc("POST /2_0/event/search", s.search)
	s.mux.HandleFunc("GET /2_0/event/{id}", s.ofEvent(s.get))
	s.mux.HandleFunc("PUT /2_0/event/{id}/queue/speed", s.ofEvent(s.speed))
	s.mux.HandleFunc("GET /2_0/event/{id}/queue/statistics/summary", s.ofEvent(s.summary))
	return s
}

// refusal is an answer that is not success.
type refusal struct {
	ErrorCode string
	ErrorText string
	status    int
}

func (r *refusal) Error() string { return r.ErrorText }

func no(status int, text string) *refusal {
	return &refusal{ErrorCode: strconv.Itoa(status), ErrorText: text, status: status}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch _, pattern := s.mux.Handler(r); {
	case r.Header.Get("Api-Key") != s.options.Key || s.options.Key == "":
		refuse(w, no(http.StatusUnauthorized, "Unauthorized: the api-key is missing or not valid"))
	case pattern == "":
		refuse(w, no(http.StatusNotFound, "No resource at this address"))
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// ofEvent registers what is about one event, behind its limit of calls.
func (s *Server) ofEvent(h func(r *http.Request, d *shop.Declared, b shop.Barrier) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if wait := s.take(id); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			refuse(w, tooMany())
			return
		}
		d, known := s.sales[id]
		b, ok := s.world.Barrier(shop.QueueIt, id)
		if !known || !ok {
			refuse(w, no(http.StatusNotFound, "Event not found"))
			return
		}
		out, err := h(r, &d, b)
		var wrong *refusal
		switch {
		case errors.As(err, &wrong):
			refuse(w, wrong)
		case err != nil:
			refuse(w, no(http.StatusBadRequest, err.Error()))
		default:
			respond(w, http.StatusOK, out)
		}
	}
}

// take counts a call to an event and says how long it has to wait, 0: not at all.
func (s *Server) take(event string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	made := s.called[event]
	for len(made) > 0 && now.Sub(made[0]) >= window {
		made = made[1:]
	}
	made = append(made, now)
	if len(made) > 10*calls {
		made = made[len(made)-10*calls:]
	}
	s.called[event] = made
	if len(made) <= calls {
		return 0
	}
	return window - now.Sub(made[len(made)-calls])
}

func tooMany() *refusal {
	return no(http.StatusTooManyRequests, fmt.Sprintf("Too many requests: the limit is %d per minute to an active event", calls))
}

// event is an event as the API shows it.
type event struct {
	EventID               string `json:"EventId"`
	DisplayName           string
	EventStartTime        string
	EventEndTime          string
	PreQueueStartTime     string
	QueueStatus           string
	QueueStatusText       string
	MaxRedirectsPerMinute string
	MaxNoOfRedirects      string
}

func (s *Server) event(d *shop.Declared, b shop.Barrier) event {
	status, text := "1", "Running"
	switch now := s.options.Now(); {
	case now.Before(d.Prequeue):
		status, text = "0", "Idle"
	case now.Before(d.Opens):
		status, text = "1", "PreQueue"
	case now.After(d.Closes):
		status, text = "3", "PostQueue"
	}
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
	return event{
		EventID: d.ID, DisplayName: d.Name, EventStartTime: stamp(d.Opens), EventEndTime: stamp(d.Closes), PreQueueStartTime: stamp(d.Prequeue),
		QueueStatus: status, QueueStatusText: text, MaxRedirectsPerMinute: strconv.Itoa(b.PerMinute), MaxNoOfRedirects: "-1",
	}
}

func (s *Server) get(_ *http.Request, d *shop.Declared, b shop.Barrier) (any, error) {
	return s.event(d, b), nil
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, s.events(func(event) bool { return true }))
}

func (s *Server) events(which func(event) bool) []event {
	out := []event{}
	for _, b := range s.world.Barriers(shop.QueueIt) {
		d := s.sales[b.Sale]
		if e := s.event(&d, b); which(e) {
			out = append(out, e)
		}
	}
	return out
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	var in struct {
		EventID     string `json:"EventId"`
		DisplayName string
	}
	if err := read(r, &in); err != nil {
		refuse(w, no(http.StatusBadRequest, err.Error()))
		return
	}
	respond(w, http.StatusOK, s.events(func(e event) bool {
		return strings.Contains(e.EventID, in.EventID) && strings.Contains(e.DisplayName, in.DisplayName)
	}))
}

// The bounds of a speed, people per minute.
const (
	slowest = 5
	fastest = 100_000
)

func (s *Server) speed(r *http.Request, d *shop.Declared, _ shop.Barrier) (any, error) {
	var in struct{ MaxRedirectsPerMinute *string }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if in.MaxRedirectsPerMinute == nil {
		return nil, no(http.StatusBadRequest, "MaxRedirectsPerMinute is missing")
	}
	n, err := strconv.Atoi(*in.MaxRedirectsPerMinute)
	if err != nil || n < slowest || n > fastest {
		return nil, no(http.StatusBadRequest, fmt.Sprintf("MaxRedirectsPerMinute must be a whole number from %d to %d", slowest, fastest))
	}
	b, _ := s.world.SetBarrier(shop.QueueIt, d.ID, "api-key", func(b *shop.Barrier) { b.PerMinute = n })
	return s.event(d, b), nil
}

func (s *Server) summary(_ *http.Request, d *shop.Declared, b shop.Barrier) (any, error) {
	waiting := s.world.Truth(s.options.Now()).Sales[d.ID]["waiting_now"]
	whole := func(v float64) string { return strconv.Itoa(int(math.Round(v))) }
	return map[string]string{
		"TotalWaitingInQueueCount": whole(waiting), "NoOfRedirectsLastMinute": whole(b.Passed), "SafetyNetRedirectedCount": "0",
		"MaxRedirectsPerMinute": strconv.Itoa(b.PerMinute), "VersionTimestamp": s.options.Now().UTC().Truncate(time.Minute).Format("2006-01-02T15:04:05.0000000Z"),
	}, nil
}

// Failure answers every request as Queue-it does when it fails itself.
func Failure() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, no(http.StatusInternalServerError, "Internal server error"))
	})
}

// Throttled answers every request as Queue-it does after too many.
func Throttled() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		refuse(w, tooMany())
	})
}

func refuse(w http.ResponseWriter, r *refusal) { respond(w, r.status, r) }

const maxBody = 64 << 10

func read(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the body is not what this resource takes: %w", err)
	}
	return nil
}

func respond(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that left needs no answer
}
