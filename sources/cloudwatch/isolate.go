package cloudwatch

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const (
	// maxHunt bounds the requests that one poll spends on finding what spoils a call: enough
	// to find one among 500 by halving, with some to spare. The rest is found by the next polls.
	maxHunt = 24
	// sickFor is how long an ask that was refused is left out before it is tried again.
	sickFor = 15 * time.Minute
)

// isolate finds the asks that make CloudWatch refuse the call, first those that the refusal
// names, else by halving. They are remembered only when others were answered meanwhile: if
// everything is refused, it isn't the queries.
func (c *call) isolate(ctx context.Context, s *Source, r reader, a *answer) {
	h := hunt{
		call: c, source: s, reader: r, window: a.window, left: maxHunt,
		found: fetched{series: map[*ask]*series{}},
	}
	if named, rest := c.named(a.err.Error()); len(named) > 0 && len(rest) > 0 {
		h.try(ctx, rest)
		h.try(ctx, named)
	} else {
		h.try(ctx, c.asks[:len(c.asks)/2])
		h.try(ctx, c.asks[len(c.asks)/2:])
	}
	a.count(h.found)
	if !h.answered {
		return
	}
	refusal := s.problem(a.err)
	if h.stop != nil {
		refusal = s.problem(h.stop)
	}
	a.open = make(map[*ask]*sale.Problem, len(h.open))
	for _, o := range h.open {
		a.open[o] = refusal
	}
	a.series, a.messages, a.err = h.found.series, h.found.messages, nil
	c.sick = append(c.sick, h.sick...)
	c.leaveOut(h.sick)
}

// hunt is the search for the asks that spoil a call.
type hunt struct {
	call     *call
	source   *Source
	reader   reader
	window   window
	left     int
	found    fetched
	answered bool
	sick     []*sick
	open     []*ask
	stop     error
}

func (h *hunt) try(ctx context.Context, asks []*ask) {
	if len(asks) == 0 {
		return
	}
	if h.left == 0 || h.stop != nil {
		h.open = append(h.open, asks...)
		return
	}
	h.left--
	got := h.reader.fetch(ctx, build(asks, h.call.period), h.call.period, h.window)
	switch {
	case got.err == nil:
		h.found.merge(got)
		h.answered = true
	case !h.source.refused(got.err):
		h.found.count(got)
		h.stop = got.err
		h.open = append(h.open, asks...)
	case len(asks) == 1:
		h.found.count(got)
		h.sick = append(h.sick, &sick{asks[0], *h.source.problem(got.err), h.reader.clock().Add(sickFor)})
	default:
		h.found.count(got)
		h.try(ctx, asks[:len(asks)/2])
		h.try(ctx, asks[len(asks)/2:])
	}
}

var (
	namedID    = regexp.MustCompile(`\b([me][0-9]{1,4})\b`)
	namedEntry = regexp.MustCompile(`[Mm]etricDataQueries\.member\.([0-9]{1,4})\b`)
)

// named splits the asks by whether a refusal names them, by id or by place in the call.
func (c *call) named(refusal string) (named, rest []*ask) {
	ids := map[string]bool{}
	for _, m := range namedID.FindAllStringSubmatch(refusal, -1) {
		ids[m[1]] = true
	}
	for _, m := range namedEntry.FindAllStringSubmatch(refusal, -1) {
		if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(c.request.queries) {
			ids[*c.request.queries[n-1].Id] = true
		}
	}
	hit := map[*ask]bool{}
	for id := range ids {
		if a, ok := c.request.byID[id]; ok {
			hit[a] = true
		}
	}
	for _, a := range c.asks {
		for _, st := range a.stats {
			hit[a] = hit[a] || ids[c.request.ids[st]]
		}
	}
	for _, a := range c.asks {
		if hit[a] {
			named = append(named, a)
		} else {
			rest = append(rest, a)
		}
	}
	return named, rest
}

func (c *call) leaveOut(found []*sick) {
	out := map[*ask]bool{}
	for _, s := range found {
		out[s.ask] = true
	}
	var stay []*ask
	for _, a := range c.asks {
		if !out[a] {
			stay = append(stay, a)
		}
	}
	c.asks, c.request = stay, build(stay, c.period)
}

// retrySick tries, alone, one of the asks whose time has come, and takes it back when
// CloudWatch answers it.
func (c *call) retrySick(ctx context.Context, s *Source, r reader, a *answer) {
	for i, sk := range c.sick {
		if a.at.Before(sk.again) {
			continue
		}
		got := r.fetch(ctx, build([]*ask{sk.ask}, c.period), c.period, a.window)
		switch {
		case got.err == nil:
			a.merge(got)
			c.sick = append(c.sick[:i:i], c.sick[i+1:]...)
			c.asks = append(c.asks[:len(c.asks):len(c.asks)], sk.ask)
			c.request = build(c.asks, c.period)
		case s.refused(got.err):
			a.count(got)
			sk.problem, sk.again = *s.problem(got.err), a.at.Add(sickFor)
		default:
			a.count(got)
		}
		return
	}
}
