package views

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// tell gives the test world its causes, its next moves and its alarms.
func tell(snap *sale.Snapshot) {
	clock := func(h, m, s int) time.Time { return time.Date(2026, 12, 4, h, m, s, 0, worldNow.Location()) }
	set := func(id sale.ID, c sale.Cause, next sale.Move, alarms ...sale.Alarm) {
		st := snap.Sale(id)
		c.Verdict = st.Verdict
		st.Cause, st.Next, st.Alarms = c, next, alarms
	}
	set("lanterns",
		sale.Cause{Text: "declines 7.0 % > 5.0 %", Signal: sale.PaymentFailureRatio, Source: "metrics", Evidence: []sale.Signal{sale.PaymentFailureRatio}, Since: clock(10, 3, 12), More: 1},
		sale.Move{Text: "hold: paused, and declines is still bad"},
		sale.Alarm{
			Sale: "lanterns", Key: "payment_failure_ratio", Signal: sale.PaymentFailureRatio, Verdict: sale.Bad, Text: "payment declines", Value: "7.0 % > 5.0 %", Source: "metrics",
			Since: clock(10, 3, 12), Raised: clock(10, 4, 12), Folded: "payment p95, orders", Answered: sale.Answer{Who: "ivana", At: clock(10, 5, 21)},
		},
		sale.Alarm{
			Sale: "lanterns", Key: "db_connections", Signal: sale.DBConnections, Verdict: sale.Watch, Text: "db connections", Value: "92 % > 80 %", Source: "aws",
			Since: clock(9, 56, 0), Raised: clock(9, 57, 0), Answered: sale.Answer{Who: "ivana", At: clock(10, 5, 21)},
		})
	set("volt",
		sale.Cause{Text: "source metrics-st can't be read: connection refused; 5 of 9 needed signals missing", Signal: sale.AdmissionRate, Source: "metrics-st", Blind: true, Evidence: []sale.Signal{sale.AdmissionRate}, Since: clock(10, 4, 20)},
		sale.Move{Text: "mend source metrics-st first: nothing is safe on what can't be seen"},
		sale.Alarm{
			Sale: "volt", Key: "source:metrics-st", Signal: sale.AdmissionRate, Verdict: sale.Unknown, Text: "source metrics-st can't be read", Value: "5 of 9 needed signals missing", Source: "metrics-st",
			Blind: true, Since: clock(10, 4, 20), Raised: clock(10, 5, 20),
		})
	set("pier",
		sale.Cause{Text: "people waiting ~48,310 > 36,900", Signal: sale.Waiting, Source: "gate", Evidence: []sale.Signal{sale.Waiting}, Since: clock(9, 58, 30)},
		sale.Move{Text: "nothing to press before the doors open: watch waiting"},
		sale.Alarm{
			Sale: "pier", Key: "waiting", Signal: sale.Waiting, Verdict: sale.Watch, Text: "people waiting", Value: "48,310 > 36,900", Source: "gate",
			Since: clock(9, 58, 30), Raised: clock(9, 59, 30),
		})
	set("suma",
		sale.Cause{Text: "response time p95 1.72 s > 1.50 s", Signal: sale.LatencyP95, Source: "metrics", Evidence: []sale.Signal{sale.LatencyP95}, Since: clock(10, 0, 0)},
		sale.Move{Text: "nothing to press before the doors open: watch p95"},
		sale.Alarm{
			Sale: "suma", Key: "latency_p95_seconds", Signal: sale.LatencyP95, Verdict: sale.Watch, Text: "response time p95", Value: "1.72 s > 1.50 s", Source: "metrics",
			Since: clock(10, 0, 0), Raised: clock(10, 1, 0), Shelf: sale.Shelf{Who: "marko", Why: "load test", At: clock(10, 2, 0), Until: clock(11, 0, 0)},
		})
	for _, id := range []sale.ID{"owls", "comets"} {
		set(id, sale.Cause{Text: "none: 9 of 9 needed signals live and inside limits"}, sale.Move{Text: "nothing to do: watch"})
	}
	snap.Cleared = []sale.Cleared{
		{Alarm: sale.Alarm{Sale: "comets", Key: "edge_error_ratio", Verdict: sale.Watch, Text: "failing requests at the edge", Value: "1.4 % > 1.0 %", Source: "edge", Raised: clock(9, 44, 0), Answered: sale.Answer{Who: "marko", At: clock(9, 47, 0)}}, At: clock(9, 46, 10)},
	}
}

// alarmsWorld is the test world with two sources of foreign alarms.
func alarmsWorld() *sale.Snapshot {
	snap := world()
	at := func(min int) time.Time { return worldNow.Add(-time.Duration(min) * time.Minute) }
	cw := sale.SourceState{SourceInfo: sale.SourceInfo{Name: "aws-alarms", Kind: "cloudwatch-alarms", Every: 15 * time.Second, ReadsAlarms: true}, Condition: sale.SourceLive, LastOK: worldNow.Add(-8 * time.Second), AlarmsAt: worldNow.Add(-8 * time.Second)}
	cw.Alarms = []sale.ForeignAlarm{
		{Sale: "lanterns", Name: "lanterns-rds-connections", State: sale.ForeignFiring, Since: at(10), Text: "DatabaseConnections > 1,600 for 1 of 1 min", Kind: "metric"},
		{Sale: "volt", Name: "volt-orders-absent", State: sale.ForeignFiring, Since: at(4), Text: "orders < 1 for 3 of 3 min", Kind: "metric", Muted: "muted by rule night-batch until 11:00"},
		{Name: "old-batch-lag", State: sale.ForeignNoData, Since: at(158), Text: "job retired", Kind: "metric"},
	}
	for range 41 {
		cw.Alarms = append(cw.Alarms, sale.ForeignAlarm{Name: "fine", State: sale.ForeignOK, Kind: "metric"})
	}
	am := sale.SourceState{SourceInfo: sale.SourceInfo{Name: "pager", Kind: "alertmanager", Every: 15 * time.Second, ReadsAlarms: true}, Condition: sale.SourceLive, LastOK: worldNow.Add(-3 * time.Second), AlarmsAt: worldNow.Add(-3 * time.Second)}
	am.Alarms = []sale.ForeignAlarm{{Sale: "lanterns", Name: "PaymentDeclines", State: sale.ForeignFiring, Since: at(5), Text: "one in twelve cards is declined", Kind: "alert", Through: "on am-1, am-2", Muted: "silenced by ivana until 11:00: known"}}
	snap.Sources = append(snap.Sources, cw, am)
	return snap
}

// flood is the test world with more new alarms than one person can take in.
func flood() *sale.Snapshot {
	snap := alarmsWorld()
	comets := snap.Sale("comets")
	for i := range 14 {
		comets.Alarms = append(comets.Alarms, sale.Alarm{
			Sale: "comets", Key: "own-" + number(i), Verdict: sale.Watch, Text: "check " + number(i+1) + " fails", Value: number(i+2) + " > 1", Source: "metrics",
			Since: worldNow.Add(-6 * time.Minute), Raised: worldNow.Add(-time.Duration(300-i) * time.Second),
		})
	}
	return snap
}
