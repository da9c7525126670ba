package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

func alarmsFixture() []telemetry.Alarm {
	base := telemetry.Alarm{
		Since: noon().Add(-7 * time.Minute), Updated: noon().Add(-3*time.Minute + 250*time.Millisecond), Statistic: "Sum", Period: time.Minute,
		EvaluationPeriods: 3, DatapointsToAlarm: 2, Threshold: 12.5, Comparison: "GreaterThanThreshold", TreatMissing: "notBreaching",
	}
	made := func(name, state string, m telemetry.Metric) telemetry.Alarm {
		a := base
		a.Name, a.State, a.Metric, a.Reason, a.Description = name, state, m, "because of "+name, "about "+name
		return a
	}
	all := []telemetry.Alarm{
		made("harbour-5xx", telemetry.AlarmFiring, errorsOf),
		made("harbour-latency", telemetry.AlarmOK, latencies),
		made("meadow-latency", telemetry.AlarmInsufficient, key("AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", "app/meadow/2")),
	}
	all[1].Statistic, all[1].Description, all[1].TreatMissing, all[1].DatapointsToAlarm = "p99", "", "", 0
	return all
}

func alarmNames(out *cloudwatch.DescribeAlarmsOutput) string {
	var names []string
	for _, a := range out.MetricAlarms {
		names = append(names, *a.AlarmName)
	}
	return strings.Join(names, " ")
}

func TestDescribeAlarmsSelects(t *testing.T) {
	elsewhere := alarmsFixture()[0]
	elsewhere.Name, elsewhere.Metric.Region = "aaa", "us-east-1"
	c := cloudWatchOf(t, &platform{alarms: append(alarmsFixture(), elsewhere)})
	for _, k := range []struct {
		name string
		in   cloudwatch.DescribeAlarmsInput
		want string
	}{
		{"every alarm of the region", cloudwatch.DescribeAlarmsInput{}, "harbour-5xx harbour-latency meadow-latency"},
		{"by name", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"meadow-latency", "nowhere"}}, "meadow-latency"},
		{"by prefix", cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: awssdk.String("harbour-")}, "harbour-5xx harbour-latency"},
		{"by state", cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm}, "harbour-5xx"},
		{"by prefix and state", cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: awssdk.String("meadow"), StateValue: types.StateValueAlarm}, ""},
		{"metric alarms, named", cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm}}, "harbour-5xx harbour-latency meadow-latency"},
		{"composite alarms only, of which there is none", cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}, ""},
		{"by an action, which none has", cloudwatch.DescribeAlarmsInput{ActionPrefix: awssdk.String("arn:aws:sns")}, ""},
		{"children, which none has", cloudwatch.DescribeAlarmsInput{ChildrenOfAlarmName: awssdk.String("harbour-5xx")}, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			out, err := c.DescribeAlarms(context.Background(), &k.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := alarmNames(out); got != k.want || len(out.CompositeAlarms) != 0 {
				t.Errorf("got %q, want %q", got, k.want)
			}
		})
	}
}

func TestAnAlarmComesOutWhole(t *testing.T) {
	out, err := cloudWatchOf(t, &platform{alarms: alarmsFixture()}).DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		t.Fatal(err)
	}
	a := out.MetricAlarms[0]
	got := fmt.Sprint(*a.AlarmArn, *a.AlarmDescription, a.StateValue, *a.StateReason, *a.MetricName, *a.Namespace, *a.Dimensions[0].Name, *a.Dimensions[0].Value,
		a.Statistic, *a.Period, *a.EvaluationPeriods, *a.DatapointsToAlarm, *a.Threshold, a.ComparisonOperator, *a.TreatMissingData, *a.ActionsEnabled)
	want := "arn:aws:cloudwatch:eu-central-1:471122083344:alarm:harbour-5xxabout harbour-5xxALARMbecause of harbour-5xxHTTPCode_Target_5XX_CountAWS/ApplicationELBLoadBalancerapp/harbour/1Sum60 3 2 12.5GreaterThanThresholdnotBreachingtrue"
	if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !a.StateTransitionedTimestamp.Equal(noon().Add(-7*time.Minute)) || !a.StateUpdatedTimestamp.Equal(noon().Add(-3*time.Minute+250*time.Millisecond)) {
		t.Errorf("times %v %v", a.StateTransitionedTimestamp, a.StateUpdatedTimestamp)
	}
	if p := out.MetricAlarms[1]; *p.ExtendedStatistic != "p99" || p.Statistic != "" || p.AlarmDescription != nil || p.DatapointsToAlarm != nil {
		t.Errorf("the percentile alarm is %+v", p)
	}
}

