package ui

import (
	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// glassEntries are the actions on the sale in focus for which the glass may be broken. No key does
// it: the palette opens the panel in its severe form, and the runner refuses what needs no breaking.
func (m *model) glassEntries() []entry {
	if m.opts.Hands == nil || m.screen != views.OverviewScreen && m.screen != views.SaleScreen {
		return nil
	}
	var all []entry
	for _, o := range m.offers.list {
		if o.Glass == "" {
			continue
		}
		label := string(o.Verb)
		if v, ok := o.Verb.Meaning(); ok {
			label = v.Label
		}
		if o.Play != "" {
			label += " " + o.Play
		}
		title := "break the glass: " + label
		e := entry{
			PaletteEntry: views.PaletteEntry{Title: title, Help: "act in spite of " + o.Glass + "; takes a reason, and is on record", Off: m.offVerb(o.Verb, o.Play)},
			verb:         o.Verb,
		}
		e.run = func(m *model) {
			if m.together > 1 {
				m.say(sale.OK, title+": keys came in a burst; press enter alone")
				return
			}
			req := actions.Request{Sale: m.focus, Verb: o.Verb, Play: o.Play, Glass: true}
			switch o.Verb {
			case actions.Rate, actions.Resume, actions.AddNote:
				m.openQuestion(rateDownIntent, label, "", req)
			default:
				m.openPanel(label, "", req)
			}
		}
		all = append(all, e)
	}
	return all
}
