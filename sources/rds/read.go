package rds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/onsale-dev/onsale/sale"
)

const (
	namesAtOnce = 40 // that one filter names; a page holds 100 rows, and a cluster has at most 16 instances
	pageSize    = 100
	mostPages   = 8 // of one answer: 40 clusters of 16 instances are seven
	atOnce      = 6 // requests under way together

	maxWarnings = 4
	maxNote     = 240 // cells
)

// poll is what one Read has in hand. What several calls write is written under the lock.
type poll struct {
	calls atomic.Int64
	clock func() time.Time
	clean cleaner

	mu        sync.Mutex
	at        time.Time // of the oldest answer: all figures are dated by it
	instances map[string]*instance
	clusters  map[string]*cluster
	failed    map[string]*sale.Problem // by "db:name" and "cluster:name"
	limits    limits
}

// Read describes the databases, and then asks for the parameters that figures need and, now and
// then, for what maintenance waits. A database that fails is missing; the batch has a Problem only
// when nothing could be read at all.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	started := time.Now()
	p := &poll{
		clock: func() time.Time { return now.Add(time.Since(started)) }, clean: s.cut,
		instances: map[string]*instance{}, clusters: map[string]*cluster{}, failed: map[string]*sale.Problem{},
		limits: limits{instance: map[string]parameter{}, cluster: map[string]parameter{}},
	}
	p.at = p.clock()
	var names, clusters []string
	for _, d := range s.databases {
		if d.isCluster {
			clusters = append(clusters, d.name)
		} else {
			names = append(names, d.name)
		}
	}
	var calls []func()
	for chunk := range slices.Chunk(names, namesAtOnce) {
		calls = append(calls, func() { s.describeInstances(ctx, p, "db-instance-id", chunk) })
	}
	together(append(calls, s.clusterCalls(ctx, p, clusters)...))
	together(s.clusterCalls(ctx, p, p.others(clusters))) // those that named instances are in
	s.learn(p)
	together(s.parameterCalls(ctx, p))

	askCtx, cancel := sooner(ctx)
	defer cancel()
	s.askMaintenance(askCtx, p)

	b := s.batch(p)
	b.Calls = int(p.calls.Load())
	return b
}

// clusterCalls ask for clusters and for the instances in them.
func (s *Source) clusterCalls(ctx context.Context, p *poll, names []string) (calls []func()) {
	for chunk := range slices.Chunk(names, namesAtOnce) {
		calls = append(calls, func() { s.describeClusters(ctx, p, chunk) }, func() { s.describeInstances(ctx, p, "db-cluster-id", chunk) })
	}
	return calls
}

// others are the clusters of the instances that are known, without those that were asked for.
func (p *poll) others(asked []string) (names []string) {
	for _, x := range p.instances {
		if x.cluster != "" && !slices.Contains(asked, x.cluster) && !slices.Contains(names, x.cluster) {
			names = append(names, x.cluster)
		}
	}
	slices.Sort(names)
	return names
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
			err = &sale.Problem{Class: sale.BadData, Text: p.clean(fmt.Sprintf("the answer could not be decoded: %v", v), maxProblemText), Hint: hintEndpoint}
		}
	}()
	p.calls.Add(1)
	return send()
}

// walk asks for a list page by page; ask takes a marker and returns the next one, nil at the end.
func (p *poll) walk(ctx context.Context, ask func(marker *string) (next *string, err error)) error {
	var marker *string
	for range mostPages {
		var next *string
		err := p.call(ctx, func() (err error) {
			next, err = ask(marker)
			return err
		})
		if err != nil || aws.ToString(next) == "" {
			return err
		}
		marker = next
	}
	return missing(sale.BadData, hintEndpoint, "the list has no end after %d pages", mostPages)
}

func named(filter string, names []string) []types.Filter {
	return []types.Filter{{Name: aws.String(filter), Values: names}}
}

func noList(what string) error {
	return missing(sale.BadData, hintEndpoint, "the answer has no list of %s", what)
}

