package sale

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// declines polls the harbour's sources every five seconds for a while with a ratio of declines.
func (n *night) declines(v float64, d time.Duration) {
	n.t.Helper()
	for range int(d / (5 * time.Second)) {
		n.now = n.now.Add(5 * time.Second)
		n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120),
			at(n.now, PaymentFailureRatio, v), at(n.now, TicketsLeft, 7000))
		if n.now.Second() == 0 {
			n.poll("aws", at(n.now.Add(-2*time.Minute), DBConnections, 800))
		}
	}
}

func (n *night) board() Board { return n.Snapshot().Board(n.now) }

func keys(lines []Line) string {
	var all []string
	for _, l := range lines {
		all = append(all, fmt.Sprintf("%s %s %s", l.Sale, l.Key, l.Verdict))
	}
	return strings.Join(all, ", ")
}

func TestAnAlarmComesAfterAMinuteAndGoesAfterTwo(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.01, time.Minute)
	began := n.now.Add(5 * time.Second)
	n.declines(0.07, time.Minute) // the last sample is 55 s after the first bad one
	n.want(Bad)
	if got := n.state().Alarms; len(got) != 0 {
		t.Fatalf("an alarm after 55 s: %+v", got)
	}
	n.declines(0.07, 5*time.Second)
	alarms := n.state().Alarms
	if len(alarms) != 1 || alarms[0].Key != "payment_failure_ratio" || alarms[0].Verdict != Bad {
		t.Fatalf("after a minute the alarms are %+v", alarms)
	}
	if a := alarms[0]; !a.Since.Equal(began) || !a.Raised.Equal(began.Add(time.Minute)) || a.Value != "7.0 % > 5.0 %" || a.Text != "declines" && a.Text != "payment declines" {
		t.Errorf("the alarm is %+v, began at %s", a, began)
	}
	n.declines(0.026, 4*time.Minute) // inside the limit of 3 %, and under 90 % of it
	if got := n.state().Alarms; len(got) != 0 {
		t.Errorf("four minutes under nine tenths of the limit leave %+v", got)
	}
	cleared := n.Snapshot().Cleared
	if len(cleared) != 1 || cleared[0].Key != "payment_failure_ratio" {
		t.Fatalf("cleared are %+v", cleared)
	}
	calm := began.Add(65 * time.Second) // the first good sample
	if got := cleared[0].At.Sub(calm); got < ClearAfter || got > ClearAfter+10*time.Second {
		t.Errorf("it cleared %s after the first good sample, want two minutes", got)
	}
}

func TestBetweenNineTenthsAndTheLimitAnAlarmStands(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.07, 2*time.Minute)
	n.declines(0.029, 10*time.Minute) // under 3 %, over 2.7 %
	if got := n.state().Alarms; len(got) != 1 {
		t.Errorf("ten minutes just under the limit leave %d alarms, want the one", len(got))
	}
}

func TestAnAlarmThatCantBeSeenAnyMoreDoesNotClear(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.07, 2*time.Minute)
	n.pass(10 * time.Minute)
	n.want(Unknown)
	got := keys(n.board().Active)
	if !strings.Contains(got, "payment_failure_ratio") || !strings.Contains(got, "source:metrics unknown") {
		t.Errorf("after ten minutes in the dark the alarms are %s", got)
	}
}

func TestADarkSourceIsOneLineHoweverManySalesItHides(t *testing.T) {
	var sales []*Sale
	for i := range 5 {
		s := harbour(t)
		s.ID = ID(fmt.Sprintf("harbour-%d", i))
		sales = append(sales, s)
	}
	n := newNight(t, live, sales...)
	n.fail("metrics", Problem{Class: Unreachable, Text: "connection refused"})
	n.pass(2 * time.Minute)
	b := n.board()
	if i := slices.IndexFunc(b.Active, func(l Line) bool { return l.Key == "source:metrics" }); i < 0 || len(b.Active[i].Also) != 4 {
		t.Fatalf("the alarms are %s", keys(b.Active))
	}
	if b.New > 2 { // metrics and aws
		t.Errorf("%d new alarms for two dark sources", b.New)
	}
}

// crowd is a snapshot with n alarms of different sales, raised one second after another.
func crowd(n int, v Verdict, from time.Time) *Snapshot {
	snap := &Snapshot{At: from}
	for i := range n {
		id := ID(fmt.Sprintf("s%02d", i))
		st := &State{Sale: &Sale{ID: id, Opens: opens}, Phase: Live, Verdict: v}
		st.Alarms = []Alarm{{Sale: id, Key: "k", Verdict: v, Raised: from.Add(time.Duration(i) * time.Second)}}
		snap.Sales = append(snap.Sales, st)
	}
	return snap
}

func TestAFloodIsFoldedButNeverItsWorst(t *testing.T) {
	snap := crowd(25, Watch, live)
	snap.Sales[24].Alarms[0].Verdict = Bad
	b := snap.Board(live.Add(time.Minute))
	if len(b.Active) != FloodLimit || b.More != 15 || b.New != 25 {
		t.Fatalf("%d shown, %d more, %d new; want 10, 15, 25", len(b.Active), b.More, b.New)
	}
	if b.Active[0].Sale != "s24" {
		t.Errorf("on top is %s, want the only BAD one", b.Active[0].Sale)
	}
	if sum := b.PerMinute[8] + b.PerMinute[9]; sum != 25 {
		t.Errorf("per minute %v, want all 25 in the last two", b.PerMinute)
	}
	if later := snap.Board(live.Add(20 * time.Minute)); later.More != 0 || later.New != 0 || len(later.Active) != 25 {
		t.Errorf("when nothing is new: %d shown, %d more, %d new", len(later.Active), later.More, later.New)
	}
}

