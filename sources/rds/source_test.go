package rds

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func TestAnInstanceAndAClusterGiveTheirLimits(t *testing.T) {
	h := usual()
	var queries []Query
	for _, f := range Fields() {
		if f != ACUMin && f != ACUMax {
			queries = append(queries, ofInstance("arena", "shop", f))
		}
		if f != StorageBytes && f != StorageMaxBytes {
			queries = append(queries, ofCluster("club", "tide", f))
		}
	}
	b := newSource(t, serve(t, h), queries...).Read(t.Context(), noon())
	want := strings.Join([]string{
		"arena/connections_max 2000", "club/connections_max 3244",
		"arena/available 1", "club/available 2",
		"arena/readers 0", "club/readers 1",
		"arena/failover_targets 1", "club/failover_targets 1",
		"arena/storage_bytes 2.147483648e+11", "arena/storage_max_bytes 5.36870912e+11",
		"club/acu_min 2", "club/acu_max 16",
		"note club limit_worked_out: tide: max_connections 3244 is worked out: LEAST({DBInstanceClassMemory/9531392},5000) on db.serverless, 32 GiB less what RDS keeps; the real one is about this or a little more, and value: declares it",
	}, "\n")
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	asked := h.take()
	if b.Calls != 8 || len(asked) != 8 {
		t.Errorf("%d calls: %q", b.Calls, asked)
	}
	for _, r := range b.Readings {
		if !r.At.Equal(noon()) && r.At.Before(noon()) || r.FetchedAt.Before(r.At) || !r.Valid() {
			t.Errorf("reading %+v", r)
		}
	}
}

func TestTheLimitIsTheParameterInForceOrUnknown(t *testing.T) {
	group := func(status string) []string {
		return []string{"DBParameterGroups", element("DBParameterGroup", fields("DBParameterGroupName", "pg17", "ParameterApplyStatus", status))}
	}
	for _, c := range []struct {
		name     string
		instance []string // of "shop"
		value    string
		source   string
		kind     string
		want     string
	}{
		{"a number", nil, "2000", "user", "static", "2000"},
		{"a formula on a class of the table", nil, formulaPostgres, "system", "static", "1622"},
		{"MySQL's formula", []string{"Engine", "mysql", "DBInstanceClass", "db.m6g.large"}, "{DBInstanceClassMemory/12582880}", "system", "dynamic", "614"},
		{"a number on a class that nobody knows", []string{"DBInstanceClass", "db.q9.large"}, "700", "user", "static", "700"},
		{"a formula on a class that nobody knows", []string{"DBInstanceClass", "db.q9.large"}, formulaPostgres, "system", "static", "not_found: max_connections of shop is \"" + formulaPostgres + "\" on db.q9.large: the value of DBInstanceClassMemory is not known"},
		{"a formula of another form", nil, "IF({DBInstanceVCPU},1,2)", "user", "static", `not_found: max_connections of shop is "IF({DBInstanceVCPU},1,2)" on db.r6g.large: the value of DBInstanceVCPU is not known`},
		{"zero", nil, "0", "user", "static", `not_found: max_connections of shop is "0" on db.r6g.large: it gives no good number of connections`},
		{"a change that waits for a reboot", group("pending-reboot"), "4000", "user", "static", "not_found: shop waits for a reboot to take its parameters: the max_connections in force can't be told"},
		{"a change under way", group("applying"), "4000", "user", "dynamic", "not_found: shop is taking other parameters now"},
		{"an engine without it", []string{"Engine", "sqlserver-se"}, "0", "system", "static", "not_found: shop is sqlserver-se, which has no max_connections"},
		{"a group without it", nil, "", "system", "static", "not_found: parameter group pg17 has no max_connections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := usual()
			h.instances["shop"] = instanceXML("shop", c.instance...)
			h.groups["pg17"] = parameterXML(c.value, c.source, c.kind)
			b := newSource(t, serve(t, h), ofInstance("arena", "shop", ConnectionsMax)).Read(t.Context(), noon())
			first, _, _ := strings.Cut(lines(b), "\n")
			if got := strings.TrimPrefix(first, "arena/connections_max "); got != c.want || b.Problem != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if worked := strings.Contains(lines(b), "limit_worked_out"); worked != (strings.Contains(c.value, "{") && len(b.Readings) == 1) {
				t.Errorf("the note that it is worked out: %t\n%s", worked, lines(b))
			}
			for _, m := range b.Missing {
				if m.Problem.Hint == "" {
					t.Errorf("no hint: %+v", m)
				}
			}
		})
	}
}

