package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

func TestCheckAgreesWithThePlatformsOwnLedger(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"calm", "payment-degrades", "db-exhausted"} {
		t.Run(scenario, func(t *testing.T) {
			n := startNight(t, rehearsal.Options{Seed: 7, Scenario: scenario, Ahead: 4 * time.Minute})
			var r report
			truths := n.truthsWhile(func() { r, _ = n.check() })
			before := truths[0]
			if r.Schema != "onsale.check/v1" || len(r.Sales) != 6 {
				t.Fatalf("schema %q with %d sales", r.Schema, len(r.Sales))
			}
			for _, s := range r.Sources {
				if s.Condition != "live" && s.Condition != "late" || s.Error != "" {
					t.Errorf("source %s is %s: %s", s.Name, s.Condition, s.Error)
				}
			}
			compared := 0
			for _, s := range r.Sales {
				for name, got := range s.Signals {
					want, known := before.Sales[s.ID][name]
					if !known || got.Value == nil {
						continue
					}
					compared++
					// One poll of drift: a Prometheus figure moves with its one-minute rates, a waiting
					// room's is up to 50 s old, a CloudWatch minute up to three.
					slack := map[string]float64{"metrics": 0.3, "orders": 0.5, "gate": 0.25, "aws": 0.6, "edge": 0.6, "": 0}[got.Source]
					lo, hi := want, want // a short queue fills and drains while the check runs
					for _, at := range truths {
						lo, hi = min(lo, at.Sales[s.ID][name]), max(hi, at.Sales[s.ID][name])
					}
					if !within(*got.Value, lo, hi, slack) {
						t.Errorf("%s %s = %v from %q, the platform says %v", s.ID, name, *got.Value, got.Source, want)
					}
				}
			}
			if compared < 6*15 {
				t.Errorf("only %d figures could be compared", compared)
			}
		})
	}
}

// within reports whether v is near the range that truth moved through, relative to its size;
// small counts may be off by a few.
func within(v, a, b, slack float64) bool {
	lo, hi := min(a, b), max(a, b)
	room := slack*max(math.Abs(lo), math.Abs(hi)) + 0.02
	if hi > 1 || v > 1 { // a count, not a ratio
		room += 20*slack + 3*slack*math.Sqrt(hi)
	}
	return v >= lo-room && v <= hi+room
}

func TestTheExitCodeIsTheWorstVerdict(t *testing.T) {
	tests := []struct {
		verdicts []sale.Verdict
		want     int
	}{
		{[]sale.Verdict{sale.OK}, 0},
		{[]sale.Verdict{sale.OK, sale.Watch}, 1},
		{[]sale.Verdict{sale.Watch, sale.Unknown, sale.OK}, 3},
		{[]sale.Verdict{sale.Unknown, sale.Bad}, 2},
		{nil, 3},
	}
	for _, test := range tests {
		var states []*sale.State
		for _, v := range test.verdicts {
			states = append(states, &sale.State{Verdict: v})
		}
		if got := exitCode(overall(states)); got != test.want {
			t.Errorf("%v exits %d, want %d", test.verdicts, got, test.want)
		}
	}
}

