package config

import (
	"testing"

	"github.com/onsale-dev/onsale/sale"
)

func TestASaleKnowsWhatAUnitCostsAndWhichAreKept(t *testing.T) {
	scaling := func(up, back string) string {
		return `sales:
  - id: a
    name: a
    opens: 2026-12-01T10:00:00Z
    signals: {capacity_in_service: {from: fleet, group: web}}
    actions: {` + up + back + `}
`
	}
	for name, c := range map[string]struct {
		text  string
		cost  float64 // 0: not known
		floor int
	}{
		"of a scale-up": {scaling("scale-up: {via: scale, group: web, unit_cost: 0.166}", ""), 0.166, 0},
		"of a scale-up before that of a scale-back": {scaling("scale-up: {via: scale, group: web, unit_cost: 0.2},", "scale-back: {via: scale, group: web, floor: 4, unit_cost: 0.1}"), 0.2, 4},
		"of a scale-back alone":                     {scaling("", "scale-back: {via: scale, group: web, floor: 6, unit_cost: 0.1}"), 0.1, 6},
		"nobody says":                               {scaling("scale-up: {via: scale, group: web}", ""), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &acting(t, c.text).Sales[0]
			got := 0.0
			if s.UnitCost != nil {
				got = *s.UnitCost
			}
			if got != c.cost || s.CapacityFloor != c.floor {
				t.Errorf("costs %v, keeps %d; want %v, %d", got, s.CapacityFloor, c.cost, c.floor)
			}
		})
	}
}

func TestAnObjectiveSaysWhatABurningBudgetMeans(t *testing.T) {
	c := acting(t, `templates:
  shop:
    signals: {payment_failure_ratio: {from: m, query: a}, error_ratio: {from: m, query: b}}
    objectives: [{name: availability, signal: error_ratio, target: 99.9%}, {name: payment, signal: payment_failure_ratio, target: 90%}]
sales:
  - id: a
    name: a
    template: shop
    opens: 2026-12-01T10:00:00Z
    objectives: [{name: payment, signal: payment_failure_ratio, target: 97%, burns: bad}]
`)
	if n := len(c.Sales[0].Objectives); n != 2 {
		t.Fatalf("%d objectives", n)
	}
	for _, o := range c.Sales[0].Objectives {
		want := sale.Watch
		if o.Name == "payment" {
			want = sale.Bad
		}
		if o.Burns != want {
			t.Errorf("%s: %s, want %s", o.Name, o.Burns, want)
		}
	}
}
