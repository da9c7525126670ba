package sale

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestANewStoreKnowsNothingAndSaysSo(t *testing.T) {
	n := newNight(t, live)
	n.want(Unknown)
	st := n.state()
	if st.Phase != Live || st.Needed != 3 || st.NeededLive != 0 || !st.Since.Equal(live) {
		t.Errorf("phase %s, %d of %d needed, since %s", st.Phase, st.NeededLive, st.Needed, st.Since)
	}
	n.wantReasons("3 of 3 needed signals missing: admitted, orders, left (metrics: not read yet)")
	if k := n.signal(AdmissionRate); k.Has || k.Freshness != NoData || k.Verdict != Unknown {
		t.Errorf("a signal nobody read is %+v", k)
	}
	if k := n.signal(DBConnectionsMax); !k.Has || k.Value != 2000 || k.Freshness != Fresh || k.Verdict != OK {
		t.Errorf("the constant is %+v", k)
	}
	if s := n.source("aws"); s.Condition != SourceStarting {
		t.Errorf("an unread source is %s", s.Condition)
	}
}

func TestASnapshotNeverChanges(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	old := n.Snapshot()
	version, value := old.Sales[0].Version, old.Sales[0].Signals[0].Value
	length := old.Sales[0].Signals[0].History.Len()
	calls := old.Sources[0].Calls
	for range 50 {
		n.now = n.now.Add(5 * time.Second)
		n.poll("metrics", at(n.now, AdmissionRate, 1), at(n.now.Add(-5*time.Second), AdmissionRate, 2))
	}
	if s := old.Sales[0]; s.Version != version || s.Signals[0].Value != value || s.Signals[0].History.Len() != length || old.Sources[0].Calls != calls {
		t.Error("a snapshot that was handed out has changed")
	}
	if p := old.Sales[0].Signals[0].History.At(0); p.Value != 400 {
		t.Errorf("its history now says %v", p.Value)
	}
}

func TestAnUntouchedSaleIsSharedBetweenSnapshots(t *testing.T) {
	other := harbour(t)
	other.ID = "quay"
	n := newNight(t, live, harbour(t), other)
	before := n.Snapshot()
	n.healthy()
	after := n.Snapshot()
	if before.Sale("quay") != after.Sale("quay") {
		t.Error("a sale that got no reading was replaced")
	}
	if before.Sale("harbour") == after.Sale("harbour") || after.Sale("harbour").Version <= before.Sale("harbour").Version {
		t.Error("a sale that got readings was not replaced")
	}
}

func TestReadingTheSameSampleAgainChangesNoState(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	before := n.state()
	n.now = n.now.Add(time.Second)
	again := at(live, AdmissionRate, 400)
	again.FetchedAt = n.now
	n.poll("metrics", again)
	if n.state() != before {
		t.Error("the state was replaced although no sample is new")
	}
}

func TestReadingAHistoryThatIsLongerThanWhatIsKeptChangesNoStateTheSecondTime(t *testing.T) {
	n := newNight(t, live)
	n.Store = NewStore([]*Sale{harbour(t)}, harbourSources, Limits{Points: 5}, live)
	var long []Reading
	for i := range 20 {
		long = append(long, at(live.Add(-time.Duration(i)*5*time.Second), AdmissionRate, float64(i)))
	}
	n.poll("metrics", long...)
	before := n.state()
	if got := n.signal(AdmissionRate).History.Len(); got != 5 {
		t.Fatalf("%d points kept", got)
	}
	n.poll("metrics", long...)
	if n.state() != before {
		t.Error("what was dropped before came back")
	}
}

func TestATickThatChangesNothingMakesNoSnapshotAndRingsNoBell(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	bell, cancel := n.Subscribe()
	defer cancel()
	before := n.Snapshot()
	n.pass(time.Second)
	if n.Snapshot() != before {
		t.Error("there is a new snapshot")
	}
	select {
	case <-bell:
		t.Error("the bell rang")
	default:
	}
	n.pass(10 * time.Second)
	if n.Snapshot() == before || n.signal(AdmissionRate).Freshness != Late {
		t.Error("the tick that made a value late made no snapshot")
	}
	select {
	case <-bell:
	default:
		t.Error("the bell did not ring")
	}
}

func TestTheTimeOfTheJudgementFollowsTheTicksOnAQuietNight(t *testing.T) {
	n := newNight(t, live)
	n.pass(time.Hour)
	bell, cancel := n.Subscribe()
	defer cancel()
	before := n.Snapshot()
	for range 60 {
		n.pass(time.Second)
		if lag := n.now.Sub(n.Snapshot().At); lag < 0 || lag >= 2*time.Second {
			t.Fatalf("it lags by %s", lag)
		}
	}
	after := n.Snapshot()
	if after.Seq != before.Seq || &after.Sales[0] != &before.Sales[0] || &after.Sources[0] != &before.Sources[0] {
		t.Error("nothing changed, yet the snapshot is not the same but for its time")
	}
	select {
	case <-bell:
		t.Error("the bell rang")
	default:
	}
}

