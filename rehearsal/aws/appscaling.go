package aws

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

const (
	ecsNamespace = "ecs"
	ecsDimension = "ecs:service:DesiredCount"
)

type appScaling struct {
	region string
	fleets capacity.Fleets
	now    func() time.Time
}

// NewApplicationAutoScaling answers Application Auto Scaling's API of one region in AWS JSON 1.1 for
// the desired counts of ECS services: DescribeScalableTargets, RegisterScalableTarget,
// DescribeScalingActivities, PutScheduledAction, DescribeScheduledActions and DeleteScheduledAction.
// now is the platform's time.
func NewApplicationAutoScaling(region string, f capacity.Fleets, now func() time.Time, opts ...Option) http.Handler {
	o := settings(opts)
	a := &appScaling{region: region, fleets: f, now: now}
	return &jsonService{
		name: "application-autoscaling", target: "AnyScaleFrontendService.", invalid: "ValidationException",
		options: o, guard: newGuard("application-autoscaling", region, o),
		operations: map[string]jsonOperation{
			"DescribeScalableTargets":   jsonCall(false, a.targets),
			"DescribeScalingActivities": jsonCall(false, a.activities),
			"DescribeScheduledActions":  jsonCall(false, a.scheduled),
			"RegisterScalableTarget":    jsonCall(true, a.register),
			"PutScheduledAction":        jsonCall(true, a.putScheduled),
			"DeleteScheduledAction":     jsonCall(true, a.deleteScheduled),
		},
	}
}

func notValid(format string, args ...any) *apiError {
	return modelled("ValidationException", format, args...)
}

// namespaces are those of the API; the platform has resources in one of them.
func namespaces() []string {
	return []string{
		"ecs", "elasticmapreduce", "ec2", "appstream", "dynamodb", "rds", "sagemaker", "custom-resource", "comprehend", "lambda", "cassandra", "kafka", "elasticache", "neptune", "workspaces",
	}
}

// resource is what every request says of what it is about.
type resource struct {
	Namespace *string `json:"ServiceNamespace"`
	ID        *string `json:"ResourceId"`
	Dimension *string `json:"ScalableDimension"`
}

