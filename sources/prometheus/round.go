package prometheus

import (
	"context"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/prometheus/common/model"
)

// round is one poll under way.
type round struct {
	s       *Source
	ctx     context.Context
	meter   *sources.Meter
	began   time.Time
	left    int // requests beyond the steady ones
	results map[*term]result
	said    []string
	failure *sale.Problem      // the first request that failed as a whole
	ok      bool               // a request was answered with a result
	changed map[*term]standing // how those that this round refused stood before
	skew    time.Duration      // how far the server's clock is ahead
}

// result is what one expression gave: its samples, or why there are none.
type result struct {
	samples []*model.Sample
	problem *sale.Problem
}

func (r *round) ask() {
	s := r.s
	suspects := s.suspects
	s.suspects = nil
	suspected := map[*term]bool{}
	for _, group := range suspects {
		for _, t := range group {
			suspected[t] = true
		}
	}
	var sound []*term
	for _, t := range s.standing(joined) {
		if !suspected[t] {
			sound = append(sound, t)
		}
	}
	groups := append(split(sound, s.maxBytes, s.maxTerms), suspects...)
	for i, group := range groups {
		if !r.group(group) {
			r.skip(groups[i+1:])
			break
		}
	}
	r.alone(s.standing(apart), len(s.terms))
	r.alone(s.standing(trial), maxTrials)
	r.again()
	r.undo()
}

// undo takes back what a round without a single result concluded: a server that refuses
// everything is at fault itself, and must not cost each expression its place.
func (r *round) undo() {
	if r.ok || len(r.changed) == 0 {
		return
	}
	for t, before := range r.changed {
		if p := r.results[t].problem; r.failure == nil && p != nil {
			r.failure = p
		}
		t.stands = before
	}
	r.s.searchAgain = r.s.poll + againAfter
}

// skip gives every expression of the groups the failure that the ones before met.
func (r *round) skip(groups [][]*term) {
	for _, group := range groups {
		for _, t := range group {
			r.results[t] = result{problem: r.failure}
		}
	}
}

// group asks a joined query and reports whether it is worth asking the server anything else.
func (r *round) group(terms []*term) bool {
	value, said, err := r.s.wire.instant(r.ctx, join(terms))
	if err == nil && r.s.cut(value) {
		err = errCut
	}
	switch {
	case err == nil:
		r.said = append(r.said, said...)
		r.s.joinable = true
		return r.take(terms, value)
	case isTooLong(err):
		r.narrow(func(s *Source) { s.maxBytes = max(s.maxBytes/2, minBytes) })
		return r.failed(terms, err)
	case !isRefused(err), r.s.poll < r.s.searchAgain:
		return r.failed(terms, err)
	case len(terms) == 1:
		return r.bare(terms[0], err)
	case r.left < 2:
		r.put(terms, problem(sale.BadData, "it is found within a few polls",
			"the server refused a joined query; which of %d expressions it means is being found", len(terms)))
		r.s.suspects = append(r.s.suspects, terms)
		return true
	}
	r.left -= 2
	half := len(terms) / 2
	before := r.s.refusedTerms()
	if !r.group(terms[:half:half]) || !r.group(terms[half:]) {
		return false
	}
	if r.s.refusedTerms() == before && len(r.s.suspects) == 0 {
		// Both halves are accepted: it was the size, not an expression.
		r.narrow(func(s *Source) { s.maxTerms = max(half, 1) })
	}
	return true
}

func (s *Source) refusedTerms() int {
	n := 0
	for _, t := range s.terms {
		if t.stands != joined {
			n++
		}
	}
	return n
}

func (r *round) narrow(lower func(*Source)) {
	lower(r.s)
	r.s.narrowed = r.s.poll
}

// bare asks a refused labelled expression as it was written: either it is at fault, or the
// server does not take the labelled form.
func (r *round) bare(t *term, asJoined error) bool {
	if t.clock != nil || r.left == 0 { // nobody wrote an age: it is simply not asked for a while
		p := classify(asJoined, r.about())
		r.refuse(t, &p)
		return true
	}
	r.left--
	if !r.one(t) {
		return false
	}
	if t.stands == joined && r.results[t].problem == nil {
		t.stands = apart
		r.noLabels()
	}
	return true
}

