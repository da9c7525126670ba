package aws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/databases"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

const (
	rdsVersion = "2014-10-31"
	rdsSpace   = "http://rds.amazonaws.com/doc/2014-10-31/"
)

type relational struct {
	region string
	reader databases.Reader
}

// NewRDS answers Amazon RDS's API of one region in AWS Query and XML: DescribeDBInstances,
// DescribeDBClusters, DescribeDBParameters, DescribeDBClusterParameters and
// DescribePendingMaintenanceActions.
func NewRDS(region string, r databases.Reader, opts ...Option) http.Handler {
	o := settings(opts)
	s := &relational{region: region, reader: r}
	return &queryService{
		name: "rds", version: rdsVersion, space: rdsSpace, options: o, guard: newGuard("rds", region, o),
		operations: map[string]queryOperation{
			"DescribeDBInstances":               {do: s.instances},
			"DescribeDBClusters":                {do: s.clusters},
			"DescribeDBParameters":              {do: s.instanceParameters},
			"DescribeDBClusterParameters":       {do: s.clusterParameters},
			"DescribePendingMaintenanceActions": {do: s.maintenance},
		},
	}
}

func (s *relational) arn(kind, name string) string {
	return "arn:aws:rds:" + s.region + ":" + telemetry.Account + ":" + kind + ":" + name
}

// rdsFilters are the filters of a request, of which only some names are taken.
func (p *params) rdsFilters(known ...string) []filter {
	var out []filter
	for i := 1; ; i++ {
		name, ok := p.text(fmt.Sprintf("Filters.Filter.%d.Name", i))
		if !ok {
			return out
		}
		f := filter{name: name}
		for j := 1; ; j++ {
			v, ok := p.text(fmt.Sprintf("Filters.Filter.%d.Values.Value.%d", i, j))
			if !ok {
				break
			}
			f.values = append(f.values, v)
		}
		if !slices.Contains(known, name) {
			p.refuseRDS("InvalidParameterValue", "Unrecognized filter name: %s", name)
		}
		if len(f.values) == 0 {
			p.refuseRDS("InvalidParameterCombination", "The filter %s has no values", name)
		}
		out = append(out, f)
	}
}

