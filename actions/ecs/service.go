package ecs

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// The settings, by AWS's names: two of a scalable target, one of a service.
const (
	MinCapacity  = "MinCapacity"
	MaxCapacity  = "MaxCapacity"
	DesiredCount = "desiredCount"
)

const (
	asideWithin = 4 * time.Second  // for everything that is asked beside the sizes
	recent      = 15 * time.Minute // an event is worth a word for so long
	maxPages    = 4
)

// fleet is what is known of the service and its scalable target.
type fleet struct {
	service *types.Service          // nil for another kind of target
	target  *sctypes.ScalableTarget // nil: none is registered

	desired, running, pending int // of a service
	min, max                  int // of a target

	scheduled []sctypes.ScheduledAction
	decision  string   // why the last decision did not scale, or failed
	notKnown  []string // what could not be read, and why
}

// describe reads the sizes: what the action changes.
func (o *Options) describe(ctx context.Context) (*fleet, error) {
	f := &fleet{}
	if o.Service != "" {
		if err := o.readService(ctx, f); err != nil {
			return nil, err
		}
	}
	out, err := o.Scaling.DescribeScalableTargets(ctx, &scaling.DescribeScalableTargetsInput{
		ServiceNamespace: sctypes.ServiceNamespace(o.Namespace), ResourceIds: []string{o.Resource}, ScalableDimension: sctypes.ScalableDimension(o.Dimension),
	})
	if err != nil {
		p := o.problem(err)
		return nil, &p
	}
	for i := range out.ScalableTargets {
		t := &out.ScalableTargets[i]
		if aws.ToString(t.ResourceId) != o.Resource || string(t.ScalableDimension) != o.Dimension {
			continue
		}
		if t.MinCapacity == nil || t.MaxCapacity == nil {
			return nil, &sale.Problem{Class: sale.BadData, Text: "the answer lacks the bounds of the scalable target", Hint: hintEndpoint}
		}
		f.target, f.min, f.max = t, int(*t.MinCapacity), int(*t.MaxCapacity)
	}
	if f.service == nil && f.target == nil {
		return nil, &sale.Problem{
			Class: sale.NotFound, Text: o.clean("no scalable target "+o.Resource+" is registered for "+o.Dimension, maxProblemText),
			Hint: "check its name, the region and the account in the config; one that is not registered is never registered from here",
		}
	}
	return f, nil
}

func (o *Options) readService(ctx context.Context, f *fleet) error {
	out, err := o.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(o.Cluster), Services: []string{o.Service}})
	if err != nil {
		p := o.problem(err)
		return &p
	}
	for i := range out.Services {
		if s := &out.Services[i]; aws.ToString(s.ServiceName) == o.Service {
			f.service, f.desired, f.running, f.pending = s, int(s.DesiredCount), int(s.RunningCount), int(s.PendingCount)
			return nil
		}
	}
	why := "the answer does not hold it"
	if len(out.Failures) > 0 {
		why = aws.ToString(out.Failures[0].Reason)
	}
	return &sale.Problem{
		Class: sale.NotFound, Text: o.clean(fmt.Sprintf("service %s in cluster %s: %s", o.Service, o.Cluster, why), maxProblemText),
		Hint: "check the names of the cluster and the service, the region and the account in the config",
	}
}

// around reads, at once, what is said before an action. What can't be read is noted, not fatal.
func (o *Options) around(ctx context.Context, f *fleet) {
	if f.target == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, asideWithin)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	ask := func(what string, read func() error) {
		wg.Go(func() {
			if err := read(); err != nil {
				p := o.problem(err)
				mu.Lock()
				defer mu.Unlock()
				f.notKnown = append(f.notKnown, what+" could not be read: "+p.Text)
			}
		})
	}
	ask("scheduled actions", func() error {
		var err error
		f.scheduled, err = o.scheduled(ctx)
		return err
	})
	ask("scaling decisions", func() error {
		var err error
		f.decision, err = o.lastDecision(ctx, time.Now().Add(-recent))
		return err
	})
	wg.Wait()
}