// describeInstances asks for instances by name or by cluster.
func (s *Source) describeInstances(ctx context.Context, p *poll, filter string, names []string) {
	kind := map[string]string{"db-instance-id": "db:", "db-cluster-id": "cluster:"}[filter]
	s.eachFound(p, kind, names, func(names []string) error {
		var found []*instance
		err := p.walk(ctx, func(marker *string) (*string, error) {
			out, err := s.opts.API.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{Filters: named(filter, names), MaxRecords: aws.Int32(pageSize), Marker: marker})
			switch {
			case err != nil:
				return nil, err
			case out.DBInstances == nil:
				return nil, noList("instances")
			}
			for i := range out.DBInstances {
				found = append(found, parseInstance(&out.DBInstances[i], p.clean))
			}
			return out.Marker, nil
		})
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, x := range found {
			p.instances[x.name] = x
		}
		return nil
	})
}

func (s *Source) describeClusters(ctx context.Context, p *poll, names []string) {
	s.eachFound(p, "cluster:", names, func(names []string) error {
		var found []*cluster
		err := p.walk(ctx, func(marker *string) (*string, error) {
			out, err := s.opts.API.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{Filters: named("db-cluster-id", names), MaxRecords: aws.Int32(pageSize), Marker: marker})
			switch {
			case err != nil:
				return nil, err
			case out.DBClusters == nil:
				return nil, noList("clusters")
			}
			for i := range out.DBClusters {
				found = append(found, parseCluster(&out.DBClusters[i], p.clean))
			}
			return out.Marker, nil
		})
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, x := range found {
			p.clusters[x.name] = x
		}
		return nil
	})
}

