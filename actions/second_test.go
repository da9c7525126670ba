package actions_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
)

func needsSecond(c *actions.Config) {
	c.Policy.Requirements = []actions.Requirement{{Second: true}}
}

// leaningOn confirms a preview that leans on an agreement.
func (w *world) leaningOn(id string, who actions.Actor, p actions.Preview) actions.Result {
	w.t.Helper()
	a, no := w.Arm(who, p, time.Minute)
	if no != nil {
		w.t.Fatal(no)
	}
	return w.Run(w.t.Context(), who, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now(), Approval: id})
}

func (w *world) ask(who actions.Actor, p actions.Preview) string {
	w.t.Helper()
	id, no := w.Ask(w.t.Context(), who, p)
	if no != nil {
		w.t.Fatal(no)
	}
	return id
}

// asked is the newest request as this cockpit sees it.
func (w *world) asked() actions.Asked {
	w.t.Helper()
	all, err := w.Requests()
	if err != nil || len(all) == 0 {
		w.t.Fatalf("%d requests, %v", len(all), err)
	}
	return all[len(all)-1]
}

func TestAnotherCockpitSeesWhatIsAskedAndAgreesThroughTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newWorld(t, needsSecond)
		b := join(t, a.system, a.dir, needsSecond)
		p := a.show(vesna, rate(400))
		id := a.ask(vesna, p)
		seen := b.asked()
		if seen.ID != id || seen.Stage != actions.AskWaiting || seen.Requester.Name != "vesna" || seen.Change != "rate 800 → 400" ||
			seen.Request.Reason != "declines" || *seen.Request.To != 400 || len(seen.Evidence) != 2 || !strings.HasPrefix(seen.Evidence[0].String(), "admitted 800/min") ||
			seen.Left.Round(time.Second) != 5*time.Minute {
			t.Errorf("%+v", seen)
		}
		asked, shown := b.Review(t.Context(), tomo, id)
		if shown.Refused() || shown.Token() != p.Token() || asked.Token != p.Token() {
			t.Errorf("%+v", shown)
		}
		if _, own := a.Review(t.Context(), vesna, id); !own.Refused() || !strings.Contains(own.Refusals[0].Text, "another person must agree") {
			t.Errorf("%+v", own.Refusals)
		}
		if no := b.Answer(t.Context(), tomo, id, shown.Token(), true, ""); no != nil {
			t.Fatal(no)
		}
		if now := a.asked(); now.Stage != actions.AskAgreed || now.Answerer.Name != "tomo" || now.Left.Round(time.Second) != time.Minute {
			t.Errorf("%+v", now)
		}
		if no := b.Answer(t.Context(), actions.Actor{Name: "ana", Role: actions.Operator}, id, shown.Token(), true, ""); no == nil || !strings.Contains(no.Text, "tomo has agreed already") {
			t.Errorf("%+v", no)
		}
		refusedBy(t, b.leaningOn(id, tomo, b.show(tomo, rate(400))), actions.GuardSecond) // it was not tomo who asked
		if res := a.leaningOn(id, vesna, p); res.Outcome != actions.Done {
			t.Errorf("%+v", res)
		}
		if now := b.asked(); now.Stage != actions.AskUsed {
			t.Errorf("%+v", now)
		}
		intents, _ := a.j.List(journal.Filter{Kinds: []journal.Kind{journal.Intent}})
		if len(intents) != 1 || intents[0].Approver == nil || intents[0].Approver.Name != "tomo" || intents[0].Approval != id {
			t.Errorf("%+v", intents)
		}
		a.wrote(1)
		a.whole()
	})
}

func TestAnAgreementIsGoodOnceAcrossCockpits(t *testing.T) {
	a := newWorld(t, needsSecond)
	b := join(t, a.system, a.dir, needsSecond)
	p := a.show(vesna, rate(400))
	id := a.ask(vesna, p)
	if no := b.Approve(t.Context(), tomo, id, p); no != nil {
		t.Fatal(no)
	}
	if res := a.leaningOn(id, vesna, p); res.Outcome != actions.Done {
		t.Fatalf("%+v", res)
	}
	a.system.Set("vesna", "rate", actions.Number(800))
	refusedBy(t, b.leaningOn(id, vesna, b.show(vesna, rate(400))), actions.GuardSecond) // her session elsewhere
	a.wrote(1)
}

func TestWhatWasAskedForMustStillBeTheSame(t *testing.T) {
	a := newWorld(t, needsSecond)
	p := a.show(vesna, rate(400))
	id := a.ask(vesna, p)
	a.system.Set("marko", "rate", actions.Number(600))
	if _, q := a.Review(t.Context(), tomo, id); !q.Refused() || q.Refusals[0].Guard != actions.GuardChanged || !strings.Contains(q.Refusals[0].Text, "rate 800 → 400 was asked for, now it would be rate 600 → 400") {
		t.Errorf("%+v", q.Refusals)
	}
	now := a.show(tomo, rate(400))
	if no := a.Answer(t.Context(), tomo, id, now.Token(), true, ""); no == nil {
		t.Error("an agreement to what was not asked for")
	}
}