func TestAlarmsComeInPages(t *testing.T) {
	c := cloudWatchOf(t, &platform{alarms: alarmsFixture()})
	var got []string
	for p := cloudwatch.NewDescribeAlarmsPaginator(c, &cloudwatch.DescribeAlarmsInput{MaxRecords: awssdk.Int32(2)}); p.HasMorePages(); {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, alarmNames(out))
	}
	if want := []string{"harbour-5xx harbour-latency", "meadow-latency"}; !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
}

func TestDescribeAlarmsRefuses(t *testing.T) {
	c := cloudWatchOf(t, &platform{alarms: alarmsFixture()})
	for _, k := range []struct {
		name string
		in   cloudwatch.DescribeAlarmsInput
		want string
	}{
		{"names and a prefix", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}, AlarmNamePrefix: awssdk.String("a")}, "mutually exclusive"},
		{"an unknown state", cloudwatch.DescribeAlarmsInput{StateValue: "BAD"}, "Value 'BAD' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"},
		{"an unknown type", cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"Loud"}}, "Value 'Loud' at 'alarmTypes'"},
		{"more than 100 at once", cloudwatch.DescribeAlarmsInput{MaxRecords: awssdk.Int32(101)}, "maxRecords"},
		{"more than 100 names", cloudwatch.DescribeAlarmsInput{AlarmNames: make([]string, 101)}, "size greater than 100"},
		{"children with a prefix", cloudwatch.DescribeAlarmsInput{ChildrenOfAlarmName: awssdk.String("a"), AlarmNamePrefix: awssdk.String("a")}, "can not be combined"},
	} {
		t.Run(k.name, func(t *testing.T) {
			_, err := c.DescribeAlarms(context.Background(), &k.in)
			if bad := (*types.ValidationException)(nil); !errors.As(err, &bad) || !strings.Contains(bad.ErrorMessage(), k.want) {
				t.Errorf("got %v, want %q", err, k.want)
			}
		})
	}
	_, err := c.DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{NextToken: awssdk.String("x")})
	if bad := (*types.InvalidNextToken)(nil); !errors.As(err, &bad) {
		t.Errorf("a wrong token gives %v", err)
	}
}

func TestListMetricsFilters(t *testing.T) {
	p := busy()
	p.minutes[key("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "orders")] = nil
	p.minutes[key("AWS/CloudFront", "5xxErrorRate", "DistributionId", "E1", "Region", "Global")] = counts(1)
	p.minutes[telemetry.Metric{Region: "us-east-1", Namespace: "AWS/CloudFront", Name: "elsewhere"}] = counts(1)
	c := cloudWatchOf(t, p)
	for _, k := range []struct {
		name string
		in   cloudwatch.ListMetricsInput
		want string
	}{
		{"everything in the region", cloudwatch.ListMetricsInput{}, "HTTPCode_Target_5XX_Count RequestCount TargetResponseTime 5xxErrorRate ApproximateAgeOfOldestMessage"},
		{"a namespace", cloudwatch.ListMetricsInput{Namespace: awssdk.String("AWS/SQS")}, "ApproximateAgeOfOldestMessage"},
		{"a name", cloudwatch.ListMetricsInput{MetricName: awssdk.String("RequestCount")}, "RequestCount"},
		{"a dimension with its value", cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: awssdk.String("Region"), Value: awssdk.String("Global")}}}, "5xxErrorRate"},
		{"a dimension by name", cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: awssdk.String("QueueName")}}}, "ApproximateAgeOfOldestMessage"},
		{"a dimension with another value", cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: awssdk.String("QueueName"), Value: awssdk.String("x")}}}, ""},
		{"what is active", cloudwatch.ListMetricsInput{Namespace: awssdk.String("AWS/SQS"), RecentlyActive: types.RecentlyActivePt3h}, ""},
		{"what is active and not silent", cloudwatch.ListMetricsInput{Namespace: awssdk.String("AWS/CloudFront"), RecentlyActive: types.RecentlyActivePt3h}, "5xxErrorRate"},
		{"another owner", cloudwatch.ListMetricsInput{OwningAccount: awssdk.String("999988887777"), IncludeLinkedAccounts: awssdk.Bool(true)}, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			out, err := c.ListMetrics(context.Background(), &k.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range out.Metrics {
				got = append(got, *m.MetricName)
			}
			if strings.Join(got, " ") != k.want {
				t.Errorf("got %q, want %q", got, k.want)
			}
		})
	}
	_, err := c.ListMetrics(context.Background(), &cloudwatch.ListMetricsInput{RecentlyActive: "PT1H"})
	if bad := (*types.InvalidParameterValueException)(nil); !errors.As(err, &bad) || bad.ErrorCode() != "InvalidParameterValue" {
		t.Errorf("PT1H gives %v", err)
	}
}

