package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file is the JSON form of a check. Its names and shapes are promised to scripts: add, never
// rename. A number that is not known is null, never 0.

const checkSchema = "onsale.check/v1"

type checkReport struct {
	Schema  string        `json:"schema"`
	At      time.Time     `json:"at"`
	Verdict sale.Verdict  `json:"verdict"`
	Sales   []checkSale   `json:"sales"`
	Sources []checkSource `json:"sources"`
	API     checkBill     `json:"api"`
}

type checkSale struct {
	ID      sale.ID                     `json:"id"`
	Name    string                      `json:"name"`
	Phase   sale.Phase                  `json:"phase"`
	Opens   time.Time                   `json:"opens"`
	Verdict sale.Verdict                `json:"verdict"`
	Since   time.Time                   `json:"since"`
	Reasons []checkReason               `json:"reasons"`
	Needed  checkNeeded                 `json:"needed"`
	Notes   []checkNote                 `json:"notes"`
	Signals map[sale.Signal]checkSignal `json:"signals"`

	// What this version does not work out is null, as the contract asks, and never made up.
	Cause        *checkCause    `json:"cause"`
	NextMove     *checkMove     `json:"next_move"`
	BindingLimit *checkLimit    `json:"binding_limit"`
	SafeRate     *float64       `json:"safe_admission_per_minute"`
	Forecast     *checkForecast `json:"forecast"`
	Incident     any            `json:"incident"`
	// IncidentKnown is whether it can be told that an incident is open; null where nobody keeps them.
	IncidentKnown *bool        `json:"incident_known"`
	Alarms        []checkAlarm `json:"alarms"`

	checkAssessed
}

type checkReason struct {
	Signal  sale.Signal  `json:"signal"`
	Verdict sale.Verdict `json:"verdict"`
	Text    string       `json:"text"`
	Since   time.Time    `json:"since"`
	Source  string       `json:"source"`
}

type checkNeeded struct {
	Signals int `json:"signals"`
	Live    int `json:"live"`
}

type checkNote struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

type checkSignal struct {
	Value     *float64       `json:"value"`
	Unit      sale.Unit      `json:"unit"`
	At        *time.Time     `json:"at"`
	Age       *float64       `json:"age_seconds"`
	Freshness sale.Freshness `json:"freshness"`
	Verdict   sale.Verdict   `json:"verdict"`
	Source    string         `json:"source"`
	Estimate  bool           `json:"estimate,omitempty"`
	Error     string         `json:"error,omitempty"`
	Band      *checkBand     `json:"band,omitempty"`
}

type checkSource struct {
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	Condition sale.Condition `json:"condition"`
	Error     string         `json:"error"`
	Class     sale.Class     `json:"error_class,omitempty"`
	Hint      string         `json:"hint,omitempty"`
	LastOK    *time.Time     `json:"last_ok"`
	Missing   int            `json:"missing"`
	Warnings  []string       `json:"warnings,omitempty"`
	Calls     int            `json:"calls"`
	CostUSD   float64        `json:"cost_usd"`
}

func writeCheckJSON(w io.Writer, snap *sale.Snapshot, states []*sale.State, now time.Time) error {
	report := checkReport{
		Schema: checkSchema, At: now.UTC(), Verdict: overall(states),
		Sales: make([]checkSale, 0, len(states)), Sources: make([]checkSource, 0, len(snap.Sources)), API: billJSON(snap),
	}
	for _, st := range states {
		report.Sales = append(report.Sales, saleJSON(st, now))
	}
	for _, src := range snap.Sources {
		report.Sources = append(report.Sources, sourceJSON(src))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(report)
}

func saleJSON(st *sale.State, now time.Time) checkSale {
	out := checkSale{
		ID: st.Sale.ID, Name: st.Sale.Name, Phase: st.Phase, Opens: st.Sale.Opens.UTC(),
		Verdict: st.Verdict, Since: st.Since.UTC(),
		Reasons: make([]checkReason, 0, len(st.Reasons)),
		Needed:  checkNeeded{Signals: st.Needed, Live: st.NeededLive},
		Notes:   make([]checkNote, 0, len(st.Notes)),
		Signals: make(map[sale.Signal]checkSignal, len(st.Signals)),
	}
	out.Incident, out.IncidentKnown = incidentJSON(st, now)
	out.BindingLimit, out.SafeRate, out.Forecast = limitJSON(st), safeJSON(st), forecastJSON(st)
	for _, r := range st.Reasons {
		out.Reasons = append(out.Reasons, checkReason{r.Signal, r.Verdict, r.Text, r.Since.UTC(), r.Source})
	}
	for _, n := range st.Notes {
		out.Notes = append(out.Notes, checkNote{n.Code, n.Text})
	}
	out.checkAssessed = assessedJSON(st)
	out.Cause, out.NextMove, out.Alarms = causeJSON(st), moveJSON(st), alarmsJSON(st)
	for _, k := range st.Signals {
		out.Signals[k.Spec.Signal] = signalJSON(k, now)
	}
	return out
}

func signalJSON(k sale.Known, now time.Time) checkSignal {
	out := checkSignal{
		Unit: k.Spec.Unit, Freshness: k.FreshnessAt(now), Verdict: k.Verdict,
		Source: k.Spec.Source, Estimate: k.Spec.Estimate,
	}
	if k.Problem != nil {
		out.Error = k.Problem.Text
	}
	out.Band = bandJSON(k.Band)
	if !k.Has {
		return out
	}
	value, at, age := k.Value, k.At.UTC(), max(0, now.Sub(k.At)).Seconds()
	out.Value, out.At, out.Age = &value, &at, &age
	return out
}

func sourceJSON(src sale.SourceState) checkSource {
	out := checkSource{
		Name: src.Name, Kind: src.Kind, Condition: src.Condition, Missing: src.Missing,
		Warnings: src.Warnings, Calls: src.Calls, CostUSD: src.CostUSD,
	}
	if src.Condition == sale.SourceStarting {
		out.Condition = sale.SourceNoData
	}
	if p := src.Problem; p != nil && src.Condition == sale.SourceError { // single signals say their own
		out.Error, out.Class, out.Hint = p.Text, p.Class, p.Hint
	}
	if !src.LastOK.IsZero() {
		ok := src.LastOK.UTC()
		out.LastOK = &ok
	}
	return out
}
