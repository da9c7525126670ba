package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// Shelves is where a session puts alarms aside. Both answer at once or take as long as it takes to
// write it down; they are called from a goroutine of their own. An error is for a person.
type Shelves interface {
	Shelve(id sale.ID, key string, shelf sale.Shelf) error
	Unshelve(id sale.ID, key, who string) error
}

const (
	alarmsIntent    Intent = "alarms"
	openAlarmIntent Intent = "open-alarm"
)

func alarmRows() []row {
	return []row{
		{
			Binding: Binding{Intent: alarmsIntent, Keys: []string{"L"}, Scopes: []Scope{ScreensScope}, Label: "alarms", Group: "screens", Help: "show what wants a person now, what other systems say, what is over and what is shelved"},
			footer:  true, run: func(m *model, _ press) { m.openAlarms() },
		},
		{
			Binding: Binding{Intent: openAlarmIntent, Keys: []string{"enter"}, Scopes: []Scope{AlarmsScope}, Label: "open sale", Group: "move", Help: "open the sale of the chosen alarm"},
			footer:  true, off: (*model).offOpenAlarm, run: func(m *model, _ press) { m.openSale(m.chosenAlarm().sale()) },
		},
	}
}

// alarmAt is an item of the alarms' screen; the zero value is none.
type alarmAt struct {
	views.AlarmItem
	ok bool
}

func (a alarmAt) sale() sale.ID {
	if a.Part == views.ForeignAlarm {
		return a.Foreign.Sale
	}
	return a.Line.Sale
}

func (m *model) openAlarms() {
	m.goTo(views.AlarmsScreen)
	m.followAlarm()
}

// chosenAlarm is the item under the cursor of the alarms' screen.
func (m *model) chosenAlarm() alarmAt {
	items := views.AlarmItems(m.snap, m.now)
	if at := m.lists[views.AlarmsScreen].cursor; at >= 0 && at < len(items) {
		return alarmAt{items[at], true}
	}
	return alarmAt{}
}

// followAlarm puts the focus on the sale of the chosen alarm, so that A acts on what is pointed at.
func (m *model) followAlarm() {
	if m.screen != views.AlarmsScreen {
		return
	}
	if id := m.chosenAlarm().sale(); id != "" && m.snap.Sale(id) != nil {
		m.focus = id
	}
}

func (m *model) offOpenAlarm() string {
	switch a := m.chosenAlarm(); {
	case !a.ok:
		return "no alarm is chosen"
	case m.snap.Sale(a.sale()) == nil:
		return "this alarm is no sale's"
	}
	return ""
}

// shelfTimes are how long an alarm can be put aside for from here.
func shelfTimes() []time.Duration {
	return []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour}
}

// shelfEntries are what the palette can do with the chosen alarm.
func (m *model) shelfEntries() []entry {
	a := m.chosenAlarm()
	if m.screen != views.AlarmsScreen || !a.ok || m.opts.Shelves == nil {
		return nil
	}
	line := a.Line
	if a.Part == views.ShelvedAlarm {
		e := entry{PaletteEntry: views.PaletteEntry{Title: "take " + line.Text + " off its shelf", Help: "list it among the active alarms again", Off: m.offShelf(a)}}
		e.run = func(m *model) { m.unshelve(line) }
		return []entry{e}
	}
	var all []entry
	for _, d := range shelfTimes() {
		e := entry{PaletteEntry: views.PaletteEntry{Title: "shelve " + line.Text + " for " + windowWord(d), Help: "put it aside under your name; it comes back by itself, at once when it turns BAD", Off: m.offShelf(a)}}
		e.run = func(m *model) { m.shelve(line, d) }
		all = append(all, e)
	}
	return all
}

func (m *model) offShelf(a alarmAt) string {
	switch {
	case m.opts.Hands != nil && m.status.Actor.Role == actions.Viewer:
		return "viewer: reads, cannot act"
	case m.shelver() == "":
		return "a shelf needs a name, and nobody is known here"
	case a.Part == views.ForeignAlarm:
		return "not ours: silence it in its own system"
	case a.Part == views.ClearedAlarm:
		return "it is over"
	case a.Part == views.ActiveAlarm && a.Line.Verdict == sale.Bad:
		return "a BAD alarm can't be shelved"
	}
	return ""
}

// shelver is whose name a shelf carries.
func (m *model) shelver() string {
	if name := m.status.Actor.Name; name != "" {
		return sale.Clean(name, 40)
	}
	return m.opts.Header.Operator
}

// shelvedMsg tells how a shelving ended.
type shelvedMsg struct {
	text string
	err  error
}

func (m *model) shelve(line sale.Line, d time.Duration) {
	shelf := sale.Shelf{Who: m.shelver(), At: m.now, Until: m.now.Add(d)}
	shelves := m.opts.Shelves
	ids := append([]sale.ID{line.Sale}, line.Also...)
	text := fmt.Sprintf("%s is shelved by %s until %s", line.Text, shelf.Who, shelf.Until.Format("15:04"))
	m.cmds = append(m.cmds, m.guard.cmd("shelve", func() tea.Msg {
		for _, id := range ids { // a source that is dark hides several sales behind one line
			if err := shelves.Shelve(id, line.Key, shelf); err != nil {
				return shelvedMsg{line.Text, err}
			}
		}
		return shelvedMsg{text, nil}
	}))
}

func (m *model) unshelve(line sale.Line) {
	shelves, who := m.opts.Shelves, m.shelver()
	ids := append([]sale.ID{line.Sale}, line.Also...)
	m.cmds = append(m.cmds, m.guard.cmd("unshelve", func() tea.Msg {
		for _, id := range ids {
			if err := shelves.Unshelve(id, line.Key, who); err != nil {
				return shelvedMsg{line.Text, err}
			}
		}
		return shelvedMsg{line.Text + " is among the active alarms again", nil}
	}))
}

func (m *model) shelved(msg shelvedMsg) {
	if msg.err != nil {
		m.say(sale.Watch, msg.text+": not shelved, "+sale.Clean(msg.err.Error(), 120))
		return
	}
	m.say(sale.OK, msg.text)
}

// actKeys are the keys that act, as they are bound now, for the next move.
func (k *keymap) actKeys() map[string]string {
	keys := map[string]string{}
	for i := range k.rows {
		r := &k.rows[i]
		if r.verb == "" || len(r.Keys) == 0 || r.Intent == rateUpIntent { // a move never proposes a higher rate
			continue
		}
		keys[string(r.verb)] = pretty(r.Keys[0])
	}
	return keys
}
