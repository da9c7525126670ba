package shop

import (
	"hash/fnv"
	"math"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// keptMinutes is how many closed minutes of every metric are kept: eight hours.
const keptMinutes = 480

// metric is one CloudWatch metric of every sale: where it is, and what a second adds to it.
type metric struct {
	region, namespace, name, unit string
	dimensions                    func(d *Declared) map[string]string
	// take returns the sum, the number of samples and the smallest and largest of them that a
	// second adds; none for n = 0.
	take func(s *Second) (sum, n, low, high float64)
	// law tells that the samples follow an exponential law, so that percentiles can be had.
	law bool
}

func dimension(name string, of func(d *Declared) string) func(d *Declared) map[string]string {
	return func(d *Declared) map[string]string { return map[string]string{name: of(d)} }
}

func gauge(of func(s *Second) float64) func(s *Second) (sum, n, low, high float64) {
	return func(s *Second) (float64, float64, float64, float64) {
		v := of(s)
		return v, 1, v, v
	}
}

// counted is a metric whose every sample is a 1, as a load balancer writes its counts.
func counted(of func(s *Second) float64) func(s *Second) (sum, n, low, high float64) {
	return func(s *Second) (float64, float64, float64, float64) {
		v := of(s)
		return v, v, 1, 1
	}
}

// metrics lists what the platform publishes, in CloudWatch's own names.
func metrics() []metric {
	alb := dimension("LoadBalancer", func(d *Declared) string { return d.ALB })
	db := dimension("DBInstanceIdentifier", func(d *Declared) string { return d.DB })
	queue := dimension("QueueName", func(d *Declared) string { return d.Queue })
	asg := dimension("AutoScalingGroupName", func(d *Declared) string { return d.ASG })
	edge := func(d *Declared) map[string]string {
		return map[string]string{"DistributionId": d.Distribution, "Region": "Global"}
	}
	here := func(namespace, name, unit string, dim func(d *Declared) map[string]string, take func(s *Second) (float64, float64, float64, float64)) metric {
		return metric{region: telemetry.Region, namespace: namespace, name: name, unit: unit, dimensions: dim, take: take}
	}
	list := []metric{
		here("AWS/ApplicationELB", "RequestCount", "Count", alb, counted(func(s *Second) float64 { return s.Requests })),
		here("AWS/ApplicationELB", "HTTPCode_Target_2XX_Count", "Count", alb, counted(func(s *Second) float64 { return s.Codes[0] })),
		here("AWS/ApplicationELB", "HTTPCode_Target_4XX_Count", "Count", alb, counted(func(s *Second) float64 { return s.Codes[1] })),
		here("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Count", alb, counted((*Second).errors)),
		here("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Count", alb, counted(func(s *Second) float64 { return 0.08 * s.Codes[3] })),
		here("AWS/RDS", "DatabaseConnections", "Count", db, gauge(func(s *Second) float64 { return s.DBConnections })),
		here("AWS/RDS", "CPUUtilization", "Percent", db, gauge(func(s *Second) float64 { return 100 * s.DBCPU })),
		here("AWS/SQS", "ApproximateAgeOfOldestMessage", "Seconds", queue, func(s *Second) (float64, float64, float64, float64) {
			if s.Depth < 1 {
				return 0, 0, 0, 0
			}
			v := math.Round(s.Oldest)
			return v, 1, v, v
		}),
		here("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Count", queue, gauge(func(s *Second) float64 { return s.Depth })),
		here("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "Count", queue, gauge(func(s *Second) float64 { return s.InFlight })),
		here("AWS/AutoScaling", "GroupInServiceInstances", "None", asg, gauge(func(s *Second) float64 { return s.InService })),
		here("AWS/AutoScaling", "GroupDesiredCapacity", "None", asg, gauge(func(s *Second) float64 { return s.Desired })),
		here("AWS/AutoScaling", "GroupMinSize", "None", asg, gauge(func(s *Second) float64 { return s.Min })),
		here("AWS/AutoScaling", "GroupMaxSize", "None", asg, gauge(func(s *Second) float64 { return s.Max })),
		here("AWS/AutoScaling", "GroupPendingInstances", "None", asg, gauge(func(s *Second) float64 { return s.Pending })),
	}
	response := here("AWS/ApplicationELB", "TargetResponseTime", "Seconds", alb, func(s *Second) (float64, float64, float64, float64) {
		return s.WebMean * s.Requests, s.Requests, s.WebMean * 0.02, s.WebMean * 9
	})
	response.law = true
	list = append(list, response)
	for _, m := range []metric{
		{name: "Requests", unit: "None", take: counted(func(s *Second) float64 { return s.EdgeRequests })},
		{name: "5xxErrorRate", unit: "Percent", take: ratio(func(s *Second) (float64, float64) { return s.EdgeErrors, s.EdgeRequests })},
		{name: "CacheHitRate", unit: "Percent", take: ratio(func(s *Second) (float64, float64) { return s.EdgeHits, s.EdgeRequests })},
	} {
		m.region, m.namespace, m.dimensions = telemetry.Edge, "AWS/CloudFront", edge
		list = append(list, m)
	}
	return list
}

// ratio is a share of requests in percent, each request a sample.
func ratio(of func(s *Second) (part, whole float64)) func(s *Second) (sum, n, low, high float64) {
	return func(s *Second) (float64, float64, float64, float64) {
		part, whole := of(s)
		if whole == 0 {
			return 0, 0, 0, 0
		}
		return 100 * part, whole, 100 * part / whole, 100 * part / whole
	}
}

// folded is one closed minute of one metric.
type folded struct {
	minute              int64 // Unix time over 60
	sum, n, lowest, top float64
}

// track is one metric of one sale over the kept minutes.
type track struct {
	metric *metric
	id     telemetry.Metric
	jitter int64
	open   folded
	closed []folded // oldest first, at most keptMinutes
	ever   bool
}

// minutes folds seconds into the closed minutes that CloudWatch publishes.
type minutes struct {
	tracks []*track
	byID   map[telemetry.Metric]*track
	bySale map[string][]*track // in the order of the sale's metrics
	minute int64
}

func newMinutes(sales []*state) *minutes {
	m := &minutes{byID: map[telemetry.Metric]*track{}, bySale: map[string][]*track{}}
	list := metrics()
	for _, s := range sales {
		for i := range list {
			k := &list[i]
			id := telemetry.Metric{Region: k.region, Namespace: k.namespace, Name: k.name, Dimensions: telemetry.Dimensions(k.dimensions(&s.Declared))}
			h := fnv.New32a()
			_, _ = h.Write([]byte(id.Namespace + id.Dimensions)) // never fails
			t := &track{metric: k, id: id, jitter: int64(h.Sum32() % 36)}
			m.tracks = append(m.tracks, t)
			m.byID[id] = t
			m.bySale[s.ID] = append(m.bySale[s.ID], t)
		}
	}
	return m
}

// take folds the newest second of every sale in.
func (m *minutes) take(at time.Time, sales []*state) {
	minute := (at.Unix() - 1) / 60 // the second that ends at a full minute belongs to the one before
	if minute != m.minute {
		for _, t := range m.tracks {
			t.close(minute)
		}
		m.minute = minute
	}
	i := 0
	for _, s := range sales {
		for range m.bySale[s.ID] {
			m.tracks[i].take(&s.now)
			i++
		}
	}
}

func (t *track) take(s *Second) {
	sum, n, low, high := t.metric.take(s)
	if n == 0 {
		return
	}
	o := &t.open
	if o.n == 0 || low < o.lowest {
		o.lowest = low
	}
	if o.n == 0 || high > o.top {
		o.top = high
	}
	o.sum += sum
	o.n += n
}

// close keeps the open minute, when it had samples, and begins the next.
func (t *track) close(next int64) {
	if t.open.n > 0 && t.open.minute > 0 {
		if len(t.closed) == keptMinutes {
			t.closed = append(t.closed[:0], t.closed[keptMinutes/4:]...)
		}
		t.closed = append(t.closed, t.open)
		t.ever = true
	}
	t.open = folded{minute: next}
}
