package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func warn(p *actions.Preview, format string, args ...any) {
	p.Warnings = append(p.Warnings, sale.Clean(fmt.Sprintf(format, args...), maxWarning))
}

// sayGrowth is what is particular to more tasks.
func (o *Options) sayGrowth(p *actions.Preview, f *fleet, least, size int, seen actions.Evidence) {
	if f.target != nil {
		p.Facts = append(p.Facts, actions.Fact{Label: "holds", Text: fmt.Sprintf("min %d: no policy can shrink below it, as it would after a raised desired count alone", least)})
		if f.service != nil && size == f.desired {
			warn(p, "no task is added: it holds the %d that are there", f.desired)
		}
		if most := count(p.From.With(p.To)[MaxCapacity]); most == size {
			p.Facts = append(p.Facts, actions.Fact{Label: "headroom", Text: fmt.Sprintf("none above %d: no policy can add more", most)})
		} else {
			p.Facts = append(p.Facts, actions.Fact{Label: "headroom", Text: fmt.Sprintf("%d more up to max %d", most-size, most)})
		}
	}
	o.sayConnections(p, f, size, seen)
	p.Soonest, p.Latest = o.Soonest, o.Latest
	p.EffectText = fmt.Sprintf("read back in seconds; done when %d are running", size) + o.span()
	o.watch(p, seen, sale.CapacityInService, actions.Up, size)
}

