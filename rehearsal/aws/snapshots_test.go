package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/cbor"
)

// AWS freezes requests and responses of its wire in the modules of the Go SDK. These tests hold the
// handlers against them: what they read, and what they write.

// moduleDir finds the source of an SDK module.
func moduleDir(t *testing.T, service string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+service).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("NOT HELD AGAINST AWS'S OWN FIXTURES: the source of service/%s is not on this machine (%v)", service, err)
	}
	return dir
}

// snapshot is one fixture.
type snapshot struct {
	first  string // "POST /path" or the status
	header http.Header
	body   []byte
}

func readSnapshot(t *testing.T, service, name string) snapshot {
	t.Helper()
	path := filepath.Join(moduleDir(t, service), name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("NOT HELD AGAINST AWS'S OWN FIXTURES: %v", err)
	}
	return parseSnapshot(t, data)
}

// parseSnapshot reads the first line, the headers and the raw body. A request has an empty line
// after its first line, a response has none.
func parseSnapshot(t *testing.T, data []byte) snapshot {
	t.Helper()
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	rest = bytes.TrimPrefix(rest, []byte("\n"))
	head, body, ok := bytes.Cut(rest, []byte("\n\n"))
	if !ok {
		head, body = rest, nil
	}
	s := snapshot{first: strings.TrimSpace(string(first)), header: http.Header{}, body: body}
	for line := range strings.Lines(string(head)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			s.header.Set(name, value)
		}
	}
	if len(s.header) == 0 {
		t.Fatalf("the fixture has no headers: %.60q", data)
	}
	return s
}

// send signs a fixture's request, with another body if one is given, and hands it to a handler.
func (s snapshot) send(t *testing.T, h http.Handler, service string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	return s.sendAs(t, h, service, body, AccessKey, testSecret)
}

// sendAs is like send, signed with another key.
func (s snapshot) sendAs(t *testing.T, h http.Handler, service string, body []byte, key, secret string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(s.first, " ")
	r := httptest.NewRequest(method, "http://rehearsal.test"+path, bytes.NewReader(body))
	maps.Copy(r.Header, s.header)
	signAs(t, r, service, body, time.Now(), key, secret)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// sign signs with the SDK's own signer.
func sign(t *testing.T, r *http.Request, service string, body []byte, at time.Time) {
	t.Helper()
	signAs(t, r, service, body, at, AccessKey, testSecret)
}

func signAs(t *testing.T, r *http.Request, service string, body []byte, at time.Time, key, secret string) {
	t.Helper()
	sum := sha256.Sum256(body)
	who := awssdk.Credentials{AccessKeyID: key, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), who, r, hex.EncodeToString(sum[:]), service, testRegion, at); err != nil {
		t.Fatal(err)
	}
}

func decoded(t *testing.T, body []byte) cbor.Map {
	t.Helper()
	v, err := cbor.Decode(body)
	if err != nil {
		t.Fatalf("not CBOR: %v\n% x", err, body)
	}
	m, ok := v.(cbor.Map)
	if !ok {
		t.Fatalf("the body is a %T, want a map", v)
	}
	return m
}

// differences compares the structure of an answer with that of a fixture: every member must be
// known to the fixture and be of the same type; every element of a list must look like the
// fixture's first.
func differences(at string, ours, theirs cbor.Value) []string {
	if fmt.Sprintf("%T", ours) != fmt.Sprintf("%T", theirs) {
		return []string{fmt.Sprintf("%s is a %T, AWS sends a %T", at, ours, theirs)}
	}
	var out []string
	switch ours := ours.(type) {
	case cbor.Map:
		for name, v := range ours {
			want, ok := theirs.(cbor.Map)[name]
			if !ok {
				out = append(out, fmt.Sprintf("%s.%s is unknown to AWS", at, name))
				continue
			}
			out = append(out, differences(at+"."+name, v, want)...)
		}
	case cbor.List:
		model := theirs.(cbor.List)
		for i, v := range ours {
			if len(model) == 0 {
				return append(out, at+" has elements that the fixture can't vouch for")
			}
			out = append(out, differences(at+"."+strconv.Itoa(i), v, model[0])...)
		}
	case *cbor.Tag:
		want := theirs.(*cbor.Tag)
		if ours.ID != want.ID {
			out = append(out, fmt.Sprintf("%s has tag %d, AWS sends tag %d", at, ours.ID, want.ID))
		}
		out = append(out, differences(at+".tag", ours.Value, want.Value)...)
	}
	slices.Sort(out)
	return out
}

