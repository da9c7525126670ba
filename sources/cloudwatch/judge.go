package cloudwatch

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// settled turns datapoints into points: whole periods inside the window, finite, one per
// instant, oldest first, each at the end of its period.
func settled(raw []datapoint, period time.Duration, w window) []sale.Point {
	points := make([]sale.Point, 0, len(raw))
	for _, d := range raw {
		end := d.start.Add(period)
		if d.start.Before(w.from) || end.After(w.to) || math.IsNaN(d.value) || math.IsInf(d.value, 0) {
			continue
		}
		points = append(points, sale.Point{At: end.UTC(), Value: d.value})
	}
	slices.SortStableFunc(points, func(a, b sale.Point) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(points, func(a, b sale.Point) bool { return a.At.Equal(b.At) })
}

// zeros are the zeros that stand for silent periods of a query that declares MissingZero.
// The series is Complete. newest is its newest datapoint ever; ripe is the instant before
// which everything must have been published; witness is the newest datapoint of any other
// series in this poll, or ripe when there is no other.
func zeros(points []sale.Point, w window, period time.Duration, newest, ripe, witness time.Time) []sale.Point {
	var made []sale.Point
	next := 0
	for end := w.from.Add(period); !end.After(w.to); end = end.Add(period) {
		for next < len(points) && points[next].At.Before(end) {
			next++
		}
		if next < len(points) && points[next].At.Equal(end) {
			continue
		}
		if end.After(witness) || !newest.IsZero() && end.After(newest) && end.After(ripe) {
			break
		}
		made = append(made, sale.Point{At: end})
	}
	return made
}

// witness finds, for each series of a poll, the newest datapoint of any other one.
type witness struct {
	best, second time.Time
	whose        *ask
	expected     bool // some series is expected to have datapoints always
}

func (w *witness) hear(a *ask, newest time.Time, expected bool) {
	w.expected = w.expected || expected
	switch {
	case newest.After(w.best):
		w.second, w.best, w.whose = w.best, newest, a
	case newest.After(w.second):
		w.second = newest
	}
}

// of returns how far the others than a prove that CloudWatch answers. When all series of the
// poll may be silent, there is no proof to wait for but ripe.
func (w *witness) of(a *ask, ripe time.Time) time.Time {
	newest := w.best
	if w.whose == a {
		newest = w.second
	}
	if !w.expected && newest.Before(ripe) {
		return ripe
	}
	return newest
}

// stamp writes an instant for a person at now: without the date when it is the same day.
func stamp(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05 UTC")
	}
	return t.Format("2006-01-02 15:04 UTC")
}

// words writes a duration as a person would: 5m, 3h, 2h30m.
func words(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
