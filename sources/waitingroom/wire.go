package waitingroom

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// room is a waiting room's configuration as GET /zones/{zone}/waiting_rooms lists it, and an
// event's effective configuration as …/events/{event}/details gives it: in an event's
// details the values that it inherits from the room are filled in.
type room struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	Suspended         bool   `json:"suspended"`
	QueueAll          bool   `json:"queue_all"`
	QueueingMethod    string `json:"queueing_method"`
	NewUsersPerMinute *int64 `json:"new_users_per_minute"`
	TotalActiveUsers  *int64 `json:"total_active_users"`
}

type event struct {
	room
	Start    string `json:"event_start_time"`
	End      string `json:"event_end_time"`
	Prequeue string `json:"prequeue_start_time"`
}

// status is what GET …/{room}/status reports: estimates, cached for about 30 s. It does not
// say whether queue_all is on, so the room's configuration is always read beside it.
type status struct {
	Status         string   `json:"status"`
	EventID        string   `json:"event_id"`
	Queued         *float64 `json:"estimated_queued_users"`
	Active         *float64 `json:"estimated_total_active_users"`
	MaxWaitMinutes *float64 `json:"max_estimated_time_minutes"`
}

// The values of status.Status.
const (
	statusPrequeueing = "event_prequeueing"
	statusNotQueueing = "not_queueing"
	statusQueueing    = "queueing"
	statusSuspended   = "suspended"
)

type envelope struct {
	Success    bool            `json:"success"`
	Errors     []apiError      `json:"errors"`
	Result     json.RawMessage `json:"result"`
	ResultInfo struct {
		Page       int `json:"page"`
		TotalPages int `json:"total_pages"`
		TotalCount int `json:"total_count"`
		PerPage    int `json:"per_page"`
	} `json:"result_info"`
}

type apiError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// decode opens Cloudflare's envelope. A body that is not one, or that says success:false in
// spite of its HTTP status, is an error; its own words are cleaned.
func decode(body []byte, into any) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("not a Cloudflare answer: %w", err)
	}
	if !e.Success {
		return e, fmt.Errorf("cloudflare refused: %s", e.reason())
	}
	if len(e.Result) == 0 || string(e.Result) == "null" {
		return e, fmt.Errorf("a Cloudflare answer without a result")
	}
	if err := json.Unmarshal(e.Result, into); err != nil {
		return e, fmt.Errorf("a Cloudflare result of another shape: %w", err)
	}
	return e, nil
}

func (e envelope) reason() string {
	words := make([]string, 0, len(e.Errors))
	for _, each := range e.Errors {
		words = append(words, strings.TrimSpace(strconv.Itoa(each.Code)+" "+each.Message))
		if len(words) == 3 {
			break
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return sale.Clean(strings.Join(words, "; "), 200)
}
