package aws

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// The settings that all groups have in common.
const (
	instanceType   = "m7g.2xlarge"
	launchTemplate = "lt-0c3d5e7f9a1b2c4d6"
)

type groupsResult struct {
	Groups []groupXML `xml:"AutoScalingGroups>member"`
	Next   string     `xml:"NextToken,omitempty"`
}

type groupXML struct {
	Name        string        `xml:"AutoScalingGroupName"`
	ARN         string        `xml:"AutoScalingGroupARN"`
	Template    templateXML   `xml:"LaunchTemplate"`
	Min         int           `xml:"MinSize"`
	Max         int           `xml:"MaxSize"`
	Desired     int           `xml:"DesiredCapacity"`
	Cooldown    int           `xml:"DefaultCooldown"`
	Zones       []string      `xml:"AvailabilityZones>member"`
	Targets     []string      `xml:"TargetGroupARNs>member"`
	HealthType  string        `xml:"HealthCheckType"`
	Grace       int           `xml:"HealthCheckGracePeriod"`
	Instances   []instanceXML `xml:"Instances>member"`
	Created     string        `xml:"CreatedTime"`
	Suspended   []processXML  `xml:"SuspendedProcesses>member"`
	Subnets     string        `xml:"VPCZoneIdentifier"`
	Tags        []tagXML      `xml:"Tags>member"`
	Termination []string      `xml:"TerminationPolicies>member"`
	Protected   bool          `xml:"NewInstancesProtectedFromScaleIn"`
	Pool        *poolXML      `xml:"WarmPoolConfiguration"`
	PoolSize    *int          `xml:"WarmPoolSize"`
}

type templateXML struct {
	ID      string `xml:"LaunchTemplateId"`
	Name    string `xml:"LaunchTemplateName"`
	Version string `xml:"Version"`
}

type instanceXML struct {
	ID        string      `xml:"InstanceId"`
	Type      string      `xml:"InstanceType"`
	Zone      string      `xml:"AvailabilityZone"`
	State     string      `xml:"LifecycleState"`
	Health    string      `xml:"HealthStatus"`
	Template  templateXML `xml:"LaunchTemplate"`
	Protected bool        `xml:"ProtectedFromScaleIn"`
}

type processXML struct {
	Name   string `xml:"ProcessName"`
	Reason string `xml:"SuspensionReason"`
}

type tagXML struct {
	Resource  string `xml:"ResourceId"`
	Type      string `xml:"ResourceType"`
	Key       string `xml:"Key"`
	Value     string `xml:"Value"`
	Propagate bool   `xml:"PropagateAtLaunch"`
}

type poolXML struct {
	Min   int    `xml:"MinSize"`
	State string `xml:"PoolState"`
}

func template() templateXML {
	return templateXML{ID: launchTemplate, Name: "shop-web", Version: "42"}
}

func instance(u capacity.Unit) instanceXML {
	state := map[capacity.State]string{
		capacity.Pending: "Pending", capacity.InService: "InService", capacity.Terminating: "Terminating", capacity.Warm: "Warmed:Stopped",
	}[u.State]
	health := "Healthy"
	if u.Failing {
		health = "Unhealthy"
	}
	return instanceXML{ID: u.ID, Type: instanceType, Zone: u.Zone, State: state, Health: health, Template: template()}
}

// describeGroups answers DescribeAutoScalingGroups. A name that is not there is left out.
func (a *autoScaling) describeGroups(in *params) (any, *apiError) {
	names, filters, instances := in.list("AutoScalingGroupNames"), in.filters(), in.boolean("IncludeInstances", true)
	if len(names) > 0 && len(filters) > 0 {
		in.refuse("AutoScalingGroupNames and Filters can not be combined")
	}
	var found []capacity.Group
	for _, g := range a.groups() {
		if len(names) > 0 && !slices.Contains(names, g.Name) {
			continue
		}
		if ok := a.tagged(in, &g, filters); ok {
			found = append(found, g)
		}
	}
	cut, next := page(in, found, 50, 100, "DescribeAutoScalingGroups", names, filters, instances)
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	out := groupsResult{Next: next}
	for _, g := range cut {
		out.Groups = append(out.Groups, a.describe(&g, instances))
	}
	return out, nil
}

