package ecs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// effectWithin is how long an effect is watched for when nobody says how long a start takes.
const effectWithin = 10 * time.Minute

// Preview implements actions.Executor. A number that can't be a size is refused before AWS is
// asked anything.
func (x *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	o := &x.opts
	p := actions.Preview{Request: req, Risk: actions.Normal, Target: actions.Target{System: System, Kind: o.kind(), Name: o.name()}}
	if no := o.numeric(req); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	f, err := o.describe(ctx)
	if err != nil {
		return p, err
	}
	p.ReadAt, p.Target, p.From = time.Now(), o.targetOf(f), f.value()
	var no *actions.Refusal
	switch req.Verb {
	case actions.ScaleUp:
		no = o.up(&p, f, req)
	case actions.ScaleBack:
		no = o.back(&p, f, req)
	case actions.Undo:
		no = o.undo(&p, f, req)
	default:
		no = refusal(actions.GuardRequest, "", "%s does not scale a service", req.Verb)
	}
	if no == nil {
		no = o.scalable(f)
	}
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	o.around(ctx, f)
	o.say(&p, f, seen)
	return p, nil
}

// scalable refuses a service whose count can't be set.
func (o *Options) scalable(f *fleet) *actions.Refusal {
	if f.service == nil {
		return nil
	}
	switch s := f.service; {
	case aws.ToString(s.Status) != "ACTIVE":
		return refusal(actions.GuardTarget, "", "the service is %s", o.clean(aws.ToString(s.Status), 32))
	case s.SchedulingStrategy == types.SchedulingStrategyDaemon:
		return refusal(actions.GuardTarget, "scale the instances of the cluster instead", "it is a daemon service: it runs one task on each instance")
	}
	return nil
}

func (o *Options) up(p *actions.Preview, f *fleet, req actions.Request) *actions.Refusal {
	present, least := f.size()
	n, no := o.upTo(req.To, present, least)
	switch {
	case no != nil:
		return no
	case f.target == nil:
		p.To = actions.Value{DesiredCount: actions.Number(float64(n))}
		return nil
	case n > f.max && o.suggests(req) && f.max > least:
		n = f.max
	case n > f.max && o.suggests(req):
		return refusal(actions.GuardBounds, "raise max first, or allow it in the config", "the target is at its max of %d: there is no headroom", f.max)
	case n > f.max && !o.RaiseMax:
		return refusal(actions.GuardBounds, "choose a size up to max, or allow max to be raised in the config",
			"%d is over the target's max of %d: headroom for %d more", n, f.max, max(f.max-present, 0))
	}
	p.To = actions.Value{MinCapacity: actions.Number(float64(n))}
	if n > f.max {
		p.To[MaxCapacity] = actions.Number(float64(n))
	}
	return nil
}

// suggests reports whether the size is for the executor to choose, within what the target allows.
func (o *Options) suggests(req actions.Request) bool {
	return req.To == nil && len(o.Sizes) == 0 && !o.RaiseMax
}

func (o *Options) back(p *actions.Preview, f *fleet, req actions.Request) *actions.Refusal {
	_, least := f.size()
	n, no := o.backTo(req.To, least)
	if no != nil {
		return no
	}
	p.To = actions.Value{MinCapacity: actions.Number(float64(n))}
	if f.target == nil {
		p.To = actions.Value{DesiredCount: actions.Number(float64(n))}
	}
	return nil
}

