package sale

import (
	"strings"
	"testing"
	"time"
)

var harbourSLAs = SLAs{Acknowledge: 5 * time.Minute, Mitigate: 15 * time.Minute, Resolve: time.Hour}

func TestTheClocksOfAnIncident(t *testing.T) {
	opened := live
	in := func(change func(*Incident)) Incident {
		one := Incident{Status: IncidentOpen, Opened: opened}
		change(&one)
		return one
	}
	type clock struct {
		took           time.Duration
		known, stopped bool
		over           bool
	}
	tests := []struct {
		name               string
		in                 Incident
		after              time.Duration // the opening, by our clock
		ack, mitig, resolv clock
	}{
		{
			"all three run from the opening", in(func(*Incident) {}), 4 * time.Minute,
			clock{4 * time.Minute, true, false, false},
			clock{4 * time.Minute, true, false, false},
			clock{4 * time.Minute, true, false, false},
		},
		{
			"what is not done in time is over", in(func(*Incident) {}), 16 * time.Minute,
			clock{16 * time.Minute, true, false, true},
			clock{16 * time.Minute, true, false, true},
			clock{16 * time.Minute, true, false, false},
		},
		{
			"a promise that is met to the second is kept", in(func(in *Incident) {
				in.Status, in.Acknowledged = IncidentAcknowledged, opened.Add(5*time.Minute)
			}), 10 * time.Minute,
			clock{5 * time.Minute, true, true, false},
			clock{10 * time.Minute, true, false, false},
			clock{10 * time.Minute, true, false, false},
		},
		{
			"an acknowledgement without a time stops its clock, and is neither kept nor broken", in(func(in *Incident) { in.Status = IncidentAcknowledged }), time.Hour,
			clock{0, false, true, false},
			clock{time.Hour, true, false, true},
			clock{time.Hour, true, false, false},
		},
		{
			"an acknowledgement that ran out was one in time", in(func(in *Incident) { in.Acknowledged = opened.Add(time.Minute) }), time.Hour,
			clock{time.Minute, true, true, false},
			clock{time.Hour, true, false, true},
			clock{time.Hour, true, false, false},
		},
		{
			"without the time of the opening nothing is known",
			Incident{Status: IncidentOpen},
			time.Hour,
			clock{},
			clock{},
			clock{},
		},
		{
			"a clock that was set back makes no time negative", in(func(*Incident) {}), -time.Hour,
			clock{0, true, false, false},
			clock{0, true, false, false},
			clock{0, true, false, false},
		},
		{
			"mitigated at a time that is not known stops the clock and claims nothing", in(func(in *Incident) { in.Mitigated = true }), time.Hour,
			clock{time.Hour, true, false, true},
			clock{0, false, true, false},
			clock{time.Hour, true, false, false},
		},
		{
			"while the sale can't be judged, whether it is mitigated is not known", in(func(in *Incident) { in.Blind = true }), time.Minute,
			clock{time.Minute, true, false, false},
			clock{0, false, false, false},
			clock{time.Minute, true, false, false},
		},
		{
			"the resolution ends every clock", in(func(in *Incident) {
				in.Status, in.Resolved = IncidentResolved, opened.Add(20*time.Minute)
			}), 3 * time.Hour,
			clock{20 * time.Minute, true, true, true},
			clock{20 * time.Minute, true, true, true},
			clock{20 * time.Minute, true, true, false},
		},
		{
			"a resolution without a time leaves the clocks not known", in(func(in *Incident) { in.Status = IncidentResolved }), 3 * time.Hour,
			clock{0, false, true, false},
			clock{0, false, true, false},
			clock{0, false, true, false},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := test.in.Clocks(harbourSLAs, opened.Add(test.after))
			for i, want := range []clock{test.ack, test.mitig, test.resolv} {
				if is := (clock{got[i].Took, got[i].Known, got[i].Stopped, got[i].Over()}); is != want {
					t.Errorf("%s is %+v, want %+v", got[i].Name, is, want)
				}
			}
		})
	}
}

func TestWhereNothingIsPromisedNothingIsOver(t *testing.T) {
	in := Incident{Status: IncidentOpen, Opened: live}
	for _, c := range in.Clocks(SLAs{}, live.Add(100*time.Hour)) {
		if _, ok := c.Left(); ok || c.Over() || c.Took != 100*time.Hour {
			t.Errorf("%s is %+v", c.Name, c)
		}
	}
}

