package shop

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// The publication of a minute, counted in seconds from its start. A load balancer's counts are at
// first incomplete and settle some time later, which is why closed minutes are worth reading twice.
const (
	publishedAfter    = 75  // and up to 35 s more, by resource
	edgeAfter         = 255 // CloudFront's metrics come later
	settledAfter      = 150
	unsettled         = 0.93
	percentileSamples = 200
)

// visibleAt returns when a minute of the track can first be read, as Unix time.
func (t *track) visibleAt(minute int64) int64 {
	after := int64(publishedAfter)
	if t.id.Namespace == "AWS/CloudFront" {
		after = edgeAfter
	}
	return minute*60 + after + t.jitter
}

// CloudWatch is the world as CloudWatch and SQS publish it. It implements telemetry.Metrics,
// telemetry.Queues and telemetry.Alarms.
type CloudWatch struct {
	w   *World
	now func() time.Time
}

// CloudWatch returns the world's telemetry. now decides what has been published.
func (w *World) CloudWatch(now func() time.Time) *CloudWatch { return &CloudWatch{w, now} }

// Minutes implements telemetry.Metrics.
func (c *CloudWatch) Minutes(m telemetry.Metric, from, to time.Time) ([]telemetry.Minute, bool) {
	now := c.now().Unix()
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	t, ok := c.w.minutes.byID[m]
	if !ok || !t.ever {
		return nil, false
	}
	var out []telemetry.Minute
	for _, f := range t.closed {
		start := time.Unix(f.minute*60, 0).UTC()
		if start.Before(from) || !start.Before(to) || t.visibleAt(f.minute) > now {
			continue
		}
		if p := t.publish(f, start, now); p.Count > 0 {
			out = append(out, p)
		}
	}
	return out, true
}

func (t *track) publish(f folded, start time.Time, now int64) telemetry.Minute {
	m := telemetry.Minute{Start: start, Sum: f.sum, Count: f.n, Min: f.lowest, Max: f.top, Unit: t.metric.unit}
	if t.id.Namespace == "AWS/ApplicationELB" {
		if now < f.minute*60+settledAfter {
			m.Sum, m.Count = m.Sum*unsettled, m.Count*unsettled
		}
		m.Count = math.Round(m.Count)
		if t.metric.unit == "Count" { // a balancer counts whole requests and publishes no zero
			m.Sum = m.Count
		}
	}
	if t.metric.law {
		m.Sorted = make([]float64, percentileSamples)
		for i := range m.Sorted {
			q := (float64(i) + 0.5) / percentileSamples
			m.Sorted[i] = -f.sum / f.n * math.Log(1-q)
		}
	}
	return m
}

// List implements telemetry.Metrics.
func (c *CloudWatch) List(region string) []telemetry.Metric {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	var out []telemetry.Metric
	for _, t := range c.w.minutes.tracks {
		if t.id.Region == region && t.ever {
			out = append(out, t.id)
		}
	}
	return out
}

// Queue implements telemetry.Queues.
func (c *CloudWatch) Queue(name string) (visible, inFlight, delayed int, ok bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, s := range c.w.sales {
		if s.Declared.Queue == name {
			return int(s.now.Depth), int(s.now.InFlight), 0, true
		}
	}
	return 0, 0, 0, false
}

// Names implements telemetry.Queues.
func (c *CloudWatch) Names() []string {
	var out []string
	for _, s := range c.w.sales {
		out = append(out, s.Declared.Queue)
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

// newest returns the newest published minute of a metric; ok is false when none is.
func (t *track) newest(now int64) (f folded, ok bool) {
	for i := len(t.closed) - 1; i >= 0; i-- {
		if t.visibleAt(t.closed[i].minute) <= now {
			return t.closed[i], true
		}
	}
	return folded{}, false
}