func (o *Options) scheduled(ctx context.Context) ([]sctypes.ScheduledAction, error) {
	var all []sctypes.ScheduledAction
	var next *string
	for range maxPages {
		out, err := o.Scaling.DescribeScheduledActions(ctx, &scaling.DescribeScheduledActionsInput{
			ServiceNamespace: sctypes.ServiceNamespace(o.Namespace), ResourceId: aws.String(o.Resource), ScalableDimension: sctypes.ScalableDimension(o.Dimension),
			MaxResults: aws.Int32(50), NextToken: next,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, out.ScheduledActions...)
		if next = out.NextToken; aws.ToString(next) == "" {
			break
		}
	}
	return all, nil
}

// lastDecision says why the newest decision since a time did not scale, or failed; "" when it
// did, or there is none.
func (o *Options) lastDecision(ctx context.Context, since time.Time) (string, error) {
	out, err := o.Scaling.DescribeScalingActivities(ctx, &scaling.DescribeScalingActivitiesInput{
		ServiceNamespace: sctypes.ServiceNamespace(o.Namespace), ResourceId: aws.String(o.Resource), ScalableDimension: sctypes.ScalableDimension(o.Dimension),
		MaxResults: aws.Int32(10), IncludeNotScaledActivities: aws.Bool(true),
	})
	if err != nil || len(out.ScalingActivities) == 0 {
		return "", err
	}
	a := out.ScalingActivities[0]
	if a.StartTime == nil || a.StartTime.Before(since) {
		return "", nil
	}
	var codes []string
	for _, r := range a.NotScaledReasons {
		codes = append(codes, aws.ToString(r.Code))
	}
	switch {
	case len(codes) > 0:
		return o.clean("it did not scale: "+strings.Join(codes, ", "), maxWarning), nil
	case a.StatusCode == sctypes.ScalingActivityStatusCodeFailed:
		return o.clean("scaling failed: "+aws.ToString(a.StatusMessage), maxWarning), nil
	}
	return "", nil
}

// targetOf names what is scaled as AWS itself does: account and region come from its ARN.
func (o *Options) targetOf(f *fleet) actions.Target {
	arn := ""
	switch {
	case f.service != nil:
		arn = aws.ToString(f.service.ServiceArn)
	case f.target != nil:
		arn = aws.ToString(f.target.ScalableTargetARN)
	}
	t := actions.Target{System: System, Kind: o.kind(), Name: o.name(), ID: o.clean(arn, 0)}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		t.Region, t.Account = o.clean(parts[3], 64), o.clean(parts[4], 64)
	}
	return t
}

func (f *fleet) value() actions.Value {
	v := actions.Value{}
	if f.service != nil {
		v[DesiredCount] = actions.Number(float64(f.desired))
	}
	if f.target != nil {
		v[MinCapacity], v[MaxCapacity] = actions.Number(float64(f.min)), actions.Number(float64(f.max))
	}
	return v
}

// size is the present one, and least what holds it: min of a target, else the desired count.
func (f *fleet) size() (present, least int) {
	switch {
	case f.target == nil:
		return f.desired, f.desired
	case f.service == nil:
		return f.min, f.min
	default:
		return max(f.desired, f.min), f.min
	}
}

func (f *fleet) deploying() bool {
	if len(f.service.Deployments) > 1 {
		return true
	}
	for _, d := range f.service.Deployments {
		if d.RolloutState == types.DeploymentRolloutStateInProgress {
			return true
		}
	}
	return false
}

// onInstances reports whether tasks need EC2 instances to run on.
func (f *fleet) onInstances() bool {
	if f.service.LaunchType == types.LaunchTypeEc2 {
		return true
	}
	for _, s := range f.service.CapacityProviderStrategy {
		if !strings.HasPrefix(aws.ToString(s.CapacityProvider), "FARGATE") {
			return true
		}
	}
	return false
}

// shortage is the newest event of the last minutes that says that tasks find no room.
// The words are those of ECS's service event messages.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
func (f *fleet) shortage(now time.Time) string {
	for _, e := range f.service.Events {
		if e.CreatedAt == nil || now.Sub(*e.CreatedAt) > recent {
			continue
		}
		text := aws.ToString(e.Message)
		if noRoom.MatchString(text) {
			return text
		}
		if strings.Contains(text, "steady state") {
			return ""
		}
	}
	return ""
}

var noRoom = regexp.MustCompile(`(?i)unable to place|unable to consistently start|capacity is unavailable|insufficient|no container instance|RESOURCE:`)

func (f *fleet) progress(wanted int) string {
	if f.service == nil {
		return fmt.Sprintf("min %d, max %d; how many run is not known here", f.min, f.max)
	}
	text := fmt.Sprintf("%d of %d running", f.running, wanted)
	if f.pending > 0 {
		text += fmt.Sprintf(", %d pending", f.pending)
	}
	return text
}