// pagedNight is a night whose incidents a source tells of.
func pagedNight(t *testing.T) *night {
	infos := append([]SourceInfo{{
		Name: "pager", Kind: "pagerduty", Every: 30 * time.Second, Cadence: every(30 * time.Second),
		Incidents: &IncidentsInfo{Tool: "PagerDuty", Sales: []ID{"harbour"}},
	}}, harbourSources...)
	return &night{Store: NewStore([]*Sale{harbour(t)}, infos, Limits{}, live), t: t, now: live}
}

// told applies a good poll of the incidents' source.
func (n *night) told(list ...Incident) {
	for i := range list {
		list[i].Sale, list[i].Seen = "harbour", n.now
	}
	n.send(Batch{Source: "pager", Incidents: &IncidentsRead{At: n.now, List: list}, Calls: 1})
}

func (n *night) logged(list ...Incident) {
	for i := range list {
		list[i].Sale = "harbour"
	}
	n.Recorded([]Log{{Sale: "harbour", Incidents: list}}, n.now)
}

func (n *night) incident() IncidentState { return n.state().Incidents }

func (n *night) current() Incident {
	n.t.Helper()
	in := n.incident().Current
	if in == nil {
		n.t.Fatalf("no incident is known: %+v", n.incident())
	}
	return *in
}

func TestNobodyKeepsIncidentsOfASaleUntilSomebodyTellsOfThem(t *testing.T) {
	if in := newNight(t, live).incident(); in.Kept || in.Known || in.Current != nil {
		t.Errorf("without a tool and a journal: %+v", in)
	}
}

func TestThatNoIncidentIsOpenMustBeRead(t *testing.T) {
	n := pagedNight(t)
	if in := n.incident(); !in.Kept || in.Known || in.Why != "PagerDuty was not read yet" {
		t.Errorf("before the first poll: %+v", in)
	}
	n.fail("pager", Problem{Class: Auth, Text: "HTTP 401"})
	if in := n.incident(); in.Known || !strings.Contains(in.Why, "HTTP 401") {
		t.Errorf("after a failed poll: %+v", in)
	}
	n.told()
	if in := n.incident(); !in.Known || in.Current != nil || in.Why != "" {
		t.Errorf("after a good poll that found none: %+v", in)
	}
	n.pass(10 * time.Minute)
	if in := n.incident(); in.Known || !strings.Contains(in.Why, "last read") {
		t.Errorf("ten minutes later: %+v", in)
	}
	if got := n.source("pager").Condition; got != SourceStale {
		t.Errorf("the source is %s, want stale", got)
	}
}

func TestTheJournalAloneTellsOfIncidents(t *testing.T) {
	n := newNight(t, live)
	n.logged()
	if in := n.incident(); !in.Kept || !in.Known || in.Tool != "" || in.Current != nil {
		t.Errorf("an empty journal: %+v", in)
	}
	n.Recorded([]Log{{Sale: "harbour", Problem: "permission denied"}}, n.now)
	if in := n.incident(); in.Known || in.Why != "permission denied" {
		t.Errorf("a journal that can't be read: %+v", in)
	}
}

func TestAnIncidentThatWasAcceptedIsNotOpenUntilItsToolShowsIt(t *testing.T) {
	n := pagedNight(t)
	n.told()
	sent := Incident{Key: "onsale/harbour/declines", Status: IncidentAccepted, Accepted: n.now, Opened: n.now, OpenedBy: "ivana"}
	n.logged(sent)
	if in := n.current(); in.Status != IncidentAccepted || !in.Seen.IsZero() {
		t.Errorf("it is %+v", in)
	}
	n.pass(30 * time.Second)
	n.told(Incident{Key: sent.Key, Name: "INC-4181", Status: IncidentOpen, Opened: live.Add(2 * time.Second)})
	in := n.current()
	if in.Status != IncidentOpen || in.Name != "INC-4181" || in.OpenedBy != "ivana" || !in.Opened.Equal(live) || !in.Accepted.Equal(live) {
		t.Errorf("it is %+v: want the tool's state and name with the journal's times", in)
	}
}

