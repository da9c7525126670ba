package shop

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// alarm is a rule over one metric's minutes, evaluated as CloudWatch does: so many of the newest
// so many published minutes beyond the threshold.
type alarm struct {
	name, description, statistic string
	metric                       string // namespace/name
	threshold                    func(d *Declared) float64
	value                        func(f folded) float64
	of, needs                    int
	missing                      string
}

func average(f folded) float64 { return f.sum / f.n }

func fixed(v float64) func(d *Declared) float64 { return func(*Declared) float64 { return v } }

func alarms() []alarm {
	return []alarm{
		{
			name: "rds-connections", description: "database connections above 80 % of the maximum", metric: "AWS/RDS/DatabaseConnections", statistic: "Maximum",
			threshold: func(d *Declared) float64 { return 0.8 * float64(d.DBMax) }, value: func(f folded) float64 { return f.top }, of: 1, needs: 1, missing: "missing",
		},
		{
			name: "alb-latency", description: "mean response time above half a second", metric: "AWS/ApplicationELB/TargetResponseTime", statistic: "Average",
			threshold: fixed(0.5), value: average, of: 3, needs: 2, missing: "notBreaching",
		},
		{
			name: "orders-oldest", description: "orders wait more than two minutes", metric: "AWS/SQS/ApproximateAgeOfOldestMessage", statistic: "Maximum",
			threshold: fixed(120), value: func(f folded) float64 { return f.top }, of: 1, needs: 1, missing: "notBreaching",
		},
		{
			name: "edge-5xx", description: "more than one in a hundred requests fails at the edge", metric: "AWS/CloudFront/5xxErrorRate", statistic: "Average",
			threshold: fixed(1), value: average, of: 2, needs: 2, missing: "notBreaching",
		},
	}
}

// Alarms implements telemetry.Alarms.
func (c *CloudWatch) Alarms(region string) []telemetry.Alarm {
	now := c.now()
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	var out []telemetry.Alarm
	for _, s := range c.w.sales {
		for _, a := range alarms() {
			for _, t := range c.w.minutes.bySale[s.ID] {
				if t.id.Region == region && t.id.Namespace+"/"+t.id.Name == a.metric {
					out = append(out, a.evaluate(s, t, now))
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b telemetry.Alarm) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// evaluate walks the published minutes from the oldest, so that Since is when the state began.
func (a alarm) evaluate(s *state, t *track, now time.Time) telemetry.Alarm {
	limit := a.threshold(&s.Declared)
	out := telemetry.Alarm{
		Name: s.ID + "-" + a.name, Description: a.description, Metric: t.id, Statistic: a.statistic, Period: time.Minute,
		EvaluationPeriods: a.of, DatapointsToAlarm: a.needs, Threshold: limit, Comparison: "GreaterThanThreshold", TreatMissing: a.missing,
		State: telemetry.AlarmInsufficient, Reason: "Unchecked: Initial alarm creation",
	}
	var last []bool
	for _, f := range t.closed {
		visible := time.Unix(t.visibleAt(f.minute), 0).UTC()
		if visible.After(now) {
			break
		}
		v := a.value(f)
		if last = append(last, v > limit); len(last) > a.of {
			last = last[1:]
		}
		breaching := 0
		for _, b := range last {
			if b {
				breaching++
			}
		}
		state, word := telemetry.AlarmOK, "not greater"
		if breaching >= a.needs {
			state, word = telemetry.AlarmFiring, "greater"
		}
		if state != out.State {
			out.State, out.Since = state, visible
			out.Reason = fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%g (%s)] was %s than the threshold (%g).",
				max(1, breaching), a.of, v, time.Unix(f.minute*60, 0).UTC().Format("02/01/06 15:04:05"), word, limit)
		}
		out.Updated = out.Since
	}
	return out
}

// grouped is the sale whose alarms have a composite, and a load test's mute rule left on one of them.
const grouped = "kestrel"

// Composites implements telemetry.Grouped: one of the grouped sale's alarms is in alarm.
func (c *CloudWatch) Composites(region string) []telemetry.Composite {
	out := telemetry.Composite{
		Name: grouped + "-platform", Description: "something under the sale is in alarm",
		State: telemetry.AlarmInsufficient, Reason: "no child has a state yet",
	}
	for _, a := range c.Alarms(region) {
		if !strings.HasPrefix(a.Name, grouped+"-") {
			continue
		}
		out.Children = append(out.Children, a.Name)
		switch {
		case a.State == telemetry.AlarmFiring && (out.State != telemetry.AlarmFiring || a.Since.Before(out.Since)):
			out.State, out.Since, out.Reason = a.State, a.Since, a.Name+" transitioned to ALARM"
		case a.State == telemetry.AlarmOK && out.State != telemetry.AlarmFiring && a.Since.After(out.Since):
			out.State, out.Since, out.Reason = a.State, a.Since, "no child is in ALARM"
		}
	}
	if len(out.Children) == 0 {
		return nil
	}
	return []telemetry.Composite{out}
}

// Mutes implements telemetry.Grouped.
func (c *CloudWatch) Mutes(region string) []telemetry.Mute {
	if region != telemetry.Region {
		return nil
	}
	return []telemetry.Mute{{
		Name: "load-test", Description: "left on after the load test", Alarms: []string{grouped + "-orders-oldest"},
		Active: true, Expires: c.now().Truncate(24 * time.Hour).Add(48 * time.Hour),
	}}
}

var _ telemetry.Grouped = (*CloudWatch)(nil)
