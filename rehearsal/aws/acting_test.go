package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	ssmsdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/systems"
)

const actSecret = "another-secret-of-the-rehearsal"

// actors is capacity and a store that a test writes by hand.
type actors struct {
	groups     []capacity.Group
	activities map[string][]capacity.Activity
	scheduled  map[string][]capacity.Scheduled
	contended  int
	by         []capacity.Caller
	parameters map[string]systems.Parameter
	items      []systems.OpsItem
}

func ptr[T any](v T) *T { return &v }

func units(n int, state capacity.State, health capacity.Health) []capacity.Unit {
	var out []capacity.Unit
	for i := range n {
		out = append(out, capacity.Unit{
			ID: fmt.Sprintf("i-0%016d", i), Zone: "eu-central-1" + string("abc"[i%3]), Address: fmt.Sprintf("10.20.0.%d", 10+i), State: state, Health: health, Launched: noon().Add(-time.Hour),
		})
	}
	return out
}

// harbour is a platform with one group of instances, two services and a Deployment.
func harbour() *actors {
	group := func(sale, role string, kind capacity.Kind, scaler capacity.Scaler, desired int) capacity.Group {
		g := capacity.Group{
			Sale: sale, Name: sale + "-" + role, Role: role, Kind: kind, Scaler: scaler, Created: noon().Add(-72 * time.Hour), Min: desired, Max: 12, Desired: desired, LoadBalancer: "app/" + sale + "/1",
			Units: append(units(desired-1, capacity.InService, capacity.Healthy), units(1, capacity.Pending, capacity.Unregistered)...),
		}
		if role == "web" {
			g.TargetGroup = g.Name
		}
		g.Events = []capacity.Event{{ID: "e2", At: noon(), Message: "(service x) has reached a steady state."}, {ID: "e1", At: noon().Add(-time.Minute), Message: "before"}}
		return g
	}
	return &actors{
		groups: []capacity.Group{
			group("harbour", "web", capacity.Instances, capacity.Target, 4), group("meadow", "web", capacity.Instances, capacity.Target, 3),
			group("orchard", "web", capacity.Tasks, capacity.Target, 5), group("orchard", "workers", capacity.Tasks, capacity.None, 2),
			group("quarry", "web", capacity.Pods, capacity.HPA, 3),
		},
		activities: map[string][]capacity.Activity{}, scheduled: map[string][]capacity.Scheduled{}, parameters: map[string]systems.Parameter{},
	}
}

func (a *actors) Groups() []capacity.Group                    { return slices.Clone(a.groups) }
func (a *actors) Activities(group string) []capacity.Activity { return a.activities[group] }
func (a *actors) Scheduled(group string) []capacity.Scheduled {
	return slices.Clone(a.scheduled[group])
}

func (a *actors) open(group string, by capacity.Caller) (*capacity.Group, error) {
	a.by = append(a.by, by)
	i := slices.IndexFunc(a.groups, func(g capacity.Group) bool { return g.Name == group })
	switch {
	case i < 0:
		return nil, capacity.ErrNoGroup
	case a.contended > 0:
		a.contended--
		return nil, capacity.ErrContention
	}
	return &a.groups[i], nil
}

func (a *actors) Change(group string, by capacity.Caller, change func(g *capacity.Group) error) (capacity.Group, error) {
	g, err := a.open(group, by)
	if err != nil {
		return capacity.Group{}, err
	}
	next := *g
	if err := change(&next); err != nil {
		return capacity.Group{}, err
	}
	*g = next
	return next, nil
}

func (a *actors) Schedule(group string, by capacity.Caller, s capacity.Scheduled) error {
	if _, err := a.open(group, by); err != nil {
		return err
	}
	list := slices.DeleteFunc(slices.Clone(a.scheduled[group]), func(o capacity.Scheduled) bool { return o.Name == s.Name })
	a.scheduled[group] = append(list, s)
	return nil
}

func (a *actors) Unschedule(group string, by capacity.Caller, name string) (bool, error) {
	if _, err := a.open(group, by); err != nil {
		return false, err
	}
	had := len(a.scheduled[group])
	a.scheduled[group] = slices.DeleteFunc(a.scheduled[group], func(o capacity.Scheduled) bool { return o.Name == name })
	return len(a.scheduled[group]) < had, nil
}

func (a *actors) Parameter(name string) (systems.Parameter, bool) {
	p, ok := a.parameters[name]
	return p, ok
}

