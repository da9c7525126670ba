package autoscaling

import (
	"fmt"
	"io"
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

const arnWeb = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/6d0ecf831eec9f09"

// wire stands for both services: the inside of each action's result, by action or by
// "action name" (a group's name or a target group's ARN).
type wire struct {
	mu      sync.Mutex
	results map[string]string
	fails   map[string]string // error codes, by the same keys; 403 for AccessDenied, else 400
	asked   []string          // "action name"
}

// groupXML is the XML of one group: five instances, four of them in service and healthy.
func groupXML(name, more string, instances ...string) string {
	if instances == nil {
		for i := range 4 {
			instances = append(instances, instance(fmt.Sprint("i-", i), "InService", "Healthy"))
		}
		instances = append(instances, instance("i-4", "Pending", "Healthy"))
	}
	if !strings.Contains(more, "<DesiredCapacity>") {
		more += "<DesiredCapacity>4</DesiredCapacity><MinSize>2</MinSize><MaxSize>10</MaxSize>"
	}
	if !strings.Contains(more, "<Instances>") {
		more += "<Instances>" + strings.Join(instances, "") + "</Instances>"
	}
	return "<member><AutoScalingGroupName>" + name + "</AutoScalingGroupName>" + more + "</member>"
}

func instance(id, state, health string) string {
	return "<member><InstanceId>" + id + "</InstanceId><LifecycleState>" + state + "</LifecycleState><HealthStatus>" + health + "</HealthStatus></member>"
}

func targetXML(id, state, reason, words string) string {
	return "<member><Target><Id>" + id + "</Id><Port>80</Port></Target><TargetHealth><State>" + state + "</State><Reason>" + reason + "</Reason><Description>" + words + "</Description></TargetHealth></member>"
}

const balanced = "<TargetGroupARNs><member>" + arnWeb + "</member></TargetGroupARNs>"

// usual is what a healthy group of a name, with a load balancer and a warm pool, answers.
func usual(names ...string) *wire {
	w := &wire{results: map[string]string{}, fails: map[string]string{}}
	for _, name := range names {
		w.results["DescribeAutoScalingGroups "+name] = groupXML(name, balanced+"<WarmPoolConfiguration><PoolState>Stopped</PoolState></WarmPoolConfiguration><WarmPoolSize>3</WarmPoolSize>")
	}
	var targets []string
	for i := range 4 {
		targets = append(targets, targetXML(fmt.Sprint("i-", i), "healthy", "", ""))
	}
	w.results["DescribeTargetHealth"] = list("TargetHealthDescriptions", targets...)
	w.results["DescribeScalingActivities"] = list("Activities")
	w.results["DescribeInstanceRefreshes"] = list("InstanceRefreshes")
	w.results["DescribeScheduledActions"] = list("ScheduledUpdateGroupActions")
	w.results["DescribeWarmPool"] = list("Instances")
	return w
}

func list(name string, members ...string) string {
	return "<" + name + ">" + strings.Join(members, "") + "</" + name + ">"
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
	name := form.Get("AutoScalingGroupName") + form.Get("TargetGroupArn")
	var names []string
	for i := 1; form.Has(fmt.Sprint("AutoScalingGroupNames.member.", i)); i++ {
		names = append(names, form.Get(fmt.Sprint("AutoScalingGroupNames.member.", i)))
	}
	if names != nil {
		name = strings.Join(names, ",")
	}
	h.asked = append(h.asked, action+" "+name)
	for _, key := range []string{action + " " + name, action} {
		if code := h.fails[key]; code != "" {
			status := 400
			if code == "AccessDenied" {
				status = 403
			}
			fail(w, r, status, code)
			return
		}
	}
	result, ok := h.results[action]
	if one, of := h.results[action+" "+name]; of && names == nil {
		result, ok = one, true
	}
	if action == "DescribeAutoScalingGroups" {
		var members []string
		for _, n := range names {
			members = append(members, h.results[action+" "+n])
		}
		if !ok {
			result = list("AutoScalingGroups", members...)
		}
	} else if !ok {
		fail(w, r, 400, "InvalidAction")
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, "<%[1]sResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></%[1]sResponse>\n", action, result)
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

func (h *wire) set(key, result string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.results[key] = result
}

func (h *wire) fail(key, code string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails[key] = code
}

// fail writes an error of the Query protocol; message is the code when it has no blank.
func fail(w http.ResponseWriter, _ *http.Request, status int, message string) {
	code := map[int]string{401: "InvalidClientTokenId", 403: "AccessDenied", 404: "ResourceNotFound", 429: "Throttling", 500: "InternalFailure", 503: "ServiceUnavailable"}[status]
	if code == "" {
		code = message
	}
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 { // what XML can't hold at all
			return '?'
		}
		return r
	}, message)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r-2</RequestId></ErrorResponse>", code, clean)
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
		Name: "fleet", Region: "eu-central-1", Profile: "onsale-read", Secrets: []string{sourcetest.Secret},
		API: NewClient(config(), endpoint, nil), ELB: NewELBClient(config(), endpoint, nil), Queries: queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(id sale.ID, name string, f Field) Query {
	return Query{Key: sale.Key{Sale: id, Signal: sale.Signal(f)}, Group: name, Field: f}
}

func askAll(id sale.ID, name string) []Query {
	var all []Query
	for _, f := range Fields() {
		all = append(all, ask(id, name, f))
	}
	return all
}

func noon() time.Time { return time.Date(2026, 12, 4, 12, 0, 0, 0, time.UTC) }

func lines(b sale.Batch) string {
	var out []string
	for _, r := range b.Readings {
		out = append(out, fmt.Sprintf("%s/%s %g", r.Sale, r.Signal, r.Value))
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
	queries := slices.Concat(askAll("arena", "web"), askAll("club", "api"))
	want := map[sale.Key]sale.Unit{}
	var missing []sale.Key
	for _, q := range queries {
		want[q.Key] = sale.Count
		if q.Group == "api" {
			missing = append(missing, q.Key)
		}
	}
	hostile := usual()
	planted := strings.Map(func(r rune) rune {
		if r < 0x20 {
			return -1
		}
		return r
	}, sourcetest.Escape) + sourcetest.Secret
	more := "<Status>" + planted + "</Status><SuspendedProcesses><member><ProcessName>" + planted + "</ProcessName><SuspensionReason>" + planted + "</SuspensionReason></member></SuspendedProcesses>" +
		"<TargetGroupARNs><member>arn:aws:elasticloadbalancing:x:1:targetgroup/" + planted + "/1</member></TargetGroupARNs>" +
		"<WarmPoolConfiguration><PoolState>" + planted + "</PoolState></WarmPoolConfiguration><WarmPoolSize>3</WarmPoolSize><DesiredCapacity>9</DesiredCapacity><MinSize>1</MinSize><MaxSize>9</MaxSize>"
	for _, name := range []string{"web", "api"} {
		hostile.results["DescribeAutoScalingGroups "+name] = groupXML(name, more)
	}
	now := time.Now().UTC()
	hostile.results["DescribeTargetHealth"] = list("TargetHealthDescriptions", targetXML("i-1", "unhealthy", planted, planted))
	hostile.results["DescribeScalingActivities"] = list("Activities", activityXML(now, planted, planted, planted, planted), activityXML(now, "Failed", planted, planted, planted))
	hostile.results["DescribeInstanceRefreshes"] = list("InstanceRefreshes", "<member><Status>Failed</Status><EndTime>"+now.Format(time.RFC3339)+"</EndTime><StatusReason>"+planted+"</StatusReason></member>")
	hostile.results["DescribeScheduledActions"] = list("ScheduledUpdateGroupActions", "<member><ScheduledActionName>"+planted+"</ScheduledActionName><StartTime>"+now.Add(time.Hour).Format(time.RFC3339)+"</StartTime></member>")
	hostile.fails["DescribeWarmPool"] = planted
	sourcetest.Contract(t, sourcetest.Harness{
		New:            func(t *testing.T, url string) sources.Source { return newSource(t, url, queries...) },
		Healthy:        usual("web", "api"),
		Want:           want,
		Partial:        usual("web"),
		PartialMissing: missing,
		Hostile:        hostile,
		Fail:           fail,
		Header:         http.Header{"Content-Type": {"text/xml"}},
		WrongTypes: [][]byte{
			[]byte("<DescribeAutoScalingGroupsResponse></DescribeAutoScalingGroupsResponse>"),
			[]byte("<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult/></DescribeAutoScalingGroupsResponse>"),
			[]byte("<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><AutoScalingGroupName>web</AutoScalingGroupName><DesiredCapacity>many</DesiredCapacity></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"),
			[]byte("<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions/></DescribeTargetHealthResult></DescribeTargetHealthResponse>"),
			[]byte("<a>"),
			[]byte(strings.Repeat("<a>", 700_000)),
		},
		CallsPerPoll: 1 + 2 + 8, // one page, two target groups, 4+2·2 explanations
	})
}

func activityXML(start time.Time, status, description, message, cause string) string {
	return "<member><ActivityId>a</ActivityId><StartTime>" + start.Format(time.RFC3339) + "</StartTime><StatusCode>" + status + "</StatusCode><Description>" + description +
		"</Description><StatusMessage>" + message + "</StatusMessage><Cause>" + cause + "</Cause></member>"
}
