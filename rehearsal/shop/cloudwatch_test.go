package shop

import (
	"math"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

func metricOf(w *World, sale, name string) telemetry.Metric {
	for _, t := range w.minutes.bySale[sale] {
		if t.id.Namespace+"/"+t.id.Name == name {
			return t.id
		}
	}
	return telemetry.Metric{}
}

func TestAMinuteIsPublishedLateAndSettlesLater(t *testing.T) {
	w := play(t, Options{Seed: 4})
	w.run(20 * time.Second) // to 10:09:01
	minute := time.Date(2026, 12, 4, 9, 8, 0, 0, time.UTC)
	for name, late := range map[string]int{
		"AWS/ApplicationELB/RequestCount": publishedAfter, "AWS/RDS/DatabaseConnections": publishedAfter, "AWS/CloudFront/CacheHitRate": edgeAfter,
	} {
		m := metricOf(w, Main, name)
		first := 0
		var sums []float64
		for after := range 400 {
			c := w.CloudWatch(func() time.Time { return minute.Add(time.Duration(after) * time.Second) })
			got, exists := c.Minutes(m, minute, minute.Add(time.Minute))
			if !exists {
				t.Fatalf("%s does not exist", name)
			}
			if len(got) == 1 {
				if first == 0 {
					first = after
				}
				if len(sums) == 0 || sums[len(sums)-1] != got[0].Sum {
					sums = append(sums, got[0].Sum)
				}
			}
		}
		if first < late || first > late+35 {
			t.Errorf("%s is published after %d s, not %d to %d", name, first, late, late+35)
		}
		if revised := len(sums) > 1; revised != (name == "AWS/ApplicationELB/RequestCount") {
			t.Errorf("%s had the sums %v", name, sums)
		}
	}
}

func TestEveryMinuteOfTheLastHourIsThere(t *testing.T) {
	w := play(t, Options{Seed: 4})
	c := w.CloudWatch(w.Now)
	for _, region := range []string{telemetry.Region, telemetry.Edge} {
		list := c.List(region)
		if len(list) == 0 {
			t.Errorf("no metrics in %s", region)
		}
		for _, m := range list {
			got, _ := c.Minutes(m, start().Add(-time.Hour), start())
			if sparse := m.Name == "ApproximateAgeOfOldestMessage" || m.Name == "HTTPCode_Target_5XX_Count" || m.Name == "HTTPCode_ELB_5XX_Count"; !sparse && len(got) < 53 {
				t.Errorf("%v has %d minutes", m, len(got))
			}
			for i, p := range got {
				if p.Start.Second() != 0 || i > 0 && !p.Start.After(got[i-1].Start) || p.Count <= 0 || p.Min > p.Max+1e-9 || p.Sum/p.Count > p.Max+1e-6 {
					t.Fatalf("%v has the minute %+v", m, p)
				}
			}
		}
	}
	if _, exists := c.Minutes(telemetry.Metric{Region: telemetry.Region, Namespace: "AWS/RDS", Name: "Nope"}, start(), start()); exists {
		t.Error("a metric that nobody publishes exists")
	}
}

func TestMinutesAgreeWithTheTruthThatIsPublished(t *testing.T) {
	w := play(t, Options{Seed: 4})
	w.run(2 * time.Minute)
	c := w.CloudWatch(w.Now)
	truth := w.Truth(w.Now())
	newest := func(sale, name string) telemetry.Minute {
		got, _ := c.Minutes(metricOf(w, sale, name), start().Add(-time.Hour), start().Add(time.Hour))
		if len(got) == 0 {
			return telemetry.Minute{}
		}
		return got[len(got)-1]
	}
	for id, v := range truth.Sales {
		r, e := newest(id, "AWS/ApplicationELB/RequestCount"), newest(id, "AWS/ApplicationELB/HTTPCode_Target_5XX_Count")
		errors := 0.0
		if e.Start.Equal(r.Start) {
			errors = e.Sum
		}
		cpu := newest(id, "AWS/RDS/CPUUtilization")
		for signal, got := range map[string]float64{
			"error_ratio": errors / r.Sum, "db_connections": newest(id, "AWS/RDS/DatabaseConnections").Max, "db_cpu_ratio": cpu.Sum / cpu.Count / 100,
		} {
			if math.Abs(got-v[signal]) > 1e-9 {
				t.Errorf("%s of %s: the minutes say %v, the truth %v", signal, id, got, v[signal])
			}
		}
	}
	response := newest(Main, "AWS/ApplicationELB/TargetResponseTime")
	if n := len(response.Sorted); n != percentileSamples || response.Sorted[n*95/100] < 2.5*response.Sum/response.Count {
		t.Errorf("the percentiles of the response time are off: %v", response.Sorted)
	}
}

func TestAnEmptyQueueHasNoOldestMessage(t *testing.T) {
	w := play(t, Options{Seed: 4})
	c := w.CloudWatch(w.Now)
	if got, exists := c.Minutes(metricOf(w, "juniper", "AWS/SQS/ApproximateAgeOfOldestMessage"), start().Add(-time.Hour), start()); exists || len(got) > 0 {
		t.Errorf("a queue that never held a message publishes %v", got)
	}
	if visible, _, _, ok := c.Queue("juniper-orders"); !ok || visible != 0 {
		t.Errorf("the queue holds %d", visible)
	}
	if _, _, _, ok := c.Queue("nope"); ok {
		t.Error("an unknown queue is known")
	}
	if visible, inFlight, _, _ := c.Queue(Main + "-orders"); visible < 100 || inFlight < 1 {
		t.Errorf("the main sale's queue holds %d and %d", visible, inFlight)
	}
}

func TestAlarmsFollowThePublishedMinutes(t *testing.T) {
	w := play(t, Options{Seed: 4})
	c := w.CloudWatch(w.Now)
	states := map[string]string{}
	for _, region := range []string{telemetry.Region, telemetry.Edge} {
		for _, a := range c.Alarms(region) {
			states[a.Name] = a.State
			if a.Metric.Region != region || a.Reason == "" || a.State != telemetry.AlarmInsufficient && (a.Since.IsZero() || a.Since.After(w.Now())) {
				t.Errorf("alarm %+v", a)
			}
		}
	}
	if len(states) != 24 {
		t.Errorf("there are %d alarms", len(states))
	}
	for name, want := range map[string]string{
		"lantern-rds-connections": telemetry.AlarmFiring, "kestrel-rds-connections": telemetry.AlarmOK,
		"lantern-edge-5xx": telemetry.AlarmOK, "juniper-orders-oldest": telemetry.AlarmInsufficient,
	} {
		if states[name] != want {
			t.Errorf("%s is %s, not %s", name, states[name], want)
		}
	}
}

func TestACompositeFollowsItsChildrenAndAMuteRuleIsActive(t *testing.T) {
	w := play(t, Options{Seed: 4})
	c := w.CloudWatch(w.Now)
	known := map[string]string{}
	for _, a := range c.Alarms(telemetry.Region) {
		known[a.Name] = a.State
	}
	all := c.Composites(telemetry.Region)
	if len(all) != 1 || all[0].Name != "kestrel-platform" || all[0].State != telemetry.AlarmOK || all[0].Since.IsZero() || len(all[0].Children) != 3 {
		t.Fatalf("composites: %+v", all)
	}
	for _, child := range all[0].Children {
		if known[child] == "" || known[child] == telemetry.AlarmFiring {
			t.Errorf("child %s is %q", child, known[child])
		}
	}
	if none := c.Composites("eu-west-1"); len(none) != 0 {
		t.Errorf("a region without alarms has %+v", none)
	}
	mutes := c.Mutes(telemetry.Region)
	if len(mutes) != 1 || !mutes[0].Active || !mutes[0].Expires.After(w.Now()) || known[mutes[0].Alarms[0]] == "" || len(c.Mutes(telemetry.Edge)) != 0 {
		t.Errorf("mutes: %+v", mutes)
	}
}
