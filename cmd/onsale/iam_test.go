package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal"
)

// awsCall is one signed request as AWS would judge it.
type awsCall struct {
	key, action string
	resources   []string          // ARNs; everything for an action that has no resource
	context     map[string]string // condition keys that the request carries
}

// awsWitness stands between the program and the rehearsed AWS, and writes down who called what.
type awsWitness struct {
	t       *testing.T
	targets map[string]string // by signing name, and by signing name and region
	mu      sync.Mutex
	calls   []awsCall
}

var scope = regexp.MustCompile(`Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request`)

func (w *awsWitness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		w.t.Errorf("%s %s is not signed", r.Method, r.URL)
		http.Error(rw, "unsigned", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	key, region, service := m[1], m[2], m[3]
	w.mu.Lock()
	w.calls = append(w.calls, w.read(key, region, service, r, body))
	w.mu.Unlock()
	to := w.targets[service+" "+region]
	if to == "" {
		to = w.targets[service]
	}
	target, err := url.Parse(to)
	if err != nil || to == "" {
		w.t.Errorf("nobody answers for %s in %s", service, region)
		return
	}
	(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Host = p.In.Host // it is signed
	}}).ServeHTTP(rw, r)
}

// read says what a request asks for, in the words of IAM.
func (w *awsWitness) read(key, region, service string, r *http.Request, body []byte) awsCall {
	prefix := map[string]string{"monitoring": "cloudwatch"}[service]
	if prefix == "" {
		prefix = service
	}
	c := awsCall{key: key, context: map[string]string{}}
	arn := func(of, resource string) {
		c.resources = append(c.resources, "arn:aws:"+of+":"+region+":471122083344:"+resource)
	}
	form, _ := url.ParseQuery(string(body))
	var in struct {
		Cluster, Service, QueueURL, QueueName, Name, OpsItemID, ServiceNamespace, ScalableDimension string
		Services                                                                                    []string
	}
	operation := form.Get("Action")
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
		_ = json.Unmarshal(bytes.ReplaceAll(body, []byte(`"OpsItemId"`), []byte(`"OpsItemID"`)), &in)
		_ = json.Unmarshal(bytes.ReplaceAll(body, []byte(`"QueueUrl"`), []byte(`"QueueURL"`)), &struct{ QueueURL *string }{&in.QueueURL})
	} else if i := strings.LastIndex(r.URL.Path, "/operation/"); i >= 0 {
		operation = r.URL.Path[i+len("/operation/"):]
	}
	c.action = prefix + ":" + operation
	switch {
	case service == "autoscaling" && !strings.HasPrefix(operation, "Describe"):
		arn(service, "autoScalingGroup:b7a5:autoScalingGroupName/"+form.Get("AutoScalingGroupName"))
		for _, name := range []string{"MinSize", "MaxSize"} {
			if form.Has(name) {
				c.context["autoscaling:"+name] = form.Get(name)
			}
		}
	case service == "application-autoscaling" && !strings.HasPrefix(operation, "Describe"):
		arn(service, "scalable-target/0ab1")
		c.context["application-autoscaling:service-namespace"] = in.ServiceNamespace
		c.context["application-autoscaling:scalable-dimension"] = in.ScalableDimension
	case service == "ecs":
		for _, name := range append(in.Services, in.Service) {
			if name != "" {
				arn(service, "service/"+in.Cluster+"/"+name)
			}
		}
	case service == "sqs":
		arn(service, in.QueueName+in.QueueURL[strings.LastIndexByte(in.QueueURL, '/')+1:])
	case service == "ssm" && strings.HasSuffix(operation, "Parameter"):
		arn(service, "parameter/"+strings.TrimPrefix(in.Name, "/"))
	case in.OpsItemID != "":
		arn(service, "opsitem/"+in.OpsItemID)
	}
	if len(c.resources) == 0 {
		c.resources = []string{everything}
	}
	return c
}

// allows judges a call as IAM does: one statement allows the action on each resource, with its conditions.
func (d *iamDocument) allows(c awsCall) bool {
	for _, resource := range c.resources {
		if !slices.ContainsFunc(d.Statement, func(s iamStatement) bool {
			return slices.Contains(s.Action, c.action) && slices.ContainsFunc(s.Resource, func(pattern string) bool { return globs(pattern, resource) }) && s.Condition.holds(c.context)
		}) {
			return false
		}
	}
	return true
}

