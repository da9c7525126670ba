package ecs

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
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func TestAServiceGivesItsTasksAndItsBounds(t *testing.T) {
	h := usual("web")
	b := newSource(t, serve(t, h), askAll("arena", "web")...).Read(t.Context(), noon())
	if got, want := lines(b), "arena/running 4\narena/desired 4\narena/pending 1\narena/min 2\narena/max 10"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, r := range b.Readings {
		if r.Unit != sale.Count || !r.At.Equal(r.FetchedAt) || r.At.Before(noon()) || !r.Valid() {
			t.Errorf("reading %+v", r)
		}
	}
	if asked := h.take(); !slices.Equal(asked, []string{"DescribeScalableTargets  1", "DescribeScalingActivities service/prod/web 0", "DescribeServices prod 1"}) || b.Calls != 3 {
		t.Errorf("%d calls: %q", b.Calls, asked)
	}
}

func TestWhatIsNotThereIsMissingAndNeverZero(t *testing.T) {
	h := usual("web", "old")
	delete(h.targets, "web")
	h.services["old"] = serviceJSON("old", object{"status": "INACTIVE", "desiredCount": 0, "runningCount": 0})
	h.failures["odd"] = "TEMPORARY"
	s := newSource(t, serve(t, h), ask("arena", "web", Running), ask("arena", "web", Min), ask("arena", "web", Max), ask("club", "gone", Running), ask("hall", "odd", Running), ask("barn", "old", Desired))
	b := s.Read(t.Context(), noon())
	want := strings.Join([]string{
		"arena/running 4",
		"arena/min not_found: no scalable target for service/prod/web",
		"arena/max not_found: no scalable target for service/prod/web",
		"club/running not_found: service gone in cluster prod: MISSING",
		"hall/running bad_data: service odd in cluster prod: TEMPORARY",
		"barn/desired not_found: service old in cluster prod was deleted (INACTIVE)",
	}, "\n")
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, m := range b.Missing {
		if m.Problem.Hint == "" {
			t.Errorf("no hint: %+v", m)
		}
	}
	h.change(func() { h.services["gone"] = serviceJSON("gone", nil) })
	if got := lines(s.Read(t.Context(), noon())); !strings.Contains(got, "club/running 4") {
		t.Errorf("once it is there:\n%s", got)
	}
}

func TestAClusterThatFailsLeavesTheOthersAlone(t *testing.T) {
	h := usual("web", "api")
	h.fails["DescribeServices test"] = "ClusterNotFoundException"
	other := ask("club", "api", Running)
	other.Cluster = "test"
	b := newSource(t, serve(t, h), ask("arena", "web", Running), other).Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 1 || len(b.Missing) != 1 || b.Missing[0].Problem.Class != sale.NotFound || !strings.Contains(b.Missing[0].Problem.Hint, "cluster's name") {
		t.Errorf("got\n%s", lines(b))
	}
}

func TestEitherOfTheTwoServicesMayFailAlone(t *testing.T) {
	h := usual("web")
	h.fails["DescribeScalableTargets"] = "AccessDeniedException"
	s := newSource(t, serve(t, h), askAll("arena", "web")...)
	b := s.Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 3 || len(b.Missing) != 2 || b.Missing[0].Problem.Hint != "allow application-autoscaling:DescribeScalableTargets to profile onsale-read" {
		t.Errorf("got\n%s\n%+v", lines(b), b.Missing)
	}
	if len(b.Warnings) != 1 || !strings.HasPrefix(b.Warnings[0], "web: scalable target can't be read: AccessDeniedException") {
		t.Errorf("warnings %q", b.Warnings)
	}
	h.change(func() {
		h.fails["DescribeScalableTargets"] = ""
		h.fails["DescribeServices"] = "AccessDeniedException"
	})
	b = s.Read(t.Context(), noon())
	if b.Problem != nil || len(b.Readings) != 2 || len(b.Missing) != 3 || b.Missing[0].Problem.Hint != "allow ecs:DescribeServices to profile onsale-read" {
		t.Errorf("got\n%s", lines(b))
	}
}

