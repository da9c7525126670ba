package aws

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

type targetAction struct {
	Min *int `json:"MinCapacity,omitempty"`
	Max *int `json:"MaxCapacity,omitempty"`
}

type putAction struct {
	resource
	Name     *string       `json:"ScheduledActionName"`
	Schedule *string       `json:"Schedule"`
	Zone     *string       `json:"Timezone"`
	Start    *moment       `json:"StartTime"`
	End      *moment       `json:"EndTime"`
	Action   *targetAction `json:"ScalableTargetAction"`
}

// putScheduled answers PutScheduledAction. The name is the key; of an action that is there, what is
// not given stays.
func (a *appScaling) putScheduled(who caller, in *putAction) (any, *apiError) {
	if problem := in.check(true); problem != nil {
		return nil, problem
	}
	if in.Name == nil || *in.Name == "" {
		return nil, notValid("1 validation error detected: Value null at 'scheduledActionName' failed to satisfy constraint: Member must not be null")
	}
	g, problem := a.target(&in.resource)
	if problem != nil {
		return nil, problem
	}
	s := capacity.Scheduled{Name: *in.Name}
	have := a.fleets.Scheduled(g.Name)
	if i := slices.IndexFunc(have, func(o capacity.Scheduled) bool { return o.Name == s.Name }); i >= 0 {
		s = have[i]
	}
	in.merge(&s)
	if problem := a.plan(&s); problem != nil {
		return nil, problem
	}
	if err := a.fleets.Schedule(g.Name, capacity.Caller{Service: "application-autoscaling", Who: who.key}, s); err != nil {
		return nil, a.refusal(err)
	}
	return struct{}{}, nil
}

func (in *putAction) merge(s *capacity.Scheduled) {
	if in.Schedule != nil {
		s.Schedule = *in.Schedule
	}
	if in.Zone != nil {
		s.Zone = *in.Zone
	}
	if in.Start != nil {
		s.Start = in.Start.when()
	}
	if in.End != nil {
		s.End = in.End.when()
	}
	if in.Action != nil {
		if in.Action.Min != nil {
			s.Min = in.Action.Min
		}
		if in.Action.Max != nil {
			s.Max = in.Action.Max
		}
	}
}

func (a *appScaling) plan(s *capacity.Scheduled) *apiError {
	switch {
	case s.Schedule == "":
		return notValid("You must specify a schedule when creating a new scheduled action")
	case s.Min == nil && s.Max == nil:
		return notValid("You must specify MinCapacity or MaxCapacity or both")
	case s.Min != nil && *s.Min < 0 || s.Max != nil && *s.Max < 0:
		return notValid("Minimum and maximum capacity must not be negative")
	case s.Min != nil && s.Max != nil && *s.Min > *s.Max:
		return notValid("Minimum capacity cannot be greater than maximum capacity")
	}
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
			return notValid("Timezone %s is not valid", s.Zone)
		}
	}
	if err := s.Plan(a.now().UTC()); err != nil {
		return notValid("Schedule expression can not be planned: %s", err)
	}
	return nil
}

type describeActions struct {
	resource
	Names []string `json:"ScheduledActionNames"`
	Limit *int     `json:"MaxResults"`
	After *string  `json:"NextToken"`
}

type actionJSON struct {
	Name      string       `json:"ScheduledActionName"`
	ARN       string       `json:"ScheduledActionARN"`
	Namespace string       `json:"ServiceNamespace"`
	Resource  string       `json:"ResourceId"`
	Dimension string       `json:"ScalableDimension"`
	Schedule  string       `json:"Schedule"`
	Zone      string       `json:"Timezone,omitempty"`
	Start     *float64     `json:"StartTime,omitempty"`
	End       *float64     `json:"EndTime,omitempty"`
	Created   *float64     `json:"CreationTime"`
	Action    targetAction `json:"ScalableTargetAction"`
}

func (a *appScaling) scheduled(_ caller, in *describeActions) (any, *apiError) {
	if problem := in.check(false); problem != nil {
		return nil, problem
	}
	all := []actionJSON{}
	for _, g := range services(a.fleets) {
		if !in.means(&g) {
			continue
		}
		for _, s := range a.fleets.Scheduled(g.Name) {
			if len(in.Names) > 0 && !slices.Contains(in.Names, s.Name) {
				continue
			}
			all = append(all, actionJSON{
				Name: s.Name, Namespace: ecsNamespace, Resource: resourceID(&g), Dimension: ecsDimension, Schedule: s.Schedule, Zone: s.Zone,
				ARN: fmt.Sprintf("arn:aws:autoscaling:%s:%s:scheduledAction:%s:resource/ecs/%s:scheduledActionName/%s", a.region, telemetry.Account,
					stableUUID("scheduled", g.Name, s.Name), resourceID(&g), s.Name),
				Start: epoch(s.Start), End: epoch(s.End), Created: epoch(s.Created), Action: targetAction{s.Min, s.Max},
			})
		}
	}
	cut, next, problem := jsonPage(all, in.Limit, in.After, 50, notValid, "DescribeScheduledActions", in.Namespace, in.ID, in.Dimension, in.Names)
	if problem != nil {
		return nil, problem
	}
	return map[string]any{"ScheduledActions": cut, "NextToken": next}, nil
}

type deleteAction struct {
	resource
	Name *string `json:"ScheduledActionName"`
}

func (a *appScaling) deleteScheduled(who caller, in *deleteAction) (any, *apiError) {
	if problem := in.check(true); problem != nil {
		return nil, problem
	}
	if in.Name == nil {
		return nil, notValid("1 validation error detected: Value null at 'scheduledActionName' failed to satisfy constraint: Member must not be null")
	}
	g, ok := a.find(&in.resource)
	if ok {
		var err error
		ok, err = a.fleets.Unschedule(g.Name, capacity.Caller{Service: "application-autoscaling", Who: who.key}, *in.Name)
		if errors.Is(err, capacity.ErrContention) {
			return nil, a.refusal(err)
		}
	}
	if !ok {
		return nil, modelled("ObjectNotFoundException", "No scheduled action found for service namespace: %s, resource ID: %s, scalable dimension: %s, scheduled action name: %s", *in.Namespace, *in.ID, *in.Dimension, *in.Name)
	}
	return struct{}{}, nil
}