func TestWhatIsSetInTheClusterCountsUnlessTheInstanceSetsItToo(t *testing.T) {
	for _, c := range []struct{ own, of, want string }{
		{parameterXML("900", "user", "static"), parameterXML("1500", "user", "static"), "900"},
		{parameterXML(formulaPostgres, "engine-default", "static"), parameterXML("1500", "user", "static"), "1500"},
		{parameterXML("1000", "engine-default", "static"), parameterXML("1500", "engine-default", "static"), "1000"},
		{"", parameterXML("1500", "system", "static"), "1500"},
		{"", "", "not_found: neither parameter group aurora17 nor cluster17 has max_connections"},
	} {
		h := usual()
		h.groups["aurora17"], h.groups["cluster17"] = c.own, c.of
		for name, q := range map[string]Query{"the cluster": ofCluster("club", "tide", ConnectionsMax), "its writer": ofInstance("club", "tide-1", ConnectionsMax)} {
			b := newSource(t, serve(t, h), q).Read(t.Context(), noon())
			first, _, _ := strings.Cut(lines(b), "\n")
			if got := strings.TrimPrefix(first, "club/connections_max "); got != c.want {
				t.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
	}
}

func TestAServerlessClusterThatMayGoBelowOneUnitIsCapped(t *testing.T) {
	h := usual()
	h.clusters["tide"] = strings.Replace(h.clusters["tide"], "<MinCapacity>2<", "<MinCapacity>0.5<", 1)
	got := lines(newSource(t, serve(t, h), ofCluster("club", "tide", ConnectionsMax)).Read(t.Context(), noon()))
	if !strings.HasPrefix(got, "club/connections_max 2000\n") || !strings.Contains(got, "Aurora caps it where a Serverless cluster may go below 1 ACU (here 0.5)") {
		t.Error(got)
	}
}

func TestWhatIsNotThereIsMissingAndNeverZero(t *testing.T) {
	h := usual()
	h.instances["odd"] = instanceXML("odd", "DBInstanceStatus", "levitating")
	h.instances["plain"] = instanceXML("plain", "MaxAllocatedStorage", "")
	b := newSource(t, serve(t, h),
		ofInstance("arena", "shop", Available), ofInstance("barn", "gone", Available), ofCluster("club", "gone", ConnectionsMax),
		ofInstance("hall", "odd", Available), ofInstance("pier", "plain", StorageMaxBytes), ofInstance("quay", "tide-1", StorageBytes), ofInstance("yard", "shop", ACUMax),
	).Read(t.Context(), noon())
	want := strings.Join([]string{
		"arena/available 1",
		"barn/available not_found: there is no instance gone",
		"club/connections_max not_found: there is no cluster gone",
		"hall/available bad_data: odd has a status that is not known here: levitating",
		"pier/storage_max_bytes not_found: storage autoscaling is off for plain",
		"quay/storage_bytes not_found: tide-1 is Aurora, whose storage grows by itself",
		"yard/acu_max not_found: shop has no capacity range of Aurora Serverless v2",
		"note hall not_available: odd: the instance is levitating",
	}, "\n")
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestANameThatRDSRefusesCostsNobodyElse(t *testing.T) {
	h := usual()
	h.fails["DescribeDBClusters"] = "DBClusterNotFoundFault"
	b := newSource(t, serve(t, h), ofInstance("arena", "shop", Available), ofCluster("club", "tide", Available), ofCluster("hall", "gone", Available)).Read(t.Context(), noon())
	if len(b.Readings) != 1 || len(b.Missing) != 2 || b.Missing[0].Problem.Class != sale.NotFound || b.Problem != nil {
		t.Errorf("got\n%s", lines(b))
	}
	var alone int
	for _, a := range h.take() {
		if a == "DescribeDBClusters db-cluster-id  gone" || a == "DescribeDBClusters db-cluster-id  tide" {
			alone++
		}
	}
	if alone != 2 {
		t.Errorf("each cluster is asked for alone: %d", alone)
	}
}

func TestAFailoverIsTold(t *testing.T) {
	h := usual()
	s := newSource(t, serve(t, h), ofCluster("club", "tide", ConnectionsMax), ofCluster("club", "tide", FailoverTargets))
	if got := lines(s.Read(t.Context(), noon())); strings.Contains(got, "writer_changed") {
		t.Error(got)
	}
	h.change(func() {
		h.clusters["tide"] = clusterXML("tide", "failing-over", element("ServerlessV2ScalingConfiguration", fields("MinCapacity", "2", "MaxCapacity", "16")), memberXML("tide-1", false), memberXML("tide-2", false))
		h.instances["tide-1"] = memberInstance("tide-1", "DBInstanceStatus", "rebooting")
	})
	got := lines(s.Read(t.Context(), noon().Add(time.Minute)))
	for _, want := range []string{"club/failover_targets 1", "club/connections_max failing: cluster tide has no writer now", "failover: tide: a failover is in progress", "not_available: tide-1: the instance is rebooting"} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %s\n%s", want, got)
		}
	}
	h.change(func() {
		h.clusters["tide"] = clusterXML("tide", "available", element("ServerlessV2ScalingConfiguration", fields("MinCapacity", "2", "MaxCapacity", "16")), memberXML("tide-1", false), memberXML("tide-2", true))
	})
	got = lines(s.Read(t.Context(), noon().Add(2*time.Minute)))
	for _, want := range []string{"club/connections_max 3244", "club/failover_targets 0", "writer_changed: tide: tide-2 writes since 12:02 UTC, before that tide-1 did: a failover", "no_standby: tide: no reader can take over"} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %s\n%s", want, got)
		}
	}
	if got = lines(s.Read(t.Context(), noon().Add(33*time.Minute))); strings.Contains(got, "writer_changed") {
		t.Errorf("half an hour later it is no news:\n%s", got)
	}
}

