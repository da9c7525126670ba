package views

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// budgetOf is a budget of the test world, counted since the doors opened.
func budgetOf(st *sale.State, name string, left, burn, good, seen float64) sale.Budget {
	b := sale.Budget{
		Name: name, Signal: sale.ErrorRatio, Target: 0.999, Verdict: sale.OK, Left: left, Burn: burn, Window: 3 * time.Minute, Threshold: 4,
		Good: good, From: st.Sale.Opens, To: worldNow.Truncate(time.Minute), Coverage: seen, Counted: 3_214_000, WeightedBy: sale.RequestRate, Month: math.NaN(),
	}
	if burn > 1 && left > 0 {
		b.LastsFor = time.Duration(left / burn * float64(2*time.Hour))
	}
	return b
}

// standing gives the sales of the test world what is worked out of their figures.
func standing(lanterns, volt, pier, suma, owls, comets *sale.State) {
	nan := math.NaN()
	for st, held := range map[*sale.State]float64{lanterns: 24, volt: 18, suma: 8, comets: 24} {
		st.Cost = sale.Cost{Held: held, PerHour: held * 0.166, Enough: nan, Saves: nan}
	}
	for _, st := range []*sale.State{pier, owls} {
		st.Cost = sale.Cost{Held: 24, PerHour: nan, Enough: nan, Saves: nan, Why: "no unit_cost is declared"}
	}
	volt.Cost.Enough, volt.Cost.Saves = 6, 12*0.166
	lanterns.Budgets = []sale.Budget{budgetOf(lanterns, "availability", 0.84, 2.1, 0.9991, 1), budgetOf(lanterns, "payment", 0.91, 2.3, 0.981, 1)}
	volt.Budgets = []sale.Budget{budgetOf(volt, "availability", 0.64, 0.5, 0.9997, 0.93), budgetOf(volt, "payment", nan, nan, nan, 0)}
	volt.Budgets[1].Verdict, volt.Budgets[1].Why, volt.Budgets[1].From = sale.Unknown, "41 of 128 minutes since the doors opened are known", time.Time{}
	owls.Budgets = []sale.Budget{budgetOf(owls, "availability", 0.98, 0.6, 1, 1)}
	comets.Budgets = []sale.Budget{budgetOf(comets, "availability", 0.87, 0.4, 0.9994, 1)}
	pier.Surge = sale.Surge{Signal: sale.Waiting, Basis: sale.ByPlan, On: true, Now: 48310, Expected: 36900, Ratio: 48310.0 / 36900, Since: pier.Since}
	lanterns.Anomalies = []sale.Anomaly{
		{Signal: sale.OrderRate, Value: 122, Usual: 130, Low: 90, High: 180, At: worldNow},
		{Signal: sale.PaymentFailureRatio, On: true, Value: 0.07, Usual: 0.018, Low: 0, High: 0.036, Score: 9.1, At: worldNow, Since: lanterns.Since},
		{Signal: sale.LatencyP95, Why: "too little data: 4 of 8 minutes"},
	}
}

func TestTheBudgetAndTheCostAreInWordsAndUnknownIsSaid(t *testing.T) {
	nan := math.NaN()
	base := sale.Budget{Name: "availability", Verdict: sale.OK, Left: 0.84, Burn: 2.1}
	with := func(change func(*sale.Budget)) []sale.Budget {
		b := base
		change(&b)
		return []sale.Budget{b}
	}
	none := sale.Cost{Held: nan, PerHour: nan, Enough: nan, Saves: nan}
	tests := []struct {
		name    string
		budgets []sale.Budget
		cost    sale.Cost
		want    string
	}{
		{"budget and cost", with(func(*sale.Budget) {}), sale.Cost{Held: 24, PerHour: 3.984, Enough: nan, Saves: nan}, "budget availability 84 % left, 2.1x · $3.98/h"},
		{"the cost is not known", with(func(*sale.Budget) {}), none, "budget availability 84 % left, 2.1x"},
		{"what is left is not known", with(func(b *sale.Budget) { b.Left = nan }), none, "budget availability 2.1x, what is left is not known"},
		{"the burn is not known", with(func(b *sale.Budget) { b.Burn = nan }), none, "budget availability 84 % left"},
		{"nothing is known", with(func(b *sale.Budget) {
			b.Verdict, b.Left, b.Burn, b.Why = sale.Unknown, nan, nan, "no minute since the doors opened is known"
		}), none, "budget not known: no minute since the doors opened is known"},
		{"more than all is spent", with(func(b *sale.Budget) { b.Verdict, b.Left, b.Burn = sale.Watch, -0.4, 0 }), none, "budget availability 140 % spent, 0.0x"},
		{"the doors are not open", nil, sale.Cost{Held: 8, PerHour: 1.328, Enough: nan, Saves: nan}, "cost $1.33/h for 8 in service"},
		{"nothing to say", nil, none, ""},
		{"too much is held", nil, sale.Cost{Held: 18, PerHour: 2.988, Enough: 6, Saves: 1.992}, "cost $2.99/h for 18 in service | cost 18 in service, 6 would do: s saves $1.99/h"},
	}
	for _, test := range tests {
		var got []string
		for _, fa := range standingFacts(&sale.State{Budgets: test.budgets, Cost: test.cost}) {
			got = append(got, fa.label+" "+fa.text)
		}
		if joined := strings.Join(got, " | "); joined != test.want {
			t.Errorf("%s: %q, want %q", test.name, joined, test.want)
		}
	}
}

