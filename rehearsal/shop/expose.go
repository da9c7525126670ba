package shop

import (
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"
)

// Exposition is what the shop's own processes expose at /metrics. It counts what every second
// shows and never counts back. It is safe for many goroutines.
type Exposition struct {
	mu       sync.Mutex
	families []*dto.MetricFamily
	sales    map[string]*exposed
}

// exposed holds the metrics of one sale, which are changed in place.
type exposed struct {
	joined, admitted, checkouts, orders *dto.Counter
	codes                               [4]*dto.Counter
	payments, failed                    [2]*dto.Counter
	holds, left, held, month            *dto.Gauge
	requests                            *classic
	paid                                [2]*classic
	checkout                            *native
}

// The classic buckets' upper bounds in seconds: dense where the thresholds are.
func bounds() []float64 {
	return []float64{0.05, 0.1, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4, 4.5, 5, 6, 8, 10, 15}
}

// Providers are the payment providers, as the label names them.
func Providers() [2]string { return [2]string{"A", "B"} }

// NewExposition makes an empty one; it learns of the sales from the first second that it sees.
func NewExposition() *Exposition { return &Exposition{sales: map[string]*exposed{}} }

// Watch counts one second of every sale. It fits New's watchers.
func (e *Exposition) Watch(_ time.Time, sales []View) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.families == nil {
		e.build(sales)
	}
	for _, v := range sales {
		e.sales[v.Sale.ID].count(v.Now)
	}
}

func (x *exposed) count(s *Second) {
	plus := func(c *dto.Counter, v float64) { *c.Value += v }
	plus(x.joined, s.Joined)
	plus(x.admitted, s.Admitted)
	plus(x.checkouts, s.Checkouts)
	plus(x.orders, s.Orders)
	for i := range x.codes {
		plus(x.codes[i], s.Codes[i])
	}
	x.requests.observe(s.Requests, s.WebMean, s.WebMean, exponential)
	for i := range x.payments {
		plus(x.payments[i], s.Payments[i])
		plus(x.failed[i], s.Failed[i])
		x.paid[i].observe(s.Payments[i], s.PaymentScale[i], 2*s.PaymentScale[i], erlang)
	}
	x.checkout.observe(s.Checkouts, s.CheckoutLen)
	*x.holds.Value, *x.left.Value, *x.held.Value = s.Holds, s.Left, s.Held
	*x.month.Value = s.MonthGood
}

// classic is a histogram with fixed buckets.
type classic struct {
	h *dto.Histogram
}

func newClassic() *classic {
	c := &classic{h: &dto.Histogram{SampleCountFloat: proto.Float64(0), SampleSum: proto.Float64(0)}}
	for _, b := range append(bounds(), math.Inf(1)) {
		c.h.Bucket = append(c.h.Bucket, &dto.Bucket{UpperBound: proto.Float64(b), CumulativeCountFloat: proto.Float64(0)})
	}
	return c
}

// observe adds n samples that follow a law.
func (c *classic) observe(n, scale, mean float64, cdf func(t, scale float64) float64) {
	if n == 0 {
		return
	}
	*c.h.SampleCountFloat += n
	*c.h.SampleSum += n * mean
	for _, b := range c.h.Bucket {
		share := 1.0
		if !math.IsInf(*b.UpperBound, 1) {
			share = cdf(*b.UpperBound, scale)
		}
		*b.CumulativeCountFloat += n * share
	}
}

// native is a histogram with exponential buckets: schema 2 has four to a doubling.
type native struct{ h *dto.Histogram }

const (
	nativeSchema = 2
	nativeFirst  = -12 // the bucket that ends at 2^-3 s
	nativeCount  = 36  // to 2^5.75 s
)

func newNative() *native {
	return &native{&dto.Histogram{
		SampleCountFloat: proto.Float64(0), SampleSum: proto.Float64(0), Schema: proto.Int32(nativeSchema),
		ZeroThreshold: proto.Float64(1e-9), ZeroCountFloat: proto.Float64(0),
		PositiveSpan:  []*dto.BucketSpan{{Offset: proto.Int32(nativeFirst), Length: proto.Uint32(nativeCount)}},
		PositiveCount: make([]float64, nativeCount),
	}}
}

