package inbox

import (
	"cmp"
	"net/http"
	"strings"
)

// Rootly is one generic webhook alert source of Rootly. It is safe for many goroutines.
type Rootly struct {
	book
	secret string
	mux    *http.ServeMux
}

// NewRootly makes an alert source of a secret, which a client sends as ?secret=… or as a bearer token.
func NewRootly(secret string, o Options) *Rootly {
	s := &Rootly{book: book{options: o.complete()}, secret: secret, mux: http.NewServeMux()}
	const base = "POST /webhooks/incoming/generic_webhooks"
	s.mux.HandleFunc(base, s.alert)
	s.mux.HandleFunc(base+"/notify/{type}/{id}", s.alert)
	return s
}

// Alerts are the alerts as they are, oldest first.
func (s *Rootly) Alerts() []Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies()
}

// ServeHTTP implements http.Handler.
func (s *Rootly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch _, pattern := s.mux.Handler(r); {
	case !same(cmp.Or(r.URL.Query().Get("secret"), token), s.secret):
		rootlyRefuses(w, http.StatusUnauthorized, "Unauthorized")
	case pattern == "":
		rootlyRefuses(w, http.StatusNotFound, "Not found")
	default:
		s.mux.ServeHTTP(w, r)
	}
}

func (s *Rootly) alert(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if err := read(r, &in); err != nil {
		rootlyRefuses(w, http.StatusBadRequest, "The payload is not a JSON object")
		return
	}
	text := func(name string) string {
		v, _ := in[name].(string)
		return v
	}
	title, key := text("title"), text("external_id")
	if title == "" {
		rootlyRefuses(w, http.StatusUnprocessableEntity, "The title that the source maps is not in the payload")
		return
	}
	key = cmp.Or(key, newID())
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.options.Now(); text("state") == "resolved" {
		s.shut(now, key, title)
	} else {
		s.raise(now, Alert{Key: key, Title: title, Text: text("description"), Details: in})
	}
	respond(w, http.StatusOK, map[string]string{"status": "ok"})
}

// RootlyFailure answers every request as Rootly does when it fails itself.
func RootlyFailure() http.Handler {
	return always(func(w http.ResponseWriter) {
		rootlyRefuses(w, http.StatusInternalServerError, "Internal server error")
	})
}

// RootlyThrottled answers every request as Rootly does after too many.
func RootlyThrottled() http.Handler {
	return always(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "60")
		rootlyRefuses(w, http.StatusTooManyRequests, "Rate limit exceeded")
	})
}

func rootlyRefuses(w http.ResponseWriter, status int, title string) {
	respond(w, status, map[string]any{"errors": []map[string]any{{"status": http.StatusText(status), "title": title}}})
}
