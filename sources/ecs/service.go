package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// What is kept of an answer is bounded, whatever the answer holds.
const (
	maxDeployments = 8
	maxEvents      = 20
	maxActivities  = 10

	nameCells   = 64
	reasonCells = 200
)

type cleaner func(text string, cells int) string

// service is one ECS service that is read, and what is known of it.
type service struct {
	cluster, name string
	sales         []sale.ID // that have a query of it

	// Of this poll.
	known   bool
	problem *sale.Problem // why it is not known
	described
	at            time.Time // of the answer
	target        *target   // nil: there is none, or it is not known
	targetProblem *sale.Problem
	targetAt      time.Time

	// Over the polls.
	before      bool      // it was known once
	shortSince  time.Time // fewer running than desired; zero: not so
	shortBefore bool      // it was so when it was first seen
	why         why
	plans       []sources.Plan
	ahead       ahead
}

// described is what is kept of a service.
type described struct {
	status                    string
	desired, running, pending int32
	onInstances               bool // tasks need EC2 instances to run on
	deployments               []deployment
	events                    []event
}

type deployment struct {
	primary                            bool
	state                              types.DeploymentRolloutState // "": not under ECS's own controller
	reason                             string
	started, updated                   time.Time
	desired, running, pending, failing int32
}

type event struct {
	at   time.Time
	text string
}

// target is a scalable target.
type target struct {
	min, max, forecast      *int32
	noIn, noOut, noSchedule bool
}

// why is what Application Auto Scaling said of its last decisions.
type why struct {
	tried, read time.Time
	problem     *sale.Problem
	activities  []activity
}

type activity struct {
	start         time.Time
	status        string
	failed        bool
	notScaled     []string // codes with their figures; empty: it scaled
	message, text string
}

func parse(v *types.Service, clean cleaner) described {
	d := described{
		status:  clean(aws.ToString(v.Status), nameCells),
		desired: v.DesiredCount, running: v.RunningCount, pending: v.PendingCount,
		onInstances: v.LaunchType == types.LaunchTypeEc2 || v.LaunchType == "" && slices.ContainsFunc(v.CapacityProviderStrategy, func(i types.CapacityProviderStrategyItem) bool {
			return !strings.HasPrefix(aws.ToString(i.CapacityProvider), "FARGATE")
		}),
	}
	for _, p := range v.Deployments[:min(len(v.Deployments), maxDeployments)] {
		d.deployments = append(d.deployments, deployment{
			primary: aws.ToString(p.Status) == "PRIMARY", state: p.RolloutState, reason: clean(aws.ToString(p.RolloutStateReason), reasonCells),
			started: aws.ToTime(p.CreatedAt), updated: aws.ToTime(p.UpdatedAt),
			desired: p.DesiredCount, running: p.RunningCount, pending: p.PendingCount, failing: p.FailedTasks,
		})
	}
	for _, e := range v.Events[:min(len(v.Events), maxEvents)] {
		d.events = append(d.events, event{aws.ToTime(e.CreatedAt), clean(aws.ToString(e.Message), reasonCells)})
	}
	slices.SortStableFunc(d.events, func(a, b event) int { return b.at.Compare(a.at) }) // newest first
	return d
}

func parseTarget(t *sctypes.ScalableTarget) *target {
	p := &target{min: t.MinCapacity, max: t.MaxCapacity, forecast: t.PredictedCapacity}
	if s := t.SuspendedState; s != nil {
		p.noIn, p.noOut, p.noSchedule = aws.ToBool(s.DynamicScalingInSuspended), aws.ToBool(s.DynamicScalingOutSuspended), aws.ToBool(s.ScheduledScalingSuspended)
	}
	return p
}

func parseActivities(list []sctypes.ScalingActivity, clean cleaner) []activity {
	all := make([]activity, 0, min(len(list), maxActivities))
	for _, a := range list[:min(len(list), maxActivities)] {
		one := activity{
			start: aws.ToTime(a.StartTime), status: clean(string(a.StatusCode), nameCells),
			failed:  a.StatusCode == sctypes.ScalingActivityStatusCodeFailed || a.StatusCode == sctypes.ScalingActivityStatusCodeUnfulfilled,
			message: clean(aws.ToString(a.StatusMessage), reasonCells), text: clean(aws.ToString(a.Description), reasonCells),
		}
		for _, r := range a.NotScaledReasons[:min(len(a.NotScaledReasons), 4)] {
			one.notScaled = append(one.notScaled, notScaled(r, clean))
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b activity) int { return b.start.Compare(a.start) }) // newest first
	return all
}

