package views

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// outlooks gives the six sales of the test world what holds them and what lies ahead.
func outlooks(lanterns, volt, pier, suma, owls, comets *sale.State) {
	hold := func(st *sale.State, name sale.LimitName, signal sale.Signal, ratio, safe float64, words string, age time.Duration) {
		st.Limits = []sale.Limit{{Name: name, Signal: signal, Has: true, Ratio: ratio, Bounds: true, Safe: safe, Text: words}}
		st.Binding = &st.Limits[0]
		st.SafeAdmission = sale.SafeAdmission{Has: true, PerMinute: safe, Limit: name, Session: 6 * time.Minute, Measured: true}
		st.SafeAdmission.Evidence = []sale.Evidence{{Signal: signal, At: worldNow.Add(-age)}}
	}
	in := func(best, low, high float64) sale.When {
		after := func(m float64) time.Time { return worldNow.Add(time.Duration(m * float64(time.Minute))) }
		return sale.When{Has: true, At: after(best), Low: after(low), High: after(high)}
	}
	hold(lanterns, sale.LimitDatabase, sale.DBConnections, 0.92, 640, "RDS connections 92 % of max", 101*time.Second)
	lanterns.Forecast = sale.Forecast{
		SellOut: in(9, 8, 10), Drain: in(32.6, 28, 38),
		Serve: sale.Serve{Has: true, Left: 3100, Waiting: 12400, PerPerson: 0.734, Served: 4223, Miss: 8177},
	}
	for _, w := range []*sale.When{&lanterns.Forecast.SellOut, &lanterns.Forecast.Drain} {
		w.AfterResume, w.From = true, worldNow
	}
	lanterns.Forecast.Drain.Rate = 640
	lanterns.Sale.Plan.Lines = []sale.PlanLine{{Signal: sale.AdmissionRate, Points: []sale.PlanPoint{{Value: 200}, {After: 2 * time.Minute, Value: 400}, {After: 4 * time.Minute, Value: 800}}}}
	lanterns.Plan = []sale.Planned{{Signal: sale.AdmissionRate, At: worldNow, Has: true, Value: 800, Ratio: 0.025}}

	volt.Limits = []sale.Limit{{Name: sale.LimitAdmission, Text: "admission limit not known: admitted is stale", Why: "admitted is stale"}}
	volt.SafeAdmission.Why = "4 of 22 needed signals missing"
	volt.Forecast.SellOut.Why = "left is stale"

	hold(pier, sale.LimitInstances, sale.CapacityInService, 0.03, 1150, "40 pods", 4*time.Second)
	pier.Forecast.AtOpen = sale.AtOpen{Has: true, Value: 72078, Low: 69000, Most: 75000}
	pier.Sale.Plan.Lines = []sale.PlanLine{{Signal: sale.Waiting, Points: []sale.PlanPoint{{After: -30 * time.Minute, Value: 5000}, {After: 0, Value: 55000}}}}
	pier.Plan = []sale.Planned{{Signal: sale.Waiting, At: worldNow, Has: true, Value: 36900, Ratio: 1.31}}

	hold(suma, sale.LimitInstances, sale.CapacityInService, 0.03, 266, "ASG max 12", 12*time.Second)

	hold(owls, sale.LimitActive, sale.ActiveUsers, 0.27, 650, "active limit 3,400", 31*time.Second)
	owls.Forecast = sale.Forecast{
		SellOut: in(24.3, 21, 29), Drain: sale.When{Never: true, Grows: 500},
		Serve: sale.Serve{Has: true, Left: 10402, Waiting: 21480, PerPerson: 0.713, Served: 14589, Miss: 6891},
	}
	hold(comets, sale.LimitActive, sale.ActiveUsers, 0.79, 500, "active users 79 % of 2,600", 31*time.Second)
	comets.Forecast = sale.Forecast{
		SellOut: in(25.3, 22, 29), Drain: in(33.8, 30, 39),
		Serve: sale.Serve{Has: true, Left: 7093, Waiting: 9260, PerPerson: 0.713, Served: 9948, Miss: 2338, Joining: true},
	}
}

func TestWhatHoldsASaleAndWhatLiesAheadStandsOnEveryScreenThatHasRoom(t *testing.T) {
	r := NewRenderer()
	for _, tc := range []struct {
		w, h int
		draw func(Frame) string
		want []string
	}{
		{200, 50, r.Overview, []string{
			"binds  RDS connections 92 % of max; safe admission <= 640/min", "ahead  3,100 serve ~4,220 of ~12,400, ~8,180 miss", "33 min at 640/min",
			"binds  not known: 4 of 22 needed signals missing", "ahead  sell-out not known: left is stale",
			"binds  40 pods; safe admission <= 1,150/min", "~72,100 at open (plan 55,000) for 58,000 tickets",
			"binds  ASG max 12; safe admission <= 266/min", "binds  active limit 3,400; safe admission <= 650/min",
			"binds  active users 79 % of 2,600; safe admission <= 500/min", "~2,340 of those who wait or join will miss",
		}},
		{120, 36, r.Overview, []string{"· binds RDS connections 92 % of max; safe admission <= 640/min", "ahead 3,100 serve ~4,220 of ~12,400, ~8,180 miss"}},
		{80, 24, r.Overview, []string{"binds  RDS connections 92 % of max; safe admission <= 640/min  (1:41 old)", "ahead  3,100 serve ~4,220 of ~12,400, ~8,180 miss; sold out ~9 min after R;"}},
		{160, 45, r.Sale, []string{"binds  RDS connections 92 % of max; safe admission <= 640/min  (1:41 old)", "ahead  3,100 serve ~4,220", "plan 800 (dotted)", "safe 640"}},
	} {
		got := tc.draw(worldFrame(tc.w, tc.h, NewTheme(Options{Dark: true, Profile: Mono})))
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%dx%d does not say %q:\n%s", tc.w, tc.h, want, got)
			}
		}
	}
}
