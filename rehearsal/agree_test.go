package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/goccy/go-yaml"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// signal is one signal of the shipped template, as far as these tests read it.
type signal struct {
	Query, Metric, Statistic, Expression string
	Dimensions                           map[string]string
	Metrics                              map[string]struct {
		Metric, Statistic string
		Dimensions        map[string]string
	}
	Room, Field, Queue, Missing string
}

// shipped reads the signals of the shipped template and of the rehearsal's own.
func shipped(t *testing.T, f *fixture) map[string]signal {
	data, err := os.ReadFile("../config/builtin/onsale.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Signals map[string]signal }
	var own struct {
		Templates map[string]struct{ Signals map[string]signal }
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(f.Config(), &own); err != nil {
		t.Fatal(err)
	}
	for name, s := range own.Templates["shop"].Signals {
		file.Signals[name] = s
	}
	return file.Signals
}

// fill puts a sale's variables into a text of the template.
func fill(text string, d *shop.Declared) string {
	return strings.NewReplacer("$selector", `sale="`+d.ID+`"`, "$alb", d.ALB, "$db", d.DB, "$asg", d.ASG, "$distribution", d.Distribution, "$queue", d.Queue).Replace(text)
}

// near tells whether a reading is the truth's, within a share and something for small counts.
func near(got, want, share, small float64) bool {
	return math.Abs(got-want) <= share*math.Abs(want)+small
}

func TestPrometheusTellsTheTruthAtAnySpeed(t *testing.T) {
	for _, speed := range []float64{0.4, 7} {
		f := open(t, Options{Seed: 3, Speed: speed, Scenario: "payment-degrades", Ahead: 2 * time.Minute, history: 40 * time.Minute})
		f.step(70 * time.Second)
		truth := f.Truth()
		compared := 0
		for name, s := range shipped(t, f) {
			if s.Query == "" {
				continue
			}
			for _, d := range f.world.Sales() {
				got, has := f.query(fill(s.Query, &d))
				want, known := truth.Sales[d.ID][name]
				if has != known {
					t.Errorf("speed %g: %s of %s: Prometheus knows %v, the truth %v", speed, name, d.ID, has, known)
					continue
				}
				compared++
				small := 0.006
				if strings.HasSuffix(name, "_rate") {
					small = 1.5 // one event a minute more or less, at the edge of the window
				}
				if has && !near(got, want, 0.05, small) {
					t.Errorf("speed %g: %s of %s is %.5g at Prometheus and %.5g in truth", speed, name, d.ID, got, want)
				}
			}
		}
		if compared < 60 {
			t.Errorf("only %d signals were compared", compared)
		}
	}
}

// query asks Prometheus for one number; NaN and an empty vector are none.
func (f *fixture) query(text string) (v float64, has bool) {
	f.t.Helper()
	at := strconv.FormatFloat(float64(f.clock.now().UnixMilli())/1000, 'f', 3, 64)
	_, body, err := f.ask(context.Background(), Prometheus, "/api/v1/query?time="+at+"&query="+url.QueryEscape(text), "")
	if err != nil {
		f.t.Fatal(err)
	}
	var out struct {
		Status string
		Data   struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil || out.Status != "success" {
		f.t.Fatalf("%s: %s", text, body)
	}
	if len(out.Data.Result) == 0 {
		return 0, false
	}
	v, err = strconv.ParseFloat(fmt.Sprint(out.Data.Result[0].Value[1]), 64)
	if err != nil {
		f.t.Fatal(err)
	}
	return v, !math.IsNaN(v)
}

func (f *fixture) keys() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider("REHEARSAL", f.secrets.aws, "")
}

func (f *fixture) endpoint(service string) *string {
	u, err := f.URL(service)
	if err != nil {
		f.t.Fatal(err)
	}
	return &u
}

func TestCloudWatchTellsTheTruthToTheRealClient(t *testing.T) {
	f := open(t, Options{Seed: 3, Scenario: "db-exhausted", Ahead: 4 * time.Minute})
	f.step(20 * time.Second)
	truth := f.Truth()
	compared := 0
	for _, region := range []string{telemetry.Region, telemetry.Edge} {
		service := map[string]string{telemetry.Region: CloudWatch, telemetry.Edge: CloudWatchEdge}[region]
		client := cloudwatch.New(cloudwatch.Options{Region: region, BaseEndpoint: f.endpoint(service), Credentials: f.keys()})
		var queries []cwtypes.MetricDataQuery
		asked := map[string][2]string{} // query id to sale and signal
		for i, d := range f.world.Sales() {
			for name, s := range shipped(t, f) {
				edge := name == "edge_error_ratio" || name == "cache_hit_ratio"
				if s.Metric == "" && s.Expression == "" || edge != (region == telemetry.Edge) {
					continue
				}
				id := fmt.Sprintf("q%d_%s", i, name)
				asked[id] = [2]string{d.ID, name}
				queries = append(queries, queriesOf(id, s, &d)...)
			}
		}
		end := f.clock.now().Truncate(time.Minute).Add(time.Minute)
		out, err := client.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(end.Add(-20 * time.Minute)), EndTime: aws.Time(end), MetricDataQueries: queries,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.MetricDataResults {
			who, ok := asked[aws.ToString(r.Id)]
			if !ok {
				continue
			}
			want, known := truth.Sales[who[0]][who[1]]
			if who[1] == "queue_oldest_seconds" && len(r.Values) == 0 {
				continue // nothing is published while the queue is empty
			}
			if !known || len(r.Values) == 0 || r.StatusCode != cwtypes.StatusCodeComplete {
				t.Errorf("%v: the truth knows %v, CloudWatch says %v %v", who, known, r.StatusCode, r.Values)
				continue
			}
			if compared++; who[1] != "queue_oldest_seconds" && !near(r.Values[0], want, 1e-6, 1e-9) {
				t.Errorf("%v is %.6g at CloudWatch and %.6g in truth", who, r.Values[0], want)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d signals were compared", compared)
	}
}

func TestRDSTellsTheTruthToTheRealClient(t *testing.T) {
	f := open(t, Options{Seed: 3, Scenario: "calm"})
	client := rds.New(rds.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(RDS), Credentials: f.keys()})
	for _, d := range f.world.Sales() {
		one, err := client.DescribeDBInstances(context.Background(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(d.DB)})
		if err != nil {
			t.Fatal(err)
		}
		all, err := client.DescribeDBParameters(context.Background(), &rds.DescribeDBParametersInput{DBParameterGroupName: one.DBInstances[0].DBParameterGroups[0].DBParameterGroupName, Source: aws.String("user")})
		if err != nil {
			t.Fatal(err)
		}
		limit := ""
		for _, p := range all.Parameters {
			if *p.ParameterName == "max_connections" {
				limit = *p.ParameterValue
			}
		}
		if want := fmt.Sprint(f.Truth().Sales[d.ID]["db_connections_max"]); limit != want {
			t.Errorf("%s takes %q connections at RDS and %s in truth", d.ID, limit, want)
		}
	}
}

func queriesOf(id string, s signal, d *shop.Declared) []cwtypes.MetricDataQuery {
	one := func(id, metric, statistic string, dimensions map[string]string, shown bool) cwtypes.MetricDataQuery {
		at := strings.LastIndex(metric, "/")
		m := &cwtypes.Metric{Namespace: aws.String(metric[:at]), MetricName: aws.String(metric[at+1:])}
		for name, value := range dimensions {
			m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: aws.String(name), Value: aws.String(fill(value, d))})
		}
		return cwtypes.MetricDataQuery{Id: aws.String(id), ReturnData: aws.Bool(shown), MetricStat: &cwtypes.MetricStat{Metric: m, Period: aws.Int32(60), Stat: aws.String(statistic)}}
	}
	if s.Metric != "" {
		return []cwtypes.MetricDataQuery{one(id, s.Metric, s.Statistic, s.Dimensions, true)}
	}
	var out []cwtypes.MetricDataQuery
	expression := s.Expression
	for name, m := range s.Metrics {
		out = append(out, one(id+"_"+name, m.Metric, m.Statistic, m.Dimensions, false))
		var words []string
		for _, w := range strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ").Replace(expression)) {
			if w == name {
				w = id + "_" + name
			}
			words = append(words, w)
		}
		expression = strings.Join(words, " ")
	}
	return append(out, cwtypes.MetricDataQuery{Id: aws.String(id), Expression: aws.String(expression)})
}

