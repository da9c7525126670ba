package capacity

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func n(v int) *int { return &v }

func TestBoundsMoveTheSizeAndASizeOutsideIsRefused(t *testing.T) {
	for _, k := range []struct {
		name              string
		least, most, size *int
		want              string
		refused           bool
	}{
		{"nothing", nil, nil, nil, "4 10 6", false},
		{"a minimum above the size", n(8), nil, nil, "8 10 8", false},
		{"a maximum below the size", nil, n(5), nil, "4 5 5", false},
		{"a size", nil, nil, n(10), "4 10 10", false},
		{"bounds around a size", n(1), n(2), n(2), "1 2 2", false},
		{"a size above", nil, nil, n(11), "4 10 6", true},
		{"a size below", nil, nil, n(3), "4 10 6", true},
		{"bounds that cross", n(11), nil, nil, "4 10 6", true},
		{"below nothing", n(-1), nil, nil, "4 10 6", true},
	} {
		t.Run(k.name, func(t *testing.T) {
			g := Group{Min: 4, Max: 10, Desired: 6}
			err := g.Resize(k.least, k.most, k.size)
			var out *OutOfBounds
			if got := fmt.Sprint(g.Min, g.Max, g.Desired); got != k.want || errors.As(err, &out) != k.refused {
				t.Errorf("%s, %v; want %s, refused %v", got, err, k.want, k.refused)
			}
		})
	}
}

func TestAPlannedChangeKnowsWhenItIsDue(t *testing.T) {
	now := time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC) // a Friday
	for _, k := range []struct {
		name        string
		s           Scheduled
		first, next string // "" for none
	}{
		{"once", Scheduled{Start: now.Add(time.Hour)}, "2026-12-04T10:08:41Z", ""},
		{"once, in the past", Scheduled{Start: now.Add(-time.Hour)}, "", ""},
		{"at a time", Scheduled{Schedule: "at(2026-12-04T10:00:00)"}, "2026-12-04T10:00:00Z", ""},
		{"at a time of a zone", Scheduled{Schedule: "at(2026-12-04T12:00:00)", Zone: "Europe/Zagreb"}, "2026-12-04T11:00:00Z", ""},
		{"at no time", Scheduled{Schedule: "at(noon)"}, "", ""},
		{"every ten minutes", Scheduled{Schedule: "rate(10 minutes)"}, "2026-12-04T09:18:41Z", "2026-12-04T09:28:41Z"},
		{"every day at half past nine", Scheduled{Schedule: "30 9 * * *"}, "2026-12-04T09:30:00Z", "2026-12-05T09:30:00Z"},
		{"on weekdays, in a zone", Scheduled{Schedule: "0 8 * * MON-FRI", Zone: "Europe/Warsaw"}, "2026-12-07T07:00:00Z", "2026-12-08T07:00:00Z"},
		{"on Sunday, which is 0 and 7", Scheduled{Schedule: "0 8 * * 7"}, "2026-12-06T08:00:00Z", "2026-12-13T08:00:00Z"},
		{"on the first or on a Monday", Scheduled{Schedule: "0 0 1 * 1"}, "2026-12-07T00:00:00Z", "2026-12-14T00:00:00Z"},
		{"every quarter of an hour in the evening", Scheduled{Schedule: "*/15 18-19 * * *"}, "2026-12-04T18:00:00Z", "2026-12-04T18:15:00Z"},
		{"at ten in a zone of half hours", Scheduled{Schedule: "0 10 * * *", Zone: "Asia/Kolkata"}, "2026-12-05T04:30:00Z", "2026-12-06T04:30:00Z"},
		{"in an hour that one spring leaves out", Scheduled{Schedule: "30 2 28 3 *", Zone: "Europe/Warsaw"}, "2028-03-28T00:30:00Z", "2029-03-28T00:30:00Z"},
		{"with a year, and Sunday as 1", Scheduled{Schedule: "cron(15 10 ? * 1 2027)"}, "2027-01-03T10:15:00Z", "2027-01-10T10:15:00Z"},
		{"on a day that never comes", Scheduled{Schedule: "0 0 31 2 *"}, "", ""},
		{"after a start", Scheduled{Schedule: "30 9 * * *", Start: now.AddDate(0, 0, 10)}, "2026-12-14T09:30:00Z", "2026-12-15T09:30:00Z"},
		{"until an end", Scheduled{Schedule: "30 9 * * *", End: now.Add(3 * time.Hour)}, "2026-12-04T09:30:00Z", ""},
		{"ending before it begins", Scheduled{Schedule: "30 9 * * *", End: now.Add(time.Minute)}, "", ""},
		{"in no time zone", Scheduled{Schedule: "30 9 * * *", Zone: "Mars/Olympus"}, "", ""},
		{"with three fields", Scheduled{Schedule: "30 9 *"}, "", ""},
		{"at minute 61", Scheduled{Schedule: "61 9 * * *"}, "", ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			err := k.s.Plan(now)
			if k.first == "" {
				if err == nil {
					t.Errorf("it is due at %s", k.s.Next)
				}
				return
			}
			if err != nil || k.s.Next.Format(time.RFC3339) != k.first {
				t.Fatalf("first at %s, %v; want %s", k.s.Next, err, k.first)
			}
			again := k.s.Again()
			if k.next == "" && again || k.next != "" && k.s.Next.Format(time.RFC3339) != k.next {
				t.Errorf("again %v at %s, want %s", again, k.s.Next, k.next)
			}
		})
	}
}

func FuzzNoScheduleHangsOrIsDueInThePast(f *testing.F) {
	for _, s := range []string{"30 9 * * *", "cron(15 10 ? * 1 2027)", "rate(1 day)", "at(2026-12-04T10:00:00)", "*/0 * * * *", "1-9999999999 * * * *", "59-1/7 * * * *"} {
		f.Add(s)
	}
	now := time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s := Scheduled{Schedule: text, Start: now.Add(time.Second)}
		if s.Plan(now) == nil && !s.Next.After(now) {
			t.Errorf("%q is due at %s", text, s.Next)
		}
	})
}
