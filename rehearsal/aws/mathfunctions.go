package aws

import (
	"fmt"
	"math"
)

// call runs a function. Their names are in capitals and their meaning is AWS's:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func (e *evaluator) call(n callNode) (value, error) {
	switch n.function {
	case "METRICS":
		return e.metricsCall(n)
	case "FILL":
		return e.fill(n)
	case "IF":
		return e.conditional(n)
	case "ANOMALY_DETECTION_BAND":
		return e.band(n)
	}
	if reason := notRehearsed(n.function); reason != "" {
		return value{}, fmt.Errorf("function %s is not part of the rehearsal: %s", n.function, reason)
	}
	args, err := e.args(n)
	if err != nil {
		return value{}, err
	}
	if f := elementwise(n.function); f != nil {
		return e.perSeries(n, args, f)
	}
	if f := aggregation(n.function); f != nil {
		return e.aggregate(n, args, f)
	}
	switch n.function {
	case "PERIOD", "TIME_SERIES", "METRIC_COUNT", "REMOVE_EMPTY", "FIRST", "LAST":
		return e.special(n, args)
	}
	return value{}, fmt.Errorf("unsupported function %q", n.function)
}

func (e *evaluator) args(n callNode) ([]value, error) {
	var out []value
	for _, arg := range n.args {
		v, err := e.eval(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func wrongArguments(n callNode, want string) error {
	return fmt.Errorf("function %s takes %s", n.function, want)
}

// notRehearsed says why a function that CloudWatch has is missing here.
func notRehearsed(function string) string {
	switch function {
	case "SERVICE_QUOTA", "INSIGHT_RULE_METRIC", "DB_PERF_INSIGHTS", "LAMBDA":
		return "it reads another service"
	case "SEARCH", "SORT", "SLICE", "MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH":
		return "no shipped template uses it"
	}
	return ""
}

// elementwise are the functions that make one series of each series.
func elementwise(function string) func(*series) *series {
	point := func(f func(float64) float64) func(*series) *series {
		return func(s *series) *series { return s.each(f) }
	}
	steps := func(f func(change, seconds float64) float64) func(*series) *series {
		return func(s *series) *series {
			out := s.empty(s.label)
			for i := 1; i < len(s.t); i++ {
				out.add(s.t[i], f(s.v[i]-s.v[i-1], float64(s.t[i]-s.t[i-1])))
			}
			return out
		}
	}
	switch function {
	case "ABS":
		return point(math.Abs)
	case "CEIL":
		return point(math.Ceil)
	case "FLOOR":
		return point(math.Floor)
	case "LOG":
		return point(math.Log)
	case "LOG10":
		return point(math.Log10)
	case "DIFF":
		return steps(func(change, _ float64) float64 { return change })
	case "DIFF_TIME":
		return steps(func(_, seconds float64) float64 { return seconds })
	case "RATE":
		return steps(func(change, seconds float64) float64 { return change / seconds })
	case "RUNNING_SUM":
		return func(s *series) *series {
			sum := 0.0
			return s.each(func(v float64) float64 { sum += v; return sum })
		}
	}
	return nil
}

func (e *evaluator) perSeries(n callNode, args []value, f func(*series) *series) (value, error) {
	if len(args) != 1 || args[0].form == isScalar {
		return value{}, wrongArguments(n, "one argument: TS or TS[]")
	}
	out := value{form: args[0].form}
	for _, s := range args[0].series {
		y := f(s)
		e.lossy = e.lossy || len(y.t) < len(s.t) && n.function[:2] == "LO"
		out.series = append(out.series, y)
	}
	return out, nil
}

// aggregation are the functions that make one number of many: of all datapoints of a series, or of
// the values that the series of an array have at one time.
func aggregation(function string) func(values []float64) float64 {
	sum := func(values []float64) float64 {
		total := 0.0
		for _, v := range values {
			total += v
		}
		return total
	}
	mean := func(values []float64) float64 { return sum(values) / float64(len(values)) }
	extreme := func(pick func(a, b float64) float64) func([]float64) float64 {
		return func(values []float64) float64 {
			if len(values) == 0 {
				return math.NaN()
			}
			best := values[0]
			for _, v := range values[1:] {
				best = pick(best, v)
			}
			return best
		}
	}
	switch function {
	case "SUM":
		return sum
	case "AVG":
		return mean
	case "MIN":
		return extreme(math.Min)
	case "MAX":
		return extreme(math.Max)
	case "STDDEV":
		return func(values []float64) float64 {
			m, squares := mean(values), 0.0
			for _, v := range values {
				squares += (v - m) * (v - m)
			}
			return math.Sqrt(squares / float64(len(values)))
		}
	case "DATAPOINT_COUNT":
		return func(values []float64) float64 { return float64(len(values)) }
	}
	return nil
}

// aggregate applies an aggregation. Across an array, AVG counts a missing value as 0, as AWS
// documents; the others take the values that are there.
func (e *evaluator) aggregate(n callNode, args []value, f func([]float64) float64) (value, error) {
	if len(args) != 1 || args[0].form == isScalar {
		return value{}, wrongArguments(n, "one argument: TS or TS[]")
	}
	if args[0].form == isSeries {
		return scalar(f(args[0].series[0].v)), nil
	}
	all := args[0].series
	out := &series{grid: e.grid}
	for _, s := range all {
		out.grid = out.grid.finer(s.grid)
	}
	present := make([]float64, 0, len(all))
	aligned(all, func(t int64, v []float64, has []bool) {
		present = present[:0]
		for i := range v {
			if has[i] || n.function == "AVG" {
				present = append(present, v[i])
			}
		}
		e.put(out, t, f(present))
	})
	return single(out), nil
}

func (e *evaluator) metricsCall(n callNode) (value, error) {
	part := ""
	if len(n.args) > 0 {
		text, ok := n.args[0].(textNode)
		if !ok || len(n.args) > 1 {
			return value{}, wrongArguments(n, "nothing, or a string that the ids contain")
		}
		part = text.text
	}
	all, err := e.metrics(part)
	return array(all), err
}

func (e *evaluator) special(n callNode, args []value) (value, error) {
	if len(args) != 1 {
		return value{}, wrongArguments(n, "one argument")
	}
	v := args[0]
	switch n.function {
	case "PERIOD":
		if v.form != isSeries || v.series[0].asked == 0 {
			return value{}, wrongArguments(n, "one metric, not the result of an expression")
		}
		return scalar(float64(v.series[0].asked)), nil
	case "TIME_SERIES":
		if v.form != isScalar {
			return value{}, wrongArguments(n, "one argument: S")
		}
		s := &series{grid: e.grid}
		return single(s.filled(func(int64, int) (float64, bool) { return v.scalar, true })), nil
	}
	if v.form != isArray {
		return value{}, wrongArguments(n, "one argument: TS[]")
	}
	switch {
	case n.function == "METRIC_COUNT":
		return scalar(float64(len(v.series))), nil
	case n.function == "REMOVE_EMPTY":
		out := array(nil)
		for _, s := range v.series {
			if len(s.t) > 0 {
				out.series = append(out.series, s)
			}
		}
		return out, nil
	case len(v.series) == 0:
		return value{}, fmt.Errorf("function %s was given an empty array", n.function)
	case n.function == "FIRST":
		return single(v.series[0]), nil
	}
	return single(v.series[len(v.series)-1]), nil // LAST
}

// conditional is IF(condition, then, otherwise). A condition is true where it is not 0. Where it is
// true and the series of then has no value, the result is 0; where it is false and otherwise has
// none, or is left out, the datapoint is dropped.
func (e *evaluator) conditional(n callNode) (value, error) {
	args, err := e.args(n)
	if err != nil {
		return value{}, err
	}
	if len(args) < 2 || len(args) > 3 {
		return value{}, wrongArguments(n, "a condition, a value where it is true and, if wanted, one where it is false")
	}
	for _, arg := range args {
		if arg.form == isArray {
			return value{}, wrongArguments(n, "S and TS, not TS[]")
		}
	}
	condition, then := args[0], args[1]
	if condition.form == isScalar {
		switch {
		case condition.scalar != 0:
			return then, nil
		case len(args) == 3:
			return args[2], nil
		}
		return single(&series{grid: e.grid}), nil
	}
	out := condition.series[0].empty("")
	for i, t := range condition.series[0].t {
		if condition.series[0].v[i] != 0 {
			y := then.scalar
			if then.form == isSeries {
				y, _ = then.series[0].at(t)
			}
			e.put(out, t, y)
			continue
		}
		if len(args) < 3 {
			continue
		}
		y, ok := args[2].scalar, true
		if args[2].form == isSeries {
			y, ok = args[2].series[0].at(t)
		}
		if ok {
			e.put(out, t, y)
		}
	}
	return single(out), nil
}

// put adds a datapoint, unless its value is no number.
func (e *evaluator) put(s *series, t int64, v float64) {
	if !numeric(v) {
		e.lossy = true
		return
	}
	s.add(t, v)
}

// fill is FILL(series, S | TS | REPEAT | LINEAR): the gaps of the whole range that was asked for,
// also the newest periods, for which nothing has been published yet.
func (e *evaluator) fill(n callNode) (value, error) {
	if len(n.args) != 2 {
		return value{}, wrongArguments(n, "TS or TS[], and a filler")
	}
	v, err := e.eval(n.args[0])
	if err != nil {
		return value{}, err
	}
	if v.form == isScalar {
		return value{}, wrongArguments(n, "TS or TS[], and a filler")
	}
	mode := ""
	var with value
	if name, ok := n.args[1].(nameNode); ok && (name.name == "REPEAT" || name.name == "LINEAR") {
		mode = name.name
	} else if with, err = e.eval(n.args[1]); err != nil {
		return value{}, err
	} else if with.form == isArray {
		return value{}, wrongArguments(n, "S, TS, REPEAT or LINEAR as a filler")
	}
	out := value{form: v.form}
	for _, s := range v.series {
		filler := func(t int64, next int) (float64, bool) {
			switch {
			case mode == "REPEAT":
				return repeat(s, next)
			case mode == "LINEAR":
				return linear(s, t, next)
			case with.form == isSeries:
				return with.series[0].at(t)
			}
			return with.scalar, true
		}
		out.series = append(out.series, s.filled(filler))
	}
	return out, nil
}

// repeat gives the last value before a gap.
func repeat(s *series, next int) (float64, bool) {
	if next == 0 {
		return 0, false
	}
	return s.v[next-1], true
}

// linear gives the point of the straight line across a gap.
func linear(s *series, t int64, next int) (float64, bool) {
	if next == 0 || next == len(s.t) {
		return 0, false
	}
	t0, t1, v0, v1 := s.t[next-1], s.t[next], s.v[next-1], s.v[next]
	return v0 + (v1-v0)*float64(t-t0)/float64(t1-t0), true
}
