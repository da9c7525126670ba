package ecs

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/onsale-dev/onsale/sale"
)

// note is one fact that an operator must know about a service. Its text is the same on every
// poll while the fact is.
type note struct {
	code, text string
	sale       sale.ID // "": of all sales that read the service
}

const (
	recentWindow = 30 * time.Minute // how long an event or a decision is worth a note
	// ECS leaves out an event that says the same as the one before, for up to six hours, until
	// its cause is mended: while tasks are missing an old event still holds.
	eventRepeat = 6 * time.Hour
	mostEvents  = 2
)

type adder func(code, format string, args ...any)

// notes lists the facts, those that stop a scale-up first.
func (v *service) notes() []note {
	var all []note
	add := func(code, format string, args ...any) {
		all = append(all, note{code: code, text: v.name + ": " + fmt.Sprintf(format, args...)})
	}
	if v.status != "" && v.status != "ACTIVE" {
		add("not_active", "the service is %s: it starts no tasks", v.status)
	}
	v.noteSuspended(add)
	v.noteCapacity(add)
	v.noteEvents(add)
	v.noteDeployments(add)
	v.noteDecisions(add)
	return append(all, v.planNotes()...)
}

func (v *service) noteSuspended(add adder) {
	if v.target == nil {
		return
	}
	if v.target.noOut {
		add("scale_out_suspended", "dynamic scale-out is suspended: scaling policies add no tasks")
	}
	if v.target.noSchedule {
		add("scheduled_suspended", "scheduled scaling is suspended: planned scale-ups do not run")
	}
	if v.target.noIn {
		add("scale_in_suspended", "dynamic scale-in is suspended: scaling policies take no tasks away")
	}
}

func (v *service) noteCapacity(add adder) {
	if !v.shortSince.IsZero() {
		since, text := "since", ""
		if v.shortBefore {
			since = "since before"
		}
		if v.pending > 0 {
			text = fmt.Sprintf("; %d pending", v.pending)
			if v.onInstances {
				text += ", which may wait for EC2 instances: scale those too"
			}
		}
		add("below_desired", "%d of %d desired running %s %s%s", v.running, v.desired, since, stamp(v.shortSince, v.at), text)
	}
	if v.atMax() {
		add("at_max", "desired %d has reached the max of %d: no scale-up without raising max", v.desired, *v.target.max)
	}
	if t := v.target; t != nil && t.max != nil && t.forecast != nil && *t.forecast > *t.max {
		add("forecast_above_max", "predictive scaling expects to need %d, above the max of %d", *t.forecast, *t.max)
	}
}

// noteEvents shows why tasks can't be placed or don't stay, newest first, until the service
// says that it is steady again.
func (v *service) noteEvents(add adder) {
	var said []string
	window := recentWindow
	if v.short() {
		window = eventRepeat
	}
	for _, e := range v.events {
		if v.at.Sub(e.at) > window || strings.Contains(e.text, "has reached a steady state") || len(said) == mostEvents {
			return
		}
		if !isTrouble(e.text) {
			continue
		}
		text := strings.TrimPrefix(e.text, "(service "+v.name+") ")
		if len(said) > 0 && said[0] == text {
			continue
		}
		said = append(said, text)
		add("event", "ECS said at %s: %s", stamp(e.at, v.at), text)
	}
}

// isTrouble knows the service event messages that ECS documents for tasks that don't come up.
func isTrouble(text string) bool {
	for _, sign := range []string{
		"unable to", "unhealthy", "failed", "failure", "reached its", "limit", "throttl", "not stable", "rolling back", "stopped because", "is not available", "RESOURCE:",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func (v *service) noteDeployments(add adder) {
	var primary *deployment
	for i := range v.deployments {
		if v.deployments[i].primary {
			primary = &v.deployments[i]
		}
	}
	switch {
	case primary == nil:
		if len(v.deployments) > 0 {
			add("deployment", "a deployment is in progress: scale-in is off while it is")
		}
		return
	case primary.state == types.DeploymentRolloutStateFailed:
		add("deployment_failed", "the deployment of %s failed: %s", stamp(primary.started, v.at), primary.reason)
	case primary.state == types.DeploymentRolloutStateInProgress, primary.state == "" && len(v.deployments) > 1:
		text := ""
		if primary.failing > 0 {
			text = fmt.Sprintf(", %d failed", primary.failing)
		}
		add("deployment", "a deployment is in progress since %s: %d of %d new tasks running%s; scale-in is off while a deployment is in progress",
			stamp(primary.started, v.at), primary.running, primary.desired, text)
		if strings.Contains(primary.reason, "circuit breaker") || strings.Contains(primary.reason, "rolling back") {
			add("deployment_rollback", "%s", primary.reason)
		}
	}
	for _, d := range v.deployments {
		if !d.primary && d.state == types.DeploymentRolloutStateFailed {
			add("deployment_failed", "the deployment of %s failed: %s", stamp(d.started, v.at), d.reason)
			return
		}
	}
}

// noteDecisions says what Application Auto Scaling decided last, when that was not to scale or
// did not work.
func (v *service) noteDecisions(add adder) {
	if v.why.read.IsZero() || v.at.Sub(v.why.read) > keepWhy || v.target == nil {
		return
	}
	if len(v.why.activities) == 0 {
		return
	}
	a := v.why.activities[0] // the newest; what was decided before is over
	switch {
	case v.at.Sub(a.start) > recentWindow:
	case len(a.notScaled) > 0:
		add("not_scaled", "not scaled at %s: %s", clock(a.start), strings.Join(a.notScaled, "; "))
	case a.failed:
		text := a.message
		if text == "" {
			text = a.text
		}
		add("scaling_failed", "scaling at %s: %s: %s", clock(a.start), a.status, text)
	}
}

// clock is a time of day for a person; the day is today's.
func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }

// stamp is clock with the date when it is not today's.
func stamp(t, now time.Time) string {
	if t.UTC().YearDay() == now.UTC().YearDay() {
		return clock(t)
	}
	return t.UTC().Format("Jan 2 15:04") + " UTC"
}
