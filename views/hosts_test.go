package views

import (
	"testing"

	"github.com/onsale-dev/onsale/sale"
)

func TestTheHostsSayWhatTheyAreAsFarAsItFits(t *testing.T) {
	named := func(label string) sale.Known {
		return sale.Known{Spec: &sale.Spec{Signal: sale.CapacityInService, Label: label, Source: "groups"}}
	}
	for _, c := range []struct {
		name string
		fig  figure
		w    int
		want string
	}{
		{"a group with its max", figure{declared: true, known: named("ASG"), label: "ASG", now: "24/24", against: "max 32", freshness: sale.Fresh}, 17, "ASG 24/24 max 32"},
		{"the longest usual one", figure{declared: true, known: named("KEDA"), label: "KEDA", now: "40/40", against: "max 60", freshness: sale.Late}, 17, "KEDA 40/40 max 60"},
		{"without its max where that does not fit", figure{declared: true, known: named("HPA"), label: "HPA", now: "40/40", against: "max 60", freshness: sale.Fresh}, 10, "HPA 40/40"},
		{"the number alone where nothing else fits", figure{declared: true, known: named("KEDA"), label: "KEDA", now: "100/120", against: "max 200", freshness: sale.Fresh}, 8, "100/120"},
		{"hosts that nobody named", figure{declared: true, known: named("in service"), label: "in service", now: "24/24", against: "max 32", freshness: sale.Fresh}, 17, "24/24 max 32"},
		{"an old number has no max to be held against", figure{declared: true, known: named("ASG"), label: "ASG", now: "?24/24", against: "STALE", freshness: sale.Stale}, 17, "ASG ?24/24"},
		{"no number", figure{declared: true, known: named("ASG"), label: "ASG", now: "none", against: "NO DATA", freshness: sale.NoData}, 17, "none"},
		{"no signal", figure{now: "-", against: "not declared"}, 17, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hostsText(&c.fig, c.w); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestOnlyRoomThatNobodyElseNeedsGoesToTheHosts(t *testing.T) {
	for _, c := range []struct{ w, hosts int }{{200, 18}, {120, 18}, {113, 11}, {100, 12}} {
		cols := fitColumns(rowColumns(), c.w)
		sum := 0
		for _, col := range cols {
			sum += col.w
		}
		if last := cols[len(cols)-1]; last.signal != sale.CapacityInService || last.w != c.hosts || sum > c.w {
			t.Errorf("at %d the hosts have %d cells of %d, want %d", c.w, last.w, sum, c.hosts)
		}
	}
}
