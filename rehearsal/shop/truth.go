package shop

import (
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// Truth is the world's own account of itself: what an observer who made no mistake would have
// read at At. A signal that can't be known, such as a ratio of nothing, is absent.
//
// Rates and quantiles are over the last minute, as the shipped queries ask for; the admission rate
// is over Options.Window. What CloudWatch
// tells is the newest minute that it has published; what the waiting room tells is its published
// estimate. Capacity is the model's own. Names that end in _now are the model's own values of this second.
type Truth struct {
	At     time.Time                     `json:"at"`
	Sales  map[string]map[string]float64 `json:"sales"`
	Ledger []Entry                       `json:"ledger"`
}

// Truth takes the account at a wall time, which may be up to a second after the newest step.
func (w *World) Truth(now time.Time) Truth {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := Truth{At: now.UTC(), Sales: map[string]map[string]float64{}, Ledger: slices.Clone(w.ledger)}
	if t.Ledger == nil {
		t.Ledger = []Entry{}
	}
	for _, s := range w.sales {
		values := map[string]float64{}
		s.truthOfFlows(values, w.window)
		s.truthOfRoom(values, now, w.at)
		w.minutes.truth(s, values, now.Unix())
		s.fleet.truth(values)
		t.Sales[s.ID] = values
	}
	return t
}

// latest returns the newest n seconds, oldest first.
func (s *state) latest(n int) []*Second {
	var out []*Second
	for unix := s.now.Unix - int64(n) + 1; unix <= s.now.Unix; unix++ {
		if sec := &s.seconds[unix%keptSeconds]; sec.Unix == unix {
			out = append(out, sec)
		}
	}
	return out
}

func (s *state) truthOfFlows(v map[string]float64, window int) {
	last := s.latest(60)
	if len(last) == 0 {
		return
	}
	perMinute := 60 / float64(len(last))
	var sum Second
	var web, payments, checkouts []weighted
	for _, sec := range last {
		sum.add(sec)
		web = append(web, weighted{sec.WebMean, sec.Requests})
		for p := range sec.Payments {
			payments = append(payments, weighted{sec.PaymentScale[p], sec.Payments[p]})
		}
		checkouts = append(checkouts, weighted{sec.CheckoutLen, sec.Checkouts})
	}
	v["inflow_rate"] = sum.Joined * perMinute
	v["admission_rate"] = admitted(s.latest(window))
	v["checkout_rate"] = sum.Checkouts * perMinute
	v["order_rate"] = sum.Orders * perMinute
	v["request_rate"] = sum.Requests * perMinute / 60
	if paid := sum.Payments[0] + sum.Payments[1]; paid > 0 {
		v["payment_failure_ratio"] = (sum.Failed[0] + sum.Failed[1]) / paid
	}
	for i, name := range Providers() {
		if sum.Payments[i] > 0 {
			v["payment_failure_ratio_"+strings.ToLower(name)] = sum.Failed[i] / sum.Payments[i]
		}
	}
	if q, ok := quantile(0.95, web, exponential); ok {
		v["latency_p95_seconds"] = q
	}
	if q, ok := quantile(0.95, payments, erlang); ok {
		v["payment_p95_seconds"] = q
	}
	if q, ok := quantile(0.90, checkouts, erlang); ok {
		v["checkout_p90_seconds"] = q
	}
	v["holds"], v["tickets_left"], v["tickets_held"] = s.now.Holds, s.now.Left, s.now.Held
	v["tickets_sold_now"], v["admission_rate_now"] = s.now.Sold, 60*s.now.Admitted
	v["availability_30d"] = s.now.MonthGood
	v["db_connections_max"] = float64(s.DBMax)
	v["queue_depth"] = s.now.Depth
	v["db_connections_now"], v["capacity_in_service_now"] = s.now.DBConnections, s.now.InService
}

// admitted is the mean of some seconds in people per minute.
func admitted(seconds []*Second) float64 {
	sum := 0.0
	for _, sec := range seconds {
		sum += sec.Admitted
	}
	return 60 * sum / float64(len(seconds))
}

func (s *state) truthOfRoom(v map[string]float64, now, at time.Time) {
	limit, ceiling := s.room.Effective(now)
	v["admission_limit"], v["active_limit"] = float64(limit), float64(ceiling)
	st := s.status(min(now.Unix(), at.Unix()))
	v["waiting"], v["active_users"] = float64(st.Queued), float64(st.Active)
	v["waiting_now"], v["active_users_now"] = s.now.Queue, s.now.Active
	if !s.room.QueueAll && st.State != StatusSuspended {
		v["wait_seconds"] = 60 * float64(st.MaxWaitInMinutes)
	}
}

// truth adds what CloudWatch has published last.
func (m *minutes) truth(s *state, v map[string]float64, now int64) {
	newest := map[string]folded{}
	for _, t := range m.bySale[s.ID] {
		f, ok := t.newest(now)
		if !ok {
			continue
		}
		if p := t.publish(f, time.Unix(f.minute*60, 0), now); p.Count > 0 { // counts are whole once published
			f.sum, f.n = p.Sum, p.Count
			newest[t.id.Namespace+"/"+t.id.Name] = f
		}
	}
	set := func(signal, metric string, of func(f folded) float64) {
		if f, ok := newest[metric]; ok {
			v[signal] = of(f)
		}
	}
	highest := func(f folded) float64 { return f.top }
	percent := func(f folded) float64 { return f.sum / f.n / 100 }
	if r, ok := newest["AWS/ApplicationELB/RequestCount"]; ok && r.sum > 0 {
		failed := 0.0
		if e, ok := newest["AWS/ApplicationELB/HTTPCode_Target_5XX_Count"]; ok && e.minute == r.minute {
			failed = e.sum
		}
		v["error_ratio"] = failed / r.sum
	}
	set("db_connections", "AWS/RDS/DatabaseConnections", highest)
	set("db_cpu_ratio", "AWS/RDS/CPUUtilization", percent)
	set("edge_error_ratio", "AWS/CloudFront/5xxErrorRate", percent)
	set("cache_hit_ratio", "AWS/CloudFront/CacheHitRate", percent)
	v["queue_oldest_seconds"] = 0 // nothing is published while the queue is empty
	if f, ok := newest["AWS/SQS/ApproximateAgeOfOldestMessage"]; ok {
		if d, ok := newest["AWS/SQS/ApproximateNumberOfMessagesVisible"]; ok && d.minute == f.minute {
			v["queue_oldest_seconds"] = f.top
		}
	}
}

var (
	_ telemetry.Metrics = (*CloudWatch)(nil)
	_ telemetry.Queues  = (*CloudWatch)(nil)
	_ telemetry.Alarms  = (*CloudWatch)(nil)
)
