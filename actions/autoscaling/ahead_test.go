package autoscaling

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

var cet = time.FixedZone("CET", 3600)

// plan is the plan of a sale whose doors open at an instant: sizes at minutes from it.
func plan(doors time.Time, sizes map[int]int) []actions.PlannedSize {
	var all []actions.PlannedSize
	for minutes, to := range sizes {
		text := fmt.Sprintf("opens%+dm", minutes)
		all = append(all, actions.PlannedSize{Name: "onsale.harbour." + text, Text: text, At: doors.Add(time.Duration(minutes) * time.Minute).In(cet), To: to})
	}
	return all
}

func (c *cloud) ahead(t *testing.T, sizes []actions.PlannedSize, closes time.Time, change ...func(*Options)) *actions.Ahead {
	t.Helper()
	o := c.options(t)
	for _, f := range change {
		f(&o)
	}
	a, err := NewAhead(o, sizes, closes)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var wanted = actions.Request{Sale: "harbour", Verb: actions.ScaleAhead}

func TestAPlanOfOneSizeKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleet(24, 20, 40)
		sizes := plan(time.Now().Add(2*time.Hour), map[int]int{-15: 32})
		return actiontest.Rig{
			Executor: c.ahead(t, sizes, time.Time{}), Sale: "harbour", Good: []actions.Request{wanted},
			Bad:    []actions.Request{{Sale: "harbour", Verb: actions.ScaleUp}, {Sale: "harbour", Verb: actions.ScaleAhead, Step: 2}},
			Writes: c.written, Fault: c.setFault, Secrets: []string{secret, reader}, Evidence: during(sale.Scheduled),
			Change: func() {
				twelve := 12
				at := time.Now().Add(3 * time.Hour).UTC().Truncate(time.Second)
				_ = c.Schedule("", capacity.Caller{}, capacity.Scheduled{Name: sizes[0].Name, Start: at, Next: at, Min: &twelve})
			},
		}
	})
}

func TestWhatAPlanOfSeveralSizesSaysBefore(t *testing.T) {
	doors := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	closes := doors.Add(4 * time.Hour)
	at := func(minutes int) string {
		return doors.Add(time.Duration(minutes) * time.Minute).In(cet).Format("2006-01-02 15:04 MST")
	}
	other := func(name string, minutes int, least, most *int) func(*cloud) {
		return func(c *cloud) {
			when := doors.Add(time.Duration(minutes) * time.Minute).UTC()
			c.scheduled = append(c.scheduled, capacity.Scheduled{Name: name, Start: when, Next: when, Min: least, Max: most})
		}
	}
	n := func(v int) *int { return &v }
	dollar := func(o *Options) { v := 1.0; o.UnitCost = &v }
	for _, c := range []struct {
		name  string
		cloud func(*cloud)
		sizes map[int]int
		opts  func(*Options)
		steps int
		wants []string
	}{
		{name: "each size follows on the one before, in the sale's zone", sizes: map[int]int{-15: 32, -60: 28}, steps: 2, opts: dollar, wants: []string{
			"CHANGE at " + at(-60) + ": min 20 → 28, then at " + at(-15) + ": min 28 → 32",
			"+4.00 USD/h from", "+8.00 USD/h from", "COST/h 8", "also with this program closed", "U takes the sizes back one at a time",
			"opens-15m: min 32: target tracking can add to it and can't shrink below it", "8 more up to max 40",
		}},
		{name: "what is planned already takes no step", cloud: other("onsale.harbour.opens-60m", -60, n(28), nil), sizes: map[int]int{-15: 32, -60: 28}, steps: 0, wants: []string{
			"CHANGE at " + at(-15) + ": min 28 → 32", "FACT planned: min 28 at " + at(-60) + " (opens-60m) already",
		}},
		{name: "all of it is planned already", cloud: func(c *cloud) {
			other("onsale.harbour.opens-60m", -60, n(28), nil)(c)
			other("onsale.harbour.opens-15m", -15, n(32), nil)(c)
		}, sizes: map[int]int{-15: 32, -60: 28}, wants: []string{"REFUSED target: nothing to plan"}},
		{name: "a plan of another size is changed", cloud: other("onsale.harbour.opens-15m", -15, n(30), nil), sizes: map[int]int{-15: 32}, wants: []string{"was planned: MinSize 30", "U plans the earlier values again"}},
		{name: "a time that has passed takes no step and is said", sizes: map[int]int{-15: 32, -600: 28}, steps: 0, wants: []string{"FACT passed: min 28 at", "min 20 → 32"}},
		{name: "every time has passed", sizes: map[int]int{-600: 28}, wants: []string{"REFUSED request: nothing to plan", "scale up now"}},
		{name: "one size over max refuses the whole", sizes: map[int]int{-15: 41, -60: 28}, wants: []string{"REFUSED bounds: opens-15m: 41 is over the group's max of 40"}},
		{name: "a max that is lowered before it refuses", cloud: other("night", -120, nil, n(30)), sizes: map[int]int{-15: 32}, wants: []string{"REFUSED bounds: opens-15m: 32 is over the group's max of 30 that is planned until then, from 40 now"}},
		{name: "suspended ScheduledActions refuses", cloud: func(c *cloud) { c.group.Suspended = []capacity.Process{{Name: "ScheduledActions"}} }, sizes: map[int]int{-15: 32}, wants: []string{"REFUSED target: opens-15m: ScheduledActions is suspended"}},
		{name: "suspended Launch is said", cloud: func(c *cloud) { c.group.Suspended = []capacity.Process{{Name: "Launch"}} }, sizes: map[int]int{-15: 32}, wants: []string{"Launch is suspended"}},
		{name: "a later action of somebody else takes it back", cloud: other("night", 60, n(10), nil), sizes: map[int]int{-15: 32}, wants: []string{"REVERTS scheduled action night"}},
		{name: "the plan's own later size is no surprise", cloud: other("onsale.harbour.opens+300m", 300, n(10), nil), sizes: map[int]int{-15: 32, 300: 10}, wants: []string{"REVERTS nothing planned", "RISK normal"}},
		{name: "a smaller size in the sale takes the severe gesture", sizes: map[int]int{-15: 32, 60: 24}, steps: 2, wants: []string{"RISK severe", "the sale goes on until"}},
		{name: "a smaller size after the sale does not", sizes: map[int]int{-15: 32, 300: 24}, steps: 2, wants: []string{"RISK normal", "min 32 → 24"}},
		{name: "a smaller size has the floor of a scale-back", sizes: map[int]int{300: 6}, wants: []string{"REFUSED bounds: opens+300m: 6 is below the floor of 8"}},
		{name: "without a floor nothing smaller is planned", sizes: map[int]int{300: 10}, opts: func(o *Options) { o.Floor = 0 }, wants: []string{"REFUSED bounds: opens+300m: no floor is declared"}},
		{name: "a size that is there already holds it", sizes: map[int]int{-15: 20}, wants: []string{"min is 20 then already"}},
		{name: "what an earlier plan left behind is named", cloud: other("onsale.harbour.opens-90m", -90, n(26), nil), sizes: map[int]int{-15: 32}, wants: []string{"scheduled action onsale.harbour.opens-90m is of an earlier plan", "min 26 → 32"}},
		{name: "another sale's plan on the same group is its own", cloud: other("onsale.harbour-2.opens-90m", -90, n(26), nil), sizes: map[int]int{-15: 32}, wants: []string{"min 26 → 32"}},
		{name: "when the instances carry traffic is said", sizes: map[int]int{-15: 32}, opts: func(o *Options) { o.Latest = 3 * time.Minute }, wants: []string{"FACT ready: they carry traffic at about " + at(-12)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			if c.cloud != nil {
				c.cloud(cl)
			}
			var change []func(*Options)
			if c.opts != nil {
				change = append(change, c.opts)
			}
			p := cl.preview(t, cl.ahead(t, plan(doors, c.sizes), closes, change...), wanted, during(sale.Scheduled))
			text := texts(p) + fmt.Sprintf("\nRISK %s", p.Gesture())
			if p.CostPerHour != nil {
				text += fmt.Sprintf("\nCOST/h %g", *p.CostPerHour)
			}
			for _, f := range p.Facts {
				text += fmt.Sprintf("\nFACT %s: %s", f.Label, f.Text)
			}
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said in\n%s", want, text)
				}
			}
			if len(p.Steps) != c.steps && !p.Refused() {
				t.Errorf("%d steps, want %d", len(p.Steps), c.steps)
			}
			if cl.written() != 0 {
				t.Error("a preview wrote")
			}
		})
	}
}

