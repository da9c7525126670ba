package ecs

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
		all = append(all, actions.PlannedSize{Name: "onsale.orchard." + text, Text: text, At: doors.Add(time.Duration(minutes) * time.Minute).In(cet), To: to})
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

var wanted = actions.Request{Sale: "orchard", Verb: actions.ScaleAhead}

func TestAPlanOfOneSizeKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleetOf(24, 20, 40, capacity.Target)
		sizes := plan(time.Now().Add(2*time.Hour), map[int]int{-15: 32})
		return actiontest.Rig{
			Executor: c.ahead(t, sizes, time.Time{}), Sale: "orchard", Good: []actions.Request{wanted},
			Bad:    []actions.Request{{Sale: "orchard", Verb: actions.ScaleUp}, {Sale: "orchard", Verb: actions.ScaleAhead, Step: 2}},
			Writes: c.written, Fault: c.setFault, Secrets: []string{secret, reader}, Evidence: during(sale.Scheduled),
			Change: func() {
				twelve := 12
				at := time.Now().Add(3 * time.Hour).UTC()
				_ = c.Schedule("", capacity.Caller{}, capacity.Scheduled{Name: sizes[0].Name, Schedule: "at(" + at.Format(atForm) + ")", Next: at, Min: &twelve})
			},
		}
	})
}

func TestWhatAPlanOfSeveralSizesSaysBefore(t *testing.T) {
	doors := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	at := func(minutes int) string {
		return doors.Add(time.Duration(minutes) * time.Minute).In(cet).Format("2006-01-02 15:04 MST")
	}
	other := func(name string, minutes int, least, most *int) func(*cloud) {
		return func(c *cloud) {
			when := doors.Add(time.Duration(minutes) * time.Minute).UTC()
			c.scheduled = append(c.scheduled, capacity.Scheduled{Name: name, Schedule: "at(" + when.Format(atForm) + ")", Next: when, Min: least, Max: most})
		}
	}
	n := func(v int) *int { return &v }
	for _, c := range []struct {
		name  string
		cloud func(*cloud)
		sizes map[int]int
		steps int
		wants []string
	}{
		{name: "each size follows on the one before, in the sale's zone", sizes: map[int]int{-15: 32, -60: 28}, steps: 2, wants: []string{
			"CHANGE at " + at(-60) + ": min 20 → 28, then at " + at(-15) + ": min 28 → 32", "also with this program closed",
			"U takes the sizes back one at a time", "opens-15m: min 32: policies can add to it and can't shrink below it", "8 more up to max 40",
		}},
		{name: "what is planned already takes no step", cloud: other("onsale.orchard.opens-60m", -60, n(28), nil), sizes: map[int]int{-15: 32, -60: 28}, wants: []string{"min 28 → 32", "FACT planned: min 28 at " + at(-60)}},
		{name: "one size over max refuses the whole", sizes: map[int]int{-15: 41, -60: 28}, wants: []string{"REFUSED bounds: opens-15m: 41 is over the target's max of 40"}},
		{name: "a max that is lowered before it refuses", cloud: other("night", -120, nil, n(30)), sizes: map[int]int{-15: 32}, wants: []string{"32 is over the target's max of 30 that is planned until then, from 40 now"}},
		{name: "scheduled scaling that is suspended refuses", cloud: func(c *cloud) { c.group.Hold.Scheduled = true }, sizes: map[int]int{-15: 32}, wants: []string{"scheduled scaling is suspended"}},
		{name: "a smaller size of a sale whose end is not known is severe", sizes: map[int]int{-15: 32, 300: 24}, steps: 2, wants: []string{"RISK severe", "when the sale ends is not known"}},
		{name: "a smaller size has the floor of a scale-back", sizes: map[int]int{300: 6}, wants: []string{"6 is below the floor of 8"}},
		{name: "what an earlier plan left behind is named", cloud: other("onsale.orchard.opens-90m", -90, n(26), nil), sizes: map[int]int{-15: 32}, wants: []string{"is of an earlier plan", "min 26 → 32"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleetOf(24, 20, 40, capacity.Target)
			if c.cloud != nil {
				c.cloud(cl)
			}
			p := look(t, cl.ahead(t, plan(doors, c.sizes), time.Time{}), wanted, during(sale.Scheduled))
			text := texts(p) + fmt.Sprintf("\nRISK %s", p.Gesture())
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
	c := fleetOf(24, 20, 40, capacity.Target)
	doors := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	a := c.ahead(t, plan(doors, map[int]int{-15: 32, -60: 28}), time.Time{})
	whole := look(t, a, wanted, during(sale.Scheduled))
	for _, s := range whole.Steps {
		if _, err := a.Execute(t.Context(), s.Preview, "k"); err != nil {
			t.Fatal(err)
		}
		if state, err := a.ReadBack(t.Context(), s.Preview); err != nil || !state.Value.Holds(s.Preview.To) {
			t.Fatalf("read back %v, %v", state, err)
		}
	}
	undo := func(s actions.Step) actions.Preview {
		return look(t, a, actions.Request{Sale: "orchard", Verb: actions.Undo, Of: actions.ScaleAhead, On: s.Preview.Target, Restore: s.Preview.From.Only(s.Preview.To)}, during(sale.Scheduled))
	}
	p := undo(whole.Steps[1])
	if _, err := a.Execute(t.Context(), p, "k"); err != nil || p.Refused() {
		t.Fatal(p.Refusals, err)
	}
	if left := c.Scheduled("web-prod"); len(left) != 1 || left[0].Name != "onsale.orchard.opens-60m" {
		t.Errorf("left: %+v", left)
	}
	if p = undo(whole.Steps[1]); !p.Refused() || !strings.Contains(p.Refusals[0].Text, "is not planned any more") {
		t.Errorf("what is gone is taken back again: %+v", p.Refusals)
	}
	stranger := whole.Steps[0]
	stranger.Preview.Target.Name = "shop/web/onsale.orchard.opens-99m"
	if p = undo(stranger); !p.Refused() || !strings.Contains(p.Refusals[0].Text, "is not declared any more") {
		t.Errorf("what nobody declares is taken back: %+v", p.Refusals)
	}
	if _, err := a.Execute(t.Context(), stranger.Preview, "k"); err == nil {
		t.Error("what nobody declares is sent")
	}
}
