package aws

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elbsdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

func n32(n int) *int32 { return ptr(int32(n)) }

func TestAGroupIsDescribedInFull(t *testing.T) {
	a := harbour()
	g := &a.groups[0]
	g.Suspended = []capacity.Process{{Name: "Launch", Reason: "User suspended at 2026-12-01T11:00:00Z"}}
	g.HasPool, g.WarmPool = true, []capacity.Unit{{ID: "i-warm", State: capacity.Warm}, {ID: "i-warming", State: capacity.Pending}}
	g.Units[0].Failing = true
	g.Units = append(g.Units, capacity.Unit{ID: "i-leaves", State: capacity.Terminating, Health: capacity.Draining})
	g.Refresh = &capacity.Refresh{ID: "r1", Status: "InProgress", Percent: 40, Left: 3, Start: noon()}
	c := acting(t, a).groups
	ctx := context.Background()
	out, err := c.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"harbour-web", "nowhere"}})
	if err != nil || len(out.AutoScalingGroups) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	x := out.AutoScalingGroups[0]
	states := map[string]int{}
	for _, i := range x.Instances {
		states[string(i.LifecycleState)+" "+*i.HealthStatus]++
	}
	got := fmt.Sprint(*x.MinSize, *x.MaxSize, *x.DesiredCapacity, len(x.AvailabilityZones), *x.DefaultCooldown, x.TargetGroupARNs, *x.SuspendedProcesses[0].ProcessName, x.WarmPoolConfiguration.PoolState, *x.WarmPoolSize, states, x.CreatedTime.Equal(g.Created))
	want := fmt.Sprint(4, 12, 4, 3, 300, []string{targetGroupARN(testRegion, "harbour-web")}, "Launch", "Stopped", 2, map[string]int{"InService Healthy": 2, "InService Unhealthy": 1, "Pending Healthy": 1, "Terminating Healthy": 1}, true)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	none, err := c.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		IncludeInstances: awssdk.Bool(false), Filters: []astypes.Filter{{Name: ptr("tag:sale"), Values: []string{"harbour", "quarry"}}, {Name: ptr("tag-key"), Values: []string{"role"}}},
	})
	if err != nil || len(none.AutoScalingGroups) != 1 || len(none.AutoScalingGroups[0].Instances) != 0 {
		t.Errorf("by its tag, without instances: %+v, %v", none, err)
	}
	pool, err := c.DescribeWarmPool(ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: ptr("harbour-web")})
	if err != nil || len(pool.Instances) != 2 || pool.Instances[0].LifecycleState != "Warmed:Stopped" || pool.Instances[1].LifecycleState != "Warmed:Pending" || pool.WarmPoolConfiguration == nil {
		t.Errorf("the warm pool: %+v, %v", pool, err)
	}
	refreshes, err := c.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: ptr("harbour-web")})
	if err != nil || len(refreshes.InstanceRefreshes) != 1 || refreshes.InstanceRefreshes[0].Status != "InProgress" || *refreshes.InstanceRefreshes[0].PercentageComplete != 40 || *refreshes.InstanceRefreshes[0].InstancesToUpdate != 3 {
		t.Errorf("the refreshes: %+v, %v", refreshes, err)
	}
}

func TestPagesOfAutoScalingHoldEverythingOnce(t *testing.T) {
	a := harbour()
	for i := range 7 {
		a.activities["harbour-web"] = append(a.activities["harbour-web"], capacity.Activity{ID: fmt.Sprint("a", i), Status: "Successful", Start: noon().Add(-time.Duration(i) * time.Minute), End: noon()})
	}
	a.activities["harbour-web"][0].Status, a.activities["harbour-web"][0].End = "InProgress", time.Time{}
	c := acting(t, a).groups
	var seen []string
	p := autoscaling.NewDescribeScalingActivitiesPaginator(c, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: ptr("harbour-web"), MaxRecords: n32(3)})
	for p.HasMorePages() {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range out.Activities {
			seen = append(seen, *x.ActivityId)
		}
	}
	if got := strings.Join(seen, " "); got != "a0 a1 a2 a3 a4 a5 a6" {
		t.Errorf("the pages hold %s", got)
	}
	out, err := c.DescribeScalingActivities(context.Background(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: ptr("harbour-web"), Filters: []astypes.Filter{
		{Name: ptr("StartTimeLowerBound"), Values: []string{noon().Add(-4 * time.Minute).Format(time.RFC3339)}}, {Name: ptr("Status"), Values: []string{"Successful"}},
	}})
	if err != nil || len(out.Activities) != 4 {
		t.Errorf("filtered: %d, %v", len(out.Activities), err)
	}
	_, err = c.DescribeAutoScalingGroups(context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{NextToken: ptr("made up")})
	if !refused[*astypes.InvalidNextToken](err) {
		t.Errorf("a token that nobody gave: %v", err)
	}
}

