package autoscaling

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// What is kept of an answer is bounded, whatever the answer holds.
const (
	maxInstances    = 10_000 // of a group
	maxTargetGroups = 20     // of a group
	maxSuspended    = 16
	maxActivities   = 20
	maxRefreshes    = 5
	maxScheduled    = 20
	maxReasons      = 8 // distinct reasons of targets

	nameCells   = 64
	reasonCells = 160
)

// described is what is kept of a group.
type described struct {
	status                      string // not empty: it is being deleted
	desired, min, max, forecast *int32
	instances                   instances
	suspended                   []suspension
	pool                        *pool // nil: no warm pool
	targetGroups                []string
	tooManyTargetGroups         bool
	classicOnly                 bool // only load balancers of the first kind
}

// instances are a group's, counted. A fault says why they can't be counted.
type instances struct {
	fault                                  string
	inService, pending, unhealthy, standby float64
	weighted                               bool
	serving                                map[string]bool // all of the group's, by id; true: in service
}

type suspension struct {
	process string
	reason  string
	byAWS   bool
}

type pool struct {
	size     *int32
	prepared *int32 // MaxGroupPreparedCapacity
	state    string // Stopped, Running, Hibernated
	deleting bool
}

// parse keeps what is needed of a group. clean makes a text fit to be shown.
func parse(g *types.AutoScalingGroup, clean cleaner) described {
	d := described{
		status:  clean(aws.ToString(g.Status), nameCells),
		desired: g.DesiredCapacity, min: g.MinSize, max: g.MaxSize, forecast: g.PredictedCapacity,
		instances: count(g.Instances, clean),
	}
	for _, p := range g.SuspendedProcesses[:min(len(g.SuspendedProcesses), maxSuspended)] {
		reason := clean(aws.ToString(p.SuspensionReason), reasonCells)
		d.suspended = append(d.suspended, suspension{
			process: clean(aws.ToString(p.ProcessName), nameCells), reason: reason,
			// AWS documents no wording of its own. A person's begins with "User suspended at".
			byAWS: reason != "" && !strings.HasPrefix(strings.ToLower(reason), "user"),
		})
	}
	if c := g.WarmPoolConfiguration; c != nil {
		d.pool = &pool{
			size: g.WarmPoolSize, prepared: c.MaxGroupPreparedCapacity,
			state: clean(string(c.PoolState), nameCells), deleting: c.Status == types.WarmPoolStatusPendingDelete,
		}
	}
	d.targetGroups, d.tooManyTargetGroups = targetGroups(g)
	d.classicOnly = len(d.targetGroups) == 0 && len(g.LoadBalancerNames) > 0
	return d
}

type cleaner func(text string, cells int) string

// targetGroups are those attached directly and those attached as traffic sources: AWS lists a
// group's in both places.
func targetGroups(g *types.AutoScalingGroup) (arns []string, tooMany bool) {
	all := slices.Clone(g.TargetGroupARNs)
	for _, t := range g.TrafficSources {
		if aws.ToString(t.Type) == "elbv2" || strings.Contains(aws.ToString(t.Identifier), ":targetgroup/") {
			all = append(all, aws.ToString(t.Identifier))
		}
	}
	for _, arn := range all {
		switch {
		case arn == "" || len(arn) > 512 || slices.Contains(arns, arn):
		case len(arns) == maxTargetGroups:
			return arns, true
		default:
			arns = append(arns, arn)
		}
	}
	return arns, false
}

func count(list []types.Instance, clean cleaner) instances {
	if list == nil {
		return instances{fault: "the answer has no list of instances"}
	}
	if len(list) > maxInstances {
		return instances{fault: "the group has more than " + strconv.Itoa(maxInstances) + " instances"}
	}
	n := instances{serving: make(map[string]bool, len(list))}
	for _, i := range list {
		weight := 1.0
		if text := aws.ToString(i.WeightedCapacity); text != "" {
			w, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				return instances{fault: "an instance has the weight " + strconv.Quote(clean(text, nameCells))}
			}
			weight, n.weighted = float64(w), true
		}
		state, healthy := string(i.LifecycleState), strings.EqualFold(aws.ToString(i.HealthStatus), "Healthy")
		switch {
		case strings.HasPrefix(state, "Warmed:"), state == "Terminated", state == "Detached", state == "Detaching":
			continue // no part of the group's capacity
		case state == "InService" && healthy:
			n.inService += weight
		case strings.HasPrefix(state, "Pending"):
			n.pending += weight
		case state == "Standby", state == "EnteringStandby":
			n.standby += weight
		}
		if !healthy {
			n.unhealthy += weight
		}
		if id := aws.ToString(i.InstanceId); id != "" && len(id) < 64 {
			n.serving[id] = state == "InService" && healthy
		}
	}
	return n
}