func (a *actors) PutParameter(name, _ string, put func(p *systems.Parameter, exists bool) error) (systems.Parameter, error) {
	p, exists := a.parameters[name]
	p.Name = name
	if err := put(&p, exists); err != nil {
		return systems.Parameter{}, err
	}
	p.Version++
	p.Modified = noon()
	a.parameters[name] = p
	return p, nil
}

func (a *actors) OpsItems() []systems.OpsItem { return slices.Clone(a.items) }

func (a *actors) PutOpsItem(id, who string, put func(o *systems.OpsItem, all []systems.OpsItem) error) (systems.OpsItem, error) {
	i := slices.IndexFunc(a.items, func(o systems.OpsItem) bool { return o.ID == id })
	if id != "" && i < 0 {
		return systems.OpsItem{}, systems.ErrNoItem
	}
	o := systems.OpsItem{ID: fmt.Sprintf("oi-%012d", len(a.items)+1), CreatedBy: who, Created: noon()}
	if i >= 0 {
		o = a.items[i]
	}
	if err := put(&o, a.items); err != nil {
		return systems.OpsItem{}, err
	}
	o.ModifiedBy, o.Modified, o.Version = who, noon(), o.Version+1
	if i >= 0 {
		a.items[i] = o
	} else {
		a.items = append(a.items, o)
	}
	return o, nil
}

// clients are the real SDK clients of all services that act.
type clients struct {
	groups  *autoscaling.Client
	ecs     *ecssdk.Client
	targets *applicationautoscaling.Client
	elb     *elasticloadbalancingv2.Client
	ssm     *ssmsdk.Client
}

// signed is a handler and the name that requests to it are signed for.
type signed struct {
	name string
	http.Handler
}

// handlersOf serves what a test wrote, by the service's name.
func handlersOf(a *actors) map[string]signed {
	o := []Option{WithSecret(testSecret), WithActSecret(actSecret), WithServiceTime(0)}
	return map[string]signed{
		AutoScaling:            {"autoscaling", NewAutoScaling(testRegion, a, noon, o...)},
		ECS:                    {"ecs", NewECS(testRegion, a, o...)},
		ApplicationAutoScaling: {"application-autoscaling", NewApplicationAutoScaling(testRegion, a, noon, o...)},
		ELBV2:                  {"elasticloadbalancing", NewELBV2(testRegion, a, o...)},
		SSM:                    {"ssm", NewSSM(testRegion, a, o...)},
	}
}

func clientsAt(url func(service string) string, who awssdk.CredentialsProvider) clients {
	at := func(service string) *string { return ptr(url(service)) }
	return clients{
		groups:  autoscaling.New(autoscaling.Options{Region: testRegion, BaseEndpoint: at(AutoScaling), Credentials: who, RetryMaxAttempts: 1, HTTPClient: patient{}}),
		ecs:     ecssdk.New(ecssdk.Options{Region: testRegion, BaseEndpoint: at(ECS), Credentials: who, RetryMaxAttempts: 1, HTTPClient: patient{}}),
		targets: applicationautoscaling.New(applicationautoscaling.Options{Region: testRegion, BaseEndpoint: at(ApplicationAutoScaling), Credentials: who, RetryMaxAttempts: 1, HTTPClient: patient{}}),
		elb:     elasticloadbalancingv2.New(elasticloadbalancingv2.Options{Region: testRegion, BaseEndpoint: at(ELBV2), Credentials: who, RetryMaxAttempts: 1, HTTPClient: patient{}}),
		ssm:     ssmsdk.New(ssmsdk.Options{Region: testRegion, BaseEndpoint: at(SSM), Credentials: who, RetryMaxAttempts: 1, HTTPClient: patient{}}),
	}
}

// actingOn serves a and returns the clients of whoever holds a key.
func actingOn(t *testing.T, a *actors, key, secret string) clients {
	t.Helper()
	urls := map[string]string{}
	for service, h := range handlersOf(a) {
		urls[service] = serve(t, h).URL
	}
	return clientsAt(func(service string) string { return urls[service] }, keys(key, secret))
}

func acting(t *testing.T, a *actors) clients { return actingOn(t, a, ActKey, actSecret) }

