package sale

import (
	"slices"
	"testing"
	"time"
)

// allSame is a config of which everything is read as before.
func allSame(sales ...*Sale) Declared {
	return Declared{
		Sales: sales, Sources: harbourSources,
		SameSource: func(string) bool { return true }, SameSignal: func(Key) bool { return true },
	}
}

func TestADeclarationThatIsTheSameChangesNothingThatIsKnown(t *testing.T) {
	n := newNight(t, live)
	for range 30 {
		n.healthy()
		n.pass(5 * time.Second)
	}
	n.poll("metrics", at(n.now, PaymentFailureRatio, 0.09))
	before, source := n.state(), n.source("metrics")
	n.Redeclare(allSame(harbour(t)), n.now)
	after := n.state()
	if after.Verdict != before.Verdict || !after.Since.Equal(before.Since) || !slices.Equal(texts(after), texts(before)) || after.Version <= before.Version {
		t.Errorf("it was %s since %s %q, and is %s since %s %q", before.Verdict, before.Since, texts(before), after.Verdict, after.Since, texts(after))
	}
	for i := range after.Signals {
		if a, b := after.Signals[i], before.Signals[i]; a.History.Len() != b.History.Len() || a.Value != b.Value || a.Freshness != b.Freshness {
			t.Errorf("%s had %d points and has %d", a.Spec.Signal, b.History.Len(), a.History.Len())
		}
	}
	if s := n.source("metrics"); s.Calls != source.Calls || s.Condition != source.Condition || !s.LastOK.Equal(source.LastOK) {
		t.Errorf("the source was %+v and is %+v", source, s)
	}
	n.seq = 0 // a source that was made anew counts from 1
	n.healthy()
	if n.signal(AdmissionRate).History.Len() <= before.Signals[0].History.Len() {
		t.Error("what is read after it does not join what was read before")
	}
}

func TestABreachGoesOnUnderTheSameRuleAndEndsUnderAWiderOne(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	for range 20 {
		n.pass(5 * time.Second)
		n.healthy()
		n.poll("metrics", at(n.now, PaymentFailureRatio, 0.07))
	}
	n.want(Bad)
	since := n.state().Reasons[0].Since
	n.Redeclare(allSame(harbour(t)), n.now)
	n.want(Bad)
	if got := n.state().Reasons[0].Since; !got.Equal(since) || len(n.state().Alarms) != 1 {
		t.Errorf("since %s, was %s; alarms %+v", got, since, n.state().Alarms)
	}
	wider := harbour(t)
	wider.Signals[2].Rules = Rules{Bad: always(t, "> 20% for 30s", Ratio)}
	n.Redeclare(allSame(wider), n.now)
	n.want(OK)
	if alarms := n.state().Alarms; len(alarms) != 0 {
		t.Errorf("the alarm of a rule that is no more still stands: %+v", alarms)
	}
	if n.signal(PaymentFailureRatio).History.Len() == 0 {
		t.Error("its history is lost")
	}
	n.Redeclare(allSame(harbour(t)), n.now)
	n.want(Bad) // the kept points prove it at once
}

func TestWhatIsReadElsewhereIsUnknownUntilItIsRead(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.want(OK)
	d := allSame(harbour(t))
	d.SameSignal = func(k Key) bool { return k.Signal != OrderRate }
	n.Redeclare(d, n.now)
	n.want(Unknown)
	n.wantReasons("1 of 3 needed signals missing: orders (metrics: not read yet)")
	if k := n.signal(OrderRate); k.Has || k.History.Len() != 0 {
		t.Errorf("it shows the past of another query: %+v", k)
	}
	d = allSame(harbour(t))
	d.SameSource = func(name string) bool { return name != "aws" }
	n.Redeclare(d, n.now)
	if s := n.source("aws"); s.Condition != SourceStarting || s.Calls != 0 {
		t.Errorf("a source that asks another system is %s after %d calls", s.Condition, s.Calls)
	}
	n.Redeclare(Declared{Sales: []*Sale{harbour(t)}, Sources: harbourSources}, n.now)
	n.wantReasons("3 of 3 needed signals missing: admitted, orders, left (metrics: not read yet)")
}

func TestSalesComeAndGoWithTheirBellAndTheOthersStayAsTheyWere(t *testing.T) {
	quay := harbour(t)
	quay.ID = "quay"
	n := newNight(t, live)
	n.healthy()
	n.Recorded([]Log{{Sale: "harbour", Events: []Event{{At: n.now, Text: "PAUSED by mara"}}}}, n.now)
	bell, hangUp := n.Subscribe()
	defer hangUp()
	n.Redeclare(allSame(quay, harbour(t)), n.now)
	select {
	case <-bell:
	default:
		t.Error("no bell rang for a new sale")
	}
	snap := n.Snapshot()
	if len(snap.Sales) != 2 || snap.Sales[0].Sale.ID != "quay" || snap.Sales[0].Verdict != Unknown || snap.Sales[1].Verdict != OK {
		t.Fatalf("the sales are %s %s and %s %s", snap.Sales[0].Sale.ID, snap.Sales[0].Verdict, snap.Sales[1].Sale.ID, snap.Sales[1].Verdict)
	}
	if events := n.state().Timeline; !slices.ContainsFunc(events, func(ev Event) bool { return ev.Text == "PAUSED by mara" }) {
		t.Errorf("the timeline has lost what was done: %+v", events)
	}
	n.Redeclare(allSame(quay), n.now)
	if n.state() != nil || len(n.Snapshot().Sales) != 1 {
		t.Error("a sale that is not declared any more is still there")
	}
	n.Apply(Batch{Source: "metrics", Seq: 1, Readings: []Reading{at(n.now, AdmissionRate, 400)}}, n.now)
	if s := n.source("metrics"); s.Ignored == 0 {
		t.Error("a reading of a sale that is gone was not counted as one that can't be kept")
	}
}

func TestAShelfAndAnAnswerOutliveTheDeclaration(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	for range 30 {
		n.pass(5 * time.Second)
		n.healthy()
		n.poll("metrics", at(n.now, PaymentFailureRatio, 0.04))
	}
	n.want(Watch)
	key := n.state().Alarms[0].Key
	if err := n.Shelve("harbour", key, Shelf{Who: "mara", Why: "known", At: n.now, Until: n.now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	n.Acknowledge("harbour", "ivo", n.now)
	n.Redeclare(allSame(harbour(t)), n.now)
	if a := n.state().Alarms[0]; a.Shelf.Who != "mara" || a.Answered.Who != "ivo" {
		t.Errorf("the alarm is %+v", a)
	}
}

func TestASnapshotFromBeforeADeclarationNeverChanges(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	old := n.Snapshot()
	before := *old.Sales[0]
	renamed := harbour(t)
	renamed.Name, renamed.Signals[0].Label = "Tin Parade", "let in"
	n.Redeclare(allSame(renamed), n.now)
	n.healthy()
	if old.Sales[0].Sale.Name != "Lantern Choir" || old.Sales[0].Version != before.Version || old.Sales[0].Signals[0].Spec.Label != "admitted" {
		t.Error("a snapshot that was handed out has changed")
	}
	if st := n.state(); st.Sale.Name != "Tin Parade" || st.Signals[0].Spec.Label != "let in" {
		t.Errorf("the new names are not shown: %s, %s", st.Sale.Name, st.Signals[0].Spec.Label)
	}
}
