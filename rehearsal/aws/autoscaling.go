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
	autoScalingVersion = "2011-01-01"
	autoScalingSpace   = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
	maxScheduled       = 125 // planned changes of one group
)

type autoScaling struct {
	region string
	fleets capacity.Fleets
	now    func() time.Time
}

// NewAutoScaling answers EC2 Auto Scaling's API of one region in AWS Query and XML for the groups of
// instances. Served are DescribeAutoScalingGroups, UpdateAutoScalingGroup (of the sizes),
// SetDesiredCapacity, PutScheduledUpdateGroupAction, DescribeScheduledActions,
// DeleteScheduledAction, DescribeScalingActivities, DescribeInstanceRefreshes, DescribeWarmPool,
// SuspendProcesses and ResumeProcesses. now is the platform's time: planned changes are held against
// it.
func NewAutoScaling(region string, f capacity.Fleets, now func() time.Time, opts ...Option) http.Handler {
	o := settings(opts)
	a := &autoScaling{region: region, fleets: f, now: now}
	reads := func(do func(*params) (any, *apiError)) queryOperation { return queryOperation{do: do} }
	writes := func(do func(*params) (any, *apiError)) queryOperation { return queryOperation{writes: true, do: do} }
	return &queryService{
		name: "autoscaling", version: autoScalingVersion, space: autoScalingSpace, options: o, guard: newGuard("autoscaling", region, o),
		operations: map[string]queryOperation{
			"DescribeAutoScalingGroups":     reads(a.describeGroups),
			"DescribeScheduledActions":      reads(a.describeScheduled),
			"DescribeScalingActivities":     reads(a.describeActivities),
			"DescribeInstanceRefreshes":     reads(a.describeRefreshes),
			"DescribeWarmPool":              reads(a.describeWarmPool),
			"UpdateAutoScalingGroup":        writes(a.update),
			"SetDesiredCapacity":            writes(a.setDesired),
			"PutScheduledUpdateGroupAction": writes(a.putScheduled),
			"DeleteScheduledAction":         writes(a.deleteScheduled),
			"SuspendProcesses":              writes(a.suspend),
			"ResumeProcesses":               writes(a.resume),
		},
	}
}

// groups are those of instances.
func (a *autoScaling) groups() []capacity.Group {
	return slices.DeleteFunc(a.fleets.Groups(), func(g capacity.Group) bool { return g.Kind != capacity.Instances })
}

// group finds one by its name.
func (a *autoScaling) group(name string) (capacity.Group, *apiError) {
	for _, g := range a.groups() {
		if g.Name == name {
			return g, nil
		}
	}
	return capacity.Group{}, noAutoScalingGroup(name)
}

func noAutoScalingGroup(name string) *apiError {
	return validationError("AutoScalingGroup name not found - AutoScalingGroup: %s not found", name)
}

// refusal turns an error of the model into one of the service.
func (a *autoScaling) refusal(err error, group string) *apiError {
	var out *capacity.OutOfBounds
	var own *apiError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &out):
		return validationError("%s", out.Reason)
	case errors.Is(err, capacity.ErrContention):
		return &apiError{
			code: "ResourceContention", status: http.StatusInternalServerError, receiver: true,
			message: "You already have a pending update to an Amazon EC2 Auto Scaling resource (for example, an Auto Scaling group, instance, or load balancer).",
		}
	}
	return noAutoScalingGroup(group)
}

// change applies a change to a group of instances.
func (a *autoScaling) change(in *params, name string, change func(g *capacity.Group) error) *apiError {
	if _, problem := a.group(name); problem != nil {
		return problem
	}
	if _, err := a.fleets.Change(name, in.caller("autoscaling"), change); err != nil {
		return a.refusal(err, name)
	}
	return nil
}

// caller is who asked, for the model's ledger.
func (p *params) caller(service string) capacity.Caller {
	return capacity.Caller{Service: service, Who: p.who.key}
}

// update answers UpdateAutoScalingGroup. The platform can change the sizes of a group; whoever
// sends another setting is refused.
func (a *autoScaling) update(in *params) (any, *apiError) {
	name := in.required("AutoScalingGroupName")
	least, most, size := in.integer("MinSize"), in.integer("MaxSize"), in.integer("DesiredCapacity")
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	return nil, a.change(in, name, func(g *capacity.Group) error { return g.Resize(least, most, size) })
}

// setDesired answers SetDesiredCapacity. By default it does not wait for the cooldown.
func (a *autoScaling) setDesired(in *params) (any, *apiError) {
	name, size := in.required("AutoScalingGroupName"), in.integer("DesiredCapacity")
	honor := in.boolean("HonorCooldown", false)
	if size == nil {
		in.required("DesiredCapacity")
	}
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	return nil, a.change(in, name, func(g *capacity.Group) error {
		switch {
		case *size > g.Max:
			return validationError("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", *size, g.Max)
		case *size < g.Min:
			return validationError("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", *size, g.Min)
		case honor && g.Cooling:
			return &apiError{code: "ScalingActivityInProgress", status: http.StatusBadRequest, message: fmt.Sprintf("Scaling activity is in progress for AutoScalingGroup %s: its cooldown has not ended.", g.Name)}
		}
		g.Desired = *size
		return nil
	})
}

func (a *autoScaling) suspend(in *params) (any, *apiError) {
	return a.switchProcesses(in, func(g *capacity.Group, names []string) {
		for _, name := range names {
			if !g.IsSuspended(name) {
				g.Suspended = append(g.Suspended, capacity.Process{Name: name, Reason: "User suspended at " + a.now().UTC().Format("2006-01-02T15:04:05Z")})
			}
		}
	})
}

func (a *autoScaling) resume(in *params) (any, *apiError) {
	return a.switchProcesses(in, func(g *capacity.Group, names []string) {
		g.Suspended = slices.DeleteFunc(g.Suspended, func(p capacity.Process) bool { return slices.Contains(names, p.Name) })
	})
}

// switchProcesses reads which processes are meant: without a name, all.
func (a *autoScaling) switchProcesses(in *params, do func(g *capacity.Group, names []string)) (any, *apiError) {
	name, names := in.required("AutoScalingGroupName"), in.list("ScalingProcesses")
	for _, p := range names {
		if !slices.Contains(capacity.Processes(), p) {
			in.refuse("1 validation error detected: Value '[%s]' at 'scalingProcesses' failed to satisfy constraint: Member must satisfy enum value set: [%s]", strings.Join(names, ", "), strings.Join(capacity.Processes(), ", "))
		}
	}
	if problem := in.done(); problem != nil {
		return nil, problem
	}
	if len(names) == 0 {
		names = capacity.Processes()
	}
	return nil, a.change(in, name, func(g *capacity.Group) error {
		do(g, names)
		return nil
	})
}

func (a *autoScaling) arn(g *capacity.Group) string {
	return fmt.Sprintf("arn:aws:autoscaling:%s:%s:autoScalingGroup:%s:autoScalingGroupName/%s", a.region, telemetry.Account, stableUUID("asg", g.Name), g.Name)
}

// stableUUID is the same for the same parts, in every run.
func stableUUID(parts ...any) string {
	a, b := fingerprint(parts...), fingerprint(append(parts, "b")...)
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(a>>32), uint16(a>>16), a&0xfff, b>>52, b&0xffffffffffff)
}

// targetGroupARN and loadBalancerARN name what stands in front of a group.
func targetGroupARN(region, name string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%016x", region, telemetry.Account, name, fingerprint("tg", name))
}

func loadBalancerARN(region, name string) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/%s", region, telemetry.Account, name)
}
