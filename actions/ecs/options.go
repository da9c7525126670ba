package ecs

import (
	"context"
	"errors"
	"slices"
	"time"

	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// System is the name of the executors, and of the system of their targets.
const System = "ecs"

// API is what is called of ECS. Like Scaling it must make one attempt per call, as the client of
// NewClient does; the errors of any other client count as "may have happened".
type API interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
}

// Scaling is what is called of Application Auto Scaling.
type Scaling interface {
	DescribeScalableTargets(context.Context, *scaling.DescribeScalableTargetsInput, ...func(*scaling.Options)) (*scaling.DescribeScalableTargetsOutput, error)
	DescribeScalingActivities(context.Context, *scaling.DescribeScalingActivitiesInput, ...func(*scaling.Options)) (*scaling.DescribeScalingActivitiesOutput, error)
	DescribeScheduledActions(context.Context, *scaling.DescribeScheduledActionsInput, ...func(*scaling.Options)) (*scaling.DescribeScheduledActionsOutput, error)
	RegisterScalableTarget(context.Context, *scaling.RegisterScalableTargetInput, ...func(*scaling.Options)) (*scaling.RegisterScalableTargetOutput, error)
	PutScheduledAction(context.Context, *scaling.PutScheduledActionInput, ...func(*scaling.Options)) (*scaling.PutScheduledActionOutput, error)
	DeleteScheduledAction(context.Context, *scaling.DeleteScheduledActionInput, ...func(*scaling.Options)) (*scaling.DeleteScheduledActionOutput, error)
}

// Options say what is scaled and within what. Scaling is required, and either a service (ECS,
// Cluster, Service) or a target of another kind (Namespace, Resource, Dimension).
type Options struct {
	ECS     API
	Scaling Scaling

	Cluster, Service string // the cluster by its name
	// Namespace, Resource and Dimension name a target as Application Auto Scaling does: "rds",
	// "cluster:shop", "rds:cluster:ReadReplicaCount".
	Namespace, Resource, Dimension string

	// Sizes are the declared sizes, in any order: scale-up without a number takes the next
	// larger one. Without any it is a quarter more than the present size, at least one.
	Sizes []int
	// Most bounds every size and MaxCapacity; 0: the target's own MaxCapacity is the bound.
	Most int
	// RaiseMax allows MaxCapacity to be raised along, up to Most. It needs Most.
	RaiseMax bool
	// Floor is the least size of a scale-back; 0: none is declared, and scale-back is refused.
	Floor int

	UnitCost           *float64 // USD per task and hour, list price; nil: not known
	ConnectionsPerTask float64  // database connections that one more task opens; 0: not known
	// Soonest and Latest bound the time until a task carries traffic; 0: not known.
	Soonest, Latest time.Duration
	// Needs are signals that must not be stale when an action is confirmed.
	Needs []sale.Signal

	Region, Profile string   // for the words of a hint
	Secrets         []string // never shown
}

// Executor scales the service or target. It is safe for many goroutines.
type Executor struct{ opts Options }

// New makes the executor of scale-up and scale-back.
func New(o Options) (*Executor, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Executor{o}, nil
}

func (o *Options) check() error {
	service := o.Cluster != "" && o.Service != "" && o.ECS != nil
	other := o.Namespace != "" && o.Resource != "" && o.Dimension != ""
	switch {
	case o.Scaling == nil:
		return errors.New("ecs: a client of Application Auto Scaling is needed")
	case service == other || service && o.Namespace+o.Resource+o.Dimension != "":
		return errors.New("ecs: name either a cluster and a service, with a client of ECS, or a namespace, a resource and a dimension")
	case o.RaiseMax && o.Most <= 0:
		return errors.New("ecs: max may be raised only up to a bound: set one")
	case o.Floor < 0 || o.Most < 0 || o.Most > 0 && o.Floor > o.Most:
		return errors.New("ecs: the floor must not be over the bound, and neither below zero")
	case slices.ContainsFunc(o.Sizes, func(n int) bool { return n <= 0 }):
		return errors.New("ecs: every declared size must be above zero")
	}
	if service {
		o.Namespace, o.Dimension = "ecs", "ecs:service:DesiredCount"
		o.Resource = "service/" + o.Cluster + "/" + o.Service
	}
	o.Sizes = slices.Sorted(slices.Values(o.Sizes))
	return nil
}

// name is the target's for a person.
func (o *Options) name() string {
	if o.Service != "" {
		return o.Cluster + "/" + o.Service
	}
	return o.Resource
}

func (o *Options) kind() string {
	if o.Service != "" {
		return "ECS service"
	}
	return "scalable target"
}

// Info implements actions.Executor.
func (x *Executor) Info() actions.Info {
	return actions.Info{System: System, Verbs: []actions.Verb{actions.ScaleUp, actions.ScaleBack}}
}

// Permissions lists the IAM actions that scaling calls, sorted. PutScheduledAction and
// DeleteScheduledAction are called only by a Schedule, those of ECS only for a service.
// UpdateService is called only where no scalable target is registered.
func Permissions() []string {
	return []string{
		"application-autoscaling:DeleteScheduledAction",
		"application-autoscaling:DescribeScalableTargets",
		"application-autoscaling:DescribeScalingActivities",
		"application-autoscaling:DescribeScheduledActions",
		"application-autoscaling:PutScheduledAction",
		"application-autoscaling:RegisterScalableTarget",
		"ecs:DescribeServices",
		"ecs:UpdateService",
	}
}

// Writes lists those of Permissions that change something.
func Writes() []string {
	return []string{
		"application-autoscaling:DeleteScheduledAction", "application-autoscaling:PutScheduledAction",
		"application-autoscaling:RegisterScalableTarget", "ecs:UpdateService",
	}
}
