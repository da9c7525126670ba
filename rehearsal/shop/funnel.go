package shop

import "math"

// hold lets people on the site put tickets into baskets and draws what will become of each.
func (s *state) hold() {
	if s.open < 0 {
		return
	}
	shopping := float64(s.active) / s.session * s.conversion * (1 - s.shedding)
	for range s.holdsIn.take(shopping * s.waves.work.next(s.rng)) {
		n := min(basket(s.rng), s.left)
		if n == 0 {
			return
		}
		s.left -= n
		s.held += n
		s.holds++
		h := hold{tickets: n, expires: s.clock + holdLife}
		after := holdLife
		switch {
		case s.checked.take(shareChecked) == 1:
			h.pays = true
			after = s.patience(105)
		case s.freed.take(shareReleased/(1-shareChecked)) == 1:
			after = s.patience(70)
		}
		s.schedule(h, after)
	}
}

// patience gives how long a basket is kept: two exponential stages around a mean, in seconds. The
// draws come from a shuffled pack of equally likely slices of the law, so that the orders of one
// minute do not jump more than those of a shop do.
func (s *state) patience(mean float64) int {
	const pack = 40
	if len(s.strata) == 0 {
		s.strata = s.rng.Perm(pack)
	}
	last := len(s.strata) - 1
	u := (float64(s.strata[last]) + s.rng.Float64()) / pack
	s.strata = s.strata[:last]
	lo, hi := 0.0, 12.0
	for range 16 {
		mid := (lo + hi) / 2
		if erlang(mid, 0.5) < u {
			lo = mid
		} else {
			hi = mid
		}
	}
	return int(math.Max(5, math.Min(mean*hi, holdLife-30)))
}

func (s *state) schedule(h hold, after int) {
	slot := (s.clock + after) % len(s.due)
	s.due[slot] = append(s.due[slot], h)
}

// settle does what is due this second: holds are paid, given back, or expire.
func (s *state) settle(f *Second, scn Scenario, story float64) {
	slot := s.clock % len(s.due)
	due := s.due[slot]
	s.due[slot] = due[:0]
	noise := s.waves.decline.next(s.rng)
	rates := s.declines
	rates[0] = scn.declineRate(s.ID, rates[0], story)
	for _, h := range due {
		if !h.pays {
			s.giveBack(h)
			continue
		}
		if s.rng.Float64() < s.shedding { // the shop did not answer: the buyer tries again
			if s.clock+15 < h.expires {
				s.schedule(h, 15)
			} else {
				s.giveBack(h)
			}
			continue
		}
		f.Checkouts++
		provider := 1 - s.toA.take(0.8)
		f.Payments[provider]++
		if s.declined.take(rates[provider]*noise) == 1 {
			f.Failed[provider]++
			s.giveBack(h)
			continue
		}
		f.Orders++
		s.held -= h.tickets
		s.holds--
		s.sold += h.tickets
	}
}

func (s *state) giveBack(h hold) {
	s.held -= h.tickets
	s.holds--
	s.left += h.tickets
}