func (n *native) observe(count, scale float64) {
	if count == 0 {
		return
	}
	*n.h.SampleCountFloat += count
	*n.h.SampleSum += count * 2 * scale
	below := 0.0
	for i := range n.h.PositiveCount {
		share := 1.0
		if i < nativeCount-1 {
			share = erlang(math.Exp2(float64(nativeFirst+i)/(1<<nativeSchema)), scale)
		}
		n.h.PositiveCount[i] += count * (share - below)
		below = share
	}
}

// build lays out the families once; every later second only changes their numbers.
func (e *Exposition) build(sales []View) {
	family := func(name, help string, kind dto.MetricType) *dto.MetricFamily {
		f := &dto.MetricFamily{Name: &name, Help: &help, Type: kind.Enum()}
		e.families = append(e.families, f)
		return f
	}
	add := func(f *dto.MetricFamily, m *dto.Metric, pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			m.Label = append(m.Label, &dto.LabelPair{Name: &pairs[i], Value: &pairs[i+1]})
		}
		f.Metric = append(f.Metric, m)
	}
	counter := func(f *dto.MetricFamily, pairs ...string) *dto.Counter {
		c := &dto.Counter{Value: proto.Float64(0)}
		add(f, &dto.Metric{Counter: c}, pairs...)
		return c
	}
	gauge := func(f *dto.MetricFamily, pairs ...string) *dto.Gauge {
		g := &dto.Gauge{Value: proto.Float64(0)}
		add(f, &dto.Metric{Gauge: g}, pairs...)
		return g
	}
	const c, g, h = dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_HISTOGRAM
	admitted := family("shop_admitted_total", "People let in by the waiting room.", c)
	month := family("shop_availability_30d_ratio", "Requests of the last 30 days that were answered, as a share, by the service level's own books.", g)
	checkout := family("shop_checkout_duration_seconds", "Time from the checkout's first request to its last answer.", h)
	checkouts := family("shop_checkouts_total", "Checkouts begun.", c)
	holds := family("shop_holds", "Baskets that hold tickets.", g)
	requests := family("shop_http_request_duration_seconds", "Time to answer a request.", h)
	codes := family("shop_http_requests_total", "Requests answered, by status code.", c)
	orders := family("shop_orders_total", "Orders paid.", c)
	paid := family("shop_payment_duration_seconds", "Time of a call to a payment provider.", h)
	failed := family("shop_payments_failed_total", "Payments declined or failed, by provider.", c)
	payments := family("shop_payments_total", "Payments attempted, by provider.", c)
	joined := family("shop_queue_joined_total", "People who came to the waiting room.", c)
	held := family("shop_tickets_held", "Tickets in baskets.", g)
	left := family("shop_tickets_left", "Tickets neither sold nor held.", g)
	for _, v := range sales {
		id := v.Sale.ID
		x := &exposed{
			joined: counter(joined, "sale", id), admitted: counter(admitted, "sale", id),
			checkouts: counter(checkouts, "sale", id), orders: counter(orders, "sale", id),
			holds: gauge(holds, "sale", id), left: gauge(left, "sale", id), held: gauge(held, "sale", id),
			month:    gauge(month, "sale", id),
			requests: newClassic(), checkout: newNative(),
		}
		add(requests, &dto.Metric{Histogram: x.requests.h}, "sale", id)
		add(checkout, &dto.Metric{Histogram: x.checkout.h}, "sale", id)
		for i, code := range httpCodes() {
			x.codes[i] = counter(codes, "code", code, "sale", id)
		}
		for i, provider := range Providers() {
			x.payments[i] = counter(payments, "provider", provider, "sale", id)
			x.failed[i] = counter(failed, "provider", provider, "sale", id)
			x.paid[i] = newClassic()
			add(paid, &dto.Metric{Histogram: x.paid[i].h}, "provider", provider, "sale", id)
		}
		e.sales[id] = x
	}
}

// With calls visit with the families as they stand, which visit must neither keep nor change.
func (e *Exposition) With(visit func([]*dto.MetricFamily) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return visit(e.families)
}

// ServeHTTP answers a scrape in the format that the client asks for: text, OpenMetrics or
// protocol buffers, of which only the last carries native histograms.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	w.Header().Set("Content-Type", string(format))
	_ = e.With(func(families []*dto.MetricFamily) error { return encode(w, format, families) }) // a client that left
}

func encode(w io.Writer, format expfmt.Format, families []*dto.MetricFamily) error {
	enc := expfmt.NewEncoder(w, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	if c, ok := enc.(expfmt.Closer); ok {
		return c.Close()
	}
	return nil
}