func TestAThousandChangesAreOneRing(t *testing.T) {
	n := newNight(t, live)
	bell, cancel := n.Subscribe()
	for range 1000 {
		n.poll("metrics", at(n.now, AdmissionRate, 1))
	}
	<-bell
	select {
	case <-bell:
		t.Error("a second ring waits")
	default:
	}
	cancel()
	cancel()
	n.poll("metrics", at(n.now, AdmissionRate, 2))
	select {
	case <-bell:
		t.Error("a cancelled bell rang")
	default:
	}
}

func TestAnOlderBatchIsDroppedWhole(t *testing.T) {
	n := newNight(t, live)
	n.seq = 7
	n.poll("metrics", at(live, AdmissionRate, 400))
	before := n.Snapshot()
	old := Batch{Source: "metrics", Seq: 3, Readings: []Reading{at(live.Add(time.Second), AdmissionRate, 9)}, Calls: 5}
	if n.Apply(old, live.Add(time.Second)) {
		t.Error("it was taken")
	}
	if n.Snapshot() != before {
		t.Error("it left a trace")
	}
	if n.Apply(Batch{Source: "nobody", Seq: 9}, live) {
		t.Error("a batch of an unknown source was taken")
	}
}

func TestReadingsThatCantBeKeptAreIgnoredAndCounted(t *testing.T) {
	tests := []struct {
		name string
		bad  Reading
		note string
	}{
		{"not a number", at(live, AdmissionRate, math.NaN()), "1 readings ignored: admission_rate of harbour has no usable value or time"},
		{"infinite", at(live, AdmissionRate, math.Inf(-1)), "1 readings ignored: admission_rate of harbour has no usable value or time"},
		{"no time", at(time.Time{}, AdmissionRate, 1), "1 readings ignored: admission_rate of harbour has no usable value or time"},
		{"a time before computers", at(time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), AdmissionRate, 1), "1 readings ignored: admission_rate of harbour has no usable value or time"},
		{"a signal nobody declared", at(live, "mood", 1), "1 readings ignored: mood of harbour is not declared"},
		{"a hostile name", at(live, "mo\x1b]0;od", 1), "1 readings ignored: mo␛]0;od of harbour is not declared"},
		{"a sale nobody declared", Reading{Key: Key{"quay", AdmissionRate}, Value: 1, At: live}, "1 readings ignored: admission_rate of quay is not declared"},
		{"another source's signal", at(live, DBConnections, 1), "1 readings ignored: db_connections of harbour belongs to source aws"},
		{"a constant", at(live, DBConnectionsMax, 1), "1 readings ignored: db_connections_max of harbour is not declared"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNight(t, live)
			n.poll("metrics", tt.bad, at(live, OrderRate, 7))
			if n.signal(AdmissionRate).Has || n.signal(DBConnections).Has || n.signal(DBConnectionsMax).Value != 2000 {
				t.Error("it was kept")
			}
			if n.signal(OrderRate).Value != 7 {
				t.Error("the good reading beside it was lost")
			}
			s := n.source("metrics")
			if s.Ignored != 1 || len(s.Notes) != 1 || s.Notes[0].Text != tt.note {
				t.Errorf("ignored %d, notes %q", s.Ignored, s.Notes)
			}
		})
	}
}

func TestASampleFromTheFutureIsRefusedBeyondTwoMinutes(t *testing.T) {
	n := newNight(t, live)
	n.poll("metrics", at(live.Add(2*time.Minute), AdmissionRate, 5), at(live.Add(2*time.Minute+time.Second), OrderRate, 5))
	if k := n.signal(AdmissionRate); !k.Has || k.Age(live) != 0 || k.FreshnessAt(live) != Fresh {
		t.Errorf("two minutes ahead: %+v, age %s", k, k.Age(live))
	}
	if n.signal(OrderRate).Has {
		t.Error("a sample beyond two minutes was kept")
	}
	s := n.source("metrics")
	if len(s.Notes) != 2 || s.Notes[0].Code != "clock_skew" || s.Notes[0].Text != "samples stamped 2:01 ahead of this clock were refused: set the clocks of both machines" {
		t.Errorf("notes %q", s.Notes)
	}
}

func TestAFailedPollKeepsTheLastGoodValues(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.now = n.now.Add(5 * time.Second)
	refused := Problem{Class: Unreachable, Text: "dial tcp 10.20.3.9:9090: connection refused"}
	n.fail("metrics", refused)
	k := n.signal(AdmissionRate)
	if !k.Has || k.Value != 400 || k.Problem == nil || *k.Problem != refused {
		t.Errorf("after the failure: %+v", k)
	}
	if n.signal(DBConnections).Problem != nil {
		t.Error("another source's signal has the problem too")
	}
	n.want(OK) // fresh values are still good for a while
	s := n.source("metrics")
	if s.Condition != SourceError || !s.Since.Equal(n.now) || s.Failures != 1 || !s.LastOK.Equal(live) || !s.LastTry.Equal(n.now) {
		t.Errorf("source %+v", s)
	}
	first := n.now
	n.pass(10*time.Second + 1)
	n.fail("metrics", refused)
	n.want(Unknown)
	n.wantReasons("3 of 3 needed signals missing: admitted, orders, left (metrics: dial tcp 10.20.3.9:9090: connection refused)")
	if r := n.state().Reasons[0]; !r.Since.Equal(live.Add(15*time.Second)) || r.Source != "metrics" {
		t.Errorf("reason %+v", r)
	}
	if s := n.source("metrics"); !s.Since.Equal(first) || s.Failures != 2 {
		t.Errorf("the condition began at %s after %d failures", s.Since, s.Failures)
	}
	if k := n.signal(AdmissionRate); k.Value != 400 || !k.At.Equal(live) {
		t.Errorf("the last value is gone: %+v", k)
	}
}

