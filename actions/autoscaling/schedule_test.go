package autoscaling

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

func (c *cloud) schedule(t *testing.T, at time.Time, change ...func(*ScheduleOptions)) *Schedule {
	t.Helper()
	o := ScheduleOptions{Options: c.options(t), Name: "onsale-doors", At: at}
	for _, f := range change {
		f(&o)
	}
	s, err := NewSchedule(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatAPlanSaysBefore(t *testing.T) {
	doors := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	other := func(name string, at time.Time, least int) func(*cloud) {
		return func(c *cloud) {
			c.scheduled = append(c.scheduled, capacity.Scheduled{Name: name, Start: at.UTC(), Next: at.UTC(), Min: &least})
		}
	}
	for _, c := range []struct {
		name  string
		cloud func(*cloud)
		at    time.Time
		opts  func(*ScheduleOptions)
		ask   actions.Request
		wants []string
		to    string
	}{
		{name: "it is planned in UTC", ask: ask(actions.ScaleUp, 32), to: "MinSize 32, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"CHANGE at " + clock(&doors) + ": min 20 → 32", "U deletes it", "also with this program closed"}},
		{name: "a past time is refused", at: time.Now().Add(-time.Minute), ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED request", "has passed or is too close"}},
		{name: "a time that passes while it is sent is refused", at: time.Now().Add(10 * time.Second), ask: ask(actions.ScaleUp, 32), wants: []string{"has passed or is too close"}},
		{name: "suspended ScheduledActions refuses", cloud: func(c *cloud) { c.group.Suspended = []capacity.Process{{Name: "ScheduledActions"}} }, ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED target: ScheduledActions is suspended"}},
		{name: "another action at the same time refuses, as AWS would", cloud: other("night", doors, 10), ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED target: scheduled action night has the same time"}},
		{name: "a later action that takes it back is named", cloud: other("night", doors.Add(time.Hour), 10), ask: ask(actions.ScaleUp, 32), to: "MinSize 32, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"REVERTS scheduled action night"}},
		{name: "the same name again changes the plan", cloud: other("onsale-doors", doors.Add(time.Hour), 28), ask: ask(actions.ScaleUp, 32), to: "MinSize 32, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"was planned: MinSize 28", "U plans the earlier values again"}},
		{name: "a plan of that name that sets other things is left alone", cloud: func(c *cloud) {
			n := 30
			c.scheduled = []capacity.Scheduled{{Name: "onsale-doors", Start: doors, Next: doors, Desired: &n}}
		}, ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED target: scheduled action onsale-doors is there and sets other things: desired 30"}},
		{name: "a plan of that name that recurs is left alone", cloud: func(c *cloud) {
			n := 30
			c.scheduled = []capacity.Scheduled{{Name: "onsale-doors", Start: doors, Next: doors, Min: &n, Schedule: "0 8 * * *"}}
		}, ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED target: scheduled action onsale-doors is there and recurs"}},
		{name: "a scale back before the end of the sale is refused", opts: func(o *ScheduleOptions) { o.NotBefore = doors.Add(time.Hour) }, ask: ask(actions.ScaleBack, 10), wants: []string{"REFUSED request: the sale goes on until"}},
		{name: "a scale back after the end of the sale is not severe", opts: func(o *ScheduleOptions) { o.NotBefore = doors }, ask: ask(actions.ScaleBack, 10), to: "MinSize 10, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"RISK normal"}},
		{name: "a scale back of a sale whose end is not known is severe", ask: ask(actions.ScaleBack, 10), to: "MinSize 10, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"RISK severe"}},
		{name: "a size over max is refused", ask: ask(actions.ScaleUp, 41), wants: []string{"REFUSED bounds: 41 is over the group's max of 40"}},
		{name: "max is planned along where it may be raised", opts: func(o *ScheduleOptions) { o.RaiseMax = true }, ask: ask(actions.ScaleUp, 50), to: "MaxSize 50, MinSize 50, StartTime " + doors.UTC().Format(time.RFC3339), wants: []string{"max 40 → 50"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			if c.cloud != nil {
				c.cloud(cl)
			}
			if c.at.IsZero() {
				c.at = doors
			}
			var change []func(*ScheduleOptions)
			if c.opts != nil {
				change = append(change, c.opts)
			}
			p := cl.preview(t, cl.schedule(t, c.at, change...), c.ask, during(sale.Scheduled))
			text := texts(p)
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said in\n%s", want, text)
				}
			}
			if c.to != "" && p.To.String() != c.to || c.to == "" && !p.Refused() {
				t.Errorf("it would set %s, want %q", p.To, c.to)
			}
			if cl.written() != 0 {
				t.Error("a preview wrote")
			}
		})
	}
}

func TestAPlanIsMadeListedChangedAndTakenBack(t *testing.T) {
	cl := fleet(24, 20, 40)
	doors := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	s := cl.schedule(t, doors)
	do := func(e actions.Executor, r actions.Request) actions.Preview {
		t.Helper()
		p := cl.preview(t, e, r, during(sale.Scheduled))
		if p.Refused() {
			t.Fatal(p.Refusals)
		}
		if _, err := e.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := do(s, ask(actions.ScaleUp, 32))
	second := do(cl.schedule(t, doors.Add(time.Minute)), ask(actions.ScaleUp, 36))
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || *list[0].Min != 36 || !list[0].Ours || !list[0].At.Equal(doors.Add(time.Minute)) {
		t.Fatalf("%+v %v", list, err)
	}
	do(s, actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleUp, Restore: second.From.Only(second.To)})
	if list, _ = s.List(t.Context()); len(list) != 1 || *list[0].Min != 32 {
		t.Errorf("after the undo of the change: %+v", list)
	}
	u := do(s, actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleUp, Restore: first.From.Only(first.To)})
	if list, _ = s.List(t.Context()); len(list) != 0 || !strings.Contains(u.How, "DeleteScheduledAction") {
		t.Errorf("after the undo: %+v, by %s", list, u.How)
	}
	if cl.Groups()[0].Min != 20 {
		t.Error("the group itself was changed")
	}
	past := actions.Value{StartTime: actions.Word("2020-01-01T00:00:00Z"), MinSize: actions.Number(9)}
	if p := cl.preview(t, s, actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleUp, Restore: past}, actions.Evidence{}); !p.Refused() {
		t.Error("a plan is restored to a time that has passed")
	}
}
