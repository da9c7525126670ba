package sale

import (
	"math"
	"slices"
)

// rightSize is how much capacity would do, from the closed minutes.
type rightSize struct {
	units float64 // NaN when not known
	why   string
}

const (
	// fullAt is the part of what a unit can carry that it should: Cloudflare advises a waiting room
	// to fill three quarters of the origin's capacity (Waiting Room, "Best practices").
	fullAt = 0.75
	// leastCarried is how many good minutes must tell what a unit carries.
	leastCarried = 10
	// recent is how many closed minutes the present load is the most of.
	recent = 5
	// leastUnits is what is kept where no floor is declared: one unit alone may fail.
	leastUnits = 2
)

// rightsize works out how many units would do once the rush is over. What a unit carries is what it
// was seen to carry in this sale while every objective was kept: the 90th percentile of its minutes.
func (a *assessment) rightsize(s *saleEntry, phase Phase) {
	a.size = rightSize{units: math.NaN()}
	if phase != Tail && phase != Closed {
		return
	}
	load := a.rates[RequestRate]
	if load == nil {
		load = a.rates[ActiveUsers]
	}
	units := a.rates[CapacityInService]
	if load == nil || units == nil {
		a.size.why = "neither requests nor active users are read beside the capacity"
		return
	}
	until := min(load.next, units.next)
	now := math.NaN()
	for m := until - recent; m < until; m++ {
		if v := load.at(m); v >= 0 && !(v < now) {
			now = v
		}
	}
	if math.IsNaN(now) {
		a.size.why = "the present load is not known"
		return
	}
	var carried []float64
	for m := max(minuteAt(s.sale.Opens.UnixNano()), until-keptMinutes); m < until; m++ {
		if each := load.at(m) / units.at(m); isFinite(each) && each > 0 && a.kept(m) {
			carried = append(carried, each)
		}
	}
	floor := float64(s.sale.CapacityFloor)
	if floor <= 0 {
		floor = leastUnits
	}
	if len(carried) >= leastCarried {
		slices.Sort(carried)
		each := carried[(len(carried)*9-1)/10]
		if need := math.Ceil(now / (each * fullAt)); isFinite(need) {
			a.size.units = max(need, floor)
		}
		return
	}
	if need, known := a.byPlan(s); known { // the rush was not watched: its operators know their hosts by heart
		a.size.units = max(need, floor)
		return
	}
	a.size.why = "what one unit carries is not known: too few good minutes of this sale"
}

// byPlan is how many units would do for the most that were active lately, by what the plan says that
// one carries.
func (a *assessment) byPlan(s *saleEntry) (units float64, known bool) {
	active := a.rates[ActiveUsers]
	if active == nil || !(s.sale.Plan.Carries > 0) {
		return 0, false
	}
	most := math.NaN()
	for m := active.next - recent; m < active.next; m++ {
		if v := active.at(m); v >= 0 && !(v < most) {
			most = v
		}
	}
	units = math.Ceil(most / s.sale.Plan.Carries)
	return units, isFinite(units)
}

// kept reports whether every objective that is known of a minute was kept in it.
func (a *assessment) kept(m int64) bool {
	for i := range a.goals {
		g := &a.goals[i]
		if v := g.line.at(m); v > 1-g.Target {
			return false
		}
	}
	return true
}

// costs says what the sale costs as it stands.
func (s *saleEntry) costs(st *State) Cost {
	c := Cost{Held: math.NaN(), PerHour: math.NaN(), Enough: s.assessed.size.units, Saves: math.NaN(), Why: s.assessed.size.why}
	k, declared := st.Signal(CapacityInService)
	switch {
	case !declared:
		c.Why = "no capacity is read"
	case missing(&k) || k.Value < 0:
		c.Why = label(k.Spec) + " is not known"
	default:
		c.Held = k.Value
	}
	if c.Enough >= c.Held { // what is held does; that fewer would has not been seen
		c.Enough, c.Why = math.NaN(), "nothing shows that fewer would do"
	}
	if s.sale.UnitCost == nil {
		if !math.IsNaN(c.Held) {
			c.Why = "no unit_cost is declared"
		}
		return c
	}
	if c.PerHour = c.Held * *s.sale.UnitCost; !isFinite(c.PerHour) {
		c.PerHour = math.NaN()
		return c
	}
	if saves := (c.Held - c.Enough) * *s.sale.UnitCost; saves > 0 && isFinite(saves) {
		c.Saves = saves
	}
	return c
}

// Bill is what reading costs: list price, all sources together.
type Bill struct {
	PerHour   float64 // USD, at the present cadences
	USD       float64 // since start
	CallsIn5m int
}

// Bill adds up what the sources cost.
func (s *Snapshot) Bill() Bill {
	var b Bill
	for i := range s.Sources {
		b.PerHour += s.Sources[i].CostPerH
		b.USD += s.Sources[i].CostUSD
		b.CallsIn5m += s.Sources[i].CallsIn5m
	}
	return b
}