func TestListMetricsComesInPagesOf500(t *testing.T) {
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{}}
	for i := range 1201 {
		p.minutes[key("Shop", fmt.Sprintf("M%04d", i))] = nil
	}
	var sizes []int
	seen := map[string]bool{}
	for pages := cloudwatch.NewListMetricsPaginator(cloudWatchOf(t, p), &cloudwatch.ListMetricsInput{IncludeLinkedAccounts: awssdk.Bool(true)}); pages.HasMorePages(); {
		out, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.Metrics))
		for _, m := range out.Metrics {
			seen[*m.MetricName] = true
		}
		if len(out.OwningAccounts) != len(out.Metrics) || out.OwningAccounts[0] != telemetry.Account {
			t.Errorf("%d owners of %d metrics", len(out.OwningAccounts), len(out.Metrics))
		}
	}
	if !slices.Equal(sizes, []int{500, 500, 201}) || len(seen) != 1201 {
		t.Errorf("pages of %v, %d metrics", sizes, len(seen))
	}
}

func TestNothingIsMutedOnThePlatform(t *testing.T) {
	client := cloudWatchOf(t, &platform{alarms: alarmsFixture()})
	out, err := client.ListAlarmMuteRules(t.Context(), &cloudwatch.ListAlarmMuteRulesInput{Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive}})
	if err != nil || len(out.AlarmMuteRuleSummaries) != 0 {
		t.Errorf("the mute rules are %+v (%v), want none", out, err)
	}
}

// grouped is the platform with a composite alarm and two mute rules.
type grouped struct{ *platform }

func (grouped) Composites(string) []telemetry.Composite {
	return []telemetry.Composite{{Name: "harbour-all", Children: []string{"harbour-5xx", "harbour-latency"}, State: telemetry.AlarmFiring, Since: noon().Add(-time.Minute), Reason: "a child is in ALARM"}}
}

func (grouped) Mutes(string) []telemetry.Mute {
	return []telemetry.Mute{
		{Name: "night", Alarms: []string{"harbour-5xx"}, Active: true, Expires: noon().Add(time.Hour)},
		{Name: "old", Alarms: []string{"meadow-latency"}},
	}
}

func TestACompositeAlarmAndAnActiveMuteRuleComeOverTheWire(t *testing.T) {
	p := grouped{&platform{alarms: alarmsFixture()}}
	s := serve(t, NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0)))
	c := cloudWatchAt(s.URL, keys(AccessKey, testSecret))
	both := []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}
	var metrics, composites int
	for pages := cloudwatch.NewDescribeAlarmsPaginator(c, &cloudwatch.DescribeAlarmsInput{AlarmTypes: both, MaxRecords: awssdk.Int32(2)}); pages.HasMorePages(); {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		metrics += len(out.MetricAlarms)
		for _, a := range out.CompositeAlarms {
			composites++
			if *a.AlarmRule != `ALARM("harbour-5xx") OR ALARM("harbour-latency")` || a.StateValue != types.StateValueAlarm {
				t.Errorf("%s, %s", *a.AlarmRule, a.StateValue)
			}
		}
	}
	if metrics != 3 || composites != 1 {
		t.Errorf("%d metric alarms and %d composites", metrics, composites)
	}
	if out, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{}); err != nil || len(out.CompositeAlarms) != 0 {
		t.Errorf("without AlarmTypes there are no composites: %v", err)
	}
	list, err := c.ListAlarmMuteRules(t.Context(), &cloudwatch.ListAlarmMuteRulesInput{Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive}})
	if err != nil || len(list.AlarmMuteRuleSummaries) != 1 || !strings.HasSuffix(*list.AlarmMuteRuleSummaries[0].AlarmMuteRuleArn, ":night") {
		t.Fatalf("%+v, %v", list, err)
	}
	rule, err := c.GetAlarmMuteRule(t.Context(), &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: awssdk.String("night")})
	if err != nil || !slices.Equal(rule.MuteTargets.AlarmNames, []string{"harbour-5xx"}) || !rule.ExpireDate.Equal(noon().Add(time.Hour)) {
		t.Errorf("%+v, %v", rule, err)
	}
	_, err = c.GetAlarmMuteRule(t.Context(), &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: awssdk.String("none")})
	if gone := (*types.ResourceNotFoundException)(nil); !errors.As(err, &gone) {
		t.Errorf("an unknown rule: %v", err)
	}
}
