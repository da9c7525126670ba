package ecs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	maxScheduled = 50 // of one service, as many as one answer holds
	everyAhead   = 30 * time.Second
)

// ahead is what Application Auto Scaling has planned of a service.
type ahead struct {
	tried, read time.Time
	problem     *sale.Problem
	scheduled   []sources.Scheduled
	more        bool // there are more than were listed
}

// planned lists the services whose plans are looked at on this poll. Only a registered target has any.
func (s *Source) planned(now time.Time) []*service {
	var list []*service
	if now.Before(s.quiet) {
		return nil
	}
	for _, v := range s.services {
		interval := everyAhead
		if v.ahead.problem != nil && v.ahead.problem.Class == sale.Auth {
			interval = afterAuth
		}
		due := v.ahead.tried.IsZero() || now.Sub(v.ahead.tried)+s.opts.Every/4 >= interval
		if len(v.plans) > 0 && v.known && v.target != nil && due {
			list = append(list, v)
		}
	}
	return list[:min(len(list), mostWhys)]
}

func (s *Source) lookAhead(ctx context.Context, p *poll, v *service) {
	var out *scaling.DescribeScheduledActionsOutput
	err := p.call(ctx, func() (err error) {
		out, err = s.opts.Scaling.DescribeScheduledActions(ctx, &scaling.DescribeScheduledActionsInput{
			ServiceNamespace: sctypes.ServiceNamespaceEcs, ScalableDimension: sctypes.ScalableDimensionECSServiceDesiredCount,
			ResourceId: aws.String(v.resource()), MaxResults: aws.Int32(maxScheduled),
		})
		return err
	})
	v.ahead.tried, v.ahead.problem = p.clock(), nil
	if err == nil && out.ScheduledActions == nil {
		err = &sale.Problem{Class: sale.BadData, Text: "the answer has no list of scheduled actions", Hint: hintEndpoint}
	}
	if err != nil {
		v.ahead.problem = s.problem(err)
		return
	}
	v.ahead.read, v.ahead.scheduled = v.ahead.tried, nil
	v.ahead.more = aws.ToString(out.NextToken) != "" || len(out.ScheduledActions) > maxScheduled
	for _, a := range out.ScheduledActions[:min(len(out.ScheduledActions), maxScheduled)] {
		at, once := onceAt(aws.ToString(a.Schedule), aws.ToString(a.Timezone))
		if !once {
			continue // what recurs is no plan of a sale
		}
		one := sources.Scheduled{Name: aws.ToString(a.ScheduledActionName), At: at}
		if t := a.ScalableTargetAction; t != nil {
			one.Min = t.MinCapacity
		}
		v.ahead.scheduled = append(v.ahead.scheduled, one)
	}
}

// onceAt reads an expression at(yyyy-mm-ddThh:mm:ss) in a time zone; "" is UTC.
// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
func onceAt(expression, zone string) (at time.Time, ok bool) {
	inside, ok := strings.CutPrefix(strings.TrimSpace(expression), "at(")
	if !ok || !strings.HasSuffix(inside, ")") {
		return at, false
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return at, false
	}
	at, err = time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(inside, ")"), loc)
	return at, err == nil
}

// planNotes say of each declared size whether AWS has it.
func (v *service) planNotes() []note {
	var all []note
	switch {
	case len(v.plans) == 0:
		return nil
	case v.target == nil:
		if v.targetProblem != nil {
			return nil // why it is not known is a warning of its own
		}
		for _, p := range v.plans {
			if p.At.After(v.at) {
				all = append(all, note{"not_planned", fmt.Sprintf("%s: NOT planned: %s to %d; no scalable target is registered, so nothing can be", v.name, p.Text, p.To), p.Sale})
			}
		}
		return all
	case v.ahead.read.IsZero() || v.at.Sub(v.ahead.read) > keepWhy:
		return nil
	}
	for _, p := range v.plans {
		if code, text := sources.PlanNote(p, v.ahead.scheduled, !v.ahead.more, v.target.min, v.at); code != "" {
			all = append(all, note{code, v.name + ": " + text, p.Sale})
		}
	}
	return all
}
