package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	rdssdk "github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/onsale-dev/onsale/rehearsal/databases"
)

type harbourDatabases struct{ databases.State }

func (h harbourDatabases) Databases() databases.State { return h.State }

// databasesOf is an instance alone, and a Serverless cluster of two.
func databasesOf() harbourDatabases {
	due := []databases.Maintenance{{Action: "os-upgrade", Description: "an update", Due: noon().AddDate(0, 0, 8), Forced: noon().AddDate(0, 1, 0)}}
	instance := func(name, cluster string, writer bool) databases.Instance {
		return databases.Instance{
			Name: name, Cluster: cluster, Writer: writer, Class: "db.r6g.large", Engine: "postgres", Version: "17.4", Status: "available", Storage: 200, StorageMax: 500,
			Group: "pg17", GroupStatus: "in-sync", Window: "tue:02:00-tue:02:30", Certificate: "rds-ca-rsa2048-g1", CertificateEnds: noon().AddDate(1, 0, 0), Created: noon().AddDate(-1, 0, 0), Maintenance: due,
		}
	}
	return harbourDatabases{databases.State{
		Instances: []databases.Instance{instance("harbour-db", "", false), instance("tide-1", "tide", true), instance("tide-2", "tide", false)},
		Clusters:  []databases.Cluster{{Name: "tide", Engine: "aurora-postgresql", Status: "available", Group: "tide-pg17", Window: "sun:23:30-mon:00:00", ACUMin: 0.5, ACUMax: 16, Created: noon(), Maintenance: due[:1]}},
		Groups: []databases.Group{
			{Name: "pg17", Parameters: []databases.Parameter{{Name: "autovacuum", Value: "1", Source: "system"}, {Name: "max_connections", Value: "2000", Source: "user", Static: true}}},
			{Name: "tide-pg17", OfClusters: true, Parameters: []databases.Parameter{{Name: "max_connections", Value: "LEAST({DBInstanceClassMemory/9531392},5000)", Source: "engine-default", Static: true}}},
		},
	}}
}

func databaseClient(t *testing.T, r databases.Reader, secret string) *rdssdk.Client {
	t.Helper()
	srv := serve(t, NewRDS(testRegion, r, WithSecret(testSecret), WithActSecret(actSecret), WithServiceTime(0)))
	return rdssdk.New(rdssdk.Options{Region: testRegion, BaseEndpoint: &srv.URL, Credentials: keys(AccessKey, secret), RetryMaxAttempts: 1, HTTPClient: patient{}})
}

func filterBy(name string, values ...string) []rdstypes.Filter {
	return []rdstypes.Filter{{Name: &name, Values: values}}
}

