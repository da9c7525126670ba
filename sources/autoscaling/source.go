package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Kind is this source's name in the config.
const Kind = "autoscaling"

// DefaultEvery is the cadence of polls unless Options.Every says otherwise.
const DefaultEvery = 15 * time.Second

// API is the part of the SDK's client that this source needs; *autoscaling.Client has it.
type API interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error)
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	DescribeWarmPool(context.Context, *autoscaling.DescribeWarmPoolInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeWarmPoolOutput, error)
	DescribeScheduledActions(context.Context, *autoscaling.DescribeScheduledActionsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScheduledActionsOutput, error)
}

// ELBAPI is the part of the load balancers' client that is needed; the *Client of the SDK's
// package elasticloadbalancingv2 has it.
type ELBAPI interface {
	DescribeTargetHealth(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error)
}

// Permissions lists what IAM must allow, on all resources.
func Permissions() []string {
	return []string{
		"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "autoscaling:DescribeScalingActivities",
		"autoscaling:DescribeScheduledActions", "autoscaling:DescribeWarmPool", "elasticloadbalancing:DescribeTargetHealth",
	}
}

// Field is what a signal takes from a group.
type Field string

// The fields, in instances (in weights where the group has them).
const (
	InService      Field = "in_service"      // InService and Healthy
	Desired        Field = "desired"         // what the group tries to have
	Min            Field = "min"             // the lower bound of desired
	Max            Field = "max"             // the upper bound of desired
	Pending        Field = "pending"         // launching, before they are in service
	Unhealthy      Field = "unhealthy"       // marked unhealthy and not yet gone
	Warm           Field = "warm"            // size of the warm pool; unknown without one
	HealthyTargets Field = "healthy_targets" // instances that every load-balanced target group calls healthy
)

// Fields lists every field.
func Fields() []Field {
	return []Field{InService, Desired, Min, Max, Pending, Unhealthy, Warm, HealthyTargets}
}

// Options declare a source: the groups of one region under one set of credentials.
type Options struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     API
	ELB     ELBAPI        // nil: the load balancers are not asked, and healthy_targets is refused
	Every   time.Duration // 0: fifteen seconds
	Queries []Query
	Plans   []Plan // of groups that are queried; others are left out
	Limit   string // the account's limit in words; may be empty
}

// Query is one signal of one sale: one field of one group.
type Query struct {
	sale.Key
	Unit  sale.Unit // "": count
	Group string    // name or ARN
	Field Field     // "": in_service
}

// Plan is a size that a sale declares ahead of time for one group.
type Plan struct {
	sources.Plan
	Group string // name or ARN
}

// Source reads groups. It implements sources.Source.
type Source struct {
	opts   Options
	groups []*group  // distinct, in the order of the queries
	quiet  time.Time // until then only the figures are asked for: AWS was throttling
}

// New makes a source; it sends nothing. It refuses groups of another region, what can be no
// group's name, and fields that don't exist, all faults at once.
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
	byName := map[string]*group{}
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
		g := byName[q.Group]
		if g == nil {
			g = &group{name: q.Group}
			byName[q.Group] = g
			s.groups = append(s.groups, g)
		}
		g.want(q)
		s.opts.Queries = append(s.opts.Queries, q)
	}
	s.opts.Plans = nil
	for _, p := range o.Plans {
		if name, err := o.groupName(p.Group); err == nil && byName[name] != nil {
			byName[name].plans = append(byName[name].plans, p.Plan)
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("autoscaling source %q: %w", o.Name, errors.Join(faults...))
	}
	return s, nil
}

// check fills in a query's defaults and replaces an ARN by the name in it.
func (o Options) check(q *Query) error {
	if q.Unit == "" {
		q.Unit = sale.Count
	}
	if q.Field == "" {
		q.Field = InService
	}
	switch {
	case q.Sale == "" || q.Signal == "":
		return errors.New("a query needs a sale and a signal")
	case !slices.Contains(Fields(), q.Field):
		return fmt.Errorf("field %q: the fields of a group are %v", q.Field, Fields())
	case q.Field == HealthyTargets && o.ELB == nil:
		return errors.New("field healthy_targets needs a client for the load balancers, and none was given")
	}
	name, err := o.groupName(q.Group)
	q.Group = name
	return err
}

// groupName is the name in an ARN of this region, or a name as it is.
func (o Options) groupName(name string) (string, error) {
	if strings.HasPrefix(name, "arn:") {
		// arn:PARTITION:autoscaling:REGION:ACCOUNT:autoScalingGroup:ID:autoScalingGroupName/NAME
		parts := strings.SplitN(name, ":", 8)
		inside, ok := "", false
		if len(parts) == 8 && parts[2] == "autoscaling" && parts[5] == "autoScalingGroup" {
			inside, ok = strings.CutPrefix(parts[7], "autoScalingGroupName/")
		}
		if !ok {
			return "", fmt.Errorf("group %q: an ARN of a group is arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:ID:autoScalingGroupName/NAME", name)
		}
		if parts[3] != o.Region {
			return "", fmt.Errorf("group %q is in region %s, this source reads %s: declare a source for %s and read it from there", inside, parts[3], o.Region, parts[3])
		}
		name = inside
	}
	if name == "" || len(name) > 255 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("group %q: a name holds 1 to 255 characters, none of them a control character", name)
	}
	return name, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("%d groups", len(s.groups))
	if len(s.groups) == 1 {
		gives = "1 group"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every,
		Cadence: sale.Cadence{Period: s.opts.Every},
		Gives:   gives, Limit: s.opts.Limit,
	}
}
