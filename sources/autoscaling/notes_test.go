package autoscaling

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

func at(hhmm string) string { return "2026-12-04T" + hhmm + ":00Z" }

func suspended(process, reason string) string {
	return "<SuspendedProcesses><member><ProcessName>" + process + "</ProcessName><SuspensionReason>" + reason + "</SuspensionReason></member></SuspendedProcesses>"
}

func sizes(desired, least, most string) string {
	return "<DesiredCapacity>" + desired + "</DesiredCapacity><MinSize>" + least + "</MinSize><MaxSize>" + most + "</MaxSize>"
}

func activityAt(hhmm, status, description, message, cause string) string {
	start, _ := time.Parse(time.RFC3339, at(hhmm))
	return activityXML(start, status, description, message, cause)
}

const launch, noRoom = "Launching a new EC2 instance.", "We currently do not have sufficient c7g.xlarge capacity in the Availability Zone you requested (eu-central-1a). Launching EC2 instance failed."

func TestAnOperatorIsToldWhatAScaleUpWouldMeet(t *testing.T) {
	for _, c := range []struct {
		name    string
		group   string            // XML inside the group; sizes 4, 2–10 unless given
		results map[string]string // of the other actions
		want    []string          // code: text
	}{
		{name: "nothing to say", want: nil},
		{
			name: "Launch suspended by a person", group: suspended("Launch", "User suspended at 2026-12-04T09:12:00Z"),
			want: []string{"launch_suspended: web: Launch is suspended: a scale-up will be accepted and nothing will launch (User suspended at 2026-12-04T09:12:00Z)"},
		},
		{
			name: "Launch suspended by AWS", group: suspended("Launch", "Administrative suspension"),
			want: []string{"suspended_by_aws: web: Launch is suspended by AWS itself, not by a person: a scale-up will be accepted and nothing will launch (Administrative suspension)"},
		},
		{
			name: "AddToLoadBalancer suspended", group: suspended("AddToLoadBalancer", ""),
			want: []string{"suspended: web: AddToLoadBalancer is suspended: new instances launch but get no traffic"},
		},
		{name: "AlarmNotification suspended", group: suspended("AlarmNotification", ""), want: []string{"suspended: web: AlarmNotification is suspended: scaling policies do nothing"}},
		{name: "ScheduledActions suspended", group: suspended("ScheduledActions", ""), want: []string{"suspended: web: ScheduledActions is suspended: scheduled scaling does not run"}},
		{name: "Terminate suspended", group: suspended("Terminate", ""), want: []string{"suspended: web: Terminate is suspended: nothing is scaled in or replaced, and rebalancing may grow the group by 10 %"}},
		{name: "HealthCheck suspended", group: suspended("HealthCheck", ""), want: []string{"suspended: web: HealthCheck is suspended: sick instances are not noticed"}},
		{name: "ReplaceUnhealthy suspended", group: suspended("ReplaceUnhealthy", ""), want: []string{"suspended: web: ReplaceUnhealthy is suspended: sick instances are not replaced"}},
		{name: "AZRebalance suspended", group: suspended("AZRebalance", ""), want: []string{"suspended: web: AZRebalance is suspended: zones are not kept in balance"}},
		{name: "InstanceRefresh suspended", group: suspended("InstanceRefresh", ""), want: []string{"suspended: web: InstanceRefresh is suspended: no instance refresh goes on"}},
		{name: "a process that is new to us", group: suspended("Dreaming", ""), want: []string{"suspended: web: Dreaming is suspended: this process does not run"}},
		{
			name: "at max", group: sizes("4", "4", "4"),
			want: []string{"at_max: web: desired is at the max of 4: no scale-up without raising max"},
		},
		{
			name: "a forecast above max", group: sizes("4", "2", "10") + "<PredictedCapacity>14</PredictedCapacity>",
			want: []string{"forecast_above_max: web: predictive scaling expects to need 14, above the max of 10"},
		},
		{
			name: "less in service than desired", group: sizes("8", "2", "10"),
			want: []string{"below_desired: web: 4 of 8 desired in service since before 12:00 UTC; 1 pending"},
		},
		{
			name: "instances in Standby", group: sizes("1", "1", "10") + "<Instances>" + instance("i-0", "InService", "Healthy") + instance("i-1", "Standby", "Healthy") + "</Instances>",
			want: []string{"standby: web: 1 in Standby: they serve nothing"},
		},
		{name: "a group that is being deleted", group: "<Status>Delete in progress</Status>", want: []string{"deleting: web: AWS is deleting this group (Delete in progress)"}},
		{
			name:    "no capacity at AWS",
			results: map[string]string{"DescribeScalingActivities": list("Activities", activityAt("11:58", "Failed", launch, noRoom, "At 2026-12-04T11:57:41Z a user request set desired to 8."), activityAt("11:55", "Failed", launch, noRoom, ""), activityAt("09:55", "Failed", launch, "old", ""))},
			want: []string{
				"activity_failed: web: last launch failed at 11:58 UTC (2 failures within the hour): AWS has no such instances left: We currently do not have sufficient c7g.xlarge capacity in the Availability Zone you requested (eu-central-1a)",
				"activity_cause: web: that launch was wanted because: At 2026-12-04T11:57:41Z a user request set desired to 8.",
			},
		},
		{
			name:    "the account's quota is used up",
			results: map[string]string{"DescribeScalingActivities": list("Activities", activityAt("11:58", "Failed", launch, "You have requested more vCPU capacity than your limit of 64.", "a reason"))},
			want:    []string{"activity_failed: web: last launch failed at 11:58 UTC: the account's quota is used up: You have requested more vCPU capacity than your limit of 64", "activity_cause: web: that launch was wanted because: a reason"},
		},
		{
			name:    "a failure that a later launch has mended",
			results: map[string]string{"DescribeScalingActivities": list("Activities", activityAt("11:59", "Successful", launch, "", ""), activityAt("11:58", "Failed", launch, noRoom, ""))},
			want:    nil,
		},
		{
			name: "a failure with capacity still missing, and launches under way", group: sizes("8", "2", "10"),
			results: map[string]string{"DescribeScalingActivities": list("Activities", activityAt("11:59", "MidLifecycleAction", launch, "", ""), activityAt("11:59", "InProgress", "Terminating EC2 instance: i-9", "", ""), activityAt("11:59", "Successful", launch, "", ""), activityAt("11:58", "Cancelled", launch, "Spot request was cancelled", ""))},
			want: []string{
				"below_desired: web: 4 of 8 desired in service since before 12:00 UTC; 1 pending",
				"activity_failed: web: last launch failed at 11:58 UTC: Spot: Spot request was cancelled",
				"launching: web: launches under way: 1 MidLifecycleAction",
			},
		},
		{
			name:    "an instance refresh is running",
			results: map[string]string{"DescribeInstanceRefreshes": list("InstanceRefreshes", "<member><Status>InProgress</Status><StartTime>"+at("11:30")+"</StartTime><PercentageComplete>40</PercentageComplete><InstancesToUpdate>3</InstancesToUpdate></member>", "<member><Status>Failed</Status></member>")},
			want:    []string{"instance_refresh: web: an instance refresh is running (InProgress, 40 %, 3 instances to go, since 11:30 UTC): instances are being replaced"},
		},
		{
			name:    "an instance refresh has failed",
			results: map[string]string{"DescribeInstanceRefreshes": list("InstanceRefreshes", "<member><Status>Failed</Status><EndTime>"+at("11:30")+"</EndTime><StatusReason>An instance failed its warm-up</StatusReason></member>")},
			want:    []string{"instance_refresh_failed: web: the instance refresh ended at 11:30 UTC: Failed: An instance failed its warm-up"},
		},
		{
			name:    "an instance refresh that failed in the morning",
			results: map[string]string{"DescribeInstanceRefreshes": list("InstanceRefreshes", "<member><Status>Failed</Status><EndTime>"+at("08:30")+"</EndTime></member>")},
			want:    nil,
		},
		{
			name: "scheduled actions, the next first",
			results: map[string]string{"DescribeScheduledActions": list("ScheduledUpdateGroupActions",
				"<member><ScheduledActionName>after</ScheduledActionName><StartTime>2026-12-05T01:00:00Z</StartTime><MinSize>2</MinSize></member>",
				"<member><ScheduledActionName>doors</ScheduledActionName><StartTime>"+at("12:30")+"</StartTime><MinSize>20</MinSize><MaxSize>40</MaxSize><DesiredCapacity>20</DesiredCapacity></member>",
				"<member><ScheduledActionName>past</ScheduledActionName><StartTime>"+at("11:30")+"</StartTime><MinSize>1</MinSize></member>")},
			want: []string{
				"scheduled_action: web: scheduled action doors at 12:30 UTC sets min 20, max 40, desired 20",
				"scheduled_action: web: scheduled action after at Dec 5 01:00 UTC sets min 2",
			},
		},
		{
			name: "targets that are unhealthy, initial, and not registered", group: balanced,
			results: map[string]string{"DescribeTargetHealth": list("TargetHealthDescriptions",
				targetXML("i-0", "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]"),
				targetXML("i-1", "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]"),
				targetXML("i-2", "unhealthy", "Target.Timeout", "Request timed out"),
				targetXML("i-4", "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"))},
			want: []string{
				"targets_unhealthy: web: 3 of 4 targets unhealthy in target group web: 2 Target.ResponseCodeMismatch (Health checks failed with these codes: [502]), 1 Target.Timeout (Request timed out)",
				"targets_initial: web: 1 of 4 targets not yet serving in target group web: Elb.InitialHealthChecking (Initial health checks in progress)",
				"targets_not_registered: web: 1 instances in service are not in target group web: they get no traffic from it",
			},
		},
		{
			name: "a warm pool whose size follows max", group: "<WarmPoolConfiguration><PoolState>Stopped</PoolState></WarmPoolConfiguration><WarmPoolSize>6</WarmPoolSize>",
			results: map[string]string{"DescribeWarmPool": list("Instances", instance("i-a", "Warmed:Stopped", "Healthy"), instance("i-b", "Warmed:Stopped", "Healthy"), instance("i-c", "Warmed:Pending:Wait", "Healthy")) + "<NextToken>x</NextToken>"},
			want:    []string{"warm_pool: web: the warm pool holds 6 (Stopped), at least 2 ready, 1 being made; raising max launches more of them"},
		},
		{
			name: "a warm pool of a size of its own", group: "<WarmPoolConfiguration><PoolState>Running</PoolState><MaxGroupPreparedCapacity>8</MaxGroupPreparedCapacity></WarmPoolConfiguration><WarmPoolSize>0</WarmPoolSize>",
			want: []string{"warm_pool: web: the warm pool holds 0 (Running), 0 ready, 0 being made"},
		},
		{
			name: "a warm pool that is being deleted", group: "<WarmPoolConfiguration><Status>PendingDelete</Status></WarmPoolConfiguration>",
			want: []string{"warm_pool: web: the warm pool is being deleted"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := usual()
			h.results["DescribeAutoScalingGroups web"] = groupXML("web", c.group)
			for action, result := range c.results {
				h.results[action] = result
			}
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

func TestASuspendedLaunchComesFirst(t *testing.T) {
	h := usual()
	h.results["DescribeAutoScalingGroups web"] = groupXML("web", "<SuspendedProcesses><member><ProcessName>AZRebalance</ProcessName></member><member><ProcessName>ScheduledActions</ProcessName></member><member><ProcessName>Launch</ProcessName></member></SuspendedProcesses>")
	got := notesOf(newSource(t, serve(t, h), ask("arena", "web", Desired)).Read(t.Context(), noon()))
	if len(got) != 3 || !strings.HasPrefix(got[0], "launch_suspended") || !strings.Contains(got[1], "ScheduledActions") {
		t.Errorf("got %q", got)
	}
}

func TestEverySaleThatReadsAGroupIsTold(t *testing.T) {
	h := usual()
	h.results["DescribeAutoScalingGroups web"] = groupXML("web", sizes("4", "4", "4"))
	b := newSource(t, serve(t, h), ask("arena", "web", Desired), ask("arena", "web", Min), ask("club", "web", Desired)).Read(t.Context(), noon())
	if len(b.Notes) != 2 || b.Notes[0].Sale != "arena" || b.Notes[1].Sale != "club" {
		t.Errorf("got %+v", b.Notes)
	}
}

func TestHowLongCapacityHasBeenShortIsKept(t *testing.T) {
	h := usual("web")
	s := newSource(t, serve(t, h), ask("arena", "web", Desired))
	short := func(minute int) string {
		for _, n := range notesOf(s.Read(t.Context(), noon().Add(time.Duration(minute)*time.Minute))) {
			if strings.HasPrefix(n, "below_desired") {
				return n
			}
		}
		return ""
	}
	if got := short(0); got != "" {
		t.Errorf("got %s", got)
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", sizes("9", "2", "10")))
	for _, minute := range []int{3, 4, 9} {
		if got, want := short(minute), "below_desired: web: 4 of 9 desired in service since 12:03 UTC; 1 pending"; got != want {
			t.Errorf("at minute %d: got %s", minute, got)
		}
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", sizes("4", "2", "10")))
	if got := short(10); got != "" {
		t.Errorf("got %s", got)
	}
	h.set("DescribeAutoScalingGroups web", groupXML("web", sizes("5", "2", "10")))
	if got := short(11); !strings.Contains(got, "since 12:11 UTC") {
		t.Errorf("got %s", got)
	}
}

func TestAnOldExplanationIsNotShown(t *testing.T) {
	h := usual("web")
	h.set("DescribeInstanceRefreshes", list("InstanceRefreshes", "<member><Status>InProgress</Status></member>"))
	s := newSource(t, serve(t, h), ask("arena", "web", Desired))
	running := func(minute int) bool {
		b := s.Read(t.Context(), noon().Add(time.Duration(minute)*time.Minute))
		return slices.ContainsFunc(b.Notes, func(n sale.Note) bool { return n.Code == "instance_refresh" })
	}
	if !running(0) {
		t.Fatal("it is not shown at all")
	}
	h.fail("DescribeInstanceRefreshes", "InternalFailure")
	if !running(9) {
		t.Error("one failure hides it at once")
	}
	if running(11) {
		t.Error("it is shown for ever")
	}
}