func (p *params) refuseRDS(code, format string, args ...any) {
	if p.bad == nil {
		p.bad = &apiError{code: code, status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
	}
}

// names tells whether a filter names a resource, by its identifier or its ARN.
func (f filter) names(name, arn string) bool {
	return slices.ContainsFunc(f.values, func(v string) bool { return strings.EqualFold(v, name) || strings.EqualFold(v, arn) })
}

// rdsPage cuts a list by MaxRecords and Marker.
func rdsPage[T any](p *params, all []T, request ...any) (cut []T, next string) {
	size := 100
	if n := p.integer("MaxRecords"); n != nil {
		if size = *n; size < 20 || size > 100 {
			p.refuseRDS("InvalidParameterValue", "Invalid value %d for MaxRecords. Must be between 20 and 100", size)
			return nil, ""
		}
	}
	after, given := p.text("Marker")
	begin, ok := pageStart(after, given, len(all), request)
	if !ok {
		p.refuseRDS("InvalidParameterValue", "Invalid marker %q", after)
		return nil, ""
	}
	return pageFrom(all, begin, size, request)
}

type dbInstancesResult struct {
	Instances struct {
		All []dbInstanceXML `xml:"DBInstance"`
	} `xml:"DBInstances"`
	Marker string `xml:"Marker,omitempty"`
}

type dbInstanceXML struct {
	Name        string   `xml:"DBInstanceIdentifier"`
	ARN         string   `xml:"DBInstanceArn"`
	Class       string   `xml:"DBInstanceClass"`
	Engine      string   `xml:"Engine"`
	Version     string   `xml:"EngineVersion"`
	Status      string   `xml:"DBInstanceStatus"`
	Cluster     string   `xml:"DBClusterIdentifier,omitempty"`
	MultiAZ     bool     `xml:"MultiAZ"`
	Storage     int      `xml:"AllocatedStorage"`
	StorageMax  int      `xml:"MaxAllocatedStorage,omitempty"`
	StorageType string   `xml:"StorageType"`
	Created     string   `xml:"InstanceCreateTime"`
	Window      string   `xml:"PreferredMaintenanceWindow"`
	Group       string   `xml:"DBParameterGroups>DBParameterGroup>DBParameterGroupName"`
	GroupStatus string   `xml:"DBParameterGroups>DBParameterGroup>ParameterApplyStatus"`
	Authority   string   `xml:"CertificateDetails>CAIdentifier"`
	ValidTill   string   `xml:"CertificateDetails>ValidTill"`
	Pending     struct{} `xml:"PendingModifiedValues"`
	Replicas    []string `xml:"ReadReplicaDBInstanceIdentifiers>ReadReplicaDBInstanceIdentifier"`
}

// instances answers DescribeDBInstances: all, one by its identifier, or those of filters.
func (s *relational) instances(in *params) (any, *apiError) {
	one, single := in.text("DBInstanceIdentifier")
	filters := in.rdsFilters("db-instance-id", "db-cluster-id", "engine")
	var found []dbInstanceXML
	for _, x := range s.reader.Databases().Instances {
		arn := s.arn("db", x.Name)
		if single && !strings.EqualFold(one, x.Name) && !strings.EqualFold(one, arn) {
			continue
		}
		if slices.ContainsFunc(filters, func(f filter) bool {
			switch f.name {
			case "db-instance-id":
				return !f.names(x.Name, arn)
			case "db-cluster-id":
				return x.Cluster == "" || !f.names(x.Cluster, s.arn("cluster", x.Cluster))
			}
			return !f.names(x.Engine, x.Engine)
		}) {
			continue
		}
		found = append(found, dbInstanceXML{
			Name: x.Name, ARN: arn, Class: x.Class, Engine: x.Engine, Version: x.Version, Status: x.Status, Cluster: x.Cluster, MultiAZ: x.MultiAZ,
			Storage: x.Storage, StorageMax: x.StorageMax, StorageType: "gp3", Created: xmlTime(x.Created), Window: x.Window,
			Group: x.Group, GroupStatus: x.GroupStatus, Authority: x.Certificate, ValidTill: xmlTime(x.CertificateEnds), Replicas: x.Replicas,
		})
	}
	if single && len(found) == 0 {
		in.refuseNotFound("DBInstanceNotFound", "DBInstance %s not found.", one)
	}
	var out dbInstancesResult
	out.Instances.All, out.Marker = rdsPage(in, found, "DescribeDBInstances", one, fmt.Sprint(filters))
	return out, in.done()
}

func (p *params) refuseNotFound(code, format string, args ...any) {
	if p.bad == nil {
		p.bad = &apiError{code: code, status: http.StatusNotFound, message: fmt.Sprintf(format, args...)}
	}
}

type dbClustersResult struct {
	Clusters struct {
		All []dbClusterXML `xml:"DBCluster"`
	} `xml:"DBClusters"`
	Marker string `xml:"Marker,omitempty"`
}

type dbClusterXML struct {
	Name       string         `xml:"DBClusterIdentifier"`
	ARN        string         `xml:"DBClusterArn"`
	Engine     string         `xml:"Engine"`
	EngineMode string         `xml:"EngineMode"`
	Version    string         `xml:"EngineVersion"`
	Status     string         `xml:"Status"`
	Group      string         `xml:"DBClusterParameterGroup"`
	Window     string         `xml:"PreferredMaintenanceWindow"`
	MultiAZ    bool           `xml:"MultiAZ"`
	Created    string         `xml:"ClusterCreateTime"`
	Members    []dbMemberXML  `xml:"DBClusterMembers>DBClusterMember"`
	Serverless *serverlessXML `xml:"ServerlessV2ScalingConfiguration"`
}

type dbMemberXML struct {
	Name   string `xml:"DBInstanceIdentifier"`
	Writer bool   `xml:"IsClusterWriter"`
	Status string `xml:"DBClusterParameterGroupStatus"`
	Tier   int    `xml:"PromotionTier"`
}

type serverlessXML struct {
	Min float64 `xml:"MinCapacity"`
	Max float64 `xml:"MaxCapacity"`
}

// clusters answers DescribeDBClusters: all, one by its identifier, or those of a filter.
func (s *relational) clusters(in *params) (any, *apiError) {
	one, single := in.text("DBClusterIdentifier")
	in.boolean("IncludeShared", false) // no account shares one with this one
	filters := in.rdsFilters("db-cluster-id", "engine")
	state := s.reader.Databases()
	var found []dbClusterXML
	for _, c := range state.Clusters {
		arn := s.arn("cluster", c.Name)
		if single && !strings.EqualFold(one, c.Name) && !strings.EqualFold(one, arn) {
			continue
		}
		if slices.ContainsFunc(filters, func(f filter) bool {
			return f.name == "db-cluster-id" && !f.names(c.Name, arn) || f.name == "engine" && !f.names(c.Engine, c.Engine)
		}) {
			continue
		}
		x := dbClusterXML{
			Name: c.Name, ARN: arn, Engine: c.Engine, EngineMode: "provisioned", Version: c.Version, Status: c.Status, Group: c.Group, Window: c.Window, Created: xmlTime(c.Created),
		}
		for _, i := range state.Instances {
			if i.Cluster == c.Name {
				x.Members = append(x.Members, dbMemberXML{i.Name, i.Writer, "in-sync", 1})
			}
		}
		x.MultiAZ = len(x.Members) > 1
		if c.ACUMax > 0 {
			x.Serverless = &serverlessXML{c.ACUMin, c.ACUMax}
		}
		found = append(found, x)
	}
	if single && len(found) == 0 {
		in.refuseNotFound("DBClusterNotFoundFault", "DBCluster %s not found.", one)
	}
	var out dbClustersResult
	out.Clusters.All, out.Marker = rdsPage(in, found, "DescribeDBClusters", one, fmt.Sprint(filters))
	return out, in.done()
}

type dbParametersResult struct {
	Parameters struct {
		All []dbParameterXML `xml:"Parameter"`
	} `xml:"Parameters"`
	Marker string `xml:"Marker,omitempty"`
}

type dbParameterXML struct {
	Name       string `xml:"ParameterName"`
	Value      string `xml:"ParameterValue,omitempty"`
	Source     string `xml:"Source"`
	Apply      string `xml:"ApplyType"`
	Method     string `xml:"ApplyMethod"`
	Data       string `xml:"DataType"`
	Modifiable bool   `xml:"IsModifiable"`
}

func (s *relational) instanceParameters(in *params) (any, *apiError) {
	return s.parameters(in, "DBParameterGroupName", false)
}

func (s *relational) clusterParameters(in *params) (any, *apiError) {
	return s.parameters(in, "DBClusterParameterGroupName", true)
}

// parameters answers DescribeDBParameters and DescribeDBClusterParameters.
func (s *relational) parameters(in *params, name string, ofClusters bool) (any, *apiError) {
	group := in.required(name)
	source, bySource := in.text("Source")
	filters := in.rdsFilters("parameter-name")
	all := s.reader.Databases().Groups
	i := slices.IndexFunc(all, func(g databases.Group) bool { return g.Name == group && g.OfClusters == ofClusters })
	if i < 0 {
		in.refuseNotFound("DBParameterGroupNotFound", "DBParameterGroup not found: %s", group)
		return nil, in.bad
	}
	var found []dbParameterXML
	for _, p := range all[i].Parameters {
		if bySource && source != p.Source || slices.ContainsFunc(filters, func(f filter) bool { return !slices.Contains(f.values, p.Name) }) {
			continue
		}
		x := dbParameterXML{Name: p.Name, Value: p.Value, Source: p.Source, Apply: "dynamic", Method: "immediate", Data: "integer", Modifiable: true}
		if p.Static {
			x.Apply, x.Method = "static", "pending-reboot"
		}
		found = append(found, x)
	}
	var out dbParametersResult
	out.Parameters.All, out.Marker = rdsPage(in, found, name, group, source, fmt.Sprint(filters))
	return out, in.done()
}

type dbMaintenanceResult struct {
	Resources struct {
		All []dbMaintenanceXML `xml:"ResourcePendingMaintenanceActions"`
	} `xml:"PendingMaintenanceActions"`
	Marker string `xml:"Marker,omitempty"`
}

type dbMaintenanceXML struct {
	ARN     string        `xml:"ResourceIdentifier"`
	Actions []dbActionXML `xml:"PendingMaintenanceActionDetails>PendingMaintenanceAction"`
}

type dbActionXML struct {
	Action string `xml:"Action"`
	Text   string `xml:"Description,omitempty"`
	Auto   string `xml:"AutoAppliedAfterDate,omitempty"`
	Forced string `xml:"ForcedApplyDate,omitempty"`
	Due    string `xml:"CurrentApplyDate,omitempty"`
}

// maintenance answers DescribePendingMaintenanceActions: of all, of one ARN, or of filters.
func (s *relational) maintenance(in *params) (any, *apiError) {
	one, single := in.text("ResourceIdentifier")
	filters := in.rdsFilters("db-instance-id", "db-cluster-id")
	state := s.reader.Databases()
	var found []dbMaintenanceXML
	add := func(name, arn, by string, waits []databases.Maintenance) {
		if len(waits) == 0 || single && !strings.EqualFold(one, arn) || slices.ContainsFunc(filters, func(f filter) bool { return f.name != by || !f.names(name, arn) }) {
			return
		}
		x := dbMaintenanceXML{ARN: arn}
		for _, m := range waits {
			x.Actions = append(x.Actions, dbActionXML{m.Action, m.Description, xmlTime(m.AutoApply), xmlTime(m.Forced), xmlTime(m.Due)})
		}
		found = append(found, x)
	}
	for _, i := range state.Instances {
		add(i.Name, s.arn("db", i.Name), "db-instance-id", i.Maintenance)
	}
	for _, c := range state.Clusters {
		add(c.Name, s.arn("cluster", c.Name), "db-cluster-id", c.Maintenance)
	}
	var out dbMaintenanceResult
	out.Resources.All, out.Marker = rdsPage(in, found, "DescribePendingMaintenanceActions", one, fmt.Sprint(filters))
	return out, in.done()
}
