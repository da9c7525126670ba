package aws

import (
	"net/http"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

type scheduledResult struct {
	Actions []scheduledXML `xml:"ScheduledUpdateGroupActions>member"`
	Next    string         `xml:"NextToken,omitempty"`
}

type scheduledXML struct {
	Group      string `xml:"AutoScalingGroupName"`
	Name       string `xml:"ScheduledActionName"`
	ARN        string `xml:"ScheduledActionARN"`
	Time       string `xml:"Time"`
	Start      string `xml:"StartTime"`
	End        string `xml:"EndTime,omitempty"`
	Recurrence string `xml:"Recurrence,omitempty"`
	Zone       string `xml:"TimeZone,omitempty"`
	Min        *int   `xml:"MinSize"`
	Max        *int   `xml:"MaxSize"`
	Desired    *int   `xml:"DesiredCapacity"`
}

// putScheduled answers PutScheduledUpdateGroupAction. The name is the key: the same one again is a
// change. Two actions of a group can't have the same time.
func (a *autoScaling) putScheduled(in *params) (any, *apiError) {
	group, name := in.required("AutoScalingGroupName"), in.required("ScheduledActionName")
	s := capacity.Scheduled{
		Name: name, Start: in.moment("StartTime"), End: in.moment("EndTime"),
		Min: in.integer("MinSize"), Max: in.integer("MaxSize"), Desired: in.integer("DesiredCapacity"),
	}
	s.Schedule, _ = in.text("Recurrence")
	s.Zone, _ = in.text("TimeZone")
	if old := in.moment("Time"); s.Start.IsZero() {
		s.Start = old // the name that StartTime had before
	}
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	if _, problem := a.group(group); problem != nil {
		return nil, problem
	}
	if problem := a.plan(&s); problem != nil {
		return nil, problem
	}
	have := a.fleets.Scheduled(group)
	others := slices.DeleteFunc(have, func(o capacity.Scheduled) bool { return o.Name == name })
	switch {
	case slices.ContainsFunc(others, func(o capacity.Scheduled) bool { return o.Next.Equal(s.Next) }):
		return nil, &apiError{code: "AlreadyExists", status: http.StatusBadRequest, message: "You already have a scheduled action for this group at " + s.Next.Format(time.RFC3339)}
	case len(others) >= maxScheduled:
		return nil, &apiError{code: "LimitExceeded", status: http.StatusBadRequest, message: "You have already reached a limit for your Amazon EC2 Auto Scaling resources: 125 scheduled actions per group"}
	}
	if err := a.fleets.Schedule(group, in.caller("autoscaling"), s); err != nil {
		return nil, a.refusal(err, group)
	}
	return nil, nil
}

// plan refuses what can't be planned.
func (a *autoScaling) plan(s *capacity.Scheduled) *apiError {
	now := a.now().UTC()
	negative := func(v *int) bool { return v != nil && *v < 0 }
	switch {
	case s.Min == nil && s.Max == nil && s.Desired == nil:
		return validationError("At least one of MinSize, MaxSize, and DesiredCapacity must be specified.")
	case negative(s.Min) || negative(s.Max) || negative(s.Desired):
		return validationError("Min, max and desired capacity must not be negative")
	case s.Min != nil && s.Max != nil && *s.Min > *s.Max:
		return validationError("Max bound, %d, must be greater than or equal to min bound, %d", *s.Max, *s.Min)
	case s.Desired != nil && (s.Min != nil && *s.Desired < *s.Min || s.Max != nil && *s.Desired > *s.Max):
		return validationError("Desired capacity must be between the specified min size and max size")
	case !s.Start.IsZero() && !s.Start.After(now):
		return validationError("Given start time is in the past")
	case s.Schedule == "" && s.Start.IsZero():
		return validationError("StartTime or Recurrence must be specified.")
	case s.Schedule == "" && s.Zone != "":
		return validationError("TimeZone is only supported for actions with a Recurrence")
	}
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
			return validationError("Invalid TimeZone %s", s.Zone)
		}
	}
	if err := s.Plan(now); err != nil {
		return validationError("The scheduled action can not be planned: %s", err)
	}
	return nil
}

// describeScheduled answers DescribeScheduledActions. With names the times are ignored.
func (a *autoScaling) describeScheduled(in *params) (any, *apiError) {
	group, one := in.text("AutoScalingGroupName")
	names, from, to := in.list("ScheduledActionNames"), in.moment("StartTime"), in.moment("EndTime")
	if one {
		if _, problem := a.group(group); problem != nil {
			return nil, problem
		}
	}
	var found []scheduledXML
	for _, g := range a.groups() {
		if one && g.Name != group {
			continue
		}
		for _, s := range a.fleets.Scheduled(g.Name) {
			switch {
			case len(names) > 0 && !slices.Contains(names, s.Name):
			case len(names) == 0 && (s.Next.Before(from) || !to.IsZero() && s.Next.After(to)):
			default:
				found = append(found, scheduledXML{
					Group: g.Name, Name: s.Name, Time: xmlTime(s.Next), Start: xmlTime(s.Next), End: xmlTime(s.End), Recurrence: s.Schedule, Zone: s.Zone,
					ARN: "arn:aws:autoscaling:" + a.region + ":" + telemetry.Account + ":scheduledUpdateGroupAction:" + stableUUID("scheduled", g.Name, s.Name) + ":autoScalingGroupName/" + g.Name + ":scheduledActionName/" + s.Name,
					Min: s.Min, Max: s.Max, Desired: s.Desired,
				})
			}
		}
	}
	cut, next := page(in, found, 50, 100, "DescribeScheduledActions", group, names, from, to)
	return scheduledResult{cut, next}, in.done()
}

func (a *autoScaling) deleteScheduled(in *params) (any, *apiError) {
	group, name := in.required("AutoScalingGroupName"), in.required("ScheduledActionName")
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	if _, problem := a.group(group); problem != nil {
		return nil, problem
	}
	ok, err := a.fleets.Unschedule(group, in.caller("autoscaling"), name)
	switch {
	case err != nil:
		return nil, a.refusal(err, group)
	case !ok:
		return nil, validationError("Scheduled action name not found - Scheduled action: %s not found", name)
	}
	return nil, nil
}
