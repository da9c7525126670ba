package ecs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/sale"
)

const (
	servicesAtOnce = 10 // that DescribeServices takes
	targetsAtOnce  = 50 // that DescribeScalableTargets takes
	mostPages      = 3  // of one answer
	atOnce         = 6  // requests under way together

	mostWhys   = 12 // calls per poll that only explain
	keepWhy    = 10 * time.Minute
	afterAuth  = 5 * time.Minute // until a refused permission is tried again
	quietAfter = time.Minute     // until explanations go on after AWS was throttling
	quietMost  = 10 * time.Minute

	neverAsked = 1e9 // intervals: longer than any wait

	maxWarnings = 16
	maxNote     = 240 // cells
)

// poll is what one Read has in hand.
type poll struct {
	calls atomic.Int64
	clock func() time.Time
	clean func(string) string
}

// Read describes the services and their scalable targets, and then asks for explanations. A
// service that fails is missing; the batch has a Problem only when nothing could be read at all.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	started := time.Now()
	p := &poll{clock: func() time.Time { return now.Add(time.Since(started)) }, clean: s.clean}
	var calls []func()
	for _, chunk := range s.byCluster() {
		calls = append(calls, func() { s.describe(ctx, p, chunk) })
	}
	if s.opts.Scaling != nil {
		for chunk := range slices.Chunk(s.services, targetsAtOnce) {
			calls = append(calls, func() { s.targets(ctx, p, chunk) })
		}
	}
	together(calls)

	whyCtx, cancel := sooner(ctx)
	defer cancel()
	calls = nil
	asked := s.due(p.clock())
	for _, v := range asked {
		calls = append(calls, func() { s.explain(whyCtx, p, v) })
	}
	for _, v := range s.planned(p.clock()) {
		calls = append(calls, func() { s.lookAhead(whyCtx, p, v) })
	}
	together(calls)
	s.heedThrottling(asked, p.clock())

	b := s.batch()
	b.Calls = int(p.calls.Load())
	return b
}

// byCluster cuts the services into lists that one DescribeServices takes.
func (s *Source) byCluster() [][]*service {
	var clusters []string
	of := map[string][]*service{}
	for _, v := range s.services {
		if of[v.cluster] == nil {
			clusters = append(clusters, v.cluster)
		}
		of[v.cluster] = append(of[v.cluster], v)
	}
	var all [][]*service
	for _, c := range clusters {
		for chunk := range slices.Chunk(of[c], servicesAtOnce) {
			all = append(all, chunk)
		}
	}
	return all
}

// together does each of a list, a few at a time.
func together(list []func()) {
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, do := range list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do()
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

// describe asks for up to ten services of one cluster.
func (s *Source) describe(ctx context.Context, p *poll, chunk []*service) {
	in := &ecs.DescribeServicesInput{Cluster: aws.String(chunk[0].cluster)}
	byName := make(map[string]*service, len(chunk))
	for _, v := range chunk {
		in.Services = append(in.Services, v.name)
		byName[v.name] = v
	}
	var out *ecs.DescribeServicesOutput
	err := p.call(ctx, func() (err error) {
		out, err = s.opts.API.DescribeServices(ctx, in)
		return err
	})
	if err == nil && out.Services == nil && out.Failures == nil {
		err = &sale.Problem{Class: sale.BadData, Text: "the answer has neither services nor failures", Hint: hintEndpoint}
	}
	if err != nil {
		problem := s.problem(err)
		for _, v := range chunk {
			v.miss(problem)
		}
		return
	}
	at := p.clock()
	for i := range out.Services {
		if v := byName[aws.ToString(out.Services[i].ServiceName)]; v != nil {
			v.learn(parse(&out.Services[i], s.cut), at)
			delete(byName, v.name)
		}
	}
	for _, f := range out.Failures {
		arn := aws.ToString(f.Arn)
		name := arn[strings.LastIndexByte(arn, '/')+1:]
		if v := byName[name]; v != nil {
			v.miss(s.failure(v, aws.ToString(f.Reason), aws.ToString(f.Detail)))
			delete(byName, name)
		}
	}
	for _, v := range byName {
		v.miss(&sale.Problem{Class: sale.BadData, Text: "the answer says nothing of service " + v.name, Hint: hintEndpoint})
	}
}

// failure is one entry of Failures, which come with HTTP 200.
func (s *Source) failure(v *service, reason, detail string) *sale.Problem {
	text := "service " + v.name + " in cluster " + v.cluster + ": " + reason
	if detail != "" {
		text += " (" + detail + ")"
	}
	p := &sale.Problem{Class: sale.BadData, Text: s.clean(text), Hint: "see the reason in the ECS documentation, API failure reasons"}
	if reason == "MISSING" {
		p.Class, p.Hint = sale.NotFound, "check the names of the service and the cluster, the region ("+s.opts.Region+") and the account"
	}
	return p
}

// targets asks for the scalable targets of up to fifty services.
func (s *Source) targets(ctx context.Context, p *poll, chunk []*service) {
	in := &scaling.DescribeScalableTargetsInput{
		ServiceNamespace: sctypes.ServiceNamespaceEcs, ScalableDimension: sctypes.ScalableDimensionECSServiceDesiredCount,
	}
	byResource := make(map[string]*service, len(chunk))
	for _, v := range chunk {
		in.ResourceIds = append(in.ResourceIds, v.resource())
		byResource[v.resource()] = v
		v.target, v.targetProblem = nil, nil
	}
	for n := 0; ; n++ {
		var out *scaling.DescribeScalableTargetsOutput
		err := p.call(ctx, func() (err error) {
			out, err = s.opts.Scaling.DescribeScalableTargets(ctx, in)
			return err
		})
		switch {
		case err == nil && out.ScalableTargets == nil:
			err = &sale.Problem{Class: sale.BadData, Text: "the answer has no list of scalable targets", Hint: hintEndpoint}
		case err == nil && n == mostPages:
			err = &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("the list of scalable targets has no end after %d pages", mostPages), Hint: hintEndpoint}
		}
		if err != nil {
			problem := s.problem(err)
			for _, v := range byResource {
				v.targetProblem = problem
			}
			return
		}
		for i := range out.ScalableTargets {
			t := &out.ScalableTargets[i]
			if v := byResource[aws.ToString(t.ResourceId)]; v != nil && t.ScalableDimension == sctypes.ScalableDimensionECSServiceDesiredCount {
				v.target, v.targetAt = parseTarget(t), p.clock()
				delete(byResource, v.resource())
			}
		}
		if aws.ToString(out.NextToken) == "" || len(byResource) == 0 {
			return
		}
		in.NextToken = out.NextToken
	}
}

