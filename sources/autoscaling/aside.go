package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/onsale-dev/onsale/sale"
)

// kind is what an aside asks for.
type kind string

const (
	activities     kind = "scaling activities"
	refreshes      kind = "instance refreshes"
	scheduledTimes kind = "scheduled actions"
	warmPool       kind = "the warm pool"
	targetHealth   kind = "target health"
)

const (
	maxAsides  = 24               // calls beside the figures per poll
	keepAside  = 10 * time.Minute // an older explanation is not shown
	horizon    = 24 * time.Hour   // of scheduled actions
	afterAuth  = 5 * time.Minute  // until a refused permission is tried again
	quietAfter = time.Minute      // until the others go on after AWS was throttling
	quietMost  = 10 * time.Minute
	neverAsked = 1e9 // intervals: longer than any wait
)

// aside is one thing that is asked about a group beside its figures, and what was answered.
type aside struct {
	kind   kind
	group  *group
	target string // ARN of a target group

	tried, read time.Time
	problem     *sale.Problem // of the last try

	activities []activity
	refreshes  []refresh
	scheduled  []scheduled
	more       bool // scheduled actions that were not listed
	warmed     warmed
	targets    []target
}

func (g *group) aside(k kind, target string) *aside {
	for _, a := range g.asides {
		if a.kind == k && a.target == target && !a.tried.IsZero() {
			return a
		}
	}
	return nil
}

// recent is an aside whose answer may still be shown.
func (g *group) recent(k kind, target string) *aside {
	if a := g.aside(k, target); a != nil && !a.read.IsZero() && g.at.Sub(a.read) <= keepAside {
		return a
	}
	return nil
}

// arrange brings the list of asides up to date with what the group has.
func (g *group) arrange(targets bool) {
	var next []*aside
	add := func(k kind, target string) {
		for _, a := range g.asides {
			if a.kind == k && a.target == target {
				next = append(next, a)
				return
			}
		}
		next = append(next, &aside{kind: k, group: g, target: target})
	}
	if targets {
		for _, arn := range g.targetGroups {
			add(targetHealth, arn)
		}
	}
	add(activities, "")
	add(refreshes, "")
	if g.pool != nil {
		add(warmPool, "")
	}
	add(scheduledTimes, "")
	g.asides = next
}

// needed is an aside that a figure needs: it is asked on every poll.
func (a *aside) needed() bool {
	return a.kind == targetHealth && a.group.targetsAsked && !a.group.tooManyTargetGroups
}

// interval is how often an aside is worth asking.
func (a *aside) interval(every time.Duration) time.Duration {
	if a.problem != nil && a.problem.Class == sale.Auth {
		return afterAuth
	}
	switch {
	case a.kind == activities && a.group.short():
		return every
	case a.kind == refreshes && slices.ContainsFunc(a.refreshes, func(r refresh) bool { return r.running }):
		return every
	case a.kind == targetHealth:
		return 30 * time.Second
	case a.kind == scheduledTimes && len(a.group.plans) > 0:
		return 30 * time.Second // somebody may just have sent it
	case a.kind == scheduledTimes:
		return 5 * time.Minute
	}
	return time.Minute
}

// due lists what is asked on this poll: what figures need, and of the rest what has waited
// longest by its own measure, so that nothing is left out forever.
func (s *Source) due(now time.Time) []*aside {
	type turn struct {
		*aside
		wait float64
	}
	var needed []*aside
	var rest []turn
	for _, g := range s.groups {
		if !g.known {
			continue
		}
		g.arrange(s.opts.ELB != nil)
		for _, a := range g.asides {
			if a.needed() {
				needed = append(needed, a)
				continue
			}
			interval := a.interval(s.opts.Every)
			if a.tried.IsZero() {
				rest = append(rest, turn{a, neverAsked})
			} else if waited := now.Sub(a.tried); waited+s.opts.Every/4 >= interval {
				rest = append(rest, turn{a, float64(waited) / float64(interval)})
			}
		}
	}
	if now.Before(s.quiet) {
		return needed
	}
	slices.SortStableFunc(rest, func(a, b turn) int { return cmp.Compare(b.wait, a.wait) })
	for _, t := range rest[:min(len(rest), s.asidesPerPoll())] {
		needed = append(needed, t.aside)
	}
	return needed
}

func (s *Source) asidesPerPoll() int { return min(4+2*len(s.groups), maxAsides) }

// ask sends an aside's one request. What was answered before stays when it fails.
func (a *aside) ask(ctx context.Context, s *Source, p *poll) {
	err := p.call(ctx, func() error { return a.send(ctx, s, p.clock()) })
	a.tried, a.problem = p.clock(), nil
	if err != nil {
		a.problem = p.problem(err)
		return
	}
	a.read = a.tried
}

func (a *aside) send(ctx context.Context, s *Source, now time.Time) error {
	name := aws.String(a.group.name)
	switch a.kind {
	case activities:
		out, err := s.opts.API.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
			AutoScalingGroupName: name, MaxRecords: aws.Int32(maxActivities),
		})
		if err != nil {
			return err
		}
		a.activities = parseActivities(out.Activities, s.cut)
	case refreshes:
		out, err := s.opts.API.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{
			AutoScalingGroupName: name, MaxRecords: aws.Int32(maxRefreshes),
		})
		if err != nil {
			return err
		}
		a.refreshes = parseRefreshes(out.InstanceRefreshes, s.cut)
	case scheduledTimes:
		out, err := s.opts.API.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
			AutoScalingGroupName: name, MaxRecords: aws.Int32(maxScheduled),
			StartTime: aws.Time(now.UTC().Truncate(time.Second)), EndTime: aws.Time(a.group.farthest(now).UTC().Truncate(time.Second)),
		})
		if err != nil {
			return err
		}
		a.scheduled = parseScheduled(out.ScheduledUpdateGroupActions, s.cut)
		a.more = aws.ToString(out.NextToken) != "" || len(a.scheduled) < len(out.ScheduledUpdateGroupActions)
	case warmPool:
		out, err := s.opts.API.DescribeWarmPool(ctx, &autoscaling.DescribeWarmPoolInput{AutoScalingGroupName: name, MaxRecords: aws.Int32(50)})
		if err != nil {
			return err
		}
		a.warmed = parseWarmed(out.Instances, aws.ToString(out.NextToken) != "")
	case targetHealth:
		out, err := s.opts.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(a.target)})
		if err != nil {
			return err
		}
		if out.TargetHealthDescriptions == nil {
			return &sale.Problem{Class: sale.BadData, Text: "the answer has no list of targets", Hint: hintEndpoint}
		}
		a.targets = parseTargets(out.TargetHealthDescriptions, s.cut)
	}
	return nil
}