func TestNotesTellWhatAnOperatorMustKnow(t *testing.T) {
	h := usual()
	h.instances["shop"] = instanceXML("shop", "DBInstanceStatus", "modifying", "StorageOperationStatus", "storage-optimization", "MultiAZ", "false", "AllocatedStorage", "500",
		"DBParameterGroups", element("DBParameterGroup", fields("DBParameterGroupName", "pg17", "ParameterApplyStatus", "pending-reboot")),
		"CertificateDetails", fields("CAIdentifier", "rds-ca-rsa2048-g1", "ValidTill", "2026-12-20T00:00:00Z"),
		"PendingModifiedValues", fields("DBInstanceClass", "db.r6g.xlarge", "EngineVersion", "17.5"),
		"StatusInfos", element("DBInstanceStatusInfo", fields("StatusType", "read replication", "Normal", "false", "Status", "error", "Message", "1062 duplicate")))
	h.instances["full"] = instanceXML("full", "DBInstanceStatus", "storage-full")
	h.maintenance[arnOf+"db:shop"] = element("PendingMaintenanceAction", fields("Action", "os-upgrade", "CurrentApplyDate", "2026-12-09T02:00:00Z", "ForcedApplyDate", "2027-03-01T00:00:00Z")) +
		element("PendingMaintenanceAction", fields("Action", "ca-certificate-rotation", "ForcedApplyDate", "2026-12-05T08:00:00Z")) +
		element("PendingMaintenanceAction", fields("Action", "db-upgrade"))
	b := newSource(t, serve(t, h), ofInstance("arena", "shop", Available), ofInstance("arena", "full", Readers)).Read(t.Context(), noon())
	want := strings.Join([]string{
		"arena/available 1", "arena/readers 0",
		"note arena modifying: shop: the instance is being modified (storage-optimization): it may fail over or restart",
		"note arena replica_broken: shop: read replication error: 1062 duplicate",
		"note arena parameters_pending: shop: changed parameters of pg17 wait for a reboot",
		"note arena storage_at_max: shop: storage of 500 GiB has reached its maximum: it grows no further",
		"note arena no_standby: shop: Multi-AZ is off: there is no standby, a failure means a restart or a restore",
		"note arena changes_pending: shop: changes wait for the maintenance window (Tue 02:00-02:30 UTC): class db.r6g.xlarge, version 17.5",
		"note arena certificate_ends: shop: the certificate (rds-ca-rsa2048-g1) ends 2026-12-20: clients that check it can't connect from then on",
		"note arena maintenance_due: shop: maintenance os-upgrade is applied in the window (Tue 02:00-02:30 UTC) after 2026-12-09 02:00 UTC",
		"note arena maintenance_due: shop: maintenance ca-certificate-rotation is forced on 2026-12-05 08:00 UTC, whatever the window",
		"note arena maintenance_pending: shop: maintenance db-upgrade is available, with no date",
		"note arena storage_full: full: storage is full: it takes no writes until more is allocated",
	}, "\n")
	if got := lines(b); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMaintenanceOnlyExplainsAndIsAskedSeldom(t *testing.T) {
	h := usual()
	h.fails["DescribePendingMaintenanceActions"] = "AccessDenied"
	s := newSource(t, serve(t, h), ofInstance("arena", "shop", ConnectionsMax))
	b := s.Read(t.Context(), noon())
	if len(b.Readings) != 1 || len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "allow rds:DescribePendingMaintenanceActions on all resources to profile onsale-read") {
		t.Errorf("got\n%s", lines(b))
	}
	asked := 0
	h.take()
	for i := range 61 { // half an hour
		s.Read(t.Context(), noon().Add(time.Duration(i+1)*30*time.Second))
	}
	for _, a := range h.take() {
		if strings.HasPrefix(a, "DescribePendingMaintenanceActions") {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("a refused permission was tried %d times in half an hour", asked)
	}
}

func TestEachPartMayFailAlone(t *testing.T) {
	for action, want := range map[string]string{
		"DescribeDBParameters":        "arena/available 1\nclub/readers 1\nclub/connections_max",
		"DescribeDBClusterParameters": "arena/available 1\nclub/readers 1\nclub/connections_max",
		"DescribeDBClusters":          "arena/available 1\nclub/readers auth",
	} {
		h := usual()
		h.fails[action] = "AccessDenied"
		b := newSource(t, serve(t, h), ofInstance("arena", "shop", Available), ofCluster("club", "tide", Readers), ofCluster("club", "tide", ConnectionsMax)).Read(t.Context(), noon())
		if got := lines(b); !strings.HasPrefix(got, want) || b.Problem != nil || !strings.Contains(b.Missing[0].Problem.Hint, "allow rds:"+action) {
			t.Errorf("%s: got\n%s\n%+v", action, got, b.Missing)
		}
	}
}

func TestAskingIsBoundedHoweverManyThereAre(t *testing.T) {
	h := usual()
	var queries []Query
	for i := range 95 {
		name := fmt.Sprintf("db-%02d", i)
		h.instances[name] = instanceXML(name)
		q := ofInstance("arena", name, ConnectionsMax)
		q.Signal = sale.Signal(name)
		queries = append(queries, q)
	}
	b := newSource(t, serve(t, h), queries...).Read(t.Context(), noon())
	if len(b.Readings) != 95 || b.Calls != 3+1+1 {
		t.Errorf("%d readings in %d calls", len(b.Readings), b.Calls)
	}
	for _, a := range h.take() {
		if n := len(strings.Fields(a)); strings.HasPrefix(a, "DescribeDBInstances") && n > 42 {
			t.Errorf("%d words: %s", n, a)
		}
	}
}

func TestNewRefusesWhatCanNotBeRead(t *testing.T) {
	key := sale.Key{Sale: "arena", Signal: "x"}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{Key: key}, "an instance or a cluster"},
		{Query{Key: key, Instance: "a", Cluster: "b"}, "an instance or a cluster"},
		{Query{Key: key, Instance: "a", Field: "speed"}, "the fields of a database are"},
		{Query{Key: key, Cluster: "a", Field: StorageBytes}, "name the instance"},
		{Query{Key: key, Instance: "9lives"}, "begins with a letter"},
		{Query{Key: key, Instance: "a--b"}, "single dashes"},
		{Query{Key: key, Instance: "arn:aws:rds:us-east-1:123456789012:db:shop"}, "declare a source for us-east-1"},
		{Query{Key: key, Instance: "arn:aws:rds:eu-central-1:123456789012:cluster:shop"}, "an ARN of one is"},
		{Query{Key: sale.Key{Sale: "arena"}, Instance: "a"}, "a sale and a signal"},
	} {
		_, err := New(Options{Name: "d", Region: "eu-central-1", API: NewClient(config(), "", nil), Queries: []Query{c.q}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
	q := Query{Key: key, Instance: "ARN:aws:rds:eu-central-1:123456789012:db:Shop"}
	if err := (Options{Region: "eu-central-1"}).check(&q); err != nil || q.Instance != "shop" || q.Field != ConnectionsMax || q.Unit != sale.Count {
		t.Errorf("%+v, %v", q, err)
	}
	_, err := New(Options{Every: -1, Queries: []Query{ofInstance("a", "x", Available), ofInstance("a", "x", Available)}})
	for _, want := range []string{"needs a name", "no API client", "must not be negative", "declared twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not said: %s: %v", want, err)
		}
	}
}

