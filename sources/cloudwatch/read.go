package cloudwatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maxWorkers = 4
	// maxPointsAtOnce is the quota of datapoints a second for a start within three hours; the
	// calls that are under way together stay within it.
	maxPointsAtOnce = 180_000
)

// job is what one call has to do in one read.
type job struct {
	call   *call
	window window
	past   bool
}

// Read asks for what can be new at now, and once for the history behind it. Calls that fail
// leave their signals missing and the others alone; the batch has a Problem only when
// nothing was answered.
//
// The first read brings the history too, up to three hours and a page a call. While More
// reports true, a read at which nothing new can be there goes on with what lies before.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	started := time.Now()
	r := reader{api: s.opts.API, clock: func() time.Time { return now.Add(time.Since(started)) }, clean: s.clean}

	var jobs []job
	resumed := s.More()
	for _, c := range s.calls {
		w, due := s.cadence(c).window(now, c.readTo, c.quietest())
		if due && resumed && !w.to.After(c.triedTo) {
			due = false // what has just failed is left to the next poll
		}
		if due {
			c.triedTo = w.to
			jobs = append(jobs, job{call: c, window: w})
		} else if c.more() {
			jobs = append(jobs, job{call: c, past: true})
		}
	}
	answers := make([]*answer, len(jobs))
	slots := make(chan struct{}, workers(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if j.past {
				answers[i] = j.call.readPast(ctx, s, r)
			} else {
				answers[i] = j.call.read(ctx, s, r, j.window)
			}
		})
	}
	all.Wait()
	return s.batch(answers, now)
}

// More reports whether older history is still to be fetched. It implements sources.Resumer.
func (s *Source) More() bool {
	return slices.ContainsFunc(s.calls, (*call).more)
}

// workers is how many calls may be under way together.
func workers(jobs []job) int {
	most := 1
	for _, j := range jobs {
		points := len(j.call.request.byID) * int(j.window.to.Sub(j.window.from)/j.call.period)
		if j.past {
			points = maxPoints
		}
		most = max(most, points)
	}
	return min(max(maxPointsAtOnce/most, 1), maxWorkers)
}

func (s *Source) cadence(c *call) cadence {
	return cadence{
		period: c.period, settle: s.settle, lookback: s.opts.lookback(c.period),
		history: s.opts.History, series: len(c.request.byID),
	}
}

// batch puts the answers of one poll together.
func (s *Source) batch(answers []*answer, now time.Time) sale.Batch {
	b := sale.Batch{}
	var seen witness
	var first *sale.Problem
	failed := 0
	for _, a := range answers {
		b.Calls += a.requests
		b.CostUSD += float64(a.metrics) * usdPerMetric
		if a.past {
			continue
		}
		if a.err != nil {
			a.problem = s.problem(a.err)
			if len(a.series) == 0 {
				failed++
				first = cmp.Or(first, a.problem)
			}
		}
		for ask, sr := range a.series {
			if ask.band {
				continue // a model goes on where its metric is silent: it proves nothing
			}
			seen.hear(ask, newestOf(sr, a.call.period, a.window), s.alwaysSpeaks(ask))
		}
	}
	if failed > 0 && failed == len(answers) {
		b.Problem = first
		if failed > 1 {
			b.Problem.Text += fmt.Sprintf(" (all %d calls)", failed)
		}
		return b
	}
	p := poll{source: s, now: now, witness: &seen, readings: make([][]sale.Reading, len(s.opts.Queries))}
	for _, a := range answers {
		p.take(a)
	}
	for i, rs := range p.readings {
		slices.SortStableFunc(rs, func(a, b sale.Reading) int { return a.At.Compare(b.At) })
		b.Readings = append(b.Readings, rs...)
		if s.last[i] != nil && len(rs) == 0 {
			b.Missing = append(b.Missing, sale.Missing{Key: s.opts.Queries[i].Key, Problem: *s.last[i]})
		}
	}
	b.Bands = p.bands
	b.Warnings = p.warnings
	if len(p.assumed) > 0 {
		p.warn("no datapoint was ever seen of " + strings.Join(p.assumed, ", ") + ": zero is assumed, as declared")
		b.Warnings = p.warnings
	}
	return b
}

// alwaysSpeaks reports whether some query takes silence of the ask for a fault.
func (s *Source) alwaysSpeaks(a *ask) bool {
	return slices.ContainsFunc(a.from, func(i int) bool { return !s.opts.Queries[i].MissingZero })
}

func newestOf(sr *series, period time.Duration, w window) time.Time {
	if points := settled(sr.points, period, w); len(points) > 0 {
		return points[len(points)-1].At
	}
	return time.Time{}
}

// poll is a batch in the making.
type poll struct {
	source   *Source
	now      time.Time
	witness  *witness
	readings [][]sale.Reading // by query
	bands    []sale.BandReading
	warnings []string
	assumed  []string // signals whose zeros rest on the declaration alone
}

func (p *poll) warn(text string) {
	if len(p.warnings) < maxWarnings && !slices.Contains(p.warnings, text) {
		p.warnings = append(p.warnings, text)
	}
}