func TestAMissingSignalHasAProblemUntilItIsRead(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.now = n.now.Add(5 * time.Second)
	lost := Missing{Key{"harbour", OrderRate}, Problem{Class: BadData, Text: "query returned 2 series"}}
	n.send(Batch{Source: "metrics", Missing: []Missing{lost}, Readings: []Reading{at(n.now, AdmissionRate, 1)}})
	if k := n.signal(OrderRate); k.Problem == nil || k.Problem.Text != lost.Problem.Text || k.Value != 120 {
		t.Errorf("the missing signal is %+v", k)
	}
	s := n.source("metrics")
	if s.Condition != SourceLive || s.Missing != 1 || s.Problem == nil || s.Problem.Text != lost.Problem.Text {
		t.Errorf("the source is %+v", s)
	}
	n.now = n.now.Add(5 * time.Second)
	n.poll("metrics", at(n.now, OrderRate, 130))
	if k := n.signal(OrderRate); k.Problem != nil || k.Value != 130 {
		t.Errorf("the signal that came back is %+v", k)
	}
	if s := n.source("metrics"); s.Problem != nil || s.Missing != 0 {
		t.Errorf("the source still has a problem: %+v", s.Problem)
	}
}

func TestNotesGoToTheirSaleAndTheRestToTheSource(t *testing.T) {
	n := newNight(t, live)
	frozen := Note{Sale: "harbour", Code: "queue_all", Text: "queue_all is on"}
	slow := Note{Code: "slow", Text: "answers take 3 s"}
	n.send(Batch{Source: "metrics", Notes: []Note{frozen, slow}})
	if st := n.state(); len(st.Notes) != 1 || st.Notes[0] != frozen {
		t.Errorf("the sale's notes are %v", st.Notes)
	}
	if s := n.source("metrics"); len(s.Notes) != 1 || s.Notes[0] != slow {
		t.Errorf("the source's notes are %v", s.Notes)
	}
	n.fail("metrics", Problem{Class: Timeout, Text: "deadline passed"})
	if len(n.state().Notes) != 1 || len(n.source("metrics").Notes) != 1 {
		t.Error("a failed poll took the notes away")
	}
	n.poll("metrics")
	if len(n.state().Notes) != 0 || len(n.source("metrics").Notes) != 0 {
		t.Error("notes that hold no more are still there")
	}
}

func TestTimeMayStepBack(t *testing.T) {
	n := newNight(t, live)
	n.healthy()
	n.pass(time.Hour)
	n.want(Unknown)
	n.healthy()
	n.pass(8 * time.Second)
	n.Tick(n.now.Add(-7 * time.Second))
	if got := n.signal(AdmissionRate).Freshness; got != Late {
		t.Errorf("a small step back was followed: the value is %s", got)
	}
	n.Tick(live)
	if got := n.signal(AdmissionRate).Freshness; got != Fresh {
		t.Errorf("wound back by an hour, the value is %s", got)
	}
}

func TestTheTimeOfTheJudgementIsWoundBackToo(t *testing.T) {
	n := newNight(t, opens.Add(-5*time.Hour))
	n.Tick(n.now.Add(-time.Hour))
	if at := n.Snapshot().At; !at.Equal(n.now.Add(-time.Hour)) {
		t.Errorf("it is %s", at)
	}
}

func TestManyReadersAndWritersShareAStore(t *testing.T) {
	n := newNight(t, live)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			bell, cancel := n.Subscribe()
			defer cancel()
			for {
				select {
				case <-stop:
					return
				case <-bell:
				}
				snap := n.Snapshot()
				for _, st := range snap.Sales {
					for _, k := range st.Signals {
						k.History.Buckets(snap.At, time.Hour, 60)
						k.History.Max()
					}
				}
			}
		})
	}
	var writers sync.WaitGroup
	for w, source := range []string{"metrics", "aws"} {
		writers.Go(func() {
			for i := range 300 {
				when := live.Add(time.Duration(i) * time.Second)
				signal := []Signal{AdmissionRate, DBConnections}[w]
				n.Apply(Batch{Source: source, Seq: uint64(i), Readings: []Reading{at(when, signal, float64(i)), at(when.Add(-3*time.Second), signal, 1)}}, when)
				n.Planned(source, when.Add(time.Second))
				n.Tick(when)
			}
		})
	}
	writers.Wait()
	close(stop)
	wg.Wait()
	if got := n.signal(AdmissionRate).Value; got != 299 {
		t.Errorf("the last value is %v", got)
	}
}
