package sale

import (
	"testing"
	"time"
)

func TestPhasesBeginAtTheirExactInstants(t *testing.T) {
	full := &Sale{Prequeue: opens.Add(-30 * time.Minute), Opens: opens, Closes: opens.Add(4 * time.Hour)}
	bare := &Sale{Opens: opens}
	short := &Sale{Opens: opens, Closes: opens.Add(5 * time.Minute)}
	tests := []struct {
		name  string
		sale  *Sale
		now   time.Time
		want  Phase
		since time.Time
	}{
		{"long before", full, opens.Add(-24 * time.Hour), Scheduled, time.Time{}},
		{"just before the prequeue", full, opens.Add(-30*time.Minute - 1), Scheduled, time.Time{}},
		{"the prequeue begins", full, opens.Add(-30 * time.Minute), Prequeue, opens.Add(-30 * time.Minute)},
		{"just before the doors open", full, opens.Add(-1), Prequeue, opens.Add(-30 * time.Minute)},
		{"the doors open", full, opens, Opening, opens},
		{"just under ten minutes", full, opens.Add(10*time.Minute - 1), Opening, opens},
		{"ten minutes", full, opens.Add(10 * time.Minute), Live, opens.Add(10 * time.Minute)},
		{"just before the end", full, opens.Add(4*time.Hour - 1), Live, opens.Add(10 * time.Minute)},
		{"the end", full, opens.Add(4 * time.Hour), Closed, opens.Add(4 * time.Hour)},
		{"no prequeue declared", bare, opens.Add(-1), Scheduled, time.Time{}},
		{"no end declared", bare, opens.Add(1000 * time.Hour), Live, opens.Add(10 * time.Minute)},
		{"an end within the opening", short, opens.Add(5 * time.Minute), Closed, opens.Add(5 * time.Minute)},
		{"no opening declared", &Sale{}, opens, Scheduled, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := PhaseAt(tt.sale, tt.now); got != tt.want {
				t.Errorf("PhaseAt is %s, want %s", got, tt.want)
			}
			st := NewStore([]*Sale{tt.sale}, nil, Limits{}, tt.now).Snapshot().Sales[0]
			if st.Phase != tt.want || !st.PhaseSince.Equal(tt.since) {
				t.Errorf("the store says %s since %s, want %s since %s", st.Phase, st.PhaseSince, tt.want, tt.since)
			}
		})
	}
}

func TestTicksAloneMoveThePhaseAtItsInstant(t *testing.T) {
	n := newNight(t, opens.Add(-2*time.Hour))
	at := map[Phase]time.Time{}
	for now := opens.Add(-2 * time.Hour); now.Before(opens.Add(5 * time.Hour)); now = now.Add(30 * s) {
		n.Tick(now)
		if p := n.state().Phase; at[p].IsZero() {
			at[p] = now
		}
	}
	want := map[Phase]time.Time{Scheduled: opens.Add(-2 * time.Hour), Prequeue: opens.Add(-time.Hour), Opening: opens, Live: opens.Add(10 * time.Minute), Closed: opens.Add(4 * time.Hour)}
	for p, when := range want {
		if !at[p].Equal(when) {
			t.Errorf("%s began at %s, want %s", p, at[p], when)
		}
	}
}

func TestPhasesFollowInstantsAndNotWallClocks(t *testing.T) {
	zagreb, err := time.LoadLocation("Europe/Zagreb")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	// The clocks go back from 03:00 to 02:00: half past two happens twice.
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(zagreb)
	second := first.Add(time.Hour)
	if first.Format("15:04") != second.Format("15:04") {
		t.Fatalf("%s and %s", first, second)
	}
	sale := &Sale{Opens: second, Prequeue: first}
	if got := PhaseAt(sale, first); got != Prequeue {
		t.Errorf("at the first half past two it is %s", got)
	}
	if got := PhaseAt(sale, second.Add(-1)); got != Prequeue {
		t.Errorf("just before the second half past two it is %s", got)
	}
	if got := PhaseAt(sale, second.UTC()); got != Opening {
		t.Errorf("at the second half past two it is %s", got)
	}
}

// left polls the stock alone.
func (n *night) left(v float64) {
	n.t.Helper()
	n.now = n.now.Add(5 * s)
	n.poll("metrics", at(n.now, TicketsLeft, v))
}

func TestATailBeginsAtTwoPerCentAndEndsAboveFour(t *testing.T) {
	n := newNight(t, live) // 10,000 tickets
	steps := []struct {
		left float64
		want Phase
	}{{7000, Live}, {201, Live}, {200, Tail}, {0, Tail}, {300, Tail}, {400, Tail}, {401, Live}, {300, Live}, {-3, Tail}}
	for i, step := range steps {
		n.left(step.left)
		if got := n.state().Phase; got != step.want {
			t.Errorf("step %d, %v left: %s, want %s", i, step.left, got, step.want)
		}
	}
	if st := n.state(); !st.PhaseSince.Equal(n.now) || st.Needed != 1 {
		t.Errorf("since %s, %d needed", st.PhaseSince, st.Needed)
	}
}

func TestATailIsOnlyBegunByStockThatIsSeen(t *testing.T) {
	stale := newNight(t, live)
	stale.poll("metrics", at(live.Add(-time.Minute), TicketsLeft, 10))
	if got := stale.state().Phase; got != Live {
		t.Errorf("stale stock makes it %s", got)
	}
	early := newNight(t, opens.Add(9*time.Minute))
	early.left(10)
	if got := early.state().Phase; got != Opening {
		t.Errorf("in the first ten minutes it is %s", got)
	}
	for range 12 {
		early.left(10)
	}
	if st := early.state(); st.Phase != Tail || !st.PhaseSince.Equal(opens.Add(10*time.Minute)) {
		t.Errorf("after them it is %s since %s", st.Phase, st.PhaseSince)
	}
	slow := harbour(t)
	slow.Signals[3].Cadence = every(time.Hour)
	before := newNight(t, opens.Add(10*time.Minute), slow)
	before.poll("metrics", at(opens.Add(-s), TicketsLeft, 0))
	if got := before.signal(TicketsLeft).Freshness; got != Fresh {
		t.Fatalf("the stock is %s", got)
	}
	if got := before.state().Phase; got != Live {
		t.Errorf("stock from before the opening makes it %s", got)
	}
	sale := harbour(t)
	sale.Tickets = 0
	undeclared := newNight(t, live, sale)
	undeclared.left(0)
	if got := undeclared.state().Phase; got != Live {
		t.Errorf("without a declared number of tickets it is %s", got)
	}
}

func TestATailStaysWhenItsStockIsSeenNoMore(t *testing.T) {
	n := newNight(t, live)
	n.left(150)
	n.pass(time.Hour)
	if st := n.state(); st.Phase != Tail || st.Verdict != Unknown {
		t.Errorf("an hour later: %s, %s", st.Phase, st.Verdict)
	}
	n.pass(4 * time.Hour)
	if got := n.state().Phase; got != Closed {
		t.Errorf("after its end: %s", got)
	}
}

func TestARevisedStockCanTakeATailBack(t *testing.T) {
	n := newNight(t, live)
	n.left(150)
	n.poll("metrics", at(n.now, TicketsLeft, 5000))
	if got := n.state().Phase; got != Live {
		t.Errorf("the sample that began the tail was revised, yet it is %s", got)
	}
}
