package webhook

import (
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Proof is the signal in which a change of the gate shows.
type Proof struct {
	Signal    sale.Signal       // "": admission_rate
	Direction actions.Direction // "": the way of the change
	Within    time.Duration     // then it counts as not taken; 0: two minutes after Latest, or nothing is looked for
}

// aimEffect says how the signals will show a change of the gate, where they can.
func (e *Executor) aimEffect(p *actions.Preview, seen actions.Evidence) {
	proof := e.o.Proof
	if proof.Signal == "" {
		proof.Signal = sale.AdmissionRate
	}
	if proof.Within == 0 && e.o.Latest > 0 {
		proof.Within = e.o.Latest + 2*time.Minute
	}
	now := seen.Signal(proof.Signal)
	if !now.Has || proof.Within <= 0 {
		return
	}
	if _, isRate := p.To[SettingRate].Number(); isRate {
		if paused, _ := p.From[SettingPaused].Flag(); paused {
			p.Warnings = append(p.Warnings, "the gate is paused: nobody is let in until R resumes, whatever the rate")
			p.EffectText = "no effect while the gate is paused"
			return
		}
	}
	effect := actions.Effect{Signal: proof.Signal, Within: proof.Within}
	var known bool
	if effect.Direction, effect.Wanted, known = admitted(p, now.Value); !known && proof.Direction == "" {
		return
	}
	if proof.Signal != sale.AdmissionRate || proof.Direction != "" && proof.Direction != effect.Direction {
		if proof.Direction != "" {
			effect.Direction = proof.Direction
		}
		if effect.Wanted = 0.9 * now.Value; effect.Direction == actions.Up { // a tenth is no noise
			effect.Wanted = 1.1 * now.Value
		}
		if now.Value == 0 {
			return // there is nothing to compare with
		}
	}
	p.Effect = &effect
}

// admitted is how the people let in per minute show a change, from what they are now. A limit is a
// target, not a cap, and fewer may come than may pass.
func admitted(p *actions.Preview, now float64) (way actions.Direction, wanted float64, known bool) {
	if paused, ok := p.To[SettingPaused].Flag(); ok {
		if paused {
			return actions.Down, 0.02 * now, true
		}
		return actions.Up, max(1, now), true
	}
	next, ok := p.To[SettingRate].Number()
	was, read := p.From[SettingRate].Number()
	switch {
	case !ok:
		return "", 0, false
	case read && next > was:
		return actions.Up, was + (next-was)/2, true
	case read, next < now:
		return actions.Down, next * 1.1, true
	}
	return "", 0, false
}
