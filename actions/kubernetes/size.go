package kubernetes

import (
	"fmt"
	"math"

	"github.com/onsale-dev/onsale/actions"
)

// mostSize is above every quota: a number over it is a slip of the hand.
const mostSize = 100_000

func refusal(g actions.Guard, hint, format string, args ...any) *actions.Refusal {
	return &actions.Refusal{Guard: g, Text: fmt.Sprintf(format, args...), Hint: hint}
}

// numeric is the refusal of a number that can't be a size, or nil. It needs no look at the Deployment.
func (o *Options) numeric(req actions.Request) *actions.Refusal {
	if req.To == nil {
		return nil
	}
	v := *req.To
	switch {
	case math.IsNaN(v), math.IsInf(v, 0), v != math.Trunc(v):
		return refusal(actions.GuardRequest, "give a whole number above zero", "%s is not a number of pods", actions.Number(v))
	case v <= 0:
		return refusal(actions.GuardRequest, "give a whole number above zero", "a Deployment is never scaled to %s", actions.Number(v))
	case o.Most > 0 && v > float64(o.Most):
		return refusal(actions.GuardBounds, "the bound is in the config", "%s is over the bound of %d", actions.Number(v), o.Most)
	case v > mostSize:
		return refusal(actions.GuardBounds, "", "%s is over %d", actions.Number(v), mostSize)
	case req.Verb == actions.ScaleBack && o.Floor > 0 && v < float64(o.Floor):
		return refusal(actions.GuardBounds, "the floor is in the config", "%s is below the floor of %d", actions.Number(v), o.Floor)
	}
	return nil
}

// upTo is the absolute size of a scale-up from the present size and floor.
func (o *Options) upTo(to *float64, present, least int) (int, *actions.Refusal) {
	n := 0
	switch {
	case to != nil:
		n = int(*to)
	case len(o.Sizes) > 0:
		for _, size := range o.Sizes {
			if size > present {
				n = size
				break
			}
		}
		if n == 0 {
			return 0, refusal(actions.GuardBounds, "name a size with --to, or declare a larger one", "the largest declared size, %d, is reached: it is %d now", o.Sizes[len(o.Sizes)-1], present)
		}
	default:
		n = present + max(1, (present+3)/4)
		if o.Most > 0 && present < o.Most {
			n = min(n, o.Most)
		}
	}
	switch {
	case o.Most > 0 && n > o.Most:
		return 0, refusal(actions.GuardBounds, "the bound is in the config", "%d is over the bound of %d", n, o.Most)
	case n < present:
		return 0, refusal(actions.GuardRequest, "scale up takes a larger size; scale back is an action of its own", "%d is below the present size of %d", n, present)
	case n <= least:
		return 0, refusal(actions.GuardRequest, "name a larger size with --to", "it is %d already", least)
	}
	return n, nil
}

// backTo is the absolute size of a scale-back from the present floor.
func (o *Options) backTo(to *float64, least int) (int, *actions.Refusal) {
	if o.Floor <= 0 {
		return 0, refusal(actions.GuardBounds, "declare the least size of the Deployment; an undo restores recorded values without it", "no floor is declared, so nothing says how far back is safe")
	}
	n := o.Floor
	if to != nil {
		n = int(*to)
	}
	switch {
	case n < o.Floor:
		return 0, refusal(actions.GuardBounds, "the floor is in the config", "%d is below the floor of %d", n, o.Floor)
	case n >= least:
		return 0, refusal(actions.GuardRequest, "scale back takes a smaller size", "it is %d, and %d is not below it", least, n)
	}
	return n, nil
}
