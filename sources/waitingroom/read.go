package waitingroom

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Field is what a signal takes from a room.
type Field string

// The fields. The limits are those in force: an active event's values win over the room's,
// and queue_all makes the admission rate zero whatever is configured.
const (
	QueuedUsers       Field = "queued_users"         // users, an estimate
	ActiveUsers       Field = "active_users"         // users, an estimate
	Wait              Field = "wait"                 // seconds, an estimate; unknown while queue_all is on
	NewUsersPerMinute Field = "new_users_per_minute" // the rate limit in force
	TotalActiveUsers  Field = "total_active_users"   // the ceiling in force
	QueueAll          Field = "queue_all"            // 1 while everybody is queued, else 0
)

// Fields lists every field.
func Fields() []Field {
	return []Field{QueuedUsers, ActiveUsers, Wait, NewUsersPerMinute, TotalActiveUsers, QueueAll}
}

// seen is one room as a poll found it.
type seen struct {
	room   room
	status status
	event  *event // the event that is active now, with inherited values filled in
}

// inForce returns the limits that hold now: the event's while one is active.
func (s seen) inForce() room {
	if s.event == nil || s.event.Suspended {
		return s.room
	}
	limits := s.room
	if s.event.NewUsersPerMinute != nil {
		limits.NewUsersPerMinute = s.event.NewUsersPerMinute
	}
	if s.event.TotalActiveUsers != nil {
		limits.TotalActiveUsers = s.event.TotalActiveUsers
	}
	if s.event.QueueingMethod != "" {
		limits.QueueingMethod = s.event.QueueingMethod
	}
	return limits
}

// suspended reports whether the room is off. Cloudflare's own texts differ on whether the
// status then reads "suspended" or "not_queueing", so either sign counts.
func (s seen) suspended() bool { return s.room.Suspended || s.status.Status == statusSuspended }

// value is the figure of one field, or the reason why there is none.
func (s seen) value(f Field) (float64, error) {
	limits := s.inForce()
	switch f {
	case QueuedUsers:
		return estimate(s.status.Queued, "estimated_queued_users")
	case ActiveUsers:
		return estimate(s.status.Active, "estimated_total_active_users")
	case Wait:
		if s.room.QueueAll {
			return 0, errors.New("no expected wait while queue_all is on")
		}
		minutes, err := estimate(s.status.MaxWaitMinutes, "max_estimated_time_minutes")
		return minutes * 60, err
	case NewUsersPerMinute:
		if s.suspended() {
			return 0, errors.New("the room is suspended: no rate limit is in force")
		}
		if s.room.QueueAll {
			return 0, nil
		}
		return limit(limits.NewUsersPerMinute, "new_users_per_minute")
	case TotalActiveUsers:
		if s.suspended() {
			return 0, errors.New("the room is suspended: no ceiling is in force")
		}
		return limit(limits.TotalActiveUsers, "total_active_users")
	case QueueAll:
		if s.room.QueueAll {
			return 1, nil
		}
		return 0, nil
	}
	return 0, fmt.Errorf("no field %q in a waiting room", f)
}

func estimate(v *float64, name string) (float64, error) {
	if v == nil {
		return 0, fmt.Errorf("the status has no %s", name)
	}
	if *v < 0 || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return 0, fmt.Errorf("the status says %s %v", name, *v)
	}
	return *v, nil
}

func limit(v *int64, name string) (float64, error) {
	if v == nil {
		return 0, fmt.Errorf("the room has no %s", name)
	}
	if *v < 0 {
		return 0, fmt.Errorf("the room says %s %d", name, *v)
	}
	return float64(*v), nil
}

// notes are the facts that an operator must know beside the figures.
func (s seen) notes(id sale.ID) []sale.Note {
	var notes []sale.Note
	add := func(code, format string, args ...any) {
		notes = append(notes, sale.Note{Sale: id, Code: code, Text: sale.Clean(fmt.Sprintf(format, args...), 160)})
	}
	if s.suspended() {
		add("room_suspended", "room %s is SUSPENDED: everybody goes straight to the shop", s.room.Name)
	}
	if s.room.QueueAll {
		add("queue_all", "queue_all is on for room %s: nobody new is admitted; %s", s.room.Name, configured(s.inForce()))
	}
	switch s.inForce().QueueingMethod {
	case "passthrough":
		add("passthrough", "room %s lets everybody through (queueing_method passthrough)", s.room.Name)
	case "reject":
		add("reject", "room %s turns everybody away (queueing_method reject)", s.room.Name)
	}
	if s.event != nil {
		add("event", "%s", s.eventNote())
	}
	return notes
}

func (s seen) eventNote() string {
	when := clock(s.event.Start) + " to " + clock(s.event.End) + " UTC"
	if s.status.Status == statusPrequeueing {
		return fmt.Sprintf("event %s is prequeueing, runs %s", s.event.Name, when)
	}
	own := ""
	if differs(s.event.NewUsersPerMinute, s.room.NewUsersPerMinute) || differs(s.event.TotalActiveUsers, s.room.TotalActiveUsers) {
		own = "; its limits win over the room's: " + configured(s.inForce())
	}
	return fmt.Sprintf("event %s is active, %s%s", s.event.Name, when, own)
}

// clock shortens a stamp to hours and minutes; what is not a stamp is left as it came.
func clock(stamp string) string {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return at.UTC().Format("15:04")
}

func differs(a, b *int64) bool { return a != nil && (b == nil || *a != *b) }

func configured(r room) string {
	text := "no limits configured"
	if r.NewUsersPerMinute != nil && r.TotalActiveUsers != nil {
		text = fmt.Sprintf("configured %d/min, %d active", *r.NewUsersPerMinute, *r.TotalActiveUsers)
	}
	return text
}
