package views

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// figure is one signal as a row or a cell shows it.
type figure struct {
	known     sale.Known
	declared  bool
	label     string
	glyph     string // of a row in breach or blind; "" otherwise
	now       string // "~12,400", "?38/min", "none"
	nowStyle  style
	against   string // "limit 5.0 %", "of 6,000", "STALE"
	agStyle   style
	age       string
	ageStyle  style
	freshness sale.Freshness
}

// standardRow is one of the eleven rows that stand in every pane, in the same places.
type standardRow struct {
	signal sale.Signal
	label  string
	drop   int // the lowest goes first when a pane is short
}

func standardRows() []standardRow {
	return []standardRow{
		{sale.Waiting, "waiting", 10},
		{sale.AdmissionRate, "admitted", 11},
		{sale.ActiveUsers, "active", 6},
		{sale.OrderRate, "orders", 7},
		{sale.PaymentFailureRatio, "declines", 8},
		{sale.TicketsLeft, "left", 9},
		{sale.ErrorRatio, "errors", 5},
		{sale.LatencyP95, "p95", 3},
		{sale.DBConnections, "db conns", 4},
		{sale.QueueDepth, "queue", 1},
		{sale.CapacityInService, "capacity", 2},
	}
}

// figureOf collects what a row shows of a signal.
func figureOf(st *sale.State, signal sale.Signal, f *Frame) figure {
	k, ok := st.Signal(signal)
	if !ok {
		fig := figure{label: string(signal), now: "-", nowStyle: dim, against: "not declared", agStyle: dim}
		if m, standard := sale.MeaningOf(signal); standard {
			fig.label = m.Label
		}
		return fig
	}
	return figureOfKnown(st, k, f)
}

func figureOfKnown(st *sale.State, k sale.Known, f *Frame) figure {
	fig := figure{known: k, declared: true, label: k.Spec.Label, nowStyle: text, agStyle: dim, ageStyle: dim}
	if fig.label == "" {
		fig.label = string(k.Spec.Signal)
		if m, ok := sale.MeaningOf(k.Spec.Signal); ok {
			fig.label = m.Label
		}
	}
	if k.Spec.Constant != nil {
		fig.freshness = sale.Fresh
		fig.now, fig.against = format(*k.Spec.Constant, k.Spec.Unit), "declared"
		return fig
	}
	fig.freshness = k.FreshnessAt(f.Now)
	needed := slices.Contains(k.Spec.Needed, st.Phase)
	if !k.Has || fig.freshness == sale.NoData {
		fig.now, fig.nowStyle, fig.against, fig.agStyle = "none", dim, "NO DATA", unknown
		if needed {
			fig.glyph, fig.nowStyle = lookOf(sale.Unknown).glyph, unknown
		}
		return fig
	}
	fig.age = f.age(k.Age(f.Now))
	fig.now = nowText(st, &k)
	if fig.freshness == sale.Stale {
		fig.now, fig.nowStyle, fig.against, fig.agStyle, fig.ageStyle = "?"+strings.TrimPrefix(fig.now, "~"), dim, "STALE", unknown, unknown
		if needed {
			fig.glyph, fig.nowStyle = lookOf(sale.Unknown).glyph, unknown
		}
		return fig
	}
	if fig.freshness == sale.Late {
		fig.ageStyle = watch
	}
	fig.against = againstText(st, &k, f.Now)
	v := breachOf(&k)
	if against, odd := oddity(st, k.Spec.Signal); odd && v == sale.OK {
		fig.against, v = against, sale.Watch
	}
	if v != sale.OK {
		l := lookOf(v)
		fig.glyph, fig.nowStyle = l.glyph, l.figure
	}
	return fig
}

// breachOf is what the threshold that is broken now makes of a value.
func breachOf(k *sale.Known) sale.Verdict {
	switch {
	case k.Verdict == sale.Watch || k.Verdict == sale.Bad:
		return k.Verdict
	case k.Breach != nil:
		return sale.Watch // broken, yet not proven for as long as the threshold asks
	}
	return sale.OK
}

