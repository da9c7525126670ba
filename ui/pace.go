package ui

import "time"

// pacer bounds how often a frame is drawn: no more than max in any second, and frames that
// answer keys no closer than 1/max to each other, so that a held key moves evenly.
type pacer struct {
	max     int
	drawn   []time.Time // the last max frames, oldest first
	lastKey time.Time   // the last frame that answered a key
	slow    bool        // the link is: no more than slowLinkFPS
	lagged  time.Time   // when it last was seen to be
}

const (
	// slowLinkFPS is how many frames a second a slow link gets, as one over SSH does: with more of them
	// a key has to wait for what nobody asked for.
	slowLinkFPS = 2
	// slowLink is the lag from which a link is slow; it is fast again when it was below half of that
	// for slowLinkFor. It lags less just because it gets less: without that time it would be filled
	// again and again.
	slowLink    = 250 * time.Millisecond
	slowLinkFor = 30 * time.Second
)

// link takes in how long the terminal takes to draw, at now.
func (p *pacer) link(lag time.Duration, now time.Time) {
	if lag >= slowLink || p.slow && lag >= slowLink/2 {
		p.slow, p.lagged = true, now
	}
	if quiet := now.Sub(p.lagged); quiet >= slowLinkFor || quiet < 0 { // less than nothing: the clock was set back
		p.slow = false
	}
}

// most is how many frames there may be in a second now.
func (p *pacer) most() int {
	if p.slow {
		return min(p.max, slowLinkFPS)
	}
	return p.max
}

// wait returns how long the next frame has to wait; 0 means that it may be drawn now.
func (p *pacer) wait(now time.Time, forKey bool) time.Duration {
	var d time.Duration
	most := p.most()
	if n := len(p.drawn); n >= most {
		d = p.drawn[n-most].Add(time.Second).Sub(now)
	}
	if forKey && !p.lastKey.IsZero() {
		d = max(d, p.lastKey.Add(time.Second/time.Duration(most)).Sub(now))
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
