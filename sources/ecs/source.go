package ecs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "ecs"

// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
const DefaultEvery = 15 * time.Second

// API is the part of the SDK's client that this source needs; *ecs.Client has it.
type API interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
}

// ScalingAPI is the part of Application Auto Scaling's client that is needed; the *Client of
// the SDK's package applicationautoscaling has it.
type ScalingAPI interface {
	DescribeScalableTargets(context.Context, *scaling.DescribeScalableTargetsInput, ...func(*scaling.Options)) (*scaling.DescribeScalableTargetsOutput, error)
	DescribeScheduledActions(context.Context, *scaling.DescribeScheduledActionsInput, ...func(*scaling.Options)) (*scaling.DescribeScheduledActionsOutput, error)
	DescribeScalingActivities(context.Context, *scaling.DescribeScalingActivitiesInput, ...func(*scaling.Options)) (*scaling.DescribeScalingActivitiesOutput, error)
}

// Permissions lists what IAM must allow, sorted. DescribeScheduledActions is called only with Plans, and
// nothing of Application Auto Scaling without Options.Scaling.
func Permissions() []string {
	return []string{
		"application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingActivities",
		"application-autoscaling:DescribeScheduledActions", "ecs:DescribeServices",
	}
}

// Field is what a signal takes from a service.
type Field string

// The fields, in tasks.
const (
	Running Field = "running" // as ECS counts them; a load balancer may not yet send them anything
	Desired Field = "desired" // what the service tries to run
	Pending Field = "pending" // placed or being placed, not yet running
	Min     Field = "min"     // the scalable target's lower bound; unknown without a target
	Max     Field = "max"     // the scalable target's upper bound; unknown without a target
)

// Fields lists every field.
func Fields() []Field { return []Field{Running, Desired, Pending, Min, Max} }

// Options declare a source: the services of one region under one set of credentials.
type Options struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     API
	Scaling ScalingAPI    // nil: Application Auto Scaling is not asked, and min and max are refused
	Every   time.Duration // 0: fifteen seconds
	Queries []Query
	Plans   []Plan // of services that are queried; others are left out
	Limit   string // the account's limit in words; may be empty
}

// Query is one signal of one sale: one field of one service.
type Query struct {
	sale.Key
	Unit    sale.Unit // "": count
	Cluster string    // name or ARN; "": the one in the service's ARN, else "default"
	Service string    // name or ARN
	Field   Field     // "": running
}

// Plan is a size that a sale declares ahead of time for one service.
type Plan struct {
	sources.Plan
	Cluster, Service string // as in a Query
}

// Source reads services. It implements sources.Source.
type Source struct {
	opts     Options
	services []*service // distinct, in the order of the queries
	quiet    time.Time  // until then only the figures are asked for: AWS was throttling
}

// New makes a source; it sends nothing. It refuses services of another region, what can be no
// service's name, and fields that don't exist, all faults at once.
func New(o Options) (*Source, error) {
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	var faults []error
	if o.Name == "" {
		faults = append(faults, errors.New("a source needs a name"))
	}
	if o.API == nil {
		faults = append(faults, errors.New("no API client given"))
	}
	if o.Every < 0 {
		faults = append(faults, fmt.Errorf("every %s: must not be negative", o.Every))
	}
	s := &Source{opts: o}
	s.opts.Queries = nil
	seen := map[sale.Key]bool{}
	for _, q := range o.Queries {
		err := o.check(&q)
		if err == nil && seen[q.Key] {
			err = errors.New("declared twice")
		}
		seen[q.Key] = true
		if err != nil {
			faults = append(faults, fmt.Errorf("sale %s, signal %s: %w", q.Sale, q.Signal, err))
			continue
		}
		v := s.find(q)
		if v == nil {
			v = &service{cluster: q.Cluster, name: q.Service}
			s.services = append(s.services, v)
		}
		if !slices.Contains(v.sales, q.Sale) {
			v.sales = append(v.sales, q.Sale)
		}
		s.opts.Queries = append(s.opts.Queries, q)
	}
	s.opts.Plans = nil
	for _, p := range o.Plans {
		q := Query{Cluster: p.Cluster, Service: p.Service}
		if o.locate(&q) != nil || o.Scaling == nil {
			continue
		}
		if v := s.find(q); v != nil {
			v.plans = append(v.plans, p.Plan)
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("ecs source %q: %w", o.Name, errors.Join(faults...))
	}
	return s, nil
}

func (s *Source) find(q Query) *service {
	i := slices.IndexFunc(s.services, func(v *service) bool { return v.cluster == q.Cluster && v.name == q.Service })
	if i < 0 {
		return nil
	}
	return s.services[i]
}

// name is what CreateCluster and CreateService accept.
var name = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// check fills in a query's defaults and replaces ARNs by the names in them.
func (o Options) check(q *Query) error {
	if q.Unit == "" {
		q.Unit = sale.Count
	}
	if q.Field == "" {
		q.Field = Running
	}
	switch {
	case q.Sale == "" || q.Signal == "":
		return errors.New("a query needs a sale and a signal")
	case !slices.Contains(Fields(), q.Field):
		return fmt.Errorf("field %q: the fields of a service are %v", q.Field, Fields())
	case (q.Field == Min || q.Field == Max) && o.Scaling == nil:
		return fmt.Errorf("field %s needs a client for Application Auto Scaling, and none was given", q.Field)
	}
	return o.locate(q)
}

// locate replaces ARNs by the names in them, and fills in the cluster.
func (o Options) locate(q *Query) error {
	cluster, err := o.inARN(q.Cluster, "cluster")
	if err != nil {
		return err
	}
	path, err := o.inARN(q.Service, "service")
	if err != nil {
		return err
	}
	of, plain, long := strings.Cut(path, "/")
	switch {
	case !long:
		plain = path
	case cluster == "":
		cluster = of
	case cluster != of:
		return fmt.Errorf("service %q is in the cluster %s, the query names %s", q.Service, of, cluster)
	}
	if cluster == "" {
		cluster = "default"
	}
	if !name.MatchString(plain) {
		return fmt.Errorf("service %q: a name holds 1 to 255 letters, digits, - and _", q.Service)
	}
	if !name.MatchString(cluster) {
		return fmt.Errorf("cluster %q: a name holds 1 to 255 letters, digits, - and _", q.Cluster)
	}
	q.Cluster, q.Service = cluster, plain
	return nil
}

// inARN returns what follows kind/ in an ARN of this region, and anything else as it is.
func (o Options) inARN(text, kind string) (string, error) {
	if !strings.HasPrefix(text, "arn:") {
		return text, nil
	}
	parts := strings.SplitN(text, ":", 6) // arn:PARTITION:ecs:REGION:ACCOUNT:KIND/…
	rest, ok := "", false
	if len(parts) == 6 && parts[2] == "ecs" {
		rest, ok = strings.CutPrefix(parts[5], kind+"/")
	}
	if !ok {
		return "", fmt.Errorf("%s %q: an ARN of a %s is arn:aws:ecs:REGION:ACCOUNT:%s/…", kind, text, kind, kind)
	}
	if parts[3] != o.Region {
		return "", fmt.Errorf("%s %q is in region %s, this source reads %s: declare a source for %s and read it from there", kind, rest, parts[3], o.Region, parts[3])
	}
	return rest, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("%d services", len(s.services))
	if len(s.services) == 1 {
		gives = "1 service"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every,
		Cadence: sale.Cadence{Period: s.opts.Every},
		Gives:   gives, Limit: s.opts.Limit,
	}
}