func TestTheComparerSeesUnknownMembersAndWrongTypes(t *testing.T) {
	theirs := cbor.Map{"A": cbor.List{cbor.Map{"N": cbor.Uint(1), "At": &cbor.Tag{ID: 1, Value: cbor.Float64(1)}}}}
	for _, c := range []struct {
		name string
		ours cbor.Value
		want int
	}{
		{"the same", cbor.Map{"A": cbor.List{cbor.Map{"N": cbor.Uint(7)}, cbor.Map{"At": &cbor.Tag{ID: 1, Value: cbor.Float64(2)}}}}, 0},
		{"fewer members", cbor.Map{}, 0},
		{"an unknown member", cbor.Map{"B": cbor.Uint(1)}, 1},
		{"an unknown member in a list", cbor.Map{"A": cbor.List{cbor.Map{"X": cbor.Uint(1)}}}, 1},
		{"a float for an integer", cbor.Map{"A": cbor.List{cbor.Map{"N": cbor.Float64(1)}}}, 1},
		{"another tag", cbor.Map{"A": cbor.List{cbor.Map{"At": &cbor.Tag{ID: 0, Value: cbor.Float64(1)}}}}, 1},
		{"an integer in a tag", cbor.Map{"A": cbor.List{cbor.Map{"At": &cbor.Tag{ID: 1, Value: cbor.Uint(1)}}}}, 1},
		{"a map for a list", cbor.Map{"A": cbor.Map{}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := differences("", c.ours, theirs); len(got) != c.want {
				t.Errorf("%d differences, want %d: %q", len(got), c.want, got)
			}
		})
	}
}

// fixturePlatform has everything that an answer can hold.
func fixturePlatform() *platform {
	p := busy()
	p.alarms = alarmsFixture()
	p.queues = map[string][3]int{"orders-harbour": {12, 3, 1}, "orders-meadow": {0, 0, 0}}
	return p
}

func TestEveryFieldOfAWSsRequestsIsRead(t *testing.T) {
	in, problem := decodeObject(readSnapshot(t, "cloudwatch", "request_snapshot/GetMetricData.request.snap").body)
	if problem != nil {
		t.Fatal(problem)
	}
	q, problem := decodeMetricData(in)
	if problem != nil {
		t.Fatal(problem)
	}
	known := map[string]bool{"LabelOptions": true} // a time zone for labels that show a time; ours show none
	for _, name := range []string{"StartTime", "EndTime", "NextToken", "ScanBy", "MaxDatapoints", "MetricDataQueries"} {
		known[name] = true
	}
	for name := range in.members {
		if !known[name] {
			t.Errorf("the member %s is not read", name)
		}
	}
	m := q.queries[0]
	got := fmt.Sprintln(q.hasStart, q.hasEnd, q.start.Equal(q.end), q.start.Year() > 1969, q.ascending, q.max, q.token, len(q.queries),
		m.id, m.label, m.expression, m.account, m.returned, m.period, m.stat)
	want := "true true true true false 1 __NextToken__ 2 __Id__ __Label__ __Expression__ __AccountId__ true 1 " +
		"{__Namespace__ __MetricName__ __Stat__ Seconds [[__Name__ __Value__] [__Name__ __Value__]] 1}\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAWSsCloudWatchRequestsAreAnsweredAsTheyStandAndMadeSenseOf(t *testing.T) {
	p := fixturePlatform()
	h := NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0))
	for _, c := range []struct {
		operation string
		as        string                            // the error that the placeholders earn
		mend      func(t *testing.T, body cbor.Map) // makes sense of the placeholders
	}{
		{"GetMetricData", "ValidationException", func(_ *testing.T, body cbor.Map) {
			delete(body, "NextToken")
			body["StartTime"] = &cbor.Tag{ID: 1, Value: cbor.Float64(noon().Add(-5 * time.Minute).Unix())}
			body["EndTime"] = &cbor.Tag{ID: 1, Value: cbor.Uint(noon().Unix())}
			for i, v := range body["MetricDataQueries"].(cbor.List) {
				q := v.(cbor.Map)
				q["Id"] = cbor.String(fmt.Sprintf("q%d", i))
				q["MetricStat"].(cbor.Map)["Stat"] = cbor.String("Sum")
				delete(q, "Expression")
				delete(q, "Period")
			}
		}},
		{"ListMetrics", "InvalidNextToken", func(_ *testing.T, body cbor.Map) { delete(body, "NextToken") }},
		{"DescribeAlarms", "ValidationException", func(_ *testing.T, body cbor.Map) {
			for _, name := range []string{"NextToken", "AlarmNames", "ChildrenOfAlarmName", "ParentsOfAlarmName"} {
				delete(body, name)
			}
		}},
	} {
		t.Run(c.operation, func(t *testing.T) {
			s := readSnapshot(t, "cloudwatch", "request_snapshot/"+c.operation+".request.snap")
			w := s.send(t, h, "monitoring", s.body)
			if kind := fmt.Sprint(decoded(t, w.Body.Bytes())["__type"]); w.Code != 400 || kind != cloudWatchSpace+c.as {
				t.Errorf("as it stands: %d %s", w.Code, kind)
			}
			body := decoded(t, s.body)
			c.mend(t, body)
			if w := s.send(t, h, "monitoring", cbor.Encode(body)); w.Code != 200 {
				t.Errorf("made sense of: %d %q", w.Code, w.Body)
			}
		})
	}
}