func TestDatabasesAreDescribedToTheRealClient(t *testing.T) {
	c, ctx := databaseClient(t, databasesOf(), testSecret), context.Background()
	one, err := c.DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{Filters: filterBy("db-instance-id", "HARBOUR-db", "nowhere")})
	if err != nil || len(one.DBInstances) != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	x := one.DBInstances[0]
	got := fmt.Sprint(*x.DBInstanceArn, *x.DBInstanceClass, *x.AllocatedStorage, *x.MaxAllocatedStorage, *x.MultiAZ, *x.DBParameterGroups[0].DBParameterGroupName, *x.DBParameterGroups[0].ParameterApplyStatus, *x.CertificateDetails.CAIdentifier, x.CertificateDetails.ValidTill.Equal(noon().AddDate(1, 0, 0)), x.DBClusterIdentifier == nil)
	if want := "arn:aws:rds:" + testRegion + ":471122083344:db:harbour-dbdb.r6g.large200 500 falsepg17in-syncrds-ca-rsa2048-g1true true"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	members, err := c.DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{Filters: filterBy("db-cluster-id", "tide")})
	if err != nil || len(members.DBInstances) != 2 {
		t.Errorf("the members: %+v, %v", members, err)
	}
	clusters, err := c.DescribeDBClusters(ctx, &rdssdk.DescribeDBClustersInput{DBClusterIdentifier: ptr("tide")})
	if err != nil || len(clusters.DBClusters) != 1 || len(clusters.DBClusters[0].DBClusterMembers) != 2 || !*clusters.DBClusters[0].DBClusterMembers[0].IsClusterWriter || *clusters.DBClusters[0].ServerlessV2ScalingConfiguration.MinCapacity != 0.5 {
		t.Errorf("the cluster: %+v, %v", clusters, err)
	}
	only, err := c.DescribeDBParameters(ctx, &rdssdk.DescribeDBParametersInput{DBParameterGroupName: ptr("pg17"), Filters: filterBy("parameter-name", "max_connections")})
	if err != nil || len(only.Parameters) != 1 || *only.Parameters[0].ParameterValue != "2000" || *only.Parameters[0].ApplyType != "static" || only.Parameters[0].ApplyMethod != "pending-reboot" {
		t.Errorf("the parameter: %+v, %v", only, err)
	}
	user, err := c.DescribeDBClusterParameters(ctx, &rdssdk.DescribeDBClusterParametersInput{DBClusterParameterGroupName: ptr("tide-pg17"), Source: ptr("user")})
	if err != nil || user.Parameters == nil || len(user.Parameters) != 0 {
		t.Errorf("the cluster's parameters that somebody set: %+v, %v", user, err)
	}
	due, err := c.DescribePendingMaintenanceActions(ctx, &rdssdk.DescribePendingMaintenanceActionsInput{Filters: filterBy("db-cluster-id", "arn:aws:rds:"+testRegion+":471122083344:cluster:tide")})
	if err != nil || len(due.PendingMaintenanceActions) != 1 || *due.PendingMaintenanceActions[0].PendingMaintenanceActionDetails[0].Action != "os-upgrade" || !due.PendingMaintenanceActions[0].PendingMaintenanceActionDetails[0].CurrentApplyDate.Equal(noon().AddDate(0, 0, 8)) {
		t.Errorf("the maintenance: %+v, %v", due, err)
	}
}

