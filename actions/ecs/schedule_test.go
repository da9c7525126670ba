package ecs

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
	to := "MinCapacity 32, Schedule at(" + doors.UTC().Format(atForm) + ")"
	plan := func(name, schedule string, least, most int) func(*cloud) {
		return func(c *cloud) {
			s := capacity.Scheduled{Name: name, Schedule: schedule, Next: doors, Min: &least}
			if most > 0 {
				s.Max = &most
			}
			c.scheduled = []capacity.Scheduled{s}
		}
	}
	later := "at(" + doors.Add(time.Hour).UTC().Format(atForm) + ")"
	for _, c := range []struct {
		name  string
		none  bool
		cloud func(*cloud)
		at    time.Time
		opts  func(*ScheduleOptions)
		ask   actions.Request
		says  string
		to    string
	}{
		{name: "it is planned in UTC", ask: ask(actions.ScaleUp, 32), to: to, says: "CHANGE at " + clock(doors) + ": min 20 → 32"},
		{name: "without a scalable target nothing is planned, and none is registered", none: true, ask: ask(actions.ScaleUp, 32), says: "REFUSED target: no scalable target is registered"},
		{name: "a past time is refused", at: time.Now().Add(-time.Hour), ask: ask(actions.ScaleUp, 32), says: "has passed or is too close"},
		{name: "suspended scheduled scaling refuses", cloud: func(c *cloud) { c.group.Hold.Scheduled = true }, ask: ask(actions.ScaleUp, 32), says: "REFUSED target: scheduled scaling is suspended"},
		{name: "a later action that takes it back is named", cloud: plan("night", later, 10, 0), ask: ask(actions.ScaleUp, 32), to: to, says: "REVERTS scheduled action night"},
		{name: "the same name again changes the plan", cloud: plan("onsale-doors", later, 28, 0), ask: ask(actions.ScaleUp, 32), to: to, says: "was planned: MinCapacity 28"},
		{name: "a plan of that name that sets other things is left alone", cloud: plan("onsale-doors", later, 28, 40), ask: ask(actions.ScaleUp, 32), says: "is there and sets other things"},
		{name: "a plan of that name that recurs is left alone", cloud: plan("onsale-doors", "cron(0 8 * * ? *)", 28, 0), ask: ask(actions.ScaleUp, 32), says: "is no plan of ours"},
		{name: "a scale back before the end of the sale is refused", opts: func(o *ScheduleOptions) { o.NotBefore = doors.Add(time.Hour) }, ask: ask(actions.ScaleBack, 10), says: "REFUSED request: the sale goes on until"},
		{name: "a scale back of a sale whose end is not known is severe", ask: ask(actions.ScaleBack, 10), to: strings.Replace(to, "32", "10", 1), says: "RISK severe"},
		{name: "a size over max is refused", ask: ask(actions.ScaleUp, 41), says: "REFUSED bounds: 41 is over the target's max of 40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scaler := capacity.Target
			if c.none {
				scaler = capacity.None
			}
			cl := fleetOf(24, 20, 40, scaler)
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
			p := look(t, cl.schedule(t, c.at, change...), c.ask, during(sale.Scheduled))
			if !strings.Contains(texts(p), c.says) {
				t.Errorf("%q is not said in\n%s", c.says, texts(p))
			}
			if c.to != "" && (p.To.String() != c.to || p.Refused()) || c.to == "" && !p.Refused() {
				t.Errorf("it would set %q, want %q: %v", p.To, c.to, p.Refusals)
			}
		})
	}
}

func TestAPlanIsMadeListedChangedAndTakenBack(t *testing.T) {
	cl := fleetOf(24, 20, 40, capacity.Target)
	doors := time.Now().Add(2 * time.Hour).Truncate(time.Second)
	s := cl.schedule(t, doors)
	do := func(e actions.Executor, r actions.Request) actions.Preview {
		t.Helper()
		p := look(t, e, r, during(sale.Scheduled))
		if p.Refused() {
			t.Fatal(p.Refusals)
		}
		if _, err := e.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		return p
	}
	undo := func(p actions.Preview) actions.Request {
		return actions.Request{Sale: "orchard", Verb: actions.Undo, Of: actions.ScaleUp, Restore: p.From.Only(p.To)}
	}
	first := do(s, ask(actions.ScaleUp, 32))
	second := do(cl.schedule(t, doors.Add(time.Minute)), ask(actions.ScaleUp, 36))
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || *list[0].Min != 36 || !list[0].Ours || !list[0].At.Equal(doors.Add(time.Minute)) {
		t.Fatalf("%+v %v", list, err)
	}
	do(s, undo(second))
	if list, _ = s.List(t.Context()); len(list) != 1 || *list[0].Min != 32 {
		t.Errorf("after the undo of the change: %+v", list)
	}
	do(s, undo(first))
	if list, _ = s.List(t.Context()); len(list) != 0 {
		t.Errorf("after the undo: %+v", list)
	}
	if cl.Groups()[0].Min != 20 {
		t.Error("the target itself was changed")
	}
}