func TestPrometheusAnswersOnceMoreBehindAWSsFrontDoor(t *testing.T) {
	f := open(t, Options{Seed: 1})
	path := ManagedWorkspace + "/api/v1/query?query=up"
	if status, body, err := f.ask(t.Context(), Prometheus, path, ""); status != 403 || !strings.Contains(body, "Authentication Token") {
		t.Errorf("unsigned: %d %s %v", status, body, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *f.endpoint(Prometheus)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	who, _ := f.keys().Retrieve(t.Context())
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if err := v4.NewSigner().SignHTTP(t.Context(), who, req, empty, "aps", telemetry.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(body), `"status":"success"`) {
		t.Errorf("signed: %d %s", resp.StatusCode, body)
	}
}

func TestTheQueueAndTheAccountTellTheTruthToTheRealClients(t *testing.T) {
	f := open(t, Options{Seed: 3, history: time.Hour})
	queue := sqs.New(sqs.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(SQS), Credentials: f.keys()})
	for _, d := range f.world.Sales() {
		found, err := queue.GetQueueUrl(context.Background(), &sqs.GetQueueUrlInput{QueueName: aws.String(d.Queue)})
		if err != nil {
			t.Fatal(err)
		}
		out, err := queue.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll}})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := out.Attributes["ApproximateNumberOfMessages"], f.Truth().Sales[d.ID]["queue_depth"]; got != strconv.Itoa(int(want)) {
			t.Errorf("the queue of %s holds %s, in truth %.0f", d.ID, got, want)
		}
	}
	who, err := sts.New(sts.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(STS), Credentials: f.keys()}).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Account) != telemetry.Account {
		t.Errorf("the account is %v, %v", who, err)
	}
	alarms, err := cloudwatch.New(cloudwatch.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(CloudWatch), Credentials: f.keys()}).
		DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{StateValue: cwtypes.StateValueAlarm})
	if err != nil || len(alarms.MetricAlarms) != 1 || aws.ToString(alarms.MetricAlarms[0].AlarmName) != "lantern-rds-connections" {
		t.Errorf("alarms: %v, %v", alarms, err)
	}
}

func TestTheWaitingRoomTellsTheTruth(t *testing.T) {
	f := open(t, Options{Seed: 3})
	f.step(40 * time.Second)
	for _, d := range f.world.Sales() {
		_, body, err := f.ask(context.Background(), Cloudflare, "/zones/"+shop.ZoneID+"/waiting_rooms/"+d.Room+"/status", "")
		if err != nil {
			t.Fatal(err)
		}
		var out struct {
			Result struct {
				Queued  float64 `json:"estimated_queued_users"`
				Active  float64 `json:"estimated_total_active_users"`
				Minutes float64 `json:"max_estimated_time_minutes"`
			}
		}
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		v := f.Truth().Sales[d.ID]
		if out.Result.Queued != v["waiting"] || out.Result.Active != v["active_users"] || 60*out.Result.Minutes != v["wait_seconds"] {
			t.Errorf("%s says %s, in truth %v", d.ID, body, v)
		}
		if !near(v["waiting"], v["waiting_now"], 0.12, 60) {
			t.Errorf("%s: the estimate %.0f is far from %.0f", d.ID, v["waiting"], v["waiting_now"])
		}
	}
}
