package aws

import (
	"math"
	"slices"
	"time"
)

// This file answers ANOMALY_DETECTION_BAND.
//
// Known, of AWS's metric math reference: the function takes a metric and a number of standard
// deviations, and gives two time series, the upper and the lower edge; it needs a model that was
// made before, of that very metric and statistic.
//
// Assumed: both series come back under the id of the expression, told apart by their labels; they
// go on where the metric is silent; a metric without a model is answered with a status of Complete
// and no datapoints. The model itself is invented: AWS does not publish its own. It is
// the mean of the three hours before the last quarter of an hour struck, and their deviation,
// with a floor of a twentieth of the mean: a rush is odd to it until it has been trained anew.

const (
	trainsOn     = 3 * time.Hour
	trainsEvery  = 15 * time.Minute
	leastTrained = 30 // minutes
	bandFloor    = 0.05
)

// hasModels names what the platform's account has trained a model of: the load balancer's traffic
// and times, and the database. Nobody trained one of the queues or of the edge.
var hasModels = []string{"AWS/ApplicationELB", "AWS/RDS"}

// model is what is usual of one metric and statistic.
type model struct{ mean, deviation float64 }

// modelOf finds or trains the model of a metric that the call asks for.
func (r *metricDataRun) modelOf(id string) (model, bool) {
	i, ok := r.index[id]
	if !ok || !r.q.queries[i].hasRef || !slices.Contains(hasModels, r.q.queries[i].stat.namespace) {
		return model{}, false
	}
	m := &r.q.queries[i]
	end := r.now.Truncate(trainsEvery)
	g := grid{start: end.Add(-trainsOn).Unix(), end: end.Unix(), period: max(m.stat.period, 60)}
	minutes, _ := r.c.metrics.Minutes(m.metric(r.c.region), end.Add(-trainsOn), end)
	if len(minutes) < leastTrained {
		return model{}, false
	}
	past := &series{grid: g}
	aggregate(past, minutes, m)
	return train(past.v)
}

func train(values []float64) (model, bool) {
	if len(values) == 0 {
		return model{}, false
	}
	sum, squares := 0.0, 0.0
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return model{mean, max(math.Sqrt(squares/float64(len(values))), bandFloor*math.Abs(mean))}, true
}

// band is ANOMALY_DETECTION_BAND(metric, deviations).
func (e *evaluator) band(n callNode) (value, error) {
	want := "a metric and, if wanted, a number of standard deviations above 0"
	if len(n.args) < 1 || len(n.args) > 2 {
		return value{}, wrongArguments(n, want)
	}
	name, ok := n.args[0].(nameNode)
	if !ok {
		return value{}, wrongArguments(n, want)
	}
	of, err := e.lookup(name.name)
	if err != nil {
		return value{}, err
	}
	if of.form != isSeries {
		return value{}, wrongArguments(n, want)
	}
	width := 2.0
	if len(n.args) == 2 {
		w, err := e.eval(n.args[1])
		if err != nil {
			return value{}, err
		}
		if w.form != isScalar || !(w.scalar > 0) {
			return value{}, wrongArguments(n, want)
		}
		width = w.scalar
	}
	lower, upper := of.series[0].empty(of.series[0].label+" (lower)"), of.series[0].empty(of.series[0].label+" (upper)")
	if m, ok := e.trained(name.name); ok {
		of.series[0].grid.each(func(t int64) {
			lower.add(t, m.mean-width*m.deviation)
			upper.add(t, m.mean+width*m.deviation)
		})
	}
	return array([]*series{upper, lower}), nil
}

func (e *evaluator) trained(id string) (model, bool) {
	if e.model == nil {
		return model{}, false
	}
	return e.model(id)
}
