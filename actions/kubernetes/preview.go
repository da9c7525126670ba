package kubernetes

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// effectWithin is how long an effect is watched for when nobody says how long a start takes.
const effectWithin = 10 * time.Minute

// Preview implements actions.Executor. A number that can't be a size is refused before the
// cluster is asked anything. Its dry run is a patch that stores nothing.
func (x *Executor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	o := &x.opts
	p := actions.Preview{Request: req, Risk: actions.Normal, Target: actions.Target{System: System, Name: o.name(), Account: o.Cluster}}
	if no := o.numeric(req); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	s, err := o.read(ctx)
	if err != nil {
		return p, err
	}
	x.last.Store(s)
	p.ReadAt, p.Target, p.From, p.Version = time.Now(), o.target(s), s.value(), s.version()
	who, at := s.lastWriter(s.least)
	p.ByWhom, p.Modified = o.clean(who, 64), at
	var no *actions.Refusal
	switch req.Verb {
	case actions.ScaleUp:
		no = o.up(&p, s, req)
	case actions.ScaleBack:
		no = o.back(&p, s, req)
	case actions.Undo:
		no = o.undo(&p, s, req)
	default:
		no = refusal(actions.GuardRequest, "", "%s does not scale a Deployment", req.Verb)
	}
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	o.say(&p, s, seen)
	o.sayNodes(ctx, &p, s)
	o.ask(ctx, &p, s)
	return p, nil
}

// present is the size that is asked for now: an autoscaler may have gone above its floor.
func (s *scene) present() int {
	if s.most == "" {
		return s.replicas
	}
	return max(s.replicas, s.min)
}

func (o *Options) up(p *actions.Preview, s *scene, req actions.Request) *actions.Refusal {
	n, no := o.upTo(req.To, s.present(), s.min)
	switch {
	case no != nil:
		return no
	case s.most != "" && n > s.max && o.suggests(req) && s.max > s.min:
		n = s.max
	case s.most != "" && n > s.max && o.suggests(req):
		return refusal(actions.GuardBounds, "raise max first, or allow it in the config", "the %s is at its max of %d: there is no headroom", s.kind, s.max)
	case s.most != "" && n > s.max && !o.RaiseMax:
		return refusal(actions.GuardBounds, "choose a size up to max, or allow max to be raised in the config",
			"%d is over the max of %d of the %s: headroom for %d more", n, s.max, s.kind, max(s.max-s.present(), 0))
	}
	p.To = actions.Value{s.least: actions.Number(float64(n))}
	if s.most != "" && n > s.max {
		p.To[s.most] = actions.Number(float64(n))
	}
	return nil
}

// suggests reports whether the size is for the executor to choose, within what the autoscaler allows.
func (o *Options) suggests(req actions.Request) bool {
	return req.To == nil && len(o.Sizes) == 0 && !o.RaiseMax
}

func (o *Options) back(p *actions.Preview, s *scene, req actions.Request) *actions.Refusal {
	n, no := o.backTo(req.To, s.min)
	if no != nil {
		return no
	}
	p.To = actions.Value{s.least: actions.Number(float64(n))}
	return nil
}

// undo restores recorded values, all of them or none.
func (o *Options) undo(p *actions.Preview, s *scene, req actions.Request) *actions.Refusal {
	const byName = "set the size you want by name instead"
	if req.Of != actions.ScaleUp && req.Of != actions.ScaleBack || len(req.Restore) == 0 {
		return refusal(actions.GuardRequest, "", "%s is not an action on a Deployment", req.Of)
	}
	for name := range req.Restore {
		if name != s.least && name != s.most || name == "" {
			return refusal(actions.GuardTarget, byName, "%s is not what decides the size any more: it is the %s now", name, s.kind)
		}
	}
	if _, err := s.fields(req.Restore); err != nil {
		return refusal(actions.GuardRequest, byName, "the recorded values %q are no sizes: %s", req.Restore.String(), err)
	}
	after := p.From.With(req.Restore)
	least, most := s.sizes(after)
	switch {
	case s.most != "" && least > most:
		return refusal(actions.GuardTarget, byName, "min %d would be over max %d, which was changed since", least, most)
	case s.most == "" && least == 0:
		return refusal(actions.GuardTarget, byName, "the recorded size is zero")
	}
	p.To = req.Restore
	return nil
}

