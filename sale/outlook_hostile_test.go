package sale

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"
)

// sound fails when an outlook holds what nobody can read: a NaN, a negative age or count, a range
// that its best guess lies outside of.
func sound(t *testing.T, st *State, now time.Time) {
	t.Helper()
	finite := func(what string, v float64) {
		if !isFinite(v) || v < 0 {
			t.Fatalf("%s is %v", what, v)
		}
	}
	for i := range st.Limits {
		l := &st.Limits[i]
		finite(string(l.Name)+" headroom", l.Headroom())
		finite(string(l.Name)+" safe", l.Safe)
		if !isFinite(l.Ratio) || l.Text == "" || !l.Has && l.Why == "" {
			t.Fatalf("%+v", l)
		}
	}
	finite("the safe admission", st.SafeAdmission.PerMinute)
	if st.SafeAdmission.Has == (st.SafeAdmission.Why != "") {
		t.Fatalf("%+v", st.SafeAdmission)
	}
	f := &st.Forecast
	for name, w := range map[string]*When{"sell-out": &f.SellOut, "drain": &f.Drain, "limit": &f.Limit} {
		finite(name+" grows", w.Grows)
		if !w.Has && !w.Never && w.Why == "" {
			t.Fatalf("%s is not known and does not say why", name)
		}
		if w.Has && (w.Low.After(w.At) || !w.High.IsZero() && w.High.Before(w.At)) {
			t.Fatalf("%s %+v", name, w)
		}
	}
	if f.Wait.Value < 0 || f.Wait.Low > f.Wait.Value || f.Wait.Most != 0 && f.Wait.Most < f.Wait.Value {
		t.Fatalf("wait %+v", f.Wait)
	}
	for what, v := range map[string]float64{"served": f.Serve.Served, "who miss": f.Serve.Miss, "at open": f.AtOpen.Value, "at open at least": f.AtOpen.Low, "at open at most": f.AtOpen.Most} {
		finite(what, v)
	}
	for _, p := range st.Plan {
		if math.IsInf(p.Ratio, 0) {
			t.Fatalf("plan %+v", p)
		}
	}
	_, _ = st.BindsText(now), st.AheadText(now)
}

// FuzzOutlook gives a sale any readings at all: gaps, resets, duplicates, stamps out of order and in
// the future, figures up to 1e308.
func FuzzOutlook(f *testing.F) {
	seed := func(values ...uint16) []byte {
		var b []byte
		for _, v := range values {
			b = binary.BigEndian.AppendUint16(b, v)
		}
		return b
	}
	f.Add(seed(0, 60, 400, 1, 60, 401, 2, 0xffff, 3), uint8(30))
	f.Add(seed(7, 1, 50000, 7, 60, 1, 7, 60, 65535, 4, 1, 0), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint8) {
		s := quay(t)
		s.Plan.Session = time.Duration(at) * time.Second
		s.Plan.Carries = float64(at % 3)
		s.Plan.Lines = []PlanLine{{Signal: AdmissionRate, Points: []PlanPoint{{After: 0, Value: 0}, {After: time.Minute, Value: 1e9}}}}
		now := opens.Add(time.Duration(at-100) * time.Minute)
		store := NewStore([]*Sale{s}, harbourSources, Limits{}, now)
		stamp := now.Add(-40 * time.Minute)
		for i := 0; len(data) >= 6 && i < 300; i++ {
			which, step, raw := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint16(data[4:])
			data = data[6:]
			spec := &s.Signals[int(which)%len(s.Signals)]
			stamp = stamp.Add(time.Duration(int16(step)) * time.Second / 4)
			value := float64(raw)
			switch which >> 12 {
			case 1:
				value = math.Pow(10, float64(raw%309))
			case 2:
				value = -value
			case 3:
				value = 0
			case 4:
				value = 1 / (value + 1)
			}
			if spec.Constant != nil {
				continue
			}
			store.Apply(Batch{Source: spec.Source, Readings: []Reading{{Key: Key{s.ID, spec.Signal}, Value: value, At: stamp, FetchedAt: now}}}, now)
			if i%7 == 0 {
				sound(t, store.Snapshot().Sale(s.ID), now)
				now = now.Add(20 * time.Second)
				store.Tick(now)
			}
		}
		sound(t, store.Snapshot().Sale(s.ID), now)
	})
}

// busy is 200 sales that declare all that an outlook follows from, forty signals each, with forty
// minutes of history.
func busy(b *testing.B, sales int) (*Store, []*Sale, time.Time) {
	var all []*Sale
	for i := range sales {
		s := quay(b)
		s.ID = ID(fmt.Sprint("sale", i))
		for j := len(s.Signals); j < 40; j++ {
			s.Signals = append(s.Signals, Spec{Signal: Signal(fmt.Sprint("signal", j)), Unit: Ratio, Source: "metrics", Cadence: every(5 * time.Second)})
		}
		all = append(all, s)
	}
	store := NewStore(all, harbourSources, Limits{}, live)
	now := opens
	for i := range 40 * 12 {
		now = opens.Add(time.Duration(i) * 5 * time.Second)
		for _, batch := range busyPoll(all, now, float64(i)) {
			store.Apply(batch, now)
		}
	}
	return store, all, now
}

func busyPoll(all []*Sale, now time.Time, x float64) []Batch {
	batches := []Batch{{Source: "metrics"}, {Source: "aws"}}
	for _, s := range all {
		for i := range s.Signals {
			spec := &s.Signals[i]
			value := 1000 + x
			if spec.Signal == TicketsLeft {
				value = 1e6 - 50*x
			}
			to := &batches[0]
			if spec.Source == "aws" {
				to = &batches[1]
			}
			if spec.Constant == nil {
				to.Readings = append(to.Readings, Reading{Key: Key{s.ID, spec.Signal}, Value: value, At: now, FetchedAt: now})
			}
		}
	}
	return batches
}

// BenchmarkOutlook takes in a poll of 200 sales with forty signals each and looks ahead for all.
func BenchmarkOutlook(b *testing.B) {
	store, all, now := busy(b, 200)
	batch := busyPoll(all, now, 480)[0]
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		at := now.Add(time.Duration(i) * 5 * time.Second)
		for j := range batch.Readings {
			batch.Readings[j].At, batch.Readings[j].FetchedAt = at, at
		}
		store.Apply(batch, at)
	}
}
