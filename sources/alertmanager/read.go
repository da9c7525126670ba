package alertmanager

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Wire shapes of API v2, as far as they are used.
type (
	alert struct {
		Fingerprint string            `json:"fingerprint"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		StartsAt    time.Time         `json:"startsAt"`
		Status      struct {
			State       string   `json:"state"`
			SilencedBy  []string `json:"silencedBy"`
			InhibitedBy []string `json:"inhibitedBy"`
		} `json:"status"`
	}
	silence struct {
		ID        string    `json:"id"`
		EndsAt    time.Time `json:"endsAt"`
		CreatedBy string    `json:"createdBy"`
		Comment   string    `json:"comment"`
	}
)

// shown is one alert as the peers together show it.
type shown struct {
	alert  alert
	first  int      // the view that it was taken from
	peers  []string // that show it
	paging []string // of them, those on which nothing mutes it
	muted  string   // why it is muted where it is
}

// batch puts the views together. The same alert on several peers is one.
func (s *Source) batch(views []view) sale.Batch {
	var b sale.Batch
	var order []string
	byLabels := map[string]*shown{}
	answered := 0
	var failed *sale.Problem
	for i := range views {
		v := &views[i]
		if v.problem != nil {
			if failed == nil {
				failed = v.problem
			}
			b.Warnings = append(b.Warnings, s.clean(v.peer.name+" can't be read: "+v.problem.Text, sources.AlarmText))
			continue
		}
		answered++
		for _, a := range v.alerts {
			if len(a.Labels) == 0 {
				continue
			}
			key := identity(a.Labels)
			one := byLabels[key]
			if one == nil {
				one = &shown{alert: a, first: i}
				byLabels[key] = one
				order = append(order, key)
			}
			if !slices.Contains(one.peers, v.peer.name) {
				one.peers = append(one.peers, v.peer.name)
			}
			if muted := s.muted(&a, v); muted == "" {
				one.paging = append(one.paging, v.peer.name)
			} else {
				one.muted = muted
			}
		}
	}
	if answered == 0 {
		return sale.Batch{Problem: failed}
	}
	for _, key := range order {
		b.Alarms = append(b.Alarms, s.alarm(byLabels[key], answered))
	}
	if n := len(b.Alarms); n > sources.MaxAlarms {
		sale.SortForeign(b.Alarms)
		b.Alarms = b.Alarms[:sources.MaxAlarms]
		b.Warnings = append(b.Warnings, fmt.Sprintf("%d alerts: only the first %d are kept", n, sources.MaxAlarms))
	}
	return b
}

// identity is an alert's label set: what makes it this alert and no other.
func identity(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for name := range labels {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%q=%q,", name, labels[name])
	}
	return b.String()
}

func (s *Source) alarm(one *shown, answered int) sale.ForeignAlarm {
	a := &one.alert
	name := a.Labels["alertname"]
	if name == "" {
		name = "an alert without a name"
	}
	out := sale.ForeignAlarm{
		Sale: s.opts.Whose.Sale(name, a.Labels, nil), Name: s.clean(name, sources.AlarmName), Kind: "alert",
		State: sale.ForeignFiring, Text: s.clean(summary(a.Annotations), sources.AlarmText), Since: a.StartsAt.UTC(),
	}
	if a.StartsAt.IsZero() {
		out.Since = time.Time{}
	}
	if len(one.paging) == 0 {
		out.Muted = one.muted
	}
	if len(s.peers) > 1 {
		out.Through = s.clean(fmt.Sprintf("on %d of %d peers that answered: %s", len(one.peers), answered, strings.Join(one.peers, ", ")), sources.AlarmThrough)
	}
	return out
}

// muted is why an alert pages nobody on one peer, "" when it would.
func (s *Source) muted(a *alert, v *view) string {
	switch {
	case len(a.Status.SilencedBy) > 0:
		one, ok := v.silences[a.Status.SilencedBy[0]]
		if !ok {
			return "silenced, by whom is not known"
		}
		words := "silenced by " + one.CreatedBy
		if !one.EndsAt.IsZero() {
			words += " until " + one.EndsAt.UTC().Format("2006-01-02 15:04Z")
		}
		if one.Comment != "" {
			words += ": " + one.Comment
		}
		return s.clean(words, sources.AlarmText)
	case len(a.Status.InhibitedBy) > 0:
		if n := len(a.Status.InhibitedBy); n > 1 {
			return fmt.Sprintf("inhibited by %d other alerts", n)
		}
		return "inhibited by another alert"
	case a.Status.State == "suppressed":
		return "muted, and it is not said by what"
	}
	return ""
}

func (s *Source) clean(text string, cells int) string {
	return sale.Clean(sources.Redact(text, s.secrets...), cells)
}

// summary is the one annotation that people read first.
func summary(annotations map[string]string) string {
	for _, name := range []string{"summary", "description", "message"} {
		if text := annotations[name]; text != "" {
			return text
		}
	}
	return ""
}