// nowText writes a value without its staleness.
func nowText(st *sale.State, k *sale.Known) string {
	if k.Spec.Signal == sale.DBConnections && k.Spec.Of != "" && !math.IsNaN(k.Ratio) {
		return sale.Format(k.Ratio, sale.Ratio, k.Spec.Estimate)
	}
	s := sale.Format(k.Value, k.Spec.Unit, k.Spec.Estimate)
	if k.Spec.Signal == sale.CapacityInService {
		if desired, ok := valueOf(st, sale.CapacityDesired); ok {
			s += "/" + format(desired, k.Spec.Unit)
		}
	}
	return s
}

// format writes a value that is no estimate.
func format(v float64, u sale.Unit) string { return sale.Format(v, u, false) }

// number writes a whole number with a comma between thousands.
func number(n int) string { return sale.Format(float64(n), sale.Count, false) }

// valueOf is a signal's value where one is known.
func valueOf(st *sale.State, signal sale.Signal) (float64, bool) {
	k, ok := st.Signal(signal)
	if !ok {
		return 0, false
	}
	if k.Spec.Constant != nil {
		return *k.Spec.Constant, true
	}
	return k.Value, k.Has
}

func valueText(st *sale.State, prefix string, signal sale.Signal) string {
	v, ok := valueOf(st, signal)
	if !ok {
		return ""
	}
	k, _ := st.Signal(signal)
	return prefix + format(v, k.Spec.Unit)
}

// againstText says what a value is to be held against: its limit, or the figure that
// belongs to it.
func againstText(st *sale.State, k *sale.Known, now time.Time) string {
	beforeDoors := st.Phase == sale.Scheduled || st.Phase == sale.Prequeue
	partner := ""
	switch k.Spec.Signal {
	case sale.Waiting:
		partner = valueText(st, "in ", sale.InflowRate)
		if plan, ok := plannedNow(st, sale.Waiting); ok && st.Phase == sale.Prequeue {
			partner = "plan " + format(math.Round(plan), sale.Users)
		}
		if st.Phase == sale.Scheduled && st.Sale.Prequeue.After(now) {
			partner = "from " + st.Sale.Prequeue.In(now.Location()).Format("15:04")
		}
	case sale.AdmissionRate:
		partner = valueText(st, "limit ", sale.AdmissionLimit)
		partner = strings.TrimSuffix(partner, "/min")
		if beforeDoors && k.Value == 0 && st.Sale.Opens.After(now) {
			partner = "opens " + st.Sale.Opens.In(now.Location()).Format("15:04")
		}
	case sale.OrderRate:
		partner = valueText(st, "chk ", sale.CheckoutRate)
		if beforeDoors && k.Value == 0 {
			partner = "not open"
		}
	case sale.TicketsLeft:
		partner = valueText(st, "held ", sale.TicketsHeld)
	case sale.CapacityInService:
		partner = valueText(st, "max ", sale.CapacityMax)
	case sale.ActiveUsers:
		partner = valueText(st, "of ", sale.ActiveLimit)
	}
	rule, word := ruleOf(st, k)
	if partner != "" && k.Breach == nil {
		return partner
	}
	if rule != nil {
		return word + " " + limitText(st, k, rule)
	}
	if partner != "" {
		return partner
	}
	if k.Spec.Signal == sale.QueueDepth {
		return valueText(st, "oldest ", sale.QueueOldestSeconds)
	}
	if k.Spec.Of != "" {
		return valueText(st, "of ", k.Spec.Of)
	}
	return ""
}

// ruleOf is the threshold that matters now: the one that is broken, else the nearest.
func ruleOf(st *sale.State, k *sale.Known) (*sale.Rule, string) {
	if k.Breach != nil {
		if k.Breach.Verdict == sale.Bad {
			return &k.Breach.Rule, "limit"
		}
		return &k.Breach.Rule, "watch"
	}
	if r := k.Spec.Rules.Watch.In(st.Phase); r != nil {
		return r, "watch"
	}
	return k.Spec.Rules.Bad.In(st.Phase), "limit"
}

