package autoscaling

import (
	"fmt"
	"slices"
	"strings"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// note is one fact that an operator must know about a group. Its text is the same on every
// poll while the fact is.
type note struct {
	code, text string
	sale       sale.ID // "": of all sales that read the group
}

// failureWindow is how long a failed activity or instance refresh is worth a note.
const failureWindow = time.Hour

// notes lists the facts, those that stop a scale-up first.
func (g *group) notes() []note {
	var all []note
	add := func(code, format string, args ...any) {
		all = append(all, note{code: code, text: g.name + ": " + fmt.Sprintf(format, args...)})
	}
	if g.status != "" {
		add("deleting", "AWS is deleting this group (%s)", g.status)
	}
	g.noteSuspended(add)
	g.noteCapacity(add)
	g.noteActivities(add)
	g.noteRefresh(add)
	g.noteTargets(add)
	all = append(all, g.planNotes()...)
	g.noteScheduled(add)
	g.noteWarmPool(add)
	if g.instances.weighted {
		add("weighted", "capacity is counted in instance weights, not in instances")
	}
	return all
}

type adder func(code, format string, args ...any)

// consequence says what a suspended process is missed for.
func consequence(process string) string {
	switch process {
	case "Launch":
		return "a scale-up will be accepted and nothing will launch"
	case "Terminate":
		return "nothing is scaled in or replaced, and rebalancing may grow the group by 10 %"
	case "AddToLoadBalancer":
		return "new instances launch but get no traffic"
	case "AlarmNotification":
		return "scaling policies do nothing"
	case "ScheduledActions":
		return "scheduled scaling does not run"
	case "HealthCheck":
		return "sick instances are not noticed"
	case "ReplaceUnhealthy":
		return "sick instances are not replaced"
	case "AZRebalance":
		return "zones are not kept in balance"
	case "InstanceRefresh":
		return "no instance refresh goes on"
	}
	return "this process does not run"
}

func (g *group) noteSuspended(add adder) {
	order := []string{"Launch", "AddToLoadBalancer", "AlarmNotification", "ScheduledActions"}
	rank := func(s suspension) int {
		if i := slices.Index(order, s.process); i >= 0 {
			return i
		}
		return len(order)
	}
	list := slices.Clone(g.suspended)
	slices.SortStableFunc(list, func(a, b suspension) int { return rank(a) - rank(b) })
	for _, s := range list {
		code, who := "suspended", "suspended"
		if s.process == "Launch" {
			code = "launch_suspended"
		}
		if s.byAWS {
			code, who = "suspended_by_aws", "suspended by AWS itself, not by a person"
		}
		reason := ""
		if s.reason != "" {
			reason = " (" + s.reason + ")"
		}
		add(code, "%s is %s: %s%s", s.process, who, consequence(s.process), reason)
	}
}

func (g *group) noteCapacity(add adder) {
	if !g.shortSince.IsZero() {
		since := "since"
		if g.shortBefore {
			since = "since before"
		}
		text := ""
		if n := g.instances.pending; n > 0 {
			text += fmt.Sprintf("; %g pending", n)
		}
		if n := g.instances.unhealthy; n > 0 {
			text += fmt.Sprintf("; %g unhealthy", n)
		}
		add("below_desired", "%g of %d desired in service %s %s%s", g.instances.inService, *g.desired, since, stamp(g.shortSince, g.at), text)
	}
	if g.desired != nil && g.max != nil && *g.desired >= *g.max {
		add("at_max", "desired is at the max of %d: no scale-up without raising max", *g.max)
	}
	if g.forecast != nil && g.max != nil && *g.forecast > *g.max {
		add("forecast_above_max", "predictive scaling expects to need %d, above the max of %d", *g.forecast, *g.max)
	}
	if n := g.instances.standby; n > 0 {
		add("standby", "%g in Standby: they serve nothing", n)
	}
}

// noteActivities says why the last launches failed, and while less is in service than
// desired, what is under way.
func (g *group) noteActivities(add adder) {
	a := g.recent(activities, "")
	if a == nil {
		return
	}
	var last *activity
	failures := 0
	var succeeded time.Time
	underWay := map[string]int{}
	for i := range a.activities {
		one := &a.activities[i]
		switch {
		case one.failed && g.at.Sub(one.start) <= failureWindow:
			failures++
			if last == nil || one.start.After(last.start) {
				last = one
			}
		case !one.ended && one.launch:
			underWay[one.status]++
		case one.ended && !one.failed && one.launch && one.start.After(succeeded):
			succeeded = one.start
		}
	}
	// What was launched since has mended it, unless something is still missing.
	if last != nil && (g.short() || !succeeded.After(last.start)) {
		what, times := "launch", ""
		if !last.launch {
			what = "termination"
		}
		if failures > 1 {
			times = fmt.Sprintf(" (%d failures within the hour)", failures)
		}
		text := strings.TrimSuffix(strings.TrimSuffix(last.message, "."), ". Launching EC2 instance failed")
		if text == "" {
			text = last.status
		}
		add("activity_failed", "last %s failed at %s%s: %s%s", what, clock(last.start), times, diagnosis(text), text)
		if last.cause != "" {
			add("activity_cause", "that %s was wanted because: %s", what, last.cause)
		}
	}
	if g.short() && len(underWay) > 0 {
		var parts []string
		for status, n := range underWay {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
		slices.Sort(parts)
		add("launching", "launches under way: %s", strings.Join(parts, ", "))
	}
}

// diagnosis puts the usual failures of a launch into a few words.
func diagnosis(message string) string {
	switch {
	case strings.Contains(message, "InsufficientInstanceCapacity"), strings.Contains(message, "do not have sufficient"):
		return "AWS has no such instances left: "
	case strings.Contains(message, "VcpuLimitExceeded"), strings.Contains(message, "vCPU"), strings.Contains(message, "InstanceLimitExceeded"):
		return "the account's quota is used up: "
	case strings.Contains(message, "InsufficientFreeAddresses"), strings.Contains(message, "free addresses"):
		return "the subnet has no addresses left: "
	case strings.Contains(message, "MaxSpotInstanceCountExceeded"), strings.Contains(message, "Spot"):
		return "Spot: "
	}
	return ""
}

func (g *group) noteRefresh(add adder) {
	a := g.recent(refreshes, "")
	if a == nil || len(a.refreshes) == 0 {
		return
	}
	r := a.refreshes[0] // the newest
	switch {
	case r.running:
		text := ""
		if r.percent != nil {
			text += fmt.Sprintf(", %d %%", *r.percent)
		}
		if r.left != nil {
			text += fmt.Sprintf(", %d instances to go", *r.left)
		}
		if !r.start.IsZero() {
			text += ", since " + stamp(r.start, g.at)
		}
		add("instance_refresh", "an instance refresh is running (%s%s): instances are being replaced", r.status, text)
	case r.failed && g.at.Sub(r.end) <= failureWindow:
		add("instance_refresh_failed", "the instance refresh ended at %s: %s: %s", clock(r.end), r.status, r.reason)
	}
}

func (g *group) noteScheduled(add adder) {
	a := g.recent(scheduledTimes, "")
	if a == nil {
		return
	}
	said := 0
	for _, s := range a.scheduled {
		planned := slices.ContainsFunc(g.plans, func(p sources.Plan) bool { return p.Name == s.key })
		if planned || s.start.Before(g.at) || s.start.After(g.at.Add(horizon)) || said == 3 {
			continue
		}
		said++
		var sets []string
		for _, part := range []struct {
			name string
			v    *int32
		}{{"min", s.min}, {"max", s.max}, {"desired", s.desired}} {
			if part.v != nil {
				sets = append(sets, fmt.Sprintf("%s %d", part.name, *part.v))
			}
		}
		add("scheduled_action", "scheduled action %s at %s sets %s", s.name, stamp(s.start, g.at), strings.Join(sets, ", "))
	}
}

// farthest is how far ahead scheduled actions are listed: a day, or as far as a plan goes.
func (g *group) farthest(now time.Time) time.Time {
	far := now.Add(horizon)
	for _, p := range g.plans {
		if p.At.After(far) {
			far = p.At.Add(time.Second)
		}
	}
	return far
}

// planNotes say of each declared size whether AWS has it.
func (g *group) planNotes() []note {
	a := g.recent(scheduledTimes, "")
	if a == nil {
		return nil // why it can't be read is a warning of its own
	}
	var list []sources.Scheduled
	for _, s := range a.scheduled {
		list = append(list, sources.Scheduled{Name: s.key, At: s.start, Min: s.min})
	}
	var all []note
	for _, p := range g.plans {
		if code, text := sources.PlanNote(p, list, !a.more, g.min, g.at); code != "" {
			all = append(all, note{code, g.name + ": " + text, p.Sale})
		}
	}
	return all
}

func (g *group) noteWarmPool(add adder) {
	if g.pool == nil {
		return
	}
	if g.pool.deleting {
		add("warm_pool", "the warm pool is being deleted")
		return
	}
	text := "the warm pool"
	if g.pool.size != nil {
		text += fmt.Sprintf(" holds %d", *g.pool.size)
	}
	if g.pool.state != "" {
		text += " (" + g.pool.state + ")"
	}
	if a := g.recent(warmPool, ""); a != nil {
		least := ""
		if a.warmed.more {
			least = "at least "
		}
		text += fmt.Sprintf(", %s%d ready, %d being made", least, a.warmed.ready, a.warmed.warming)
	}
	if g.pool.prepared == nil || *g.pool.prepared < 0 {
		text += "; raising max launches more of them"
	}
	add("warm_pool", "%s", text)
}

func (g *group) noteTargets(add adder) {
	for _, arn := range g.targetGroups {
		a := g.recent(targetHealth, arn)
		if a == nil {
			continue
		}
		name := targetGroupName(arn)
		if unused(a.targets) {
			add("target_group_unused", "target group %s is used by no load balancer: its targets get no traffic", name)
			continue
		}
		registered := make(map[string]bool, len(a.targets))
		unhealthy, initial := reasons{}, reasons{}
		ours := 0
		for _, t := range a.targets {
			if _, ok := g.instances.serving[t.id]; !ok {
				continue
			}
			ours++
			registered[t.id] = true
			switch t.state {
			case elbtypes.TargetHealthStateEnumUnhealthy, elbtypes.TargetHealthStateEnumUnhealthyDraining, elbtypes.TargetHealthStateEnumUnavailable:
				unhealthy.add(t.reason)
			case elbtypes.TargetHealthStateEnumInitial:
				initial.add(t.reason)
			}
		}
		if n := unhealthy.total(); n > 0 {
			add("targets_unhealthy", "%d of %d targets unhealthy in target group %s: %s", n, ours, name, unhealthy)
		}
		if n := initial.total(); n > 0 {
			add("targets_initial", "%d of %d targets not yet serving in target group %s: %s", n, ours, name, initial)
		}
		if n := g.notRegistered(registered); n > 0 && g.instances.fault == "" {
			add("targets_not_registered", "%d instances in service are not in target group %s: they get no traffic from it", n, name)
		}
	}
}

func (g *group) notRegistered(registered map[string]bool) int {
	n := 0
	for id, inService := range g.instances.serving {
		if inService && !registered[id] {
			n++
		}
	}
	return n
}

// reasons counts targets by why.
type reasons map[string]int

func (r reasons) add(reason string) {
	if reason == "" {
		reason = "no reason given"
	}
	if _, ok := r[reason]; !ok && len(r) >= maxReasons {
		reason = "other reasons"
	}
	r[reason]++
}

func (r reasons) total() int {
	n := 0
	for _, times := range r {
		n += times
	}
	return n
}

// String lists the reasons, the most frequent first.
func (r reasons) String() string {
	all := make([]string, 0, len(r))
	for reason := range r {
		all = append(all, reason)
	}
	slices.SortFunc(all, func(a, b string) int {
		if r[a] != r[b] {
			return r[b] - r[a]
		}
		return strings.Compare(a, b)
	})
	for i, reason := range all {
		if len(all) > 1 {
			all[i] = fmt.Sprintf("%d %s", r[reason], reason)
		}
	}
	return strings.Join(all, ", ")
}

// clock is a time of day for a person; the day is today's.
func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }

// stamp is clock with the date when it is not today's.
func stamp(t, now time.Time) string {
	if t.UTC().YearDay() == now.UTC().YearDay() {
		return clock(t)
	}
	return t.UTC().Format("Jan 2 15:04") + " UTC"
}
