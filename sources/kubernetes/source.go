package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/dynamic"
	"k8s.io/klog/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "kubernetes"

const (
	// DefaultEvery is the cadence where none is declared: an HPA acts every 15 s.
	DefaultEvery = 15 * time.Second
	// MinEvery is the shortest cadence.
	MinEvery = 5 * time.Second

	together = 4                // lists in flight at once
	askAgain = 10 * time.Minute // for KEDA in a cluster that had none
)

// Workload is the kind of object that a query names.
type Workload string

// The workloads.
const (
	Deployment   Workload = "deployment"
	HPA          Workload = "hpa"
	ScaledObject Workload = "scaledobject"
)

// Workloads lists every kind.
func Workloads() []Workload { return []Workload{Deployment, HPA, ScaledObject} }

// Field is what a signal takes from a workload.
type Field string

// The fields. All are counts of pods. Min and Max of a Deployment are those of the HPA that scales
// it; without one there are none.
const (
	InService     Field = "in_service"    // ready
	Desired       Field = "desired"       // what was asked for last
	Min           Field = "min"           // the floor
	Max           Field = "max"           // the ceiling
	Pending       Field = "pending"       // in phase Pending: without a node, or starting on one
	Unschedulable Field = "unschedulable" // of those, the ones that no node takes
)

// Fields lists every field.
func Fields() []Field { return []Field{InService, Desired, Min, Max, Pending, Unschedulable} }

// Query asks for one field of one workload.
type Query struct {
	sale.Key
	Unit      sale.Unit
	Namespace string
	Kind      Workload // "" is Deployment
	Name      string
	Field     Field
}

// Options configure a source. Client is required; see NewClient.
type Options struct {
	Name    string
	Every   time.Duration // 0: DefaultEvery
	Client  dynamic.Interface
	Secrets []string // never shown, beside those that a Client of NewClient knows
	Queries []Query
}

// Source reads the workloads of one cluster.
type Source struct {
	options     Options
	namespaces  []string             // distinct, in order
	withoutKEDA map[string]time.Time // namespaces whose ScaledObjects are not served, since when
}

// New makes a source. It sends nothing.
func New(o Options) (*Source, error) {
	if o.Client == nil {
		return nil, fmt.Errorf("kubernetes source %s: a client is needed", o.Name)
	}
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	o.Every = max(o.Every, MinEvery)
	o.Queries = slices.Clone(o.Queries)
	s := &Source{withoutKEDA: map[string]time.Time{}}
	for i := range o.Queries {
		q := &o.Queries[i]
		if q.Kind == "" {
			q.Kind = Deployment
		}
		where := fmt.Sprintf("kubernetes source %s: sale %s signal %s: ", o.Name, q.Sale, q.Signal)
		switch {
		case q.Namespace == "" || q.Name == "":
			return nil, fmt.Errorf("%snamespace and name are needed", where)
		case !slices.Contains(Workloads(), q.Kind):
			return nil, fmt.Errorf("%sno kind %q; kinds are %v", where, q.Kind, Workloads())
		case !slices.Contains(Fields(), q.Field):
			return nil, fmt.Errorf("%sno field %q; fields are %v", where, q.Field, Fields())
		}
		if !slices.Contains(s.namespaces, q.Namespace) {
			s.namespaces = append(s.namespaces, q.Namespace)
		}
	}
	if c, ok := o.Client.(*Client); ok {
		o.Secrets = append(slices.Clone(o.Secrets), c.secrets...)
	}
	s.options = o
	return s, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	return sale.SourceInfo{
		Name: s.options.Name, Kind: Kind, Every: s.options.Every, Cadence: sale.Cadence{Period: s.options.Every},
		Gives: fmt.Sprintf("%d signals of %d namespaces", len(s.options.Queries), len(s.namespaces)),
	}
}