// noLabels concludes, from two expressions that only the bare form of is accepted, that the
// server has no label_replace or no "or", and asks all of them one by one from then on.
func (r *round) noLabels() {
	if r.s.joinable || len(r.s.standing(apart)) < 2 {
		return
	}
	r.s.single = true
	for _, t := range r.s.terms {
		switch {
		case t.stands != joined:
		case t.clock != nil:
			t.stands = never
		default:
			t.stands = apart
		}
	}
}

// alone asks expressions one by one, at most so many.
func (r *round) alone(terms []*term, most int) {
	for i, t := range terms {
		if _, done := r.results[t]; done {
			continue
		}
		switch {
		case i >= most:
			r.results[t] = result{problem: problem(sale.BadData, "it is asked within a few polls", "not asked yet: %s", excerpt(t.expr))}
		case r.failure != nil && !r.ok:
			r.results[t] = result{problem: r.failure}
		default:
			r.one(t)
		}
	}
}

// one asks a single expression as it was written and lets it join the others when the server
// accepts it. It reports whether the server is worth asking anything else.
func (r *round) one(t *term) bool {
	value, said, err := r.s.wire.instant(r.ctx, t.expr)
	if err == nil && r.s.cut(value) {
		err = errCut
	}
	if err != nil {
		if !isRefused(err) {
			return r.failed([]*term{t}, err)
		}
		p := classify(err, r.about())
		r.refuse(t, &p)
		return true
	}
	r.said = append(r.said, said...)
	r.ok = true
	switch v := value.(type) {
	case model.Vector:
		r.results[t] = result{samples: slices.DeleteFunc(v, func(s *model.Sample) bool { return s == nil })}
	case *model.Scalar:
		t.scalar = true
		r.results[t] = result{samples: []*model.Sample{{Value: v.Value, Timestamp: v.Timestamp}}}
	default:
		t.stands = never
		t.problem = problem(sale.BadData, "write an expression that gives one number: wrap a range in rate() or last_over_time()",
			"a %s, not a number: %s", value.Type(), excerpt(t.expr))
		r.results[t] = result{problem: t.problem}
		return true
	}
	if t.stands == trial || t.stands == refused {
		t.stands, t.problem = joined, nil
		if r.s.single {
			t.stands = apart
		}
	}
	return true
}

// again asks one refused expression whose time has come; the others keep their reason.
func (r *round) again() {
	asked := false
	for _, t := range r.s.standing(refused) {
		if _, done := r.results[t]; done {
			continue
		}
		if asked || t.due > r.s.poll || !r.ok {
			r.results[t] = result{problem: t.problem}
			continue
		}
		asked = true
		if t.clock != nil {
			t.stands = joined // with the others in the next poll; refused again if it still is
			continue
		}
		r.one(t)
	}
}

func (r *round) refuse(t *term, p *sale.Problem) {
	if t.stands != refused {
		if r.changed == nil {
			r.changed = map[*term]standing{}
		}
		r.changed[t] = t.stands
	}
	t.stands, t.problem, t.due = refused, p, r.s.poll+againAfter
	r.results[t] = result{problem: p}
}

func (r *round) put(terms []*term, p *sale.Problem) {
	for _, t := range terms {
		r.results[t] = result{problem: p}
	}
}

func (r *round) failed(terms []*term, err error) bool {
	p := classify(err, r.about())
	if r.failure == nil {
		r.failure = &p
	}
	r.put(terms, &p)
	return false
}

func (r *round) about() sources.About {
	return sources.About{
		Meter: r.meter, After: time.Since(r.began), Secrets: r.s.wire.secrets,
		Hints: map[sale.Class]string{
			sale.NotFound: "see that the url is where /api/v1/query begins, with the path prefix if there is one",
		},
	}
}

// take sorts the samples of a joined answer by their label.
func (r *round) take(terms []*term, value model.Value) bool {
	vector, ok := value.(model.Vector)
	if !ok {
		return r.failed(terms, &sale.Problem{Class: sale.BadData, Text: "a " + value.Type().String() + " instead of a vector", Hint: "see that the url is a Prometheus API"})
	}
	r.ok = true
	byID := make(map[model.LabelValue][]*model.Sample, len(terms))
	for i, sample := range vector {
		if sample == nil {
			continue
		}
		id := sample.Metric[label]
		if _, more := byID[id]; more {
			byID[id] = append(byID[id], sample)
		} else {
			byID[id] = vector[i : i+1 : i+1]
		}
	}
	for _, t := range terms {
		r.results[t] = result{samples: byID[model.LabelValue(t.id)]}
	}
	return true
}
