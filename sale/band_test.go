package sale

import (
	"math"
	"testing"
	"time"
)

// modelledSale is the fair sale with bands on two of CloudWatch's figures: one that its own past is
// asked of too, and one that nothing else watches.
func modelledSale() *Sale {
	s := fair()
	for i := range s.Signals {
		switch s.Signals[i].Signal {
		case ErrorRatio, CapacityInService:
			s.Signals[i].Band = 2
		}
	}
	return s
}

// banded plays a minute of CloudWatch with a band around the signal.
func (p *stage) banded(name Signal, value, low, high float64) {
	p.t.Helper()
	p.pass(time.Minute)
	when := p.now.Add(-time.Minute).Truncate(time.Minute)
	p.send(Batch{
		Source: "aws", Calls: 1, Readings: []Reading{at(when, name, value)},
		Bands: []BandReading{{Key: Key{"harbour", name}, At: when, Low: low, High: high}},
	})
}

func (p *stage) band(name Signal) Band {
	p.t.Helper()
	k, ok := p.state().Signal(name)
	if !ok || k.Band == nil {
		p.t.Fatalf("%s has no band", name)
	}
	return *k.Band
}

func TestAValueOutsideItsModelsBandIsOddAfterTwoMinutesAndWatchAtMost(t *testing.T) {
	p := newStage(t, opens.Add(20*time.Minute), modelledSale())
	p.play(3, nil)
	for range 3 {
		p.banded(CapacityInService, 20, 18, 22)
	}
	if b := p.band(CapacityInService); b.On || b.Low != 18 || b.High != 22 || b.Why != "" || b.Width != 2 {
		t.Fatalf("inside: %+v", b)
	}
	p.banded(CapacityInService, 30, 18, 22)
	if b := p.band(CapacityInService); b.On || p.has("by CloudWatch") {
		t.Fatalf("after one minute: %+v", b)
	}
	p.banded(CapacityInService, 31, 18, 22)
	b := p.band(CapacityInService)
	if !b.On || !b.Since.Equal(b.At.Add(-time.Minute)) || !p.has("in service 31, usual is 18 to 22 by CloudWatch") {
		t.Fatalf("after two minutes: %+v, %q", b, texts(p.state()))
	}
	for _, r := range p.state().Reasons {
		if r.Signal == CapacityInService && r.Verdict != Watch {
			t.Errorf("%+v", r)
		}
	}
	p.banded(CapacityInService, 21, 18, 22)
	if b := p.band(CapacityInService); b.On || p.has("by CloudWatch") {
		t.Errorf("back inside: %+v", b)
	}
}

func TestWhatDoesNotMakeARunOutsideTheBand(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*stage)
		of   Signal
	}{
		{"one side and then the other", func(p *stage) {
			p.banded(CapacityInService, 30, 18, 22)
			p.banded(CapacityInService, 10, 18, 22)
		}, CapacityInService},
		{"the good side of a ratio", func(p *stage) {
			p.banded(ErrorRatio, 0.0001, 0.001, 0.002)
			p.banded(ErrorRatio, 0.0001, 0.001, 0.002)
		}, ErrorRatio},
		{"minutes with a gap between them", func(p *stage) {
			p.banded(CapacityInService, 30, 18, 22)
			p.pass(20 * time.Minute)
			p.banded(CapacityInService, 30, 18, 22)
		}, CapacityInService},
		{"on the edge itself", func(p *stage) {
			p.banded(CapacityInService, 22, 18, 22)
			p.banded(CapacityInService, 18, 18, 22)
		}, CapacityInService},
		{"a minute before without a band", func(p *stage) {
			p.pass(time.Minute)
			p.poll("aws", at(p.now.Add(-time.Minute).Truncate(time.Minute), CapacityInService, 30))
			p.banded(CapacityInService, 30, 18, 22)
		}, CapacityInService},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newStage(t, opens.Add(20*time.Minute), modelledSale())
			p.play(3, nil)
			c.play(p)
			if b := p.band(c.of); b.On || b.Why != "" {
				t.Errorf("%+v", b)
			}
		})
	}
}

func TestAGateThatWasJustSetExcusesTheBand(t *testing.T) {
	p := newStage(t, opens.Add(20*time.Minute), modelledSale())
	p.play(4, nil)
	p.play(2, map[Signal]float64{AdmissionLimit: 900})
	p.banded(CapacityInService, 30, 18, 22)
	p.banded(CapacityInService, 30, 18, 22)
	if b := p.band(CapacityInService); b.On {
		t.Errorf("%+v", b)
	}
}

func TestABandThatIsNotKnownIsNeitherUsualNorOdd(t *testing.T) {
	p := newStage(t, opens.Add(20*time.Minute), modelledSale())
	p.play(3, nil)
	if b := p.band(ErrorRatio); b.On || b.Why != "the model has not told of the newest value yet" {
		t.Errorf("before the first: %+v", b)
	}
	p.banded(CapacityInService, 30, 18, 22)
	p.banded(CapacityInService, 30, 18, 22)
	p.pass(time.Minute)
	p.send(Batch{
		Source: "aws", Calls: 1, Readings: []Reading{at(p.now.Add(-time.Minute).Truncate(time.Minute), CapacityInService, 30)},
		Bands: []BandReading{{Key: Key{"harbour", CapacityInService}, Why: "no model"}},
	})
	b := p.band(CapacityInService)
	if b.On || b.Low != 0 || b.High != 0 || b.Why != "no model" || b.Words(Count) != "not told by CloudWatch: no model" {
		t.Errorf("without a model: %+v", b)
	}
	if k, _ := p.state().Signal(CapacityInService); !k.Has || k.Problem != nil || k.Verdict != OK {
		t.Errorf("the signal itself: %+v", k)
	}
	p.banded(CapacityInService, 20, 18, 22)
	p.pass(30 * time.Minute)
	if b := p.band(CapacityInService); b.On || b.Why != "its newest value is too old" {
		t.Errorf("stale: %+v", b)
	}
}

func TestABandInWordsSaysItsUnitOnce(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		unit      Unit
		want      string
	}{
		{210, 260, PerMinute, "210 to 260/min by CloudWatch"},
		{0.018, 0.02, Ratio, "1.8 to 2.0 % by CloudWatch"},
		{18, 22, Count, "18 to 22 by CloudWatch"},
		{-4, 1200, Count, "up to 1,200 by CloudWatch"},
		{-4, -2, "", "-4 to -2 by CloudWatch"},
	} {
		b := Band{Low: c.low, High: c.high}
		if got := b.Words(c.unit); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestABandThatCannotBeIsNotTaken(t *testing.T) {
	var m modelled
	when := opens
	for _, r := range []BandReading{
		{At: when, Low: 3, High: 2}, {At: when, Low: math.NaN(), High: 2}, {At: when, Low: 1, High: math.Inf(1)}, {Low: 1, High: 2},
	} {
		if m.take(&r) || len(m.points) != 0 {
			t.Errorf("%+v was taken", r)
		}
	}
	for i := range 3 * keptBands { // newest first, as a source may deliver
		m.take(&BandReading{At: when.Add(-time.Duration(i) * time.Minute), Low: 1, High: 2})
	}
	if len(m.points) != keptBands {
		t.Fatalf("%d bands are kept", len(m.points))
	}
	if _, ok := m.at(when.UnixNano()); !ok {
		t.Error("the newest was dropped")
	}
	for i := 1; i < len(m.points); i++ {
		if m.points[i-1].at >= m.points[i].at {
			t.Fatal("out of order")
		}
	}
}