func scheduledAction(id *string, dimension string, name *string) *applicationautoscaling.PutScheduledActionInput {
	return &applicationautoscaling.PutScheduledActionInput{
		ServiceNamespace: "ecs", ResourceId: id, ScalableDimension: aastypes.ScalableDimension(dimension), ScheduledActionName: name,
		Schedule: ptr("at(2026-12-01T13:00:00)"), ScalableTargetAction: &aastypes.ScalableTargetAction{MinCapacity: ptr(int32(8))},
	}
}

// call is one operation of one service with its real client.
type call struct {
	service, name string
	writes        bool
	do            func(c clients) error
}

// everyCall is one call of each operation that the services serve.
func everyCall() []call {
	ctx := context.Background()
	group, name := ptr("harbour-web"), ptr("doors")
	id, dimension := ptr("service/pl-prod/orchard-web"), "ecs:service:DesiredCount"
	e := func(_ any, err error) error { return err }
	return []call{
		{AutoScaling, "DescribeAutoScalingGroups", false, func(c clients) error {
			return e(c.groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))
		}},
		{AutoScaling, "DescribeScheduledActions", false, func(c clients) error {
			return e(c.groups.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{}))
		}},
		{AutoScaling, "DescribeScalingActivities", false, func(c clients) error {
			return e(c.groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{}))
		}},
		{AutoScaling, "DescribeInstanceRefreshes", false, func(c clients) error {
			return e(c.groups.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: group}))
		}},
		{AutoScaling, "DescribeWarmPool", false, func(c clients) error {
			return e(c.groups.DescribeWarmPool(ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: group}))
		}},
		{AutoScaling, "UpdateAutoScalingGroup", true, func(c clients) error {
			return e(c.groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: group, MinSize: ptr(int32(5))}))
		}},
		{AutoScaling, "SetDesiredCapacity", true, func(c clients) error {
			return e(c.groups.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: group, DesiredCapacity: ptr(int32(6))}))
		}},
		{AutoScaling, "PutScheduledUpdateGroupAction", true, func(c clients) error {
			return e(c.groups.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{AutoScalingGroupName: group, ScheduledActionName: name, StartTime: ptr(noon().Add(time.Hour)), MinSize: ptr(int32(8))}))
		}},
		{AutoScaling, "DeleteScheduledAction", true, func(c clients) error {
			return e(c.groups.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: group, ScheduledActionName: name}))
		}},
		{AutoScaling, "SuspendProcesses", true, func(c clients) error {
			return e(c.groups.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: group}))
		}},
		{AutoScaling, "ResumeProcesses", true, func(c clients) error {
			return e(c.groups.ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: group}))
		}},
		{ECS, "DescribeServices", false, func(c clients) error {
			return e(c.ecs.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Cluster: ptr("pl-prod"), Services: []string{"orchard-web"}}))
		}},
		{ECS, "UpdateService", true, func(c clients) error {
			return e(c.ecs.UpdateService(ctx, &ecssdk.UpdateServiceInput{Cluster: ptr("pl-prod"), Service: ptr("orchard-web"), DesiredCount: ptr(int32(6))}))
		}},
		{ApplicationAutoScaling, "DescribeScalableTargets", false, func(c clients) error {
			return e(c.targets.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: "ecs"}))
		}},
		{ApplicationAutoScaling, "DescribeScalingActivities", false, func(c clients) error {
			return e(c.targets.DescribeScalingActivities(ctx, &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: "ecs"}))
		}},
		{ApplicationAutoScaling, "DescribeScheduledActions", false, func(c clients) error {
			return e(c.targets.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{ServiceNamespace: "ecs"}))
		}},
		{ApplicationAutoScaling, "RegisterScalableTarget", true, func(c clients) error {
			return e(c.targets.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: "ecs", ResourceId: id, ScalableDimension: "ecs:service:DesiredCount", MinCapacity: ptr(int32(7))}))
		}},
		{ApplicationAutoScaling, "PutScheduledAction", true, func(c clients) error {
			return e(c.targets.PutScheduledAction(ctx, scheduledAction(id, dimension, name)))
		}},
		{ApplicationAutoScaling, "DeleteScheduledAction", true, func(c clients) error {
			return e(c.targets.DeleteScheduledAction(ctx, &applicationautoscaling.DeleteScheduledActionInput{ServiceNamespace: "ecs", ResourceId: id, ScalableDimension: "ecs:service:DesiredCount", ScheduledActionName: name}))
		}},
		{ELBV2, "DescribeTargetGroups", false, func(c clients) error {
			return e(c.elb.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{}))
		}},
		{ELBV2, "DescribeTargetHealth", false, func(c clients) error {
			return e(c.elb.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: ptr(targetGroupARN(testRegion, "harbour-web"))}))
		}},
		{SSM, "PutParameter", true, func(c clients) error {
			return e(c.ssm.PutParameter(ctx, &ssmsdk.PutParameterInput{Name: ptr("/shop/gate"), Value: ptr("open"), Type: "String"}))
		}},
		{SSM, "GetParameter", false, func(c clients) error {
			return e(c.ssm.GetParameter(ctx, &ssmsdk.GetParameterInput{Name: ptr("/shop/gate")}))
		}},
		{SSM, "CreateOpsItem", true, func(c clients) error {
			return e(c.ssm.CreateOpsItem(ctx, &ssmsdk.CreateOpsItemInput{Title: ptr("declines"), Description: ptr("5.8 %"), Source: ptr("onsale")}))
		}},
		{SSM, "UpdateOpsItem", true, func(c clients) error {
			return e(c.ssm.UpdateOpsItem(ctx, &ssmsdk.UpdateOpsItemInput{OpsItemId: ptr("oi-000000000001"), Status: "Resolved"}))
		}},
		{SSM, "DescribeOpsItems", false, func(c clients) error {
			return e(c.ssm.DescribeOpsItems(ctx, &ssmsdk.DescribeOpsItemsInput{}))
		}},
		{SSM, "GetOpsItem", false, func(c clients) error {
			return e(c.ssm.GetOpsItem(ctx, &ssmsdk.GetOpsItemInput{OpsItemId: ptr("oi-000000000001")}))
		}},
		{SSM, "DescribeOpsItems", false, func(c clients) error {
			return e(c.ssm.DescribeOpsItems(ctx, &ssmsdk.DescribeOpsItemsInput{OpsItemFilters: []ssmtypes.OpsItemFilter{{Key: "Status", Operator: "Equal", Values: []string{"Open"}}}}))
		}},
	}
}

