package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// The codes of what people say of alarms in the journal. Nothing is sent anywhere for them.
const (
	codeShelved   = "ALM10N"
	codeUnshelved = "ALM20N"
)

// shelves puts alarms aside in the store, which every session shares, and writes down who did.
type shelves struct {
	store    *sale.Store
	recorder actions.Recorder // nil: no journal is kept
	actor    actions.Actor
	log      *slog.Logger
}

func (s *shelves) Shelve(id sale.ID, key string, shelf sale.Shelf) error {
	if err := s.store.Shelve(id, key, shelf); err != nil {
		return err
	}
	s.note(codeShelved, id, "shelve", key+" until "+shelf.Until.UTC().Format(time.RFC3339), shelf.Who)
	return nil
}

func (s *shelves) Unshelve(id sale.ID, key, who string) error {
	s.store.Unshelve(id, key)
	s.note(codeUnshelved, id, "unshelve", key, who)
	return nil
}

// note writes it down as far as it can be: a shelf that the journal misses still ends by itself.
func (s *shelves) note(code string, id sale.ID, action, text, who string) {
	s.log.Info(action, "sale", string(id), "alarm", text, "who", who)
	if s.recorder == nil {
		return
	}
	rec := journal.Record{
		Code: code, Kind: journal.Note, ID: code + "-" + string(id), Sale: string(id), Action: action, Text: text,
		Actor: journal.Actor{Name: who, Role: string(s.actor.Role), Via: s.actor.Via},
	}
	if _, err := s.recorder.Append(context.Background(), rec); err != nil {
		s.log.Warn("the journal misses a shelf", "why", err.Error())
	}
}

// answeredFor is how far back an acknowledgement in the journal still answers alarms, and
// answersEvery how often it is looked for: other cockpits write it too.
const (
	answeredFor  = 12 * time.Hour
	answersEvery = 5 * time.Second
)

// answers tells the store who acknowledged what, from the journal.
type answers struct {
	store    *sale.Store
	recorder actions.Recorder
	after    uint64 // the newest record that was looked at
	next     time.Time
}

func (a *answers) look(now time.Time) {
	if now.Before(a.next) {
		return
	}
	a.next = now.Add(answersEvery)
	records, err := a.recorder.List(journal.Filter{Action: string(actions.Acknowledge), Kinds: []journal.Kind{journal.Result}, Since: now.Add(-answeredFor), After: a.after})
	if err != nil {
		return // the header says loudly enough that the journal is broken
	}
	for i := range records {
		r := &records[i]
		a.after = max(a.after, r.Seq)
		if r.Outcome == string(actions.Done) {
			a.store.Acknowledge(sale.ID(r.Sale), r.Actor.Name, r.TS)
		}
	}
}
