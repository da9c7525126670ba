package pagerduty

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	keyLength   = 32
	maxBody     = 512 << 10 // bytes
	maxDedupKey = 255
	maxSummary  = 1024 // characters
)

// Event is an alert event as it was sent.
type Event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Payload    Payload `json:"payload"`
	Client     string  `json:"client"`
	ClientURL  string  `json:"client_url"`
	Links      []Link  `json:"links"`
	Images     []Image `json:"images"`

	At time.Time `json:"-"` // when it was accepted
}

// Payload says what happened.
type Payload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp string         `json:"timestamp"`
	Component string         `json:"component"`
	Group     string         `json:"group"`
	Class     string         `json:"class"`
	Details   map[string]any `json:"custom_details"`
}

// Link and Image stand beside an incident.
type (
	Link struct {
		Href string `json:"href"`
		Text string `json:"text"`
	}
	Image struct {
		Src  string `json:"src"`
		Href string `json:"href"`
		Alt  string `json:"alt"`
	}
)

// Change is a change event: it is shown beside the incidents of a service and pages nobody.
type Change struct {
	RoutingKey string  `json:"routing_key"`
	Payload    Payload `json:"payload"`
	Links      []Link  `json:"links"`
	Images     []Image `json:"images"`

	At time.Time `json:"-"`
}

// read decodes a body or answers why not.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return false // the client has gone
	}
	if len(body) > maxBody {
		respond(w, http.StatusRequestEntityTooLarge, answer{Status: "invalid event", Message: "Event object is too large", Errors: []string{"the event is larger than 512 KB"}})
		return false
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil || !json.Valid(body) {
		respond(w, http.StatusBadRequest, answer{Status: "Unrecognized object", Message: "Event object format is unrecognized", Errors: []string{"JSON parse error"}})
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, errs []string) {
	respond(w, http.StatusBadRequest, answer{Status: "invalid event", Message: "Event object is invalid", Errors: errs})
}

func (s *Server) routing(key string) []string {
	switch _, known := s.options.RoutingKeys[key]; {
	case key == "":
		return []string{"'routing_key' is missing or blank"}
	case len(key) != keyLength:
		return []string{"Length of 'routing_key' is incorrect (should be 32 characters)"}
	case !known:
		return []string{"Invalid routing key"}
	}
	return nil
}

func (s *Server) enqueue(w http.ResponseWriter, r *http.Request) {
	var e Event
	if !read(w, r, &e) {
		return
	}
	if errs := append(s.routing(e.RoutingKey), e.mistakes()...); len(errs) > 0 {
		refuse(w, errs)
		return
	}
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(now)
	if !s.admit(e.RoutingKey, now) {
		throttled(w)
		return
	}
	if e.DedupKey == "" {
		e.DedupKey = newKey()
	}
	e.At = now
	s.pending = append(s.pending, arrived{e, now.Add(s.options.Process)})
	respond(w, http.StatusAccepted, answer{Status: "success", Message: "Event processed", DedupKey: e.DedupKey})
}

func (s *Server) admit(key string, now time.Time) bool {
	count := s.windows[key]
	if count == nil {
		count = &window{}
		s.windows[key] = count
	}
	ok, _, _ := count.take(now, s.options.PerMinute)
	return ok
}

// mistakes are what the Events API finds wrong with an event.
func (e *Event) mistakes() []string {
	var errs []string
	switch {
	case e.Action == "":
		errs = append(errs, "'event_action' is missing or blank")
	case !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.Action):
		errs = append(errs, "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	switch {
	case len(e.DedupKey) > maxDedupKey:
		errs = append(errs, fmt.Sprintf("'dedup_key' is too long (maximum is %d characters)", maxDedupKey))
	case e.DedupKey == "" && (e.Action == "acknowledge" || e.Action == "resolve"):
		errs = append(errs, "'dedup_key' is missing or blank")
	}
	if e.Action == "trigger" {
		errs = append(errs, e.Payload.mistakes(true)...)
	}
	return append(errs, mistakenLinks(e.Links, e.Images)...)
}

func (p *Payload) mistakes(alert bool) []string {
	var errs []string
	if p.Summary == "" {
		errs = append(errs, "'payload.summary' is missing or blank")
	}
	if utf8.RuneCountInString(p.Summary) > maxSummary {
		errs = append(errs, fmt.Sprintf("'payload.summary' is too long (maximum is %d characters)", maxSummary))
	}
	if alert && p.Source == "" {
		errs = append(errs, "'payload.source' is missing or blank")
	}
	if alert && !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity) {
		errs = append(errs, "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
	}
	if p.Timestamp != "" && !isTime(p.Timestamp) {
		errs = append(errs, "'payload.timestamp' is invalid (must be an ISO 8601 timestamp)")
	}
	return errs
}

func isTime(text string) bool {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05-0700"} {
		if _, err := time.Parse(layout, text); err == nil {
			return true
		}
	}
	return false
}

func mistakenLinks(links []Link, images []Image) []string {
	var errs []string
	for _, l := range links {
		if l.Href == "" {
			errs = append(errs, "'links' must have an 'href'")
		}
	}
	for _, i := range images {
		if !strings.HasPrefix(i.Src, "https://") {
			errs = append(errs, "'images' must have a 'src' served by HTTPS")
		}
	}
	return errs
}

func (s *Server) change(w http.ResponseWriter, r *http.Request) {
	var c Change
	if !read(w, r, &c) {
		return
	}
	errs := append(s.routing(c.RoutingKey), c.Payload.mistakes(false)...)
	if strings.HasPrefix(c.RoutingKey, "R") {
		errs = append(errs, "change events can't be sent to a ruleset")
	}
	if errs = append(errs, mistakenLinks(c.Links, c.Images)...); len(errs) > 0 {
		refuse(w, errs)
		return
	}
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(now)
	if !s.admit(c.RoutingKey, now) {
		throttled(w)
		return
	}
	c.At = now
	s.changes = append(s.changes, c)
	s.options.Tell(Happening{At: now, What: "change", Text: c.Payload.Summary})
	respond(w, http.StatusAccepted, answer{Status: "success", Message: "Change event processed"})
}

func newKey() string {
	var b [keyLength / 2]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
