package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

const (
	maxPoints    = 11_000  // of one series in one range query: the server's own limit
	maxSamples   = 150_000 // of one answer, about 5 MB of JSON
	historyTries = 3       // then the charts start without it
	gapPeriods   = 3       // polls that must be missed before the gap is read
)

// history is what remains to be read of the past: all of it at first, later the gaps.
type history struct {
	span, step time.Duration
	from, to   time.Time // the stretch that is wanted; zero: none
	due        int       // the poll in which to ask for it
	tries      int
	last       time.Time // when values were last evaluated, by the server's clock
}

func (h *history) wanted(poll int) bool { return !h.to.IsZero() && poll >= h.due }

// answered notes that poll has read values of this instant. The first ones make the whole span
// wanted, later ones the gap since the last when polls were missed; in either case by the next
// poll, so that the current values are not held up.
func (h *history) answered(poll int, at time.Time, every time.Duration) {
	first, gap := h.last.IsZero(), at.Sub(h.last)
	if !at.After(h.last) {
		return
	}
	since := h.last
	h.last = at
	if h.span <= 0 || (!first && gap <= gapPeriods*every) {
		return
	}
	from := at.Add(-h.span)
	if !first && since.After(from) {
		from = since
	}
	if !h.to.IsZero() && h.from.Before(from) { // what was wanted before is still owed
		from = h.from
	}
	h.from, h.to, h.due, h.tries = from, at, poll+1, 0
}

func (h *history) done() { h.from, h.to = time.Time{}, time.Time{} }

// stretches cuts the wanted time into ranges of whole steps, newest first. Start and end are
// multiples of the step since 1970, because Mimir and others cache only those.
// https://grafana.com/docs/mimir/latest/references/architecture/components/query-frontend/
func (h *history) stretches() []v1.Range {
	start := h.aligned(h.from)
	if start.Before(h.from) {
		start = start.Add(h.step)
	}
	end := h.aligned(h.to)
	var ranges []v1.Range
	for !end.Before(start) {
		from := end.Add(-(maxPoints - 1) * h.step)
		if from.Before(start) {
			from = start
		}
		ranges = append(ranges, v1.Range{Start: from, End: end, Step: h.step})
		end = from.Add(-h.step)
	}
	return ranges
}

// aligned is the last whole step at or before an instant. (time.Truncate counts from the year 1,
// from where steps that don't divide a day fall elsewhere.)
func (h *history) aligned(at time.Time) time.Time {
	step := max(int64(h.step/time.Second), 1)
	return time.Unix(at.Unix()/step*step, 0)
}

// readHistory adds the wanted stretch to a batch that already has the current values. When it
// fails, the current values count all the same and it is tried again about a minute later.
func (r *round) readHistory(b *sale.Batch) {
	s := r.s
	h := &s.history
	if !h.wanted(s.poll) {
		return
	}
	ctx := r.ctx
	if at, ok := ctx.Deadline(); ok { // leave time to hand over what there is
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(at)*9/10)
		defer cancel()
	}
	var err error
	for _, stretch := range h.stretches() {
		if err = r.readStretch(ctx, b, stretch); err != nil {
			break
		}
	}
	if err == nil {
		h.done()
		return
	}
	p := classify(err, r.about())
	h.tries++
	h.due = s.poll + againAfter
	again := "tried again later"
	if h.tries >= historyTries {
		h.done()
		again = "given up: the charts begin now"
	}
	b.Warnings = append(b.Warnings, sale.Clean(fmt.Sprintf("no history: %s; %s", p.Text, again), 240))
}

func (r *round) readStretch(ctx context.Context, b *sale.Batch, stretch v1.Range) error {
	var together, single []*term
	for _, t := range r.s.terms {
		switch {
		case t.clock != nil || !t.series:
		case t.stands == joined:
			together = append(together, t)
		case t.stands == apart:
			single = append(single, t)
		}
	}
	points := int(stretch.End.Sub(stretch.Start)/stretch.Step) + 1
	for _, group := range split(together, r.s.maxBytes, min(r.s.maxTerms, max(maxSamples/points, 1))) {
		value, said, err := r.s.wire.over(ctx, join(group), stretch)
		if err != nil {
			return err
		}
		r.said = append(r.said, said...)
		matrix, _ := value.(model.Matrix)
		byID := make(map[model.LabelValue][]*model.SampleStream, len(group))
		for _, stream := range matrix {
			if stream != nil {
				id := stream.Metric[label]
				byID[id] = append(byID[id], stream)
			}
		}
		for _, t := range group {
			r.past(b, t, byID[model.LabelValue(t.id)])
		}
	}
	for _, t := range single {
		value, said, err := r.s.wire.over(ctx, t.expr, stretch)
		if err != nil {
			return err
		}
		r.said = append(r.said, said...)
		matrix, _ := value.(model.Matrix)
		r.past(b, t, slices.DeleteFunc(matrix, func(s *model.SampleStream) bool { return s == nil }))
	}
	return nil
}

// past adds the finite points of one expression. Series that took turns, as a replaced pod's
// do, are one history; series that stood side by side are none.
func (r *round) past(b *sale.Batch, t *term, streams []*model.SampleStream) {
	var points []model.SamplePair
	for _, stream := range streams {
		points = append(points, stream.Values...)
	}
	if len(streams) > 1 {
		slices.SortFunc(points, func(a, b model.SamplePair) int { return int(a.Timestamp - b.Timestamp) })
		for i := 1; i < len(points); i++ {
			if points[i].Timestamp == points[i-1].Timestamp {
				return
			}
		}
	}
	fetched := time.Now()
	b.Readings = slices.Grow(b.Readings, len(points)*len(t.reads))
	for _, point := range points {
		value := float64(point.Value)
		if math.IsNaN(value) || math.IsInf(value, 0) || point.Timestamp <= 0 {
			continue
		}
		at := point.Timestamp.Time().Add(-r.skew)
		for _, q := range t.reads {
			b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: value, Unit: q.Unit, At: at, FetchedAt: fetched})
		}
	}
}
