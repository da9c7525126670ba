package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// held is a sale that its database holds at 640 a minute, with the sell-out and the drain of the screens.
func held(now time.Time) *sale.State {
	s := &sale.Sale{ID: "nine", Opens: now.Add(-23*time.Minute - 41*time.Second), Signals: []sale.Spec{{Signal: sale.DBConnections, Cadence: sale.Cadence{Period: time.Minute}}}}
	st := &sale.State{
		Sale: s, Phase: sale.Live, Verdict: sale.Bad, Needed: 1, NeededLive: 1,
		Signals: []sale.Known{{Spec: &s.Signals[0], Has: true, Value: 1840, At: now, Freshness: sale.Fresh}},
		Reasons: []sale.Reason{{Verdict: sale.Bad, Text: "declines 7.0 % > 5.0 % for 1:00"}},
		Limits: []sale.Limit{{
			Name: sale.LimitDatabase, Signal: sale.DBConnections, Has: true, Ratio: 0.92, Bounds: true, Safe: 641,
			Text: "RDS connections 92 % of max", Evidence: []sale.Evidence{{Signal: sale.DBConnections, At: now}},
		}},
		SafeAdmission: sale.SafeAdmission{Has: true, PerMinute: 640, Limit: sale.LimitDatabase},
		Forecast: sale.Forecast{
			SellOut: sale.When{Has: true, At: now.Add(9 * time.Minute), Low: now.Add(8 * time.Minute), AfterResume: true},
			Drain:   sale.When{Never: true, Grows: 120},
			Limit:   sale.When{Why: "admission is paused"},
			Serve:   sale.Serve{Has: true, Left: 3100, Waiting: 12400, Served: 4220, Miss: 8180},
		},
	}
	st.Binding = &st.Limits[0]
	return st
}

func TestACheckTellsTheLimitTheSafeAdmissionAndTheForecast(t *testing.T) {
	now := time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC)
	st := held(now)
	blind := &sale.State{Sale: &sale.Sale{ID: "ten"}, Verdict: sale.Unknown, SafeAdmission: sale.SafeAdmission{Why: "4 of 22 needed signals missing"}}
	line := checkLine(st, now, 8, false)
	if want := "▲ BAD      nine     live T+00:23:41       declines 7.0 % > 5.0 % for 1:00; RDS connections 92 % of max; safe admission <= 640/min"; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	if line := checkLine(blind, now, 8, false); strings.Contains(line, "safe") {
		t.Errorf("what is not known is told: %s", line)
	}
	if text := nagiosText([]*sale.State{st}); strings.Contains(text, "safe") {
		t.Errorf("Nagios gets more than the cause: %s", text)
	}
	var out bytes.Buffer
	if err := writeCheckJSON(&out, &sale.Snapshot{}, []*sale.State{st, blind}, now); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Sales []map[string]any `json:"sales"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	compact := func(v any) string {
		data, _ := json.Marshal(v)
		return string(data)
	}
	got := report.Sales[0]
	for key, want := range map[string]string{
		"safe_admission_per_minute": `640`,
		"binding_limit":             `{"headroom_ratio":0.08,"hit_at":null,"name":"database","ratio":0.92,"signal":"db_connections","text":"RDS connections 92 % of max"}`,
		"forecast": `{"drain":{"at":null,"growing_per_minute":120,"high":null,"low":null},"limit":null,` +
			`"sell_out":{"after_resume":true,"at":"2026-12-04T09:17:41Z","high":null,"low":"2026-12-04T09:16:41Z"},` +
			`"serve":{"counts_those_who_will_join":false,"miss":8180,"served":4220,"tickets":3100,"waiting":12400},"wait_seconds":null,"waiting_at_open":null}`,
	} {
		if text := compact(got[key]); text != want {
			t.Errorf("%s is %s\nwant %s", key, text, want)
		}
		if unknown, there := report.Sales[1][key]; !there || unknown != nil {
			t.Errorf("of a sale that can't be seen %s is %v, want null", key, unknown)
		}
	}
}

func TestARateAboveTheSafeAdmissionIsRefusedInWords(t *testing.T) {
	t.Parallel()
	n := startNight(t, rehearsal.Options{Seed: 7, Scenario: "calm"})
	r, out := n.act(filepath.Join(t.TempDir(), "journal"), "lantern", "rate", "--to", "900", "--reason", "test", "--confirm", "lantern")
	if out.code != 1 || r.Outcome != actions.Refused || len(r.Refusals) == 0 || !strings.Contains(r.Refusals[0].Text, "900/min is above the safe admission of 6") {
		t.Fatalf("exit %d, %s: %+v", out.code, r.Outcome, r.Refusals)
	}
	quoted := false
	for _, e := range r.Preview.Evidence {
		quoted = quoted || e.Signal == actions.SafeAdmission && e.Value != nil && *e.Value > 500 && *e.Value < 700
	}
	if !quoted {
		t.Errorf("the preview does not quote the safe admission: %+v", r.Preview.Evidence)
	}
	check := runIn(t, map[string]string{"LANG": "C.UTF-8"}, "check", "lantern", "-c", n.config)
	if !strings.Contains(check.stdout, "RDS connections ") || !strings.Contains(check.stdout, "of max; safe admission <= 6") {
		t.Errorf("check says %s", check.stdout)
	}
}