// due lists the services whose scaling decisions are asked about on this poll: those that have
// waited longest by their own measure, so that none is left out forever.
func (s *Source) due(now time.Time) []*service {
	if s.opts.Scaling == nil || now.Before(s.quiet) {
		return nil
	}
	wait := map[*service]float64{}
	var list []*service
	for _, v := range s.services {
		if !v.known || v.target == nil {
			continue
		}
		interval := time.Minute
		switch {
		case v.why.problem != nil && v.why.problem.Class == sale.Auth:
			interval = afterAuth
		case v.short() || v.atMax():
			interval = s.opts.Every
		}
		if v.why.tried.IsZero() {
			list, wait[v] = append(list, v), neverAsked
		} else if waited := now.Sub(v.why.tried); waited+s.opts.Every/4 >= interval {
			list, wait[v] = append(list, v), float64(waited)/float64(interval)
		}
	}
	slices.SortStableFunc(list, func(a, b *service) int { return cmp.Compare(wait[b], wait[a]) })
	return list[:min(len(list), 2+len(s.services), mostWhys)]
}

// explain asks for the last scaling decisions of one service, also those not to scale.
func (s *Source) explain(ctx context.Context, p *poll, v *service) {
	var out *scaling.DescribeScalingActivitiesOutput
	err := p.call(ctx, func() (err error) {
		out, err = s.opts.Scaling.DescribeScalingActivities(ctx, &scaling.DescribeScalingActivitiesInput{
			ServiceNamespace: sctypes.ServiceNamespaceEcs, ScalableDimension: sctypes.ScalableDimensionECSServiceDesiredCount,
			ResourceId: aws.String(v.resource()), IncludeNotScaledActivities: aws.Bool(true), MaxResults: aws.Int32(maxActivities),
		})
		return err
	})
	v.why.tried, v.why.problem = p.clock(), nil
	if err != nil {
		v.why.problem = s.problem(err)
		return
	}
	v.why.read, v.why.activities = v.why.tried, parseActivities(out.ScalingActivities, s.cut)
}

// heedThrottling leaves explanations out for a while when AWS was throttling: the figures and
// the actions share the account's limit with them.
func (s *Source) heedThrottling(asked []*service, now time.Time) {
	for _, v := range asked {
		if p := v.why.problem; p != nil && p.Class == sale.Throttled {
			s.rest(p, now)
			return
		}
	}
	for _, v := range s.services {
		if p := v.ahead.problem; p != nil && p.Class == sale.Throttled && v.ahead.tried.After(s.quiet) {
			s.rest(p, now)
			return
		}
	}
}

func (s *Source) rest(p *sale.Problem, now time.Time) {
	s.quiet = now.Add(min(max(p.RetryAfter, quietAfter), quietMost))
}

// batch puts together what is known, in the order of the queries.
func (s *Source) batch() sale.Batch {
	var b sale.Batch
	var trouble *sale.Problem // the first that is not about one service alone
	for _, q := range s.opts.Queries {
		v, at, problem := s.find(q).value(q.Field)
		if problem != nil {
			b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: *problem})
			if trouble == nil && problem.Class != sale.NotFound {
				trouble = problem
			}
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: v, Unit: q.Unit, At: at, FetchedAt: at})
	}
	known := slices.ContainsFunc(s.services, func(v *service) bool { return v.known })
	if len(b.Readings) == 0 && trouble != nil && !known {
		return sale.Batch{Problem: trouble}
	}
	for _, v := range s.services {
		if !v.known {
			continue
		}
		for _, n := range v.notes() {
			for _, id := range v.sales {
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

// warnings say what can't be had beside the figures, each reason once.
func (s *Source) warnings() []string {
	services := map[string][]string{}
	var order []string
	add := func(v *service, what string, p *sale.Problem) {
		if p == nil {
			return
		}
		reason := what + " can't be read: " + p.Text
		if p.Hint != "" {
			reason += "; " + p.Hint
		}
		if services[reason] == nil {
			order = append(order, reason)
		}
		services[reason] = append(services[reason], v.name)
	}
	for _, v := range s.services {
		if v.known {
			add(v, "scalable target", v.targetProblem)
			add(v, "scaling activities", v.why.problem)
			add(v, "scheduled actions", v.ahead.problem)
		}
	}
	var all []string
	for _, reason := range order[:min(len(order), maxWarnings)] {
		of := services[reason][0]
		if n := len(services[reason]); n > 1 {
			of = fmt.Sprintf("%d services", n)
		}
		all = append(all, s.cut(of+": "+reason, maxNote))
	}
	return all
}
