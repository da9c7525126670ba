package rds

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

// wire stands for RDS: the XML of what exists, by name.
type wire struct {
	mu          sync.Mutex
	instances   map[string]string // the inside of a DBInstance
	in          map[string]string // the cluster that an instance is in
	clusters    map[string]string
	groups      map[string]string // the Parameters of a group, whichever kind
	maintenance map[string]string // the actions that wait, by ARN
	fails       map[string]string // error codes by action
	asked       []string          // "action filter group names"
}

const arnOf = "arn:aws:rds:eu-central-1:123456789012:"

func element(name string, parts ...string) string {
	return "<" + name + ">" + strings.Join(parts, "") + "</" + name + ">"
}

func fields(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(element(pairs[i], pairs[i+1]))
	}
	return b.String()
}

// instanceXML is an available Multi-AZ db.r6g.large of PostgreSQL; more comes first and so counts.
func instanceXML(name string, more ...string) string {
	given := fields(more...)
	usual := [][2]string{
		{"DBInstanceIdentifier", name},
		{"DBInstanceArn", arnOf + "db:" + name},
		{"DBInstanceStatus", "available"},
		{"DBInstanceClass", "db.r6g.large"},
		{"Engine", "postgres"},
		{"EngineVersion", "17.4"},
		{"MultiAZ", "true"},
		{"AllocatedStorage", "200"},
		{"MaxAllocatedStorage", "500"},
		{"PreferredMaintenanceWindow", "tue:02:00-tue:02:30"},
		{"DBParameterGroups", element("DBParameterGroup", fields("DBParameterGroupName", "pg17", "ParameterApplyStatus", "in-sync"))},
	}
	for _, f := range usual {
		if !strings.Contains(given, "<"+f[0]+">") {
			given += element(f[0], f[1])
		}
	}
	return strings.ReplaceAll(given, "<MaxAllocatedStorage></MaxAllocatedStorage>", "") // given as "": there is none
}

func memberXML(name string, writer bool) string {
	return element("DBClusterMember", fields("DBInstanceIdentifier", name, "IsClusterWriter", fmt.Sprint(writer), "DBClusterParameterGroupStatus", "in-sync"))
}

func clusterXML(name, status string, more string, members ...string) string {
	return fields("DBClusterIdentifier", name, "DBClusterArn", arnOf+"cluster:"+name, "Status", status, "Engine", "aurora-postgresql", "DBClusterParameterGroup", "cluster17",
		"PreferredMaintenanceWindow", "sun:23:30-mon:00:30", "DBClusterMembers", strings.Join(members, "")) + more
}

func parameterXML(value, source, kind string) string {
	return element("Parameter", fields("ParameterName", "max_connections", "ParameterValue", value, "Source", source, "ApplyType", kind, "ApplyMethod", "pending-reboot"))
}

const formulaPostgres = "LEAST({DBInstanceClassMemory/9531392},5000)"

// usual is an instance "shop" whose limit is set, and a cluster "tide" of two Serverless members.
func usual() *wire {
	w := &wire{
		instances: map[string]string{"shop": instanceXML("shop")}, in: map[string]string{"tide-1": "tide", "tide-2": "tide"},
		groups: map[string]string{
			"pg17": parameterXML("2000", "user", "static"), "aurora17": parameterXML(formulaPostgres, "engine-default", "static"), "cluster17": parameterXML(formulaPostgres, "engine-default", "static"),
		},
		maintenance: map[string]string{}, fails: map[string]string{},
	}
	w.clusters = map[string]string{"tide": clusterXML("tide", "available", element("ServerlessV2ScalingConfiguration", fields("MinCapacity", "2", "MaxCapacity", "16")), memberXML("tide-1", true), memberXML("tide-2", false))}
	for name := range w.in {
		w.instances[name] = memberInstance(name)
	}
	return w
}

func memberInstance(name string, more ...string) string {
	return instanceXML(name, append(more, "DBClusterIdentifier", "tide", "Engine", "aurora-postgresql", "DBInstanceClass", "db.serverless", "MultiAZ", "false", "MaxAllocatedStorage", "",
		"DBParameterGroups", element("DBParameterGroup", fields("DBParameterGroupName", "aurora17", "ParameterApplyStatus", "in-sync")))...)
}

func (h *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil {
		fail(w, r, 400, "MalformedInput")
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	action := form.Get("Action")
	var names []string
	for i := 1; form.Has(fmt.Sprint("Filters.Filter.1.Values.Value.", i)); i++ {
		names = append(names, form.Get(fmt.Sprint("Filters.Filter.1.Values.Value.", i)))
	}
	group := form.Get("DBParameterGroupName") + form.Get("DBClusterParameterGroupName")
	h.asked = append(h.asked, strings.Join(append([]string{action, form.Get("Filters.Filter.1.Name"), group}, names...), " "))
	if code := h.fails[action]; code != "" {
		status := 400
		if code == "AccessDenied" {
			status = 403
		}
		fail(w, r, status, code)
		return
	}
	var found []string
	result := ""
	switch action {
	case "DescribeDBInstances":
		for _, n := range slices.Sorted(maps.Keys(h.instances)) {
			if slices.Contains(names, n) && form.Get("Filters.Filter.1.Name") == "db-instance-id" || slices.Contains(names, h.in[n]) && form.Get("Filters.Filter.1.Name") == "db-cluster-id" {
				found = append(found, element("DBInstance", h.instances[n]))
			}
		}
		result = element("DBInstances", found...)
	case "DescribeDBClusters":
		for _, n := range names {
			if x, ok := h.clusters[n]; ok {
				found = append(found, element("DBCluster", x))
			}
		}
		result = element("DBClusters", found...)
	case "DescribeDBParameters", "DescribeDBClusterParameters":
		result = element("Parameters", h.groups[group])
	case "DescribePendingMaintenanceActions":
		for _, arn := range names {
			if x, ok := h.maintenance[arn]; ok {
				found = append(found, element("ResourcePendingMaintenanceActions", element("ResourceIdentifier", arn), element("PendingMaintenanceActionDetails", x)))
			}
		}
		result = element("PendingMaintenanceActions", found...)
	default:
		fail(w, r, 400, "InvalidAction")
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, "<%[1]sResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></%[1]sResponse>\n", action, result)
}

// take returns what was asked, sorted, and forgets it.
func (h *wire) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	asked := h.asked
	h.asked = nil
	slices.Sort(asked)
	return asked
}

