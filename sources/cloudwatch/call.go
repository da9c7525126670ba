package cloudwatch

import (
	"context"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// call is one GetMetricData call of the plan, with what was read through it so far.
type call struct {
	period  time.Duration
	asks    []*ask // those that are asked together
	request request
	sick    []*sick

	readTo  time.Time // everything before it was read; zero: nothing yet
	triedTo time.Time // and this was tried to be read
	past    []*past
}

// sick is an ask that makes CloudWatch refuse the whole call, and so is left out of it.
type sick struct {
	ask     *ask
	problem sale.Problem
	again   time.Time // when to try it, alone
}

// maxPastWindows bounds how much history one read fetches through one call.
const maxPastWindows = 4

func (c *call) metrics() int { return c.request.metrics }

// answer is the outcome of one call of the plan.
type answer struct {
	call    *call
	window  window
	fetched                        // of the window
	problem *sale.Problem          // what err means; set once all is in
	open    map[*ask]*sale.Problem // asks that were not answered this time, though others were
	older   []older                // history
	past    bool                   // it is of history only; there is no window
}

type older struct {
	period time.Duration
	window window
	series map[*ask]*series
}

// read asks for the window and leaves out what spoils the call.
func (c *call) read(ctx context.Context, s *Source, r reader, w window) *answer {
	a := &answer{call: c, window: w}
	a.fetched = r.fetch(ctx, c.request, c.period, w)
	if len(a.series) == 0 && s.refused(a.err) && len(c.asks) > 1 {
		c.isolate(ctx, s, r, a)
	}
	if a.err != nil || len(a.open) > 0 {
		return a
	}
	first := c.readTo.IsZero()
	c.readTo = w.to
	if first {
		c.past = plansPast(c.asks, s.cadence(c), w)
	}
	for _, p := range c.past {
		p.resting = false
	}
	c.retrySick(ctx, s, r, a)
	return a
}

// quietest is the newest datapoint of the series that has been quiet for longest; zero when
// there is one that never had any.
func (c *call) quietest() time.Time {
	var oldest time.Time
	for i, a := range figures(c.asks) {
		if i == 0 || a.newest.Before(oldest) {
			oldest = a.newest
		}
	}
	return oldest
}

// more reports whether there is history to fetch now.
func (c *call) more() bool {
	return slices.ContainsFunc(c.past, func(p *past) bool {
		_, ok := p.next()
		return ok
	})
}

// readPast reads older history, newest first. A failure costs nothing but that history, and
// is tried again after the next poll of the present.
func (c *call) readPast(ctx context.Context, s *Source, r reader) *answer {
	a := &answer{call: c, past: true}
	left := maxPastWindows
	for _, p := range c.past {
		for w, ok := p.next(); ok && left > 0 && ctx.Err() == nil; w, ok = p.next() {
			left--
			got := r.fetch(ctx, p.request, p.period, w)
			a.count(got)
			if got.err != nil {
				p.fails, p.resting = p.fails+1, true
				if p.fails == maxPastFails {
					a.say("history before " + stamp(p.at, a.at) + " could not be read: " + s.problem(got.err).Text)
				}
				break
			}
			p.at = w.from
			a.older = append(a.older, older{p.period, w, got.series})
		}
	}
	return a
}
