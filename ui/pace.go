package ui

import "time"

// pacer bounds how often a frame is drawn: no more than max in any second, and frames that
// answer keys no closer than 1/max to each other, so that a held key moves evenly.
type pacer struct {
	max     int
	drawn   []time.Time // the last max frames, oldest first
	lastKey time.Time   // the last frame that answered a key
}

// wait returns how long the next frame has to wait; 0 means that it may be drawn now.
func (p *pacer) wait(now time.Time, forKey bool) time.Duration {
	var d time.Duration
	if len(p.drawn) >= p.max {
		d = p.drawn[0].Add(time.Second).Sub(now)
	}
	if forKey && !p.lastKey.IsZero() {
		d = max(d, p.lastKey.Add(time.Second/time.Duration(p.max)).Sub(now))
	}
	if d > time.Second { // the clock was set back: never freeze for it
		d = 0
	}
	return max(d, 0)
}

// drew notes that a frame is drawn now.
func (p *pacer) drew(now time.Time, forKey bool) {
	if len(p.drawn) >= p.max {
		copy(p.drawn, p.drawn[1:])
		p.drawn = p.drawn[:len(p.drawn)-1]
	}
	p.drawn = append(p.drawn, now)
	if forKey {
		p.lastKey = now
	}
}