func TestThePermissionsAreThoseOfTheCalls(t *testing.T) {
	h := usual()
	newSource(t, serve(t, h), ofInstance("arena", "tide-1", ConnectionsMax)).Read(t.Context(), noon())
	var got []string
	for _, a := range h.take() {
		if action := "rds:" + strings.Fields(a)[0]; !slices.Contains(got, action) {
			got = append(got, action)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, Permissions()) {
		t.Errorf("the calls need %q, Permissions says %q", got, Permissions())
	}
}

func TestEveryFailureHasItsClassAndItsHint(t *testing.T) {
	s := newSource(t, "http://127.0.0.1:1", ofInstance("arena", "shop", Available))
	api := func(code string) error { return &smithy.GenericAPIError{Code: code, Message: "no"} }
	op := func(service, name string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: name, Err: err}
	}
	for _, c := range []struct {
		err   error
		class sale.Class
		hint  string
	}{
		{op("RDS", "DescribeDBParameters", api("AccessDenied")), sale.Auth, "allow rds:DescribeDBParameters on all resources to profile onsale-read"},
		{op("RDS", "DescribeDBInstances", op("STS", "AssumeRole", api("AccessDenied"))), sale.Auth, "allow sts:AssumeRole"},
		{api("ExpiredToken"), sale.Auth, "aws sso login --profile onsale-read"},
		{api("SignatureDoesNotMatch"), sale.Auth, "clock"},
		{api("Throttling"), sale.Throttled, "poll less often"},
		{api("DBInstanceNotFound"), sale.NotFound, "check the names"},
		{api("DBParameterGroupNotFound"), sale.NotFound, "check the names"},
		{api("InternalFailure"), sale.Failing, ""},
		{api("InvalidParameterValue"), sale.BadData, "names of the instance"},
		{errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), sale.Auth, "a profile that has credentials"},
	} {
		p := s.problem(c.err)
		if p.Class != c.class || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%v: %s (%s)", c.err, p.Error(), p.Hint)
		}
	}
}