func TestTheNewerWordSaysHowFarAnIncidentHasCome(t *testing.T) {
	const key = "onsale/harbour/declines"
	open := Incident{Key: key, Status: IncidentOpen, Opened: live}
	tests := []struct {
		name      string
		log, tool Incident
		want      IncidentStatus // "": none is told of
	}{
		{"a person acknowledged in the tool", open, Incident{Key: key, Status: IncidentAcknowledged, Opened: live}, IncidentAcknowledged},
		{"it was acknowledged from here after the tool was read", Incident{Key: key, Status: IncidentAcknowledged, Opened: live, Acknowledged: live.Add(11 * time.Minute)}, open, IncidentAcknowledged},
		{"the acknowledgement from here ran out before the tool was read", Incident{Key: key, Status: IncidentAcknowledged, Opened: live, Acknowledged: live.Add(time.Minute)}, open, IncidentOpen},
		{"it was resolved from here after the tool was read", Incident{Key: key, Status: IncidentResolved, Opened: live, Resolved: live.Add(11 * time.Minute)}, open, IncidentResolved},
		{"it was opened again after it was resolved from here", Incident{Key: key, Status: IncidentResolved, Opened: live, Resolved: live.Add(time.Minute)}, Incident{Key: key, Status: IncidentOpen, Opened: live.Add(5 * time.Minute)}, IncidentOpen},
		{"somebody resolved it in the tool", open, Incident{Key: key, Status: IncidentResolved, Opened: live, Resolved: live.Add(3 * time.Minute)}, IncidentResolved},
		{"the tool knows that it is over, and not since when", open, Incident{Key: key, Status: IncidentResolved, Opened: live}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := pagedNight(t)
			n.pass(10 * time.Minute)
			n.logged(test.log)
			n.told(test.tool)
			n.pass(2 * time.Minute)
			in := n.incident()
			switch {
			case test.want == "" && in.Current != nil:
				t.Errorf("it is %+v, want none", *in.Current)
			case test.want != "" && (in.Current == nil || in.Current.Status != test.want):
				t.Errorf("it is %+v, want %s", in.Current, test.want)
			}
		})
	}
}

func TestTheIncidentThatNobodyLooksAfterComesFirst(t *testing.T) {
	n := pagedNight(t)
	n.told(
		Incident{Key: "a", Status: IncidentAcknowledged, Opened: live.Add(-time.Hour)},
		Incident{Key: "b", Status: IncidentOpen, Opened: live.Add(-time.Minute)},
		Incident{Key: "c", Status: IncidentOpen, Opened: live.Add(-2 * time.Minute)},
	)
	if in := n.incident(); in.Current.Key != "c" || in.Others != 2 {
		t.Errorf("it is %s and %d others, want c and 2", in.Current.Key, in.Others)
	}
}

func TestAResolvedIncidentIsToldOfForHalfAnHour(t *testing.T) {
	n := pagedNight(t)
	n.told(Incident{Key: "a", Status: IncidentResolved, Opened: live.Add(-time.Hour), Resolved: live})
	if n.current().Status != IncidentResolved {
		t.Error("it is not told of")
	}
	n.pass(30 * time.Minute)
	if in := n.incident().Current; in != nil {
		t.Errorf("after half an hour it is still told of: %+v", in)
	}
}

