package cloudwatch

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Retention by period, of GetMetricData's reference: an older StartTime gives silently nothing.
var retention = []struct {
	below time.Duration // holds for periods shorter than this
	keeps time.Duration
	words string
}{
	{time.Minute, 3 * time.Hour, "3 h"},
	{5 * time.Minute, 15 * day, "15 days"},
	{time.Hour, 63 * day, "63 days"},
	{1<<63 - 1, 455 * day, "455 days"},
}

const day = 24 * time.Hour

const maxDimensions = 30 // of one metric, PutMetricData's reference

var statistics = regexp.MustCompile(`^(SampleCount|Average|Sum|Minimum|Maximum|IQM|` +
	`(p|tm|tc|ts|wm)(\d{1,2}(\.\d{1,10})?|100)|(TM|TC|TS|WM|PR)\([0-9.%]*:[0-9.%]*\))$`)

// check refuses what CloudWatch would refuse, or would answer with silence. All faults are
// reported together.
func (o Options) check() error {
	var faults []error
	if o.Name == "" {
		faults = append(faults, errors.New("a source needs a name"))
	}
	if o.API == nil {
		faults = append(faults, errors.New("no API client given"))
	}
	for what, d := range map[string]time.Duration{"every": o.Every, "delay": o.Delay, "lookback": o.Lookback, "history": o.History} {
		if d < 0 {
			faults = append(faults, fmt.Errorf("%s %s: must not be negative", what, d))
		}
	}
	seen := map[string]bool{}
	for _, q := range o.Queries {
		where := fmt.Sprintf("sale %s, signal %s", q.Sale, q.Signal)
		if seen[where] {
			faults = append(faults, fmt.Errorf("%s: declared twice", where))
		}
		seen[where] = true
		for _, err := range q.check(o) {
			faults = append(faults, fmt.Errorf("%s: %w", where, err))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("cloudwatch source %q: %w", o.Name, errors.Join(faults...))
}

func (q Query) check(o Options) []error {
	var faults []error
	if q.Sale == "" || q.Signal == "" {
		faults = append(faults, errors.New("a query needs a sale and a signal"))
	}
	if err := checkRegion(q.Region, o.Region); err != nil {
		faults = append(faults, err)
	}
	if err := checkPeriod(q.Period, max(o.History, quietFactor*o.lookback(q.Period))); err != nil {
		faults = append(faults, err)
	}
	switch {
	case q.Expression == "" && len(q.Metrics) != 1:
		faults = append(faults, fmt.Errorf("has %d metrics and no expression: give one metric, or an expression that makes one number of them", len(q.Metrics)))
	case len(q.Metrics) > maxQueries-1:
		faults = append(faults, fmt.Errorf("an expression over %d metrics: CloudWatch takes %d entries in a call, the expression included", len(q.Metrics), maxQueries))
	}
	if err := q.checkBand(); err != nil {
		faults = append(faults, err)
	}
	for _, id := range slices.Sorted(maps.Keys(q.Metrics)) {
		if q.Expression != "" && !validID.MatchString(id) {
			faults = append(faults, fmt.Errorf("metric %q: a name in an expression begins with a small letter and holds letters, digits and _ only", id))
		}
		for _, err := range q.Metrics[id].check(o.Region) {
			faults = append(faults, fmt.Errorf("metric %q: %w", id, err))
		}
	}
	if q.Expression != "" {
		if _, err := compile(q.Expression, q.inputs()); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// checkRegion: a client speaks to one region.
func checkRegion(asked, own string) error {
	if asked == "" || asked == own {
		return nil
	}
	return fmt.Errorf("is in region %s, this source reads %s: declare a source for %s and read it from there", asked, own, asked)
}

func (s Stat) check(region string) []error {
	var faults []error
	if s.Namespace == "" || s.Metric == "" {
		faults = append(faults, errors.New("needs a namespace and a metric name, as in AWS/RDS and CPUUtilization"))
	}
	if !statistics.MatchString(s.Statistic) {
		faults = append(faults, fmt.Errorf("statistic %q: CloudWatch knows Average, Sum, Minimum, Maximum, SampleCount, p95 and other percentiles, IQM, tm99 and TM(10%%:90%%)", s.Statistic))
	}
	if err := checkRegion(s.Region, region); err != nil {
		faults = append(faults, err)
	}
	if len(s.Dimensions) > maxDimensions {
		faults = append(faults, fmt.Errorf("has %d dimensions, CloudWatch takes %d", len(s.Dimensions), maxDimensions))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		if name == "" || strings.TrimSpace(s.Dimensions[name]) == "" {
			faults = append(faults, fmt.Errorf("dimension %q has no value", name))
		}
	}
	return faults
}

// checkPeriod holds a period against what GetMetricData accepts, and against how long
// CloudWatch keeps points of it.
func checkPeriod(period, window time.Duration) error {
	switch seconds := period / time.Second; {
	case period%time.Second != 0 || period <= 0:
		return fmt.Errorf("period %s: CloudWatch takes whole seconds", period)
	case period < time.Minute && !slices.Contains([]time.Duration{1, 5, 10, 20, 30}, seconds):
		return fmt.Errorf("period %s: below a minute CloudWatch takes 1, 5, 10, 20 or 30 s, and only for metrics stored in high resolution", period)
	case period > time.Minute && period%time.Minute != 0:
		return fmt.Errorf("period %s: from a minute on CloudWatch takes whole minutes", period)
	}
	for _, r := range retention {
		if period >= r.below {
			continue
		}
		if window > r.keeps {
			return fmt.Errorf("period %s over a window of %s: CloudWatch keeps points of this period for %s and would answer with nothing; take a shorter history or a longer period", period, window, r.words)
		}
		break
	}
	return nil
}
