package capacity

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	atForm   = regexp.MustCompile(`^at\((.+)\)$`)
	rateForm = regexp.MustCompile(`^rate\((\d+) (minutes?|hours?|days?)\)$`)
	cronForm = regexp.MustCompile(`^cron\((.+)\)$`)
)

// Plan works out when a planned change is done for the first time after a moment. Start, Schedule
// and Zone say when; a change that would never be done is an error.
func (s *Scheduled) Plan(after time.Time) error {
	next, again, err := s.following(after)
	if err != nil {
		return err
	}
	if again && next.Before(s.Start) {
		if next, _, err = s.following(s.Start.Add(-time.Nanosecond)); err != nil {
			return err
		}
	}
	if !s.End.IsZero() && next.After(s.End) {
		return fmt.Errorf("it ends at %s, before it is due at %s", s.End.Format(time.RFC3339), next.Format(time.RFC3339))
	}
	s.Next = next
	return nil
}

// Again plans the next time after one that is over; ok is false when that was the last.
func (s *Scheduled) Again() (ok bool) {
	next, again, err := s.following(s.Next)
	if err != nil || !again || !s.End.IsZero() && next.After(s.End) {
		return false
	}
	s.Next = next
	return true
}

// following returns the next time after a moment, and whether there may be more than one.
func (s *Scheduled) following(after time.Time) (next time.Time, again bool, err error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("time zone %q is not known", s.Zone)
	}
	once := func(t time.Time) (time.Time, bool, error) {
		if !t.After(after) {
			return t, false, fmt.Errorf("%s has passed", t.UTC().Format(time.RFC3339))
		}
		return t.UTC(), false, nil
	}
	var r Recurrence
	switch {
	case s.Schedule == "":
		return once(s.Start)
	case atForm.MatchString(s.Schedule):
		t, err := time.ParseInLocation("2006-01-02T15:04:05", atForm.FindStringSubmatch(s.Schedule)[1], zone)
		if err != nil {
			return t, false, fmt.Errorf("%s is not at(yyyy-mm-ddThh:mm:ss)", s.Schedule)
		}
		return once(t)
	case rateForm.MatchString(s.Schedule):
		m := rateForm.FindStringSubmatch(s.Schedule)
		n, err := strconv.Atoi(m[1])
		unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[m[2][0]]
		if err != nil || n < 1 || n > 100_000 {
			return time.Time{}, false, fmt.Errorf("%s is no rate", s.Schedule)
		}
		r = Every(time.Duration(n) * unit)
	default:
		text := s.Schedule
		if m := cronForm.FindStringSubmatch(text); m != nil {
			text = m[1]
		} else if strings.Contains(text, "(") {
			return time.Time{}, false, fmt.Errorf("%s is not at(…), rate(…) or cron(…)", text)
		}
		if r, err = ParseCron(text, zone); err != nil {
			return time.Time{}, false, err
		}
	}
	next, ok := r.Next(after)
	if !ok {
		return next, false, fmt.Errorf("%s is never due", s.Schedule)
	}
	return next, true, nil
}