func TestEveryOtherCloudWatchRequestOfAWSIsAnUnknownOperation(t *testing.T) {
	p := fixturePlatform()
	h := NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0))
	files, _ := filepath.Glob(filepath.Join(moduleDir(t, "cloudwatch"), "request_snapshot/*.snap"))
	if len(files) < 40 {
		t.Skipf("NOT HELD AGAINST AWS'S OWN FIXTURES: %d requests found", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".request.snap")
		if slices.Contains([]string{"GetMetricData", "ListMetrics", "DescribeAlarms", "ListAlarmMuteRules", "GetAlarmMuteRule"}, name) {
			continue
		}
		s := readSnapshot(t, "cloudwatch", "request_snapshot/"+filepath.Base(file))
		if w := s.send(t, h, "monitoring", s.body); w.Code != 404 || !strings.Contains(w.Body.String(), "UnknownOperationException") {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestCloudWatchAnswersHaveTheStructureOfAWSs(t *testing.T) {
	p := fixturePlatform()
	h := NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0))
	stat := func(metric string, account string) cbor.Map {
		q := cbor.Map{"Id": cbor.String(strings.ToLower(metric[:1]) + account), "MetricStat": cbor.Map{
			"Metric": cbor.Map{"Namespace": cbor.String("AWS/ApplicationELB"), "MetricName": cbor.String(metric), "Dimensions": cbor.List{
				cbor.Map{"Name": cbor.String("LoadBalancer"), "Value": cbor.String("app/harbour/1")},
			}},
			"Period": cbor.Uint(60), "Stat": cbor.String("Sum"),
		}}
		if account != "" {
			q["AccountId"] = cbor.String(account)
		}
		return q
	}
	for _, c := range []struct {
		operation string
		in        cbor.Map
		holds     []string // what the answer must hold for the comparison to mean something
	}{
		{"GetMetricData", cbor.Map{
			"StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(noon().Add(-10 * time.Minute).Unix())}, "EndTime": &cbor.Tag{ID: 1, Value: cbor.Float64(noon().Unix())},
			"MaxDatapoints": cbor.Uint(3), "MetricDataQueries": cbor.List{stat("RequestCount", ""), stat("RequestCount", "999988887777")},
		}, []string{"NextToken", "Timestamps", "PartialData", "Forbidden"}},
		{"ListMetrics", cbor.Map{"IncludeLinkedAccounts": cbor.Bool(true)}, []string{"OwningAccounts", "Dimensions", "RequestCount"}},
		{"DescribeAlarms", cbor.Map{"MaxRecords": cbor.Uint(2)}, []string{"NextToken", "StateTransitionedTimestamp", "Threshold", "ExtendedStatistic", "Dimensions"}},
	} {
		t.Run(c.operation, func(t *testing.T) {
			request := readSnapshot(t, "cloudwatch", "request_snapshot/"+c.operation+".request.snap")
			want := readSnapshot(t, "cloudwatch", "response_snapshot/"+c.operation+".response.snap")
			w := request.send(t, h, "monitoring", cbor.Encode(c.in))
			for _, part := range c.holds {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("the answer holds no %s", part)
				}
			}
			for _, d := range differences(c.operation, decoded(t, w.Body.Bytes()), decoded(t, want.body)) {
				t.Error(d)
			}
			compareHead(t, w, want, "Content-Type", "Smithy-Protocol")
			if w.Body.Bytes()[0] != want.body[0] {
				t.Errorf("the body begins with %#x, AWS's with %#x", w.Body.Bytes()[0], want.body[0])
			}
		})
	}
}

