package cloudwatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/onsale-dev/onsale/sale"
)

// Defaults of Options.
const (
	DefaultEvery   = time.Minute
	DefaultDelay   = 2 * time.Minute
	DefaultHistory = 3 * time.Hour
	// DefaultLimit is AWS's default quota of GetMetricData, transactions per second.
	DefaultLimit = "50/s"

	lookbackPeriods    = 5 // read again at each poll, unless Options.Lookback says otherwise
	minLookbackPeriods = 3
)

// API is the part of the SDK's client that this source needs; *cloudwatch.Client has it.
type API interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// Options declare a source: one account (or monitoring account) in one region.
type Options struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     API

	// Every is the cadence of polls, never shorter than the shortest period; 0: one minute.
	Every time.Duration
	// Delay is how long after the end of a period its figure is complete and can be read;
	// 0: two minutes, what field practice gives for one-minute metrics.
	Delay time.Duration
	// Lookback is how far back each poll reads again, at least three periods; 0: five periods.
	// A call with a series that was quiet for that long looks back three times as far.
	Lookback time.Duration
	// History is how far back the first poll reads; 0: three hours.
	History time.Duration

	Queries []Query
	Limit   string // the account's quota in words; "": 50/s
}

// Query is one signal of one sale: one metric, or an expression over several.
type Query struct {
	sale.Key
	Unit sale.Unit
	// Metrics are the inputs, by the name that Expression uses. Without an expression there
	// is exactly one, and its name does not matter.
	Metrics    map[string]Stat
	Expression string // metric math, or a Metrics Insights query without metrics
	Region     string // "" or the source's own; another region needs a source of its own
	// Period is the metric's own period: 1, 5, 10, 20, 30 s or whole minutes; 0: one minute.
	Period time.Duration
	// MissingZero declares that silence means zero, as with the age of the oldest message of
	// an empty queue. See the package comment for what has to hold before a zero is given.
	MissingZero bool
	// Band asks, beside the one metric, for the band of CloudWatch's own model of it, so many
	// standard deviations wide to each side; 0: none. It is not there for an Expression.
	Band float64
}

// Stat is one statistic of one metric.
type Stat struct {
	Namespace  string
	Metric     string
	Dimensions map[string]string
	Statistic  string // Average, Sum, Minimum, Maximum, SampleCount, p95 …
	Account    string // of a source account, when the credentials are a monitoring account's
	Region     string // "" or the source's own
}

func (q Query) inputs() []string { return slices.Sorted(maps.Keys(q.Metrics)) }

// Source reads the queries of one region. It implements sources.Source.
type Source struct {
	opts   Options
	settle time.Duration
	calls  []*call
	last   []*sale.Problem // by query: why it is missing; nil when it was read
}

// New makes a source. It refuses, with every fault named, what CloudWatch would refuse or
// answer with silence: a period that it does not take or does not keep, an unknown
// statistic, an expression that names no metric of its own, a metric of another region.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Source{
		opts:   o,
		settle: max(0, o.Delay-min(o.Every, time.Minute)),
		calls:  plan(o.Queries),
		last:   make([]*sale.Problem, len(o.Queries)),
	}
	for i := range s.last {
		s.last[i] = &sale.Problem{Class: sale.NotFound, Text: "not read yet"}
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	orElse := func(d *time.Duration, other time.Duration) {
		if *d == 0 {
			*d = other
		}
	}
	orElse(&o.Every, DefaultEvery)
	orElse(&o.Delay, DefaultDelay)
	orElse(&o.History, DefaultHistory)
	if o.Limit == "" {
		o.Limit = DefaultLimit
	}
	o.Queries = slices.Clone(o.Queries)
	for i := range o.Queries {
		orElse(&o.Queries[i].Period, time.Minute)
	}
	if shortest := o.shortest(); shortest > o.Every {
		o.Every = shortest
	}
	return o
}

func (o Options) shortest() time.Duration {
	var shortest time.Duration
	for _, q := range o.Queries {
		if shortest == 0 || q.Period < shortest {
			shortest = q.Period
		}
	}
	return shortest
}

// lookback is what each poll reads again of a query with this period.
func (o Options) lookback(period time.Duration) time.Duration {
	if o.Lookback == 0 {
		return lookbackPeriods * period
	}
	n := (o.Lookback + period - 1) / period
	return max(n, minLookbackPeriods) * period
}

// Info describes the source. Its cadence is the one to judge ages by: a new sample each
// period, at the latest Delay after the instant it describes.
func (s *Source) Info() sale.SourceInfo {
	metrics := 0
	for _, c := range s.calls {
		metrics += c.metrics()
	}
	period := max(s.opts.shortest(), s.opts.Every)
	return sale.SourceInfo{
		Name:    s.opts.Name,
		Kind:    "cloudwatch",
		Every:   s.opts.Every,
		Cadence: sale.Cadence{Period: period, Delay: max(s.opts.Delay, s.settle+s.opts.Every)},
		Gives:   plural(metrics, "metric") + " in " + plural(len(s.calls), "call"),
		Limit:   s.opts.Limit,
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// Permissions lists what IAM must allow, on all resources: it can't be narrowed.
func Permissions() []string { return []string{"cloudwatch:GetMetricData"} }

// AlarmPermissions lists the IAM actions that a source of alarms calls, none of which can be narrowed to
// a resource; tags is whether alarms are told apart by their tags.
func AlarmPermissions(tags bool) []string {
	all := []string{"cloudwatch:DescribeAlarms", "cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule"}
	if tags {
		all = append(all, "cloudwatch:ListTagsForResource")
	}
	return all
}