func TestAnOddFigureIsMarkedAndHeldAgainstWhatIsUsual(t *testing.T) {
	f := worldFrame(200, 50, NewTheme(themes()["mono"]))
	pier := f.Snapshot.Sale("pier")
	k, _ := pier.Signal(sale.Waiting)
	k.Verdict, k.Breach = sale.OK, nil
	if fig := figureOfKnown(pier, k, &f); fig.against != "plan 36,900" || fig.glyph != "◆" {
		t.Errorf("a surge is %q %q", fig.glyph, fig.against)
	}
	lanterns := f.Snapshot.Sale("lanterns")
	k, _ = lanterns.Signal(sale.PaymentFailureRatio)
	k.Verdict, k.Breach = sale.OK, nil
	if fig := figureOfKnown(lanterns, k, &f); fig.against != "usual 1.8 %" || fig.glyph != "◆" {
		t.Errorf("an anomaly is %q %q", fig.glyph, fig.against)
	}
	k.Band = &sale.Band{Width: 2, Low: 0.01, High: 0.02, On: true}
	st := *pier
	st.Surge, st.Anomalies = sale.Surge{}, nil
	st.Signals = []sale.Known{k}
	if fig := figureOfKnown(&st, k, &f); fig.against != "usual 2.0 %" || fig.glyph != "◆" {
		t.Errorf("a value outside its model's band is %q %q", fig.glyph, fig.against)
	}
	if got, want := usualText(lanterns), "1 of 3 signals are as usual, 1 odd; 1 not told: too little data: 4 of 8 minutes"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheBandOfASystemsModelHasALineOfItsOwnAndSaysWhyItIsMissing(t *testing.T) {
	f := worldFrame(200, 50, NewTheme(themes()["mono"]))
	lanterns := f.Snapshot.Sale("lanterns")
	k, _ := lanterns.Signal(sale.OrderRate)
	for _, c := range []struct {
		band sale.Band
		want string
	}{
		{sale.Band{Width: 2, Low: 210, High: 260}, "orders 210 to 260/min by CloudWatch"},
		{sale.Band{Width: 2, Why: "no model"}, "orders not told by CloudWatch: no model"},
	} {
		k.Band = &c.band
		var got string
		for _, row := range f.standingRows(&sale.State{Cost: sale.Cost{PerHour: math.NaN()}, Signals: []sale.Known{k}}) {
			got += row.label + " " + row.text
		}
		if want := "usual " + c.want; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheMonthStandsBesideTheBudgetInWords(t *testing.T) {
	f := worldFrame(200, 50, NewTheme(themes()["mono"]))
	b := sale.Budget{Left: 0.84, Burn: 0.4, Good: math.NaN(), Month: 0.9994, Coverage: 1}
	for _, c := range []struct {
		by    sale.Signal
		month float64
		want  string
	}{
		{"", math.NaN(), "84 % left, 0.4x"},
		{"kept_30d", 0.9994, "84 % left, 0.4x · month 99.94 %"},
		{"kept_30d", math.NaN(), "84 % left, 0.4x · month not known"},
	} {
		b.MonthBy, b.Month = c.by, c.month
		if got := f.budgetInWords(&b); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