// compareHead compares the status and the headers that a client reads.
func compareHead(t *testing.T, w *httptest.ResponseRecorder, want snapshot, headers ...string) {
	t.Helper()
	if got := strconv.Itoa(w.Code); got != want.first {
		t.Errorf("status %s, AWS sends %s", got, want.first)
	}
	for _, name := range headers {
		if got := w.Header().Get(name); got != want.header.Get(name) {
			t.Errorf("%s is %q, AWS sends %q", name, got, want.header.Get(name))
		}
	}
}

func TestCloudWatchErrorsHaveTheEnvelopeOfAWSs(t *testing.T) {
	for name, e := range map[string]*apiError{
		"ValidationException":            invalid("x"),
		"InvalidNextToken":               invalidToken(),
		"InvalidParameterValueException": invalidValue("RecentlyActive", "x"),
		"InternalServiceFault":           internalFailure(CloudWatch),
	} {
		t.Run(name, func(t *testing.T) {
			want := readSnapshot(t, "cloudwatch", "response_snapshot/"+name+".error.snap")
			w := httptest.NewRecorder()
			writeCBORError(w, httptest.NewRequest("POST", "/", nil), "1", e)
			ours, theirs := decoded(t, w.Body.Bytes()), decoded(t, want.body)
			for _, d := range differences(name, ours, theirs) {
				t.Error(d)
			}
			if len(ours) != len(theirs) {
				t.Errorf("members %v, AWS sends %v", ours, theirs)
			}
			if got := string(ours["__type"].(cbor.String)); got != cloudWatchSpace+string(theirs["__type"].(cbor.String)) {
				t.Errorf("__type is %s, AWS's %s", got, theirs["__type"])
			}
			compareHead(t, w, want, "Content-Type", "Smithy-Protocol")
		})
	}
}

func TestSQSAnswersHaveTheStructureOfAWSs(t *testing.T) {
	h := NewSQS(testRegion, fixturePlatform(), WithSecret(testSecret), WithServiceTime(0))
	for _, c := range []struct {
		operation, body string
	}{
		{"GetQueueAttributes", `{"AttributeNames":["All","All"],"QueueUrl":"http://x/471122083344/orders-harbour"}`},
		{"GetQueueUrl", `{"QueueName":"orders-harbour","QueueOwnerAWSAccountId":"471122083344"}`},
		{"ListQueues", `{"MaxResults":1,"QueueNamePrefix":"orders"}`},
	} {
		t.Run(c.operation, func(t *testing.T) {
			request := readSnapshot(t, "sqs", "request_snapshot/"+c.operation+".request.snap")
			want := readSnapshot(t, "sqs", "response_snapshot/"+c.operation+".response.snap")
			if w := request.send(t, h, "sqs", request.body); w.Code < 400 || w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("with placeholders: %d %s", w.Code, w.Body)
			}
			w := request.send(t, h, "sqs", []byte(c.body))
			compareHead(t, w, want, "Content-Type")
			ours, theirs := jsonValue(t, w.Body.Bytes()), jsonValue(t, want.body)
			if attributes, ok := theirs.(cbor.Map)["Attributes"].(cbor.Map); ok { // a map of any name, not a structure
				for name := range ours.(cbor.Map)["Attributes"].(cbor.Map) {
					attributes[name] = attributes["key0"]
				}
			}
			for _, d := range differences(c.operation, ours, theirs) {
				t.Error(d)
			}
			if len(ours.(cbor.Map)) != len(theirs.(cbor.Map)) {
				t.Errorf("%v, AWS sends %v", ours, theirs)
			}
		})
	}
}

