package main

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file is the part of a check's JSON that is worked out and not read: budget, cost, surge
// and anomalies. What is not known is null.

type checkAssessed struct {
	Budget      *checkBudget   `json:"budget"`
	CostPerHour *float64       `json:"cost_per_hour_usd"`
	Cost        *checkCost     `json:"cost"`
	Surge       *checkSurge    `json:"surge"`
	Anomalies   []checkAnomaly `json:"anomalies"`
}

// checkBudget is the tightest budget of the sale, and every one of them.
type checkBudget struct {
	Left       *float64         `json:"left_ratio"`
	Burn       *float64         `json:"burn"`
	Month      *float64         `json:"month_ratio"`
	Objective  string           `json:"objective"`
	Objectives []checkObjective `json:"objectives"`
}

type checkObjective struct {
	Name         string       `json:"name"`
	Signal       sale.Signal  `json:"signal"`
	Target       float64      `json:"target"`
	Verdict      sale.Verdict `json:"verdict"`
	Left         *float64     `json:"left_ratio"`
	Burn         *float64     `json:"burn"`
	Window       float64      `json:"window_seconds"`
	Threshold    float64      `json:"burn_threshold"`
	LastsFor     *float64     `json:"lasts_for_seconds"`
	Availability *float64     `json:"availability"`
	From         *time.Time   `json:"from"`
	To           *time.Time   `json:"to"`
	Coverage     float64      `json:"coverage"`
	WeightedBy   sale.Signal  `json:"weighted_by,omitempty"`
	Month        *float64     `json:"monthly_availability"`
	Why          string       `json:"why,omitempty"`
}

type checkCost struct {
	Held   *float64 `json:"held"`
	Enough *float64 `json:"enough"`
	Saves  *float64 `json:"saves_per_hour_usd"`
	Why    string   `json:"why,omitempty"`
}

type checkSurge struct {
	On       bool        `json:"on"`
	Signal   sale.Signal `json:"signal"`
	Basis    sale.Basis  `json:"basis"`
	Value    *float64    `json:"value"`
	Expected *float64    `json:"expected"`
	Ratio    *float64    `json:"ratio"`
	Since    *time.Time  `json:"since"`
	Why      string      `json:"why,omitempty"`
}

type checkAnomaly struct {
	Signal sale.Signal `json:"signal"`
	On     bool        `json:"on"`
	Value  *float64    `json:"value"`
	Usual  *float64    `json:"usual"`
	Low    *float64    `json:"low"`
	High   *float64    `json:"high"`
	Score  *float64    `json:"score"`
	Since  *time.Time  `json:"since"`
	Why    string      `json:"why,omitempty"`
}

// checkBand is the band of the signal's own system's model; it is there where one is asked for.
type checkBand struct {
	Low   *float64   `json:"low"`
	High  *float64   `json:"high"`
	Width float64    `json:"standard_deviations"`
	At    *time.Time `json:"at"`
	On    bool       `json:"on"`
	Since *time.Time `json:"since"`
	Why   string     `json:"why,omitempty"`
}

func bandJSON(b *sale.Band) *checkBand {
	if b == nil {
		return nil
	}
	told := b.Why == ""
	return &checkBand{
		Low: knownIf(told, b.Low), High: knownIf(told, b.High), Width: b.Width,
		At: moment(b.At), On: b.On, Since: moment(b.Since), Why: b.Why,
	}
}

// checkBill is what the reading itself costs.
type checkBill struct {
	PerHour float64 `json:"cost_per_hour_usd"`
	USD     float64 `json:"cost_usd"`
}

func billJSON(snap *sale.Snapshot) checkBill {
	b := snap.Bill()
	return checkBill{b.PerHour, b.USD}
}

// known is a number that is null when it is not known.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// knownIf is a number that is null unless it means something.
func knownIf(ok bool, v float64) *float64 {
	if !ok {
		return nil
	}
	return known(v)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func assessedJSON(st *sale.State) checkAssessed {
	out := checkAssessed{CostPerHour: known(st.Cost.PerHour), Anomalies: make([]checkAnomaly, 0, len(st.Anomalies))}
	out.Cost = &checkCost{Held: known(st.Cost.Held), Enough: known(st.Cost.Enough), Saves: known(st.Cost.Saves), Why: st.Cost.Why}
	if u := st.Surge; u.Signal != "" {
		told := u.Why == ""
		out.Surge = &checkSurge{
			On: u.On, Signal: u.Signal, Basis: u.Basis, Why: u.Why, Since: moment(u.Since),
			Value: knownIf(told, u.Now), Expected: knownIf(told, u.Expected), Ratio: knownIf(told, u.Ratio),
		}
	}
	for _, an := range st.Anomalies {
		told := an.Why == ""
		out.Anomalies = append(out.Anomalies, checkAnomaly{
			Signal: an.Signal, On: an.On, Since: moment(an.Since), Why: an.Why,
			Value: knownIf(told, an.Value), Usual: knownIf(told, an.Usual), Low: knownIf(told, an.Low), High: knownIf(told, an.High), Score: knownIf(told, an.Score),
		})
	}
	out.Budget = budgetJSON(st)
	return out
}

// budgetJSON is nil before there is a budget, and has nulls where none is known.
func budgetJSON(st *sale.State) *checkBudget {
	if len(st.Budgets) == 0 {
		return nil
	}
	out := &checkBudget{Objectives: make([]checkObjective, 0, len(st.Budgets))}
	if b, ok := st.Tightest(); ok {
		out.Left, out.Burn, out.Objective = known(b.Left), known(b.Burn), b.Name
		out.Month = known(b.Month)
	}
	for _, b := range st.Budgets {
		if out.Month == nil { // the tightest budget's, or else the first that is known
			out.Month = known(b.Month)
		}
		out.Objectives = append(out.Objectives, checkObjective{
			Name: b.Name, Signal: b.Signal, Target: b.Target, Verdict: b.Verdict, Left: known(b.Left), Burn: known(b.Burn),
			Window: b.Window.Seconds(), Threshold: b.Threshold, LastsFor: knownIf(b.LastsFor > 0, b.LastsFor.Seconds()),
			Availability: known(b.Good), From: moment(b.From), To: moment(b.To), Coverage: b.Coverage, WeightedBy: b.WeightedBy,
			Month: known(b.Month), Why: b.Why,
		})
	}
	return out
}