func TestADeclineEndsARequestAlsoAfterAnAgreement(t *testing.T) {
	for name, c := range map[string]struct {
		who   actions.Actor
		first bool // somebody agrees before
		says  string
	}{
		"a second person declines":      {tomo, false, "declines as the second person"},
		"whoever asked withdraws":       {vesna, false, "withdraws the request"},
		"an agreement is taken back":    {tomo, true, "declines as the second person"},
		"it is withdrawn though agreed": {vesna, true, "withdraws the request"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, needsSecond)
			p := w.show(vesna, rate(400))
			id := w.ask(vesna, p)
			if c.first {
				if no := w.Approve(t.Context(), tomo, id, p); no != nil {
					t.Fatal(no)
				}
			}
			if no := w.Answer(t.Context(), c.who, id, "", false, "not while \x1b[2J the queue is full"); no != nil {
				t.Fatal(no)
			}
			if last := w.last(); last.Code != "APR30N" || !strings.HasPrefix(last.Text, c.says) || last.Actor.Name != c.who.Name {
				t.Errorf("%+v", last)
			}
			now := w.asked()
			if now.Stage != actions.AskDeclined || now.Answerer.Name != c.who.Name || strings.Contains(now.Reason, "\x1b") {
				t.Errorf("%+v", now)
			}
			refusedBy(t, w.leaningOn(id, vesna, p), actions.GuardSecond)
			if no := w.Approve(t.Context(), tomo, id, p); no == nil {
				t.Error("what was declined can be agreed to")
			}
			w.wrote(0)
		})
	}
}

func TestADeclineThatComesAsTheActionIsConfirmedStopsIt(t *testing.T) {
	w := newWorld(t, needsSecond)
	p := w.show(vesna, rate(400))
	id := w.ask(vesna, p)
	if no := w.Approve(t.Context(), tomo, id, p); no != nil {
		t.Fatal(no)
	}
	other := join(t, w.system, w.dir, needsSecond)
	w.rec.hook = func(k journal.Kind) error {
		if k == journal.Intent {
			w.rec.hook = nil
			if no := other.Answer(t.Context(), tomo, id, "", false, "stop"); no != nil {
				t.Error(no)
			}
		}
		return nil
	}
	refusedBy(t, w.leaningOn(id, vesna, p), actions.GuardSecond)
	w.wrote(0)
}

func TestNobodyWithoutTheRoleAnswersAndItIsRecorded(t *testing.T) {
	w := newWorld(t, needsSecond)
	p := w.show(vesna, rate(400))
	id := w.ask(vesna, p)
	for _, agree := range []bool{true, false} {
		if no := w.Answer(t.Context(), zrin, id, p.Token(), agree, ""); no == nil || no.Guard != actions.GuardRole {
			t.Errorf("agree %v: %+v", agree, no)
		}
	}
	if last := w.last(); last.Kind != journal.Refused || last.Actor.Name != "zrin" || last.Action != "rate" {
		t.Errorf("%+v", last)
	}
	wall := join(t, w.system, w.dir, func(c *actions.Config) { c.Policy.ReadOnly = true })
	if no := wall.Answer(t.Context(), tomo, id, p.Token(), true, ""); no == nil || no.Guard != actions.GuardArmed {
		t.Errorf("a read-only cockpit answers: %+v", no)
	}
	if now := w.asked(); now.Stage != actions.AskWaiting {
		t.Errorf("%+v", now)
	}
}

func TestAnUndoANoteAndAPlayCanBeAskedForAndReviewed(t *testing.T) {
	w := newWorld(t, needsSecond, plays(actions.PlayStep{Verb: actions.Rate, To: num(400)}, actions.PlayStep{Verb: actions.Pause}))
	free := join(t, w.system, w.dir)
	free.do(vesna, rate(600))
	for _, req := range []actions.Request{
		{Sale: harbour, Verb: actions.Undo},
		{Sale: harbour, Verb: actions.AddNote, Text: "called the bank"},
		calm,
	} {
		p := w.show(vesna, req)
		_, q := w.Review(t.Context(), tomo, w.ask(vesna, p))
		if q.Refused() || q.Token() != p.Token() || len(q.Steps) != len(p.Steps) {
			t.Errorf("%s: %+v, %s and %s", req.Verb, q.Refusals, p.Change, q.Change)
		}
	}
}

func TestAForgedAgreementOfTheRequesterCountsForNothing(t *testing.T) {
	w := newWorld(t, needsSecond)
	p := w.show(vesna, rate(400))
	id := w.ask(vesna, p)
	for _, who := range []journal.Actor{{Name: "vesna"}, {Name: "v", Fingerprint: vesna.Fingerprint}} { // by a program that doesn't ask
		rec := journal.Record{Code: "APR20N", Kind: journal.Note, ID: id, Actor: who, Ask: &journal.Ask{Token: p.Token()}}
		if _, err := w.j.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.j.Append(t.Context(), journal.Record{Code: "APR20N", Kind: journal.Note, ID: id, Actor: journal.Actor{Name: "tomo"}, Ask: &journal.Ask{Token: "another"}}); err != nil {
		t.Fatal(err)
	}
	if now := w.asked(); now.Stage != actions.AskWaiting {
		t.Errorf("%+v", now)
	}
	refusedBy(t, w.leaningOn(id, vesna, p), actions.GuardSecond)
}