// eachFound asks for some names together. Where the answer is that one of them does not exist, each
// is asked for alone, so that it costs nobody but itself.
func (s *Source) eachFound(p *poll, kind string, names []string, ask func(names []string) error) {
	err := ask(names)
	if err == nil {
		return
	}
	problem := s.problem(err)
	if problem.Class == sale.NotFound && len(names) > 1 {
		for _, n := range names {
			s.eachFound(p, kind, []string{n}, ask)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range names {
		p.failed[kind+n] = problem
	}
}

// learn gives every database what was found of it.
func (s *Source) learn(p *poll) {
	for _, x := range p.instances {
		if c := p.clusters[x.cluster]; c != nil {
			c.instances[x.name] = x
		}
	}
	where := "check its name, the region (" + s.opts.Region + ") and the account"
	for _, d := range s.databases {
		d.instance, d.cluster, d.unseen, d.apart, d.at = nil, nil, nil, nil, p.at
		if d.isCluster {
			d.cluster, d.unseen = p.clusters[d.name], p.failed["cluster:"+d.name]
			if d.cluster == nil && d.unseen == nil {
				d.unseen = missing(sale.NotFound, where, "there is no cluster %s", d.name)
			}
			s.keep.watch(d.cluster, p.at)
			continue
		}
		d.instance, d.unseen = p.instances[d.name], p.failed["db:"+d.name]
		switch {
		case d.unseen != nil:
		case d.instance == nil:
			d.unseen = missing(sale.NotFound, where, "there is no instance %s", d.name)
		case d.instance.cluster != "":
			d.cluster, d.apart = p.clusters[d.instance.cluster], p.failed["cluster:"+d.instance.cluster]
			if d.apart != nil {
				d.cluster = nil
			} else if d.cluster == nil {
				d.apart = missing(sale.BadData, hintEndpoint, "the answer says nothing of %s, the cluster of %s", d.instance.cluster, d.name)
			}
			s.keep.watch(d.cluster, p.at)
		}
	}
}

// parameterCalls ask for max_connections in the groups of those whose limit is asked for.
func (s *Source) parameterCalls(ctx context.Context, p *poll) (calls []func()) {
	asked := map[string]bool{}
	once := func(kind, group string, call func()) {
		if group != "" && !asked[kind+group] {
			asked[kind+group] = true
			calls = append(calls, call)
		}
	}
	for _, d := range s.databases {
		if d.unseen != nil || !d.limited {
			continue
		}
		x := d.instance
		if d.isCluster {
			x = d.cluster.instances[d.cluster.writer()]
		}
		if x == nil {
			continue
		}
		once("db:", x.group, func() { s.readParameter(ctx, p, p.limits.instance, x.group, s.instanceParameters) })
		if c := d.cluster; c != nil {
			once("cluster:", c.group, func() { s.readParameter(ctx, p, p.limits.cluster, c.group, s.clusterParameters) })
		}
	}
	return calls
}

// parameters asks one page of a group for max_connections.
type parameters func(ctx context.Context, group string, marker *string) ([]types.Parameter, *string, error)

var onlyConnections = named("parameter-name", []string{"max_connections"})

func (s *Source) instanceParameters(ctx context.Context, group string, marker *string) ([]types.Parameter, *string, error) {
	out, err := s.opts.API.DescribeDBParameters(ctx, &rds.DescribeDBParametersInput{DBParameterGroupName: aws.String(group), Filters: onlyConnections, MaxRecords: aws.Int32(pageSize), Marker: marker})
	if err != nil {
		return nil, nil, err
	}
	return out.Parameters, out.Marker, nil
}

func (s *Source) clusterParameters(ctx context.Context, group string, marker *string) ([]types.Parameter, *string, error) {
	out, err := s.opts.API.DescribeDBClusterParameters(ctx, &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: aws.String(group), Filters: onlyConnections, MaxRecords: aws.Int32(pageSize), Marker: marker})
	if err != nil {
		return nil, nil, err
	}
	return out.Parameters, out.Marker, nil
}

// readParameter finds max_connections in one group, also where a server gives more than was asked.
func (s *Source) readParameter(ctx context.Context, p *poll, into map[string]parameter, group string, ask parameters) {
	var found parameter
	err := p.walk(ctx, func(marker *string) (*string, error) {
		list, next, err := ask(ctx, group, marker)
		switch {
		case err != nil:
			return nil, err
		case list == nil:
			return nil, noList("parameters")
		}
		for _, one := range list {
			if aws.ToString(one.ParameterName) != "max_connections" || aws.ToString(one.ParameterValue) == "" {
				continue
			}
			return nil, found.take(&one, p.clean)
		}
		return next, nil
	})
	if err != nil {
		found = parameter{problem: s.problem(err)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	into[group] = found
}

// take keeps what is needed of a parameter. A change of a dynamic one that was made with
// apply-method=pending-reboot waits like that of a static one.
func (x *parameter) take(in *types.Parameter, clean cleaner) error {
	value := aws.ToString(in.ParameterValue)
	if len(value) > maxFormula {
		return missing(sale.BadData, hintEndpoint, "max_connections has %d bytes", len(value))
	}
	*x = parameter{
		value: clean(value, maxFormula), found: true, byUser: strings.EqualFold(aws.ToString(in.Source), "user"),
		static: strings.EqualFold(aws.ToString(in.ApplyType), "static") || in.ApplyMethod == types.ApplyMethodPendingReboot,
	}
	return nil
}

// batch puts together what is known, in the order of the queries.
func (s *Source) batch(p *poll) sale.Batch {
	var b sale.Batch
	var trouble *sale.Problem // the first that is not about one database alone
	for _, q := range s.opts.Queries {
		v, problem := s.find(q).value(q.Field, p.limits)
		if problem != nil {
			short := *problem
			short.Text = s.clean(short.Text)
			b.Missing = append(b.Missing, sale.Missing{Key: q.Key, Problem: short})
			if trouble == nil && problem.Class != sale.NotFound {
				trouble = &short
			}
			continue
		}
		b.Readings = append(b.Readings, sale.Reading{Key: q.Key, Value: v, Unit: q.Unit, At: p.at, FetchedAt: p.clock()})
	}
	known := slices.ContainsFunc(s.databases, func(d *database) bool { return d.unseen == nil })
	if len(b.Readings) == 0 && trouble != nil && !known {
		return sale.Batch{Problem: trouble}
	}
	for _, d := range s.databases {
		if d.unseen != nil {
			continue
		}
		for _, n := range s.notes(d, p) {
			for _, id := range d.sales {
				b.Notes = append(b.Notes, sale.Note{Sale: id, Code: n.code, Text: s.cut(n.text, maxNote)})
			}
		}
	}
	b.Warnings = s.warnings()
	return b
}

// warnings say what can't be had beside the figures, each reason once.
func (s *Source) warnings() (all []string) {
	add := func(what string, p *sale.Problem) {
		if p == nil || len(all) == maxWarnings {
			return
		}
		text := what + " can't be read: " + p.Text
		if p.Hint != "" {
			text += "; " + p.Hint
		}
		if text = s.cut(text, maxNote); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	add("pending maintenance", s.keep.problem)
	for _, d := range s.databases {
		if d.unseen == nil {
			add("the cluster of "+d.name, d.apart)
		}
	}
	return all
}