func TestDatabasesAreRefusedAsRDSDoes(t *testing.T) {
	c, ctx := databaseClient(t, databasesOf(), testSecret), context.Background()
	e := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"DBInstanceNotFound":       e(c.DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{DBInstanceIdentifier: ptr("nowhere")})),
		"DBClusterNotFoundFault":   e(c.DescribeDBClusters(ctx, &rdssdk.DescribeDBClustersInput{DBClusterIdentifier: ptr("nowhere")})),
		"DBParameterGroupNotFound": e(c.DescribeDBParameters(ctx, &rdssdk.DescribeDBParametersInput{DBParameterGroupName: ptr("tide-pg17")})),
		"InvalidParameterValue":    e(c.DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{Filters: filterBy("colour", "blue")})),
		"SignatureDoesNotMatch":    e(databaseClient(t, databasesOf(), "wrong").DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{})),
	} {
		if codeOf(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, n := range []int{19, 101} {
		if err := e(c.DescribeDBInstances(ctx, &rdssdk.DescribeDBInstancesInput{MaxRecords: n32(n)})); codeOf(err) != "InvalidParameterValue" {
			t.Errorf("%d records: %v", n, err)
		}
	}
}

func TestPagesOfDatabasesHoldEverythingOnce(t *testing.T) {
	h := databasesOf()
	for i := range 50 {
		x := h.Instances[0]
		x.Name = fmt.Sprintf("pier-%02d", i)
		h.Instances = append(h.Instances, x)
	}
	c, seen, pages := databaseClient(t, h, testSecret), map[string]int{}, 0
	p := rdssdk.NewDescribeDBInstancesPaginator(c, &rdssdk.DescribeDBInstancesInput{MaxRecords: n32(20)})
	for p.HasMorePages() {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, x := range out.DBInstances {
			seen[*x.DBInstanceIdentifier]++
		}
	}
	if len(seen) != 53 || pages != 3 {
		t.Errorf("%d instances on %d pages", len(seen), pages)
	}
	if _, err := c.DescribeDBInstances(context.Background(), &rdssdk.DescribeDBInstancesInput{Marker: ptr("made up")}); codeOf(err) != "InvalidParameterValue" {
		t.Errorf("a marker that nobody gave: %v", err)
	}
}

// AWS's own frozen requests: those that are served are read to the last parameter, others are unknown.
func TestEveryRequestOfRDSIsEitherServedOrAnUnknownOperation(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(moduleDir(t, "rds"), "request_snapshot/*.snap"))
	if len(files) < 40 {
		t.Skipf("NOT HELD AGAINST AWS'S OWN FIXTURES: %d requests of rds found", len(files))
	}
	h := signed{"rds", NewRDS(testRegion, databasesOf(), WithSecret(testSecret), WithActSecret(actSecret), WithServiceTime(0))}
	set := map[string]map[string]string{
		"DescribeDBInstances":               {"DBInstanceIdentifier": "harbour-db", "Filters.Filter.1.Name": "db-instance-id", "Filters.Filter.1.Values.Value.1": "harbour-db", "MaxRecords": "20"},
		"DescribeDBClusters":                {"DBClusterIdentifier": "tide", "Filters.Filter.1.Name": "db-cluster-id", "Filters.Filter.1.Values.Value.1": "tide", "MaxRecords": "20"},
		"DescribeDBParameters":              {"DBParameterGroupName": "pg17", "Source": "user", "Filters.Filter.1.Name": "parameter-name", "Filters.Filter.1.Values.Value.1": "max_connections", "MaxRecords": "20"},
		"DescribeDBClusterParameters":       {"DBClusterParameterGroupName": "tide-pg17", "Source": "engine-default", "Filters.Filter.1.Name": "parameter-name", "Filters.Filter.1.Values.Value.1": "max_connections", "MaxRecords": "20"},
		"DescribePendingMaintenanceActions": {"ResourceIdentifier": "arn:aws:rds:" + testRegion + ":471122083344:db:harbour-db", "Filters.Filter.1.Name": "db-instance-id", "Filters.Filter.1.Values.Value.1": "harbour-db", "MaxRecords": "20"},
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".request.snap")
		s := readSnapshot(t, "rds", "request_snapshot/"+filepath.Base(file))
		w := s.sendAsActor(t, h, s.body)
		if is := set[name] != nil; is == strings.Contains(w.Body.String(), "InvalidAction") || w.Code == 200 {
			t.Errorf("%s is served: %v; the answer is %d %s", name, is, w.Code, w.Body)
		}
		if set[name] == nil {
			continue
		}
		form, err := url.ParseQuery(string(s.body))
		if err != nil {
			t.Fatal(err)
		}
		for key := range form {
			if key == "Marker" || strings.HasPrefix(key, "Filters.Filter.2") || key == "Filters.Filter.1.Values.Value.2" {
				form.Del(key)
			}
		}
		for key, v := range set[name] {
			if !form.Has(key) {
				t.Errorf("%s: AWS's request has no %s", name, key)
			}
			form.Set(key, v)
		}
		if w := s.sendAsActor(t, h, []byte(form.Encode())); w.Code != 200 || !strings.Contains(w.Body.String(), "<"+name+"Result>") {
			t.Errorf("%s, made sense of: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestRDSInTroubleAnswersInItsOwnWords(t *testing.T) {
	for kind, want := range map[string]string{FaultError: "InternalFailure", FaultThrottle: "Throttling"} {
		srv := serve(t, Fault(RDS, kind))
		c := rdssdk.New(rdssdk.Options{Region: testRegion, BaseEndpoint: &srv.URL, Credentials: keys(AccessKey, testSecret), Retryer: awssdk.NopRetryer{}, HTTPClient: patient{}})
		if _, err := c.DescribeDBInstances(context.Background(), &rdssdk.DescribeDBInstancesInput{}); codeOf(err) != want {
			t.Errorf("%s: %v", kind, err)
		}
	}
	srv := serve(t, Fault(RDS, FaultGarbage))
	c := rdssdk.New(rdssdk.Options{Region: testRegion, BaseEndpoint: &srv.URL, Credentials: keys(AccessKey, testSecret), Retryer: awssdk.NopRetryer{}, HTTPClient: patient{}})
	var decoding interface{ Unwrap() error }
	if out, err := c.DescribeDBInstances(context.Background(), &rdssdk.DescribeDBInstancesInput{}); err == nil || !errors.As(err, &decoding) {
		t.Errorf("garbage is taken for %+v, %v", out, err)
	}
}
