package inbox

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"
)

// IncidentIO is one HTTP alert source of incident.io. It is safe for many goroutines.
type IncidentIO struct {
	book
	source, token string
	mux           *http.ServeMux
}

// NewIncidentIO makes an alert source of an id and its token.
func NewIncidentIO(source, token string, o Options) *IncidentIO {
	s := &IncidentIO{book: book{options: o.complete()}, source: source, token: token, mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /v2/alert_events/http/{source}", s.event)
	return s
}

// Alerts are the alerts as they are, oldest first.
func (s *IncidentIO) Alerts() []Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies()
}

// ServeHTTP implements http.Handler.
func (s *IncidentIO) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch _, pattern := s.mux.Handler(r); {
	case token == "":
		ioRefuses(w, http.StatusUnauthorized, "authentication_error", "missing_authorization_material", "No authorization material provided in request", "")
	case !same(token, s.token):
		ioRefuses(w, http.StatusUnauthorized, "authentication_error", "unauthorized", "The token is not valid for this alert source", "")
	case pattern == "":
		ioRefuses(w, http.StatusNotFound, "not_found", "not_found", "The requested resource was not found", "")
	default:
		s.mux.ServeHTTP(w, r)
	}
}

func (s *IncidentIO) event(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("source") != s.source {
		ioRefuses(w, http.StatusNotFound, "not_found", "not_found", "The alert source was not found", "")
		return
	}
	var in struct {
		Title, Description, Status string

		Key       string         `json:"deduplication_key"`
		SourceURL string         `json:"source_url"`
		Metadata  map[string]any `json:"metadata"`
	}
	err := read(r, &in)
	switch {
	case errors.Is(err, errTooLarge):
		ioRefuses(w, http.StatusRequestEntityTooLarge, "validation_error", "payload_too_large", err.Error(), "")
	case err != nil:
		ioRefuses(w, http.StatusBadRequest, "validation_error", "decode_payload", err.Error(), "")
	case in.Title == "":
		ioRefuses(w, http.StatusUnprocessableEntity, "validation_error", "is_required", "title must be set", "title")
	case in.Status != "firing" && in.Status != "resolved":
		ioRefuses(w, http.StatusUnprocessableEntity, "validation_error", "invalid_value", `status must be one of "firing" or "resolved"`, "status")
	default:
		key := cmp.Or(in.Key, newID())
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := s.options.Now(); in.Status == "firing" {
			s.raise(now, Alert{Key: key, Title: in.Title, Text: in.Description, Details: in.Metadata})
		} else {
			s.shut(now, key, in.Title)
		}
		respond(w, http.StatusAccepted, map[string]string{"status": "success", "message": "Event accepted for processing", "deduplication_key": key})
	}
}

// IncidentIOFailure answers every request as incident.io does when it fails itself.
func IncidentIOFailure() http.Handler {
	return always(func(w http.ResponseWriter) {
		ioRefuses(w, http.StatusInternalServerError, "internal_error", "internal_error", "Something went wrong", "")
	})
}

// IncidentIOThrottled answers every request as incident.io does after too many.
func IncidentIOThrottled() http.Handler {
	return always(func(w http.ResponseWriter) {
		ioRefuses(w, http.StatusTooManyRequests, "too_many_requests", "too_many_requests", "Too many requests hit the API too quickly", "")
	})
}

// ioRefuses answers with incident.io's one shape of an error.
func ioRefuses(w http.ResponseWriter, status int, kind, code, message, field string) {
	one := map[string]any{"code": code, "message": message}
	if field != "" {
		one["source"] = map[string]string{"field": field}
	}
	body := map[string]any{"type": kind, "status": status, "request_id": newID(), "errors": []any{one}}
	if status == http.StatusTooManyRequests {
		body["rate_limit"] = map[string]any{"name": "alert_events", "limit": 120, "remaining": 0, "retry_after": time.Now().Add(time.Minute).UTC().Format(time.RFC1123)}
		w.Header().Set("Retry-After", "60")
	}
	respond(w, status, body)
}
