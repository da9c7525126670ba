package capacity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Recurrence is when something is done again and again: one set of allowed numbers for each field.
type Recurrence struct {
	minute, hour, day, month, weekday, year field
	every                                   time.Duration // of a rate; 0 for cron
	zone                                    *time.Location
}

// field is the numbers that one field of cron allows; nil allows all.
type field map[int]bool

func (f field) has(n int) bool { return f == nil || f[n] }

// ParseCron reads five fields (minute, hour, day, month, weekday), or six with a year at the end as
// Application Auto Scaling writes them. A field is *, ?, or a list of numbers, names, ranges and
// steps. Weekdays are 0 to 7 with Sunday at both ends in five fields, and 1 (Sunday) to 7 in six. The
// signs L, W and # are refused.
func ParseCron(text string, zone *time.Location) (Recurrence, error) {
	parts := strings.Fields(text)
	if len(parts) != 5 && len(parts) != 6 {
		return Recurrence{}, fmt.Errorf("cron expression %q needs five or six fields", text)
	}
	r := Recurrence{zone: zone}
	months := strings.Fields("- JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	days := strings.Fields("SUN MON TUE WED THU FRI SAT")
	var err error
	read := func(i, lo, hi int, names []string) field {
		if i >= len(parts) || err != nil {
			return nil
		}
		f, bad := parseField(parts[i], lo, hi, names)
		if bad != nil {
			err = fmt.Errorf("cron expression %q: %w", text, bad)
		}
		return f
	}
	r.minute, r.hour, r.day, r.month = read(0, 0, 59, nil), read(1, 0, 23, nil), read(2, 1, 31, nil), read(3, 1, 12, months)
	if len(parts) == 5 {
		r.weekday = read(4, 0, 7, days)
		if r.weekday != nil && r.weekday[7] {
			r.weekday[0] = true
		}
		return r, err
	}
	r.weekday, r.year = read(4, 1, 7, append([]string{"-"}, days...)), read(5, 1970, 2199, nil)
	if r.weekday != nil { // to Sunday = 0
		shifted := field{}
		for n := range r.weekday {
			shifted[n-1] = true
		}
		r.weekday = shifted
	}
	return r, err
}

func parseField(text string, lo, hi int, names []string) (field, error) {
	if text == "*" || text == "?" {
		return nil, nil
	}
	number := func(s string) (int, error) {
		if i := slices.Index(names, strings.ToUpper(s)); i >= 0 {
			return i, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < lo || n > hi {
			return 0, fmt.Errorf("%q is not between %d and %d", s, lo, hi)
		}
		return n, nil
	}
	out := field{}
	for part := range strings.SplitSeq(text, ",") {
		part, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			n, err := strconv.Atoi(step)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q is no step", step)
			}
			by = n
		}
		from, to, ranged := strings.Cut(part, "-")
		first, last := lo, hi
		if part != "*" {
			var err error
			if first, err = number(from); err != nil {
				return nil, err
			}
			switch {
			case ranged:
				if last, err = number(to); err != nil {
					return nil, err
				}
			case !stepped:
				last = first
			}
		}
		for n := first; n <= last; n += by {
			out[n] = true
		}
	}
	return out, nil
}

// Every makes a recurrence of a rate.
func Every(d time.Duration) Recurrence { return Recurrence{every: d} }

// Next returns the first time after a moment at which it is due again; ok is false when there is
// none within two years.
func (r Recurrence) Next(after time.Time) (at time.Time, ok bool) {
	if r.every > 0 {
		return after.Add(r.every), true
	}
	t := after.In(r.zone).Truncate(time.Minute).Add(time.Minute)
	end := after.AddDate(2, 0, 0)
	for t.Before(end) {
		was := t
		switch {
		case !r.year.has(t.Year()) || !r.month.has(int(t.Month())):
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, r.zone)
		case !r.onDay(t):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, r.zone)
		case !r.hour.has(t.Hour()):
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour()+1, 0, 0, 0, r.zone)
		case !r.minute.has(t.Minute()):
			t = t.Add(time.Minute)
		default:
			return t.UTC(), true
		}
		if !t.After(was) { // the clocks were put forward: there is no such hour
			t = was.Add(time.Hour)
		}
	}
	return time.Time{}, false
}

// onDay follows cron: when both the day and the weekday are given, either is enough.
func (r Recurrence) onDay(t time.Time) bool {
	day, weekday := r.day.has(t.Day()), r.weekday.has(int(t.Weekday()))
	if r.day != nil && r.weekday != nil {
		return day || weekday
	}
	return day && weekday
}