func (a *autoScaling) describe(g *capacity.Group, instances bool) groupXML {
	x := groupXML{
		Name: g.Name, ARN: a.arn(g), Template: template(), Min: g.Min, Max: g.Max, Desired: g.Desired, Cooldown: 300,
		Zones: []string{a.region + "a", a.region + "b", a.region + "c"}, HealthType: "ELB", Grace: 60,
		Created: xmlTime(g.Created), Subnets: "subnet-0a1b2c3d4e5f60718,subnet-0b2c3d4e5f6071829,subnet-0c3d4e5f607182930",
		Termination: []string{"Default"}, Tags: tags(g),
	}
	if g.TargetGroup != "" {
		x.Targets = []string{targetGroupARN(a.region, g.TargetGroup)}
	}
	for _, p := range g.Suspended {
		x.Suspended = append(x.Suspended, processXML(p))
	}
	if instances {
		for _, u := range g.Units {
			x.Instances = append(x.Instances, instance(u))
		}
	}
	if g.HasPool {
		size := len(g.WarmPool)
		x.Pool, x.PoolSize = &poolXML{State: "Stopped"}, &size
	}
	return x
}

func tags(g *capacity.Group) []tagXML {
	tag := func(key, value string) tagXML {
		return tagXML{Resource: g.Name, Type: "auto-scaling-group", Key: key, Value: value, Propagate: true}
	}
	return []tagXML{tag("role", g.Role), tag("sale", g.Sale)}
}

// tagged tells whether a group has the tags that all filters ask for.
func (a *autoScaling) tagged(in *params, g *capacity.Group, filters []filter) bool {
	for _, f := range filters {
		has := func(t tagXML) bool { return false }
		key, byTag := strings.CutPrefix(f.name, "tag:")
		switch {
		case byTag:
			has = func(t tagXML) bool { return t.Key == key && slices.Contains(f.values, t.Value) }
		case f.name == "tag-key":
			has = func(t tagXML) bool { return slices.Contains(f.values, t.Key) }
		case f.name == "tag-value":
			has = func(t tagXML) bool { return slices.Contains(f.values, t.Value) }
		default:
			in.refuse("Filter type %s is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>", f.name)
		}
		if !slices.ContainsFunc(tags(g), has) {
			return false
		}
	}
	return true
}

type activitiesResult struct {
	Activities []activityXML `xml:"Activities>member"`
	Next       string        `xml:"NextToken,omitempty"`
}

type activityXML struct {
	ID          string `xml:"ActivityId"`
	Group       string `xml:"AutoScalingGroupName"`
	GroupARN    string `xml:"AutoScalingGroupARN"`
	Description string `xml:"Description"`
	Cause       string `xml:"Cause"`
	Start       string `xml:"StartTime"`
	End         string `xml:"EndTime,omitempty"`
	Status      string `xml:"StatusCode"`
	Message     string `xml:"StatusMessage,omitempty"`
	Progress    int    `xml:"Progress"`
	Details     string `xml:"Details"`
}

// describeActivities answers DescribeScalingActivities: of one group, or of all.
func (a *autoScaling) describeActivities(in *params) (any, *apiError) {
	name, one := in.text("AutoScalingGroupName")
	ids, filters := in.list("ActivityIds"), in.filters()
	in.boolean("IncludeDeletedGroups", false) // there are none
	keep, problem := a.activityFilter(filters, one)
	if problem != nil {
		return nil, problem
	}
	type of struct {
		group capacity.Group
		capacity.Activity
	}
	var found []of
	for _, g := range a.groups() {
		if one && g.Name != name {
			continue
		}
		for _, x := range a.fleets.Activities(g.Name) {
			if (len(ids) == 0 || slices.Contains(ids, x.ID)) && keep(x) {
				found = append(found, of{g, x})
			}
		}
	}
	if one {
		if _, problem := a.group(name); problem != nil {
			return nil, problem
		}
	}
	cut, next := page(in, found, 100, 100, "DescribeScalingActivities", name, ids, filters)
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	out := activitiesResult{Next: next}
	for _, x := range cut {
		out.Activities = append(out.Activities, activityXML{
			ID: x.ID, Group: x.group.Name, GroupARN: a.arn(&x.group), Description: x.Description, Cause: x.Cause,
			Start: xmlTime(x.Start), End: xmlTime(x.End), Status: x.Status, Message: x.Message, Progress: x.Progress, Details: cmp.Or(x.Detail, "{}"),
		})
	}
	return out, nil
}

