package autoscaling

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func warn(p *actions.Preview, format string, args ...any) {
	p.Warnings = append(p.Warnings, sale.Clean(fmt.Sprintf(format, args...), maxWarning))
}

// sayGrowth is what is particular to more instances.
func (o *Options) sayGrowth(p *actions.Preview, g *group, least, most, size int, seen actions.Evidence) {
	if g.suspends("Launch") {
		p.Refuse(actions.GuardTarget, "Launch is suspended: AWS would accept it and start nothing", o.whySuspended(g, "Launch"))
	}
	if status := aws.ToString(g.Status); status != "" {
		p.Refuse(actions.GuardTarget, o.clean("the group is being deleted: "+status, maxWarning), "")
	}
	switch {
	case !g.suspends("AddToLoadBalancer"):
	case len(g.TargetGroupARNs)+len(g.LoadBalancerNames)+len(g.TrafficSources) > 0:
		warn(p, "AddToLoadBalancer is suspended: new instances get no traffic, not even after it is resumed, until they are registered by hand")
	default:
		warn(p, "AddToLoadBalancer is suspended")
	}
	if size == g.desired {
		warn(p, "no instance is added: it holds the %d that are there, so that no policy shrinks below %d", g.desired, least)
	}
	if most == size && most == least {
		p.Facts = append(p.Facts, actions.Fact{Label: "headroom", Text: fmt.Sprintf("none above %d: no policy can add more", most)})
	} else {
		p.Facts = append(p.Facts, actions.Fact{Label: "headroom", Text: fmt.Sprintf("%d more up to max %d", most-size, most)})
	}
	p.Facts = append(p.Facts, actions.Fact{Label: "holds", Text: fmt.Sprintf("min %d: target tracking can't shrink below it, as it would after a raised desired alone", least)})
	if most > g.max {
		o.sayWarmPool(p, g, most, size)
	}
	o.sayConnections(p, g, size, seen)
	p.UndoText = fmt.Sprintf("U sets min %d again", g.min)
	if most != g.max {
		p.UndoText += fmt.Sprintf(" and max %d", g.max)
	}
	if _, sent := p.To[DesiredCapacity]; sent {
		p.UndoText += fmt.Sprintf(" and desired %d", g.desired)
	} else {
		p.UndoText += "; instances leave as the scaling policies decide"
	}
	p.EffectText = fmt.Sprintf("read back in seconds; done when %d are in service and healthy", size) + o.span()
	p.Soonest, p.Latest = o.Soonest, o.Latest
	o.watch(p, seen, sale.CapacityInService, actions.Up, size)
}

func (o *Options) whySuspended(g *group, process string) string {
	for _, p := range g.SuspendedProcesses {
		if aws.ToString(p.ProcessName) == process {
			return o.clean("resume the process first; AWS says: "+aws.ToString(p.SuspensionReason), maxWarning)
		}
	}
	return "resume the process first"
}

func (o *Options) sayWarmPool(p *actions.Preview, g *group, most, size int) {
	after, ok := g.warm(most, size)
	if !ok {
		return
	}
	prepared := max(most, size) - g.max
	if m := g.WarmPoolConfiguration.MaxGroupPreparedCapacity; m != nil && *m >= 0 {
		p.Facts = append(p.Facts, actions.Fact{Label: "warm pool", Text: fmt.Sprintf("prepared capacity is fixed at %d: a larger max adds none", *m)})
		return
	}
	warn(p, "a larger max prepares up to %d more instances for the warm pool, which cost too: %d warm at size %d", prepared, after, size)
}

// sayConnections holds what new hosts open against the database's limit.
func (o *Options) sayConnections(p *actions.Preview, g *group, size int, seen actions.Evidence) {
	if o.ConnectionsPerHost <= 0 || size <= g.desired {
		return
	}
	more := float64(size-g.desired) * o.ConnectionsPerHost
	used, limit := seen.Signal(sale.DBConnections), seen.Signal(sale.DBConnectionsMax)
	p.Evidence = append(p.Evidence, used, limit)
	text := fmt.Sprintf("+%d hosts × %.4g = %.0f more connections", size-g.desired, o.ConnectionsPerHost, more)
	if !used.Usable() || !limit.Usable() || limit.Value <= 0 {
		p.Facts = append(p.Facts, actions.Fact{Label: "database", Text: text + "; how many are left is not known"})
		warn(p, "the database's connections are not known: %s", text)
		return
	}
	after := used.Value + more
	text += fmt.Sprintf(": %.0f of %.0f (%.0f %%)", after, limit.Value, 100*after/limit.Value)
	p.Facts = append(p.Facts, actions.Fact{Label: "database", Text: text})
	switch {
	case after > limit.Value:
		p.Risk = actions.Severe
		warn(p, "the database would run out of connections: %s", text)
	case after >= 0.8*limit.Value:
		warn(p, "the database comes close to its limit: %s", text)
	}
}