func TestAShelfHasANameAndAnEndAndNeverHidesABadAlarm(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.04, 2*time.Minute)
	shelf := Shelf{Who: "mara", Why: "known batch", At: n.now, Until: n.now.Add(15 * time.Minute)}
	for name, bad := range map[string]Shelf{
		"no name": {At: n.now, Until: n.now.Add(time.Minute)},
		"no end":  {Who: "mara", At: n.now},
		"too far": {Who: "mara", At: n.now, Until: n.now.Add(9 * time.Hour)},
	} {
		if n.Shelve("harbour", "payment_failure_ratio", bad) == nil {
			t.Errorf("a shelf with %s was taken", name)
		}
	}
	if n.Shelve("harbour", "nothing", shelf) == nil || n.Shelve("elsewhere", "payment_failure_ratio", shelf) == nil {
		t.Error("an alarm that does not stand was shelved")
	}
	if err := n.Shelve("harbour", "payment_failure_ratio", shelf); err != nil {
		t.Fatal(err)
	}
	if b := n.board(); len(b.Active) != 0 || len(b.Shelved) != 1 || b.Shelved[0].Shelf.Who != "mara" {
		t.Fatalf("the board is %+v", b)
	}
	n.declines(0.04, 15*time.Minute)
	if b := n.board(); len(b.Active) != 1 || len(b.Shelved) != 0 {
		t.Errorf("after its end the board is %+v", b)
	}
	if err := n.Shelve("harbour", "payment_failure_ratio", Shelf{Who: "mara", At: n.now, Until: n.now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	n.declines(0.09, 2*time.Minute)
	if b := n.board(); len(b.Active) != 1 {
		t.Errorf("an alarm that turned BAD stays on its shelf: %+v", b)
	}
	if n.Shelve("harbour", "payment_failure_ratio", shelf) == nil {
		t.Error("a BAD alarm was shelved")
	}
}

func TestAnAcknowledgementAnswersWhatStoodThenAndNothingLater(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.04, 2*time.Minute)
	n.Acknowledge("harbour", "mara", n.now)
	if a := n.state().Alarms[0]; a.Answered.Who != "mara" || !a.Answered.At.Equal(n.now) {
		t.Fatalf("answered by %+v", a.Answered)
	}
	n.Acknowledge("harbour", "old", n.now.Add(-time.Hour)) // an older record read again
	n.pass(20 * time.Minute)
	for _, a := range n.state().Alarms {
		if a.Blind && a.Answered.Who != "" {
			t.Errorf("the later alarm %s counts as answered", a.Key)
		}
		if !a.Blind && a.Answered.Who != "mara" {
			t.Errorf("the alarm %s lost its answer: %+v", a.Key, a.Answered)
		}
	}
}

func TestWhatStandsIsTheSameWhoeverLooksLater(t *testing.T) {
	n := newNight(t, live)
	n.declines(0.01, time.Minute)
	n.declines(0.07, 3*time.Minute)
	want := n.state().Alarms[0]
	var readings []Reading
	for i := range n.signal(PaymentFailureRatio).History.Len() {
		p := n.signal(PaymentFailureRatio).History.At(i)
		readings = append(readings, at(p.At, PaymentFailureRatio, p.Value))
	}
	fresh := newNight(t, n.now)
	fresh.poll("metrics", readings...)
	got := fresh.state().Alarms
	if len(got) != 1 || got[0] != want {
		t.Errorf("who looks once sees %+v, who watched saw %+v", got, want)
	}
}

func TestTheCausalOrderHasNoCircle(t *testing.T) {
	var walk func(s Signal, trail []Signal)
	walk = func(s Signal, trail []Signal) {
		if slices.Contains(trail, s) {
			t.Fatalf("a circle: %v %s", trail, s)
		}
		for _, next := range leads[s] {
			if _, ok := MeaningOf(next); !ok {
				t.Errorf("%s leads to %q, which is no standard signal", s, next)
			}
			walk(next, append(trail, s))
		}
	}
	for s := range leads {
		walk(s, nil)
	}
}

func TestAForeignAlarmThatFiresComesFirst(t *testing.T) {
	list := []ForeignAlarm{
		{Name: "fine", State: ForeignOK},
		{Name: "lost", State: ForeignNoData},
		{Name: "nobody's", State: ForeignFiring},
		{Name: "ours", State: ForeignFiring, Sale: "harbour", Since: live},
		{Name: "soon", State: ForeignPending},
	}
	SortForeign(list)
	var got []string
	for _, a := range list {
		got = append(got, a.Name)
	}
	if want := "ours nobody's lost soon fine"; strings.Join(got, " ") != want {
		t.Errorf("the order is %q, want %q", strings.Join(got, " "), want)
	}
}
