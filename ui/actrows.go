package ui

import "github.com/onsale-dev/onsale/actions"

// actGroup is the row of the help page with the keys that act.
const actGroup = "act on"

// The intents that act, and the journal's.
const (
	scaleUpIntent     Intent = "scale-up"
	scaleBackIntent   Intent = "scale-back"
	incidentIntent    Intent = "incident"
	acknowledgeIntent Intent = "acknowledge"
	resolveIntent     Intent = "resolve"
	silenceIntent     Intent = "silence"
	pauseIntent       Intent = "pause"
	resumeIntent      Intent = "resume"
	rateUpIntent      Intent = "rate-up"
	rateDownIntent    Intent = "rate-down"
	undoIntent        Intent = "undo"
	noteIntent        Intent = "note"
	journalIntent     Intent = "journal"
	disarmIntent      Intent = "disarm"
	reasonIntent      Intent = "reason"
)

// actRows are the keys that act on the sale in focus. Each opens a panel that has to be
// confirmed; none sends anything by itself.
func actRows() []row {
	rows := []row{
		actRow(pauseIntent, "P", actions.Pause, "pause admission", "let nobody in for now; those who wait keep their place"),
		actRow(resumeIntent, "R", actions.Resume, "resume admission", "let people in again, as a ramp that stops by itself when a health signal turns bad"),
		actRow(rateUpIntent, "+", actions.Rate, "admission rate", "set a higher limit of admission, as an absolute number"),
		actRow(rateDownIntent, "-", actions.Rate, "admission rate", "set a lower limit of admission, as an absolute number"),
		actRow(scaleUpIntent, "S", actions.ScaleUp, "scale up", "raise the capacity behind the sale"),
		actRow(scaleBackIntent, "s", actions.ScaleBack, "scale back", "lower the capacity behind the sale again"),
		actRow(incidentIntent, "I", actions.Incident, "open incident", "open an incident with the cause, the last figures and the links"),
		actRow(acknowledgeIntent, "A", actions.Acknowledge, "acknowledge", "say that you look after the sale's incident"),
		actRow(resolveIntent, "", actions.Resolve, "resolve incident", "close the sale's incident"),
		actRow(silenceIntent, "", actions.Silence, "silence alerts", "mute the sale's alerts in Alertmanager for half an hour; undo expires it"),
		actRow(undoIntent, "U", actions.Undo, "undo", "put back what the last action on the sale changed"),
		actRow(noteIntent, "N", actions.AddNote, "note", "write a note to the journal and to the open incident"),
	}
	for i := range rows {
		if rows[i].verb == actions.Acknowledge {
			rows[i].Scopes = append(rows[i].Scopes, AlarmsScope)
		}
	}
	return append(rows, row{
		Binding: Binding{Intent: journalIntent, Keys: []string{"J"}, Scopes: []Scope{ScreensScope}, Label: "journal", Group: "screens", Help: "show what was done, by whom, why and how it ended"},
		footer:  true, off: (*model).offJournal, run: func(m *model, _ press) { m.openJournal() },
	})
}

func actRow(intent Intent, key string, verb actions.Verb, label, help string) row {
	r := row{
		Binding: Binding{Intent: intent, Scopes: []Scope{OverviewScope, SaleScope}, Label: label, Group: actGroup, Help: help},
		footer:  true, verb: verb,
		off: func(m *model) string { return m.offVerb(verb, "") },
	}
	if key != "" {
		r.Keys = []string{key}
	}
	r.run = func(m *model, p press) { m.act(intent, verb, label, p.key) }
	return r
}

func panelRows() []row {
	return []row{
		{
			Binding: Binding{Intent: disarmIntent, Keys: []string{"esc"}, Scopes: []Scope{ConfirmScope}, Label: "disarm", Group: "dialog", Help: "disarm and close the panel of an action; nothing is sent", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.disarm(actions.ByEscape) },
		},
		{
			Binding: Binding{Intent: reasonIntent, Keys: []string{"tab"}, Scopes: []Scope{ConfirmScope}, Label: "reason", Group: "dialog", Help: "edit the reason of an action; the countdown stands still and begins anew", Fixed: true},
			hidden:  true, run: func(m *model, _ press) { m.editFields() },
		},
	}
}
