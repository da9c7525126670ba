package waitingroom

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// room is a waiting room's configuration.
type room struct {
	ID                    string `json:"id"`
	Name                  string `json:"name"`
	Host                  string `json:"host"`
	Path                  string `json:"path"`
	ModifiedOn            string `json:"modified_on"`
	QueueAll              bool   `json:"queue_all"`
	Suspended             bool   `json:"suspended"`
	QueueingMethod        string `json:"queueing_method"`
	NewUsersPerMinute     *int64 `json:"new_users_per_minute"`
	TotalActiveUsers      *int64 `json:"total_active_users"`
	SessionDuration       int64  `json:"session_duration"` // minutes
	DisableSessionRenewal bool   `json:"disable_session_renewal"`
}

// event is an event as it was set: what is nil it inherits from its room. In an event's details
// the inherited values are filled in.
type event struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	ModifiedOn        string `json:"modified_on"`
	Start             string `json:"event_start_time"`
	End               string `json:"event_end_time"`
	Prequeue          string `json:"prequeue_start_time"`
	Suspended         bool   `json:"suspended"`
	NewUsersPerMinute *int64 `json:"new_users_per_minute"`
	TotalActiveUsers  *int64 `json:"total_active_users"`

	raw map[string]json.RawMessage
}

// UnmarshalJSON keeps what was read as it came beside the fields, so that a write can carry along
// what it doesn't change.
func (e *event) UnmarshalJSON(data []byte) error {
	type plain event
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return err
	}
	return json.Unmarshal(data, &e.raw)
}

// status is what a room says of itself: estimates, 20 to 50 s old. It doesn't say whether
// queue_all is on.
type status struct {
	Status  string   `json:"status"`
	EventID string   `json:"event_id"`
	Queued  *float64 `json:"estimated_queued_users"`
	Active  *float64 `json:"estimated_total_active_users"`
}

const statusSuspended = "suspended"

type envelope struct {
	Success *bool `json:"success"`
	Errors  []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Result     json.RawMessage `json:"result"`
	ResultInfo struct {
		TotalPages int `json:"total_pages"`
	} `json:"result_info"`
}

// errSaidNo is an envelope that says success: false.
var errSaidNo = errors.New("cloudflare refused")

// open reads Cloudflare's envelope of a success and its result.
func open(body []byte, into any) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("not a Cloudflare answer: %w", err)
	}
	switch {
	case e.Success == nil:
		return e, errors.New("not a Cloudflare answer: it does not say whether it succeeded")
	case !*e.Success:
		return e, fmt.Errorf("%w: %s", errSaidNo, e.reason())
	case len(e.Result) == 0 || string(e.Result) == "null":
		return e, errors.New("a Cloudflare answer without a result")
	}
	if err := json.Unmarshal(e.Result, into); err != nil {
		return e, fmt.Errorf("a Cloudflare result of another shape: %w", err)
	}
	return e, nil
}

func (e envelope) reason() string {
	var words []string
	for _, each := range e.Errors {
		if words = append(words, strings.TrimSpace(strconv.Itoa(each.Code)+" "+each.Message)); len(words) == 3 {
			break
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return sale.Clean(strings.Join(words, "; "), 200)
}

// sound says what of a room can't be acted on.
func (r room) sound() error {
	switch {
	case !plain(r.ID) || r.Name == "" || r.Host == "":
		return errors.New("the room has no usable id, name or host")
	case r.NewUsersPerMinute == nil || *r.NewUsersPerMinute < 1 || r.TotalActiveUsers == nil || *r.TotalActiveUsers < 1:
		return errors.New("the room does not say its limits")
	case !plain(r.ModifiedOn):
		return errors.New("the room does not say when it was changed last")
	}
	return nil
}

// plain reports whether a word can be handed on as it came.
func plain(word string) bool { return word != "" && len(word) <= 64 && word == sale.Clean(word, 64) }

// stamp reads a time; the zero time is one that can't be read.
func stamp(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// covers reports whether an event's values hold at a time: from its prequeue, where it has one.
func (e *event) covers(at time.Time) bool {
	from := stamp(e.Start)
	if p := stamp(e.Prequeue); !p.IsZero() {
		from = p
	}
	end := stamp(e.End)
	return !e.Suspended && !from.IsZero() && !end.IsZero() && !at.Before(from) && at.Before(end)
}

// near reports whether a time is so close to an edge of the event that a cached status can't be
// expected to agree.
func (e *event) near(at time.Time) bool {
	for _, edge := range []string{e.Prequeue, e.Start, e.End} {
		if t := stamp(edge); !t.IsZero() && at.Sub(t).Abs() < time.Minute {
			return true
		}
	}
	return false
}

// overrides reports whether the event has limits of its own.
func (e *event) overrides() bool {
	return e.NewUsersPerMinute != nil || e.TotalActiveUsers != nil
}

// carried is what a PATCH of an event sends besides the limits.
var carried = []string{
	"name", "description", "event_start_time", "event_end_time", "prequeue_start_time", "shuffle_at_event_start",
	"suspended", "session_duration", "queueing_method", "disable_session_renewal", "custom_page_html",
	"turnstile_mode", "turnstile_action",
}

// body is a PATCH of the event with other limits. Every value that the event sets itself is carried
// along; what it inherits is left out, and so stays inherited.
func (e *event) body(perMinute, active int64) map[string]any {
	b := map[string]any{"new_users_per_minute": perMinute, "total_active_users": active}
	for _, name := range carried {
		if v, ok := e.raw[name]; ok && string(v) != "null" {
			b[name] = v
		}
	}
	return b
}

// body is a PATCH of the room with the four fields that the published document requires.
func (r room) body() map[string]any {
	return map[string]any{
		"name": r.Name, "host": r.Host,
		"new_users_per_minute": *r.NewUsersPerMinute, "total_active_users": *r.TotalActiveUsers,
	}
}