func TestAPlanIsTakenBackSizeBySizeOnWhatItIsOn(t *testing.T) {
	c := fleet(24, 20, 40)
	doors := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	a := c.ahead(t, plan(doors, map[int]int{-15: 32, -60: 28}), time.Time{})
	whole := c.preview(t, a, wanted, during(sale.Scheduled))
	for _, s := range whole.Steps {
		if _, err := a.Execute(t.Context(), s.Preview, "k"); err != nil {
			t.Fatal(err)
		}
		if state, err := a.ReadBack(t.Context(), s.Preview); err != nil || !state.Value.Holds(s.Preview.To) {
			t.Fatalf("read back %v, %v", state, err)
		}
	}
	undo := func(s actions.Step) actions.Preview {
		return c.preview(t, a, actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleAhead, On: s.Preview.Target, Restore: s.Preview.From.Only(s.Preview.To)}, during(sale.Scheduled))
	}
	p := undo(whole.Steps[1])
	if _, err := a.Execute(t.Context(), p, "k"); err != nil || p.Refused() {
		t.Fatal(p.Refusals, err)
	}
	if left := c.Scheduled("web-prod"); len(left) != 1 || left[0].Name != "onsale.harbour.opens-60m" {
		t.Errorf("left: %+v", left)
	}
	if p = undo(whole.Steps[1]); !p.Refused() || !strings.Contains(p.Refusals[0].Text, "is not planned any more") {
		t.Errorf("what is gone is taken back again: %+v", p.Refusals)
	}
	stranger := whole.Steps[0]
	stranger.Preview.Target.Name = "web-prod/onsale.harbour.opens-99m"
	if p = undo(stranger); !p.Refused() || !strings.Contains(p.Refusals[0].Text, "is not declared any more") {
		t.Errorf("what nobody declares is taken back: %+v", p.Refusals)
	}
	if _, err := a.Execute(t.Context(), stranger.Preview, "k"); err == nil {
		t.Error("what nobody declares is sent")
	}
}
