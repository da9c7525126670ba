package alertmanager

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Version is the release whose API this is.
const Version = "0.34.2"

const (
	resolveTimeout = 5 * time.Minute // of an alert that is sent without an end
	retention      = 2 * time.Hour   // of a silence that has ended
	maxBody        = 1 << 20
)

// Alert is one alert as it is sent. An end in the past resolves it, without one it lasts five minutes.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Options of a server. Now and Tell are required.
type Options struct {
	Now  func() time.Time
	Tell func(Happening) // what people did with silences
}

// Happening is a silence that was made or expired.
type Happening struct {
	What, ID, By, Text string // By is who made it
}

// Server is one Alertmanager. It is safe for many goroutines.
type Server struct {
	options Options
	mux     *http.ServeMux
	started time.Time

	mu       sync.Mutex
	alerts   map[string]*held // by identity
	silences []*silence
}

type held struct {
	Alert
	updated time.Time
}

// New makes a server without alerts and silences.
func New(o Options) *Server {
	s := &Server{options: o, mux: http.NewServeMux(), started: o.Now(), alerts: map[string]*held{}}
	s.mux.HandleFunc("GET /api/v2/status", s.status)
	s.mux.HandleFunc("GET /api/v2/alerts", s.list)
	s.mux.HandleFunc("POST /api/v2/alerts", s.post)
	s.mux.HandleFunc("GET /api/v2/silences", s.listSilences)
	s.mux.HandleFunc("POST /api/v2/silences", s.makeSilence)
	s.mux.HandleFunc("GET /api/v2/silence/{id}", s.getSilence)
	s.mux.HandleFunc("DELETE /api/v2/silence/{id}", s.expireSilence)
	for _, path := range []string{"GET /-/ready", "GET /-/healthy"} {
		s.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") })
	}
	return s
}

// ServeHTTP implements http.Handler. Answers carry the server's own time.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// Take holds alerts as if they had been posted. The same label set is the same alert; while it
// lasts, it keeps its earliest start.
func (s *Server) Take(list []Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for _, a := range list {
		if a.EndsAt.IsZero() {
			a.EndsAt = now.Add(resolveTimeout)
		}
		if a.StartsAt.IsZero() {
			a.StartsAt = now
		}
		key := identity(a.Labels)
		was := s.alerts[key]
		if was != nil && was.EndsAt.After(a.StartsAt) && was.StartsAt.Before(a.StartsAt) {
			a.StartsAt = was.StartsAt
		}
		s.alerts[key] = &held{a, now}
	}
	maps.DeleteFunc(s.alerts, func(_ string, a *held) bool { return now.Sub(a.EndsAt) > resolveTimeout })
}

func identity(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%q=%q,", name, labels[name])
	}
	return b.String()
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"cluster":     map[string]any{"status": "disabled", "peers": []any{}},
		"config":      map[string]any{"original": "route:\n  receiver: on-call\nreceivers:\n  - name: on-call\n"},
		"uptime":      s.started.UTC(),
		"versionInfo": map[string]any{"branch": "HEAD", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "", "version": Version},
	})
}

// shown is an alert as GET tells of it.
type shown struct {
	Alert
	Fingerprint string              `json:"fingerprint"`
	Receivers   []map[string]string `json:"receivers"`
	Status      shownStatus         `json:"status"`
	UpdatedAt   time.Time           `json:"updatedAt"`
}

type shownStatus struct {
	State       string   `json:"state"`
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	want, err := parseFilters(query["filter"])
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	wants := func(name string) bool { return query.Get(name) != "false" }
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	list := []shown{}
	for _, key := range slices.Sorted(maps.Keys(s.alerts)) {
		a := s.alerts[key]
		if !a.EndsAt.After(now) || !all(want, a.Labels) {
			continue
		}
		one := shown{
			Alert: a.Alert, Fingerprint: fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:16], UpdatedAt: a.updated.UTC(),
			Receivers: []map[string]string{{"name": "on-call"}},
			Status:    shownStatus{State: "active", SilencedBy: s.silencing(a.Labels, now), InhibitedBy: []string{}, MutedBy: []string{}},
		}
		if one.Annotations == nil {
			one.Annotations = map[string]string{}
		}
		silenced := len(one.Status.SilencedBy) > 0
		if silenced {
			one.Status.State = "suppressed"
		}
		if silenced && wants("silenced") || !silenced && wants("active") {
			list = append(list, one)
		}
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	var list []Alert
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
		refuse(w, http.StatusBadRequest, "parsing alerts body from \"\" failed, because "+err.Error())
		return
	}
	for _, a := range list {
		switch {
		case len(a.Labels) == 0:
			refuse(w, http.StatusBadRequest, "at least one label pair required")
			return
		case !a.EndsAt.IsZero() && a.EndsAt.Before(a.StartsAt):
			refuse(w, http.StatusBadRequest, "start time must be before end time")
			return
		}
	}
	s.Take(list)
	w.WriteHeader(http.StatusOK)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left needs no answer
}

// refuse answers as the API does: with a JSON string.
func refuse(w http.ResponseWriter, status int, why string) { answer(w, status, why) }
