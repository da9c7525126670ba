package shop

import (
	"math"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// demand is how many people come: before the doors open, in the surge at the opening, and after.
type demand struct {
	before, surge, surgeT, steady float64 // people a minute; surgeT is the surge's decay in seconds
}

// Planned is what the organisers expect at a time after the opening.
type Planned struct {
	After     time.Duration
	Waiting   int
	Admission int // people per minute
	Capacity  int // hosts in service
}

// Planned is the sale's course as its organisers planned it, from the pre-queue's opening to half an
// hour after the doors': the demand that they expect, let in by the steps of the plan. What a scenario
// does to the demand is not in it.
func (d *Declared) Planned() []Planned {
	var all []Planned
	queue := 0.0
	const until = 30 * time.Minute
	for t := -d.lead; t <= until; t += time.Second {
		if d.marked(t) {
			all = append(all, Planned{t, int(math.Round(queue)), d.plannedAdmission(t), d.hosts})
		}
		if t < 0 {
			queue += d.expects.before / 60
			continue
		}
		queue += (d.expects.steady + d.expects.surge*math.Exp(-t.Seconds()/d.expects.surgeT)) / 60
		queue = max(0, queue-float64(d.plannedAdmission(t))/60)
	}
	return all
}

// marked reports whether the plan has a point at a time after the opening: at the pre-queue's, at every
// fifth minute, and at every step.
func (d *Declared) marked(after time.Duration) bool {
	for _, step := range d.steps {
		if step.after == after {
			return true
		}
	}
	return after == -d.lead || after%(5*time.Minute) == 0
}

func (d *Declared) plannedAdmission(after time.Duration) int {
	if after < 0 {
		return 0
	}
	limit := d.limit
	if d.event != nil && d.event.limit > 0 {
		limit = d.event.limit
	}
	for _, step := range d.steps {
		if step.after <= after {
			limit = step.limit
		}
	}
	return limit
}

// Session is how long a person stays on the site, on average.
func (d *Declared) Session() time.Duration { return time.Duration(d.session * float64(time.Second)) }

// carriedLoad is the load of a host, as a share of what it can do, up to which its operators count
// on it: a machine of its own more than a pod or a task that shares one.
func (d *Declared) carriedLoad() float64 {
	if d.Kind == capacity.Instances {
		return 0.8
	}
	return 0.6
}

// Carries is how many people on the site one host is counted on to carry, to the next ten below: each
// asks for pages while there, and for twenty on entering.
func (d *Declared) Carries() int {
	perPerson := requestsPerPerson + requestsOfArrival/d.session
	return int(d.carriedLoad()*hostRate/perPerson/10) * 10
}
