package autoscaling

import (
	"context"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// effectWithin is how long an effect is watched for when nobody says how long a start takes.
const effectWithin = 10 * time.Minute

// Preview implements actions.Executor. A number that can't be a size is refused before AWS is
// asked anything.
func (x *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	o := &x.opts
	p := actions.Preview{Request: req, Risk: actions.Normal, Target: actions.Target{System: System, Kind: "Auto Scaling group", Name: o.Group}}
	if no := o.numeric(req); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	now := time.Now()
	g, err := o.describe(ctx)
	if err != nil {
		return p, err
	}
	p.ReadAt, p.Target, p.From = time.Now(), o.target(g), g.value()
	var no *actions.Refusal
	switch req.Verb {
	case actions.ScaleUp:
		no = o.up(&p, g, req)
	case actions.ScaleBack:
		no = o.back(&p, g, req)
	case actions.Undo:
		no = o.undo(&p, g, req)
	default:
		no = refusal(actions.GuardRequest, "", "%s does not scale a group", req.Verb)
	}
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	o.around(ctx, g, now)
	o.say(&p, g, seen)
	return p, nil
}

// up fills in a scale-up.
func (o *Options) up(p *actions.Preview, g *group, req actions.Request) *actions.Refusal {
	n, no := o.upTo(req.To, g.desired, g.min)
	if no != nil {
		return no
	}
	if n > g.max && o.suggests(req) {
		n = max(g.max, g.desired)
	}
	if n <= g.min {
		return refusal(actions.GuardBounds, "raise max first, or allow it in the config", "desired is at the group's max of %d: there is no headroom", g.max)
	}
	if n > g.max && !o.RaiseMax {
		return refusal(actions.GuardBounds, "choose a size up to max, or allow max to be raised in the config",
			"%d is over the group's max of %d: headroom for %d more", n, g.max, max(g.max-g.desired, 0))
	}
	p.To = actions.Value{MinSize: actions.Number(float64(n))}
	if n > g.max {
		p.To[MaxSize] = actions.Number(float64(n))
	}
	if o.SetDesired {
		p.To[DesiredCapacity] = actions.Number(float64(n))
	}
	return nil
}

// suggests reports whether the size is for the executor to choose, within what the group allows.
func (o *Options) suggests(req actions.Request) bool {
	return req.To == nil && len(o.Sizes) == 0 && !o.RaiseMax
}

// back fills in a scale-back: the floor comes down, and so does the size where no policy moves it.
func (o *Options) back(p *actions.Preview, g *group, req actions.Request) *actions.Refusal {
	n, no := o.backTo(req.To, g.min)
	if no != nil {
		return no
	}
	p.To = actions.Value{MinSize: actions.Number(float64(n))}
	if o.SetDesired {
		p.To[DesiredCapacity] = actions.Number(float64(n))
	}
	return nil
}

// undo restores recorded values, all of them or none.
func (o *Options) undo(p *actions.Preview, g *group, req actions.Request) *actions.Refusal {
	if req.Of != actions.ScaleUp && req.Of != actions.ScaleBack {
		return refusal(actions.GuardRequest, "", "%s is not an action on a group", req.Of)
	}
	sizes, err := sizesOf(req.Restore)
	if err != nil || len(req.Restore) == 0 {
		return refusal(actions.GuardRequest, "set the size you want by name instead", "the recorded values %q are no sizes of a group", req.Restore.String())
	}
	after := g.value().With(req.Restore)
	least, _ := after[MinSize].Number()
	most, _ := after[MaxSize].Number()
	size, _ := after[DesiredCapacity].Number()
	switch {
	case least > most:
		return refusal(actions.GuardTarget, "set the size you want by name instead", "min %.0f would be over max %.0f, which was changed since", least, most)
	case sizes.desired != nil && (size < least || size > most):
		return refusal(actions.GuardTarget, "set the size you want by name instead", "desired %.0f would be outside of %.0f to %.0f, which was changed since", size, least, most)
	}
	p.To = req.Restore
	return nil
}

// say fills in what a person must know before.
func (o *Options) say(p *actions.Preview, g *group, seen actions.Evidence) {
	after := p.From.With(p.To)
	least, most, size := count(after[MinSize]), count(after[MaxSize]), count(after[DesiredCapacity])
	if _, sent := p.To[DesiredCapacity]; !sent {
		size = min(max(g.desired, least), most)
	}
	grows := least > g.min || size > g.desired
	p.Change = fmt.Sprintf("min %d → %d", g.min, least)
	if most != g.max {
		p.Change += fmt.Sprintf(", max %d → %d", g.max, most)
	}
	p.Change += fmt.Sprintf(", desired %d → %d", g.desired, size)
	p.How = o.clean(fmt.Sprintf("UpdateAutoScalingGroup %s: %s, absolute", o.Group, p.To), maxWarning)
	p.NotChanged = "launch template, scaling policies, scheduled actions, suspended processes"
	if most == g.max {
		p.NotChanged = fmt.Sprintf("max %d, ", g.max) + p.NotChanged
	}
	p.Facts = append(p.Facts, actions.Fact{Label: "now", Text: g.progress(0)})
	p.Evidence = seen.Need(o.Needs...)
	p.People, p.PeopleText = seen.Waiting()
	o.sayCost(p, g, g.desired, size)
	if grows {
		o.sayGrowth(p, g, least, most, size, seen)
	} else {
		o.sayShrink(p, g, least, size, seen)
	}
	o.sayAround(p, g, least, grows)
	o.sayReverts(p, g, least, grows)
	for _, text := range g.notKnown {
		p.Warnings = append(p.Warnings, o.clean(text, maxWarning))
	}
}

// span is how long a start takes, as configured: "; starts take 1:30 to 3:00". "" when nobody said.
func (o *Options) span() string {
	if o.Latest <= 0 {
		return ""
	}
	return "; starts take " + sale.Format(o.Soonest.Seconds(), sale.Seconds, false) + " to " + sale.Format(o.Latest.Seconds(), sale.Seconds, false)
}

func count(s actions.Setting) int {
	v, _ := s.Number()
	return int(v)
}

func (o *Options) sayCost(p *actions.Preview, g *group, present, size int) {
	more := size - present
	switch {
	case o.UnitCost == nil:
		p.CostText = "not known: no cost per instance is configured"
	case g.weighted:
		p.CostText = "not known: capacity is counted in weights"
	default:
		cost := float64(more) * *o.UnitCost
		p.CostPerHour = &cost
		p.CostText = fmt.Sprintf("%+d × $%.4g = %+.2f USD/h, %.2f → %.2f, list price", more, *o.UnitCost, cost, float64(present)**o.UnitCost, float64(size)**o.UnitCost)
	}
}

// declares reports whether a sale has a signal at all.
func declares(seen actions.Evidence, name sale.Signal) bool {
	for _, o := range seen.Signals {
		if o.Signal == name {
			return true
		}
	}
	return false
}

// watch is the effect of a signal that the sale has; nil when it has not.
func (o *Options) watch(p *actions.Preview, seen actions.Evidence, name sale.Signal, way actions.Direction, wanted int) {
	within := effectWithin
	if o.Latest > 0 {
		within = o.Latest + o.Latest/2
	}
	if declares(seen, name) {
		p.Effect = &actions.Effect{Signal: name, Direction: way, Wanted: float64(wanted), Within: within}
	}
}
