package forecast

import "math"

// Site is a sale on the way: a queue, a site that people stay on, and a stock that they take
// tickets from as they go. Rates are per minute.
type Site struct {
	Queue    float64
	People   float64 // on the site
	Stock    float64 // tickets
	Session  float64 // mean minutes on the site; 0: not known, people take their tickets at once
	Each     float64 // tickets that a person takes who was let in, buyer or not
	Ceiling  float64 // most people on the site; 0: no ceiling
	Full     float64 // people at which a limit is full; 0: none
	Admitted func(minute float64) float64
	Joining  func(minute float64) float64
}

// Course is when, in minutes from now; +Inf: not within the horizon.
type Course struct {
	SoldOut, Drained, Filled float64
	// Waiting and Served are how many still wait, and how many were let in, at the sell-out or at
	// the horizon.
	Waiting, Served float64
}

// mostSteps bounds the work of a walk.
const mostSteps = 720

// Walk moves the site forward a minute at a time, up to a horizon in minutes, and interpolates
// within the minute in which something comes about. In it a queue loses μ−λ, the people on the
// site follow dP/dt = μ − P/session, and the stock loses what those take who leave. For steady
// rates that is Q/(μ−λ) and PeopleAfter.
func (s Site) Walk(horizon float64) Course {
	c := Course{math.Inf(1), math.Inf(1), math.Inf(1), s.Queue, 0}
	if s.Stock <= 0 {
		c.SoldOut = 0
	}
	if s.Queue <= 0 {
		c.Drained = 0
	}
	if s.Full > 0 && s.People >= s.Full {
		c.Filled = 0
	}
	stay := 0.0
	if s.Session > 0 {
		stay = math.Exp(-1 / s.Session)
	}
	for t := 0.0; t < horizon && t < mostSteps; t++ {
		if !math.IsInf(c.SoldOut, 1) && !math.IsInf(c.Drained, 1) && (s.Full <= 0 || !math.IsInf(c.Filled, 1)) {
			break
		}
		joined := s.Joining(t + 0.5)
		most := s.Admitted(t + 0.5)
		if s.Ceiling > 0 {
			most = min(most, max(0, s.Ceiling-s.People*stay))
		}
		in := min(most, max(0, s.Queue)+joined)
		people, left := in, in
		if s.Session > 0 {
			level := in * s.Session
			people = level + (s.People-level)*stay
			left = s.People + in - people
		} else {
			people = s.People
		}
		queue, stock := s.Queue+joined-in, s.Stock-s.Each*left
		if math.IsInf(c.SoldOut, 1) {
			part := 1.0
			if stock <= 0 {
				part = share(s.Stock, stock)
				c.SoldOut = t + part
			}
			c.Waiting = s.Queue + part*(queue-s.Queue)
			c.Served += part * in
		}
		// Whoever joins an empty queue is let in at once, so a trickle doesn't make it a queue.
		if math.IsInf(c.Drained, 1) && queue <= 0.5 {
			c.Drained = t + share(s.Queue, min(s.Queue+joined-most, 0))
		}
		if s.Full > 0 && math.IsInf(c.Filled, 1) && people >= s.Full {
			c.Filled = t + share(s.Full-s.People, s.Full-people)
		}
		s.Queue, s.People, s.Stock = max(0, queue), people, max(0, stock)
	}
	return c
}

// share is the part of a minute after which a value that falls from from to to, in a straight
// line, is 0.
func share(from, to float64) float64 {
	if from <= 0 || from <= to {
		return 0
	}
	return min(1, from/(from-to))
}
