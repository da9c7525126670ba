package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/onsale-dev/onsale/actions"
)

// NewAhead makes the executor of actions.ScaleAhead: a Schedule for each size of a sale's plan.
// closes is the end of the sale; zero: not known. Times are said in the location of each At.
func NewAhead(o Options, plan []actions.PlannedSize, closes time.Time) (*actions.Ahead, error) {
	var parts []actions.AheadPart
	for _, size := range plan {
		s, err := NewSchedule(ScheduleOptions{
			Options: o, Name: size.Name, At: size.At, NotBefore: closes, Size: size.To, Plan: plan, Zone: size.At.Location(),
		})
		if err != nil {
			return nil, err
		}
		parts = append(parts, actions.AheadPart{Size: size, Target: s.name(), Executor: s})
	}
	return actions.NewAhead(parts...)
}

// clock writes an instant for a person, in the zone of the options.
func (s *Schedule) clock(t time.Time) string {
	if s.opts.Zone == nil {
		return clock(t)
	}
	return actions.PlannedSize{At: t.In(s.opts.Zone)}.Clock()
}

// before is what will hold just before the size is set: the last thing that the same plan declares
// until then, or that AWS has planned of others, else what holds now. What recurs is not counted.
func (s *Schedule) before(f *fleet, all []sctypes.ScheduledAction) (least, most int) {
	type change struct {
		at          time.Time
		least, most *int32
	}
	var list []change
	now := time.Now()
	for _, p := range s.opts.Plan {
		if p.Name != s.opts.Name && p.At.After(now) && p.At.Before(s.at) {
			list = append(list, change{at: p.At, least: aws.Int32(int32(p.To))})
		}
	}
	for _, a := range all {
		at, once := atOf(aws.ToString(a.Schedule), aws.ToString(a.Timezone))
		if t := a.ScalableTargetAction; t != nil && once && !s.declared(aws.ToString(a.ScheduledActionName)) && at.After(now) && at.Before(s.at) {
			list = append(list, change{at, t.MinCapacity, t.MaxCapacity})
		}
	}
	slices.SortStableFunc(list, func(a, b change) int { return a.at.Compare(b.at) })
	least, most = f.min, f.max
	for _, c := range list {
		if c.least != nil {
			least = int(*c.least)
		}
		if c.most != nil {
			most = int(*c.most)
		}
	}
	return least, most
}

// declared reports whether a scheduled action is this one, or another of the same plan.
func (s *Schedule) declared(name string) bool {
	return name == s.opts.Name || slices.ContainsFunc(s.opts.Plan, func(p actions.PlannedSize) bool { return p.Name == name })
}

func lowered(most, now int) string {
	if most == now {
		return ""
	}
	return fmt.Sprintf(" that is planned until then, from %d now", now)
}

// ahead is the declared size, if it may be set after least. A smaller one than before is a scale-back
// that nobody looks at: it has the floor of one, and before the end of the sale the gesture of one.
func (s *Schedule) ahead(p *actions.Preview, least int) (int, *actions.Refusal) {
	o, n := &s.opts.Options, s.opts.Size
	switch {
	case n <= 0:
		return 0, refusal(actions.GuardRequest, "declare it: ahead: [{at: opens-15m, to: 14}]", "no size is declared for %s", s.opts.Name)
	case o.Most > 0 && n > o.Most:
		return 0, refusal(actions.GuardBounds, "the bound is in the config", "%d is over the bound of %d", n, o.Most)
	case n >= least:
		return n, nil
	}
	size := float64(n)
	if _, no := o.backTo(&size, least); no != nil {
		return 0, no
	}
	end := s.opts.NotBefore
	switch {
	case end.IsZero():
		p.Risk = actions.Severe
		warn(p, "when the sale ends is not known: min %d → %d at %s may come while it goes on", least, n, s.clock(s.at))
	case s.at.Before(end):
		p.Risk = actions.Severe
		warn(p, "the sale goes on until %s, and min %d → %d comes at %s", s.clock(end), least, n, s.clock(s.at))
	}
	return n, nil
}

// sayAhead is what a person must know of a size that nobody is there to watch.
func (s *Schedule) sayAhead(p *actions.Preview, f *fleet, all []sctypes.ScheduledAction, least, n int) {
	o := &s.opts.Options
	most := max(f.max, count(p.To[MaxCapacity]))
	if n > least {
		p.Facts = append(p.Facts,
			actions.Fact{Label: "holds", Text: fmt.Sprintf("min %d: policies can add to it and can't shrink below it", n)},
			actions.Fact{Label: "headroom", Text: fmt.Sprintf("%d more up to max %d; a max that is set below %d before then stops it", most-n, most, n)})
		if o.Latest > 0 {
			p.Facts = append(p.Facts, actions.Fact{Label: "ready", Text: "they carry traffic at about " + s.clock(s.at.Add(o.Latest))})
		}
	}
	if n == least {
		warn(p, "min is %d then already: it adds nothing, unless somebody lowers it before", n)
	}
	prefix := s.opts.Name[:strings.LastIndexByte(s.opts.Name, '.')+1]
	for _, a := range all {
		if name := aws.ToString(a.ScheduledActionName); prefix != "" && strings.HasPrefix(name, prefix) && !s.declared(name) {
			warn(p, "scheduled action %s is of an earlier plan (%s): delete it, or declare it again", o.clean(name, 64), o.clean(aws.ToString(a.Schedule), 60))
		}
	}
}
