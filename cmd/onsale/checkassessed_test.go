package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestWhatIsWorkedOutIsNullInACheckWhereItIsNotKnown(t *testing.T) {
	nan := math.NaN()
	opens := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	none := sale.Cost{Held: nan, PerHour: nan, Enough: nan, Saves: nan}
	spent := sale.Budget{Name: "availability", Verdict: sale.OK, Left: 0.84, Burn: 2.1, Good: 0.9991, Month: nan, From: opens, To: opens.Add(time.Hour), Coverage: 1}
	unknown := sale.Budget{Name: "payment", Verdict: sale.Unknown, Left: nan, Burn: nan, Good: nan, Month: nan, Why: "no minute since the doors opened is known"}
	monthly := unknown
	monthly.MonthBy, monthly.Month = "availability_30d", 0.9994
	tests := []struct {
		name  string
		state sale.State
		want  []string // parts of the compact JSON
	}{
		{
			"before the doors open",
			sale.State{Cost: none},
			[]string{`"budget":null`, `"cost_per_hour_usd":null`, `"surge":null`, `"anomalies":[]`, `"cost":{"held":null,"enough":null,"saves_per_hour_usd":null}`},
		},
		{
			"the tightest known budget counts",
			sale.State{Cost: sale.Cost{Held: 24, PerHour: 3.984, Enough: nan, Saves: nan}, Budgets: []sale.Budget{unknown, spent}},
			[]string{
				`"budget":{"left_ratio":0.84,"burn":2.1,"month_ratio":null,"objective":"availability"`, `"cost_per_hour_usd":3.984`,
				`"monthly_availability":null`, `"why":"no minute since the doors opened is known"`,
			},
		},
		{
			"the month of the tightest budget, or else the first that is known",
			sale.State{Cost: none, Budgets: []sale.Budget{spent, monthly}},
			[]string{`"burn":2.1,"month_ratio":0.9994,"objective":"availability"`, `"monthly_availability":null`, `"monthly_availability":0.9994`},
		},
		{
			"no budget is known",
			sale.State{Cost: none, Budgets: []sale.Budget{unknown}},
			[]string{`"budget":{"left_ratio":null,"burn":null,"month_ratio":null,"objective":""`},
		},
		{
			"a surge, and an anomaly that can't be told",
			sale.State{
				Cost:      none,
				Surge:     sale.Surge{Signal: sale.Waiting, Basis: sale.ByPlan, On: true, Now: 48310, Expected: 36900, Ratio: 1.309, Since: opens},
				Anomalies: []sale.Anomaly{{Signal: sale.OrderRate, Why: "too little data: 4 of 8 minutes"}},
			},
			[]string{
				`"surge":{"on":true,"signal":"waiting","basis":"plan","value":48310,"expected":36900,"ratio":1.309,"since":"2026-12-04T09:00:00Z"}`,
				`{"signal":"order_rate","on":false,"value":null,"usual":null,"low":null,"high":null,"score":null,"since":null,"why":"too little data: 4 of 8 minutes"}`,
			},
		},
		{
			"a band of CloudWatch's model, and one that is not there",
			sale.State{Cost: none, Signals: []sale.Known{
				{Spec: &sale.Spec{Signal: sale.OrderRate}, Has: true, At: opens, Value: 300, Band: &sale.Band{Width: 2, Low: 210, High: 260, At: opens, On: true, Since: opens}},
				{Spec: &sale.Spec{Signal: sale.RequestRate}, Band: &sale.Band{Width: 3, Why: "no model"}},
			}},
			[]string{
				`"band":{"low":210,"high":260,"standard_deviations":2,"at":"2026-12-04T09:00:00Z","on":true,"since":"2026-12-04T09:00:00Z"}`,
				`"band":{"low":null,"high":null,"standard_deviations":3,"at":null,"on":false,"since":null,"why":"no model"}`,
			},
		},
	}
	for _, test := range tests {
		test.state.Sale = &sale.Sale{ID: "a", Opens: opens}
		got, err := json.Marshal(saleJSON(&test.state, opens))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for _, want := range test.want {
			if !strings.Contains(string(got), want) {
				t.Errorf("%s: %s is not in %s", test.name, want, got)
			}
		}
	}
}
