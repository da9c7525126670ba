package sale

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale/budget"
)

// goal is one objective on the writer's side.
type goal struct {
	*Objective
	line   *minuteLine // of the bad part; nil when nothing reads the signal
	weight *minuteLine // of what it is weighted by; nil: every minute counts the same

	from    int64 // the minute of minutes[0]
	minutes []budget.Minute
	sums    budget.Sums
}

// longestPeriod is the longest time that a budget is for. A sale that is open for longer, or has no
// declared end, has a budget for a day at a time: for the last one.
const longestPeriod = 24 * time.Hour

// weights are the counts that a signal's minutes are weighted by, so that a bad minute of the
// opening counts for as many people as it hit.
var weights = map[Signal]Signal{
	ErrorRatio: RequestRate, LatencyP95: RequestRate, EdgeErrorRatio: RequestRate, CacheHitRatio: RequestRate,
	PaymentFailureRatio: CheckoutRate, PaymentP95: CheckoutRate,
}

func (a *assessment) promise(s *saleEntry, o *Objective) {
	g := goal{Objective: o}
	if o.Below == nil {
		g.line = a.mean(s, o.Signal)
	} else {
		g.line = a.line(s, o.Signal, o.Below)
	}
	if by, ok := weights[o.Signal]; ok {
		g.weight = a.mean(s, by)
	}
	a.goals = append(a.goals, g)
}

// period is the time that the sale's budgets are for.
func (s *saleEntry) period() time.Duration {
	if s.sale.Closes.IsZero() {
		return longestPeriod
	}
	return min(max(s.sale.Closes.Sub(s.sale.Opens), time.Minute), longestPeriod)
}

// count works out the budgets from the closed minutes since the doors opened.
func (a *assessment) count(s *saleEntry) {
	a.budgets = nil
	opens := minuteAt(s.sale.Opens.Add(time.Minute - 1).UnixNano())
	if s.sale.Opens.IsZero() || a.phase == Scheduled || a.phase == Prequeue {
		return
	}
	for i := range a.goals {
		g := &a.goals[i]
		until := int64(math.MinInt64)
		if g.line != nil {
			until = g.line.next
			if g.weight != nil {
				until = min(until, g.weight.next)
			}
			if c := s.sale.Closes; !c.IsZero() {
				until = min(until, minuteAt(c.UnixNano()))
			}
		}
		g.take(max(opens, until-keptMinutes), until)
		a.budgets = append(a.budgets, g.budget(s.period()))
	}
}

// take lays out the minutes from one until another.
func (g *goal) take(from, until int64) {
	g.from, g.minutes = from, g.minutes[:0]
	for m := from; m < until; m++ {
		v, w := g.line.at(m), 1.0
		if g.weight != nil {
			w = g.weight.at(m) * perMinute(g.weight.slot.spec)
		}
		g.minutes = append(g.minutes, budget.Minute{Known: isFinite(v) && isFinite(w), Bad: v, Weight: w})
	}
	g.sums = budget.Total(g.sums, g.minutes)
}

// budget says how the objective stands at the end of its minutes.
func (g *goal) budget(period time.Duration) Budget {
	end := len(g.minutes)
	all := g.sums[end]
	b := Budget{
		Name: g.Name, Signal: g.Signal, Target: g.Target, Left: all.Left(g.Target, period), Burn: math.NaN(), Month: math.NaN(),
		Good: all.Good(), Coverage: all.Coverage(), Counted: all.Events,
	}
	b.MonthBy = g.Month
	if g.weight != nil {
		b.WeightedBy = g.weight.slot.spec.Signal
	}
	windows := budget.Windows(period)
	shown := windows[0]
	for _, w := range windows {
		if w.Burns(g.sums, end, g.Target, g.weight != nil) {
			shown, b.Burning = w, true
			break
		}
	}
	b.Burn = g.sums.Last(end, shown.Long).Burn(g.Target)
	b.Window, b.Threshold = time.Duration(shown.Long)*time.Minute, shown.Threshold
	b.LastsFor = budget.LastsFor(b.Left, b.Burn, period)
	if all.Known > 0 {
		b.From, b.To = minuteStart(g.from), minuteStart(g.from+int64(end))
	}
	spent := b.Left <= 0
	if b.Burning || spent {
		first := end
		for first > 1 && g.counts(first-1, windows, period) {
			first--
		}
		b.Since = minuteStart(g.from + int64(first))
	}
	switch {
	case g.line == nil:
		b.Why = "nothing reads " + string(g.Signal)
	case end == 0:
		b.Why = "no minute since the doors opened is closed yet"
	case all.Known == 0:
		b.Why = "no minute since the doors opened is known"
	case math.IsNaN(b.Left) && all.Events == 0:
		b.Why = "nothing happened since the doors opened"
	case math.IsNaN(b.Left):
		b.Why = fmt.Sprintf("%d of %d minutes since the doors opened are known", all.Known, all.Minutes)
	}
	switch {
	case b.Burning || spent:
		b.Verdict = Watch
		if g.Burns == Bad {
			b.Verdict = Bad
		}
	case math.IsNaN(b.Left) && math.IsNaN(b.Burn):
		b.Verdict = Unknown
	default:
		b.Verdict = OK
	}
	return b
}

