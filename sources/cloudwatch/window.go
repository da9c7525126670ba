package cloudwatch

import "time"

const (
	coarse      = 5 * time.Minute // period of history beyond fineHistory, where it means the same
	fineHistory = 3 * time.Hour

	quietFactor = 3 // how much farther a call with a quiet series looks back
)

// window is the time that a call asks for: from inclusive, to exclusive, both on the grid of
// the period.
type window struct{ from, to time.Time }

// alignDown is the last instant not after t that is a whole number of periods since the Unix
// epoch, which is where CloudWatch's periods lie.
func alignDown(t time.Time, period time.Duration) time.Time {
	nanos := t.UnixNano()
	rest := nanos % int64(period)
	if rest < 0 {
		rest += int64(period)
	}
	return time.Unix(0, nanos-rest).UTC()
}

// cadence is what the windows of a call follow from.
type cadence struct {
	period, settle, lookback, history time.Duration
	series                            int // in a page of 100,800 points
}

// firstSpan is what the first poll reads: the history, at most three hours of it and at most
// what fits into one page.
func (c cadence) firstSpan() time.Duration {
	page := time.Duration(maxPoints/max(c.series, 1)) * c.period
	return max(min(c.history, fineHistory, page)/c.period*c.period, c.lookback)
}

// window returns what a poll at now has to read when everything before readTo was read; due
// is false when no new period can be there.
//
// It ends on a period, so that no period is cut, and reaches back to readTo when polls were
// missed. It reaches back farther when a series is quiet, which newest, its newest datapoint,
// shows: a system that publishes later than the lookback must not find the window passed by.
// That is free, since CloudWatch bills metrics and not points.
func (c cadence) window(now, readTo, newest time.Time) (w window, due bool) {
	to := alignDown(now.Add(-c.settle), c.period)
	if readTo.After(now) { // the clock was set back since
		readTo = to.Add(-c.period)
	}
	if !to.After(readTo) {
		return window{}, false
	}
	if readTo.IsZero() {
		from := to.Add(-c.firstSpan())
		if c.coarsens() {
			from = alignDown(from, coarse)
		}
		return window{from, to}, true
	}
	from := to.Add(-c.lookback)
	if missed := readTo.Add(c.period - c.lookback); missed.Before(from) {
		from = missed // polls were missed: those before the gap are read again too
	}
	farther := quietFactor * c.lookback
	if oldest := to.Add(-farther); newest.Before(from) && oldest.Before(from) {
		from = oldest
	}
	if oldest := to.Add(-max(c.firstSpan(), farther)); from.Before(oldest) {
		from = oldest
	}
	return window{from, to}, true
}

// coarsens reports whether older history may come in five-minute periods.
func (c cadence) coarsens() bool { return c.period < coarse && coarse%c.period == 0 }

// past is history older than the first poll read, fetched backwards once.
type past struct {
	request request
	period  time.Duration
	at      time.Time // everything from here on was read
	until   time.Time
	fails   int
	resting bool // after a failure, until the present was read again
}

const maxPastFails = 3

// next is the window that comes next, at most a page; ok is false when all is read.
func (p *past) next() (w window, ok bool) {
	if p.resting || p.fails >= maxPastFails || !p.at.After(p.until) {
		return window{}, false
	}
	span := time.Duration(maxPoints/max(len(p.request.byID), 1)) * p.period
	from := p.at.Add(-span)
	if from.Before(p.until) {
		from = p.until
	}
	return window{from, p.at}, true
}

// plansPast splits the history before w by whether five minutes mean the same as the period:
// an average or a maximum does, a sum does not, and neither does an expression over sums.
func plansPast(asks []*ask, c cadence, w window) []*past {
	asks = figures(asks) // a band is for the newest value alone
	until := alignDown(w.to.Add(-c.history), c.period)
	if len(asks) == 0 || !until.Before(w.from) {
		return nil
	}
	if !c.coarsens() || c.history <= fineHistory {
		return []*past{{request: build(asks, c.period), period: c.period, at: w.from, until: until}}
	}
	var same, sums []*ask
	for _, a := range asks {
		if a.scaleFree() {
			same = append(same, a)
		} else {
			sums = append(sums, a)
		}
	}
	var pasts []*past
	if len(same) > 0 {
		pasts = append(pasts, &past{request: build(same, coarse), period: coarse, at: w.from, until: alignDown(until, coarse)})
	}
	if len(sums) > 0 {
		pasts = append(pasts, &past{request: build(sums, c.period), period: c.period, at: w.from, until: until})
	}
	return pasts
}

// scaleFree reports whether a longer period gives a figure on the same scale.
func (a *ask) scaleFree() bool {
	if a.expr.rescales {
		return false
	}
	for _, s := range a.stats {
		switch {
		case s.statistic == "Sum", s.statistic == "SampleCount":
			return false
		case len(s.statistic) > 1 && (s.statistic[:2] == "tc" || s.statistic[:2] == "ts" || s.statistic[:2] == "TC" || s.statistic[:2] == "TS" || s.statistic[:2] == "PR"):
			return false
		}
	}
	return len(a.stats) > 0
}