func (r *resource) check(whole bool) *apiError {
	switch {
	case r.Namespace == nil:
		return notValid("1 validation error detected: Value null at 'serviceNamespace' failed to satisfy constraint: Member must not be null")
	case !slices.Contains(namespaces(), *r.Namespace):
		return notValid("1 validation error detected: Value '%s' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set: [%s]", *r.Namespace, strings.Join(namespaces(), ", "))
	case whole && r.ID == nil:
		return notValid("1 validation error detected: Value null at 'resourceId' failed to satisfy constraint: Member must not be null")
	case whole && r.Dimension == nil:
		return notValid("1 validation error detected: Value null at 'scalableDimension' failed to satisfy constraint: Member must not be null")
	case r.Dimension != nil && !strings.HasPrefix(*r.Dimension, *r.Namespace+":"):
		return notValid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

// means tells whether a group is meant; what is not given means all.
func (r *resource) means(g *capacity.Group) bool {
	return *r.Namespace == ecsNamespace && (r.ID == nil || *r.ID == resourceID(g)) && (r.Dimension == nil || *r.Dimension == ecsDimension)
}

func resourceID(g *capacity.Group) string { return "service/" + ECSCluster + "/" + g.Name }

// find returns the one group that is meant.
func (a *appScaling) find(r *resource) (capacity.Group, bool) {
	for _, g := range services(a.fleets) {
		if r.means(&g) {
			return g, true
		}
	}
	return capacity.Group{}, false
}

// target is like find, for a group that has a scalable target.
func (a *appScaling) target(r *resource) (capacity.Group, *apiError) {
	if g, ok := a.find(r); ok && g.Scaler == capacity.Target {
		return g, nil
	}
	return capacity.Group{}, modelled("ObjectNotFoundException", "No scalable target registered for service namespace: %s, resource ID: %s, scalable dimension: %s", *r.Namespace, *r.ID, *r.Dimension)
}

func (a *appScaling) refusal(err error) *apiError {
	var out *capacity.OutOfBounds
	switch {
	case errors.As(err, &out):
		return notValid("%s", out.Reason)
	case errors.Is(err, capacity.ErrContention):
		return modelled("ConcurrentUpdateException", "You already have a pending update to an Application Auto Scaling resource.")
	}
	return modelled("ObjectNotFoundException", "%s", err)
}

func (a *appScaling) targetARN(g *capacity.Group) string {
	return fmt.Sprintf("arn:aws:application-autoscaling:%s:%s:scalable-target/0ec5%s", a.region, telemetry.Account, stableUUID("target", g.Name)[:28])
}

type suspendedJSON struct {
	In        *bool `json:"DynamicScalingInSuspended"`
	Out       *bool `json:"DynamicScalingOutSuspended"`
	Scheduled *bool `json:"ScheduledScalingSuspended"`
}

type describeTargets struct {
	resource
	IDs   []string `json:"ResourceIds"`
	Limit *int     `json:"MaxResults"`
	After *string  `json:"NextToken"`
}

type targetJSON struct {
	Namespace string        `json:"ServiceNamespace"`
	ID        string        `json:"ResourceId"`
	Dimension string        `json:"ScalableDimension"`
	ARN       string        `json:"ScalableTargetARN"`
	Min       int           `json:"MinCapacity"`
	Max       int           `json:"MaxCapacity"`
	Role      string        `json:"RoleARN"`
	Created   *float64      `json:"CreationTime"`
	Suspended suspendedJSON `json:"SuspendedState"`
}

func (a *appScaling) targets(_ caller, in *describeTargets) (any, *apiError) {
	if problem := in.check(false); problem != nil {
		return nil, problem
	}
	all := []targetJSON{}
	for _, g := range services(a.fleets) {
		if g.Scaler != capacity.Target || !in.means(&g) || len(in.IDs) > 0 && !slices.Contains(in.IDs, resourceID(&g)) {
			continue
		}
		all = append(all, targetJSON{
			Namespace: ecsNamespace, ID: resourceID(&g), Dimension: ecsDimension, ARN: a.targetARN(&g), Min: g.Min, Max: g.Max, Created: epoch(g.Created),
			Role:      fmt.Sprintf("arn:aws:iam::%s:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService", telemetry.Account),
			Suspended: suspendedJSON{&g.Hold.In, &g.Hold.Out, &g.Hold.Scheduled},
		})
	}
	cut, next, problem := jsonPage(all, in.Limit, in.After, 50, notValid, "DescribeScalableTargets", in.Namespace, in.IDs, in.Dimension)
	if problem != nil {
		return nil, problem
	}
	return map[string]any{"ScalableTargets": cut, "NextToken": next}, nil
}

type registerTarget struct {
	resource
	Min       *int           `json:"MinCapacity"`
	Max       *int           `json:"MaxCapacity"`
	Role      *string        `json:"RoleARN"` // ECS has a role of its own and ignores this one
	Suspended *suspendedJSON `json:"SuspendedState"`
}

// register answers RegisterScalableTarget. What is not given stays; a count outside of the new
// bounds is moved into them at once.
func (a *appScaling) register(who caller, in *registerTarget) (any, *apiError) {
	if problem := in.check(true); problem != nil {
		return nil, problem
	}
	g, ok := a.find(&in.resource)
	if !ok {
		return nil, notValid("ECS service doesn't exist: %s", *in.ID)
	}
	g, err := a.fleets.Change(g.Name, capacity.Caller{Service: "application-autoscaling", Who: who.key}, func(g *capacity.Group) error {
		if g.Scaler == capacity.None && (in.Min == nil || in.Max == nil) {
			return &capacity.OutOfBounds{Reason: "You must specify values for MinCapacity and MaxCapacity when registering a new scalable target"}
		}
		g.Scaler = capacity.Target
		if s := in.Suspended; s != nil {
			for _, v := range []struct {
				of  *bool
				now *bool
			}{{&g.Hold.In, s.In}, {&g.Hold.Out, s.Out}, {&g.Hold.Scheduled, s.Scheduled}} {
				if v.now != nil {
					*v.of = *v.now
				}
			}
		}
		if in.Min != nil && in.Max != nil && *in.Min > *in.Max {
			return &capacity.OutOfBounds{Reason: "Minimum capacity cannot be greater than maximum capacity"}
		}
		return g.Resize(in.Min, in.Max, nil)
	})
	if err != nil {
		return nil, a.refusal(err)
	}
	return map[string]string{"ScalableTargetARN": a.targetARN(&g)}, nil
}

type describeActivities struct {
	resource
	Limit     *int    `json:"MaxResults"`
	After     *string `json:"NextToken"`
	NotScaled bool    `json:"IncludeNotScaledActivities"`
}

type activityJSON struct {
	ID          string          `json:"ActivityId"`
	Namespace   string          `json:"ServiceNamespace"`
	Resource    string          `json:"ResourceId"`
	Dimension   string          `json:"ScalableDimension"`
	Description string          `json:"Description"`
	Cause       string          `json:"Cause"`
	Start       *float64        `json:"StartTime"`
	End         *float64        `json:"EndTime,omitempty"`
	Status      string          `json:"StatusCode"`
	Message     string          `json:"StatusMessage,omitempty"`
	NotScaled   []notScaledJSON `json:"NotScaledReasons,omitempty"`
}

type notScaledJSON struct {
	Code    string `json:"Code"`
	Max     int    `json:"MaxCapacity,omitempty"`
	Min     int    `json:"MinCapacity,omitempty"`
	Current int    `json:"CurrentCapacity,omitempty"`
}

// activities answers DescribeScalingActivities. Why nothing was done comes only when asked for.
func (a *appScaling) activities(_ caller, in *describeActivities) (any, *apiError) {
	if problem := in.check(false); problem != nil {
		return nil, problem
	}
	all := []activityJSON{}
	for _, g := range services(a.fleets) {
		if !in.means(&g) {
			continue
		}
		for _, x := range a.fleets.Activities(g.Name) {
			if len(x.NotScaled) > 0 && !in.NotScaled {
				continue
			}
			y := activityJSON{
				ID: x.ID, Namespace: ecsNamespace, Resource: resourceID(&g), Dimension: ecsDimension, Description: x.Description, Cause: x.Cause,
				Start: epoch(x.Start), End: epoch(x.End), Status: x.Status, Message: x.Message,
			}
			for _, n := range x.NotScaled {
				y.NotScaled = append(y.NotScaled, notScaledJSON(n))
			}
			all = append(all, y)
		}
	}
	cut, next, problem := jsonPage(all, in.Limit, in.After, 50, notValid, "DescribeScalingActivities", in.Namespace, in.ID, in.Dimension, in.NotScaled)
	if problem != nil {
		return nil, problem
	}
	return map[string]any{"ScalingActivities": cut, "NextToken": next}, nil
}