func TestWhenAnIncidentIsMitigated(t *testing.T) {
	const key = "onsale/harbour/payment_failure_ratio"
	bad, watch, good := 0.07, 0.04, 0.012
	// steps polls one value every 5 s for a time.
	steps := func(n *night, value float64, d time.Duration) {
		for range int(d / (5 * time.Second)) {
			n.pass(5 * time.Second)
			n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, PaymentFailureRatio, value), at(n.now, TicketsLeft, 7000))
		}
	}
	open := func(n *night, effect time.Time) {
		n.logged(Incident{Key: key, Status: IncidentOpen, Opened: n.now, EffectSeen: effect})
	}
	t.Run("when the sale is OK again", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, bad, time.Minute)
		open(n, time.Time{})
		steps(n, good, 2*time.Minute)
		n.want(OK)
		in := n.current()
		if !in.Mitigated || !in.MitigatedAt.Equal(n.state().Since) {
			t.Errorf("it is %+v, want mitigated at %s", in, n.state().Since)
		}
	})
	t.Run("not by WATCH alone", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, bad, time.Minute)
		open(n, time.Time{})
		steps(n, watch, 2*time.Minute)
		n.want(Watch)
		if in := n.current(); in.Mitigated {
			t.Errorf("it is %+v", in)
		}
	})
	t.Run("by WATCH after the effect of an action was seen", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, bad, time.Minute)
		opened := n.now
		open(n, time.Time{})
		steps(n, watch, 2*time.Minute)
		n.want(Watch)
		effect := n.now.Add(-5 * time.Second)
		n.logged(Incident{Key: key, Status: IncidentOpen, Opened: opened, EffectSeen: effect})
		if in := n.current(); !in.Mitigated || !in.MitigatedAt.Equal(effect) {
			t.Errorf("it is %+v, want mitigated at %s", in, effect)
		}
	})
	t.Run("no longer, when the sale is BAD again", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, bad, time.Minute)
		open(n, time.Time{})
		steps(n, good, time.Minute)
		steps(n, bad, time.Minute)
		n.want(Bad)
		if in := n.current(); in.Mitigated {
			t.Errorf("it is %+v", in)
		}
	})
	t.Run("not known while the sale can't be judged", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, bad, time.Minute)
		open(n, time.Time{})
		steps(n, good, time.Minute)
		n.pass(2 * time.Minute)
		n.want(Unknown)
		if in := n.current(); in.Mitigated || !in.Blind {
			t.Errorf("it is %+v", in)
		}
	})
	t.Run("not where the sale was OK all along: what the signals don't show they can't end", func(t *testing.T) {
		n := newNight(t, live)
		steps(n, good, time.Minute)
		open(n, time.Time{})
		steps(n, good, time.Minute)
		if in := n.current(); in.Mitigated {
			t.Errorf("it is %+v", in)
		}
	})
	t.Run("at a time that only the journal knows, where this program did not see it", func(t *testing.T) {
		noted := live.Add(-time.Minute)
		n := newNight(t, live)
		n.logged(Incident{Key: key, Status: IncidentOpen, Opened: live.Add(-10 * time.Minute)})
		steps(n, good, time.Minute)
		if in := n.current(); !in.Mitigated || !in.MitigatedAt.IsZero() {
			t.Errorf("without the journal's word it is %+v, want mitigated at a time that is not known", in)
		}
		n.logged(Incident{Key: key, Status: IncidentOpen, Opened: live.Add(-10 * time.Minute), MitigatedAt: noted})
		if in := n.current(); !in.Mitigated || !in.MitigatedAt.Equal(noted) {
			t.Errorf("with the journal's word it is %+v, want %s", in, noted)
		}
	})
}

func TestTheTimelineOfASale(t *testing.T) {
	n := newNight(t, opens.Add(-time.Minute))
	n.healthy()
	for range 12 {
		n.pass(5 * time.Second)
		n.healthy()
	}
	for range 10 {
		n.pass(5 * time.Second)
		n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120), at(n.now, PaymentFailureRatio, 0.09), at(n.now, TicketsLeft, 7000))
	}
	acted := n.now.Add(-10 * time.Second)
	n.Recorded([]Log{{Sale: "harbour", Events: []Event{{At: acted, Kind: ActionEvent, Text: "pause", Who: "ivana", Ref: "#3"}}}}, n.now)
	for range 10 {
		n.pass(5 * time.Second)
		n.poll("metrics", at(n.now, AdmissionRate, 0), at(n.now, OrderRate, 120), at(n.now, PaymentFailureRatio, 0.01), at(n.now, TicketsLeft, 7000))
	}
	var got []string
	for i, ev := range n.state().Timeline {
		got = append(got, string(ev.Kind)+" "+ev.Text)
		if i > 0 && ev.At.After(n.state().Timeline[i-1].At) {
			t.Errorf("%q is newer than what stands before it", ev.Text)
		}
	}
	want := []string{
		"alarm ended: WATCH declines",
		"action pause",
		"alarm WATCH declines 9.0 % > 3.0 % for 10 s",
		"phase PREQUEUE → OPENING",
		"phase PREQUEUE",
	}
	ok := len(got) == len(want)
	for i := range got {
		ok = ok && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Errorf("the timeline is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestATimelineIsBounded(t *testing.T) {
	n := newNight(t, live)
	var events []Event
	for i := range 500 {
		events = append(events, Event{At: live.Add(-time.Duration(i) * time.Second), Kind: ActionEvent})
	}
	n.Recorded([]Log{{Sale: "harbour", Events: events}}, live)
	if got := len(n.state().Timeline); got != 64 {
		t.Errorf("%d events are kept, want 64", got)
	}
}