func notScaled(r sctypes.NotScaledReason, clean cleaner) string {
	code := clean(aws.ToString(r.Code), nameCells)
	words := map[string]string{
		"AutoScalingAnticipatedFlapping":       "it would have been taken back at once",
		"TargetServicePutResourceAsUnscalable": "ECS holds the service still, as it does while it deploys",
		"AlreadyAtMaxCapacity":                 "it is at the target's max",
		"AlreadyAtMinCapacity":                 "it is at the target's min",
		"AlreadyAtDesiredCapacity":             "it has what is wanted",
	}[code]
	var figures []string
	for _, f := range []struct {
		name string
		v    *int32
	}{{"current", r.CurrentCapacity}, {"min", r.MinCapacity}, {"max", r.MaxCapacity}} {
		if f.v != nil {
			figures = append(figures, fmt.Sprintf("%s %d", f.name, *f.v))
		}
	}
	if words != "" {
		code = words + " (" + code + ")"
	}
	if figures != nil {
		code += ", " + strings.Join(figures, ", ")
	}
	return code
}

// resource is the service's name in Application Auto Scaling.
func (v *service) resource() string { return "service/" + v.cluster + "/" + v.name }

// learn takes over what was described. A deleted service is described too, with zero tasks.
func (v *service) learn(d described, at time.Time) {
	if d.status == "INACTIVE" {
		v.miss(&sale.Problem{
			Class: sale.NotFound, Text: "service " + v.name + " in cluster " + v.cluster + " was deleted (INACTIVE)",
			Hint: "check its name; a service that was made anew has the same name and is ACTIVE",
		})
		return
	}
	v.known, v.problem, v.described, v.at = true, nil, d, at
	switch short := v.short(); {
	case !short:
		v.shortSince, v.shortBefore = time.Time{}, false
	case v.shortSince.IsZero():
		v.shortSince, v.shortBefore = at, !v.before
	}
	v.before = true
}

// miss forgets the service for this poll.
func (v *service) miss(p *sale.Problem) {
	v.known, v.problem, v.described = false, p, described{}
	if p.Class == sale.NotFound { // when it comes back it is another one
		v.before, v.shortSince, v.why, v.ahead = false, time.Time{}, why{}, ahead{}
	}
}

func (v *service) short() bool { return v.known && v.running < v.desired }

func (v *service) atMax() bool {
	return v.known && v.target != nil && v.target.max != nil && v.desired >= *v.target.max
}

// value is the figure of one field and the time it describes, or why there is none.
func (v *service) value(f Field) (float64, time.Time, *sale.Problem) {
	if f == Min || f == Max {
		return v.bound(f)
	}
	if !v.known {
		return 0, time.Time{}, v.problem
	}
	n := map[Field]int32{Running: v.running, Desired: v.desired, Pending: v.pending}[f]
	if n < 0 {
		return 0, time.Time{}, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("ECS says %s %d", f, n), Hint: hintEndpoint}
	}
	return float64(n), v.at, nil
}

func (v *service) bound(f Field) (float64, time.Time, *sale.Problem) {
	switch {
	case v.targetProblem != nil:
		return 0, time.Time{}, v.targetProblem
	case v.target == nil:
		return 0, time.Time{}, &sale.Problem{
			Class: sale.NotFound, Text: "no scalable target for " + v.resource(),
			Hint: "Application Auto Scaling does not manage this service: take this signal out, or register a target",
		}
	}
	n := v.target.min
	if f == Max {
		n = v.target.max
	}
	if n == nil || *n < 0 {
		return 0, time.Time{}, &sale.Problem{Class: sale.BadData, Text: "the scalable target has no good " + string(f) + " capacity", Hint: hintEndpoint}
	}
	return float64(*n), v.targetAt, nil
}
