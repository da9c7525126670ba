package sources

import (
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Plan is a size that a sale declares for a time ahead of it.
type Plan struct {
	Sale sale.ID
	Name string    // of the scheduled action that sets it
	Text string    // the time as it is declared: "opens-15m"
	At   time.Time // its location is the one that a person reads it in
	To   int
}

// Scheduled is a change of the least size that a provider has planned.
type Scheduled struct {
	Name string // as the provider has it: to compare with, never to show
	At   time.Time
	Min  *int32 // nil: it does not set it
}

// PlanNote says whether a provider has planned what a sale declares; "" when the time of the plan has
// passed. least is the least size at present, nil when it is not known; whole is false when there are
// more scheduled changes than could be listed, so that what is not seen may yet be there.
func PlanNote(p Plan, all []Scheduled, whole bool, least *int32, now time.Time) (code, text string) {
	if !p.At.After(now) {
		return "", ""
	}
	at := p.At.Truncate(time.Second)
	when := p.when(at, now)
	i := slices.IndexFunc(all, func(s Scheduled) bool { return s.Name == p.Name })
	if i < 0 { // whoever planned the same by another name has planned it
		i = slices.IndexFunc(all, func(s Scheduled) bool { return s.is(at, p.To) })
	}
	switch {
	case i < 0 && !whole:
		return "plan_unknown", fmt.Sprintf("whether %s (%s) to %d is planned is not known: there are more scheduled actions than were listed", p.Text, when, p.To)
	case i < 0:
		return "not_planned", fmt.Sprintf("NOT planned: %s (%s) to %d; scale ahead sends it", p.Text, when, p.To)
	case !all[i].is(at, p.To):
		has := "no min"
		if all[i].Min != nil {
			has = fmt.Sprintf("min %d", *all[i].Min)
		}
		return "planned_otherwise", fmt.Sprintf("planned OTHERWISE: %s at %s, declared is %s (%s) to %d; scale ahead mends it", has, p.when(all[i].At, now), p.Text, when, p.To)
	}
	before := least
	var last time.Time
	for _, s := range all {
		if s.Min != nil && s.At.Before(at) && s.At.After(now) && !s.At.Before(last) {
			before, last = s.Min, s.At
		}
	}
	from := "?"
	if before != nil {
		from = fmt.Sprint(*before)
	}
	return "planned", fmt.Sprintf("planned %s: min %s → %d (%s)", when, from, p.To, p.Text)
}

func (s Scheduled) is(at time.Time, to int) bool {
	return s.At.Equal(at) && s.Min != nil && int(*s.Min) == to
}

// when is an instant in the plan's location, with the day when that is not today's.
func (p Plan) when(t, now time.Time) string {
	t, now = t.In(p.At.Location()), now.In(p.At.Location())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 MST")
	}
	return t.Format("Jan 2 15:04 MST")
}
