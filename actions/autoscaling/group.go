package autoscaling

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// The settings of a group, by AWS's names.
const (
	MinSize         = "MinSize"
	MaxSize         = "MaxSize"
	DesiredCapacity = "DesiredCapacity"
)

const (
	asideWithin  = 4 * time.Second  // for everything that is asked beside the group itself
	horizon      = 24 * time.Hour   // of scheduled actions
	recent       = 15 * time.Minute // a failed launch is worth a word for so long
	maxActions   = 50
	maxTargetSet = 5 // target groups that are asked
)

// group is what is known of the group and what is around it.
type group struct {
	types.AutoScalingGroup
	min, max, desired int
	inService         int // InService and Healthy, in weights where there are any
	pending           int
	unhealthy         int
	protected         int
	weighted          bool

	refresh   *types.InstanceRefresh // that is going on
	scheduled []types.ScheduledUpdateGroupAction
	failed    *types.Activity // the newest launch that failed lately
	notKnown  []string        // what could not be read, and why
}

// describe reads the group itself.
func (o *Options) describe(ctx context.Context) (*group, error) {
	out, err := o.API.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{o.Group}})
	if err != nil {
		p := o.problem(err)
		return nil, &p
	}
	if len(out.AutoScalingGroups) == 0 {
		return nil, &sale.Problem{
			Class: sale.NotFound, Text: o.clean("there is no Auto Scaling group "+o.Group, maxProblemText),
			Hint: "check the group's name, the region and the account in the config",
		}
	}
	raw := out.AutoScalingGroups[0]
	if aws.ToString(raw.AutoScalingGroupName) != o.Group || raw.MinSize == nil || raw.MaxSize == nil || raw.DesiredCapacity == nil {
		return nil, &sale.Problem{Class: sale.BadData, Text: "the answer is about another group or lacks its sizes", Hint: hintEndpoint}
	}
	g := &group{AutoScalingGroup: raw, min: int(*raw.MinSize), max: int(*raw.MaxSize), desired: int(*raw.DesiredCapacity)}
	for _, i := range raw.Instances {
		weight := 1
		if w, err := strconv.Atoi(aws.ToString(i.WeightedCapacity)); err == nil && w > 0 {
			weight, g.weighted = w, true
		}
		healthy := strings.EqualFold(aws.ToString(i.HealthStatus), "Healthy")
		switch {
		case i.LifecycleState == types.LifecycleStateInService && healthy:
			g.inService += weight
		case strings.HasPrefix(string(i.LifecycleState), "Pending"):
			g.pending += weight
		case !healthy:
			g.unhealthy += weight
		}
		if aws.ToBool(i.ProtectedFromScaleIn) {
			g.protected++
		}
	}
	return g, nil
}

// around reads, at once, what is said before an action. What can't be read is noted, not fatal.
func (o *Options) around(ctx context.Context, g *group, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, asideWithin)
	defer cancel()
	name := aws.String(o.Group)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ask := func(what string, read func() error) {
		wg.Go(func() {
			if err := read(); err != nil {
				p := o.problem(err)
				mu.Lock()
				defer mu.Unlock()
				g.notKnown = append(g.notKnown, what+" could not be read: "+p.Text)
			}
		})
	}
	ask("instance refreshes", func() error {
		out, err := o.API.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: name, MaxRecords: aws.Int32(5)})
		if err != nil {
			return err
		}
		for i := range out.InstanceRefreshes {
			switch out.InstanceRefreshes[i].Status {
			case types.InstanceRefreshStatusPending, types.InstanceRefreshStatusInProgress, types.InstanceRefreshStatusCancelling,
				types.InstanceRefreshStatusRollbackInProgress, types.InstanceRefreshStatusBaking:
				g.refresh = &out.InstanceRefreshes[i]
			}
		}
		return nil
	})
	ask("scheduled actions", func() error {
		var err error
		g.scheduled, err = o.scheduledBetween(ctx, now, now.Add(horizon))
		return err
	})
	ask("scaling activities", func() error {
		failed, err := o.lastFailure(ctx, now.Add(-recent))
		g.failed = failed
		return err
	})
	wg.Wait()
}