// Read lists what the namespaces hold and answers every query from it.
func (s *Source) Read(ctx context.Context, now time.Time) sale.Batch {
	var batch sale.Batch
	if err := ctx.Err(); err != nil {
		problem := sources.Classify(err, sources.About{})
		batch.Problem = &problem
		return batch
	}
	ctx = klog.NewContext(ctx, klog.Logger{}) // client-go would write to the terminal
	spaces := make(map[string]*space, len(s.namespaces))
	var group errgroup.Group
	group.SetLimit(together)
	for _, name := range s.namespaces {
		one := newSpace(name)
		spaces[name] = one
		for _, r := range resources() {
			if r == scaledObjects && s.skipsKEDA(name, now) {
				one.take(r, nil, noKEDA())
				continue
			}
			group.Go(func() error {
				found, problem := s.list(ctx, r, name)
				one.take(r, found, problem)
				return nil
			})
		}
	}
	_ = group.Wait()
	for name, one := range spaces {
		s.remember(name, one, now)
	}
	s.fill(&batch, spaces, now)
	return batch
}

// skipsKEDA reports whether a namespace had no ScaledObjects to serve a moment ago and nobody
// names one.
func (s *Source) skipsKEDA(namespace string, now time.Time) bool {
	since, ok := s.withoutKEDA[namespace]
	return ok && now.Sub(since) < askAgain && !s.asksFor(namespace, ScaledObject)
}

func (s *Source) asksFor(namespace string, kind Workload) bool {
	return slices.ContainsFunc(s.options.Queries, func(q Query) bool { return q.Namespace == namespace && q.Kind == kind })
}

// remember notes that a cluster has no KEDA: only when it answered everything else.
func (s *Source) remember(namespace string, one *space, now time.Time) {
	problem := one.failed[scaledObjects]
	switch {
	case problem == nil:
		delete(s.withoutKEDA, namespace)
	case problem.Class == sale.NotFound && one.failed[deployments] == nil && s.withoutKEDA[namespace].IsZero():
		s.withoutKEDA[namespace] = now
	case now.Sub(s.withoutKEDA[namespace]) >= askAgain:
		delete(s.withoutKEDA, namespace)
	}
}

func (s *Source) fill(batch *sale.Batch, spaces map[string]*space, now time.Time) {
	noted := map[sale.Note]bool{}
	for _, q := range s.options.Queries {
		w := spaces[q.Namespace].workload(q.Kind, q.Name)
		for _, note := range w.notes(q.Sale, s.clean) {
			if !noted[note] {
				noted[note] = true
				batch.Notes = append(batch.Notes, note)
			}
		}
		value, problem := w.value(q.Field)
		if problem != nil {
			batch.Missing = append(batch.Missing, sale.Missing{Key: q.Key, Problem: s.spoken(problem)})
			continue
		}
		batch.Readings = append(batch.Readings, sale.Reading{Key: q.Key, Value: value, Unit: q.Unit, At: now, FetchedAt: now})
	}
	// When not one list came, the cluster itself is out of reach.
	if problem := s.silent(spaces); problem != nil {
		spoken := s.spoken(problem)
		batch.Problem, batch.Missing, batch.Notes = &spoken, nil, nil
	}
}

// silent returns why nothing at all could be listed; nil when something was.
func (s *Source) silent(spaces map[string]*space) (problem *sale.Problem) {
	for _, name := range s.namespaces {
		for _, r := range resources() {
			failed := spaces[name].failed[r]
			if failed == nil {
				return nil
			}
			if problem == nil {
				problem = failed
			}
		}
	}
	return problem
}

// spoken cleans a problem's words.
func (s *Source) spoken(p *sale.Problem) sale.Problem {
	out := *p
	out.Text, out.Hint = s.clean(p.Text, maxText), s.clean(p.Hint, maxText)
	return out
}

const maxText = 240 // cells

func (s *Source) clean(text string, cells int) string {
	return sale.Clean(sources.Redact(text, s.options.Secrets...), cells)
}

var _ sources.Source = (*Source)(nil)
