package actions_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

var night = time.Date(2026, 12, 4, 9, 4, 0, 0, time.UTC)

// written is a journal in the making: each record gets the next number and a second.
type written []journal.Record

func (w *written) add(at time.Duration, r journal.Record) {
	r.Seq, r.TS, r.Sale = uint64(len(*w)+1), night.Add(at), "lantern"
	if r.Actor.Name == "" {
		r.Actor = journal.Actor{Name: "ivana", Via: "ssh"}
	}
	*w = append(*w, r)
}

// act adds an action that was sent at a time and done a second later.
func (w *written) act(at time.Duration, id string, verb actions.Verb, target string, readBack string) {
	t := &journal.Target{System: "pagerduty", Kind: "PagerDuty service", Name: "pager", ID: target}
	w.add(at, journal.Record{Kind: journal.Intent, ID: id, Action: string(verb), Target: t, Text: "it"})
	r := journal.Record{Kind: journal.Result, ID: id, Action: string(verb), Target: t, Outcome: "done", Text: "well"}
	if readBack != "" {
		r.ReadBack = json.RawMessage(readBack)
	}
	w.add(at+time.Second, r)
}

const lanternKey = "onsale/lantern/error_ratio"

func TestTheJournalTellsHowFarAnIncidentHasCome(t *testing.T) {
	var w written
	w.act(0, "a", actions.Incident, lanternKey, "")
	steps := []struct {
		name string
		do   func()
		want sale.Incident
	}{
		{"accepted is not open", func() {}, sale.Incident{Status: sale.IncidentAccepted, Accepted: night.Add(time.Second), Opened: night, OpenedBy: "ivana"}},
		{"acknowledged", func() { w.act(time.Minute, "b", actions.Acknowledge, lanternKey, `{"acknowledged":true}`) }, sale.Incident{
			Status: sale.IncidentAcknowledged, Accepted: night.Add(time.Second), Opened: night, OpenedBy: "ivana", Acknowledged: night.Add(time.Minute), AcknowledgedBy: "ivana",
		}},
		{"acted on", func() { w.act(2*time.Minute, "c", actions.Pause, "room", "") }, sale.Incident{
			Status: sale.IncidentAcknowledged, Accepted: night.Add(time.Second), Opened: night, OpenedBy: "ivana", Acknowledged: night.Add(time.Minute), AcknowledgedBy: "ivana",
			FirstAction: night.Add(2 * time.Minute),
		}},
		{"the effect seen", func() {
			w.add(3*time.Minute, journal.Record{Kind: journal.Effect, ID: "c", Action: "pause", Outcome: string(actions.Seen), Text: "EFFECT SEEN"})
		}, sale.Incident{
			Status: sale.IncidentAcknowledged, Accepted: night.Add(time.Second), Opened: night, OpenedBy: "ivana", Acknowledged: night.Add(time.Minute), AcknowledgedBy: "ivana",
			FirstAction: night.Add(2 * time.Minute), EffectSeen: night.Add(3 * time.Minute),
		}},
		{"resolved", func() { w.act(9*time.Minute, "d", actions.Resolve, lanternKey, `{"incident":"none"}`) }, sale.Incident{
			Status: sale.IncidentResolved, Accepted: night.Add(time.Second), Opened: night, OpenedBy: "ivana", Acknowledged: night.Add(time.Minute), AcknowledgedBy: "ivana",
			FirstAction: night.Add(2 * time.Minute), EffectSeen: night.Add(3 * time.Minute), Resolved: night.Add(9 * time.Minute), ResolvedBy: "ivana",
		}},
	}
	for _, step := range steps {
		step.do()
		step.want.Sale, step.want.Key, step.want.System = "lantern", lanternKey, "pagerduty"
		got := actions.LogOf("lantern", w).Incidents
		if len(got) != 1 || got[0] != step.want {
			t.Fatalf("%s: it is %+v, want %+v", step.name, got, step.want)
		}
	}
	w.act(20*time.Minute, "e", actions.Incident, lanternKey, `{"incident":"open"}`)
	got := actions.LogOf("lantern", w).Incidents
	if len(got) != 2 || got[0].Status != sale.IncidentOpen || !got[0].Opened.Equal(night.Add(20*time.Minute)) || got[1].Status != sale.IncidentResolved {
		t.Errorf("opened again: %+v, want a second one, the newest first", got)
	}
}

