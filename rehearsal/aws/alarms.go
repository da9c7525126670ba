package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// alarmFilter is what a DescribeAlarms call selects.
type alarmFilter struct {
	names, types               []string
	prefix, state, action      string
	hasPrefix, byState, family bool
	max                        int64
}

// describeAlarms returns the metric and composite alarms of the region; the platform has no other kind.
// Without AlarmTypes AWS returns metric alarms only. Every answer has the list of composite alarms, as
// the live service has it. The pages count metric alarms first: assumed, AWS promises no order.
func (c *cloudWatch) describeAlarms(in object) ([]byte, *apiError) {
	f := alarmFilter{names: in.texts("AlarmNames"), types: in.texts("AlarmTypes"), max: 50}
	f.prefix, f.hasPrefix = in.text("AlarmNamePrefix")
	f.state, f.byState = in.text("StateValue")
	f.action, _ = in.text("ActionPrefix")
	_, children := in.text("ChildrenOfAlarmName")
	_, parents := in.text("ParentsOfAlarmName")
	f.family = children || parents
	if n, given := in.integer("MaxRecords"); given {
		f.max = n
	}
	after, hasToken := in.text("NextToken")
	if *in.problem != nil {
		return nil, *in.problem
	}
	if problem := f.validate(); problem != nil {
		return nil, problem
	}
	var found []telemetry.Alarm
	for _, a := range c.alarms.Alarms(c.region) {
		if f.matches(a) {
			found = append(found, a)
		}
	}
	composites := c.composites(&f)
	request := fingerprint("DescribeAlarms", f.names, f.types, f.prefix, f.state, f.action, f.family)
	begin := 0
	if hasToken {
		t, ok := parseToken(after, request)
		if !ok || t.at[0] < 0 || t.at[0] > int64(len(found)+len(composites)) {
			return nil, invalidToken()
		}
		begin = int(t.at[0])
	}
	all := len(found) + len(composites)
	finish := min(begin+int(f.max), all)
	next := ""
	if finish < all {
		next = token{request: request, at: [3]int64{int64(finish)}}.String()
	}
	n := len(found)
	return encodeAlarms(c.region, found[min(begin, n):min(finish, n)], composites[max(begin-n, 0):max(finish-n, 0)], next), nil
}

func (f *alarmFilter) validate() *apiError {
	enum := func(value, at string, allowed ...string) *apiError {
		if slices.Contains(allowed, value) {
			return nil
		}
		return invalid(fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			value, at, strings.Join(allowed, ", ")))
	}
	if f.byState {
		if problem := enum(f.state, "stateValue", telemetry.AlarmInsufficient, telemetry.AlarmFiring, telemetry.AlarmOK); problem != nil {
			return problem
		}
	}
	for _, kind := range f.types {
		if problem := enum(kind, "alarmTypes", "CompositeAlarm", "MetricAlarm", "LogAlarm"); problem != nil {
			return problem
		}
	}
	switch {
	case f.max < 1 || f.max > 100:
		return invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and 100", f.max))
	case len(f.names) > 100:
		return invalid("The collection AlarmNames must not have a size greater than 100.")
	case len(f.names) > 0 && f.hasPrefix:
		return invalid("The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.")
	case f.family && (len(f.names) > 0 || f.hasPrefix || f.byState || f.action != "" || len(f.types) > 0):
		return invalid("ChildrenOfAlarmName and ParentsOfAlarmName can not be combined with another filter.")
	}
	return nil
}

// matches says whether an alarm is selected. None of the platform's alarms has an action or a
// relative, so these filters select nothing.
func (f *alarmFilter) matches(a telemetry.Alarm) bool {
	switch {
	case f.family, f.action != "":
		return false
	case len(f.types) > 0 && !slices.Contains(f.types, "MetricAlarm"):
		return false
	case len(f.names) > 0 && !slices.Contains(f.names, a.Name):
		return false
	case f.byState && a.State != f.state:
		return false
	}
	return strings.HasPrefix(a.Name, f.prefix)
}

func encodeAlarms(region string, found []telemetry.Alarm, composites []telemetry.Composite, next string) []byte {
	var w writer
	w.beginMap()
	w.key("CompositeAlarms").beginList()
	for _, a := range composites {
		w.composite(region, a)
	}
	w.end()
	w.key("MetricAlarms").beginList()
	for _, a := range found {
		w.alarm(region, a)
	}
	w.end()
	if next != "" {
		w.text("NextToken", next)
	}
	w.end()
	return w.b
}

// alarm writes one MetricAlarm. When the alarm was configured is not known, so the answer leaves
// AlarmConfigurationUpdatedTimestamp out.
func (w *writer) alarm(region string, a telemetry.Alarm) {
	w.beginMap()
	w.flag("ActionsEnabled", true)
	w.textList("AlarmActions", nil)
	w.text("AlarmArn", fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", region, telemetry.Account, a.Name))
	if a.Description != "" {
		w.text("AlarmDescription", a.Description)
	}
	w.text("AlarmName", a.Name)
	w.text("ComparisonOperator", a.Comparison)
	if a.DatapointsToAlarm > 0 {
		w.nonNegative("DatapointsToAlarm", int64(a.DatapointsToAlarm))
	}
	w.dimensions(a.Metric.Dimensions)
	w.nonNegative("EvaluationPeriods", int64(a.EvaluationPeriods))
	if percentileForm.MatchString(a.Statistic) {
		w.text("ExtendedStatistic", a.Statistic)
	}
	w.textList("InsufficientDataActions", nil)
	w.text("MetricName", a.Metric.Name)
	w.text("Namespace", a.Metric.Namespace)
	w.textList("OKActions", nil)
	w.nonNegative("Period", int64(a.Period.Seconds()))
	w.text("StateReason", a.Reason)
	w.moment("StateTransitionedTimestamp", a.Since)
	w.moment("StateUpdatedTimestamp", a.Updated)
	w.text("StateValue", a.State)
	if !percentileForm.MatchString(a.Statistic) {
		w.text("Statistic", a.Statistic)
	}
	w.decimal("Threshold", a.Threshold)
	if a.TreatMissing != "" {
		w.text("TreatMissingData", a.TreatMissing)
	}
	w.end()
}