func TestCallsPerPollAreBoundedAndEveryServiceHasItsTurn(t *testing.T) {
	var names []string
	var queries []Query
	for i := range 64 {
		names = append(names, fmt.Sprintf("s%02d", i))
		q := ask("arena", names[i], Running)
		q.Signal = sale.Signal(names[i])
		if i >= 52 {
			q.Cluster = "other"
		}
		queries = append(queries, q)
	}
	h := usual(names...)
	s := newSource(t, serve(t, h), queries...)
	asked := map[string]int{}
	for poll := range 40 {
		b := s.Read(t.Context(), noon().Add(time.Duration(poll)*15*time.Second))
		if len(b.Readings) != 64 || b.Calls > 6+2+2+12 {
			t.Fatalf("poll %d: %d readings in %d calls", poll, len(b.Readings), b.Calls)
		}
		for _, a := range h.take() {
			var n int
			var what, of string
			_, _ = fmt.Sscanf(a, "%s %s %d", &what, &of, &n)
			if what == "DescribeServices" && n > 10 {
				t.Errorf("%s: ECS takes ten at most", a)
			}
			if what == "DescribeScalingActivities" {
				asked[of]++
			}
		}
	}
	if len(asked) != 64 {
		t.Errorf("%d of 64 services had a turn", len(asked))
	}
	for of, times := range asked {
		if times < 5 || times > 10 {
			t.Errorf("%s was asked %d times in ten minutes", of, times)
		}
	}
}

func TestDecisionsAreAskedForOnEveryPollWhileTasksAreMissing(t *testing.T) {
	h := usual("web")
	s := newSource(t, serve(t, h), ask("arena", "web", Running))
	decisions := func(from int) (n int) {
		for i := range 8 {
			s.Read(t.Context(), noon().Add(time.Duration(from+i)*15*time.Second))
			for _, a := range h.take() {
				if strings.HasPrefix(a, "DescribeScalingActivities") {
					n++
				}
			}
		}
		return n
	}
	if n := decisions(0); n != 2 {
		t.Errorf("in two quiet minutes: %d times", n)
	}
	h.change(func() { h.services["web"] = serviceJSON("web", object{"desiredCount": 6}) })
	if n := decisions(8); n != 8 {
		t.Errorf("while short: %d times in 8 polls", n)
	}
}

func TestAnExplanationThatCannotBeReadIsAWarningAndRests(t *testing.T) {
	h := usual("web", "api")
	h.fails["DescribeScalingActivities"] = "ThrottlingException"
	s := newSource(t, serve(t, h), ask("arena", "web", Running), ask("club", "api", Running))
	b := s.Read(t.Context(), noon())
	if len(b.Readings) != 2 || len(b.Warnings) != 1 || !strings.HasPrefix(b.Warnings[0], "2 services: scaling activities can't be read: ThrottlingException") {
		t.Errorf("got\n%s", lines(b))
	}
	h.take()
	if b = s.Read(t.Context(), noon().Add(50*time.Second)); b.Calls != 2 {
		t.Errorf("while AWS is throttling: %q", h.take())
	}
	if b = s.Read(t.Context(), noon().Add(90*time.Second)); b.Calls != 4 {
		t.Errorf("after a minute: %q", h.take())
	}
}

func TestServicesMayBeGivenByNameOrARN(t *testing.T) {
	const arn = "arn:aws:ecs:eu-central-1:123456789012:"
	s := newSource(t, "http://127.0.0.1:1",
		ask("a", "web", Running),
		Query{Key: sale.Key{Sale: "b", Signal: "x"}, Service: arn + "service/prod/web"},
		Query{Key: sale.Key{Sale: "c", Signal: "x"}, Service: arn + "service/web", Cluster: arn + "cluster/prod"},
		Query{Key: sale.Key{Sale: "d", Signal: "x"}, Service: "web"},
	)
	if len(s.services) != 2 || s.services[0].resource() != "service/prod/web" || s.services[1].resource() != "service/default/web" {
		t.Errorf("%d services", len(s.services))
	}
	want := sale.SourceInfo{Name: "tasks", Kind: "ecs", Every: 15 * time.Second, Cadence: sale.Cadence{Period: 15 * time.Second}, Gives: "2 services"}
	if got := s.Info(); got != want {
		t.Errorf("got %+v", got)
	}
}

