package aws

import "slices"

// cursor is the first datapoint of a page: its timestamp, and the place of its result among those
// that have that timestamp.
type cursor struct {
	later  bool // not the first page
	t      int64
	result int
}

func firstPage() cursor { return cursor{} }

// pageResult is the part of a result that a page holds, in the order of the page.
type pageResult struct {
	result
	t []int64
	v []float64
}

// cut takes the datapoints of one page. A page walks through time across all results, so that the
// first page of a long answer holds the newest values of everything (or the oldest, if so asked).
// The next cursor and more say where the following page begins. A result that is not at its end has
// the status PartialData. A later page holds only the results that had datapoints left.
func cut(results []result, q *metricDataRequest, from cursor) (page []pageResult, next cursor, more bool) {
	total := 0
	for _, r := range results {
		total += len(r.series.t)
	}
	if !from.later && int64(total) <= q.max {
		for _, r := range results {
			page = append(page, pageResult{result: r, t: ordered(r.series.t, q.ascending), v: ordered(r.series.v, q.ascending)})
		}
		return page, cursor{}, false
	}
	w := walk{results: results, ascending: q.ascending, position: make([]int, len(results))}
	w.skip(from)
	began := slices.Clone(w.position)
	next, more = w.forward(q.max)
	for i, r := range results {
		left := len(r.series.t) - w.position[i]
		if from.later && began[i] == len(r.series.t) {
			continue
		}
		p := pageResult{result: r, t: ordered(r.series.t, q.ascending)[began[i]:w.position[i]], v: ordered(r.series.v, q.ascending)[began[i]:w.position[i]]}
		if left > 0 && p.status == statusComplete {
			p.status = statusPartial
		}
		page = append(page, p)
	}
	return page, next, more
}

func ordered[T any](s []T, ascending bool) []T {
	if ascending {
		return s
	}
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}

// walk steps through the datapoints of many results in the order of a page.
type walk struct {
	results   []result
	ascending bool
	position  []int // datapoints of each result that lie behind
}

// peek returns the timestamp of the next datapoint of a result.
func (w *walk) peek(i int) (int64, bool) {
	s := w.results[i].series
	n := w.position[i]
	if n >= len(s.t) {
		return 0, false
	}
	if w.ascending {
		return s.t[n], true
	}
	return s.t[len(s.t)-1-n], true
}

// before says whether a comes before b in the order of the page.
func (w *walk) before(a, b int64) bool {
	if w.ascending {
		return a < b
	}
	return a > b
}

func (w *walk) skip(to cursor) {
	if !to.later {
		return
	}
	for i := range w.results {
		for t, ok := w.peek(i); ok && (w.before(t, to.t) || t == to.t && i < to.result); t, ok = w.peek(i) {
			w.position[i]++
		}
	}
}

// forward takes up to limit datapoints and returns the first that is left.
func (w *walk) forward(limit int64) (next cursor, more bool) {
	for {
		first, any := int64(0), false
		for i := range w.results {
			if t, ok := w.peek(i); ok && (!any || w.before(t, first)) {
				first, any = t, true
			}
		}
		if !any {
			return cursor{}, false
		}
		for i := range w.results {
			if t, ok := w.peek(i); !ok || t != first {
				continue
			}
			if limit == 0 {
				return cursor{later: true, t: first, result: i}, true
			}
			w.position[i]++
			limit--
		}
	}
}

func encodeMetricData(page []pageResult, next string) []byte {
	size := 64
	for _, p := range page {
		size += 19*len(p.t) + 128
	}
	w := writer{b: make([]byte, 0, size)}
	w.beginMap()
	w.key("Messages").beginList()
	w.end()
	w.key("MetricDataResults").beginList()
	for _, p := range page {
		w.beginMap()
		w.text("Id", p.id)
		w.text("Label", p.label)
		if len(p.notices) > 0 {
			w.key("Messages").beginList()
			for _, n := range p.notices {
				w.beginMap()
				w.text("Code", n.code)
				w.text("Value", n.value)
				w.end()
			}
			w.end()
		}
		w.text("StatusCode", p.status)
		w.key("Timestamps").beginList()
		for _, t := range p.t {
			w.seconds(float64(t))
		}
		w.end()
		w.key("Values").beginList()
		for _, v := range p.v {
			w.float(v)
		}
		w.end()
		w.end()
	}
	w.end()
	if next != "" {
		w.text("NextToken", next)
	}
	w.end()
	return w.b
}