// months fills in how the promises were kept over the month, by signals as they are known now: a
// budget is of closed minutes, a reading of the month gets stale at any time.
func (s *saleEntry) months(st *State, budgets []Budget) []Budget {
	if !slices.ContainsFunc(budgets, func(b Budget) bool { return b.MonthBy != "" }) {
		return budgets
	}
	out := slices.Clone(budgets)
	for i := range out {
		o := &s.assessed.goals[i]
		k, ok := st.Signal(o.Month)
		if !ok || missing(&k) || !(k.Value >= 0 && k.Value <= 1) {
			continue
		}
		out[i].Month = k.Value
		if o.MonthIsBad {
			out[i].Month = 1 - k.Value
		}
	}
	return out
}

// FormatGood writes a good part with two decimals, never rounded up to what was not kept: "99.94 %".
func FormatGood(good float64) string {
	if !isFinite(good) {
		return ""
	}
	percent := math.Floor(good*1e4+1e-6) / 100 // what two decimals can't hold exactly is no loss
	if good < 1 {
		percent = math.Min(percent, 99.99)
	}
	return fmt.Sprintf("%.2f %%", percent)
}

// counts reports whether the budget was a reason at the end of an earlier minute.
func (g *goal) counts(end int, windows [2]budget.Window, period time.Duration) bool {
	for _, w := range windows {
		if w.Burns(g.sums, end, g.Target, g.weight != nil) {
			return true
		}
	}
	return g.sums[end].Left(g.Target, period) <= 0
}

// budgetReason is the sentence for a budget that burns or is gone.
func (s *saleEntry) budgetReason(b *Budget) (Reason, bool) {
	r := Reason{Signal: b.Signal, Verdict: b.Verdict, Since: b.Since, Source: s.sourceOf(b.Signal)}
	switch {
	case b.Left <= 0:
		r.Text = fmt.Sprintf("%s budget is spent: %s of it used", b.Name, Format(1-b.Left, Ratio, false))
	case !b.Burning:
		return Reason{}, false
	case math.IsNaN(b.Left):
		r.Text = fmt.Sprintf("%s budget burns %s over %s, what is left is not known", b.Name, FormatBurn(b.Burn), spell(b.Window))
	default:
		r.Text = fmt.Sprintf("%s budget burns %s over %s, %s left", b.Name, FormatBurn(b.Burn), spell(b.Window), Format(b.Left, Ratio, false))
	}
	return r, true
}

// FormatBurn writes a burn rate: "2.1x", "0.4x", "14x"; "" when it is not known.
func FormatBurn(burn float64) string {
	if !isFinite(burn) {
		return ""
	}
	return decimal(burn, tenths, 0) + "x"
}

func tenths(size float64) int {
	if size >= 9.95 {
		return 0
	}
	return 1
}

// Tightest is the budget that has the least left, or burns the most among those whose rest is not
// known; ok is false when nothing is known of any.
func (s *State) Tightest() (b Budget, ok bool) {
	for _, c := range s.Budgets {
		if c.Verdict == Unknown {
			continue
		}
		if !ok || tighter(&c, &b) {
			b, ok = c, true
		}
	}
	return b, ok
}

func tighter(a, b *Budget) bool {
	knownA, knownB := !math.IsNaN(a.Left), !math.IsNaN(b.Left)
	switch {
	case knownA && knownB:
		return a.Left < b.Left
	case knownA != knownB:
		return knownA
	}
	return a.Burn > b.Burn
}
