package aws

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

func TestTheWriterWritesWhatTheSDKsCodecReads(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	var w writer
	w.beginMap()
	w.text("short", "ü")
	w.text("long", long)
	w.text("middle", long[:300])
	w.decimal("float", -1.25)
	w.flag("yes", true)
	w.flag("no", false)
	w.moment("at", time.UnixMilli(1_500))
	for i, n := range []int64{0, 23, 24, 255, 256, 65_535, 65_536, math.MaxUint32, math.MaxUint32 + 1} {
		w.nonNegative(fmt.Sprint("n", i), n)
	}
	w.textList("list", []string{"a", "b"})
	w.end()
	m := decoded(t, w.b)
	for name, want := range map[string]cbor.Value{
		"short": cbor.String("ü"), "long": cbor.String(long), "middle": cbor.String(long[:300]), "float": cbor.Float64(-1.25), "yes": cbor.Bool(true), "no": cbor.Bool(false),
		"n0": cbor.Uint(0), "n1": cbor.Uint(23), "n2": cbor.Uint(24), "n3": cbor.Uint(255), "n4": cbor.Uint(256), "n5": cbor.Uint(65_535), "n6": cbor.Uint(65_536),
		"n7": cbor.Uint(math.MaxUint32), "n8": cbor.Uint(math.MaxUint32 + 1),
	} {
		if m[name] != want {
			t.Errorf("%s is %.40v", name, m[name])
		}
	}
	if tag := m["at"].(*cbor.Tag); tag.ID != 1 || tag.Value != cbor.Float64(1.5) {
		t.Errorf("at is %v", tag)
	}
	if l := m["list"].(cbor.List); len(l) != 2 || l[1] != cbor.String("b") {
		t.Errorf("list is %v", l)
	}
}

// ready is a CloudWatch whose signatures are not checked, and the head of a request for it.
func ready() (http.Handler, map[string]string) {
	p := fixturePlatform()
	clock := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	h := NewCloudWatch(testRegion, p, p, noon, WithServiceTime(0), WithClock(func() time.Time { return clock }))
	return h, map[string]string{
		"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "X-Amz-Date": clock.Format(stampForm),
		"Authorization": algorithm + " Credential=REHEARSAL/20261201/eu-central-1/monitoring/aws4_request, SignedHeaders=host, Signature=unchecked",
	}
}

