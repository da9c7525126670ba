package cloudwatch

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// page turns one answer into alarms.
func (s *Alarms) page(out *cloudwatch.DescribeAlarmsOutput) []seenAlarm {
	var all []seenAlarm
	for i := range out.MetricAlarms {
		a := &out.MetricAlarms[i]
		labels := map[string]string{}
		for _, d := range a.Dimensions {
			labels[aws.ToString(d.Name)] = aws.ToString(d.Value)
		}
		all = append(all, s.seen(a.AlarmName, a.AlarmArn, labels, "metric", a.StateValue,
			s.metricText(a), pagesNobody(a.ActionsEnabled, a.AlarmActions), a.StateTransitionedTimestamp, a.StateUpdatedTimestamp))
	}
	for i := range out.CompositeAlarms {
		a := &out.CompositeAlarms[i]
		muted := pagesNobody(a.ActionsEnabled, a.AlarmActions)
		if a.ActionsSuppressedBy != "" {
			muted = "its actions are suppressed by " + strings.ToLower(string(a.ActionsSuppressedBy)) + " of " + aws.ToString(a.ActionsSuppressor)
		}
		one := s.seen(a.AlarmName, a.AlarmArn, nil, "composite", a.StateValue,
			aws.ToString(a.StateReason), muted, a.StateTransitionedTimestamp, a.StateUpdatedTimestamp)
		one.alarm.Through = s.clean(childrenText(aws.ToString(a.AlarmRule)), sources.AlarmThrough)
		all = append(all, one)
	}
	for i := range out.LogAlarms {
		a := &out.LogAlarms[i]
		all = append(all, s.seen(a.AlarmName, a.AlarmArn, nil, "log", a.StateValue,
			aws.ToString(a.StateReason), pagesNobody(a.ActionsEnabled, a.AlarmActions), a.StateTransitionedTimestamp, a.StateUpdatedTimestamp))
	}
	return all
}

func (s *Alarms) seen(name, arn *string, labels map[string]string, kind string, state types.StateValue, text, muted string, since ...*time.Time) seenAlarm {
	a := sale.ForeignAlarm{
		Name: s.clean(aws.ToString(name), sources.AlarmName), Kind: kind, Text: s.clean(text, sources.AlarmText),
		Muted: s.clean(muted, sources.AlarmText), State: stateOf(state),
	}
	for _, at := range since {
		if at != nil && a.Since.IsZero() {
			a.Since = at.UTC()
		}
	}
	return seenAlarm{alarm: a, name: aws.ToString(name), arn: aws.ToString(arn), labels: labels}
}

// stateOf reads a state; one that nobody knows is no data, never fine.
func stateOf(v types.StateValue) sale.ForeignState {
	switch v {
	case types.StateValueAlarm:
		return sale.ForeignFiring
	case types.StateValueOk:
		return sale.ForeignOK
	}
	return sale.ForeignNoData
}

// pagesNobody is why an alarm pages nobody by itself.
func pagesNobody(enabled *bool, actions []string) string {
	switch {
	case enabled != nil && !*enabled:
		return "its actions are switched off"
	case len(actions) == 0:
		return "it has no action"
	}
	return ""
}

var comparisons = map[types.ComparisonOperator]string{
	types.ComparisonOperatorGreaterThanThreshold:          ">",
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: ">=",
	types.ComparisonOperatorLessThanThreshold:             "<",
	types.ComparisonOperatorLessThanOrEqualToThreshold:    "<=",
}

// metricText is what a metric alarm waits for: "DatabaseConnections > 1600 in 1 of 1 x 60s"; where
// it has no plain threshold, what CloudWatch says of its state.
func (s *Alarms) metricText(a *types.MetricAlarm) string {
	sign, ok := comparisons[a.ComparisonOperator]
	if !ok || a.Threshold == nil || aws.ToString(a.MetricName) == "" {
		return aws.ToString(a.StateReason)
	}
	of := aws.ToInt32(a.EvaluationPeriods)
	needs := of
	if a.DatapointsToAlarm != nil {
		needs = *a.DatapointsToAlarm
	}
	text := fmt.Sprintf("%s %s %s", aws.ToString(a.MetricName), sign, strconv.FormatFloat(*a.Threshold, 'g', -1, 64))
	if of > 0 && aws.ToInt32(a.Period) > 0 {
		text += fmt.Sprintf(" in %d of %d x %ds", needs, of, *a.Period)
	}
	return text
}

// child finds the alarms that a composite's rule names: ALARM("a"), OK(b), and by ARN.
var child = regexp.MustCompile(`(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("[^"]*"|'[^']*'|[^\s()]+)\s*\)`)

const mostChildren = 8

// childrenText names the alarms that a composite is made of.
func childrenText(rule string) string {
	var names []string
	for _, m := range child.FindAllStringSubmatch(rule, 200) {
		name := strings.Trim(m[1], `"'`)
		if strings.HasPrefix(name, "arn:") {
			name = name[strings.LastIndexByte(name, ':')+1:]
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	more := ""
	if n := len(names); n > mostChildren {
		more = fmt.Sprintf(" and %d more", n-mostChildren)
		names = names[:mostChildren]
	}
	return "made of " + strings.Join(names, ", ") + more
}
