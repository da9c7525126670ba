package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	aasdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// find returns a group that a test wrote.
func (a *actors) find(name string) *capacity.Group {
	return &a.groups[slices.IndexFunc(a.groups, func(g capacity.Group) bool { return g.Name == name })]
}

func TestAServiceThatIsNotThereIsAFailureInAGoodAnswer(t *testing.T) {
	c := acting(t, harbour()).ecs
	ctx := context.Background()
	for _, name := range []string{"orchard-web", "arn:aws:ecs:eu-central-1:471122083344:service/pl-prod/orchard-web"} {
		out, err := c.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Cluster: ptr("arn:aws:ecs:eu-central-1:471122083344:cluster/pl-prod"), Services: []string{name, "nowhere", "harbour-web"}})
		if err != nil || len(out.Services) != 1 || len(out.Failures) != 2 || *out.Failures[0].Reason != "MISSING" {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		s := out.Services[0]
		if s.DesiredCount != 5 || s.RunningCount != 4 || s.PendingCount != 1 || *s.Events[0].Id != "e2" || s.Deployments[0].RolloutState != "COMPLETED" || *s.LoadBalancers[0].TargetGroupArn != targetGroupARN(testRegion, "orchard-web") {
			t.Errorf("%s: %+v", name, s)
		}
	}
	_, err := c.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Cluster: ptr("pl-prod"), Services: strings.Split("a b c d e f g h i j k", " ")})
	if !refused[*ecstypes.InvalidParameterException](err) {
		t.Errorf("eleven services: %v", err)
	}
	_, err = c.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Services: []string{"orchard-web"}})
	if !refused[*ecstypes.ClusterNotFoundException](err) {
		t.Errorf("the default cluster: %v", err)
	}
}

func TestAServiceTakesANewCountWithoutADeployment(t *testing.T) {
	a := harbour()
	c := acting(t, a).ecs
	ctx := context.Background()
	update := func(service string, n int, force bool) (*ecssdk.UpdateServiceOutput, error) {
		return c.UpdateService(ctx, &ecssdk.UpdateServiceInput{Cluster: ptr("pl-prod"), Service: &service, DesiredCount: n32(n), ForceNewDeployment: force})
	}
	out, err := update("orchard-workers", 4, false)
	if err != nil || out.Service.DesiredCount != 4 || len(out.Service.Deployments) != 1 || a.find("orchard-workers").Desired != 4 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := update("nowhere", 4, false); !refused[*ecstypes.ServiceNotFoundException](err) {
		t.Errorf("a service that is not there: %v", err)
	}
	if _, err := update("orchard-web", -1, false); !refused[*ecstypes.InvalidParameterException](err) {
		t.Errorf("a negative count: %v", err)
	}
	if _, err := update("orchard-web", 5, true); !refused[*ecstypes.InvalidParameterException](err) {
		t.Errorf("a forced deployment: %v", err)
	}
	a.contended = 1
	if _, err := update("orchard-web", 6, false); !refused[*ecstypes.ServerException](err) {
		t.Errorf("another change going on: %v", err)
	}
}

func register(id string, least, most *int32, s *aastypes.SuspendedState) *aasdk.RegisterScalableTargetInput {
	return &aasdk.RegisterScalableTargetInput{ServiceNamespace: "ecs", ResourceId: &id, ScalableDimension: "ecs:service:DesiredCount", MinCapacity: least, MaxCapacity: most, SuspendedState: s}
}