func TestABodyThatIsNotTheOperationsIsRefusedWithItsPlace(t *testing.T) {
	h, head := ready()
	query := func(q cbor.Map) cbor.Map { return cbor.Map{"MetricDataQueries": cbor.List{q}} }
	for _, k := range []struct {
		name string
		body []byte
		want string
	}{
		{"no CBOR", []byte("{}"), "not CBOR"},
		{"a list", cbor.Encode(cbor.List{}), "must be a map"},
		{"a text for a time", cbor.Encode(cbor.Map{"StartTime": cbor.String("now")}), "StartTime must be a timestamp"},
		{"another tag for a time", cbor.Encode(cbor.Map{"StartTime": &cbor.Tag{ID: 0, Value: cbor.String("now")}}), "StartTime must be a timestamp"},
		{"a time that is no number", cbor.Encode(cbor.Map{"StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(math.NaN())}}), "between the years"},
		{"a time beyond all years", cbor.Encode(cbor.Map{"EndTime": &cbor.Tag{ID: 1, Value: cbor.Float64(1e300)}}), "EndTime must be a timestamp between"},
		{"a number for a text", cbor.Encode(query(cbor.Map{"Id": cbor.Uint(1)})), "MetricDataQueries.1.Id must be a string"},
		{"a text for a number", cbor.Encode(query(cbor.Map{"Period": cbor.String("60")})), "MetricDataQueries.1.Period must be a 32-bit integer"},
		{"a number that is too large", cbor.Encode(cbor.Map{"MaxDatapoints": cbor.Uint(1 << 40)}), "MaxDatapoints must be a 32-bit integer"},
		{"a text for a boolean", cbor.Encode(query(cbor.Map{"ReturnData": cbor.String("no")})), "ReturnData must be a boolean"},
		{"a map for a list", cbor.Encode(cbor.Map{"MetricDataQueries": cbor.Map{}}), "MetricDataQueries must be a list"},
		{"a text in a list of maps", cbor.Encode(cbor.Map{"MetricDataQueries": cbor.List{cbor.String("x")}}), "MetricDataQueries.1 must be a map"},
		{"a text for a map", cbor.Encode(query(cbor.Map{"MetricStat": cbor.String("x")})), "MetricDataQueries.1.MetricStat must be a map"},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := record(h, http.MethodPost, cloudWatchPath+"GetMetricData", k.body, head)
			m := decoded(t, w.Body.Bytes())
			if w.Code != 400 || m["__type"] != cbor.String(coral+"SerializationException") || !strings.Contains(string(m["message"].(cbor.String)), k.want) {
				t.Errorf("%d %v, want %q", w.Code, m, k.want)
			}
		})
	}
}

func TestOtherFormsOfABodyAreTakenOrRefused(t *testing.T) {
	h, head := ready()
	call := func(body []byte, more map[string]string) *httptest.ResponseRecorder {
		all := map[string]string{}
		for _, set := range []map[string]string{head, more} {
			for name, v := range set {
				all[name] = v
			}
		}
		return record(h, http.MethodPost, cloudWatchPath+"ListMetrics", body, all)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(cbor.Encode(cbor.Map{"Namespace": cbor.String("nothing")}))
	_ = z.Close()
	if w := call(packed.Bytes(), map[string]string{"Content-Encoding": "gzip"}); w.Code != 200 || strings.Contains(w.Body.String(), "RequestCount") {
		t.Errorf("gzip: %d %q", w.Code, w.Body)
	}
	if w := call([]byte("no gzip"), map[string]string{"Content-Encoding": "gzip"}); w.Code != 400 {
		t.Errorf("broken gzip: %d", w.Code)
	}
	if w := call(nil, map[string]string{"Content-Type": ""}); w.Code != 200 {
		t.Errorf("no body: %d %q", w.Code, w.Body)
	}
	if w := call(cbor.Encode(cbor.Map{"Namespace": &cbor.Nil{}}), nil); w.Code != 200 || !strings.Contains(w.Body.String(), "RequestCount") {
		t.Errorf("a null is an absent member: %d %q", w.Code, w.Body)
	}
	if w := call([]byte("{}"), map[string]string{"Content-Type": "application/json"}); w.Code != 415 {
		t.Errorf("JSON: %d", w.Code)
	}
	if w := call(make([]byte, maxRequest+1), nil); w.Code != 413 {
		t.Errorf("too large: %d", w.Code)
	}
}

func TestEqualRequestsGetEqualBytes(t *testing.T) {
	h, head := ready()
	body := cbor.Encode(cbor.Map{})
	first := record(h, http.MethodPost, cloudWatchPath+"DescribeAlarms", body, head)
	for range 20 {
		if w := record(h, http.MethodPost, cloudWatchPath+"DescribeAlarms", body, head); !bytes.Equal(w.Body.Bytes(), first.Body.Bytes()) {
			t.Fatal("the answers differ")
		}
	}
}

func FuzzNoBodyBringsCloudWatchDown(f *testing.F) {
	moment := func(at time.Time) cbor.Value { return &cbor.Tag{ID: 1, Value: cbor.Float64(at.Unix())} }
	good := cbor.Map{"StartTime": moment(noon().Add(-time.Hour)), "EndTime": moment(noon()), "MaxDatapoints": cbor.Uint(2), "MetricDataQueries": cbor.List{
		cbor.Map{"Id": cbor.String("r"), "MetricStat": cbor.Map{"Stat": cbor.String("p9"), "Period": cbor.Uint(60), "Metric": cbor.Map{"Namespace": cbor.String("n"), "MetricName": cbor.String("m")}}},
	}}
	for operation := range 3 {
		f.Add(operation, cbor.Encode(good))
		f.Add(operation, cbor.Encode(cbor.Map{"NextToken": cbor.String("MSAwIDAgMCAw")}))
	}
	good["MetricDataQueries"] = append(good["MetricDataQueries"].(cbor.List), cbor.Map{"Id": cbor.String("x"), "Expression": cbor.String("FILL(r, 0)")})
	f.Add(0, cbor.Encode(good))
	h, head := ready()
	f.Fuzz(func(t *testing.T, operation int, body []byte) {
		name := []string{"GetMetricData", "ListMetrics", "DescribeAlarms"}[mod(int64(operation), 3)]
		w := record(h, http.MethodPost, cloudWatchPath+name, body, head)
		if w.Code != 200 && w.Code != 400 {
			t.Fatalf("%s: status %d", name, w.Code)
		}
		if _, err := cbor.Decode(w.Body.Bytes()); err != nil {
			t.Fatalf("%s: the answer is not CBOR: %v", name, err)
		}
	})
}

func FuzzNoBodyBringsSQSDown(f *testing.F) {
	clock := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	h := NewSQS(testRegion, fixturePlatform(), WithServiceTime(0), WithClock(func() time.Time { return clock }))
	for operation, body := range []string{`{"QueueUrl":"http://h/471122083344/orders-harbour","AttributeNames":["All"]}`, `{"QueueName":"orders-harbour"}`, `{"MaxResults":1,"NextToken":"x"}`} {
		f.Add(operation, []byte(body))
	}
	f.Fuzz(func(t *testing.T, operation int, body []byte) {
		name := []string{"GetQueueAttributes", "GetQueueUrl", "ListQueues"}[mod(int64(operation), 3)]
		w := record(h, http.MethodPost, "/", body, map[string]string{
			"X-Amz-Target": "AmazonSQS." + name, "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": clock.Format(stampForm),
			"Authorization": algorithm + " Credential=REHEARSAL/20261201/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=unchecked",
		})
		if w.Code != 200 && w.Code != 400 && w.Code != 404 {
			t.Fatalf("%s: status %d %s", name, w.Code, w.Body)
		}
	})
}

// BenchmarkA500QueryCall measures one call of 500 queries over fifteen minutes, of which a fifth
// are expressions, from the SDK client through the signature and back.
func BenchmarkA500QueryCall(b *testing.B) {
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{}}
	var queries []types.MetricDataQuery
	for i := range 200 {
		m := key("AWS/ApplicationELB", "RequestCount", "LoadBalancer", fmt.Sprintf("app/lb-%d", i))
		p.minutes[m] = counts(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
		queries = append(queries, metricQueryFor(fmt.Sprintf("s%d", i), m, "Sum", 60), metricQueryFor(fmt.Sprintf("p%d", i), m, "p99", 60))
		if i < 100 {
			queries = append(queries, expressionFor(fmt.Sprintf("x%d", i), fmt.Sprintf("FILL(p%d, 0) / s%d", i, i)))
		}
	}
	c := cloudWatchOf(b, p)
	in := &cloudwatch.GetMetricDataInput{StartTime: awssdk.Time(noon().Add(-15 * time.Minute)), EndTime: awssdk.Time(noon()), MetricDataQueries: queries}
	b.ReportAllocs()
	for b.Loop() {
		out, err := c.GetMetricData(b.Context(), in)
		if err != nil || len(out.MetricDataResults) != 500 {
			b.Fatal(err)
		}
	}
}

// BenchmarkTheAnswerAlone is the same call without a client and without a signature.
func BenchmarkTheAnswerAlone(b *testing.B) {
	p := &platform{minutes: map[telemetry.Metric][]telemetry.Minute{}}
	queries := cbor.List{}
	for i := range 500 {
		m := key("AWS/ApplicationELB", "RequestCount", "LoadBalancer", fmt.Sprintf("app/lb-%d", i))
		p.minutes[m] = counts(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
		queries = append(queries, cbor.Map{"Id": cbor.String(fmt.Sprintf("q%d", i)), "MetricStat": cbor.Map{"Stat": cbor.String("Sum"), "Period": cbor.Uint(60), "Metric": cbor.Map{
			"Namespace": cbor.String(m.Namespace), "MetricName": cbor.String(m.Name), "Dimensions": cbor.List{cbor.Map{"Name": cbor.String("LoadBalancer"), "Value": cbor.String(fmt.Sprintf("app/lb-%d", i))}},
		}}})
	}
	body := cbor.Encode(cbor.Map{
		"StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(noon().Add(-15 * time.Minute).Unix())}, "EndTime": &cbor.Tag{ID: 1, Value: cbor.Float64(noon().Unix())}, "MetricDataQueries": queries,
	})
	h := NewCloudWatch(testRegion, p, p, noon).(*cloudWatch)
	b.ReportAllocs()
	for b.Loop() {
		in, problem := decodeObject(body)
		if problem != nil {
			b.Fatal(problem)
		}
		if _, problem := h.getMetricData(in); problem != nil {
			b.Fatal(problem)
		}
	}
}
