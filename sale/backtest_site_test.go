package sale_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// siteCourse is what really happened at a sale's gate and on its site, second by second.
type siteCourse struct {
	from                            time.Time
	let, queue, active, ceiling, db []float64 // let is everybody who was let in so far
	carried                         []float64 // people whom the instances carry
	most                            float64   // database connections
}

func (c *siteCourse) follow(now time.Time, v shop.View) {
	if c.let == nil {
		c.from, c.most = now, float64(v.Sale.DBMax)
	}
	let := v.Now.Admitted
	if n := len(c.let); n > 0 {
		let += c.let[n-1]
	}
	c.let, c.queue, c.active = append(c.let, let), append(c.queue, v.Now.Queue), append(c.active, v.Now.Active)
	c.ceiling, c.db, c.carried = append(c.ceiling, v.Now.Ceiling), append(c.db, v.Now.DBConnections), append(c.carried, v.Now.InService*float64(v.Sale.Carries()))
}

// waited is how long somebody really waits who joins at a time, behind everybody in the queue; ok is false
// where the night ends before.
func (c *siteCourse) waited(at time.Time) (wait time.Duration, ok bool) {
	i := int(at.Sub(c.from) / time.Second)
	ahead := c.queue[i]
	for j := i; j < len(c.let); j++ {
		if c.let[j]-c.let[i] >= ahead {
			return time.Duration(j-i) * time.Second, true
		}
	}
	return 0, false
}

// nearlyFull is the share from which on a limit is filled: a gate that is at its ceiling lets in only whom
// the site has room for, and hovers there.
const nearlyFull = 0.99

// filled is when a limit is first filled from a time on; ok is false where that never comes.
func (c *siteCourse) filled(of sale.LimitName, at time.Time) (after time.Duration, ok bool) {
	used, whole := c.active, c.carried
	switch of {
	case sale.LimitDatabase:
		used, whole = c.db, nil
	case sale.LimitActive:
		whole = c.ceiling
	}
	i := int(at.Sub(c.from) / time.Second)
	for j := i; j < len(used); j++ {
		most := c.most
		if whole != nil {
			most = whole[j]
		}
		if used[j] >= nearlyFull*most {
			return time.Duration(j-i) * time.Second, true
		}
	}
	return 0, false
}

// wasFilled reports whether a limit was full at the time that the newest readings are of.
func (c *siteCourse) wasFilled(of sale.LimitName, at time.Time) bool {
	const oldest = 3 * time.Minute // of CloudWatch's
	after, ok := c.filled(of, at.Add(-oldest))
	return ok && after < oldest
}

// openGates is somebody who lets in so many times the people per minute, ten minutes into the story, of every
// sale whose waiting room has no event of its own.
func openGates(factor float64) func(*shop.World, time.Duration) {
	return func(w *shop.World, at time.Duration) {
		if at != 10*time.Minute {
			return
		}
		for _, room := range w.Rooms() {
			room.NewUsersPerMinute = int(float64(room.NewUsersPerMinute) * factor)
			w.SetRoom(room.ID, room, w.Now())
		}
	}
}

// saidOfTheSite are the waits, and the limits that were foretold, of a night.
type saidOfTheSite struct {
	waits  []outcome
	limits map[sale.LimitName]foretold
}

// foretold is what came of the forecasts of one limit.
type foretold struct {
	came    []outcome // those that it came true of, a minute or more ahead
	notCome int       // said to be a minute or more ahead, and it never came, or the sale was over before
	fullNow int       // said to be full already, and it was not
}

// join adds what another night told.
func (s *saidOfTheSite) join(o *saidOfTheSite) {
	s.waits = append(s.waits, o.waits...)
	if s.limits == nil {
		s.limits = map[sale.LimitName]foretold{}
	}
	for name, f := range o.limits {
		sum := s.limits[name]
		s.limits[name] = foretold{append(sum.came, f.came...), sum.notCome + f.notCome, sum.fullNow + f.fullNow}
	}
}

// playedNight is what a night's forecasts came to.
type playedNight struct {
	sellOuts, drains []outcome
	site             saidOfTheSite
}

// playNights plays a night with every seed, some at once, and returns them by seed.
func playNights(t *testing.T, seeds int, scenario string, lasts time.Duration, hand func(*shop.World, time.Duration)) []playedNight {
	nights := make([]playedNight, seeds)
	var running sync.WaitGroup
	seats := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range nights {
		seats <- struct{}{}
		running.Go(func() {
			defer func() { <-seats }()
			guesses, sales := playNight(t, scenario, uint64(i+1), lasts, hand)
			n := &nights[i]
			n.sellOuts, n.drains = outcomes(guesses, sales)
			n.site.add(guesses, sales)
		})
	}
	running.Wait()
	return nights
}

// least is how far ahead a limit must lie to be counted: nearer, its readings are as old.
const least = time.Minute

