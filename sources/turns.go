package sources

import "time"

// turns is the grid of a source's polls: turn k is at start + k × every. A poll is spread a
// little around its turn, but the grid itself never moves, so no drift builds up.
type turns struct {
	every  time.Duration
	jitter float64
	rand   func() float64
	begin  time.Time
}

func (t *turns) start(now time.Time) { t.begin = now }

// next returns when to poll after one that began at began and is over now. After the first
// failure that is the next turn, after more the second next; never more than two periods after
// the last poll began unless that one took longer. Turns that have passed are skipped, never
// made up for.
func (t *turns) next(began, now time.Time, failures int) time.Time {
	skip := time.Duration(1)
	if failures > 1 {
		skip = 2
	}
	k := (began.Sub(t.begin)+t.every/2)/t.every + skip
	if past := now.Sub(t.begin)/t.every + 1; past > k {
		k = past
	}
	turn := t.begin.Add(k * t.every)
	if turn.Sub(began) < t.every/2 { // a nudged poll came just before its turn
		turn = turn.Add(t.every)
	}
	spread := time.Duration(t.jitter * (t.rand() - 0.5) * float64(t.every))
	next := turn.Add(spread)
	if latest := began.Add(2 * t.every); next.After(latest) && latest.After(now) {
		next = latest
	}
	if next.Before(now) {
		next = now
	}
	return next
}
