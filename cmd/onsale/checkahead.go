package main

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// This file is what lies ahead in the JSON form of a check: the binding limit, the safe admission and
// the forecast. What can't be told is null.

type checkLimit struct {
	Name     sale.LimitName `json:"name"`
	Signal   sale.Signal    `json:"signal"`
	Ratio    float64        `json:"ratio"`
	Headroom float64        `json:"headroom_ratio"`
	Text     string         `json:"text"`
	HitAt    *time.Time     `json:"hit_at"`
}

type checkForecast struct {
	SellOut *checkWhen  `json:"sell_out"`
	Drain   *checkWhen  `json:"drain"`
	Limit   *checkWhen  `json:"limit"`
	Serve   *checkServe `json:"serve"`
	AtOpen  *checkOpen  `json:"waiting_at_open"`
	Wait    *float64    `json:"wait_seconds"`
}

type checkWhen struct {
	At   *time.Time `json:"at"`   // null: it doesn't come at this pace
	Low  *time.Time `json:"low"`  //
	High *time.Time `json:"high"` // null: open
	// AfterResume: the instants are as if admission were resumed at once.
	AfterResume bool           `json:"after_resume,omitempty"`
	Growing     *float64       `json:"growing_per_minute,omitempty"`
	Name        sale.LimitName `json:"name,omitempty"` // of the limit
}

type checkServe struct {
	Waiting float64 `json:"waiting"`
	Tickets float64 `json:"tickets"`
	Served  float64 `json:"served"`
	Miss    float64 `json:"miss"`
	Joining bool    `json:"counts_those_who_will_join"`
}

type checkOpen struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func limitJSON(st *sale.State) *checkLimit {
	l := st.Binding
	if l == nil {
		return nil
	}
	const exact = 1e4
	return &checkLimit{l.Name, l.Signal, math.Round(l.Ratio*exact) / exact, math.Round(l.Headroom()*exact) / exact, l.Text, forecastInstant(l.HitAt)}
}

func safeJSON(st *sale.State) *float64 {
	if !st.SafeAdmission.Has {
		return nil
	}
	safe := st.SafeAdmission.PerMinute
	return &safe
}

func forecastJSON(st *sale.State) *checkForecast {
	f := &st.Forecast
	out := checkForecast{SellOut: whenJSON(&f.SellOut), Drain: whenJSON(&f.Drain), Limit: whenJSON(&f.Limit)}
	if out.Limit != nil {
		out.Limit.Name = f.LimitName
	}
	if f.Serve.Has {
		out.Serve = &checkServe{f.Serve.Waiting, f.Serve.Left, f.Serve.Served, f.Serve.Miss, f.Serve.Joining}
	}
	if f.AtOpen.Has {
		out.AtOpen = &checkOpen{f.AtOpen.Value, f.AtOpen.Low, f.AtOpen.Most}
	}
	if f.Wait.Has {
		seconds := f.Wait.Value.Seconds()
		out.Wait = &seconds
	}
	if out == (checkForecast{}) {
		return nil
	}
	return &out
}

func whenJSON(w *sale.When) *checkWhen {
	switch {
	case w.Never:
		grows := w.Grows
		return &checkWhen{Growing: &grows}
	case !w.Has:
		return nil
	}
	return &checkWhen{At: forecastInstant(w.At), Low: forecastInstant(w.Low), High: forecastInstant(w.High), AfterResume: w.AfterResume}
}

// forecastInstant is an instant to the second, as exact as a forecast may look; nil for none.
func forecastInstant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
