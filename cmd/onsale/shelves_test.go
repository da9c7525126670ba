package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// alarming is a store with a sale whose declines have been over their watch limit for five minutes.
func alarming(t *testing.T, now time.Time) *sale.Store {
	t.Helper()
	rule := sale.Rule{Above: true, Limit: 0.03, For: 10 * time.Second}
	s := &sale.Sale{ID: "harbour", Opens: now.Add(-time.Hour), Signals: []sale.Spec{{
		Signal: sale.PaymentFailureRatio, Unit: sale.Ratio, Source: "metrics", Cadence: sale.Cadence{Period: 30 * time.Second},
		Rules: sale.Rules{Watch: sale.Thresholds{Default: &rule}},
	}}}
	store := sale.NewStore([]*sale.Sale{s}, []sale.SourceInfo{{Name: "metrics", Cadence: sale.Cadence{Period: 30 * time.Second}}}, sale.Limits{}, now)
	var readings []sale.Reading
	for at := now.Add(-5 * time.Minute); !at.After(now); at = at.Add(30 * time.Second) {
		readings = append(readings, sale.Reading{Key: sale.Key{Sale: "harbour", Signal: sale.PaymentFailureRatio}, Value: 0.04, At: at, FetchedAt: at})
	}
	store.Apply(sale.Batch{Source: "metrics", Seq: 1, Readings: readings, Finished: now}, now)
	if n := len(store.Snapshot().Sale("harbour").Alarms); n != 1 {
		t.Fatalf("%d alarms stand, want one", n)
	}
	return store
}

func openTestJournal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.TempDir()+"/journal", journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestAShelfIsInTheJournalUnderItsName(t *testing.T) {
	now := time.Now()
	store, j := alarming(t, now), openTestJournal(t)
	s := &shelves{store: store, recorder: j, actor: actions.Actor{Name: "mara", Role: actions.Operator, Via: "local"}, log: slog.New(slog.DiscardHandler)}
	shelf := sale.Shelf{Who: "mara", At: now, Until: now.Add(15 * time.Minute)}
	if err := s.Shelve("harbour", "nothing", shelf); err == nil {
		t.Error("an alarm that does not stand was shelved")
	}
	if err := s.Shelve("harbour", "payment_failure_ratio", shelf); err != nil {
		t.Fatal(err)
	}
	if a := store.Snapshot().Sale("harbour").Alarms[0]; a.Shelf.Who != "mara" {
		t.Errorf("the shelf is %+v", a.Shelf)
	}
	if err := s.Unshelve("harbour", "payment_failure_ratio", "ola"); err != nil {
		t.Fatal(err)
	}
	if a := store.Snapshot().Sale("harbour").Alarms[0]; a.Shelf.Who != "" {
		t.Errorf("it stays on its shelf: %+v", a.Shelf)
	}
	records, err := j.List(journal.Filter{Code: "ALM"})
	if err != nil || len(records) != 2 || records[0].Actor.Name != "mara" || records[1].Actor.Name != "ola" {
		t.Errorf("the journal has %+v (%v), want who shelved and who took it back", records, err)
	}
}

func TestAnAcknowledgementInTheJournalAnswersTheAlarm(t *testing.T) {
	now := time.Now()
	store, j := alarming(t, now), openTestJournal(t)
	write := func(action actions.Verb, kind journal.Kind, outcome actions.Outcome, who string) {
		t.Helper()
		rec := journal.Record{Code: "INC20D", Kind: kind, ID: "a1", Sale: "harbour", Action: string(action), Outcome: string(outcome), Actor: journal.Actor{Name: who}}
		if _, err := j.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	look := answers{store: store, recorder: j}
	write(actions.Acknowledge, journal.Result, actions.Failed, "nobody")
	write(actions.Incident, journal.Result, actions.Done, "nobody")
	look.look(now)
	if a := store.Snapshot().Sale("harbour").Alarms[0]; a.Answered.Who != "" {
		t.Fatalf("it counts as answered by %s", a.Answered.Who)
	}
	write(actions.Acknowledge, journal.Result, actions.Done, "mara")
	look.look(now.Add(time.Second))
	if a := store.Snapshot().Sale("harbour").Alarms[0]; a.Answered.Who != "" {
		t.Error("the journal is read every second")
	}
	look.look(now.Add(answersEvery))
	if a := store.Snapshot().Sale("harbour").Alarms[0]; a.Answered.Who != "mara" {
		t.Errorf("answered by %q, want mara", a.Answered.Who)
	}
}
