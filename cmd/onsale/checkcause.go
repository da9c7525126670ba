package main

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The cause, the next move and the alarms in the JSON form of a check.

type checkCause struct {
	Text     string        `json:"text"`
	Signal   sale.Signal   `json:"signal"`
	Source   string        `json:"source"`
	Verdict  sale.Verdict  `json:"verdict"`
	Evidence []sale.Signal `json:"evidence"`
	Since    *time.Time    `json:"since"`
}

type checkMove struct {
	Text   string  `json:"text"`
	Action *string `json:"action"`
	To     *int    `json:"to"`
}

type checkAlarm struct {
	Key      string       `json:"key"`
	Verdict  sale.Verdict `json:"verdict"`
	Text     string       `json:"text"`
	Value    string       `json:"value"`
	Source   string       `json:"source"`
	Since    time.Time    `json:"since"`
	Raised   time.Time    `json:"raised"`
	Folded   string       `json:"folded,omitempty"`
	Clearing bool         `json:"clearing,omitempty"`
}

func causeJSON(st *sale.State) *checkCause {
	c := &st.Cause
	if c.Text == "" {
		return nil
	}
	out := &checkCause{Text: c.Text, Signal: c.Signal, Source: c.Source, Verdict: c.Verdict, Evidence: []sale.Signal{}}
	out.Evidence = append(out.Evidence, c.Evidence...)
	if !c.Since.IsZero() {
		since := c.Since.UTC()
		out.Since = &since
	}
	return out
}

// moveJSON has no action where there is nothing to press, and no number where it takes none.
func moveJSON(st *sale.State) *checkMove {
	if st.Next.Text == "" {
		return nil
	}
	out := &checkMove{Text: st.Next.Text}
	if st.Next.Action != "" {
		out.Action = &st.Next.Action
	}
	if st.Next.To > 0 {
		out.To = &st.Next.To
	}
	return out
}

func alarmsJSON(st *sale.State) []checkAlarm {
	all := make([]checkAlarm, 0, len(st.Alarms))
	for i := range st.Alarms {
		a := &st.Alarms[i]
		all = append(all, checkAlarm{
			Key: a.Key, Verdict: a.Verdict, Text: a.Text, Value: a.Value, Source: a.Source,
			Since: a.Since.UTC(), Raised: a.Raised.UTC(), Folded: a.Folded, Clearing: a.Clearing,
		})
	}
	return all
}
