package ui

import (
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The rule of order: a sale moves only when its verdict has held for holdVerdict, one sale
// moves per swapEvery, and none within keyQuiet of a key.
const (
	holdVerdict = 10 * time.Second
	swapEvery   = 10 * time.Second
	keyQuiet    = 5 * time.Second
	// settleFor is how long after the start the order may still be made from scratch, while
	// the sources give their first answers and for settleAfter beyond the last of them.
	settleFor   = 15 * time.Second
	settleAfter = 2 * time.Second
)

// orderer keeps the order in which sales stand on the screen: worst first, but steady enough
// that a hand can trust the place it aims at.
type orderer struct {
	started time.Time
	waiting time.Time // when a source last had its first answer still to give
	swapped time.Time
	ids     []sale.ID
	held    map[sale.ID]sale.Verdict // the last verdict that held long enough to count
}

// update takes in a snapshot. still forbids any move for now.
func (o *orderer) update(snap *sale.Snapshot, now time.Time, still bool) {
	if o.held == nil {
		o.held = make(map[sale.ID]sale.Verdict, len(snap.Sales))
		o.started = now
	}
	if starting(snap) {
		o.waiting = now
	}
	settling := now.Sub(o.started) < settleFor && now.Sub(o.waiting) < settleAfter
	for _, st := range snap.Sales {
		if _, known := o.held[st.Sale.ID]; !known || settling || now.Sub(st.Since) >= holdVerdict {
			o.held[st.Sale.ID] = st.Verdict
		}
	}
	wanted := o.wanted(snap)
	switch {
	case !o.sameSales(wanted):
		o.ids = wanted
	case still || slices.Equal(o.ids, wanted):
	case settling:
		o.ids = wanted
	case now.Sub(o.swapped) >= swapEvery:
		o.moveOne(wanted)
		o.swapped = now
	}
}

// moveOne takes the sale that is missed highest up to its place; the others keep their order.
func (o *orderer) moveOne(wanted []sale.ID) {
	for i, id := range wanted {
		if o.ids[i] == id {
			continue
		}
		from := slices.Index(o.ids, id)
		next := slices.Delete(slices.Clone(o.ids), from, from+1)
		o.ids = slices.Insert(next, i, id)
		return
	}
}

// wanted is the order by the verdicts that held.
func (o *orderer) wanted(snap *sale.Snapshot) []sale.ID {
	held := make([]sale.State, len(snap.Sales))
	states := make([]*sale.State, len(snap.Sales))
	for i, st := range snap.Sales {
		held[i] = sale.State{Sale: st.Sale, Phase: st.Phase, Verdict: o.held[st.Sale.ID]}
		states[i] = &held[i]
	}
	sale.SortWorstFirst(states)
	ids := make([]sale.ID, len(states))
	for i, st := range states {
		ids[i] = st.Sale.ID
	}
	return ids
}

// sameSales reports whether the same sales are there, in whatever order.
func (o *orderer) sameSales(wanted []sale.ID) bool {
	if slices.Equal(o.ids, wanted) {
		return true
	}
	if len(o.ids) != len(wanted) {
		return false
	}
	for _, id := range wanted {
		if !slices.Contains(o.ids, id) {
			return false
		}
	}
	return true
}

// starting reports whether some source has not answered for the first time yet.
func starting(snap *sale.Snapshot) bool {
	for i := range snap.Sources {
		if snap.Sources[i].Condition == sale.SourceStarting {
			return true
		}
	}
	return len(snap.Sources) == 0
}