func (a *autoScaling) activityFilter(filters []filter, one bool) (func(capacity.Activity) bool, *apiError) {
	var keeps []func(capacity.Activity) bool
	for _, f := range filters {
		bound := func() (time.Time, *apiError) {
			if len(f.values) != 1 {
				return time.Time{}, validationError("Filter %s takes one value", f.name)
			}
			t, err := time.Parse(time.RFC3339, f.values[0])
			if err != nil {
				return t, validationError("The value %q of the filter %s is not a time in ISO 8601", f.values[0], f.name)
			}
			return t, nil
		}
		switch f.name {
		case "StartTimeLowerBound", "StartTimeUpperBound":
			t, problem := bound()
			if problem != nil {
				return nil, problem
			}
			lower := f.name == "StartTimeLowerBound"
			keeps = append(keeps, func(x capacity.Activity) bool { return lower && !x.Start.Before(t) || !lower && !x.Start.After(t) })
		case "Status":
			if !one {
				return nil, validationError("The filter Status can only be used with AutoScalingGroupName")
			}
			keeps = append(keeps, func(x capacity.Activity) bool { return slices.Contains(f.values, x.Status) })
		default:
			return nil, validationError("Filter type %s is not correct. Allowed Filter types are: StartTimeLowerBound, StartTimeUpperBound, Status", f.name)
		}
	}
	return func(x capacity.Activity) bool {
		return !slices.ContainsFunc(keeps, func(keep func(capacity.Activity) bool) bool { return !keep(x) })
	}, nil
}

type refreshesResult struct {
	Refreshes []refreshXML `xml:"InstanceRefreshes>member"`
	Next      string       `xml:"NextToken,omitempty"`
}

type refreshXML struct {
	ID      string `xml:"InstanceRefreshId"`
	Group   string `xml:"AutoScalingGroupName"`
	Status  string `xml:"Status"`
	Start   string `xml:"StartTime"`
	End     string `xml:"EndTime,omitempty"`
	Percent int    `xml:"PercentageComplete"`
	Left    int    `xml:"InstancesToUpdate"`
}

func (a *autoScaling) describeRefreshes(in *params) (any, *apiError) {
	name, ids := in.required("AutoScalingGroupName"), in.list("InstanceRefreshIds")
	g, problem := a.group(name)
	if problem == nil && in.bad == nil {
		var all []refreshXML
		if r := g.Refresh; r != nil && (len(ids) == 0 || slices.Contains(ids, r.ID)) {
			all = append(all, refreshXML{ID: r.ID, Group: name, Status: r.Status, Start: xmlTime(r.Start), End: xmlTime(r.End), Percent: r.Percent, Left: r.Left})
		}
		cut, next := page(in, all, 50, 100, "DescribeInstanceRefreshes", name, ids)
		return refreshesResult{cut, next}, in.done()
	}
	if in.bad != nil {
		problem = in.bad
	}
	return nil, problem
}

type warmPoolResult struct {
	Pool      *poolXML      `xml:"WarmPoolConfiguration"`
	Instances []instanceXML `xml:"Instances>member"`
	Next      string        `xml:"NextToken,omitempty"`
}

func (a *autoScaling) describeWarmPool(in *params) (any, *apiError) {
	name := in.required("AutoScalingGroupName")
	if in.bad != nil {
		return nil, in.bad
	}
	g, problem := a.group(name)
	if problem != nil {
		return nil, problem
	}
	var all []instanceXML
	for _, u := range g.WarmPool {
		x := instance(u)
		if u.State == capacity.Pending {
			x.State = "Warmed:Pending"
		}
		all = append(all, x)
	}
	out := warmPoolResult{}
	if g.HasPool {
		out.Pool = &poolXML{State: "Stopped"}
	}
	out.Instances, out.Next = page(in, all, 50, 50, "DescribeWarmPool", name)
	return out, in.done()
}
