package cloudwatch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// bells answers as CloudWatch does for its alarms, in RPC v2 CBOR.
type bells struct{ text string }

func (h bells) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	op := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	answer := cbor.Map{}
	said := func(s string) cbor.String {
		if h.text != "" {
			return cbor.String(s + h.text)
		}
		return cbor.String(s)
	}
	switch op {
	case "DescribeAlarms":
		answer["MetricAlarms"] = cbor.List{cbor.Map{
			"AlarmName": said("harbour-rds"), "StateValue": cbor.String("ALARM"), "StateReason": said("crossed"), "MetricName": said("DatabaseConnections"),
			"ComparisonOperator": cbor.String("GreaterThanThreshold"), "Threshold": cbor.Float64(1600), "EvaluationPeriods": cbor.Uint(3), "DatapointsToAlarm": cbor.Uint(2), "Period": cbor.Uint(60),
			"ActionsEnabled": cbor.Bool(true), "AlarmActions": cbor.List{cbor.String("arn:aws:sns:x")},
		}}
		answer["CompositeAlarms"] = cbor.List{cbor.Map{"AlarmName": said("harbour-all"), "StateValue": cbor.String("OK"), "AlarmRule": said(`ALARM("harbour-rds") OR ALARM(harbour-cpu)`)}}
	case "ListAlarmMuteRules":
		answer["AlarmMuteRuleSummaries"] = cbor.List{cbor.Map{"AlarmMuteRuleArn": said("arn:aws:cloudwatch:eu-central-1:1:alarm-mute-rule:night"), "Status": cbor.String("ACTIVE")}}
	case "GetAlarmMuteRule":
		answer["MuteTargets"] = cbor.Map{"AlarmNames": cbor.List{cbor.String("harbour-rds")}}
	default:
		fail(w, r, http.StatusBadRequest, "UnknownOperationException")
		return
	}
	header(w)
	_, _ = w.Write(cbor.Encode(answer))
}

