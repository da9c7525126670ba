package views

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file says how a sale stands beside its figures: what is left of its error budget, what it
// costs, and which figures are odd by their own past or by the plan.

// standingFacts are the budget and the cost in a line each, as far as there is something to say.
func standingFacts(st *sale.State) []fact {
	var facts []fact
	cost := perHour(st)
	if words, s := budgetText(st); words != "" {
		if cost != "" {
			words += " · " + cost
		}
		facts = append(facts, fact{"budget", words, s})
	} else if cost != "" {
		facts = append(facts, fact{"cost", cost + " for " + heldText(st), dim})
	}
	if words := sizeText(st); words != "" {
		facts = append(facts, fact{"cost", words, text})
	}
	return facts
}

// isStanding reports whether a fact is one of standingFacts.
func isStanding(fa fact) bool { return fa.label == "budget" || fa.label == "cost" }

// budgetText is "availability 84 % left, 2.1x" of the tightest budget; "" for a sale without any.
func budgetText(st *sale.State) (string, style) {
	if len(st.Budgets) == 0 {
		return "", dim
	}
	b, ok := st.Tightest()
	if !ok {
		return "not known: " + st.Budgets[0].Why, unknown
	}
	return b.Name + " " + leftText(&b), budgetStyle(&b)
}

func budgetStyle(b *sale.Budget) style {
	switch b.Verdict {
	case sale.OK:
		return dim
	case sale.Watch, sale.Bad:
		return lookOf(b.Verdict).figure
	}
	return unknown
}

// leftText is "84 % left, 2.1x".
func leftText(b *sale.Budget) string {
	burn := sale.FormatBurn(b.Burn)
	switch {
	case math.IsNaN(b.Left) && burn == "":
		return "not known"
	case math.IsNaN(b.Left):
		return burn + ", what is left is not known"
	case b.Left <= 0:
		return join(format(1-b.Left, sale.Ratio)+" spent", burn)
	}
	return join(format(b.Left, sale.Ratio)+" left", burn)
}

func join(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}

// burnText is "burn 2.1x" of the tightest budget, or "".
func burnText(st *sale.State) string {
	if b, ok := st.Tightest(); ok && !math.IsNaN(b.Burn) {
		return "burn " + sale.FormatBurn(b.Burn)
	}
	return ""
}

// perHour is "$3.98/h", or "" when the cost is not known, or nothing is held.
func perHour(st *sale.State) string {
	if st.Cost.PerHour > 0 {
		return format(st.Cost.PerHour, sale.USD) + "/h"
	}
	return ""
}

func heldText(st *sale.State) string { return format(st.Cost.Held, sale.Count) + " in service" }

// sizeText is "18 in service, 6 would do: s saves $1.99/h", or "" when nothing is to be saved.
func sizeText(st *sale.State) string {
	c := &st.Cost
	if math.IsNaN(c.Saves) || !(c.Saves > 0) || math.IsNaN(c.Enough) {
		return ""
	}
	return heldText(st) + ", " + format(c.Enough, sale.Count) + " would do: s saves " + format(c.Saves, sale.USD) + "/h"
}

// standingRows are the budgets, the cost and what is usual, a line each, for the sale's page.
func (f *Frame) standingRows(st *sale.State) []pageRow {
	var rows []pageRow
	add := func(label, words string, s style) {
		rows = append(rows, pageRow{kind: textRow, label: label, text: words, style: s})
	}
	for i := range st.Budgets {
		b := &st.Budgets[i]
		add("budget", b.Name+" "+f.budgetInWords(b), budgetStyle(b))
	}
	if cost := perHour(st); cost != "" {
		words := cost + " for " + heldText(st) + ", list price"
		if size := sizeText(st); size != "" {
			words = cost + ", " + size
		}
		add("cost", words, dim)
	}
	if words := usualText(st); words != "" {
		add("usual", words, dim)
	}
	for i := range st.Signals {
		if k := &st.Signals[i]; k.Band != nil {
			s := dim
			if k.Band.On {
				s = watch
			}
			add("usual", figureOfKnown(st, *k, f).label+" "+k.Band.Words(unitOf(k)), s)
		}
	}
	return rows
}

// budgetInWords is everything that is known of a budget.
func (f *Frame) budgetInWords(b *sale.Budget) string {
	words := []string{leftText(b)}
	if b.Why != "" {
		words[0] = join(words[0], b.Why)
	}
	if b.MonthBy != "" {
		words = append(words, "month "+cmp.Or(sale.FormatGood(b.Month), "not known"))
	}
	if b.LastsFor > 0 && !math.IsNaN(b.Burn) && b.Burn > 1 {
		words = append(words, "gone in "+sale.FormatAge(b.LastsFor))
	}
	if !math.IsNaN(b.Good) && !b.From.IsZero() {
		seen := format(b.Good, sale.Ratio)
		if b.Good > 0.99 && b.Good < 1 { // "100 %" would hide what was lost
			seen = format(1-b.Good, sale.Ratio) + " bad"
		} else {
			seen += " good"
		}
		words = append(words, seen+" of "+format(math.Round(b.Counted), sale.Count)+countedText(b)+" since "+clockAt(b.From, f.Now))
	}
	if b.Coverage < 1 && !b.From.IsZero() {
		words = append(words, format(b.Coverage, sale.Ratio)+" of it seen")
	}
	return strings.Join(words, " · ")
}

func countedText(b *sale.Budget) string {
	switch b.WeightedBy {
	case sale.RequestRate:
		return " requests"
	case sale.CheckoutRate:
		return " checkouts"
	}
	return " min"
}

// usualText says how many figures are as usual, and why the others can't be told.
func usualText(st *sale.State) string {
	asUsual, odd := 0, 0
	why, waits := "", 0
	for i := range st.Anomalies {
		switch an := &st.Anomalies[i]; {
		case an.On:
			odd++
		case an.Why == "":
			asUsual++
		default:
			waits++
			if why == "" {
				why = an.Why
			}
		}
	}
	if asUsual+odd+waits == 0 {
		return ""
	}
	words := number(asUsual) + " of " + number(asUsual+odd+waits) + " signals are as usual"
	if odd > 0 {
		words += ", " + number(odd) + " odd"
	}
	if waits > 0 {
		words += "; " + number(waits) + " not told: " + why
	}
	return words
}

// oddity is what a figure is to be held against that is odd by the plan or by its own past.
func oddity(st *sale.State, name sale.Signal) (against string, odd bool) {
	if u := &st.Surge; u.On && u.Signal == name {
		if u.Basis == sale.ByPlan {
			return "plan " + format(math.Round(u.Expected), sale.Users), true
		}
		if name == sale.Waiting {
			return "+" + format(math.Round(u.Now), sale.PerMinute), true
		}
		return "usual " + format(math.Round(u.Expected), sale.Count), true
	}
	for i := range st.Anomalies {
		if an := &st.Anomalies[i]; an.On && an.Signal == name {
			k, _ := st.Signal(name)
			return "usual " + format(an.Usual, unitOf(&k)), true
		}
	}
	if k, ok := st.Signal(name); ok && k.Band != nil && k.Band.On {
		edge := k.Band.Low
		if k.Value > k.Band.High {
			edge = k.Band.High
		}
		return "usual " + format(edge, unitOf(&k)), true
	}
	return "", false
}

func unitOf(k *sale.Known) sale.Unit {
	if k.Spec == nil {
		return sale.Count
	}
	return k.Spec.Unit
}

// monthly is what a cost per hour comes to in 30 days.
func monthly(perHour float64) float64 { return perHour * (30 * 24 * time.Hour).Hours() }
