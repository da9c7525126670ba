package autoscaling

import (
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// group is one Auto Scaling group that is read, and what is known of it.
type group struct {
	name         string
	sales        []sale.ID // that have a query of it, in the queries' order
	targetsAsked bool      // healthy_targets is asked for
	plans        []sources.Plan

	// Of this poll.
	known   bool
	problem *sale.Problem // why it is not known
	described
	at time.Time // of the answer

	// Over the polls.
	before      bool      // it was known once
	shortSince  time.Time // less in service than desired; zero: not so
	shortBefore bool      // it was so when it was first seen
	asides      []*aside
}

func (g *group) want(q Query) {
	if !slices.Contains(g.sales, q.Sale) {
		g.sales = append(g.sales, q.Sale)
	}
	g.targetsAsked = g.targetsAsked || q.Field == HealthyTargets
}

// learn takes over what was described.
func (g *group) learn(d described, at time.Time) {
	g.known, g.problem, g.described, g.at = true, nil, d, at
	switch short := g.short(); {
	case !short:
		g.shortSince, g.shortBefore = time.Time{}, false
	case g.shortSince.IsZero():
		g.shortSince, g.shortBefore = at, !g.before
	}
	g.before = true
}

// miss forgets the group for this poll.
func (g *group) miss(p *sale.Problem) {
	g.known, g.problem, g.described = false, p, described{}
	if p.Class == sale.NotFound { // when it comes back it is another one
		g.before, g.shortSince, g.asides = false, time.Time{}, nil
	}
}

// short reports whether less is in service than desired, as far as is known.
func (g *group) short() bool {
	return g.known && g.instances.fault == "" && g.desired != nil && g.instances.inService < float64(*g.desired)
}

// value is the figure of one field and the time it describes, or why there is none.
func (g *group) value(f Field) (float64, time.Time, *sale.Problem) {
	if !g.known {
		return 0, time.Time{}, g.problem
	}
	switch f {
	case Desired:
		return g.size(g.desired, "DesiredCapacity")
	case Min:
		return g.size(g.min, "MinSize")
	case Max:
		return g.size(g.max, "MaxSize")
	case Warm:
		if g.pool == nil {
			return 0, time.Time{}, &sale.Problem{Class: sale.NotFound, Text: "the group has no warm pool", Hint: "take this signal out, or give the group a warm pool"}
		}
		return g.size(g.pool.size, "WarmPoolSize")
	case HealthyTargets:
		return g.healthyTargets()
	}
	if g.instances.fault != "" {
		return 0, time.Time{}, &sale.Problem{Class: sale.BadData, Text: g.instances.fault, Hint: hintEndpoint}
	}
	v := map[Field]float64{InService: g.instances.inService, Pending: g.instances.pending, Unhealthy: g.instances.unhealthy}[f]
	return v, g.at, nil
}

func (g *group) size(v *int32, name string) (float64, time.Time, *sale.Problem) {
	switch {
	case v == nil:
		return 0, time.Time{}, &sale.Problem{Class: sale.BadData, Text: "the answer has no " + name, Hint: hintEndpoint}
	case *v < 0:
		return 0, time.Time{}, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("%s is %d", name, *v), Hint: hintEndpoint}
	}
	return float64(*v), g.at, nil
}
