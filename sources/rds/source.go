package rds

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/onsale-dev/onsale/sale"
)

// Kind is this source's name in the config.
const Kind = "rds"

// DefaultEvery is the cadence of polls unless Options.Every says otherwise. Nothing that is read
// here moves faster than a failover, which takes about a minute.
const DefaultEvery = 30 * time.Second

// API is the part of the SDK's client that this source needs; *rds.Client has it.
type API interface {
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	DescribeDBParameters(context.Context, *rds.DescribeDBParametersInput, ...func(*rds.Options)) (*rds.DescribeDBParametersOutput, error)
	DescribeDBClusterParameters(context.Context, *rds.DescribeDBClusterParametersInput, ...func(*rds.Options)) (*rds.DescribeDBClusterParametersOutput, error)
	DescribePendingMaintenanceActions(context.Context, *rds.DescribePendingMaintenanceActionsInput, ...func(*rds.Options)) (*rds.DescribePendingMaintenanceActionsOutput, error)
}

// Permissions lists what IAM must allow, sorted. The parameters are read only where a query asks for
// ConnectionsMax.
func Permissions() []string {
	return []string{
		"rds:DescribeDBClusterParameters", "rds:DescribeDBClusters", "rds:DescribeDBInstances",
		"rds:DescribeDBParameters", "rds:DescribePendingMaintenanceActions",
	}
}

// Field is what a signal takes from a database.
type Field string

// The fields. Those of a cluster are of its writer or of all its members, as each says.
const (
	ConnectionsMax  Field = "connections_max"   // max_connections in force; of a cluster: its writer's
	Available       Field = "available"         // instances that can be used: 1 or 0; of a cluster: how many members
	Readers         Field = "readers"           // read replicas; of a cluster: its readers that can be used
	FailoverTargets Field = "failover_targets"  // what can take the writer's place: a standby, or readers that can be used
	StorageBytes    Field = "storage_bytes"     // allocated, in bytes; Aurora has none
	StorageMaxBytes Field = "storage_max_bytes" // to which storage autoscaling may grow it; unknown where that is off
	ACUMin          Field = "acu_min"           // the least capacity of Aurora Serverless v2, in ACUs
	ACUMax          Field = "acu_max"           // the most
)

// Fields lists every field.
func Fields() []Field {
	return []Field{ConnectionsMax, Available, Readers, FailoverTargets, StorageBytes, StorageMaxBytes, ACUMin, ACUMax}
}

// Unit is what a field is measured in.
func (f Field) Unit() sale.Unit {
	if f == StorageBytes || f == StorageMaxBytes {
		return sale.Bytes
	}
	return sale.Count
}

// Options declare a source: the databases of one region under one set of credentials.
type Options struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     API
	Every   time.Duration // 0: half a minute
	Queries []Query
	Limit   string // the account's limit in words; may be empty
}

// Query is one signal of one sale: one field of one instance or of one cluster.
type Query struct {
	sale.Key
	Unit     sale.Unit // "": the field's own
	Instance string    // identifier or ARN
	Cluster  string    // identifier or ARN; exactly one of the two is given
	Field    Field     // "": ConnectionsMax
}

// Source reads databases. It implements sources.Source.
type Source struct {
	opts      Options
	databases []*database // distinct, in the order of the queries
	keep      kept
}

// New makes a source; it sends nothing. It refuses databases of another region, what can be no
// identifier, and fields that don't exist, all faults at once.
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
	s := &Source{opts: o, keep: kept{writers: map[string]writer{}, maintenance: map[string][]action{}}}
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
		d := s.find(q)
		if d == nil {
			d = &database{name: q.Instance + q.Cluster, isCluster: q.Cluster != ""}
			s.databases = append(s.databases, d)
		}
		if !slices.Contains(d.sales, q.Sale) {
			d.sales = append(d.sales, q.Sale)
		}
		d.limited = d.limited || q.Field == ConnectionsMax
		s.opts.Queries = append(s.opts.Queries, q)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("rds source %q: %w", o.Name, errors.Join(faults...))
	}
	return s, nil
}

func (s *Source) find(q Query) *database {
	i := slices.IndexFunc(s.databases, func(d *database) bool {
		return d.name == q.Instance+q.Cluster && d.isCluster == (q.Cluster != "")
	})
	if i < 0 {
		return nil
	}
	return s.databases[i]
}

// identifier is what CreateDBInstance and CreateDBCluster accept, in lower case as RDS keeps it.
var identifier = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// check fills in a query's defaults and replaces an ARN by the identifier in it.
func (o Options) check(q *Query) error {
	if q.Field == "" {
		q.Field = ConnectionsMax
	}
	if q.Unit == "" {
		q.Unit = q.Field.Unit()
	}
	switch {
	case q.Sale == "" || q.Signal == "":
		return errors.New("a query needs a sale and a signal")
	case !slices.Contains(Fields(), q.Field):
		return fmt.Errorf("field %q: the fields of a database are %v", q.Field, Fields())
	case (q.Instance == "") == (q.Cluster == ""):
		return errors.New("a query names an instance or a cluster, and not both")
	case q.Cluster != "" && (q.Field == StorageBytes || q.Field == StorageMaxBytes):
		return fmt.Errorf("field %s is an instance's: name the instance", q.Field)
	}
	var err error
	if q.Instance != "" {
		q.Instance, err = o.plain(q.Instance, "db", "instance")
		return err
	}
	q.Cluster, err = o.plain(q.Cluster, "cluster", "cluster")
	return err
}

// plain returns the identifier in an ARN of this region, or in a plain text.
func (o Options) plain(text, kind, what string) (string, error) {
	name := strings.ToLower(text)
	if strings.HasPrefix(name, "arn:") {
		parts := strings.Split(name, ":") // arn:PARTITION:rds:REGION:ACCOUNT:KIND:NAME
		if len(parts) != 7 || parts[2] != "rds" || parts[5] != kind {
			return "", fmt.Errorf("%s %q: an ARN of one is arn:aws:rds:REGION:ACCOUNT:%s:NAME", what, text, kind)
		}
		if parts[3] != o.Region {
			return "", fmt.Errorf("%s %q is in region %s, this source reads %s: declare a source for %s and read it from there", what, parts[6], parts[3], o.Region, parts[3])
		}
		name = parts[6]
	}
	if !identifier.MatchString(name) || strings.HasSuffix(name, "-") || strings.Contains(name, "--") {
		return "", fmt.Errorf("%s %q: an identifier holds 1 to 63 letters, digits and single dashes, and begins with a letter", what, text)
	}
	return name, nil
}

// Info describes the source.
func (s *Source) Info() sale.SourceInfo {
	gives := fmt.Sprintf("%d databases", len(s.databases))
	if len(s.databases) == 1 {
		gives = "1 database"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: Kind, Every: s.opts.Every,
		Cadence: sale.Cadence{Period: s.opts.Every},
		Gives:   gives, Limit: s.opts.Limit,
	}
}