// A broken source is told apart, its kind of failure is named with a hint, and nothing else changes.
func TestEachSourceBrokenInEachKindIsToldApart(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	healthy, _ := n.check()
	needed := map[string]bool{"metrics": true, "aws": true, "gate": true} // the template needs signals of these while a sale is live
	services := map[string]string{"prometheus": "metrics", "cloudwatch-eu": "aws", "cloudwatch-us": "edge", "sqs": "orders", "cloudflare": "gate", "alertmanager": "alerts", "redis": "line"}
	alarms := map[string]string{"cloudwatch-eu": "aws_alarms", "prometheus": "rules"} // read from the same service, and broken with it
	classes := map[string][]string{
		"down": {"unreachable"}, "hang": {"timeout"}, "error": {"failing"},
		"garbage": {"bad_data"}, "throttle": {"throttled"},
	}
	for service, source := range services {
		for kind, class := range classes {
			t.Run(service+" "+kind, func(t *testing.T) {
				n.fault(service, kind)
				r, out := n.check("--timeout", "3s")
				n.fault(service, "ok")
				for _, s := range r.Sources {
					own := s.Name == source || s.Name == alarms[service]
					switch {
					case !own && s.Error != "":
						t.Errorf("source %s fails too: %s", s.Name, s.Error)
					case own && (s.Condition != "error" || !contains(class, s.Class) || s.Hint == ""):
						t.Errorf("source %s is %s, class %q, hint %q, error %q; want error of class %v with a hint", s.Name, s.Condition, s.Class, s.Hint, s.Error, class)
					}
				}
				for i, s := range r.Sales {
					for name, signal := range s.Signals {
						if signal.Source == source && signal.Value != nil {
							t.Errorf("%s %s has the value %v from a broken source", s.ID, name, *signal.Value)
						}
						if was := healthy.Sales[i].Signals[name]; signal.Source != source && was.Value != nil && signal.Value == nil {
							t.Errorf("%s %s of source %s vanished", s.ID, name, signal.Source)
						}
					}
					live := s.Phase == "live" || s.Phase == "opening"
					if live && needed[source] && s.Verdict != "unknown" && s.Verdict != "bad" {
						t.Errorf("%s is %s without %s", s.ID, s.Verdict, source)
					}
				}
				if want := map[string]int{"ok": 0, "watch": 1, "bad": 2, "unknown": 3}[r.Verdict]; out.code != want || needed[source] && out.code < 2 {
					t.Errorf("exit %d with verdict %s", out.code, r.Verdict)
				}
			})
		}
	}
	if again, _ := n.check(); again.Verdict != healthy.Verdict {
		t.Errorf("after mending all the verdict is %s, it was %s", again.Verdict, healthy.Verdict)
	}
}

func contains(list []string, s string) bool {
	for _, each := range list {
		if each == s {
			return true
		}
	}
	return false
}

func TestCheckSpeaksEveryForm(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	utf8 := map[string]string{"LANG": "C.UTF-8"}
	text := runIn(t, utf8, "check", "-c", n.config)
	if lines := strings.Split(strings.TrimSpace(text.stdout), "\n"); len(lines) != 6 || text.stderr != "" {
		t.Errorf("want one line for each of six sales and nothing on stderr:\n%s%s", text.stdout, text.stderr)
	}
	ascii := runIn(t, map[string]string{"LANG": "C"}, "check", "-c", n.config)
	if strings.ContainsFunc(ascii.stdout, func(r rune) bool { return r > 126 }) {
		t.Errorf("not ASCII in a C locale:\n%s", ascii.stdout)
	}
	nagios := runIn(t, utf8, "check", "-c", n.config, "-o", "nagios")
	if strings.Count(nagios.stdout, "\n") != 1 || !strings.HasPrefix(nagios.stdout, "ONSALE ") || strings.Count(nagios.stdout, "|") != 1 {
		t.Errorf("not one line of text and performance data: %q", nagios.stdout)
	}
	if text.code != nagios.code {
		t.Errorf("exit %d as text, %d for Nagios", text.code, nagios.code)
	}
}

func TestWhatIsNotAVerdictExitsWith3(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"check", "--bogus"}, "bogus"},
		{"an unknown command", []string{"chekc"}, "chekc"},
		{"an unknown form", []string{"check", "-c", n.config, "-o", "xml"}, "json"},
		{"a sale that is not there", []string{"check", "-c", n.config, "nobody"}, "nobody"},
		{"no time at all", []string{"check", "-c", n.config, "--timeout", "0s"}, "more than zero"},
		{"a config that is not there", []string{"check", "-c", "/nowhere/onsale.yaml"}, "/nowhere/onsale.yaml"},
		{"no terminal for the cockpit", []string{"-c", n.config}, "terminal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := runIn(t, map[string]string{"LANG": "C.UTF-8"}, test.args...)
			if out.code != exitUnknown || out.stdout != "" || !strings.Contains(out.stderr, test.says) {
				t.Errorf("exit %d, stdout %q, stderr %q; want 3, nothing, and %q", out.code, out.stdout, out.stderr, test.says)
			}
		})
	}
}