// activity is one scaling activity.
type activity struct {
	start          time.Time
	status         string
	launch         bool // false: it takes instances away
	ended, failed  bool
	message, cause string
}

func parseActivities(list []types.Activity, clean cleaner) []activity {
	all := make([]activity, 0, min(len(list), maxActivities))
	for _, a := range list[:min(len(list), maxActivities)] {
		all = append(all, activity{
			start:  aws.ToTime(a.StartTime),
			status: clean(string(a.StatusCode), nameCells),
			launch: !strings.HasPrefix(aws.ToString(a.Description), "Terminating"),
			ended: a.StatusCode == types.ScalingActivityStatusCodeSuccessful || a.StatusCode == types.ScalingActivityStatusCodeFailed ||
				a.StatusCode == types.ScalingActivityStatusCodeCancelled,
			failed: a.StatusCode == types.ScalingActivityStatusCodeFailed ||
				a.StatusCode == types.ScalingActivityStatusCodeCancelled && aws.ToString(a.StatusMessage) != "",
			message: clean(aws.ToString(a.StatusMessage), reasonCells), cause: clean(aws.ToString(a.Cause), reasonCells),
		})
	}
	return all
}

// refresh is one instance refresh.
type refresh struct {
	start           time.Time
	end             time.Time
	status          string
	running, failed bool
	percent, left   *int32
	reason          string
}

func parseRefreshes(list []types.InstanceRefresh, clean cleaner) []refresh {
	all := make([]refresh, 0, min(len(list), maxRefreshes))
	for _, r := range list[:min(len(list), maxRefreshes)] {
		next := refresh{
			start: aws.ToTime(r.StartTime), end: aws.ToTime(r.EndTime), status: clean(string(r.Status), nameCells),
			percent: r.PercentageComplete, left: r.InstancesToUpdate, reason: clean(aws.ToString(r.StatusReason), reasonCells),
		}
		switch r.Status {
		case types.InstanceRefreshStatusPending, types.InstanceRefreshStatusInProgress, types.InstanceRefreshStatusCancelling,
			types.InstanceRefreshStatusRollbackInProgress, types.InstanceRefreshStatusBaking:
			next.running = true
		case types.InstanceRefreshStatusFailed, types.InstanceRefreshStatusRollbackFailed, types.InstanceRefreshStatusRollbackSuccessful:
			next.failed = true
		}
		all = append(all, next)
	}
	return all
}

// scheduled is one scheduled action.
type scheduled struct {
	name              string
	key               string // its name as AWS has it, to compare with
	start             time.Time
	min, max, desired *int32
}

func parseScheduled(list []types.ScheduledUpdateGroupAction, clean cleaner) []scheduled {
	all := make([]scheduled, 0, min(len(list), maxScheduled))
	for _, a := range list[:min(len(list), maxScheduled)] {
		if a.StartTime == nil {
			continue
		}
		all = append(all, scheduled{
			name: clean(aws.ToString(a.ScheduledActionName), nameCells), key: aws.ToString(a.ScheduledActionName), start: *a.StartTime,
			min: a.MinSize, max: a.MaxSize, desired: a.DesiredCapacity,
		})
	}
	slices.SortStableFunc(all, func(a, b scheduled) int { return a.start.Compare(b.start) })
	return all
}

// warmed counts the instances of a warm pool.
type warmed struct {
	ready, warming int
	more           bool // there are more than were listed
}

func parseWarmed(list []types.Instance, more bool) warmed {
	w := warmed{more: more}
	for _, i := range list {
		switch i.LifecycleState {
		case types.LifecycleStateWarmedStopped, types.LifecycleStateWarmedRunning, types.LifecycleStateWarmedHibernated:
			w.ready++
		case types.LifecycleStateWarmedPending, types.LifecycleStateWarmedPendingWait, types.LifecycleStateWarmedPendingProceed:
			w.warming++
		}
	}
	return w
}

// target is one target of a target group.
type target struct {
	id     string
	state  elbtypes.TargetHealthStateEnum
	reason string // code and words
}

func parseTargets(list []elbtypes.TargetHealthDescription, clean cleaner) []target {
	all := make([]target, 0, min(len(list), maxInstances))
	for _, d := range list[:min(len(list), maxInstances)] {
		if d.Target == nil || d.TargetHealth == nil || len(aws.ToString(d.Target.Id)) > 64 {
			continue
		}
		t := target{id: aws.ToString(d.Target.Id), state: d.TargetHealth.State}
		if t.state != elbtypes.TargetHealthStateEnumHealthy {
			t.reason = clean(string(d.TargetHealth.Reason), nameCells)
			if words := clean(aws.ToString(d.TargetHealth.Description), reasonCells); words != "" {
				t.reason += " (" + words + ")"
			}
		}
		all = append(all, t)
	}
	return all
}
