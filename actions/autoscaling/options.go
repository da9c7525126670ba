package autoscaling

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is the name of the executors, and of the system of their targets.
const System = "autoscaling"

// API is what is called of EC2 Auto Scaling. It must make one attempt per call, as the client of
// NewClient does; the errors of any other client count as "may have happened".
type API interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	DescribeScheduledActions(context.Context, *autoscaling.DescribeScheduledActionsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScheduledActionsOutput, error)
	DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error)
	UpdateAutoScalingGroup(context.Context, *autoscaling.UpdateAutoScalingGroupInput, ...func(*autoscaling.Options)) (*autoscaling.UpdateAutoScalingGroupOutput, error)
	PutScheduledUpdateGroupAction(context.Context, *autoscaling.PutScheduledUpdateGroupActionInput, ...func(*autoscaling.Options)) (*autoscaling.PutScheduledUpdateGroupActionOutput, error)
	DeleteScheduledAction(context.Context, *autoscaling.DeleteScheduledActionInput, ...func(*autoscaling.Options)) (*autoscaling.DeleteScheduledActionOutput, error)
}

// TargetHealth is what is called of Elastic Load Balancing.
type TargetHealth interface {
	DescribeTargetHealth(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error)
}

// Options say which group is scaled and within what. API and Group are required.
type Options struct {
	API   API
	ELB   TargetHealth // nil: the load balancer is not asked
	Group string

	// Sizes are the declared sizes, in any order: scale-up without a number takes the next
	// larger one. Without any it is a quarter more than the present size, at least one.
	Sizes []int
	// Most bounds every size and MaxSize; 0: the group's own MaxSize is the bound.
	Most int
	// RaiseMax allows MaxSize to be raised along, up to Most. It needs Most.
	RaiseMax bool
	// Floor is the least size of a scale-back; 0: none is declared, and scale-back is refused.
	Floor int
	// SetDesired sets the desired capacity along with MinSize. It is meant for a group that no
	// policy scales: elsewhere it could take back what a policy has just added.
	SetDesired bool

	UnitCost           *float64 // USD per instance and hour, list price; nil: not known
	ConnectionsPerHost float64  // database connections that one more host opens; 0: not known
	// Soonest and Latest bound the time until an instance carries traffic; 0: not known.
	Soonest, Latest time.Duration
	// Needs are signals that must not be stale when an action is confirmed.
	Needs []sale.Signal

	Region, Profile string   // for the words of a hint
	Secrets         []string // never shown
}

// Executor scales the group. It is safe for many goroutines.
type Executor struct{ opts Options }

// New makes the executor of scale-up and scale-back.
func New(o Options) (*Executor, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Executor{o}, nil
}

func (o *Options) check() error {
	switch {
	case o.API == nil || o.Group == "":
		return errors.New("autoscaling: a client and the name of a group are needed")
	case o.RaiseMax && o.Most <= 0:
		return errors.New("autoscaling: max may be raised only up to a bound: set one")
	case o.Floor < 0 || o.Most < 0 || o.Most > 0 && o.Floor > o.Most:
		return errors.New("autoscaling: the floor must not be over the bound, and neither below zero")
	case slices.ContainsFunc(o.Sizes, func(n int) bool { return n <= 0 }):
		return errors.New("autoscaling: every declared size must be above zero")
	}
	o.Sizes = slices.Sorted(slices.Values(o.Sizes))
	return nil
}

// Info implements actions.Executor.
func (x *Executor) Info() actions.Info {
	return actions.Info{System: System, Verbs: []actions.Verb{actions.ScaleUp, actions.ScaleBack}}
}

// Permissions lists the IAM actions that scaling calls, sorted. DeleteScheduledAction and
// PutScheduledUpdateGroupAction are called only by a Schedule, elasticloadbalancing only with
// Options.ELB.
func Permissions() []string {
	return []string{
		"autoscaling:DeleteScheduledAction",
		"autoscaling:DescribeAutoScalingGroups",
		"autoscaling:DescribeInstanceRefreshes",
		"autoscaling:DescribeScalingActivities",
		"autoscaling:DescribeScheduledActions",
		"autoscaling:PutScheduledUpdateGroupAction",
		"autoscaling:UpdateAutoScalingGroup",
		"elasticloadbalancing:DescribeTargetHealth",
	}
}

// Writes lists those of Permissions that change something.
func Writes() []string {
	return []string{"autoscaling:DeleteScheduledAction", "autoscaling:PutScheduledUpdateGroupAction", "autoscaling:UpdateAutoScalingGroup"}
}
