package inbox

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// slackPath is before the secret part of an incoming webhook's address.
const slackPath = "/services/T0REHEARSAL/B0ONSALE/"

// Slack is one incoming webhook. It is safe for many goroutines.
type Slack struct {
	options Options
	secret  string

	mu       sync.Mutex
	messages []string
	passes   float64 // messages that may come at once
	counted  time.Time
}

// slackBurst is how many messages pass at once; then one a second.
const slackBurst = 3

// NewSlack makes an incoming webhook with the secret that ends its address.
func NewSlack(secret string, o Options) *Slack {
	return &Slack{options: o.complete(), secret: secret, passes: slackBurst}
}

// Path is the path of the webhook's address: a secret.
func (s *Slack) Path() string { return slackPath + s.secret }

// Messages are the texts that arrived, oldest first.
func (s *Slack) Messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.messages...)
}

// ServeHTTP implements http.Handler.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, ok := strings.CutPrefix(r.URL.Path, slackPath)
	var in struct {
		Text        string `json:"text"`
		Blocks      []any  `json:"blocks"`
		Attachments []any  `json:"attachments"`
	}
	err := read(r, &in)
	switch {
	case !ok:
		slackSays(w, http.StatusNotFound, "no_service")
	case !same(secret, s.secret):
		slackSays(w, http.StatusForbidden, "invalid_token")
	case r.Method != http.MethodPost || err != nil:
		slackSays(w, http.StatusBadRequest, "invalid_payload")
	case strings.TrimSpace(in.Text) == "" && len(in.Blocks)+len(in.Attachments) == 0:
		slackSays(w, http.StatusBadRequest, "no_text")
	case len(in.Text) > 40_000:
		slackSays(w, http.StatusBadRequest, "msg_too_long")
	default:
		s.post(w, in.Text)
	}
}

func (s *Slack) post(w http.ResponseWriter, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if !s.counted.IsZero() {
		s.passes = min(slackBurst, s.passes+max(0, now.Sub(s.counted).Seconds()))
	}
	s.counted = now
	if s.passes < 1 {
		slackThrottles(w, 1)
		return
	}
	s.passes--
	s.messages = append(s.messages, text)
	first, _, _ := strings.Cut(text, "\n")
	s.options.Tell(Happening{now, "message", "", first})
	slackSays(w, http.StatusOK, "ok")
}

// SlackFailure answers every request as Slack does when it fails itself.
func SlackFailure() http.Handler {
	return always(func(w http.ResponseWriter) { slackSays(w, http.StatusInternalServerError, "rollup_error") })
}

// SlackThrottled answers every request as Slack does after too many.
func SlackThrottled() http.Handler {
	return always(func(w http.ResponseWriter) { slackThrottles(w, 30) })
}

func slackThrottles(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	slackSays(w, http.StatusTooManyRequests, "rate_limited")
}

func slackSays(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8") // so does Slack
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word) // a client that left needs no answer
}