func TestEveryOperationAnswersItsRealClient(t *testing.T) {
	c := acting(t, harbour())
	for _, k := range everyCall() {
		if err := k.do(c); err != nil {
			t.Errorf("%s of %s: %v", k.name, k.service, err)
		}
	}
}

func TestTheReadKeyReadsAndIsDeniedEveryWriteInTheProtocolsOwnForm(t *testing.T) {
	a := harbour()
	a.parameters["/shop/gate"] = systems.Parameter{Name: "/shop/gate", Value: "open", Kind: "String", DataType: "text", Version: 1}
	a.items = []systems.OpsItem{{ID: "oi-000000000001", Status: "Open"}}
	c := actingOn(t, a, AccessKey, testSecret)
	for _, k := range everyCall() {
		want := "none"
		if k.writes {
			want = map[string]string{AutoScaling: "AccessDenied"}[k.service]
			if want == "" {
				want = "AccessDeniedException"
			}
		}
		if err := k.do(c); codeOf(err) != want {
			t.Errorf("%s of %s: %v, want %s", k.name, k.service, err, want)
		}
	}
	if len(a.by) > 0 {
		t.Errorf("the model was asked by %v", a.by)
	}
}

func TestAWrongSecretOrAnUnknownKeyIsRefusedEverywhere(t *testing.T) {
	for _, k := range []struct{ key, secret, code string }{
		{ActKey, testSecret, "SignatureDoesNotMatch"}, {AccessKey, actSecret, "SignatureDoesNotMatch"}, {"AKIASOMEBODY", actSecret, "InvalidClientTokenId"},
	} {
		c := actingOn(t, harbour(), k.key, k.secret)
		for _, call := range everyCall() {
			want := k.code
			if json, _ := protocolOf(call.service); json == json11Protocol {
				want = map[string]string{"SignatureDoesNotMatch": "InvalidSignatureException", "InvalidClientTokenId": "UnrecognizedClientException"}[k.code]
			}
			if err := call.do(c); codeOf(err) != want {
				t.Errorf("%s of %s with %s: %v, want %s", call.name, call.service, k.key, err, want)
			}
		}
	}
}

// refused tells whether an error is of a modelled type.
func refused[E error](err error) bool {
	var typed E
	return errors.As(err, &typed)
}