func TestUpdateMovesTheSizeIntoTheBoundsAsAWSDoes(t *testing.T) {
	for _, k := range []struct {
		name            string
		least, most, to *int32
		want, code      string
	}{
		{"a minimum above the size raises it", n32(6), nil, nil, "6 12 6", "none"},
		{"a maximum below the size lowers it", n32(1), n32(3), nil, "1 3 3", "none"},
		{"all three", n32(5), n32(20), n32(9), "5 20 9", "none"},
		{"nothing", nil, nil, nil, "4 12 4", "none"},
		{"the same again", n32(4), n32(12), n32(4), "4 12 4", "none"},
		{"a size above the maximum", nil, nil, n32(13), "4 12 4", "ValidationError"},
		{"a size below the minimum", nil, nil, n32(3), "4 12 4", "ValidationError"},
		{"a minimum above the maximum", n32(13), nil, nil, "4 12 4", "ValidationError"},
		{"a negative minimum", n32(-1), nil, nil, "4 12 4", "ValidationError"},
	} {
		t.Run(k.name, func(t *testing.T) {
			a := harbour()
			_, err := acting(t, a).groups.UpdateAutoScalingGroup(context.Background(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: ptr("harbour-web"), MinSize: k.least, MaxSize: k.most, DesiredCapacity: k.to})
			g := a.groups[0]
			if got := fmt.Sprint(g.Min, g.Max, g.Desired); codeOf(err) != k.code || got != k.want {
				t.Errorf("%s, %v; want %s, %s", got, err, k.want, k.code)
			}
		})
	}
}

func TestWhatCanNotBeDoneIsRefusedInTheWordsOfAutoScaling(t *testing.T) {
	ctx := context.Background()
	put := func(name, at string, change func(*autoscaling.PutScheduledUpdateGroupActionInput)) func(*autoscaling.Client) error {
		return func(c *autoscaling.Client) error {
			in := &autoscaling.PutScheduledUpdateGroupActionInput{AutoScalingGroupName: ptr("harbour-web"), ScheduledActionName: &name, MinSize: n32(6)}
			if at != "" {
				when, err := time.Parse(time.RFC3339, at)
				if err != nil {
					return err
				}
				in.StartTime = &when
			}
			if change != nil {
				change(in)
			}
			_, err := c.PutScheduledUpdateGroupAction(ctx, in)
			return err
		}
	}
	desire := func(n int, honor bool) func(*autoscaling.Client) error {
		return func(c *autoscaling.Client) error {
			_, err := c.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: ptr("harbour-web"), DesiredCapacity: n32(n), HonorCooldown: &honor})
			return err
		}
	}
	for _, k := range []struct {
		name    string
		prepare func(a *actors)
		do      func(c *autoscaling.Client) error
		code    string
		text    string
	}{
		{"a size above the maximum", nil, desire(13, false), "ValidationError", "New SetDesiredCapacity value 13 is above max value 12 for the AutoScalingGroup."},
		{"a size below the minimum", nil, desire(3, false), "ValidationError", "New SetDesiredCapacity value 3 is below min value 4 for the AutoScalingGroup."},
		{"in its cooldown", func(a *actors) { a.groups[0].Cooling = true }, desire(6, true), "ScalingActivityInProgress", "cooldown"},
		{"in its cooldown, which is not honoured", func(a *actors) { a.groups[0].Cooling = true }, desire(6, false), "none", ""},
		{"another change going on", func(a *actors) { a.contended = 1 }, desire(6, false), "ResourceContention", "pending update"},
		{"a planned change in the past", nil, put("a", "2026-12-01T11:59:59Z", nil), "ValidationError", "Given start time is in the past"},
		{"a planned change without a time", nil, put("a", "", nil), "ValidationError", "StartTime or Recurrence"},
		{"a planned change of nothing", nil, put("a", "2026-12-01T13:00:00Z", func(in *autoscaling.PutScheduledUpdateGroupActionInput) { in.MinSize = nil }), "ValidationError", "At least one"},
		{"a planned minimum above the maximum", nil, put("a", "2026-12-01T13:00:00Z", func(in *autoscaling.PutScheduledUpdateGroupActionInput) { in.MaxSize = n32(5) }), "ValidationError", "Max bound"},
		{"an unknown time zone", nil, put("a", "", func(in *autoscaling.PutScheduledUpdateGroupActionInput) {
			in.Recurrence, in.TimeZone = ptr("0 9 * * MON-FRI"), ptr("Europe/Nowhere")
		}), "ValidationError", "Invalid TimeZone"},
		{"a recurrence that is none", nil, put("a", "", func(in *autoscaling.PutScheduledUpdateGroupActionInput) { in.Recurrence = ptr("every day") }), "ValidationError", "five or six fields"},
		{"two planned changes at one time", func(a *actors) {
			a.scheduled["harbour-web"] = []capacity.Scheduled{{Name: "b", Next: noon().Add(time.Hour)}}
		}, put("a", "2026-12-01T13:00:00Z", nil), "AlreadyExists", ""},
		{"the same planned change again", func(a *actors) {
			a.scheduled["harbour-web"] = []capacity.Scheduled{{Name: "a", Next: noon().Add(time.Hour)}}
		}, put("a", "2026-12-01T13:00:00Z", nil), "none", ""},
		{"one planned change too many", func(a *actors) {
			for i := range maxScheduled {
				a.scheduled["harbour-web"] = append(a.scheduled["harbour-web"], capacity.Scheduled{Name: fmt.Sprint(i), Next: noon().Add(time.Duration(i+2) * time.Hour)})
			}
		}, put("a", "2026-12-01T13:00:00Z", nil), "LimitExceeded", "125"},
		{"a group of tasks", nil, func(c *autoscaling.Client) error {
			_, err := c.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: ptr("orchard-web")})
			return err
		}, "ValidationError", "not found"},
		{"a planned change that is not there", nil, func(c *autoscaling.Client) error {
			_, err := c.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: ptr("harbour-web"), ScheduledActionName: ptr("x")})
			return err
		}, "ValidationError", "Scheduled action name not found"},
	} {
		t.Run(k.name, func(t *testing.T) {
			a := harbour()
			if k.prepare != nil {
				k.prepare(a)
			}
			err := k.do(acting(t, a).groups)
			if codeOf(err) != k.code || err != nil && !strings.Contains(err.Error(), k.text) {
				t.Errorf("got %v, want %s %q", err, k.code, k.text)
			}
			typed := map[string]bool{
				"ScalingActivityInProgress": refused[*astypes.ScalingActivityInProgressFault](err), "ResourceContention": refused[*astypes.ResourceContentionFault](err),
				"AlreadyExists": refused[*astypes.AlreadyExistsFault](err), "LimitExceeded": refused[*astypes.LimitExceededFault](err),
			}
			if is, modelled := typed[k.code]; modelled && !is {
				t.Errorf("%v is not of its type", err)
			}
		})
	}
}

