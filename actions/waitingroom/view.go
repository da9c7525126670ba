package waitingroom

import (
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// onEvent reports whether the limits in force are an event's own, so that a rate belongs there.
func (v *view) onEvent() bool { return v.active != nil && v.active.overrides() }

// limits are those in force: the event's while one is active, with what it inherits.
func (v *view) limits() (perMinute, active int64) {
	if v.inner != nil {
		return *v.inner.NewUsersPerMinute, *v.inner.TotalActiveUsers
	}
	return *v.room.NewUsersPerMinute, *v.room.TotalActiveUsers
}

// suspended reports whether the room is off. Cloudflare's own texts differ on what the status then
// says, so either sign counts.
func (v *view) suspended() bool {
	return v.room.Suspended || v.status != nil && v.status.Status == statusSuspended
}

// value is every setting that an action on the room, or on its event, changes or depends on.
func (v *view) value(ofEvent bool) actions.Value {
	perMinute, active := v.room.NewUsersPerMinute, v.room.TotalActiveUsers
	if ofEvent {
		perMinute, active = v.active.NewUsersPerMinute, v.active.TotalActiveUsers
	}
	return actions.Value{
		SettingQueueAll: actions.Flag(v.room.QueueAll), SettingSuspended: actions.Flag(v.room.Suspended),
		SettingRate: setting(perMinute), SettingActive: setting(active),
	}
}

func setting(n *int64) actions.Setting {
	if n == nil {
		return actions.Unset
	}
	return actions.Number(float64(*n))
}

// version is when the target was written last, as Cloudflare writes it.
func (v *view) version(ofEvent bool) string {
	if ofEvent {
		return v.active.ModifiedOn
	}
	return v.room.ModifiedOn
}

// with is the view as it would be after a value was set.
func (v *view) with(to actions.Value, ofEvent bool) *view {
	next := *v
	rate, active := to[SettingRate], to[SettingActive]
	put := func(s actions.Setting, at **int64) {
		if n, ok := s.Number(); ok {
			i := int64(n)
			*at = &i
		}
	}
	if on, ok := to[SettingQueueAll].Flag(); ok {
		next.room.QueueAll = on
	}
	if ofEvent {
		own, inner := *v.active, *v.inner
		for _, e := range []*event{&own, &inner} {
			put(rate, &e.NewUsersPerMinute)
			put(active, &e.TotalActiveUsers)
		}
		next.active, next.inner = &own, &inner
		return &next
	}
	put(rate, &next.room.NewUsersPerMinute)
	put(active, &next.room.TotalActiveUsers)
	if v.inner != nil && !v.onEvent() {
		inner := *v.inner
		put(rate, &inner.NewUsersPerMinute)
		put(active, &inner.TotalActiveUsers)
		next.inner = &inner
	}
	return &next
}

// patch is the path and the body of the one write that sets a value.
func (v *view) patch(to actions.Value) (path string, body map[string]any) {
	number := func(name string, now *int64) int64 {
		if n, ok := to[name].Number(); ok {
			return int64(n)
		}
		if now != nil {
			return *now
		}
		return 0
	}
	path = "/" + url.PathEscape(v.room.ID)
	if v.active != nil {
		return path + "/events/" + url.PathEscape(v.active.ID),
			v.active.body(number(SettingRate, v.active.NewUsersPerMinute), number(SettingActive, v.active.TotalActiveUsers))
	}
	body = v.room.body()
	body[SettingRate] = number(SettingRate, v.room.NewUsersPerMinute)
	body[SettingActive] = number(SettingActive, v.room.TotalActiveUsers)
	if on, ok := to[SettingQueueAll].Flag(); ok {
		body[SettingQueueAll] = on
	}
	return path, body
}

// target is the room, or the event that is active.
func (e *Executor) target(v *view, ofEvent bool) actions.Target {
	t := actions.Target{System: System, Kind: KindRoom, Name: e.o.Name, ID: v.room.ID, Account: e.o.Zone}
	if ofEvent {
		t.Kind, t.ID = KindEvent, v.active.ID
	}
	return t
}

func perMinute(n int64) string { return sale.Format(float64(n), sale.PerMinute, false) }

// count writes one of Cloudflare's estimates, or that there is none.
func count(n *float64) string {
	if n == nil || *n < 0 || math.IsInf(*n, 0) {
		return "an unknown number"
	}
	return sale.Format(*n, sale.Users, true)
}

// waiting is the estimate of people in the queue; nil: not known.
func (v *view) waiting() *float64 {
	if v.status == nil || v.status.Queued == nil || *v.status.Queued < 0 || math.IsInf(*v.status.Queued, 0) {
		return nil
	}
	n := *v.status.Queued
	return &n
}

func (v *view) roomName() string { return sale.Clean(v.room.Name, 60) }

// stays says who goes on in spite of it.
func (v *view) stays() string {
	active := count(nil)
	if v.status != nil {
		active = count(v.status.Active)
	}
	if v.room.SessionDuration <= 0 {
		return active + " on site go on until their session ends"
	}
	if v.room.DisableSessionRenewal {
		return fmt.Sprintf("%s on site go on until %d min after they were let in", active, v.room.SessionDuration)
	}
	return fmt.Sprintf("%s on site go on until %d min after their last click", active, v.room.SessionDuration)
}

// clock writes a time of an event for a person.
func clock(text string, now time.Time) string {
	at := stamp(text)
	switch {
	case at.IsZero():
		return "at a time that is not known"
	case at.Sub(now).Abs() < 20*time.Hour:
		return at.Format("15:04Z")
	}
	return at.Format("2006-01-02 15:04Z")
}

// others says who else may write the target: Cloudflare tells when it was changed, not by whom.
func (v *view) others(ofEvent bool) string {
	at := stamp(v.version(ofEvent))
	if at.IsZero() {
		return "the dashboard or Terraform may write it again"
	}
	return fmt.Sprintf("last written %s; the dashboard or Terraform may write it again", clock(at.Format(time.RFC3339), v.at))
}

// next is the event that begins next with limits of its own, or nil.
func (v *view) next() *event {
	var found *event
	for i := range v.events {
		e := &v.events[i]
		if at := stamp(e.Start); at.After(v.at) && e.overrides() && !e.Suspended && (found == nil || at.Before(stamp(found.Start))) {
			found = e
		}
	}
	return found
}