func alarmsAt(t *testing.T, url string, api AlarmsAPI) *Alarms {
	t.Helper()
	if api == nil {
		api = NewClient(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", sourcetest.Secret, "")}, url, nil)
	}
	s, err := NewAlarms(AlarmsOptions{Name: "alarms", Region: "eu-central-1", API: api, Secrets: []string{sourcetest.Secret}, Whose: sources.Whose{{Sale: "harbour", Name: "harbour-*"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheContractOfASourceOfAlarms(t *testing.T) {
	sourcetest.Contract(t, sourcetest.Harness{
		New:        func(t *testing.T, url string) sources.Source { return alarmsAt(t, url, nil) },
		Healthy:    bells{},
		WantAlarms: []string{"harbour-rds", "harbour-all"},
		Hostile:    bells{text: sourcetest.Escape + sourcetest.Secret},
		Fail:       fail,
		Header:     http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}},
		WrongTypes: [][]byte{
			cbor.Encode(cbor.Map{}), cbor.Encode(cbor.List{}), cbor.Encode(cbor.String("text")), cbor.Encode(&cbor.Nil{}),
			cbor.Encode(cbor.Map{"MetricAlarms": cbor.String("none")}),
			cbor.Encode(cbor.Map{"MetricAlarms": cbor.List{cbor.Map{"AlarmName": cbor.Uint(7)}}}),
			{},
			{0xff},
		},
		Binary:       true,
		CallsPerPoll: 3,
	})
}

// board is an account's alarms without the wire.
type board struct {
	AlarmsAPI
	pages  [][]types.MetricAlarm
	others cloudwatch.DescribeAlarmsOutput
	rules  []types.AlarmMuteRuleSummary
	muted  []string
	tags   []types.Tag
	denied error
	asked  map[string]int
}

func (b *board) count(op string) {
	if b.asked == nil {
		b.asked = map[string]int{}
	}
	b.asked[op]++
}

func (b *board) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	b.count("describe")
	if len(in.AlarmTypes) != 3 {
		return nil, fmt.Errorf("asked for %v: without all three types AWS hides composites", in.AlarmTypes)
	}
	out := b.others
	at := 0
	_, _ = fmt.Sscanf(aws.ToString(in.NextToken), "%d", &at)
	out.MetricAlarms = b.pages[at]
	if at+1 < len(b.pages) {
		out.NextToken = aws.String(fmt.Sprint(at + 1))
	}
	return &out, nil
}

func (b *board) ListAlarmMuteRules(context.Context, *cloudwatch.ListAlarmMuteRulesInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error) {
	b.count("mutes")
	return &cloudwatch.ListAlarmMuteRulesOutput{AlarmMuteRuleSummaries: b.rules}, b.denied
}

func (b *board) GetAlarmMuteRule(context.Context, *cloudwatch.GetAlarmMuteRuleInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetAlarmMuteRuleOutput, error) {
	b.count("mute")
	return &cloudwatch.GetAlarmMuteRuleOutput{MuteTargets: &types.MuteTargets{AlarmNames: b.muted}}, nil
}

func (b *board) ListTagsForResource(context.Context, *cloudwatch.ListTagsForResourceInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListTagsForResourceOutput, error) {
	b.count("tags")
	return &cloudwatch.ListTagsForResourceOutput{Tags: b.tags}, nil
}

func metricAlarm(name string, state types.StateValue) types.MetricAlarm {
	return types.MetricAlarm{
		AlarmName: aws.String(name), AlarmArn: aws.String("arn:aws:cloudwatch:eu-central-1:1:alarm:" + name), StateValue: state, StateReason: aws.String("why"),
		ActionsEnabled: aws.Bool(true), AlarmActions: []string{"arn:aws:sns:x"},
		Dimensions: []types.Dimension{{Name: aws.String("DBInstanceIdentifier"), Value: aws.String("comet-db")}},
	}
}

func TestEveryPageAndEverySortOfAlarmIsRead(t *testing.T) {
	since := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	off := metricAlarm("comet-off", types.StateValueAlarm)
	off.ActionsEnabled = aws.Bool(false)
	quiet := metricAlarm("comet-quiet", types.StateValueAlarm)
	quiet.AlarmActions = nil
	b := &board{
		pages: [][]types.MetricAlarm{{metricAlarm("harbour-a", types.StateValueAlarm), off}, {quiet, metricAlarm("odd", "SOMETHING_NEW")}},
		others: cloudwatch.DescribeAlarmsOutput{
			CompositeAlarms: []types.CompositeAlarm{{
				AlarmName: aws.String("all"), StateValue: types.StateValueAlarm, StateTransitionedTimestamp: &since, AlarmActions: []string{"x"}, AlarmRule: aws.String(`ALARM("harbour-a") AND NOT OK('b') OR ALARM(arn:aws:cloudwatch:eu-central-1:1:alarm:c)`),
				ActionsSuppressedBy: types.ActionsSuppressedByAlarm, ActionsSuppressor: aws.String("deploy"),
			}},
			LogAlarms: []types.LogAlarm{{AlarmName: aws.String("log"), StateValue: types.StateValueInsufficientData, AlarmActions: []string{"x"}}},
		},
		rules: []types.AlarmMuteRuleSummary{{AlarmMuteRuleArn: aws.String("arn:aws:cloudwatch:eu-central-1:1:alarm-mute-rule:night")}}, muted: []string{"harbour-a"},
	}
	s := alarmsAt(t, "", b)
	s.opts.Whose = append(s.opts.Whose, sources.Match{Sale: "comet", Labels: map[string]string{"DBInstanceIdentifier": "comet-*"}})
	got := map[string]sale.ForeignAlarm{}
	for _, a := range s.Read(t.Context(), since).Alarms {
		got[a.Name] = a
	}
	for name, want := range map[string]sale.ForeignAlarm{
		"harbour-a":   {Sale: "harbour", State: sale.ForeignFiring, Muted: "muted by rule night"},
		"comet-off":   {Sale: "comet", State: sale.ForeignFiring, Muted: "its actions are switched off"},
		"comet-quiet": {Sale: "comet", State: sale.ForeignFiring, Muted: "it has no action"},
		"odd":         {Sale: "comet", State: sale.ForeignNoData},
		"all":         {State: sale.ForeignFiring, Muted: "its actions are suppressed by alarm of deploy", Through: "made of harbour-a, b, c"},
		"log":         {State: sale.ForeignNoData},
	} {
		a, ok := got[name]
		if !ok || a.Sale != want.Sale || a.State != want.State || a.Muted != want.Muted || a.Through != want.Through {
			t.Errorf("%s is %+v (%v), want %+v", name, a, ok, want)
		}
	}
	if a := got["all"]; !a.Since.Equal(since) {
		t.Errorf("the composite stands since %s, want %s", a.Since, since)
	}
}

func TestMuteRulesThatCantBeReadAreSaidAndHideNoAlarm(t *testing.T) {
	b := &board{pages: [][]types.MetricAlarm{{metricAlarm("harbour-a", types.StateValueAlarm)}}, denied: &sale.Problem{Class: sale.Auth, Text: "denied"}}
	s := alarmsAt(t, "", b)
	now := time.Now()
	got := s.Read(t.Context(), now)
	if len(got.Alarms) != 1 || got.Problem != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "whether an alarm is muted is not known") {
		t.Errorf("the batch is %+v", got)
	}
	s.Read(t.Context(), now.Add(15*time.Second))
	if b.asked["mutes"] != 1 {
		t.Errorf("the mute rules were asked for %d times in 15 s, want once a minute", b.asked["mutes"])
	}
	s.Read(t.Context(), now.Add(61*time.Second))
	if b.asked["mutes"] != 2 {
		t.Errorf("the mute rules were asked for %d times in a minute", b.asked["mutes"])
	}
}

func TestTagsAreAskedForOnlyWhereARuleLooksAtThemAndOnce(t *testing.T) {
	b := &board{pages: [][]types.MetricAlarm{{metricAlarm("x", types.StateValueAlarm)}}, tags: []types.Tag{{Key: aws.String("sale"), Value: aws.String("orbit")}}}
	s := alarmsAt(t, "", b)
	now := time.Now()
	s.Read(t.Context(), now)
	if b.asked["tags"] != 0 {
		t.Error("tags were asked for though no rule looks at them")
	}
	s.opts.Whose = sources.Whose{{Sale: "orbit", Tags: map[string]string{"sale": "orbit"}}}
	for range 3 {
		if got := s.Read(t.Context(), now); got.Alarms[0].Sale != "orbit" {
			t.Errorf("by its tag the alarm is of %q", got.Alarms[0].Sale)
		}
	}
	if b.asked["tags"] != 1 {
		t.Errorf("the tags were asked for %d times", b.asked["tags"])
	}
}

func FuzzAComposedRuleIsReadWhateverItHolds(f *testing.F) {
	for _, rule := range []string{`ALARM("a")`, `ALARM(a) OR (OK("b") AND NOT INSUFFICIENT_DATA('c'))`, `ALARM("` + "\x1b[2J", "ALARM((((", ""} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		if got := childrenText(rule); got != "" && !strings.HasPrefix(got, "made of ") {
			t.Errorf("%q reads as %q", rule, got)
		}
	})
}
