package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/onsale-dev/onsale/sale"
)

const (
	pageSize  = 50 // names that DescribeAutoScalingGroups takes at once, by default
	mostPages = 3  // of one answer: 50 names fit in one, and AWS may still cut it
	atOnce    = 6  // requests under way together
)

// poll is what one Read has in hand.
type poll struct {
	calls   atomic.Int64
	clock   func() time.Time
	problem func(error) *sale.Problem
	clean   func(string) string
}

// Read describes the groups and then asks what figures and explanations need. A group that
// fails is missing; the batch has a Problem only when nothing could be read at all.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	started := time.Now()
	p := &poll{clock: func() time.Time { return now.Add(time.Since(started)) }, problem: s.problem, clean: s.clean}
	var pages [][]*group
	for page := range slices.Chunk(s.groups, pageSize) {
		pages = append(pages, page)
	}
	together(pages, func(page []*group) { s.describe(ctx, p, page) })

	asideCtx, cancel := sooner(ctx)
	defer cancel()
	asides := s.due(p.clock())
	together(asides, func(a *aside) { a.ask(asideCtx, s, p) })
	s.heedThrottling(asides, p.clock())

	b := s.batch()
	b.Calls = int(p.calls.Load())
	return b
}

// together does each of a list, a few at a time.
func together[T any](list []T, do func(T)) {
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, one := range list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(one)
		})
	}
	all.Wait()
}

// sooner ends a little before the poll does: what only explains must not cost the figures.
func sooner(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(time.Until(end)/5, 500*time.Millisecond)))
}

// call sends one request, counts it, and turns a panic of the decoder into an error.
func (p *poll) call(ctx context.Context, send func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() {
		if v := recover(); v != nil {
			err = &sale.Problem{Class: sale.BadData, Text: p.clean(fmt.Sprintf("the answer could not be decoded: %v", v)), Hint: hintEndpoint}
		}
	}()
	p.calls.Add(1)
	return send()
}

// describe asks for up to fifty groups.
func (s *Source) describe(ctx context.Context, p *poll, page []*group) {
	in := &autoscaling.DescribeAutoScalingGroupsInput{}
	byName := make(map[string]*group, len(page))
	for _, g := range page {
		in.AutoScalingGroupNames = append(in.AutoScalingGroupNames, g.name)
		byName[g.name] = g
		g.known = false
	}
	fail := func(err error) {
		problem := s.problem(err)
		for _, g := range byName {
			g.miss(problem)
		}
	}
	for n := 0; ; n++ {
		if n == mostPages {
			fail(&sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the list of groups has no end after %d pages", mostPages), Hint: hintEndpoint})
			return
		}
		var out *autoscaling.DescribeAutoScalingGroupsOutput
		err := p.call(ctx, func() (err error) {
			out, err = s.opts.API.DescribeAutoScalingGroups(ctx, in)
			return err
		})
		if err == nil && out.AutoScalingGroups == nil {
			err = &sale.Problem{Class: sale.BadData, Text: "the answer has no list of groups", Hint: hintEndpoint}
		}
		if err != nil {
			fail(err)
			return
		}
		for i := range out.AutoScalingGroups {
			name := aws.ToString(out.AutoScalingGroups[i].AutoScalingGroupName)
			if g := byName[name]; g != nil {
				g.learn(parse(&out.AutoScalingGroups[i], s.cut), p.clock())
				delete(byName, name)
			}
		}
		if aws.ToString(out.NextToken) == "" || len(byName) == 0 {
			break
		}
		in.NextToken = out.NextToken
	}
	for _, g := range byName {
		g.miss(&sale.Problem{
			Class: sale.NotFound, Text: s.clean("no Auto Scaling group " + g.name + " in " + s.opts.Region),
			Hint: "check its name, the region and the account",
		})
	}
}

// heedThrottling leaves the explanations out for a while when AWS was throttling: the figures
// and the actions share the account's limit with them.
func (s *Source) heedThrottling(asides []*aside, now time.Time) {
	for _, a := range asides {
		if a.problem != nil && a.problem.Class == sale.Throttled {
			s.quiet = now.Add(min(max(a.problem.RetryAfter, quietAfter), quietMost))
			return
		}
	}
}

// batch puts together what is known, in the order of the queries.
func (s *Source) batch() sale.Batch {
	var b sale.Batch
	byName := make(map[string]*group, len(s.groups))
	for _, g := range s.groups {
		byName[g.name] = g
	}
	var trouble *sale.Problem // the first that is not about one group alone
	for _, q := range s.opts.Queries {
		v, at, problem := byName[q.Group].value(q.Field)
		if problem != nil {
			b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: *problem})
			if trouble == nil && problem.Class != sale.NotFound {
				trouble = problem
			}
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: v, Unit: q.Unit, At: at, FetchedAt: at})
	}
	known := slices.ContainsFunc(s.groups, func(g *group) bool { return g.known })
	if len(b.Readings) == 0 && trouble != nil && !known {
		return sale.Batch{Problem: trouble}
	}
	for _, g := range s.groups {
		if !g.known {
			continue
		}
		for _, n := range g.notes() {
			for _, id := range g.sales {
				if n.sale != "" && n.sale != id {
					continue
				}
				b.Notes = append(b.Notes, sale.Note{Sale: id, Code: n.code, Text: s.cut(n.text, maxNote)})
			}
		}
	}
	b.Warnings = s.warnings()
	return b
}

// warnings say which explanations can't be had, each kind once for each reason.
func (s *Source) warnings() []string {
	type fault struct {
		kind   kind
		reason string
	}
	groups := map[fault][]string{}
	var order []fault
	for _, g := range s.groups {
		if !g.known {
			continue
		}
		for _, a := range g.asides {
			if a.problem == nil || a.needed() {
				continue
			}
			reason := a.problem.Text
			if a.problem.Hint != "" {
				reason += "; " + a.problem.Hint
			}
			f := fault{a.kind, reason}
			if groups[f] == nil {
				order = append(order, f)
			}
			if !slices.Contains(groups[f], g.name) {
				groups[f] = append(groups[f], g.name)
			}
		}
	}
	var all []string
	for _, f := range order[:min(len(order), maxWarnings)] {
		of := groups[f][0]
		if n := len(groups[f]); n > 1 {
			of = fmt.Sprintf("%d groups", n)
		}
		all = append(all, s.cut(fmt.Sprintf("%s of %s can't be read: %s", f.kind, of, f.reason), maxNote))
	}
	return all
}

const (
	maxWarnings = 16
	maxNote     = 240 // cells
)