// sayConnections holds what new tasks open against the database's limit.
func (o *Options) sayConnections(p *actions.Preview, f *fleet, size int, seen actions.Evidence) {
	present, _ := f.size()
	if o.ConnectionsPerTask <= 0 || size <= present {
		return
	}
	more := float64(size-present) * o.ConnectionsPerTask
	used, limit := seen.Signal(sale.DBConnections), seen.Signal(sale.DBConnectionsMax)
	p.Evidence = append(p.Evidence, used, limit)
	text := fmt.Sprintf("+%d tasks × %.4g = %.0f more connections", size-present, o.ConnectionsPerTask, more)
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

// sayShrink is what is particular to fewer tasks. While a sale is on, or may be, it is severe.
func (o *Options) sayShrink(p *actions.Preview, f *fleet, least, size int, seen actions.Evidence) {
	if !seen.Known || seen.Phase != sale.Scheduled && seen.Phase != sale.Closed {
		p.Risk = actions.Severe
		phase := "not known"
		if seen.Known {
			phase = string(seen.Phase)
		}
		warn(p, "the sale is on or may be (phase %s): fewer tasks may not carry it", phase)
	}
	if present, _ := f.size(); size < present {
		warn(p, "%d tasks end at once: %d → %d", present-size, present, size)
		p.EffectText = fmt.Sprintf("read back in seconds; connections drain, then %d are left", size)
		o.watch(p, seen, sale.CapacityInService, actions.Down, size)
	} else {
		p.EffectText = fmt.Sprintf("read back in seconds; the scaling policies may then shrink to %d, and nothing shrinks without one", least)
		o.watch(p, seen, sale.CapacityMin, actions.Down, least)
	}
	if o.Floor > 0 && least < o.Floor {
		p.Risk = actions.Severe
		warn(p, "the recorded size of %d is below the declared floor of %d", least, o.Floor)
	}
}

// sayService is what the service itself tells.
func (o *Options) sayService(p *actions.Preview, f *fleet, grows bool) {
	if f.service == nil {
		return
	}
	if f.deploying() {
		state := ""
		for _, d := range f.service.Deployments {
			if aws.ToString(d.Status) == "PRIMARY" {
				state = fmt.Sprintf(": %d of %d tasks of the new one run", d.RunningCount, d.DesiredCount)
			}
		}
		warn(p, "a deployment is in progress%s; scale-in by policies is off while it is", state)
	}
	for _, d := range f.service.Deployments {
		if d.RolloutState == types.DeploymentRolloutStateFailed {
			warn(p, "a deployment has failed: %s", o.clean(aws.ToString(d.RolloutStateReason), 140))
		}
	}
	if !grows {
		return
	}
	if text := f.shortage(p.ReadAt); text != "" {
		warn(p, "tasks find no room: %s", o.clean(text, 160))
	}
	if f.onInstances() {
		warn(p, "tasks need EC2 instances: they stay pending until the cluster's instances have room, so scale both")
	}
}

// sayTarget is what Application Auto Scaling tells, and what will set another size later.
func (o *Options) sayTarget(p *actions.Preview, f *fleet, least int, grows bool) {
	if f.target == nil {
		reverts(p, nil, "nothing found: no scalable target is registered, so no policy changes it; the next deployment may set its own count")
		return
	}
	if s := f.target.SuspendedState; s != nil {
		for _, h := range []struct {
			on   *bool
			text string
		}{
			{s.DynamicScalingInSuspended, "scale-in by policies is suspended: nothing shrinks by itself"},
			{s.DynamicScalingOutSuspended, "scale-out by policies is suspended: watch whether the new min is reached"},
			{s.ScheduledScalingSuspended, "scheduled scaling is suspended"},
		} {
			if aws.ToBool(h.on) {
				warn(p, "%s", h.text)
			}
		}
	}
	// That it could not shrink further says nothing of growing.
	if f.decision != "" && grows && !strings.Contains(f.decision, "AlreadyAtMinCapacity") {
		warn(p, "of the last scaling decision: %s", f.decision)
	}
	var found []string
	for _, a := range f.scheduled {
		t := a.ScalableTargetAction
		if t == nil || over(a, p.ReadAt) {
			continue
		}
		under := func(v *int32) bool { return v != nil && int(*v) < least }
		above := func(v *int32) bool { return v != nil && int(*v) > least }
		if grows && (under(t.MinCapacity) || under(t.MaxCapacity)) || !grows && above(t.MinCapacity) {
			found = append(found, o.clean(fmt.Sprintf("scheduled action %s, %s: %s", aws.ToString(a.ScheduledActionName), aws.ToString(a.Schedule), boundsText(t)), maxWarning))
		}
	}
	for _, text := range found[:min(len(found), 5)] {
		warn(p, "%s", text)
	}
	otherwise := "nothing found: no scheduled action sets another size"
	if slices.ContainsFunc(f.notKnown, func(s string) bool { return strings.HasPrefix(s, "scheduled") }) {
		otherwise = "not known: scheduled actions could not be read"
	}
	reverts(p, found, otherwise)
}

// over reports whether a scheduled action can't happen any more.
func over(a sctypes.ScheduledAction, now time.Time) bool {
	if a.EndTime != nil && a.EndTime.Before(now) {
		return true
	}
	at, once := atOf(aws.ToString(a.Schedule), aws.ToString(a.Timezone))
	return once && at.Before(now)
}

func boundsText(t *sctypes.ScalableTargetAction) string {
	var parts []string
	if t.MinCapacity != nil {
		parts = append(parts, fmt.Sprintf("min %d", *t.MinCapacity))
	}
	if t.MaxCapacity != nil {
		parts = append(parts, fmt.Sprintf("max %d", *t.MaxCapacity))
	}
	return strings.Join(parts, ", ")
}

const atForm = "2006-01-02T15:04:05"

// atOf reads an expression at(yyyy-mm-ddThh:mm:ss) in a time zone; "" is UTC.
func atOf(expression, zone string) (at time.Time, ok bool) {
	inside, ok := strings.CutPrefix(strings.TrimSpace(expression), "at(")
	if !ok || !strings.HasSuffix(inside, ")") {
		return at, false
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return at, false
	}
	at, err = time.ParseInLocation(atForm, strings.TrimSuffix(inside, ")"), loc)
	return at.UTC(), err == nil
}

// clock writes an instant for a person, in UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
