package sources

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Sink takes in what the poller reads. A *sale.Store is one. Apply and Planned are called from
// many goroutines and must not block.
type Sink interface {
	Apply(b sale.Batch, now time.Time) bool
	Planned(source string, next time.Time)
}

// Resumer is a source that has more to read as soon as it has answered, such as the history
// behind the values of its first poll. The poller then reads it once more without waiting for
// its next turn. More is called after Read returned, never beside it.
type Resumer interface{ More() bool }

// PollerOptions are the poller's habits. The zero value is good.
type PollerOptions struct {
	// Deadline gives each poll's time limit; nil or 0 is the source's own cadence, at least
	// 2 s and at most 10 s.
	Deadline func(sale.SourceInfo) time.Duration
	// Jitter is the width of the spread of a poll around its turn, as a part of its period.
	// 0 is 0.04 (2 % to either side); a negative value is none.
	Jitter float64
	// Rand gives numbers in [0, 1) for the jitter; nil is the usual source of chance.
	Rand func() float64
	// Log takes what a person must see to mend onsale itself; nil is nowhere.
	Log *slog.Logger
}

// Poller reads sources, each in its own goroutine, on its own cadence, under a deadline and a
// budget, and hands every outcome to the sink.
//
// What it promises: a source that hangs, fails or panics delays no other; a source is never
// read twice at once; polls keep to a grid that does not drift; a source never is asked more
// often because something burns; and a source that works again is seen within two periods,
// unless it asked to be left alone for longer.
type Poller struct {
	sink   Sink
	opts   PollerOptions
	reads  []*reader
	byName map[string]*reader
}

// NewPoller makes a poller. Names of sources must differ; the first of a name wins a Nudge.
func NewPoller(sink Sink, opts PollerOptions, sources ...Source) *Poller {
	if opts.Jitter == 0 {
		opts.Jitter = 0.04
	}
	opts.Jitter = max(opts.Jitter, 0)
	if opts.Rand == nil {
		opts.Rand = rand.Float64
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	p := &Poller{sink: sink, opts: opts, byName: make(map[string]*reader, len(sources))}
	for _, s := range sources {
		r := newReader(s, p)
		p.reads = append(p.reads, r)
		if _, taken := p.byName[r.info.Name]; !taken {
			p.byName[r.info.Name] = r
		}
	}
	return p
}

// Run polls every source at once and then each at its own cadence until the context ends. It
// returns when all reads have ended, or a moment later without those that ignore their context.
func (p *Poller) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range p.reads {
		wg.Go(func() { r.run(ctx) })
	}
	wg.Wait()
}

// ReadOnce reads every source once, all at the same time, under the context's one deadline,
// and applies every outcome. A source that has more to read (see Resumer) is read again while
// there is time. It returns when all have ended or a moment after the deadline; what has not
// ended by then is reported as a timeout. With names, only those sources are read.
//
// It must not be used beside Run.
func (p *Poller) ReadOnce(ctx context.Context, names ...string) {
	var wg sync.WaitGroup
	for _, r := range p.reads {
		if !chosen(r.info.Name, names) {
			continue
		}
		wg.Go(func() {
			r.turn(ctx, func() time.Duration {
				if at, ok := ctx.Deadline(); ok {
					return time.Until(at)
				}
				return r.deadline()
			})
		})
	}
	wg.Wait()
}

func chosen(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return len(names) == 0
}

// Nudge asks for a source to be read now instead of at its next turn. It is refused, with the
// reason in the error, more often than once in a quarter of the source's period, while a read
// is under way, while the source asked to be left alone, and when the budget is spent.
func (p *Poller) Nudge(name string) error {
	r, ok := p.byName[name]
	if !ok {
		return fmt.Errorf("no source is called %q", name)
	}
	return r.nudge(time.Now())
}
