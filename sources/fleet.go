package sources

import (
	"context"
	"fmt"
	"sync"
)

// Fleet is a Poller whose sources can be replaced while it reads them. What the Poller promises of
// each source holds; a source that stays is not disturbed and keeps its budget and its turns. All
// methods are safe for many goroutines.
type Fleet struct {
	sink Sink
	opts PollerOptions

	mu      sync.Mutex // held while sources are replaced, so that two replacements follow each other
	ctx     context.Context
	readers sync.WaitGroup

	look sync.Mutex // guards members for those who must not wait for a replacement
	of   map[string]*member
}

// Closer is a source that holds on to something, such as a connection. A fleet closes it once it is not
// read any more; a read that ignores its context may still be under way then.
type Closer interface{ Close() error }

// member is one source that is read, by a poller of its own.
type member struct {
	source Source
	poller *Poller
	stop   context.CancelFunc
	ended  chan struct{}
}

// NewFleet makes a fleet of the given sources; of two of one name the first counts. Nothing is read
// before Run.
func NewFleet(sink Sink, opts PollerOptions, sources ...Source) *Fleet {
	f := &Fleet{sink: sink, opts: opts, of: map[string]*member{}}
	f.add(sources)
	return f
}

// Run reads every source until the context ends. It returns when all reads have ended, or a moment
// later without those that ignore their context. It must be called once.
func (f *Fleet) Run(ctx context.Context) {
	f.mu.Lock()
	f.ctx = ctx
	f.look.Lock()
	for _, m := range f.of {
		f.start(m)
	}
	f.look.Unlock()
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock() // a replacement that is under way has started its readers by now
	defer f.mu.Unlock()
	f.readers.Wait()
}

// Replace stops the sources that stay does not name, waits until their last read has ended, does
// between, and then reads the sources that come, at once. Nothing of a stopped source reaches the
// sink after between has begun. It takes a moment longer than the slowest end of a read.
func (f *Fleet) Replace(stay func(name string) bool, between func(), come ...Source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look.Lock()
	var gone []*member
	for name, m := range f.of {
		if !stay(name) {
			gone = append(gone, m)
			delete(f.of, name)
		}
	}
	f.look.Unlock()
	for _, m := range gone {
		if m.stop != nil {
			m.stop()
		}
	}
	for _, m := range gone {
		if m.stop != nil {
			<-m.ended
		}
		if c, ok := m.source.(Closer); ok {
			_ = c.Close() // nobody is left whom an error would tell anything
		}
	}
	between()
	f.look.Lock()
	defer f.look.Unlock()
	for _, m := range f.add(come) {
		f.start(m)
	}
}

// add makes members of sources, unless one of that name is there.
func (f *Fleet) add(come []Source) (added []*member) {
	for _, src := range come {
		name := src.Info().Name
		if f.of[name] == nil {
			f.of[name] = &member{source: src, poller: NewPoller(f.sink, f.opts, src), ended: make(chan struct{})}
			added = append(added, f.of[name])
		}
	}
	return added
}

// start begins to read a source, if the fleet reads at all; the locks are held.
func (f *Fleet) start(m *member) {
	if f.ctx == nil || f.ctx.Err() != nil {
		return
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(f.ctx)
	f.readers.Go(func() {
		defer close(m.ended)
		defer m.stop()
		m.poller.Run(ctx)
	})
}

// Nudge asks for a source to be read now, as Poller.Nudge does.
func (f *Fleet) Nudge(name string) error {
	f.look.Lock()
	m := f.of[name]
	f.look.Unlock()
	if m == nil {
		return fmt.Errorf("no source is called %q", name)
	}
	return m.poller.Nudge(name)
}
