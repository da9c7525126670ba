package shop

import (
	"math"
	"testing"
	"time"
)

// change edits the main sale's room.
func (w *World) change(t *testing.T, sale string, edit func(r *Room)) {
	t.Helper()
	r, ok := w.Room(w.byID[sale].Declared.Room)
	if !ok {
		t.Fatal("no such room")
	}
	edit(&r)
	if _, ok := w.SetRoom(r.ID, r, w.Now()); !ok {
		t.Fatal("no such room")
	}
}

func TestQueueAllStopsAdmissionWithinSecondsAndKeepsThePeopleOnTheSite(t *testing.T) {
	w := play(t, Options{Seed: 2})
	s := w.byID[Main]
	active := s.now.Active
	w.change(t, Main, func(r *Room) { r.QueueAll = true })
	if w.Advance(1); s.now.Admitted == 0 {
		t.Error("admission stopped at once: a real gate takes some seconds")
	}
	w.run(10 * time.Second)
	queue := s.now.Queue
	for range 120 {
		w.Advance(1)
		if s.now.Admitted != 0 {
			t.Fatal("somebody was let in through a closed gate")
		}
	}
	if s.now.Queue <= queue {
		t.Error("the queue of a closed gate does not grow")
	}
	if want := active * math.Exp(-130.0/360); math.Abs(s.now.Active-want) > 0.04*want {
		t.Errorf("%.0f people are still on the site, %.0f expected", s.now.Active, want)
	}
	w.change(t, Main, func(r *Room) { r.QueueAll = false })
	w.run(75 * time.Second)
	if got := w.Truth(w.Now()).Sales[Main]["admission_rate"]; math.Abs(got-800) > 40 {
		t.Errorf("after the release %.0f a minute are let in", got)
	}
}

func TestANewRateArrivesOverOneToTwoMinutes(t *testing.T) {
	w := play(t, Options{Seed: 2})
	w.change(t, Main, func(r *Room) { r.NewUsersPerMinute = 400 })
	limit := func() float64 { return w.byID[Main].gate.limit.now() }
	if w.run(20 * time.Second); limit() < 600 {
		t.Errorf("after 20 s the gate works with %.0f already", limit())
	}
	if w.run(100 * time.Second); limit() != 400 {
		t.Errorf("after two minutes the gate works with %.0f", limit())
	}
	if w.run(65 * time.Second); math.Abs(w.Truth(w.Now()).Sales[Main]["admission_rate"]-400) > 20 {
		t.Errorf("%.0f a minute are let in at a limit of 400", w.Truth(w.Now()).Sales[Main]["admission_rate"])
	}
	for range 5 { // the plan's own steps are over, and nobody sets it back
		w.run(time.Minute)
	}
	if limit() != 400 {
		t.Error("the plan overruled a hand")
	}
}

func TestThePlanLeavesARoomAloneThatAHandHasSet(t *testing.T) {
	w := play(t, Options{Seed: 2})
	w.change(t, "saffron", func(r *Room) { r.NewUsersPerMinute = 250 })
	w.run(5 * time.Minute)
	if r, _ := w.Room(w.byID["saffron"].Declared.Room); r.NewUsersPerMinute != 250 {
		t.Errorf("the plan set the rate to %d", r.NewUsersPerMinute)
	}
}

func TestAnActiveEventsValuesWinOverItsRooms(t *testing.T) {
	w := play(t, Options{Seed: 2})
	w.change(t, "kestrel", func(r *Room) { r.NewUsersPerMinute = 200 })
	w.run(4 * time.Minute)
	v := w.Truth(w.Now()).Sales["kestrel"]
	if v["admission_limit"] != 400 || math.Abs(v["admission_rate"]-400) > 25 {
		t.Errorf("the limit is %.0f and %.0f are let in, though the event says 400", v["admission_limit"], v["admission_rate"])
	}
	w.change(t, "kestrel", func(r *Room) { r.QueueAll = true })
	w.run(75 * time.Second)
	if got := w.Truth(w.Now()).Sales["kestrel"]["admission_rate"]; got != 0 {
		t.Errorf("queue_all must win over an event, yet %.0f are let in", got)
	}
}

func TestASuspendedRoomLetsEverybodyInAndTheSiteBreaks(t *testing.T) {
	w := play(t, Options{Seed: 2})
	w.change(t, Main, func(r *Room) { r.Suspended = true })
	w.run(3 * time.Minute)
	v := w.Truth(w.Now()).Sales[Main]
	if v["waiting_now"] > 100 || v["latency_p95_seconds"] < 3 {
		t.Errorf("after the gate fell: %.0f wait, p95 %.2f s", v["waiting_now"], v["latency_p95_seconds"])
	}
	if st, _ := w.Status(w.byID[Main].Declared.Room, w.Now()); st.State != StatusSuspended {
		t.Errorf("the room says %s", st.State)
	}
}

func TestStatusEstimatesAreTwentyToFiftySecondsOldAndKeptForThirty(t *testing.T) {
	w := play(t, Options{Seed: 2})
	room := w.byID[Prequeued].Declared.Room // its queue grows every second
	past := map[int]int64{}
	seen := map[int]bool{}
	for range 200 {
		w.Advance(1)
		past[int(w.byID[Prequeued].now.Queue)] = w.at.Unix()
		st, _ := w.Status(room, w.Now())
		seen[st.Queued] = true
		if when, ok := past[st.Queued]; ok {
			if age := w.at.Unix() - when; age < statusAge-1 || age > statusAge+statusEvery {
				t.Fatalf("an estimate is %d s old", age)
			}
		}
		if st.State != StatusPrequeueing || st.EventID == "" || st.MaxWaitInMinutes < 60 {
			t.Fatalf("the prequeue says %+v", st)
		}
	}
	if len(seen) < 6 || len(seen) > 9 {
		t.Errorf("200 s showed %d estimates", len(seen))
	}
}

func TestWhatIsDoneIsInTheLedgerOnce(t *testing.T) {
	w := play(t, Options{Seed: 2})
	before := len(w.Truth(w.Now()).Ledger)
	w.change(t, Main, func(r *Room) { r.QueueAll = true; r.NewUsersPerMinute = 640 })
	w.change(t, Main, func(r *Room) {})
	got := w.Truth(w.Now()).Ledger[before:]
	if len(got) != 2 || got[0].What != "new_users_per_minute" || got[0].From != 800 || got[0].To != 640 || got[1].What != "queue_all" || got[1].By != "cloudflare" || got[1].Sale != Main {
		t.Errorf("the ledger says %+v", got)
	}
}

func TestHostsComeAfterTheirBootAndTheLedgerSaysSo(t *testing.T) {
	w := play(t, Options{Seed: 3, Scenario: "surge-at-opening"})
	s := w.byID[Prequeued]
	asked := 0
	for range 900 {
		w.Advance(1)
		if s.fleet.g.Desired > 32 && asked == 0 {
			asked = s.clock
		}
		if s.fleet.serving > 32 {
			if took := s.clock - asked; took < 44 || took > 92 {
				t.Errorf("the first host was in service after %d s", took)
			}
			break
		}
	}
	if asked == 0 {
		t.Fatal("no host was asked for")
	}
	for _, e := range w.Truth(w.Now()).Ledger {
		if e.By == "autoscaling" && e.Sale == Prequeued {
			return
		}
	}
	t.Error("the ledger does not tell of the scaling")
}
