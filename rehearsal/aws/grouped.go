package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// This file answers for what stands around the metric alarms: composite alarms and mute rules.

// composites are the composite alarms that a DescribeAlarms call selects.
func (c *cloudWatch) composites(f *alarmFilter) []telemetry.Composite {
	grouped, ok := c.alarms.(telemetry.Grouped)
	if !ok || f.family || f.action != "" || !slices.Contains(f.types, "CompositeAlarm") {
		return nil
	}
	var found []telemetry.Composite
	for _, a := range grouped.Composites(c.region) {
		named := len(f.names) == 0 || slices.Contains(f.names, a.Name)
		if named && (!f.byState || a.State == f.state) && strings.HasPrefix(a.Name, f.prefix) {
			found = append(found, a)
		}
	}
	return found
}

// composite writes one CompositeAlarm, whose rule names its children as AWS's console writes it.
func (w *writer) composite(region string, a telemetry.Composite) {
	rule := make([]string, len(a.Children))
	for i, child := range a.Children {
		rule[i] = fmt.Sprintf("ALARM(%q)", child)
	}
	w.beginMap()
	w.flag("ActionsEnabled", true)
	w.textList("AlarmActions", nil)
	w.text("AlarmArn", fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", region, telemetry.Account, a.Name))
	if a.Description != "" {
		w.text("AlarmDescription", a.Description)
	}
	w.text("AlarmName", a.Name)
	w.text("AlarmRule", strings.Join(rule, " OR "))
	w.textList("InsufficientDataActions", nil)
	w.textList("OKActions", nil)
	w.text("StateReason", a.Reason)
	w.moment("StateTransitionedTimestamp", a.Since)
	w.moment("StateUpdatedTimestamp", a.Since)
	w.text("StateValue", a.State)
	w.end()
}

// mutes are the region's mute rules.
func (c *cloudWatch) mutes() []telemetry.Mute {
	if grouped, ok := c.alarms.(telemetry.Grouped); ok {
		return grouped.Mutes(c.region)
	}
	return nil
}

func (c *cloudWatch) muteARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm-mute-rule:%s", c.region, telemetry.Account, name)
}

// muteStatus is a rule's status: the platform has no rule that is only scheduled.
func muteStatus(m telemetry.Mute) string {
	if m.Active {
		return "ACTIVE"
	}
	return "EXPIRED"
}

// listAlarmMuteRules returns the rules of the statuses asked for, on one page.
func (c *cloudWatch) listAlarmMuteRules(in object) ([]byte, *apiError) {
	statuses := in.texts("Statuses")
	alarm, byAlarm := in.text("AlarmName")
	if n, given := in.integer("MaxRecords"); given && (n < 1 || n > 100) {
		return nil, invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and 100", n))
	}
	if *in.problem != nil {
		return nil, *in.problem
	}
	var w writer
	w.beginMap()
	w.key("AlarmMuteRuleSummaries").beginList()
	for _, m := range c.mutes() {
		if len(statuses) > 0 && !slices.Contains(statuses, muteStatus(m)) || byAlarm && !slices.Contains(m.Alarms, alarm) {
			continue
		}
		w.beginMap()
		w.text("AlarmMuteRuleArn", c.muteARN(m.Name))
		if !m.Expires.IsZero() {
			w.moment("ExpireDate", m.Expires)
		}
		w.text("Status", muteStatus(m))
		w.end()
	}
	w.end()
	w.end()
	return w.b, nil
}

// getAlarmMuteRule returns one rule with the alarms that it mutes.
func (c *cloudWatch) getAlarmMuteRule(in object) ([]byte, *apiError) {
	name, given := in.text("AlarmMuteRuleName")
	if *in.problem != nil {
		return nil, *in.problem
	}
	if !given || name == "" {
		return nil, invalid("The parameter AlarmMuteRuleName is required.")
	}
	for _, m := range c.mutes() {
		if m.Name != name {
			continue
		}
		var w writer
		w.beginMap()
		w.text("AlarmMuteRuleArn", c.muteARN(m.Name))
		if m.Description != "" {
			w.text("Description", m.Description)
		}
		if !m.Expires.IsZero() {
			w.moment("ExpireDate", m.Expires)
		}
		w.key("MuteTargets").beginMap()
		w.textList("AlarmNames", m.Alarms)
		w.end()
		w.text("Name", m.Name)
		w.text("Status", muteStatus(m))
		w.end()
		return w.b, nil
	}
	return nil, &apiError{
		shape: cloudWatchSpace + "ResourceNotFoundException", code: "ResourceNotFoundException",
		status: 404, message: "Alarm mute rule " + name + " does not exist.",
	}
}
