package ecs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func notesOf(b sale.Batch) []string {
	var out []string
	for _, n := range b.Notes {
		out = append(out, n.Code+": "+n.Text)
	}
	return out
}

func decision(minutesBefore int, more object) object {
	all := object{"ActivityId": "a", "StartTime": at(minutesBefore), "StatusCode": "Successful", "Description": "Setting desired count to 6.", "Cause": "alarm"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

const noRoom = "(service web) was unable to place a task because no container instance met all of its requirements."

func TestAnOperatorIsToldWhatAScaleUpWouldMeet(t *testing.T) {
	for _, c := range []struct {
		name       string
		service    object
		target     object
		activities []object
		want       []string
	}{
		{name: "nothing to say", want: nil},
		{name: "a service that is being drained", service: object{"status": "DRAINING"}, want: []string{"not_active: web: the service is DRAINING: it starts no tasks"}},
		{
			name: "a deployment in progress",
			service: object{"deployments": []object{
				{"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "createdAt": at(10), "desiredCount": 4, "runningCount": 1, "failedTasks": 2, "rolloutStateReason": "ECS deployment ecs-svc/1 in progress."},
				{"status": "ACTIVE", "rolloutState": "COMPLETED", "desiredCount": 4, "runningCount": 3},
			}},
			want: []string{"deployment: web: a deployment is in progress since 11:50 UTC: 1 of 4 new tasks running, 2 failed; scale-in is off while a deployment is in progress"},
		},
		{
			name:    "a deployment that failed",
			service: object{"deployments": []object{{"status": "PRIMARY", "rolloutState": "FAILED", "createdAt": at(10), "rolloutStateReason": "ECS deployment circuit breaker: task failed to start."}}},
			want:    []string{"deployment_failed: web: the deployment of 11:50 UTC failed: ECS deployment circuit breaker: task failed to start."},
		},
		{
			name: "a deployment that is rolled back",
			service: object{"deployments": []object{
				{"status": "PRIMARY", "rolloutState": "IN_PROGRESS", "createdAt": at(5), "desiredCount": 4, "runningCount": 4, "rolloutStateReason": "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0."},
				{"status": "ACTIVE", "rolloutState": "FAILED", "createdAt": at(10), "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."},
			}},
			want: []string{
				"deployment: web: a deployment is in progress since 11:55 UTC: 4 of 4 new tasks running; scale-in is off while a deployment is in progress",
				"deployment_rollback: web: ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0.",
				"deployment_failed: web: the deployment of 11:50 UTC failed: ECS deployment circuit breaker: tasks failed to start.",
			},
		},
		{name: "a deployment that is done", service: object{"deployments": []object{{"status": "PRIMARY", "rolloutState": "COMPLETED"}}}, want: nil},
		{
			name:    "tasks that can't be placed, told twice",
			service: object{"events": []object{{"createdAt": at(1), "message": noRoom}, {"createdAt": at(2), "message": noRoom}, {"createdAt": at(3), "message": "(service web) has started 1 tasks: (task 7)."}, {"createdAt": at(4), "message": "(service web) (task 6) failed container health checks."}, {"createdAt": at(6), "message": "(service web) failed to launch a task with (error x)."}}},
			want: []string{
				"event: web: ECS said at 11:59 UTC: was unable to place a task because no container instance met all of its requirements.",
				"event: web: ECS said at 11:56 UTC: (task 6) failed container health checks.",
			},
		},
		{name: "trouble that is over", service: object{"events": []object{{"createdAt": at(1), "message": "(service web) has reached a steady state."}, {"createdAt": at(2), "message": noRoom}}}, want: nil},
		{name: "trouble of an hour ago, with all tasks running", service: object{"events": []object{{"createdAt": at(60), "message": noRoom}}}, want: nil},
		{
			name:    "trouble of an hour ago that still holds: ECS does not repeat itself",
			service: object{"desiredCount": 6, "launchType": "EC2", "events": []object{{"createdAt": at(60), "message": noRoom}}},
			want: []string{
				"below_desired: web: 4 of 6 desired running since before 12:00 UTC; 1 pending, which may wait for EC2 instances: scale those too",
				"event: web: ECS said at 11:00 UTC: was unable to place a task because no container instance met all of its requirements.",
			},
		},
		{name: "at max", target: object{"MinCapacity": 2, "MaxCapacity": 4}, want: []string{"at_max: web: desired 4 has reached the max of 4: no scale-up without raising max"}},
		{name: "a forecast above max", target: object{"MinCapacity": 2, "MaxCapacity": 10, "PredictedCapacity": 12}, want: []string{"forecast_above_max: web: predictive scaling expects to need 12, above the max of 10"}},
		{
			name: "suspended scaling", target: object{"MinCapacity": 2, "MaxCapacity": 10, "SuspendedState": object{"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": true}},
			want: []string{
				"scale_out_suspended: web: dynamic scale-out is suspended: scaling policies add no tasks",
				"scheduled_suspended: web: scheduled scaling is suspended: planned scale-ups do not run",
				"scale_in_suspended: web: dynamic scale-in is suspended: scaling policies take no tasks away",
			},
		},
		{
			name:       "why it did not scale",
			activities: []object{decision(3, object{"NotScaledReasons": []object{{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 10, "CurrentCapacity": 10}}}), decision(9, nil)},
			want:       []string{"not_scaled: web: not scaled at 11:57 UTC: it is at the target's max (AlreadyAtMaxCapacity), current 10, max 10"},
		},
		{
			name:       "a reason that is new to us",
			activities: []object{decision(3, object{"NotScaledReasons": []object{{"Code": "Dreaming"}}})},
			want:       []string{"not_scaled: web: not scaled at 11:57 UTC: Dreaming"},
		},
		{
			name:       "scaling that failed",
			activities: []object{decision(3, object{"StatusCode": "Failed", "StatusMessage": "Failed to set desired count to 6. Reason: throttled"})},
			want:       []string{"scaling_failed: web: scaling at 11:57 UTC: Failed: Failed to set desired count to 6. Reason: throttled"},
		},
		{name: "a decision that a later one has replaced", activities: []object{decision(2, nil), decision(3, object{"StatusCode": "Failed"})}, want: nil},
		{name: "a decision of the morning", activities: []object{decision(100, object{"StatusCode": "Failed"})}, want: nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := usual("web")
			h.services["web"] = serviceJSON("web", c.service)
			if c.target != nil {
				h.targets["web"] = c.target
			}
			h.activities["web"] = c.activities
			b := newSource(t, serve(t, h), ask("arena", "web", Desired)).Read(t.Context(), noon())
			if got := notesOf(b); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if len(b.Warnings) > 0 || len(b.Readings) != 1 {
				t.Errorf("%s", lines(b))
			}
		})
	}
}

func TestHowLongTasksHaveBeenMissingIsKeptAndEverySaleIsTold(t *testing.T) {
	h := usual("web")
	s := newSource(t, serve(t, h), ask("arena", "web", Desired), ask("arena", "web", Min), ask("club", "web", Desired))
	s.Read(t.Context(), noon())
	h.change(func() { h.services["web"] = serviceJSON("web", object{"desiredCount": 6}) })
	for _, minute := range []int{3, 4, 9} {
		b := s.Read(t.Context(), noon().Add(time.Duration(minute)*time.Minute))
		if len(b.Notes) != 2 || b.Notes[0].Sale != "arena" || b.Notes[1].Sale != "club" || b.Notes[0].Text != "web: 4 of 6 desired running since 12:03 UTC; 1 pending" {
			t.Errorf("at minute %d: %+v", minute, b.Notes)
		}
	}
	h.change(func() { h.services["web"] = serviceJSON("web", nil) })
	if b := s.Read(t.Context(), noon().Add(10*time.Minute)); len(b.Notes) > 0 {
		t.Errorf("got %+v", b.Notes)
	}
}

func TestAnOldDecisionIsNotShown(t *testing.T) {
	h := usual("web")
	h.activities["web"] = []object{decision(0, object{"NotScaledReasons": []object{{"Code": "AlreadyAtMaxCapacity"}}})}
	s := newSource(t, serve(t, h), ask("arena", "web", Desired))
	shown := func(minute int) bool {
		return len(s.Read(t.Context(), noon().Add(time.Duration(minute)*time.Minute)).Notes) > 0
	}
	if !shown(0) {
		t.Fatal("it is not shown at all")
	}
	h.change(func() { h.fails["DescribeScalingActivities"] = "InternalServiceException" })
	if !shown(9) {
		t.Error("one failure hides it at once")
	}
	if shown(11) {
		t.Error("it is shown for ever")
	}
}
