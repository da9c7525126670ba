package prom

import (
	"math"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// Sample is one value of one series; Histogram is set for a native histogram and Value then unused.
type Sample struct {
	Labels    labels.Labels
	Value     float64
	Histogram *histogram.FloatHistogram

	ref storage.SeriesRef // 0: not known yet
}

// Flattener turns what a target exposes into samples. It is used by one goroutine at a time.
type Flattener struct {
	Job, Instance string

	samples []Sample
	origin  []origin // where each sample came from, parallel to samples
	next    int
	build   labels.ScratchBuilder
}

// origin is a metric of an exposition and the part of it that a series holds.
type origin struct {
	metric *dto.Metric
	part   int // a bucket's index, or one of the parts below
}

const (
	partValue = -1 - iota
	partSum
	partCount
	partInf
)

// Flatten turns scraped families into samples, as a Prometheus server does: a classic histogram
// becomes its _bucket, _sum and _count series, a native one stays whole. The result is valid
// until the next call. Families that are the same objects as in the last call keep their labels,
// which makes a long backfill ten times cheaper.
func (s *Flattener) Flatten(families []*dto.MetricFamily) []Sample {
	s.next = 0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				s.put(f.GetName(), m, partValue, 0).Value = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				s.put(f.GetName(), m, partValue, 0).Value = m.GetGauge().GetValue()
			case dto.MetricType_UNTYPED:
				s.put(f.GetName(), m, partValue, 0).Value = m.GetUntyped().GetValue()
			case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
				s.histogram(f.GetName(), m)
			case dto.MetricType_SUMMARY:
				s.put(f.GetName(), m, partSum, 0).Value = m.GetSummary().GetSampleSum()
				s.put(f.GetName(), m, partCount, 0).Value = float64(m.GetSummary().GetSampleCount())
			}
		}
	}
	s.samples, s.origin = s.samples[:s.next], s.origin[:s.next]
	return s.samples
}

func (s *Flattener) histogram(name string, m *dto.Metric) {
	h := m.GetHistogram()
	count := h.GetSampleCountFloat()
	if count == 0 {
		count = float64(h.GetSampleCount())
	}
	if len(h.GetPositiveSpan()) > 0 || h.GetZeroThreshold() > 0 {
		s.put(name, m, partValue, 0).Histogram = native(h, count)
		return
	}
	inf := false
	for i, b := range h.GetBucket() {
		n := b.GetCumulativeCountFloat()
		if n == 0 {
			n = float64(b.GetCumulativeCount())
		}
		inf = inf || math.IsInf(b.GetUpperBound(), 1)
		s.put(name, m, i, b.GetUpperBound()).Value = n
	}
	if !inf {
		s.put(name, m, partInf, math.Inf(1)).Value = count
	}
	s.put(name, m, partSum, 0).Value = h.GetSampleSum()
	s.put(name, m, partCount, 0).Value = count
}

// put returns the next sample with its labels; the caller sets the value.
func (s *Flattener) put(name string, m *dto.Metric, part int, upper float64) *Sample {
	from := origin{m, part}
	if s.next < len(s.samples) && s.origin[s.next] == from {
		s.next++
		return &s.samples[s.next-1]
	}
	s.build.Reset()
	for _, l := range m.GetLabel() {
		s.build.Add(l.GetName(), l.GetValue())
	}
	switch {
	case part == partSum:
		name += "_sum"
	case part == partCount:
		name += "_count"
	case part != partValue:
		name += "_bucket"
		s.build.Add(labels.BucketLabel, bound(upper))
	}
	s.build.Add(model.MetricNameLabel, name)
	s.build.Add("instance", s.Instance)
	s.build.Add("job", s.Job)
	s.build.Sort()
	fresh := Sample{Labels: s.build.Labels()}
	if s.next < len(s.samples) {
		s.samples[s.next], s.origin[s.next] = fresh, from
	} else {
		s.samples, s.origin = append(s.samples, fresh), append(s.origin, from)
	}
	s.next++
	return &s.samples[s.next-1]
}

// bound writes a bucket's upper bound as Prometheus 3 does: always a float.
func bound(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func native(h *dto.Histogram, count float64) *histogram.FloatHistogram {
	fh := &histogram.FloatHistogram{
		Schema: h.GetSchema(), ZeroThreshold: h.GetZeroThreshold(),
		Count: count, Sum: h.GetSampleSum(), ZeroCount: h.GetZeroCountFloat(),
	}
	if fh.ZeroCount == 0 {
		fh.ZeroCount = float64(h.GetZeroCount())
	}
	for _, span := range h.GetPositiveSpan() {
		fh.PositiveSpans = append(fh.PositiveSpans, histogram.Span{Offset: span.GetOffset(), Length: span.GetLength()})
	}
	if counts := h.GetPositiveCount(); len(counts) > 0 {
		fh.PositiveBuckets = append([]float64(nil), counts...)
		return fh
	}
	var n int64 // integer histograms send differences
	for _, d := range h.GetPositiveDelta() {
		n += d
		fh.PositiveBuckets = append(fh.PositiveBuckets, float64(n))
	}
	return fh
}

// stale turns samples into the markers that end their series at once.
func stale(samples []Sample) []Sample {
	marker := math.Float64frombits(value.StaleNaN)
	out := make([]Sample, len(samples))
	for i, s := range samples {
		out[i] = Sample{Labels: s.Labels, ref: s.ref, Value: marker}
		if s.Histogram != nil {
			out[i].Histogram = &histogram.FloatHistogram{Sum: marker}
		}
	}
	return out
}