func TestWhatMayHaveBeenOpenedIsNoIncident(t *testing.T) {
	var w written
	w.add(0, journal.Record{Kind: journal.Intent, ID: "a", Action: "incident"})
	w.add(time.Second, journal.Record{Kind: journal.Unknown, ID: "a", Action: "incident", Outcome: "unknown"})
	w.add(2*time.Second, journal.Record{Kind: journal.Result, ID: "b", Action: "incident", Outcome: "failed"})
	if got := actions.LogOf("lantern", w).Incidents; len(got) != 0 {
		t.Errorf("there are %+v", got)
	}
}

func TestAnswersToAnIncidentOfSomebodyElseAreKept(t *testing.T) {
	var w written
	w.act(time.Minute, "b", actions.Acknowledge, lanternKey, "")
	got := actions.LogOf("lantern", w).Incidents
	if len(got) != 1 || got[0].Status != sale.IncidentAcknowledged || !got[0].Opened.IsZero() {
		t.Errorf("it is %+v: when it was opened is not known", got)
	}
}

func TestAMitigationOutlivesTheProgram(t *testing.T) {
	var w written
	w.act(0, "a", actions.Incident, lanternKey, "")
	in := actions.LogOf("lantern", w).Incidents[0]
	for i, mitigated := range []bool{true, false, true} {
		r, err := actions.MitigationRecord(in, mitigated)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(i+1) * time.Minute
		w.add(at, r)
		want := time.Time{}
		if mitigated {
			want = night.Add(at)
		}
		if got := actions.LogOf("lantern", w).Incidents[0].MitigatedAt; !got.Equal(want) {
			t.Errorf("mitigated %t: the journal says %s, want %s", mitigated, got, want)
		}
	}
}

func TestTheJournalsLinesOfATimeline(t *testing.T) {
	var w written
	w.act(0, "a", actions.Pause, "room", "")
	w.add(time.Minute, journal.Record{Kind: journal.Effect, ID: "a", Action: "pause", Outcome: string(actions.Seen), Text: "EFFECT SEEN after 62 s", Actor: journal.Actor{Name: "onsale"}})
	w.add(90*time.Second, journal.Record{Kind: journal.Intent, ID: "n", Action: "incident", Text: "open incident for declines"})
	w.add(2*time.Minute, journal.Record{Kind: journal.Intent, ID: "b", Action: "scale-up", Text: "8 → \x1b[31m12"})
	w.add(3*time.Minute, journal.Record{Kind: journal.Refused, ID: "never-sent", Action: "pause", Text: "role"})
	w = append(w, journal.Record{Seq: 99, TS: night, Sale: "kestrel", Kind: journal.Intent, ID: "x", Action: "pause"})
	want := []sale.Event{
		{At: night.Add(2 * time.Minute), Kind: sale.ActionEvent, Text: "scale up 8 → ␛[31m12: sent, not settled", Who: "ivana ssh", Ref: "#5"},
		{At: night.Add(90 * time.Second), Kind: sale.IncidentEvent, Text: "open incident for declines: sent, not settled", Who: "ivana ssh", Ref: "#4"},
		{At: night.Add(time.Minute), Kind: sale.EffectEvent, Text: "pause admission: EFFECT SEEN after 62 s", Who: "onsale", Ref: "#3"},
		{At: night, Kind: sale.ActionEvent, Text: "pause admission it: DONE: well", Who: "ivana ssh", Ref: "#1 #2"},
	}
	got := actions.LogOf("lantern", w).Events
	if len(got) != len(want) {
		t.Fatalf("there are %d lines, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
