package ui

import (
	"slices"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// without is the world when a sale is not declared any more.
func without(id sale.ID) *sale.Snapshot {
	snap := world(3, time.Now(), nil)
	snap.Sales = slices.DeleteFunc(snap.Sales, func(st *sale.State) bool { return st.Sale.ID == id })
	return snap
}

func TestThePageOfASaleThatIsGoneIsLeftAndNoOtherTakesItsPlace(t *testing.T) {
	h := newHand(t, 3)
	h.keys("2")
	h.sees("screen sale", "focus comet")
	h.feed.set(without("comet"))
	h.send(lookMsg{})
	h.sees("screen overview", "message comet is not declared any more")
	h.seesNot("focus comet")
	h.keys("esc")
	h.sees("screen overview")
}

func TestEscapeDoesNotGoBackToASaleThatIsGone(t *testing.T) {
	h := newHand(t, 3)
	h.keys("2", "o")
	h.sees("screen sources")
	h.feed.set(without("comet"))
	h.send(lookMsg{})
	h.sees("screen sources") // what does not show the sale stays
	h.keys("esc")
	h.sees("screen overview")
	h.seesNot("focus comet")
}

func TestASaleThatStaysIsNotLeft(t *testing.T) {
	h := newHand(t, 3)
	h.keys("2")
	h.feed.set(without("lantern"))
	h.send(lookMsg{})
	h.sees("screen sale", "focus comet")
	h.seesNot("not declared any more")
}
