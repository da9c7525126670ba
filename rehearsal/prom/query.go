package prom

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// result is the data of a query: its values marshal themselves, native histograms included.
type result struct {
	ResultType parser.ValueType `json:"resultType"`
	Result     any              `json:"result"`
}

func (a *API) query(r *http.Request) answer {
	limit, err := intParameter(r, "limit")
	if err != nil {
		return bad("limit", err)
	}
	at, err := timeParameter(r, "time", a.now())
	if err != nil {
		return bad("time", err)
	}
	ctx, cancel, err := deadline(r)
	if err != nil {
		return bad("timeout", err)
	}
	defer cancel()
	opts, err := queryOptions(r)
	if err != nil {
		return bad("lookback_delta", err)
	}
	text := r.Form.Get("query")
	q, err := a.engine.NewInstantQuery(ctx, a.db, opts, text, at)
	if err != nil {
		return bad("query", err)
	}
	defer q.Close()
	return run(ctx, q, text, limit)
}

func (a *API) queryRange(r *http.Request) answer {
	limit, err := intParameter(r, "limit")
	if err != nil {
		return bad("limit", err)
	}
	start, err := parseTime(r.Form.Get("start"))
	if err != nil {
		return bad("start", err)
	}
	end, err := parseTime(r.Form.Get("end"))
	if err != nil {
		return bad("end", err)
	}
	if end.Before(start) {
		return bad("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(r.Form.Get("step"))
	if err != nil {
		return bad("step", err)
	}
	if step <= 0 {
		return bad("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	}
	if end.Sub(start)/step > maxPoints {
		return answer{problem: &problem{"bad_data", errors.New("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")}}
	}
	ctx, cancel, err := deadline(r)
	if err != nil {
		return bad("timeout", err)
	}
	defer cancel()
	opts, err := queryOptions(r)
	if err != nil {
		return bad("lookback_delta", err)
	}
	text := r.Form.Get("query")
	q, err := a.engine.NewRangeQuery(ctx, a.db, opts, text, start, end, step)
	if err != nil {
		return bad("query", err)
	}
	defer q.Close()
	return run(ctx, q, text, limit)
}

// run executes a query and copies its values out before the engine takes them back.
func run(ctx context.Context, q promql.Query, text string, limit int) answer {
	res := q.Exec(ctx)
	if res.Err != nil {
		return failed(res.Err)
	}
	notes := res.Warnings
	var values any
	truncated := false
	switch v := res.Value.(type) {
	case promql.Vector:
		truncated = limit > 0 && len(v) > limit
		if truncated {
			v = v[:limit]
		}
		values = append(promql.Vector{}, v...)
	case promql.Matrix:
		truncated = limit > 0 && len(v) > limit
		if truncated {
			v = v[:limit]
		}
		series := make(promql.Matrix, len(v))
		for i, s := range v {
			s.Floats = append([]promql.FPoint(nil), s.Floats...)
			s.Histograms = append([]promql.HPoint(nil), s.Histograms...)
			for j := range s.Histograms {
				s.Histograms[j].H = s.Histograms[j].H.Copy()
			}
			series[i] = s
		}
		values = series
	default:
		values = res.Value
	}
	if truncated {
		notes = notes.Add(errors.New("results truncated due to limit"))
	}
	return annotated(answer{data: result{res.Value.Type(), values}}, text, notes)
}

func deadline(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Form.Get("timeout")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	timeout, err := parseDuration(text)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	return ctx, cancel, nil
}

func queryOptions(r *http.Request) (promql.QueryOpts, error) {
	var delta time.Duration
	if text := r.Form.Get("lookback_delta"); text != "" {
		var err error
		if delta, err = parseDuration(text); err != nil {
			return nil, err
		}
	}
	return promql.NewPrometheusQueryOpts(r.Form.Get("stats") == "all", delta), nil
}

func intParameter(r *http.Request, name string) (int, error) {
	text := r.Form.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	if n < 0 {
		return 0, fmt.Errorf("%s must be non-negative", name)
	}
	return n, nil
}

func timeParameter(r *http.Request, name string, otherwise time.Time) (time.Time, error) {
	text := r.Form.Get(name)
	if text == "" {
		return otherwise, nil
	}
	return parseTime(text)
}

// parseTime reads seconds since 1970, with a fraction down to the millisecond, or RFC 3339.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		ms := math.Round(seconds * 1000)
		if math.IsNaN(ms) || math.Abs(ms) > 1e15 {
			return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
		}
		return time.UnixMilli(int64(ms)).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// parseDuration reads seconds or Prometheus' own form, such as 1m30s.
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		ns := seconds * float64(time.Second)
		if math.IsNaN(ns) || math.Abs(ns) > math.MaxInt64/2 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
}