func TestRegisteringATargetMovesTheCountIntoTheBoundsAtOnce(t *testing.T) {
	const web, workers = "service/pl-prod/orchard-web", "service/pl-prod/orchard-workers"
	for _, k := range []struct {
		name  string
		in    *aasdk.RegisterScalableTargetInput
		group string
		want  string // min, max, desired, hold
		code  string
	}{
		{"a higher minimum", register(web, n32(8), nil, nil), "orchard-web", "8 12 8 {false false false}", "none"},
		{"a lower maximum", register(web, n32(1), n32(3), nil), "orchard-web", "1 3 3 {false false false}", "none"},
		{"nothing", register(web, nil, nil, nil), "orchard-web", "5 12 5 {false false false}", "none"},
		{"no way in", register(web, nil, nil, &aastypes.SuspendedState{DynamicScalingInSuspended: ptr(true)}), "orchard-web", "5 12 5 {true false false}", "none"},
		{"a minimum above the maximum", register(web, n32(13), nil, nil), "orchard-web", "5 12 5 {false false false}", "ValidationException"},
		{"a new target without bounds", register(workers, n32(3), nil, nil), "orchard-workers", "2 12 2 {false false false}", "ValidationException"},
		{"a new target", register(workers, n32(3), n32(9), nil), "orchard-workers", "3 9 3 {false false false}", "none"},
		{"a service that is not there", register("service/pl-prod/nowhere", n32(3), n32(9), nil), "orchard-web", "5 12 5 {false false false}", "ValidationException"},
	} {
		t.Run(k.name, func(t *testing.T) {
			a := harbour()
			_, err := acting(t, a).targets.RegisterScalableTarget(context.Background(), k.in)
			g := a.find(k.group)
			if got := fmt.Sprint(g.Min, g.Max, g.Desired, g.Hold); codeOf(err) != k.code || got != k.want {
				t.Errorf("%s, %v; want %s, %s", got, err, k.want, k.code)
			}
		})
	}
}

func TestScalableTargetsAndWhyTheyDidNotScale(t *testing.T) {
	a := harbour()
	a.find("orchard-web").Hold.In = true
	a.activities["orchard-web"] = []capacity.Activity{
		{ID: "2", Status: "Unfulfilled", Start: noon(), NotScaled: []capacity.NotScaled{{Code: "AlreadyAtMaxCapacity", Max: 12, Current: 12}}},
		{ID: "1", Status: "Successful", Start: noon(), End: noon(), Message: "Successfully set desired count to 12."},
	}
	c := acting(t, a).targets
	ctx := context.Background()
	out, err := c.DescribeScalableTargets(ctx, &aasdk.DescribeScalableTargetsInput{ServiceNamespace: "ecs", ResourceIds: []string{"service/pl-prod/orchard-web", "service/pl-prod/orchard-workers"}})
	if err != nil || len(out.ScalableTargets) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if x := out.ScalableTargets[0]; *x.MinCapacity != 5 || *x.MaxCapacity != 12 || !*x.SuspendedState.DynamicScalingInSuspended || *x.SuspendedState.DynamicScalingOutSuspended || !x.CreationTime.Equal(a.find("orchard-web").Created) {
		t.Errorf("%+v", x)
	}
	activities := func(all bool) []aastypes.ScalingActivity {
		out, err := c.DescribeScalingActivities(ctx, &aasdk.DescribeScalingActivitiesInput{ServiceNamespace: "ecs", ResourceId: ptr("service/pl-prod/orchard-web"), IncludeNotScaledActivities: &all})
		if err != nil {
			t.Fatal(err)
		}
		return out.ScalingActivities
	}
	if got := activities(false); len(got) != 1 || *got[0].ActivityId != "1" {
		t.Errorf("what was done: %+v", got)
	}
	if got := activities(true); len(got) != 2 || *got[0].NotScaledReasons[0].Code != "AlreadyAtMaxCapacity" || *got[0].NotScaledReasons[0].MaxCapacity != 12 || got[0].EndTime != nil {
		t.Errorf("and what was not: %+v", got)
	}
	others, err := c.DescribeScalableTargets(ctx, &aasdk.DescribeScalableTargetsInput{ServiceNamespace: "dynamodb"})
	if err != nil || len(others.ScalableTargets) != 0 {
		t.Errorf("of another service: %+v, %v", others, err)
	}
	_, err = c.DescribeScalableTargets(ctx, &aasdk.DescribeScalableTargetsInput{ServiceNamespace: "ecs", NextToken: ptr("made up")})
	if !refused[*aastypes.InvalidNextTokenException](err) {
		t.Errorf("a token that nobody gave: %v", err)
	}
	_, err = c.DescribeScalableTargets(ctx, &aasdk.DescribeScalableTargetsInput{ServiceNamespace: "shops"})
	if !refused[*aastypes.ValidationException](err) {
		t.Errorf("a namespace that is none: %v", err)
	}
}

