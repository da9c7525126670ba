package main

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// checkIncident is an incident as other programs read it. Times that are not known, or are not so
// yet, are null.
type checkIncident struct {
	Name           string              `json:"name"` // "INC-4181"; "" while its tool has not shown it
	Key            string              `json:"key"`
	Title          string              `json:"title"`
	System         string              `json:"system"`
	Status         sale.IncidentStatus `json:"status"` // accepted, open, acknowledged or resolved
	URL            string              `json:"url"`
	Accepted       *time.Time          `json:"accepted"`
	Opened         *time.Time          `json:"opened"`
	OpenedBy       string              `json:"opened_by"`
	Acknowledged   *time.Time          `json:"acknowledged"`
	AcknowledgedBy string              `json:"acknowledged_by"`
	Mitigated      *bool               `json:"mitigated"` // null while the sale can't be judged
	MitigatedAt    *time.Time          `json:"mitigated_at"`
	Resolved       *time.Time          `json:"resolved"`
	ResolvedBy     string              `json:"resolved_by"`
	Seen           *time.Time          `json:"seen"` // when its tool last showed it; null: never
	Clocks         []checkClock        `json:"clocks"`
	Others         int                 `json:"others"` // how many more are open
}

type checkClock struct {
	Name    string   `json:"name"`           // "ack", "mitigate", "resolve"
	Within  *float64 `json:"within_seconds"` // null where nothing is promised
	Took    *float64 `json:"took_seconds"`
	Left    *float64 `json:"left_seconds"` // negative when the promise is broken
	Stopped bool     `json:"stopped"`
	Over    bool     `json:"over"`
}

// incidentJSON is the incident of a sale, or nil where none is known, and whether that is known at
// all: nil where nobody keeps incidents of it.
func incidentJSON(st *sale.State, now time.Time) (out any, known *bool) {
	if st.Incidents.Kept {
		known = &st.Incidents.Known
	}
	in := st.Incidents.Current
	if in == nil {
		return nil, known
	}
	o := checkIncident{
		Name: in.Name, Key: in.Key, Title: in.Title, System: in.System, Status: in.Status, URL: in.URL,
		Accepted: instantJSON(in.Accepted), Opened: instantJSON(in.Opened), OpenedBy: in.OpenedBy,
		Acknowledged: instantJSON(in.Acknowledged), AcknowledgedBy: in.AcknowledgedBy, MitigatedAt: instantJSON(in.MitigatedAt),
		Resolved: instantJSON(in.Resolved), ResolvedBy: in.ResolvedBy, Seen: instantJSON(in.Seen), Others: st.Incidents.Others,
	}
	if !in.Blind {
		o.Mitigated = &in.Mitigated
	}
	for _, c := range in.Clocks(st.Sale.SLAs, now) {
		clock := checkClock{Name: c.Name, Stopped: c.Stopped, Over: c.Over()}
		if c.Within > 0 {
			clock.Within = secondsJSON(c.Within)
		}
		if c.Known {
			clock.Took = secondsJSON(c.Took)
		}
		if left, ok := c.Left(); ok {
			clock.Left = secondsJSON(left)
		}
		o.Clocks = append(o.Clocks, clock)
	}
	return o, known
}

func instantJSON(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

func secondsJSON(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}
