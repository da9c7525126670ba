package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// palette finds any command, sale or source by a few letters.
type palette struct {
	open    bool
	input   textinput.Model
	all     []entry // as it was when the palette was opened
	found   []entry
	cursor  int
	entries []views.PaletteEntry // of found
}

// entry is one thing that the palette can do.
type entry struct {
	views.PaletteEntry
	verb actions.Verb // of an entry that acts
	run  func(*model)
}

func (p *palette) shown() []views.PaletteEntry { return p.entries }

func (m *model) openPalette() {
	m.palette.all = m.paletteEntries()
	m.palette.input.SetValue("")
	m.palette.open, m.palette.cursor = true, 0
	m.searchPalette()
	m.needs(keyNeed)
}

// paletteEntries lists the commands that hold on this screen, then every sale, source and
// window.
func (m *model) paletteEntries() []entry {
	m.helping = false
	var all []entry
	p := m.screenPlace()
	for i := range m.keys.rows {
		r := &m.keys.rows[i]
		if r.hidden {
			continue
		}
		e := entry{PaletteEntry: views.PaletteEntry{Title: r.paletteTitle(), Keys: prettyKeys(r.Keys), Help: r.Help}}
		switch {
		case !r.holds(p):
			e.Off = "only on the " + string(r.Scopes[0]) + " screen"
		case r.off != nil:
			e.Off = r.off(m)
		}
		e.verb = r.verb
		key := ""
		if len(r.Keys) > 0 {
			key = r.Keys[0]
		}
		e.run = func(m *model) { r.run(m, press{key: key}) }
		all = append(all, e)
	}
	all = append(all, m.keylessEntries()...)
	all = append(all, m.shelfEntries()...)
	all = append(all, m.codeEntries()...)
	agree, back := m.requestEntries()
	asked, control := m.wheelEntries()
	all = slices.Concat(asked, agree, all, control, back, m.glassEntries()) // somebody waits for the first
	for _, id := range m.order.ids {
		if st := m.snap.Sale(id); st != nil {
			all = append(all, saleEntry(st))
		}
	}
	for i := range m.snap.Sources {
		all = append(all, sourceEntry(i, &m.snap.Sources[i]))
	}
	for i, w := range windows() {
		all = append(all, entry{
			PaletteEntry: views.PaletteEntry{Title: "window " + windowWord(w), Help: "charts look back over " + windowWord(w)},
			run:          func(m *model) { m.window = i; m.turnWindow(0) },
		})
	}
	return all
}

func (r *row) paletteTitle() string {
	switch r.Intent {
	case shorterIntent:
		return "shorter window"
	case longerIntent:
		return "longer window"
	case rateUpIntent:
		return "admission rate up"
	case rateDownIntent:
		return "admission rate down"
	case openIntent:
		return "open the sale in focus"
	}
	return r.Label
}

// keylessEntries are what can be done on the sale in focus and has no key: its plays, its plan.
func (m *model) keylessEntries() []entry {
	var all []entry
	if m.opts.Hands == nil || m.screen != views.OverviewScreen && m.screen != views.SaleScreen {
		return nil
	}
	for _, o := range m.offers.list {
		title := "play " + o.Play
		switch o.Verb {
		case actions.RunPlay:
		case actions.ScaleAhead:
			title = "scale ahead"
		default:
			continue
		}
		e := entry{PaletteEntry: views.PaletteEntry{Title: title, Help: o.Hint, Off: m.offVerb(o.Verb, o.Play)}, verb: o.Verb}
		e.run = func(m *model) {
			if m.together > 1 {
				m.say(sale.OK, title+": keys came in a burst; press enter alone")
				return
			}
			m.openPanel(title, "", actions.Request{Sale: m.focus, Verb: o.Verb, Play: o.Play})
		}
		all = append(all, e)
	}
	return all
}

func saleEntry(st *sale.State) entry {
	title := "sale " + st.Sale.Name
	keys := ""
	if d := st.Sale.Digit; d > 0 {
		keys = fmt.Sprint(d)
	}
	if st.Sale.Venue != "" {
		title += " · " + st.Sale.Venue
	}
	id := st.Sale.ID
	return entry{
		PaletteEntry: views.PaletteEntry{Title: title, Keys: keys, Help: "open " + string(id) + ", " + strings.ToUpper(string(st.Verdict))},
		run:          func(m *model) { m.openSale(id) },
	}
}

func sourceEntry(i int, src *sale.SourceState) entry {
	return entry{
		PaletteEntry: views.PaletteEntry{Title: "source " + src.Name, Help: src.Kind + ", " + string(src.Condition)},
		run: func(m *model) {
			l := m.lists[views.SourcesScreen]
			l.cursor = i
			m.lists[views.SourcesScreen] = l
			m.goTo(views.SourcesScreen)
			m.moveRows(0)
		},
	}
}

func (m *model) typePalette(msg tea.Msg) {
	m.palette.input, _ = m.palette.input.Update(msg)
	m.searchPalette()
	m.needs(keyNeed)
}

// searchPalette keeps the entries that match, best first; with nothing typed all of them, in
// the table's order.
func (m *model) searchPalette() {
	type scored struct {
		entry
		score int
	}
	var hits []scored
	for _, e := range m.palette.all {
		score, ok := fuzzyScore(m.palette.input.Value(), e.Title)
		if !ok { // the words of the help may say it better, but count less
			score, ok = fuzzyScore(m.palette.input.Value(), e.Help)
			score /= 4
		}
		if ok {
			hits = append(hits, scored{e, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	m.palette.found = make([]entry, len(hits))
	m.palette.entries = make([]views.PaletteEntry, len(hits))
	for i, h := range hits {
		m.palette.found[i], m.palette.entries[i] = h.entry, h.PaletteEntry
	}
	m.palette.cursor = 0
}

func (m *model) choose(by int) {
	if n := len(m.palette.found); n > 0 {
		m.palette.cursor = ((m.palette.cursor+by)%n + n) % n
	}
	m.needs(keyNeed)
}

// runEntry runs the chosen entry; one that is off says why and leaves the palette open.
func (m *model) runEntry() {
	if len(m.palette.found) == 0 {
		m.say(sale.OK, "nothing matches")
		return
	}
	e := m.palette.found[m.palette.cursor]
	if e.Off != "" {
		m.say(sale.OK, e.Title+": off, "+e.Off)
		if e.verb != "" {
			m.tried(e.verb)
		}
		return
	}
	m.palette.open = false
	m.needs(keyNeed)
	e.run(m)
}