func TestWhatCanBeNoServiceIsRefusedAtTheStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		query Query
		want  string
	}{
		{"no name", ask("arena", "", Running), "1 to 255 letters"},
		{"a blank", ask("arena", "my web", Running), "1 to 255 letters"},
		{"another field", ask("arena", "web", "tasks"), "the fields of a service are"},
		{"no sale", ask("", "web", Running), "needs a sale and a signal"},
		{"bounds without a client", ask("arena", "web", Max), "needs a client for Application Auto Scaling"},
		{"an ARN of something else", ask("arena", "arn:aws:ecs:eu-central-1:1:task/prod/web", Running), "an ARN of a service is"},
		{"another region", ask("arena", "arn:aws:ecs:us-east-1:1:service/prod/web", Running), "declare a source for us-east-1"},
		{"another cluster", ask("arena", "arn:aws:ecs:eu-central-1:1:service/test/web", Running), "in the cluster test, the query names prod"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Options{Name: "tasks", Region: "eu-central-1", API: NewClient(config(), "http://127.0.0.1:1", nil), Queries: []Query{c.query}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s …", err, c.want)
			}
		})
	}
	_, err := New(Options{Every: -1, Queries: []Query{ask("a", "x", Running), ask("a", "x", Running)}})
	for _, want := range []string{"needs a name", "no API client", "must not be negative", "declared twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// slow answers for services, panics over targets' second page and never explains.
type slow struct{}

func (slow) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput, _ ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	time.Sleep(time.Second)
	return &ecs.DescribeServicesOutput{Services: []types.Service{{ServiceName: aws.String(in.Services[0]), DesiredCount: 3, RunningCount: 3}}}, nil
}

func (slow) DescribeScalableTargets(_ context.Context, in *scaling.DescribeScalableTargetsInput, _ ...func(*scaling.Options)) (*scaling.DescribeScalableTargetsOutput, error) {
	if in.NextToken != nil {
		panic("the decoder's fault")
	}
	return &scaling.DescribeScalableTargetsOutput{
		NextToken: aws.String("more"),
		ScalableTargets: []sctypes.ScalableTarget{{
			ResourceId: aws.String(in.ResourceIds[0]), ScalableDimension: sctypes.ScalableDimensionECSServiceDesiredCount, MinCapacity: aws.Int32(1),
		}},
	}, nil
}

func (slow) DescribeScheduledActions(ctx context.Context, _ *scaling.DescribeScheduledActionsInput, _ ...func(*scaling.Options)) (*scaling.DescribeScheduledActionsOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (slow) DescribeScalingActivities(ctx context.Context, _ *scaling.DescribeScalingActivitiesInput, _ ...func(*scaling.Options)) (*scaling.DescribeScalingActivitiesOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCallsThatHangOrPanicDoNotCostTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{Name: "tasks", API: slow{}, Scaling: slow{}, Queries: []Query{ask("arena", "web", Desired), ask("arena", "web", Min), ask("club", "api", Min), ask("arena", "web", Max)}})
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
		if len(b.Readings) != 2 || b.Readings[0].At.Sub(started) != time.Second || len(b.Missing) != 2 || b.Missing[0].Problem.Class != sale.BadData {
			t.Errorf("got\n%s", lines(b))
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
	s := newSource(t, "http://127.0.0.1:1", ask("a", "web", Running))
	for _, c := range []struct {
		err   error
		class sale.Class
		hint  string
	}{
		{op("ECS", "DescribeServices", api("AccessDeniedException")), sale.Auth, "allow ecs:DescribeServices to profile onsale-read"},
		{op("Application Auto Scaling", "DescribeScalingActivities", api("AccessDeniedException")), sale.Auth, "allow application-autoscaling:DescribeScalingActivities"},
		{op("ECS", "DescribeServices", op("STS", "AssumeRole", api("AccessDenied"))), sale.Auth, "allow sts:AssumeRole"},
		{api("ExpiredTokenException"), sale.Auth, "aws sso login --profile onsale-read"},
		{api("RequestExpired"), sale.Auth, "clock"},
		{api("InvalidSignatureException"), sale.Auth, "clock"},
		{api("ThrottlingException"), sale.Throttled, "poll less often"},
		{api("ServerException"), sale.Failing, "AWS Health"},
		{api("InternalServiceException"), sale.Failing, "AWS Health"},
		{api("ClusterNotFoundException"), sale.NotFound, "cluster's name"},
		{api("InvalidParameterException"), sale.BadData, "names of the cluster"},
		{errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "a profile that has credentials"},
	} {
		p := s.problem(c.err)
		if p.Class != c.class || !strings.Contains(p.Hint, c.hint) || strings.Contains(p.Text, "SECRET") {
			t.Errorf("%v: %s (%s)", c.err, p.Error(), p.Hint)
		}
	}
}
