package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func TestAGroupGivesItsCapacityAndItsTargets(t *testing.T) {
	h := usual("web")
	h.set("DescribeAutoScalingGroups web", groupXML("web", balanced+"<WarmPoolConfiguration/><WarmPoolSize>3</WarmPoolSize>",
		instance("i-0", "InService", "Healthy"), instance("i-1", "InService", "HEALTHY"), instance("i-2", "InService", "Unhealthy"),
		instance("i-3", "Pending:Wait", "Healthy"), instance("i-4", "Terminating", "Unhealthy"), instance("i-5", "Warmed:Stopped", "Healthy"),
		instance("i-6", "Standby", "Healthy"), instance("i-7", "Terminated", "Unhealthy")))
	b := newSource(t, serve(t, h), askAll("arena", "web")...).Read(t.Context(), noon())
	want := "arena/in_service 2\narena/desired 4\narena/min 2\narena/max 10\narena/pending 1\narena/unhealthy 2\narena/warm 3\narena/healthy_targets 4\n"
	if got := lines(b); !strings.HasPrefix(got, want) || len(b.Missing) > 0 {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, r := range b.Readings {
		if r.Unit != sale.Count || !r.At.Equal(r.FetchedAt) || r.At.Before(noon()) || !r.Valid() {
			t.Errorf("reading %+v", r)
		}
	}
}

func TestWeightsAreSummedSoThatTheyCompareWithDesired(t *testing.T) {
	h := usual("web")
	weighted := func(id, state, weight string) string {
		return strings.Replace(instance(id, state, "Healthy"), "</member>", "<WeightedCapacity>"+weight+"</WeightedCapacity></member>", 1)
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", "", weighted("i-0", "InService", "4"), weighted("i-1", "Pending", "8")))
	s := newSource(t, serve(t, h), ask("arena", "web", InService), ask("arena", "web", Pending))
	if got := lines(s.Read(t.Context(), noon())); !strings.HasPrefix(got, "arena/in_service 4\narena/pending 8\n") || !strings.Contains(got, "weighted: web: capacity is counted in instance weights") {
		t.Errorf("got\n%s", got)
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", "", weighted("i-0", "InService", "much")))
	b := s.Read(t.Context(), noon())
	if len(b.Readings) > 0 || len(b.Missing) != 2 || b.Missing[0].Problem.Class != sale.BadData || !strings.Contains(b.Missing[0].Problem.Text, `"much"`) {
		t.Errorf("got\n%s", lines(b))
	}
}

func TestWhatAnAnswerDoesNotSayIsMissingAndNeverZero(t *testing.T) {
	h := usual("web")
	h.set("DescribeAutoScalingGroups", list("AutoScalingGroups", "<member><AutoScalingGroupName>web</AutoScalingGroupName><MinSize>-1</MinSize></member>"))
	b := newSource(t, serve(t, h), askAll("arena", "web")...).Read(t.Context(), noon())
	want := strings.Join([]string{
		"arena/in_service bad_data: the answer has no list of instances",
		"arena/desired bad_data: the answer has no DesiredCapacity",
		"arena/min bad_data: MinSize is -1",
		"arena/max bad_data: the answer has no MaxSize",
		"arena/pending bad_data: the answer has no list of instances",
		"arena/unhealthy bad_data: the answer has no list of instances",
		"arena/warm not_found: the group has no warm pool",
		"arena/healthy_targets not_found: the group has no target group",
	}, "\n")
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestATargetMustBeHealthyInEveryTargetGroupThatIsUsed(t *testing.T) {
	const other, idle = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/api/1", "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/idle/1"
	h := usual("web")
	h.set("DescribeAutoScalingGroups web", groupXML("web", "<TargetGroupARNs><member>"+arnWeb+"</member></TargetGroupARNs><TrafficSources><member><Identifier>"+arnWeb+"</Identifier><Type>elbv2</Type></member><member><Identifier>"+
		other+"</Identifier><Type>elbv2</Type></member><member><Identifier>"+idle+"</Identifier><Type>elbv2</Type></member></TrafficSources>"))
	h.set("DescribeTargetHealth "+other, list("TargetHealthDescriptions", targetXML("i-0", "healthy", "", ""), targetXML("i-0", "unhealthy", "Target.Timeout", ""),
		targetXML("i-1", "healthy", "", ""), targetXML("i-2", "healthy", "", ""), targetXML("i-2", "healthy", "", ""), targetXML("i-of-another-group", "healthy", "", "")))
	h.set("DescribeTargetHealth "+idle, list("TargetHealthDescriptions", targetXML("i-0", "unused", "Target.NotInUse", "Target group is not configured to receive traffic")))
	s := newSource(t, serve(t, h), ask("arena", "web", HealthyTargets))
	b := s.Read(t.Context(), noon())
	if got := lines(b); !strings.HasPrefix(got, "arena/healthy_targets 2\n") || !strings.Contains(got, "target group idle is used by no load balancer") {
		t.Errorf("got\n%s", got)
	}
	if asked := h.take(); len(asked) != 4+3 {
		t.Errorf("a target group that is listed twice is asked once: %q", asked)
	}
	h.fail("DescribeTargetHealth "+other, "TargetGroupNotFound")
	b = s.Read(t.Context(), noon().Add(15*time.Second))
	if len(b.Readings) > 0 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.NotFound || b.Problem != nil {
		t.Errorf("one that can't be read leaves it unknown: %s", lines(b))
	}
}

func TestAGroupThatIsNotThereIsMissingAndTheOthersAreNot(t *testing.T) {
	h := usual("web")
	s := newSource(t, serve(t, h), ask("arena", "web", InService), ask("club", "gone", InService))
	b := s.Read(t.Context(), noon())
	if got := lines(b); got != "arena/in_service 4\nclub/in_service not_found: no Auto Scaling group gone in eu-central-1\n"+
		"note arena warm_pool: web: the warm pool holds 3 (Stopped), 0 ready, 0 being made; raising max launches more of them" {
		t.Errorf("got\n%s", got)
	}
	h.set("DescribeAutoScalingGroups gone", groupXML("gone", ""))
	if got := lines(s.Read(t.Context(), noon())); !strings.Contains(got, "club/in_service 4") {
		t.Errorf("once it is there:\n%s", got)
	}
	b = newSource(t, serve(t, usual()), ask("club", "gone", InService)).Read(t.Context(), noon())
	if b.Problem != nil || len(b.Missing) != 1 {
		t.Errorf("the only group is not there, which is no trouble of the source: %s", lines(b))
	}
}

func TestAnExplanationThatCannotBeReadIsAWarningWithThePermission(t *testing.T) {
	h := usual("web", "api")
	h.fail("DescribeScalingActivities", "AccessDenied")
	h.fail("DescribeInstanceRefreshes api", "ValidationError")
	s := newSource(t, serve(t, h), ask("arena", "web", InService), ask("club", "api", InService))
	b := s.Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 2 || len(b.Warnings) != 2 {
		t.Fatalf("got\n%s", lines(b))
	}
	if want := "scaling activities of 2 groups can't be read: AccessDenied: AccessDenied; allow autoscaling:DescribeScalingActivities on all resources to profile onsale-read"; b.Warnings[0] != want {
		t.Errorf("got  %s\nwant %s", b.Warnings[0], want)
	}
	// A refused permission is not asked for again at once.
	h.take()
	s.Read(t.Context(), noon().Add(2*time.Minute))
	if asked := h.take(); slices.Contains(asked, "DescribeScalingActivities web") {
		t.Errorf("asked %q", asked)
	}
	for _, later := range []time.Duration{6 * time.Minute, 6*time.Minute + DefaultEvery} { // not all that has waited alike fits into one poll
		s.Read(t.Context(), noon().Add(later))
	}
	if asked := h.take(); !slices.Contains(asked, "DescribeScalingActivities web") {
		t.Errorf("after five minutes: asked %q", asked)
	}
}

func TestHealthyTargetsWithoutPermissionAreMissingAndSayWhichPermission(t *testing.T) {
	h := usual("web")
	h.fail("DescribeTargetHealth", "AccessDenied")
	b := newSource(t, serve(t, h), ask("arena", "web", InService), ask("arena", "web", HealthyTargets)).Read(t.Context(), noon())
	if len(b.Readings) != 1 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.Auth ||
		b.Missing[0].Problem.Hint != "allow elasticloadbalancing:DescribeTargetHealth on all resources to profile onsale-read" {
		t.Errorf("got %+v", b.Missing)
	}
}

func TestExplanationsRestWhileAWSIsThrottling(t *testing.T) {
	h := usual("web")
	h.fail("DescribeScalingActivities", "Throttling")
	s := newSource(t, serve(t, h), ask("arena", "web", InService), ask("arena", "web", HealthyTargets))
	s.Read(t.Context(), noon())
	h.take()
	b := s.Read(t.Context(), noon().Add(45*time.Second))
	if asked := h.take(); len(asked) != 2 || b.Calls != 2 || len(b.Readings) != 2 {
		t.Errorf("asked %q", asked)
	}
	s.Read(t.Context(), noon().Add(70*time.Second))
	if asked := h.take(); !slices.Contains(asked, "DescribeScalingActivities web") {
		t.Errorf("after a minute: asked %q", asked)
	}
}

func TestCallsPerPollAreBoundedAndEverythingHasItsTurn(t *testing.T) {
	var names []string
	var queries []Query
	for i := range 120 {
		names = append(names, fmt.Sprintf("g%03d", i))
		queries = append(queries, ask("arena", names[i], InService))
		queries[i].Signal = sale.Signal(names[i])
	}
	h := usual(names...)
	s := newSource(t, serve(t, h), queries...)
	asked := map[string]int{}
	const polls = 60
	for poll := range polls {
		b := s.Read(t.Context(), noon().Add(time.Duration(poll)*15*time.Second))
		if len(b.Readings) != 120 || b.Calls > 3+24 {
			t.Fatalf("poll %d: %d readings in %d calls", poll, len(b.Readings), b.Calls)
		}
		for _, a := range h.take() {
			if action, _, _ := strings.Cut(a, " "); action != "DescribeAutoScalingGroups" && action != "DescribeTargetHealth" {
				asked[a]++
			}
		}
	}
	if len(asked) != 4*120 {
		t.Errorf("%d of 480 explanations had a turn", len(asked))
	}
	for what, times := range asked {
		if times > 6 {
			t.Errorf("%s was asked %d times in %d polls", what, times, polls)
		}
	}
}

func TestActivitiesAreAskedForOnEveryPollWhileCapacityIsShort(t *testing.T) {
	h := usual("web")
	s := newSource(t, serve(t, h), ask("arena", "web", InService))
	polls := func(from, n int) (activities, all int) {
		for i := range n {
			s.Read(t.Context(), noon().Add(time.Duration(from+i)*15*time.Second))
			for _, a := range h.take() {
				all++
				if a == "DescribeScalingActivities web" {
					activities++
				}
			}
		}
		return activities, all
	}
	if n, all := polls(0, 8); n != 2 || all > 8+2+2+2+1+4 {
		t.Errorf("in two quiet minutes: %d times, %d calls in all", n, all)
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", "<DesiredCapacity>9</DesiredCapacity><MaxSize>9</MaxSize><MinSize>1</MinSize>"))
	if n, _ := polls(8, 8); n != 8 {
		t.Errorf("while short: %d times in 8 polls", n)
	}
}

func TestWhatCanBeNoGroupIsRefusedAtTheStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		query Query
		want  string
	}{
		{"a name", ask("arena", "web prod/1", InService), ""},
		{"an ARN", ask("arena", "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:7f:autoScalingGroupName/web:blue", InService), ""},
		{"no field", Query{Key: sale.Key{Sale: "arena", Signal: "capacity_in_service"}, Group: "web"}, ""},
		{"no name", ask("arena", "", InService), "1 to 255 characters"},
		{"a name too long", ask("arena", strings.Repeat("x", 256), InService), "1 to 255 characters"},
		{"a control character", ask("arena", "web\x1b", InService), "control character"},
		{"another field", ask("arena", "web", "size"), "the fields of a group are"},
		{"no sale", ask("", "web", InService), "needs a sale and a signal"},
		{"an ARN of something else", ask("arena", "arn:aws:ecs:eu-central-1:1:service/x/y", InService), "an ARN of a group is"},
		{"another region", ask("arena", "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:7f:autoScalingGroupName/web", InService), "declare a source for us-east-1"},
		{"targets without a client", ask("arena", "web", HealthyTargets), "needs a client for the load balancers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Options{Name: "fleet", Region: "eu-central-1", API: NewClient(config(), "http://127.0.0.1:1", nil), Queries: []Query{c.query}})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
	_, err := New(Options{Every: -1, Queries: []Query{ask("a", "x", Min), ask("a", "x", Min)}})
	for _, want := range []string{"needs a name", "no API client", "must not be negative", "declared twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestInfoDescribesTheSource(t *testing.T) {
	s := newSource(t, "http://127.0.0.1:1", ask("a", "x", Min), ask("b", "x", Min), ask("c", "y", Max))
	want := sale.SourceInfo{Name: "fleet", Kind: "autoscaling", Every: 15 * time.Second, Cadence: sale.Cadence{Period: 15 * time.Second}, Gives: "2 groups"}
	if got := s.Info(); got != want {
		t.Errorf("got %+v", got)
	}
}

// slow is an API whose explanations never come.
type slow struct {
	API
}

func (slow) DescribeAutoScalingGroups(_ context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	time.Sleep(time.Second)
	return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{{
		AutoScalingGroupName: aws.String(in.AutoScalingGroupNames[0]), DesiredCapacity: aws.Int32(3), Instances: []types.Instance{},
	}}}, nil
}

func (slow) DescribeScalingActivities(ctx context.Context, _ *autoscaling.DescribeScalingActivitiesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (slow) DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	panic("the decoder's fault")
}

func (slow) DescribeScheduledActions(context.Context, *autoscaling.DescribeScheduledActionsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScheduledActionsOutput, error) {
	return &autoscaling.DescribeScheduledActionsOutput{}, nil
}

func TestExplanationsThatHangOrPanicDoNotCostTheFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Name: "fleet", Region: "eu-central-1", API: slow{}, Queries: []Query{ask("arena", "web", Desired), ask("arena", "web", InService)}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		started := time.Now()
		b := s.Read(ctx, started)
		if took := time.Since(started); took >= 10*time.Second || took < 9*time.Second {
			t.Errorf("took %s", took)
		}
		if len(b.Readings) != 2 || len(b.Warnings) != 2 || b.Readings[0].At.Sub(started) != time.Second {
			t.Errorf("got %+v\n%s", b.Readings, lines(b))
		}
	})
}

func TestEachFailureSaysHowToMendIt(t *testing.T) {
	op := func(service, name string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: name, Err: err}
	}
	api := func(code string) error {
		return &smithy.GenericAPIError{Code: code, Message: "m\nThe Canonical String SECRET"}
	}
	s := newSource(t, "http://127.0.0.1:1", ask("a", "web", Min))
	for _, c := range []struct {
		err   error
		class sale.Class
		hint  string
	}{
		{op("Auto Scaling", "DescribeAutoScalingGroups", api("AccessDenied")), sale.Auth, "allow autoscaling:DescribeAutoScalingGroups on all resources to profile onsale-read"},
		{op("Elastic Load Balancing v2", "DescribeTargetHealth", api("AccessDenied")), sale.Auth, "allow elasticloadbalancing:DescribeTargetHealth on"},
		{op("Auto Scaling", "DescribeWarmPool", op("STS", "AssumeRole", api("AccessDenied"))), sale.Auth, "allow sts:AssumeRole"},
		{api("UnauthorizedOperation"), sale.Auth, "allow autoscaling:DescribeAutoScalingGroups"},
		{api("ExpiredToken"), sale.Auth, "aws sso login --profile onsale-read"},
		{api("RequestExpired"), sale.Auth, "clock"},
		{api("SignatureDoesNotMatch"), sale.Auth, "clock"},
		{api("Throttling"), sale.Throttled, "poll less often"},
		{api("InternalFailure"), sale.Failing, "AWS Health"},
		{api("TargetGroupNotFound"), sale.NotFound, "take it off the group"},
		{api("ValidationError"), sale.BadData, "name in the config"},
		{errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "a profile that has credentials"},
	} {
		p := s.problem(c.err)
		if p.Class != c.class || !strings.Contains(p.Hint, c.hint) || strings.Contains(p.Text, "SECRET") {
			t.Errorf("%v: %s (%s)", c.err, p.Error(), p.Hint)
		}
	}
}