// sizes are the floor and the ceiling that a value comes to, with the defaults of the kind.
func (s *scene) sizes(v actions.Value) (least, most int) {
	least, most = s.defaultLeast, s.defaultMost
	if n, ok := v[s.least].Number(); ok {
		least = int(n)
	}
	if n, ok := v[s.most].Number(); ok {
		most = int(n)
	}
	return least, most
}

// fields are the fields of spec that a value asks for; nil takes a field away.
func (s *scene) fields(v actions.Value) (map[string]any, error) {
	spec := map[string]any{}
	for name, to := range v {
		if name == "" || name != s.least && name != s.most {
			return nil, fmt.Errorf("a %s has no %s", s.kind, name)
		}
		if to == actions.Unset {
			if s.kind != "ScaledObject" {
				return nil, fmt.Errorf("%s of a %s can't be unset", name, s.kind)
			}
			spec[name] = nil
			continue
		}
		n, ok := to.Number()
		if !ok || n != math.Trunc(n) || n < 0 || n > mostSize {
			return nil, fmt.Errorf("%s %s is not a number of pods", name, to)
		}
		spec[name] = int64(n)
	}
	if len(spec) == 0 {
		return nil, fmt.Errorf("no size of a %s is given", s.kind)
	}
	return spec, nil
}

// say fills in what a person must know before.
func (o *Options) say(p *actions.Preview, s *scene, seen actions.Evidence) {
	least, most := s.sizes(p.From.With(p.To))
	present := s.present()
	size := max(present, least)
	switch {
	case s.most == "":
		size = least
		p.Change = fmt.Sprintf("replicas %d → %d", s.min, least)
		p.NotChanged = "pod template, rollout"
	default:
		size = min(size, most)
		p.Change = fmt.Sprintf("min pods %d → %d", s.min, least)
		p.NotChanged = "metrics and behaviour of the autoscaler, pod template"
		if most != s.max {
			p.Change += fmt.Sprintf(", max %d → %d", s.max, most)
		} else {
			p.NotChanged = fmt.Sprintf("max %d, ", s.max) + p.NotChanged
		}
	}
	p.How = o.clean(fmt.Sprintf("merge patch of %s %s/%s: %s, absolute", s.kind, o.Namespace, s.object.GetName(), p.To), maxWarning)
	p.Facts = append(p.Facts,
		actions.Fact{Label: "now", Text: s.progress(s.replicas)},
		actions.Fact{Label: "version", Text: "resourceVersion " + o.clean(s.object.GetResourceVersion(), 32)})
	p.Evidence = seen.Need(o.Needs...)
	p.People, p.PeopleText = seen.Waiting()
	p.UndoText = "U sets " + p.From.Only(p.To).String() + " again"
	o.sayCost(p, present, size)
	grows := least > s.min || size > present
	if grows {
		o.sayGrowth(p, s, least, most, size, seen)
	} else {
		o.sayShrink(p, s, least, size, seen)
	}
	o.sayReverts(p, s)
}

func (o *Options) sayCost(p *actions.Preview, present, size int) {
	if o.UnitCost == nil {
		p.CostText = "not known: no cost per pod is configured"
		return
	}
	cost := float64(size-present) * *o.UnitCost
	p.CostPerHour = &cost
	p.CostText = fmt.Sprintf("%+d × $%.4g = %+.2f USD/h, %.2f → %.2f", size-present, *o.UnitCost, cost, float64(present)**o.UnitCost, float64(size)**o.UnitCost)
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