// jsonValue reads JSON as the values that differences compares.
func jsonValue(t *testing.T, body []byte) cbor.Value {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var convert func(v any) cbor.Value
	convert = func(v any) cbor.Value {
		switch v := v.(type) {
		case map[string]any:
			m := cbor.Map{}
			for name, x := range v {
				m[name] = convert(x)
			}
			return m
		case []any:
			l := cbor.List{}
			for _, x := range v {
				l = append(l, convert(x))
			}
			return l
		case string:
			return cbor.String(v)
		case float64:
			return cbor.Float64(v)
		}
		return &cbor.Nil{}
	}
	return convert(v)
}

func TestSQSErrorsHaveTheEnvelopeOfAWSs(t *testing.T) {
	h := NewSQS(testRegion, fixturePlatform(), WithSecret(testSecret), WithServiceTime(0))
	request := readSnapshot(t, "sqs", "request_snapshot/GetQueueAttributes.request.snap")
	for name, answer := range map[string]func() *httptest.ResponseRecorder{
		"QueueDoesNotExist": func() *httptest.ResponseRecorder {
			return request.send(t, h, "sqs", []byte(`{"QueueUrl":"http://x/471122083344/nowhere"}`))
		},
		"InvalidAttributeName": func() *httptest.ResponseRecorder {
			return request.send(t, h, "sqs", []byte(`{"AttributeNames":["Weight"],"QueueUrl":"http://x/471122083344/orders-harbour"}`))
		},
		"InvalidAddress": func() *httptest.ResponseRecorder { return request.send(t, h, "sqs", request.body) },
		"RequestThrottled": func() *httptest.ResponseRecorder {
			return request.send(t, Fault(SQS, FaultThrottle), "sqs", request.body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := readSnapshot(t, "sqs", "response_snapshot/"+name+".error.snap")
			w := answer()
			compareHead(t, w, want, "Content-Type")
			ours, theirs := jsonValue(t, w.Body.Bytes()), jsonValue(t, want.body)
			for _, d := range differences(name, ours, theirs) {
				t.Error(d)
			}
			if got := string(ours.(cbor.Map)["__type"].(cbor.String)); got != sqsSpace+name {
				t.Errorf("__type is %s", got)
			}
			if code, fault, _ := strings.Cut(w.Header().Get("X-Amzn-Query-Error"), ";"); code == "" || fault != "Sender" {
				t.Errorf("X-Amzn-Query-Error is %q", w.Header().Get("X-Amzn-Query-Error"))
			}
		})
	}
}

func TestAWSsSTSRequestsAreRead(t *testing.T) {
	h := NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0))
	s := readSnapshot(t, "sts", "request_snapshot/GetCallerIdentity.request.snap")
	if w := s.send(t, h, "sts", s.body); w.Code != 200 || !strings.Contains(w.Body.String(), "<Account>471122083344</Account>") {
		t.Errorf("GetCallerIdentity: %d %s", w.Code, w.Body)
	}
	s = readSnapshot(t, "sts", "request_snapshot/AssumeRole.request.snap")
	if w := s.send(t, h, "sts", s.body); w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>ValidationError</Code>") {
		t.Errorf("AssumeRole with placeholders: %d %s", w.Code, w.Body)
	}
	form, err := url.ParseQuery(string(s.body))
	if err != nil {
		t.Fatal(err)
	}
	form.Set("RoleArn", "arn:aws:iam::471122083344:role/reader")
	form.Set("DurationSeconds", "900")
	if w := s.send(t, h, "sts", []byte(form.Encode())); w.Code != 200 || !strings.Contains(w.Body.String(), "<SourceIdentity>__SourceIdentity__</SourceIdentity>") {
		t.Errorf("AssumeRole: %d %s", w.Code, w.Body)
	}
	s = readSnapshot(t, "sts", "request_snapshot/GetFederationToken.request.snap")
	if w := s.send(t, h, "sts", s.body); w.Code != 400 || !strings.Contains(w.Body.String(), "<Code>InvalidAction</Code>") {
		t.Errorf("GetFederationToken: %d %s", w.Code, w.Body)
	}
}