// limitText writes a threshold as its value is written: a share of another signal as a
// share only where the value is one too.
func limitText(st *sale.State, k *sale.Known, r *sale.Rule) string {
	if r.Of == "" {
		return format(r.Limit, k.Spec.Unit)
	}
	if whole, ok := valueOf(st, r.Of); ok && k.Spec.Signal != sale.DBConnections {
		return format(r.Limit*whole, k.Spec.Unit)
	}
	return format(r.Limit, sale.Ratio)
}

// limitValue is a threshold in the signal's own unit, NaN when it is a share of something
// that is not known.
func limitValue(st *sale.State, r *sale.Rule) float64 {
	if r == nil {
		return math.NaN()
	}
	if r.Of == "" {
		return r.Limit
	}
	if whole, ok := valueOf(st, r.Of); ok {
		return r.Limit * whole
	}
	return math.NaN()
}

// ceilingOf is the value at which a trend is full: the signal's own limit, or NaN when it
// has none and its highest value has to do.
func ceilingOf(st *sale.State, k *sale.Known) float64 {
	switch k.Spec.Signal {
	case sale.AdmissionRate:
		if v, ok := valueOf(st, sale.AdmissionLimit); ok && v > 0 {
			return v
		}
	case sale.CapacityInService:
		if v, ok := valueOf(st, sale.CapacityMax); ok && v > 0 {
			return v
		}
	case sale.TicketsLeft:
		if st.Sale.Tickets > 0 {
			return float64(st.Sale.Tickets)
		}
	}
	if k.Spec.Of != "" {
		if v, ok := valueOf(st, k.Spec.Of); ok && v > 0 {
			return v
		}
	}
	for _, r := range []*sale.Rule{k.Spec.Rules.Bad.In(st.Phase), k.Spec.Rules.Watch.In(st.Phase)} {
		if v := limitValue(st, r); r != nil && r.Above && v > 0 {
			return v
		}
	}
	return math.NaN()
}

// short strips a figure's unit, for a cell whose heading says it.
func short(s string) string {
	for _, unit := range []string{" %", "/min", "/s", " s"} {
		if cut, ok := strings.CutSuffix(s, unit); ok {
			return cut
		}
	}
	return s
}

// fit writes a figure into w cells. What does not fit shows that it is more than the cell
// can hold, and never moves a neighbour.
func fit(s string, w int) string {
	if cells(s) <= w {
		return s
	}
	digits := strings.Trim(s, "~?<>-0123456789,.") == ""
	if digits {
		for _, most := range []string{">99,999", ">9,999", ">999", ">99", ">9"} {
			if len(most) <= w {
				return most
			}
		}
	}
	return clip(s, w)
}

// age writes an age. Where bytes are dear ages step, up to the next step: nothing is older than it looks.
func (f *Frame) age(d time.Duration) string {
	if step := f.step(d); d%step > 0 {
		d += step - d%step
	}
	return sale.FormatAge(d)
}

// held writes how long something has lasted at least.
func (f *Frame) held(d time.Duration) string { return sale.FormatAge(d.Truncate(f.step(d))) }

// step is how finely a time is told: where bytes are dear by five seconds, from a minute on by fifteen.
func (f *Frame) step(d time.Duration) time.Duration {
	switch {
	case !f.CoarseAges:
		return 1
	case d < time.Minute:
		return 5 * time.Second
	}
	return 15 * time.Second
}

// shortClock is the sale's clock in nine cells: hours only when there are some.
func shortClock(st *sale.State, now time.Time) string {
	full := sale.Clock(st.Sale.Opens, now)
	if len(full) != len("T-00:00:00") {
		return full
	}
	sign, rest := full[:2], full[2:]
	if cut, ok := strings.CutPrefix(rest, "00:"); ok {
		return sign + cut
	}
	return sign + strings.TrimPrefix(rest, "0")
}