func globs(pattern, text string) bool {
	if text == everything {
		return pattern == everything // such an action can't be narrowed
	}
	return pattern != everything && regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")+"$").MatchString(text)
}

func (when iamCondition) holds(context map[string]string) bool {
	for operator, keys := range when {
		for key, want := range keys {
			got, there := context[key]
			switch operator {
			case "StringEquals":
				if got != want {
					return false
				}
			case "NumericLessThanEqualsIfExists":
				v, err := strconv.Atoi(got)
				most, _ := strconv.Atoi(want)
				if there && (err != nil || v > most) {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

// iamConfig reads and acts on everything that AWS has here. Endpoints come from the environment, as the
// SDK takes them, so that the program does what it does with AWS itself.
const iamConfig = `
environment: rehearsal
account: "471122083344"
sources:
  aws:   {kind: cloudwatch, region: eu-central-1, credentials: $READ}
  edge:  {kind: cloudwatch, region: us-east-1, credentials: $READ}
  orders: {kind: sqs, region: eu-central-1, credentials: $READ}
  hosts: {kind: autoscaling, region: eu-central-1, credentials: $READ}
  tasks: {kind: ecs, region: eu-central-1, cluster: pl-prod, credentials: $READ}
  databases: {kind: rds, region: eu-central-1, credentials: $READ}
  alarms: {kind: cloudwatch-alarms, region: eu-central-1, credentials: $READ}
  items: {kind: ssm-opsitem, region: eu-central-1, credentials: $READ}
controls:
  scale_hosts: {kind: autoscaling, region: eu-central-1, credentials: $ACT}
  scale_tasks: {kind: ecs, region: eu-central-1, cluster: pl-prod, credentials: $ACT}
  scale_any:   {kind: application-autoscaling, region: eu-central-1, credentials: $ACT}
  parameter:   {kind: ssm-parameter, region: eu-central-1, credentials: $ACT}
  desk:        {kind: ssm-opsitem, region: eu-central-1, credentials: $ACT}
policy: {role: operator, reason: optional, max_actions: {count: 50, per: 10m}}
sales:
  - id: cobalt
    name: Kobaltni Camac
    opens: $OPENS
    signals:
      capacity_in_service: {from: hosts, group: cobalt-web}
      healthy: {from: hosts, unit: count, group: cobalt-web, field: healthy_targets}
      queue_depth: {from: orders, queue: cobalt-orders}
      db_connections_max: {from: databases, cluster: marble}
      requests: {from: aws, unit: count, metric: AWS/ApplicationELB/RequestCount, dimensions: {LoadBalancer: app/cobalt-web/89abcdef01234567}, statistic: Sum, period: 60s}
      edge_requests: {from: edge, unit: count, metric: AWS/CloudFront/Requests, dimensions: {DistributionId: E6MNBVC8XZLKJ5, Region: Global}, statistic: Sum, period: 60s}
    actions:
      scale-up: {via: scale_hosts, group: cobalt-web, max: 12, ahead: [{at: opens-1h, to: 10}]}
      scale-back: {via: scale_hosts, group: cobalt-web, floor: 4}
      pause: {via: parameter, parameter: /shop/cobalt/admission-per-minute, value: "0"}
      resume: {via: parameter, parameter: /shop/cobalt/admission-per-minute, value: open}
      rate: {via: parameter, parameter: /shop/cobalt/admission-per-minute}
      incident: {via: desk}
  - id: kestrel
    name: Zolta Lodka
    opens: $OPENS
    signals:
      capacity_in_service: {from: tasks, service: kestrel-web}
      capacity_max: {from: tasks, service: kestrel-web}
    actions:
      scale-up: {via: scale_tasks, service: kestrel-web, max: 60, ahead: [{at: opens-1h, to: 40}]}
  - id: workers
    name: Workers
    opens: $OPENS
    signals: {capacity_in_service: {from: tasks, service: kestrel-orders}}
    actions:
      scale-up: {via: scale_tasks, service: kestrel-orders, max: 20}
  - id: target
    name: Target
    opens: $OPENS
    signals: {capacity_in_service: {from: tasks, service: kestrel-web}}
    actions:
      scale-up: {via: scale_any, resource: service/pl-prod/kestrel-web, max: 60}
`

func TestThePoliciesAllowEveryCallThatIsMadeAndNothingElse(t *testing.T) {
	n := startNight(t, rehearsal.Options{Seed: 7})
	at := n.urls.Services
	w := &awsWitness{t: t, targets: map[string]string{
		"monitoring": at[rehearsal.CloudWatch], "monitoring us-east-1": at[rehearsal.CloudWatchEdge], "sqs": at[rehearsal.SQS], "ssm": at[rehearsal.SSM],
		"autoscaling": at[rehearsal.AutoScaling], "elasticloadbalancing": at[rehearsal.ELB], "ecs": at[rehearsal.ECS], "rds": at[rehearsal.RDS], "application-autoscaling": at[rehearsal.ApplicationAutoScaling],
	}}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	t.Setenv("AWS_ENDPOINT_URL", srv.URL)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	dir := filepath.Dir(n.config)
	secret := func(key, file string) string {
		return fmt.Sprintf(`{access_key_id: %s, secret_access_key: "${file:%s}"}`, key, filepath.Join(dir, file))
	}
	state := t.TempDir()
	journalDir := filepath.Join(state, "onsale", "journal")
	n.config = filepath.Join(t.TempDir(), "onsale.yaml")
	text := strings.NewReplacer("$READ", secret("REHEARSAL", "aws-secret"), "$ACT", secret("REHEARSALACT", "aws-act-secret"), "$OPENS", "2036-12-01T10:00:00Z").Replace(iamConfig)
	if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	onlooker, err := (&program{configFlag: n.config, lookup: func(string) (string, bool) { return "", false }}).load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"cobalt", "scale-up", "--to", "10"},
		{"cobalt", "undo"},
		{"cobalt", "scale-ahead"},
		{"cobalt", "undo"},
		{"cobalt", "rate", "--to", "300"},
		{"cobalt", "incident", "--text", "payments fail"},
		{"cobalt", "resolve"},
		{"kestrel", "scale-ahead"},
		{"kestrel", "undo"},
		{"kestrel", "scale-up", "--to", "30"},
		{"workers", "scale-up", "--to", "8"},
		{"target", "scale-up", "--to", "34"},
	} {
		if r, out := n.act(journalDir, append(args, "--reason", "test", "--confirm", args[0])...); out.code != 0 || r.Outcome != actions.Done {
			t.Errorf("%v: exit %d, %s: %s", args, out.code, r.Outcome, r.Reason)
		}
		if args[1] == "incident" || args[1] == "resolve" { // who looks on sees it come, and asks for it when it is gone
			onlooker.readOnce(t.Context(), allSales(onlooker.config))
		}
	}
	seen := runIn(t, map[string]string{"XDG_STATE_HOME": state}, "check", "-c", n.config, "-o", "json").stdout
	for _, want := range []string{"cobalt-web: NOT planned: opens-1h", "kestrel-web: NOT planned: opens-1h"} { // both were taken back
		if !strings.Contains(seen, want) {
			t.Errorf("%q is not noted: %s", want, seen)
		}
	}

	printed := runIn(t, nil, "iam", "-c", n.config, "-o", "json")
	var report iamReport
	if err := json.Unmarshal([]byte(printed.stdout), &report); err != nil || printed.code != 0 {
		t.Fatalf("exit %d, %v: %s", printed.code, err, printed.stderr)
	}
	if len(report.Policies) != 2 || report.Policies[0].For != forReading || report.Policies[1].For != forActing {
		t.Fatalf("%+v", report.Policies)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	called := map[string]bool{}
	for _, c := range w.calls {
		called[c.key+" "+c.action] = true
		i := slices.IndexFunc(report.Policies, func(p iamPolicy) bool { return p.Login.AccessKey == c.key })
		if i < 0 || !report.Policies[i].Document.allows(c) {
			t.Errorf("%s calls %s on %v with %v, and no statement allows it", c.key, c.action, c.resources, c.context)
		}
	}
	for _, p := range report.Policies {
		for _, s := range p.Document.Statement {
			for _, action := range s.Action {
				if !called[p.Login.AccessKey+" "+action] {
					t.Errorf("to %s, %s is allowed and never called", p.For, action)
				}
			}
			if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s.Sid) || s.Effect != "Allow" || len(s.Resource) == 0 {
				t.Errorf("IAM takes no such statement: %+v", s)
			}
		}
	}
	reader := report.Policies[0].Document
	if reader.allows(awsCall{action: "autoscaling:UpdateAutoScalingGroup", resources: []string{"arn:aws:autoscaling:eu-central-1:471122083344:autoScalingGroup:b7a5:autoScalingGroupName/cobalt-web"}}) {
		t.Error("who reads may act")
	}
	actor := report.Policies[1].Document
	for name, c := range map[string]awsCall{
		"another group":        {resources: []string{"arn:aws:autoscaling:eu-central-1:471122083344:autoScalingGroup:b7a5:autoScalingGroupName/lantern-web"}},
		"another account":      {resources: []string{"arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:b7a5:autoScalingGroupName/cobalt-web"}},
		"more than the config": {resources: []string{"arn:aws:autoscaling:eu-central-1:471122083344:autoScalingGroup:b7a5:autoScalingGroupName/cobalt-web"}, context: map[string]string{"autoscaling:MaxSize": "13"}},
	} {
		if c.action = "autoscaling:UpdateAutoScalingGroup"; actor.allows(c) {
			t.Errorf("%s may be scaled", name)
		}
	}
}

func TestPoliciesAreForEachLoginAndStdoutIsForPrograms(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "onsale.yaml")
	const text = `
environment: test
sources:
  eu: {kind: sqs, region: eu-central-1, profile: reader}
  us: {kind: sqs, region: us-east-1, profile: reader}
  cn: {kind: sqs, region: cn-north-1, role: "arn:aws-cn:iam::111122223333:role/onsale-read"}
  prom: {kind: prometheus, url: "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", auth: {sigv4: {region: eu-west-1, profile: reader}}}
  rules: {kind: prometheus-alerts, url: "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", auth: {sigv4: {region: eu-west-1, profile: reader}}}
sales:
  - id: arena
    name: Arena
    opens: 2036-12-01T10:00:00Z
    signals:
      a: {from: eu, unit: count, queue: orders}
      b: {from: us, unit: count, queue: "https://sqs.us-east-1.amazonaws.com/444455556666/orders"}
      c: {from: cn, unit: count, queue: orders}
      d: {from: prom, unit: count, query: up}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runIn(t, nil, "iam", "-c", file)
	var docs []iamDocument
	dec := json.NewDecoder(strings.NewReader(out.stdout))
	for {
		var d iamDocument
		if err := dec.Decode(&d); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	if out.code != 0 || len(docs) != 2 {
		t.Fatalf("exit %d, %d policies: %s", out.code, len(docs), out.stderr)
	}
	find := func(d iamDocument, sid string) []string {
		for _, s := range d.Statement {
			if s.Sid == sid {
				return s.Resource
			}
		}
		return nil
	}
	for _, c := range []struct {
		got, want []string
	}{
		{find(docs[0], "ReadQueues"), []string{"arn:aws:sqs:eu-central-1:*:orders", "arn:aws:sqs:us-east-1:444455556666:orders"}},
		{find(docs[0], "FindQueues"), []string{"arn:aws:sqs:eu-central-1:*:orders"}},
		{find(docs[0], "QueryWorkspaces"), []string{"arn:aws:aps:eu-west-1:*:workspace/ws-1"}},
		{find(docs[1], "ReadQueues"), []string{"arn:aws-cn:sqs:cn-north-1:111122223333:orders"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if i := slices.IndexFunc(docs[0].Statement, func(s iamStatement) bool { return s.Sid == "QueryWorkspaces" }); i < 0 || !slices.Equal(docs[0].Statement[i].Action, []string{"aps:ListRules", "aps:QueryMetrics"}) {
		t.Errorf("the workspace: %+v", docs[0].Statement)
	}
	for _, want := range []string{"to read, for profile reader (eu, us, prom, rules)", "to read, for role arn:aws-cn:iam::111122223333:role/onsale-read (cn)", "needs sts:AssumeRole", "names no account"} {
		if !strings.Contains(out.stderr, want) {
			t.Errorf("%q is not said in %s", want, out.stderr)
		}
	}
	if act := runIn(t, nil, "iam", "-c", file, "--for", "act"); act.code != 0 || act.stdout != "" || !strings.Contains(act.stderr, "nothing in this config logs in to AWS") {
		t.Errorf("to act: exit %d, %q, %s", act.code, act.stdout, act.stderr)
	}
	if wrong := runIn(t, nil, "iam", "-c", file, "--for", "everything"); wrong.code != 3 || wrong.stdout != "" {
		t.Errorf("exit %d", wrong.code)
	}
}
