package forecast

import "math"

// How steady a site must have been for its people and its admission to tell how long a person
// stays: the last minutes taken, and what each may swing, as a share of its mean.
const (
	steadyMinutes = 5
	steadySwing   = 0.30
	steadyDrift   = 0.10
)

// Session is how long a person stays on the site, in minutes, by Little's law: L = λW, so
// W = people on the site / people let in per minute. The law needs a steady state: the last five
// closed minutes must be known on both sides, with people on the site, no minute far from the
// mean, and no more than a tenth of them come or gone between the first and the last. During a
// step of the admission and after it, until the site has filled, there is no answer.
// Source: Little, A proof for the queuing formula L = λW, Operations Research 9 (1961).
func Session(people, admitted []float64) (minutes float64, ok bool) {
	n := len(people)
	if n < steadyMinutes || len(admitted) < steadyMinutes {
		return 0, false
	}
	p, a := people[n-steadyMinutes:], admitted[len(admitted)-steadyMinutes:]
	onSite, steady := level(p)
	rate, even := level(a)
	drift := math.Abs(p[steadyMinutes-1]-p[0]) / onSite
	if !steady || !even || drift > steadyDrift {
		return 0, false
	}
	minutes = onSite / rate
	return minutes, finite(minutes) && minutes > 0
}

// level is the mean of some minutes; steady is false when one is not known, the mean is not
// positive, or a minute lies more than half the swing away from it.
func level(minutes []float64) (mean float64, steady bool) {
	for i, v := range minutes {
		mean += (v - mean) / float64(i+1)
	}
	if !finite(mean) || mean <= 0 {
		return 0, false
	}
	for _, v := range minutes {
		if math.Abs(v-mean) > steadySwing/2*mean {
			return mean, false
		}
	}
	return mean, true
}

// PeopleAfter is how many people are on the site after some minutes when rate a minute are let in:
// with a mean stay of session minutes, those who are there leave as e^(−t/session), and the level
// that the rate comes to is rate × session.
func PeopleAfter(people, rate, session, minutes float64) float64 {
	level := rate * session
	return level + (people-level)*math.Exp(-minutes/session)
}

// Reach is in how many minutes the people on the site come to a number, by PeopleAfter: 0 when
// they are that many already, +Inf when the rate never brings that many.
func Reach(people, rate, session, number float64) float64 {
	level := rate * session
	switch {
	case people >= number:
		return 0
	case !(session > 0) || !(level > number):
		return math.Inf(1)
	}
	return -session * math.Log((level-number)/(level-people))
}

// Drain is in how many minutes a queue is gone when rate a minute leave it and joining come:
// Q/(μ−λ), +Inf when it does not shrink. 0 for no queue.
func Drain(queue, rate, joining float64) float64 {
	switch {
	case queue <= 0:
		return 0
	case !(rate > joining):
		return math.Inf(1)
	}
	return queue / (rate - joining)
}

// Occupied is how many people were on the site, on average, in each minute: what was let in, moved
// on by PeopleAfter, for a site whose people were not read for long enough. The site is taken to have
// been in balance when the minutes begin, and after a gap; until that guess has worn off, which it does
// as e^(−t/session), the minutes are NaN, unless nobody was let in at first. now is what was read last:
// when the sum comes to another number by more than a fifth, the law does not hold here, and there is
// no answer.
func Occupied(admitted []float64, session, now float64) []float64 {
	if !(session > 0) || !(now > 0) || math.IsInf(now, 1) {
		return nil
	}
	const worn = 2 // sessions: 86 % of the first guess
	out := make([]float64, len(admitted))
	people, since := math.NaN(), 0.0
	for i, in := range admitted {
		out[i] = math.NaN()
		if !finite(in) || in < 0 {
			people = math.NaN()
			continue
		}
		if math.IsNaN(people) {
			people, since = in*session, 0
			if in == 0 {
				since = worn * session
			}
		}
		after := PeopleAfter(people, in, session, 1)
		if since >= worn*session {
			out[i] = (people + after) / 2
		}
		people = after
		since++
	}
	if math.IsNaN(people) || math.Abs(people-now) > now/5 {
		return nil
	}
	return out
}