func TestAPlannedChangeIsDescribedAsItWasPut(t *testing.T) {
	a := harbour()
	c := acting(t, a).groups
	ctx := context.Background()
	for _, in := range []*autoscaling.PutScheduledUpdateGroupActionInput{
		{ScheduledActionName: ptr("doors"), StartTime: ptr(noon().Add(time.Hour)), MinSize: n32(8), MaxSize: n32(20)},
		{ScheduledActionName: ptr("weekdays"), Recurrence: ptr("30 9 * * MON-FRI"), TimeZone: ptr("Europe/Zagreb"), DesiredCapacity: n32(5)},
	} {
		in.AutoScalingGroupName = ptr("harbour-web")
		if _, err := c.PutScheduledUpdateGroupAction(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	out, err := c.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{AutoScalingGroupName: ptr("harbour-web")})
	if err != nil || len(out.ScheduledUpdateGroupActions) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	once, again := out.ScheduledUpdateGroupActions[0], out.ScheduledUpdateGroupActions[1]
	if !once.StartTime.Equal(noon().Add(time.Hour)) || *once.MinSize != 8 || *once.MaxSize != 20 || once.DesiredCapacity != nil || once.Recurrence != nil {
		t.Errorf("once: %+v", once)
	}
	if want := time.Date(2026, 12, 2, 8, 30, 0, 0, time.UTC); !again.StartTime.Equal(want) || *again.Recurrence != "30 9 * * MON-FRI" || *again.TimeZone != "Europe/Zagreb" || *again.DesiredCapacity != 5 {
		t.Errorf("again: %+v at %s", again, again.StartTime)
	}
	if a.by[0] != (capacity.Caller{Service: "autoscaling", Who: ActKey}) {
		t.Errorf("it was put by %v", a.by[0])
	}
}

func TestTargetsAreHealthyOnlyOnceTheBalancerSaysSo(t *testing.T) {
	a := harbour()
	a.groups[0].Units = []capacity.Unit{
		{ID: "i-1", State: capacity.InService, Health: capacity.Healthy},
		{ID: "i-2", State: capacity.InService, Health: capacity.Initial},
		{ID: "i-3", State: capacity.InService, Health: capacity.Unhealthy},
		{ID: "i-4", State: capacity.Terminating, Health: capacity.Draining},
		{ID: "i-5", State: capacity.Pending, Health: capacity.Unregistered},
	}
	c := acting(t, a).elb
	ctx := context.Background()
	health := func(in *elbsdk.DescribeTargetHealthInput) string {
		out, err := c.DescribeTargetHealth(ctx, in)
		if err != nil {
			return codeOf(err)
		}
		var all []string
		for _, x := range out.TargetHealthDescriptions {
			all = append(all, fmt.Sprint(*x.Target.Id, " ", x.TargetHealth.State, " ", x.TargetHealth.Reason))
		}
		return strings.Join(all, ", ")
	}
	arn := ptr(targetGroupARN(testRegion, "harbour-web"))
	if got := health(&elbsdk.DescribeTargetHealthInput{TargetGroupArn: arn}); got != "i-1 healthy , i-2 initial Elb.InitialHealthChecking, i-3 unhealthy Target.ResponseCodeMismatch, i-4 draining Target.DeregistrationInProgress" {
		t.Error(got)
	}
	if got := health(&elbsdk.DescribeTargetHealthInput{TargetGroupArn: arn, Targets: []elbtypes.TargetDescription{{Id: ptr("i-2"), Port: n32(8080)}, {Id: ptr("i-9")}}}); got != "i-2 initial Elb.InitialHealthChecking, i-9 unused Target.NotRegistered" {
		t.Error(got)
	}
	_, err := c.DescribeTargetHealth(ctx, &elbsdk.DescribeTargetHealthInput{TargetGroupArn: ptr(targetGroupARN(testRegion, "nowhere"))})
	if !refused[*elbtypes.TargetGroupNotFoundException](err) {
		t.Errorf("a group that is not there: %v", err)
	}
	groups, err := c.DescribeTargetGroups(ctx, &elbsdk.DescribeTargetGroupsInput{Names: []string{"harbour-web", "orchard-web"}})
	if err != nil || len(groups.TargetGroups) != 2 || groups.TargetGroups[0].TargetType != "instance" || groups.TargetGroups[1].TargetType != "ip" || *groups.TargetGroups[0].Matcher.HttpCode != "200" {
		t.Errorf("%+v, %v", groups, err)
	}
	var names []string
	p := elbsdk.NewDescribeTargetGroupsPaginator(c, &elbsdk.DescribeTargetGroupsInput{PageSize: n32(1)})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, *out.TargetGroups[0].TargetGroupName)
	}
	if got := strings.Join(names, " "); got != "harbour-web meadow-web orchard-web quarry-web" {
		t.Errorf("the pages hold %s", got)
	}
	_, err = c.DescribeTargetGroups(ctx, &elbsdk.DescribeTargetGroupsInput{Names: []string{"nowhere"}})
	if !refused[*elbtypes.TargetGroupNotFoundException](err) {
		t.Errorf("a name that is not there: %v", err)
	}
	_, err = c.DescribeTargetGroups(ctx, &elbsdk.DescribeTargetGroupsInput{LoadBalancerArn: ptr("arn:nowhere")})
	if !refused[*elbtypes.LoadBalancerNotFoundException](err) {
		t.Errorf("a balancer that is not there: %v", err)
	}
}

