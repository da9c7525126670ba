package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources/incidents"
)

// chronicle is what the journal tells of the sales: their incidents, and what was done. The store
// is given it, and so are the sources that look after incidents.
type chronicle struct {
	mu      sync.Mutex
	config  *config.Config
	records []journal.Record // of the last two days, oldest first
	logs    []sale.Log       // in the order of the config
	failed  bool             // the last reading did
}

const (
	// twoDays bounds how far back the journal is read for what belongs to a sale's day.
	twoDays = 48 * time.Hour
	// mostRecords bounds what is kept in memory of it.
	mostRecords = 8192
)

// lately reads what other processes appended, too; *journal.Journal is one.
type lately interface {
	Recent(n int) ([]journal.Record, error)
}

// look takes in what is new in a journal, and gives the store what changed.
func (c *chronicle) look(recorder actions.Recorder, store *sale.Store, now time.Time) {
	c.mu.Lock()
	first := c.logs == nil
	var last uint64
	if n := len(c.records); n > 0 {
		last = c.records[n-1].Seq
	}
	c.mu.Unlock()
	var records []journal.Record
	var err error
	if r, ok := recorder.(lately); ok && !first {
		records, err = r.Recent(mostRecords / 2)
	} else {
		records, err = recorder.List(journal.Filter{Since: now.Add(-twoDays)})
	}
	if err == nil {
		err = recorder.Err()
	}
	records = slices.DeleteFunc(records, func(r journal.Record) bool { return r.Seq <= last })
	c.mu.Lock()
	mended := c.failed && err == nil
	c.failed = err != nil
	c.mu.Unlock()
	if len(records) == 0 && err == nil && !first && !mended {
		return
	}
	store.Recorded(c.take(records, err), now)
}

// take adds records and puts together what all of them tell. A journal that can't be read still
// told what it told before.
func (c *chronicle) take(records []journal.Record, err error) []sale.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records = append(c.records, records...)
	if over := len(c.records) - mostRecords; over > 0 {
		c.records = slices.Clone(c.records[over:])
	}
	c.logs = make([]sale.Log, 0, len(c.config.Sales))
	for i := range c.config.Sales {
		l := actions.LogOf(c.config.Sales[i].ID, c.records)
		if err != nil {
			l.Problem = sale.Clean("the journal can't be read: "+err.Error(), 160)
		}
		c.logs = append(c.logs, l)
	}
	return slices.Clone(c.logs)
}

// redeclare puts another config in place. The journal is read anew at the next look, for the sales
// that have come.
func (c *chronicle) redeclare(cfg *config.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config, c.logs = cfg, nil
}

// of is what is known of one sale.
func (c *chronicle) of(id sale.ID) sale.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.logs {
		if l.Sale == id {
			return l
		}
	}
	return sale.Log{Sale: id}
}

// known lists the incidents that the journal knows as open.
func (c *chronicle) known() []incidents.Known {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []incidents.Known
	for _, l := range c.logs {
		for _, in := range l.Incidents {
			if in.Open() {
				all = append(all, incidents.Known{Sale: in.Sale, Key: in.Key, Sent: in.Opened})
			}
		}
	}
	return all
}

// readOnce is look for a program that does nothing itself: it opens no journal, and makes none.
func (c *chronicle) readOnce(p *program, store *sale.Store, now time.Time) {
	c.mu.Lock()
	acts := len(c.config.Controls) > 0
	c.mu.Unlock()
	if !acts {
		return // nothing is done from here, so no journal tells of this config
	}
	dir := p.journalAt
	if dir == "" {
		found, err := journal.DefaultDir(p.env)
		if err != nil {
			return
		}
		dir = found
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		store.Recorded(c.take(nil, nil), now) // nobody has ever done anything
		return
	}
	records, err := journal.List(dir, journal.Filter{Since: now.Add(-twoDays)})
	store.Recorded(c.take(records, err), now)
}

// openedIn lists the keys of the incidents of a sale that a journal knows as open, newest first.
func openedIn(recorder actions.Recorder) func(sale.ID) []string {
	return func(id sale.ID) []string {
		records, err := recorder.List(journal.Filter{Sale: string(id), Code: "INC", Since: time.Now().Add(-twoDays)})
		if err != nil {
			return nil
		}
		var keys []string
		for _, in := range actions.LogOf(id, records).Incidents {
			if in.Open() {
				keys = append(keys, in.Key)
			}
		}
		return keys
	}
}

// mitigations journals that an incident was mitigated, or is not any more, so that a later start
// still knows since when. It looks about once a second.
func (d *desk) mitigations(ctx context.Context, store *sale.Store) {
	d.mitigated(ctx, store, store.Snapshot())
}

func (d *desk) mitigated(ctx context.Context, store *sale.Store, snap *sale.Snapshot) {
	if d.chronicle == nil || d.recorder.Err() != nil {
		return
	}
	for _, st := range snap.Sales {
		in := st.Incidents.Current
		if !in.Open() || in.Blind || in.Mitigated == d.noted(*in) || in.Mitigated && in.MitigatedAt.IsZero() {
			continue
		}
		rec, err := actions.MitigationRecord(*in, in.Mitigated)
		if err != nil {
			return
		}
		if _, err := d.recorder.Append(ctx, rec); err != nil {
			return // the journal itself says loudly that it has failed
		}
		d.recorded(store, time.Now())
	}
}

// recorded lets the store know what the journal tells.
func (d *desk) recorded(store *sale.Store, now time.Time) {
	if d.chronicle != nil {
		d.chronicle.look(d.recorder, store, now)
	}
}

// noted reports whether the journal has an incident as mitigated.
func (d *desk) noted(in sale.Incident) bool {
	for _, known := range d.chronicle.of(in.Sale).Incidents {
		if known.Key == in.Key && known.Open() {
			return !known.MitigatedAt.IsZero()
		}
	}
	return in.Mitigated // the journal doesn't know the incident: there is nothing to add to
}