func (o *Options) scheduledBetween(ctx context.Context, from, to time.Time) ([]types.ScheduledUpdateGroupAction, error) {
	out, err := o.API.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
		AutoScalingGroupName: aws.String(o.Group), MaxRecords: aws.Int32(maxActions),
		StartTime: aws.Time(from.UTC().Truncate(time.Second)), EndTime: aws.Time(to.UTC().Truncate(time.Second)),
	})
	if err != nil {
		return nil, err
	}
	return out.ScheduledUpdateGroupActions, nil
}

// lastFailure is the newest activity that began after a time and failed, if nothing succeeded
// since.
func (o *Options) lastFailure(ctx context.Context, since time.Time) (*types.Activity, error) {
	out, err := o.API.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String(o.Group), MaxRecords: aws.Int32(20),
	})
	if err != nil {
		return nil, err
	}
	for i := range out.Activities {
		a := &out.Activities[i]
		switch {
		case a.StartTime == nil || a.StartTime.Before(since):
		case a.StatusCode == types.ScalingActivityStatusCodeFailed:
			return a, nil
		case a.StatusCode == types.ScalingActivityStatusCodeSuccessful:
			return nil, nil
		}
	}
	return nil, nil
}

// healthyTargets counts the group's instances that the load balancer sends traffic to: of several
// target groups the least. known is false when there is none, or it could not be read.
func (o *Options) healthyTargets(ctx context.Context, g *group) (healthy int, known bool, err error) {
	if o.ELB == nil || len(g.TargetGroupARNs) == 0 {
		return 0, false, nil
	}
	ours := map[string]bool{}
	for _, i := range g.Instances {
		ours[aws.ToString(i.InstanceId)] = true
	}
	for i, arn := range g.TargetGroupARNs[:min(len(g.TargetGroupARNs), maxTargetSet)] {
		out, err := o.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(arn)})
		if err != nil {
			return 0, false, err
		}
		n := 0
		for _, t := range out.TargetHealthDescriptions {
			if t.Target != nil && t.TargetHealth != nil && ours[aws.ToString(t.Target.Id)] && t.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
				n++
			}
		}
		if i == 0 || n < healthy {
			healthy = n
		}
	}
	return healthy, true, nil
}

// target names the group as AWS itself does: account and region come from its ARN.
func (o *Options) target(g *group) actions.Target {
	arn := aws.ToString(g.AutoScalingGroupARN)
	t := actions.Target{System: System, Kind: "Auto Scaling group", Name: o.Group, ID: o.clean(arn, 0)}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		t.Region, t.Account = o.clean(parts[3], 64), o.clean(parts[4], 64)
	}
	return t
}

func (g *group) value() actions.Value {
	return actions.Value{
		MinSize: actions.Number(float64(g.min)), MaxSize: actions.Number(float64(g.max)), DesiredCapacity: actions.Number(float64(g.desired)),
	}
}

func (g *group) suspends(process string) bool {
	for _, p := range g.SuspendedProcesses {
		if aws.ToString(p.ProcessName) == process {
			return true
		}
	}
	return false
}

// warm is how many instances the warm pool keeps for a ceiling and a size; known is false for a
// group without one. The pool holds the prepared capacity, MaxSize unless MaxGroupPreparedCapacity
// is set, less the desired capacity, and at least its own MinSize.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
func (g *group) warm(ceiling, size int) (n int, known bool) {
	pool := g.WarmPoolConfiguration
	if pool == nil {
		return 0, false
	}
	if most := pool.MaxGroupPreparedCapacity; most != nil && *most >= 0 {
		ceiling = int(*most)
	}
	return max(ceiling-size, int(aws.ToInt32(pool.MinSize)), 0), true
}

func (g *group) progress(wanted int) string {
	if wanted <= 0 {
		wanted = g.desired
	}
	text := fmt.Sprintf("%d of %d in service and healthy", g.inService, wanted)
	if g.pending > 0 {
		text += fmt.Sprintf(", %d starting", g.pending)
	}
	if g.unhealthy > 0 {
		text += fmt.Sprintf(", %d unhealthy", g.unhealthy)
	}
	return text
}
