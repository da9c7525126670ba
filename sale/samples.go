package sale

import "math"

// ring is the writer's side of a Series. Readers hold parts of its array, so it only ever
// writes behind the last sample; anything else goes into a new array.
//
// Memory: 16 bytes a sample and at most a quarter of slack, so a signal at the default of
// 1,200 points takes 19 to 25 kB, and 200 sales of 40 signals at most 200 MB when every
// ring is full.
type ring struct {
	samples []sample
	floored bool
	floor   int64 // the newest sample that was dropped; what is not newer doesn't come back
}

// change is what a merge did to a ring.
type change struct {
	any      bool
	from     int64 // the earliest instant that is new or has another value
	appended bool  // nothing but newer samples came
}

// series returns what readers may hold.
func (r *ring) series() Series {
	n := len(r.samples)
	return Series{r.samples[:n:n]}
}

// merge takes in new samples, in time order and unique. A sample replaces the one at its
// instant; one that is there already with the same value, or was dropped before, changes
// nothing.
func (r *ring) merge(fresh []sample) change {
	if r.floored && len(fresh) > 0 && fresh[0].at <= r.floor {
		fresh = fresh[firstAfter(fresh, r.floor):]
	}
	n := len(r.samples)
	if len(fresh) == 0 {
		return change{}
	}
	i, j := n, 0
	if n > 0 && fresh[0].at <= r.samples[n-1].at {
		i = firstNotBefore(r.samples, fresh[0].at)
	}
	for i < n && j < len(fresh) {
		switch old := r.samples[i]; {
		case old.at < fresh[j].at:
			i++
			continue
		case old == fresh[j]:
			i++
			j++
			continue
		}
		break
	}
	switch {
	case j == len(fresh):
		return change{}
	case i == n:
		r.push(fresh[j:])
		return change{any: true, from: fresh[j].at, appended: true}
	}
	from := fresh[j].at
	merged := make([]sample, i, room(n+len(fresh)-j))
	copy(merged, r.samples[:i])
	r.samples = interleave(merged, r.samples[i:], fresh[j:])
	return change{any: true, from: from}
}

// interleave appends old and fresh to out by time; a fresh sample wins over an old one.
func interleave(out, old, fresh []sample) []sample {
	for len(old) > 0 && len(fresh) > 0 {
		switch {
		case old[0].at < fresh[0].at:
			out = append(out, old[0])
			old = old[1:]
		case old[0].at == fresh[0].at:
			old = old[1:]
		default:
			out = append(out, fresh[0])
			fresh = fresh[1:]
		}
	}
	out = append(out, old...)
	return append(out, fresh...)
}

// push appends samples that are newer than all there are.
func (r *ring) push(fresh []sample) {
	if need := len(r.samples) + len(fresh); need > cap(r.samples) {
		grown := make([]sample, len(r.samples), room(need))
		copy(grown, r.samples)
		r.samples = grown
	}
	r.samples = append(r.samples, fresh...)
}

// room is the capacity of a new array for n samples.
func room(n int) int { return n + max(n/4, 8) }

// trim drops what is beyond limit points or older than oldest and returns it. The newest
// sample always stays: a last known value is never lost to its age.
func (r *ring) trim(limit int, oldest int64) (dropped []sample) {
	n := len(r.samples)
	cut := max(n-limit, 0)
	if cut < n && r.samples[cut].at < oldest {
		cut = firstNotBefore(r.samples, oldest)
	}
	cut = min(cut, n-1)
	if cut <= 0 {
		return nil
	}
	dropped = r.samples[:cut:cut]
	r.floored, r.floor = true, dropped[cut-1].at
	r.samples = r.samples[cut:]
	if n-cut < cap(r.samples)/4 { // a backfill far beyond the limits must not stay in memory
		kept := make([]sample, n-cut, room(n-cut))
		copy(kept, r.samples)
		r.samples = kept
	}
	return dropped
}

// last returns the newest sample.
func (r *ring) last() (s sample, ok bool) {
	if len(r.samples) == 0 {
		return sample{}, false
	}
	return r.samples[len(r.samples)-1], true
}

// inForce is the value that held at t: of the newest sample not after t, or else of the next
// one after t, when it lies within reach. A limit that is read a little later than what it
// limits is known all the same.
func (r *ring) inForce(t int64, reach int64) float64 {
	i := firstAfter(r.samples, t)
	if i > 0 && t-r.samples[i-1].at <= reach {
		return r.samples[i-1].value
	}
	if i < len(r.samples) && r.samples[i].at-t <= reach {
		return r.samples[i].value
	}
	return math.NaN()
}
