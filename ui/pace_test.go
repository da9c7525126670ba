package ui

import (
	"testing"
	"time"
)

func TestALinkIsSlowUntilItHasBeenFastForHalfAMinute(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	p := pacer{max: 5}
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after, lag time.Duration
		slow       bool
	}{
		{0, 100 * ms, false},
		{s, 249 * ms, false},
		{s, 250 * ms, true},
		{s, 130 * ms, true}, // less, because it gets less
		{29 * s, 100 * ms, true},
		{2 * s, 100 * ms, false},
		{s, 130 * ms, false},
		{s, 3 * s, true},
		{-time.Hour, 100 * ms, false}, // the clock was set back
	} {
		at = at.Add(step.after)
		if p.link(step.lag, at); p.slow != step.slow {
			t.Errorf("at %s with a lag of %s the link counts as slow: %v", at.Format(time.TimeOnly), step.lag, p.slow)
		}
	}
}