// take adds one call's answer: readings, and for each of its signals why it is missing.
func (p *poll) take(a *answer) {
	for _, m := range a.messages {
		p.warn(m)
	}
	if a.problem != nil && len(a.series) > 0 {
		p.warn("a later page of " + a.call.asks[0].label + " and others could not be read: " + a.problem.Text)
	}
	for _, ask := range a.call.asks {
		if ask.band {
			if !a.past {
				p.band(a, ask)
			}
			continue
		}
		for _, o := range a.older {
			if sr := o.series[ask]; sr != nil && sr.fault == "" {
				p.deliver(ask, settled(sr.points, o.period, o.window), a.at)
			}
		}
		if !a.past {
			p.judge(a, ask)
		}
	}
	for _, sk := range a.call.sick {
		if sk.ask.band {
			p.noBand(sk.ask, refusedBand(&sk.problem))
			continue
		}
		for _, i := range sk.ask.from {
			p.source.last[i] = &sk.problem // until it is tried again, every quarter of an hour
		}
	}
}

// judge takes the series of one ask, or finds out why there is none.
func (p *poll) judge(a *answer, ask *ask) {
	sr := a.series[ask]
	var points []sale.Point
	if sr != nil && sr.fault == "" {
		points = settled(sr.points, a.call.period, a.window)
		if sr.note != "" {
			p.warn(ask.label + ": " + sr.note)
		}
	}
	if n := len(points); n > 0 && points[n-1].At.After(ask.newest) {
		ask.newest = points[n-1].At
	} else if !ask.newest.After(a.window.to.Add(-p.source.opts.lookback(a.call.period))) {
		points = nil // nothing but what was delivered long ago
	}
	p.deliver(ask, points, a.at)
	why := p.silence(a, ask, sr, len(points))
	for _, i := range ask.from {
		silent, q := why, p.source.opts.Queries[i]
		if q.MissingZero && (silent == nil || silent.Class == sale.NotFound) {
			if made := p.zeros(a, ask, sr, points); len(made) > 0 {
				p.readings[i] = append(p.readings[i], readings(q, made, a.at)...)
				silent = nil
				if ask.newest.IsZero() {
					p.assumed = append(p.assumed, string(q.Sale)+"/"+string(q.Signal))
				}
			}
		}
		p.source.last[i] = silent // said only when nothing is delivered: else the age says it
	}
}

// zeros are given only on the word of CloudWatch that the series is complete.
func (p *poll) zeros(a *answer, ask *ask, sr *series, points []sale.Point) []sale.Point {
	if sr == nil || sr.status != types.StatusCodeComplete || sr.fault != "" {
		return nil
	}
	ripe := p.now.Add(-p.source.opts.Delay)
	return zeros(points, a.window, a.call.period, ask.newest, ripe, p.witness.of(ask, ripe))
}

// silence says why an ask has no value that is new enough, or nil when it has.
func (p *poll) silence(a *answer, ask *ask, sr *series, points int) *sale.Problem {
	switch {
	case points > 0:
		return nil
	case a.open[ask] != nil:
		return a.open[ask]
	case sr == nil && a.problem != nil:
		return a.problem
	case sr == nil:
		text := "CloudWatch did not answer for it"
		if len(a.messages) > 0 {
			text += ": " + a.messages[0]
		}
		return &sale.Problem{Class: sale.BadData, Text: text, Hint: "ask for less in one source"}
	case sr.fault != "":
		return &sale.Problem{Class: sale.BadData, Text: sr.fault, Hint: "see the expression and the metrics of this signal"}
	case sr.status == types.StatusCodeForbidden:
		return p.forbidden(ask, sr)
	}
	switch sr.status {
	case types.StatusCodeComplete:
		return nothing(ask, a, p.source.opts.History)
	case types.StatusCodePartialData:
		return &sale.Problem{Class: sale.Failing, Text: "CloudWatch gave only a part of the data, without a value" + after(sr.note), Hint: "the next poll asks again"}
	case types.StatusCodeInternalError:
		return &sale.Problem{Class: sale.Failing, Text: "CloudWatch had an internal error for this metric" + after(sr.note), Hint: "the next poll asks again"}
	}
	return &sale.Problem{Class: sale.BadData, Text: sale.Clean(fmt.Sprintf("CloudWatch gave no value and the status %q", string(sr.status)), maxProblemText), Hint: "the next poll asks again"}
}

func after(note string) string {
	if note == "" {
		return ""
	}
	return ": " + note
}

func nothing(ask *ask, a *answer, history time.Duration) *sale.Problem {
	text := "no datapoints in the last " + words(max(history, a.window.to.Sub(a.window.from)))
	if !ask.newest.IsZero() {
		text = "no datapoints since " + stamp(ask.newest, a.at)
	}
	return &sale.Problem{
		Class: sale.NotFound, Text: text,
		Hint: "check namespace, metric and dimensions; a resource without traffic publishes nothing",
	}
}

func (p *poll) forbidden(ask *ask, sr *series) *sale.Problem {
	text, hint := "CloudWatch forbids reading it", "allow cloudwatch:GetMetricData to "+who(p.source.opts.Profile)
	for _, s := range ask.stats {
		if s.account != "" {
			text += " in account " + s.account
			hint += ", and link account " + s.account + " to this monitoring account (CloudWatch cross-account observability)"
			break
		}
	}
	return &sale.Problem{Class: sale.Auth, Text: sale.Clean(text+after(sr.note), maxProblemText), Hint: hint}
}

func (p *poll) deliver(ask *ask, points []sale.Point, at time.Time) {
	for _, i := range ask.from {
		p.readings[i] = append(p.readings[i], readings(p.source.opts.Queries[i], points, at)...)
	}
}

func readings(q Query, points []sale.Point, at time.Time) []sale.Reading {
	rs := make([]sale.Reading, len(points))
	for i, pt := range points {
		rs[i] = sale.Reading{Key: q.Key, Value: pt.Value, Unit: q.Unit, At: pt.At, FetchedAt: at}
	}
	return rs
}
