package ui

import (
	"slices"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// leaveGone leaves a sale that the config does not declare any more: another one must never take its
// place under the eye, or under a key, of whoever looks at it.
func (m *model) leaveGone() {
	if m.focus == "" || m.snap.Sale(m.focus) != nil {
		return
	}
	gone := string(m.focus)
	m.focus = ""
	if len(m.snap.Sales) > 0 {
		m.focus = m.snap.Sales[0].Sale.ID // until arrange knows the order
	}
	if q := m.asking; q != nil && string(q.req.Sale) == gone {
		m.asking = nil
	}
	m.trail = slices.DeleteFunc(m.trail, func(s views.Screen) bool { return s == views.SaleScreen })
	if m.screen == views.SaleScreen {
		m.goHome()
	}
	if m.acting == nil { // a panel says itself that what it was about has changed
		m.say(sale.Watch, sale.Clean(gone, 40)+" is not declared any more")
	}
}