func TestAServiceThatActsInTroubleAnswersInItsOwnFormat(t *testing.T) {
	codes := map[string][2]string{
		AutoScaling: {"InternalFailure", "Throttling"}, ELBV2: {"InternalFailure", "Throttling"}, ECS: {"ServerException", "ThrottlingException"},
		ApplicationAutoScaling: {"InternalServiceException", "ThrottlingException"}, SSM: {"InternalServerError", "ThrottlingException"},
	}
	probe := map[string]string{AutoScaling: "DescribeAutoScalingGroups", ELBV2: "DescribeTargetHealth", ECS: "DescribeServices", ApplicationAutoScaling: "DescribeScalableTargets", SSM: "GetParameter"}
	for _, kind := range []string{FaultError, FaultThrottle, FaultGarbage} {
		urls := map[string]string{}
		for service := range codes {
			urls[service] = serve(t, Fault(service, kind)).URL
		}
		c := clientsAt(func(service string) string { return urls[service] }, keys(AccessKey, testSecret))
		for _, k := range everyCall() {
			if probe[k.service] != k.name {
				continue
			}
			err := k.do(c)
			switch kind {
			case FaultError:
				if codeOf(err) != codes[k.service][0] {
					t.Errorf("%s fails with %v", k.service, err)
				}
			case FaultThrottle:
				if codeOf(err) != codes[k.service][1] {
					t.Errorf("%s throttles with %v", k.service, err)
				}
			default:
				if err == nil || !strings.Contains(err.Error(), "deserialization failed") {
					t.Errorf("garbage of %s is taken for %v", k.service, err)
				}
			}
		}
	}
	if w := record(Fault(SSM, FaultError), http.MethodPost, "/", nil, nil); w.Code != 500 {
		t.Errorf("%d", w.Code)
	}
}