// sayShrink is what is particular to fewer instances. While a sale is on, or may be, it is severe.
func (o *Options) sayShrink(p *actions.Preview, g *group, least, size int, seen actions.Evidence) {
	if !seen.Known || seen.Phase != sale.Scheduled && seen.Phase != sale.Closed {
		p.Risk = actions.Severe
		phase := "not known"
		if seen.Known {
			phase = string(seen.Phase)
		}
		warn(p, "the sale is on or may be (phase %s): fewer instances may not carry it", phase)
	}
	if size < g.desired {
		warn(p, "%d instances end at once: desired %d → %d", g.desired-size, g.desired, size)
		p.EffectText = fmt.Sprintf("read back in seconds; connections drain, then %d are left", size)
		o.watch(p, seen, sale.CapacityInService, actions.Down, size)
	} else {
		p.EffectText = fmt.Sprintf("read back in seconds; the scaling policies may then shrink to %d, and nothing shrinks without one", least)
		o.watch(p, seen, sale.CapacityMin, actions.Down, least)
	}
	if o.Floor > 0 && least < o.Floor {
		p.Risk = actions.Severe
		warn(p, "the recorded min of %d is below the declared floor of %d", least, o.Floor)
	}
	if g.suspends("Terminate") {
		warn(p, "Terminate is suspended: no instance ends until it is resumed")
	}
	switch {
	case g.protected > 0:
		warn(p, "%d instances are protected from scale-in and stay", g.protected)
	case aws.ToBool(g.NewInstancesProtectedFromScaleIn):
		warn(p, "new instances are protected from scale-in: what was added stays")
	}
	p.UndoText = fmt.Sprintf("U sets min %d again", g.min)
	if size < g.desired {
		p.UndoText += "; new instances take their time to start"
	}
}

// sayAround is what holds whichever way it goes.
func (o *Options) sayAround(p *actions.Preview, g *group, least int, grows bool) {
	for _, s := range g.SuspendedProcesses {
		switch name := aws.ToString(s.ProcessName); name {
		case "Launch", "Terminate", "AddToLoadBalancer": // said where they matter
		default:
			warn(p, "%s is suspended (%s)", name, o.clean(aws.ToString(s.SuspensionReason), 80))
		}
	}
	if r := g.refresh; r != nil {
		warn(p, "an instance refresh is going on (%s, %d %%): it replaces instances meanwhile, and capacity may dip", r.Status, aws.ToInt32(r.PercentageComplete))
	}
	if g.failed != nil && grows {
		warn(p, "the last launch failed %s: %s", clock(g.failed.StartTime), o.clean(aws.ToString(g.failed.StatusMessage), 140))
	}
	if forecast := g.PredictedCapacity; forecast != nil && int(*forecast) > least && !grows {
		warn(p, "predictive scaling wants %d", *forecast)
	}
	if g.weighted {
		warn(p, "capacity is counted in instance weights, not in instances")
	}
}

// sayReverts names what will set other sizes later.
func (o *Options) sayReverts(p *actions.Preview, g *group, least int, grows bool) {
	var found []string
	slices.SortFunc(g.scheduled, func(a, b types.ScheduledUpdateGroupAction) int {
		return aws.ToTime(a.StartTime).Compare(aws.ToTime(b.StartTime))
	})
	for _, a := range g.scheduled {
		under := func(v *int32) bool { return v != nil && int(*v) < least }
		over := func(v *int32) bool { return v != nil && int(*v) > least }
		if grows && (under(a.MinSize) || under(a.MaxSize)) || !grows && (over(a.MinSize) || over(a.DesiredCapacity)) {
			found = append(found, o.clean(fmt.Sprintf("scheduled action %s at %s: %s", aws.ToString(a.ScheduledActionName), clock(a.StartTime), sizesText(a)), maxWarning))
		}
	}
	for _, text := range found[:min(len(found), 5)] {
		warn(p, "%s", text)
	}
	for _, t := range g.Tags {
		switch key := aws.ToString(t.Key); key {
		case "aws:cloudformation:stack-name":
			found = append(found, o.clean("CloudFormation stack "+aws.ToString(t.Value)+": its next update may set the template's sizes", maxWarning))
		case "eks:nodegroup-name", "eks:cluster-name":
			found = append(found, o.clean("EKS manages this group ("+key+" "+aws.ToString(t.Value)+") and may set its own sizes", maxWarning))
		}
	}
	switch {
	case len(found) > 0:
		p.RevertsIt = sale.Clean(strings.Join(found, "; "), 2*maxWarning)
	case slices.ContainsFunc(g.notKnown, func(s string) bool { return strings.HasPrefix(s, "scheduled") }):
		p.RevertsIt = "not known: scheduled actions could not be read"
	default:
		p.RevertsIt = "nothing found: no scheduled action of the next 24 h sets another size"
	}
}

func sizesText(a types.ScheduledUpdateGroupAction) string {
	var parts []string
	for _, s := range []struct {
		name string
		v    *int32
	}{{"min", a.MinSize}, {"max", a.MaxSize}, {"desired", a.DesiredCapacity}} {
		if s.v != nil {
			parts = append(parts, fmt.Sprintf("%s %d", s.name, *s.v))
		}
	}
	return strings.Join(parts, ", ")
}

// clock writes an instant for a person, in UTC.
func clock(t *time.Time) string {
	if t == nil {
		return "at a time that is not known"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}