func TestPlannedCapacityIsUpsertedAndRefusedAsByApplicationAutoScaling(t *testing.T) {
	a := harbour()
	c := acting(t, a).targets
	ctx := context.Background()
	put := func(change func(*aasdk.PutScheduledActionInput)) error {
		in := scheduledAction(ptr("service/pl-prod/orchard-web"), "ecs:service:DesiredCount", ptr("doors"))
		change(in)
		_, err := c.PutScheduledAction(ctx, in)
		return err
	}
	for _, k := range []struct {
		name   string
		change func(*aasdk.PutScheduledActionInput)
		code   string
	}{
		{"at a time", func(*aasdk.PutScheduledActionInput) {}, "none"},
		{"another maximum, the rest as it was", func(in *aasdk.PutScheduledActionInput) {
			in.Schedule, in.ScalableTargetAction = nil, &aastypes.ScalableTargetAction{MaxCapacity: n32(30)}
		}, "none"},
		{"in the past", func(in *aasdk.PutScheduledActionInput) { in.Schedule = ptr("at(2026-12-01T11:00:00)") }, "ValidationException"},
		{"at a time of a time zone that has not come", func(in *aasdk.PutScheduledActionInput) {
			in.Schedule, in.Timezone, in.ScheduledActionName = ptr("at(2026-12-01T11:00:00)"), ptr("America/New_York"), ptr("later")
		}, "none"},
		{"a schedule that is none", func(in *aasdk.PutScheduledActionInput) { in.Schedule = ptr("whenever(1)") }, "ValidationException"},
		{"a minimum above the maximum", func(in *aasdk.PutScheduledActionInput) {
			in.ScalableTargetAction = &aastypes.ScalableTargetAction{MinCapacity: n32(50), MaxCapacity: n32(2)}
		}, "ValidationException"},
		{"without a target", func(in *aasdk.PutScheduledActionInput) { in.ResourceId = ptr("service/pl-prod/orchard-workers") }, "ObjectNotFoundException"},
	} {
		if err := put(k.change); codeOf(err) != k.code {
			t.Errorf("%s: %v, want %s", k.name, err, k.code)
		}
	}
	out, err := c.DescribeScheduledActions(ctx, &aasdk.DescribeScheduledActionsInput{ServiceNamespace: "ecs", ScheduledActionNames: []string{"doors"}})
	if err != nil || len(out.ScheduledActions) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if x := out.ScheduledActions[0]; *x.Schedule != "at(2026-12-01T13:00:00)" || *x.ScalableTargetAction.MinCapacity != 8 || *x.ScalableTargetAction.MaxCapacity != 30 {
		t.Errorf("%+v", x)
	}
	if next := a.scheduled["orchard-web"][0].Next; !next.Equal(noon().Add(time.Hour)) && !next.Equal(noon().Add(4*time.Hour)) {
		t.Errorf("it is due at %s", next)
	}
	_, err = c.DeleteScheduledAction(ctx, &aasdk.DeleteScheduledActionInput{ServiceNamespace: "ecs", ResourceId: ptr("service/pl-prod/orchard-web"), ScalableDimension: "ecs:service:DesiredCount", ScheduledActionName: ptr("never")})
	if !refused[*aastypes.ObjectNotFoundException](err) {
		t.Errorf("one that is not there: %v", err)
	}
	a.contended = 1
	if err := put(func(*aasdk.PutScheduledActionInput) {}); !refused[*aastypes.ConcurrentUpdateException](err) {
		t.Errorf("another change going on: %v", err)
	}
}
