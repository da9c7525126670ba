package actions_test

import (
	"encoding/json"
	"testing"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
)

func TestTheReportHasTheContractsShapeAndNullForWhatIsNotKnown(t *testing.T) {
	w := newWorld(t)
	p := w.show(vesna, rate(400))
	p.CostPerHour, p.Soonest = nil, 0
	shape := func(res actions.Result) map[string]any {
		rep := res.Report()
		data, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"schema", "action", "sale", "outcome", "reason", "from", "to", "read_back", "journal", "preview"} {
			if _, ok := m[key]; !ok {
				t.Errorf("%s is missing in %s", key, data)
			}
		}
		return m
	}
	m := shape(w.confirm(vesna, p))
	journal := m["journal"].(map[string]any)
	if m["schema"] != "onsale.act/v1" || m["outcome"] != "done" || m["read_back"].(map[string]any)["rate"] != 400.0 || journal["intent"] != 1.0 || journal["result"] != 2.0 {
		t.Errorf("%v", m)
	}
	m = shape(actions.Result{Outcome: actions.Refused, Preview: p, Text: "no"})
	pre := m["preview"].(map[string]any)
	if m["read_back"] != nil || pre["cost_per_hour_usd"] != nil || pre["soonest_seconds"] != nil || pre["latest_seconds"] != 120.0 ||
		m["journal"].(map[string]any)["intent"] != nil || pre["effect"].(map[string]any)["within_seconds"] != 180.0 {
		t.Errorf("%v", m)
	}
	for _, e := range pre["evidence"].([]any) {
		if e := e.(map[string]any); e["signal"] == "waiting" && (e["value"] != nil || e["age_seconds"] != nil) {
			t.Errorf("%v", e)
		}
	}
	w.system.Fault(actiontest.Reject)
	failed := w.do(vesna, rate(500))
	if rep := failed.Report(); rep.Hint == "" || rep.Outcome.ExitCode() != 2 {
		t.Errorf("%+v", rep)
	}
	for outcome, code := range map[actions.Outcome]int{actions.Done: 0, actions.Refused: 1, actions.Failed: 2, actions.Unknown: 3, "": 3} {
		if outcome.ExitCode() != code {
			t.Errorf("%s exits with %d", outcome, outcome.ExitCode())
		}
	}
}