func (h *wire) change(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

func fail(w http.ResponseWriter, _ *http.Request, status int, message string) {
	code := map[int]string{401: "InvalidClientTokenId", 403: "AccessDenied", 404: "DBInstanceNotFound", 429: "Throttling", 500: "InternalFailure", 503: "ServiceUnavailable"}[status]
	if code == "" {
		code = message
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r-2</RequestId></ErrorResponse>", code, printable(message))
}

// printable leaves out what XML can't hold at all.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 {
			return -1
		}
		return r
	}, text)
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func config() aws.Config {
	return aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", sourcetest.Secret, "")}
}

func newSource(t testing.TB, endpoint string, queries ...Query) *Source {
	t.Helper()
	s, err := New(Options{
		Name: "databases", Region: "eu-central-1", Profile: "onsale-read", Secrets: []string{sourcetest.Secret},
		API: NewClient(config(), endpoint, nil), Queries: queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ofInstance(id sale.ID, name string, f Field) Query {
	return Query{Key: sale.Key{Sale: id, Signal: sale.Signal(f)}, Instance: name, Field: f}
}

func ofCluster(id sale.ID, name string, f Field) Query {
	return Query{Key: sale.Key{Sale: id, Signal: sale.Signal(f)}, Cluster: name, Field: f}
}

func noon() time.Time { return time.Date(2026, 12, 4, 12, 0, 0, 0, time.UTC) }

func lines(b sale.Batch) string {
	var out []string
	for _, r := range b.Readings {
		out = append(out, fmt.Sprintf("%s/%s %.10g", r.Sale, r.Signal, r.Value))
	}
	for _, m := range b.Missing {
		out = append(out, fmt.Sprintf("%s/%s %s: %s", m.Sale, m.Signal, m.Problem.Class, m.Problem.Text))
	}
	for _, n := range b.Notes {
		out = append(out, fmt.Sprintf("note %s %s: %s", n.Sale, n.Code, n.Text))
	}
	for _, w := range b.Warnings {
		out = append(out, "warning "+w)
	}
	if b.Problem != nil {
		out = append(out, "problem "+b.Problem.Error())
	}
	return strings.Join(out, "\n")
}

func TestTheContractOfASource(t *testing.T) {
	queries := []Query{
		ofInstance("arena", "shop", ConnectionsMax), ofInstance("arena", "shop", Available), ofInstance("arena", "shop", StorageBytes), ofInstance("arena", "shop", StorageMaxBytes),
		ofCluster("club", "tide", ConnectionsMax), ofCluster("club", "tide", Readers), ofCluster("club", "tide", ACUMax),
	}
	want := map[sale.Key]sale.Unit{}
	var missing []sale.Key
	for _, q := range queries {
		want[q.Key] = q.Field.Unit()
		if q.Sale == "club" {
			missing = append(missing, q.Key)
		}
	}
	partial := usual()
	delete(partial.clusters, "tide")
	planted := printable(sourcetest.Escape) + sourcetest.Secret
	hostile := usual()
	hostile.instances["shop"] = instanceXML("shop", "DBInstanceStatus", planted, "EngineVersion", planted, "PreferredMaintenanceWindow", planted,
		"CertificateDetails", fields("CAIdentifier", planted, "ValidTill", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)),
		"PendingModifiedValues", fields("DBInstanceClass", planted), "StatusInfos", element("DBInstanceStatusInfo", fields("StatusType", planted, "Normal", "false", "Status", planted, "Message", planted)))
	hostile.clusters["tide"] = clusterXML("tide", planted, "", memberXML("tide-1", true))
	hostile.groups["pg17"] = parameterXML(planted, "user", planted)
	hostile.maintenance[arnOf+"db:shop"] = element("PendingMaintenanceAction", fields("Action", planted, "Description", planted))
	sourcetest.Contract(t, sourcetest.Harness{
		New:            func(t *testing.T, url string) sources.Source { return newSource(t, url, queries...) },
		Healthy:        usual(),
		Want:           want,
		Partial:        partial,
		PartialMissing: missing,
		Hostile:        hostile,
		Fail:           fail,
		Header:         http.Header{"Content-Type": {"text/xml"}},
		WrongTypes: [][]byte{
			[]byte("<DescribeDBInstancesResponse></DescribeDBInstancesResponse>"),
			[]byte("<DescribeDBInstancesResponse><DescribeDBInstancesResult/></DescribeDBInstancesResponse>"),
			[]byte("<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>shop</DBInstanceIdentifier><AllocatedStorage>many</AllocatedStorage></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"),
			[]byte("<a>"),
			[]byte(strings.Repeat("<a>", 700_000)),
		},
		CallsPerPoll: 3 + 3 + 2,
	})
}