// undo restores recorded values, all of them or none.
func (o *Options) undo(p *actions.Preview, f *fleet, req actions.Request) *actions.Refusal {
	if req.Of != actions.ScaleUp && req.Of != actions.ScaleBack {
		return refusal(actions.GuardRequest, "", "%s is not an action on a service", req.Of)
	}
	w, err := writeOf(req.Restore)
	const byName = "set the size you want by name instead"
	switch {
	case err != nil:
		return refusal(actions.GuardRequest, byName, "the recorded values %q are no sizes of a service", req.Restore.String())
	case w.desired != nil && f.target != nil:
		return refusal(actions.GuardTarget, byName, "Application Auto Scaling manages the service now: its desired count would not stay")
	case w.desired == nil && f.target == nil:
		return refusal(actions.GuardTarget, byName, "the scalable target was deregistered since, and it is not registered again from here")
	}
	after := f.value().With(req.Restore)
	if least, most := count(after[MinCapacity]), count(after[MaxCapacity]); w.desired == nil && least > most {
		return refusal(actions.GuardTarget, byName, "min %d would be over max %d, which was changed since", least, most)
	}
	p.To = req.Restore
	return nil
}

func count(s actions.Setting) int {
	v, _ := s.Number()
	return int(v)
}

// say fills in what a person must know before.
func (o *Options) say(p *actions.Preview, f *fleet, seen actions.Evidence) {
	after := p.From.With(p.To)
	present, was := f.size()
	least, size := count(after[MinCapacity]), 0
	if f.target == nil {
		least = count(after[DesiredCount])
		size = least
		p.Change = fmt.Sprintf("desired %d → %d", f.desired, size)
		p.How = o.clean(fmt.Sprintf("UpdateService %s: desiredCount %d, absolute, no new deployment", o.name(), size), maxWarning)
		p.NotChanged = "task definition, deployments, load balancer"
	} else {
		most := count(after[MaxCapacity])
		size = min(max(present, least), most)
		p.Change = fmt.Sprintf("min %d → %d", f.min, least)
		if most != f.max {
			p.Change += fmt.Sprintf(", max %d → %d", f.max, most)
		}
		if f.service != nil {
			p.Change += fmt.Sprintf(", desired %d → %d", f.desired, size)
		}
		p.How = o.clean(fmt.Sprintf("RegisterScalableTarget %s: %s, absolute", o.Resource, p.To), maxWarning)
		p.NotChanged = "scaling policies, scheduled actions, task definition"
		if most == f.max {
			p.NotChanged = fmt.Sprintf("max %d, ", most) + p.NotChanged
		}
	}
	p.Facts = append(p.Facts, actions.Fact{Label: "now", Text: f.progress(present)})
	p.Evidence = seen.Need(o.Needs...)
	p.People, p.PeopleText = seen.Waiting()
	grows := least > was || size > present
	o.sayCost(p, present, size)
	if grows {
		o.sayGrowth(p, f, least, size, seen)
	} else {
		o.sayShrink(p, f, least, size, seen)
	}
	p.UndoText = "U sets " + p.From.Only(p.To).String() + " again"
	o.sayService(p, f, grows)
	o.sayTarget(p, f, least, grows)
	for _, text := range f.notKnown {
		warn(p, "%s", text)
	}
}

func (o *Options) sayCost(p *actions.Preview, present, size int) {
	if o.UnitCost == nil {
		p.CostText = "not known: no cost per task is configured"
		return
	}
	cost := float64(size-present) * *o.UnitCost
	p.CostPerHour = &cost
	p.CostText = fmt.Sprintf("%+d × $%.4g = %+.2f USD/h, %.2f → %.2f, list price", size-present, *o.UnitCost, cost, float64(present)**o.UnitCost, float64(size)**o.UnitCost)
}

// span is how long a start takes, as configured: "; starts take 1:00 to 2:00". "" when nobody said.
func (o *Options) span() string {
	if o.Latest <= 0 {
		return ""
	}
	return "; starts take " + sale.Format(o.Soonest.Seconds(), sale.Seconds, false) + " to " + sale.Format(o.Latest.Seconds(), sale.Seconds, false)
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

// reverts joins what will set other sizes later.
func reverts(p *actions.Preview, found []string, otherwise string) {
	if len(found) == 0 {
		p.RevertsIt = otherwise
		return
	}
	p.RevertsIt = sale.Clean(strings.Join(found, "; "), 2*maxWarning)
}