func (s *saidOfTheSite) add(guesses []guess, sales map[string]*taped) {
	for i := range guesses {
		g := &guesses[i]
		t := sales[g.sale]
		soldBefore := func(after time.Duration) bool {
			return !t.soldOut.IsZero() && t.soldOut.Before(g.at.Add(after))
		}
		if wait, ok := t.course.waited(g.at); ok && wait >= 2*time.Minute && !soldBefore(wait) {
			o := outcome{ahead: wait, told: g.wait.Has}
			if o.told {
				o.off = (g.wait.Value - wait).Abs().Seconds() / wait.Seconds()
				o.inside = wait >= g.wait.Low && (g.wait.Most == 0 || wait <= g.wait.Most)
			}
			s.waits = append(s.waits, o)
		}
		if g.limit.Has {
			s.limit(g, &t.course, soldBefore)
		}
	}
}

func (s *saidOfTheSite) limit(g *guess, c *siteCourse, soldBefore func(time.Duration) bool) {
	f := s.limits[g.of]
	after, came := c.filled(g.of, g.at)
	came = came && !soldBefore(after)
	ahead := g.limit.At.Sub(g.at)
	switch {
	case came && after < least, ahead <= 0 && c.wasFilled(g.of, g.at): // nothing is left to foretell
	case ahead <= 0:
		f.fullNow++
	case came:
		real := g.at.Add(after)
		f.came = append(f.came, outcome{
			ahead: after, told: true, off: (ahead - after).Abs().Seconds() / after.Seconds(),
			inside: !real.Before(g.limit.Low) && (g.limit.High.IsZero() || !real.After(g.limit.High)),
		})
	case ahead >= least:
		f.notCome++
	}
	if s.limits == nil {
		s.limits = map[sale.LimitName]foretold{}
	}
	s.limits[g.of] = f
}

// opened are the factors by which somebody opens the gates further than the sites carry, in nights of their own.
func opened() []float64 { return []float64{1.1, 1.2, 1.4} }

// pages are the tables of docs/accuracy.md about waits and limits.
func (s *saidOfTheSite) pages() string {
	var b strings.Builder
	b.WriteString(`
## Expected wait of the last in the queue

Set against how long somebody really waited who joined then, on the same nights and on such in which somebody opens the gates by a tenth, a fifth and two fifths
ten minutes into the story, 20 seeds each. Only those who were let in before the sell-out, and waited two minutes or more.

| really waited | forecasts | told | median error | 90th percentile | in range |
|---|---|---|---|---|---|
`)
	for _, in := range spans() {
		if some := within(s.waits, in); len(some) > 0 {
			b.WriteString(scoreOf(some).row(fmt.Sprintf("%.0f–%.0f min", in.from.Minutes(), in.to.Minutes())))
		}
	}
	b.WriteString(`
## Time until a limit

What the present admission fills, on the same nights: a database's connections, the gate's ceiling of people on the site, what the instances carry. A limit that lies a minute or
more ahead is counted, and not any more once it is full. "Came" is of those that were told; the error is of those that came. Where the level that
an admission comes to lies just at a limit, nothing tells when chance will take it over; and people who run out of queue fill nothing. What a person costs
the database is fitted on the first minutes of an opening, too, when its connections are read two minutes late: there it has been wrong each time, so go by the share
that is used, not by this clock, until a sale has been open for ten minutes.

| limit | told | came | median error | 90th percentile | in range | said to be full, and was not |
|---|---|---|---|---|---|---|
`)
	for _, name := range []sale.LimitName{sale.LimitDatabase, sale.LimitActive, sale.LimitInstances} {
		f := s.limits[name]
		if n := len(f.came) + f.notCome; n > 0 {
			errors := "– | – | –"
			if score := scoreOf(f.came); score.told > 0 {
				errors = fmt.Sprintf("%.0f %% | %.0f %% | %.0f %%", 100*score.median, 100*score.p90, 100*score.insideOfTold)
			}
			fmt.Fprintf(&b, "| %s | %d | %.0f %% | %s | %d |\n", strings.ReplaceAll(string(name), "_", " "), n, 100*float64(len(f.came))/float64(n), errors, f.fullNow)
		}
	}
	return b.String()
}

func TestWaitsAndLimitsComeOutAboutAsTheyDid(t *testing.T) {
	if testing.Short() {
		t.Skip("plays two nights of the rehearsal")
	}
	var s saidOfTheSite
	s.add(playNight(t, "surge-at-opening", 21, 45*time.Minute, nil))
	s.add(playNight(t, "calm", 21, 45*time.Minute, openGates(1.2)))
	waits := scoreOf(s.waits)
	var all []outcome
	told := 0
	for _, f := range s.limits {
		all, told = append(all, f.came...), told+len(f.came)+f.notCome
	}
	limits := scoreOf(all)
	t.Logf("waits %+v; limits %+v of %d told", waits, limits, told)
	if waits.n < 40 || waits.told < waits.n || waits.median > 0.06 || waits.p90 > 0.2 || waits.insideOfTold < 0.7 {
		t.Errorf("waits came out %+v", waits)
	}
	if limits.n < 4 || limits.median > 0.35 || limits.insideOfTold < 0.8 || told > 3*limits.n {
		t.Errorf("limits came out %+v, of %d told", limits, told)
	}
}
