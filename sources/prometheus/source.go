package prometheus

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// The bounds of one request and of one poll. All are far below what servers and proxies
// refuse, and far above what a night's sales need.
const (
	maxBytes = 128 << 10 // of one query, before it is encoded: about 180 KiB of the usual 1 MiB after it
	maxTerms = 1024      // expressions in one query, ages included; evaluation is linear up to here
	minBytes = 2 << 10   // where halving stops after "URI too long"

	extraRequests = 24 // beyond the steady ones: to find a refused expression, in one poll
	maxTrials     = 8  // expressions tried alone for the first time, in one poll
	againAfter    = 12 // polls until a refused expression is asked again
)

// Source reads one Prometheus API. It is made by New and read by the sources.Poller.
type Source struct {
	opts  Options
	wire  *wire
	terms []*term // values first, then ages

	poll        int
	maxBytes    int
	maxTerms    int
	mostTerms   int       // what maxTerms begins with and is never raised over
	mostSeries  int       // an answer of so many was cut there; 0: no such limit
	narrowed    int       // the poll in which a limit was last lowered
	suspects    [][]*term // groups of which one expression is refused, not yet known which
	searchAgain int       // the poll before which a refusal is not searched, because all was refused
	joinable    bool      // the server has accepted a labelled expression
	single      bool      // the server accepts none: one request per expression
	history     history
}

// New makes a source. Nothing is sent. An expression that Prometheus' parser does not know is
// not an error here: it may be right for another server, and a poll says so when it is not.
func New(opts Options) (*Source, error) {
	opts, u, err := opts.normal()
	if err != nil {
		return nil, err
	}
	w, err := newWire(opts, u)
	if err != nil {
		return nil, err
	}
	s := &Source{opts: opts, wire: w, maxBytes: maxBytes, mostTerms: maxTerms}
	if opts.ofCloudWatch() {
		s.mostTerms, s.mostSeries = cloudWatchTerms, cloudWatchSeries
	}
	s.maxTerms = s.mostTerms
	s.history = history{span: opts.History, step: opts.Step}
	s.plan()
	return s, nil
}

// plan makes one term of each distinct expression and one of each distinct selector in them.
func (s *Source) plan() {
	byExpr := make(map[string]*term, len(s.opts.Queries))
	bySelector := map[string]*term{}
	var ages []*term
	for _, q := range s.opts.Queries {
		expr := strings.TrimSpace(q.Expr)
		t := byExpr[expr]
		if t == nil {
			t = &term{id: strconv.Itoa(len(s.terms)), expr: expr}
			byExpr[expr] = t
			s.terms = append(s.terms, t)
			for _, selector := range examine(t, s.opts.ofCloudWatch()) {
				a := bySelector[selector]
				if a == nil {
					a = &term{id: "t" + strconv.Itoa(len(ages)), expr: "max(timestamp(" + selector + "))", clock: &clock{}}
					bySelector[selector] = a
					ages = append(ages, a)
				}
				t.ages = append(t.ages, a)
			}
		}
		t.reads = append(t.reads, q)
	}
	s.terms = append(s.terms, ages...)
}

// Info implements sources.Source.
func (s *Source) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every,
		Cadence: sale.Cadence{Period: s.opts.Every},
		Gives:   fmt.Sprintf("%d queries", len(s.opts.Queries)),
		Limit:   s.limit(),
	}
}

func (s *Source) limit() string {
	if s.mostSeries > 0 {
		return fmt.Sprintf("CloudWatch's own; %d series an answer", s.mostSeries)
	}
	return "the server's own; one request a poll"
}

// Read implements sources.Source: one instant query for everything, and now and then one more
// for the history or for an expression that was refused before.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	ctx, meter := sources.Metered(ctx)
	s.poll++
	s.widen()
	r := &round{s: s, ctx: ctx, meter: meter, began: now, left: extraRequests, results: make(map[*term]result, len(s.terms))}
	r.ask()
	b := r.batch(now)
	if b.Problem == nil {
		b.Notes = partial(s.opts.Name, s.opts.Queries, r.said, s.wire.secrets)
		r.readHistory(&b)
	}
	b.Warnings = append(b.Warnings, warningsOf(r.said, s.wire.secrets)...)
	b.Calls = meter.Calls()
	return b
}

// More implements sources.Resumer: true after the poll that made a history or a gap known.
func (s *Source) More() bool { return s.history.tries == 0 && s.history.wanted(s.poll+1) }

// widen gives a lowered limit back step by step: what refused a long query may have been mended.
func (s *Source) widen() {
	const patience = 120 // polls
	if s.poll-s.narrowed < patience {
		return
	}
	s.narrowed = s.poll
	s.maxTerms = min(2*s.maxTerms, s.mostTerms)
	s.maxBytes = min(2*s.maxBytes, maxBytes)
}

// standing lists the terms that stand so.
func (s *Source) standing(as standing) []*term {
	var found []*term
	for _, t := range s.terms {
		if t.stands == as {
			found = append(found, t)
		}
	}
	return found
}
