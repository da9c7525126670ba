package ecs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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

type object = map[string]any

// wire stands for both services: what exists, by the service's name.
type wire struct {
	mu         sync.Mutex
	services   map[string]object
	failures   map[string]string // reasons
	targets    map[string]object
	activities map[string][]object
	scheduled  []object
	fails      map[string]string // error codes by operation, or by "operation cluster"
	asked      []string          // "operation cluster-or-resource"
}

// usual is five services at most: running 4 of 4, one pending, within 2 to 10.
func usual(names ...string) *wire {
	w := &wire{services: map[string]object{}, failures: map[string]string{}, targets: map[string]object{}, activities: map[string][]object{}, fails: map[string]string{}}
	for _, n := range names {
		w.services[n] = serviceJSON(n, nil)
		w.targets[n] = object{"MinCapacity": 2, "MaxCapacity": 10}
	}
	return w
}

func serviceJSON(name string, more object) object {
	all := object{"serviceName": name, "status": "ACTIVE", "desiredCount": 4, "runningCount": 4, "pendingCount": 1, "launchType": "FARGATE"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func (h *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Cluster, ResourceId string
		Services            []string
		ResourceIds         []string
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, r, 400, "SerializationException")
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, fmt.Sprintf("%s %s%s %d", operation, in.Cluster, in.ResourceId, len(in.Services)+len(in.ResourceIds)))
	for _, key := range []string{operation, operation + " " + in.Cluster} {
		if code := h.fails[key]; code != "" {
			fail(w, r, 400, code)
			return
		}
	}
	var out object
	switch operation {
	case "DescribeServices":
		found, failures := []object{}, []object{}
		for _, n := range in.Services {
			if s, ok := h.services[n]; ok {
				found = append(found, s)
				continue
			}
			reason := h.failures[n]
			if reason == "" {
				reason = "MISSING"
			}
			failures = append(failures, object{"arn": "arn:aws:ecs:eu-central-1:123456789012:service/" + in.Cluster + "/" + n, "reason": reason})
		}
		out = object{"services": found, "failures": failures}
	case "DescribeScalableTargets":
		found := []object{}
		for _, id := range in.ResourceIds {
			t, ok := h.targets[id[strings.LastIndexByte(id, '/')+1:]]
			if !ok {
				continue
			}
			one := object{"ResourceId": id, "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "RoleARN": "arn:x", "CreationTime": 1}
			for k, v := range t {
				one[k] = v
			}
			found = append(found, one)
		}
		out = object{"ScalableTargets": found}
	case "DescribeScalingActivities":
		out = object{"ScalingActivities": append([]object{}, h.activities[in.ResourceId[strings.LastIndexByte(in.ResourceId, '/')+1:]]...)}
	case "DescribeScheduledActions":
		out = object{"ScheduledActions": append([]object{}, h.scheduled...)}
	default:
		fail(w, r, 400, "UnknownOperationException")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
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
	code := map[int]string{401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "ClusterNotFoundException", 429: "ThrottlingException", 500: "ServerException", 503: "ServiceUnavailableException"}[status]
	if code == "" {
		code = message
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"__type": "com.amazonaws.ecs#" + code, "message": message})
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
		Name: "tasks", Region: "eu-central-1", Profile: "onsale-read", Secrets: []string{sourcetest.Secret},
		API: NewClient(config(), endpoint, nil), Scaling: NewScalingClient(config(), endpoint, nil), Queries: queries,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(id sale.ID, service string, f Field) Query {
	return Query{Key: sale.Key{Sale: id, Signal: sale.Signal(f)}, Cluster: "prod", Service: service, Field: f}
}

func askAll(id sale.ID, service string) []Query {
	var all []Query
	for _, f := range Fields() {
		all = append(all, ask(id, service, f))
	}
	return all
}

func noon() time.Time { return time.Date(2026, 12, 4, 12, 0, 0, 0, time.UTC) }

// at is a time before noon as the JSON wire writes it.
func at(minutesBefore int) float64 {
	return float64(noon().Add(-time.Duration(minutesBefore) * time.Minute).Unix())
}

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
		if q.Service == "api" {
			missing = append(missing, q.Key)
		}
	}
	planted := sourcetest.Escape + sourcetest.Secret
	hostile := usual("web")
	hostile.failures["api"] = planted
	now := float64(time.Now().Unix())
	hostile.services["web"] = serviceJSON("web", object{
		"status": planted, "desiredCount": 9,
		"deployments": []object{{"status": "PRIMARY", "rolloutState": "FAILED", "rolloutStateReason": planted, "createdAt": now}, {"status": "ACTIVE", "rolloutState": planted}},
		"events":      []object{{"createdAt": now, "message": "unable to " + planted}},
	})
	hostile.activities["web"] = []object{{"ActivityId": "a", "StartTime": now, "StatusCode": "Failed", "StatusMessage": planted, "Description": planted, "Cause": planted, "NotScaledReasons": []object{{"Code": planted}}}}
	sourcetest.Contract(t, sourcetest.Harness{
		New:            func(t *testing.T, url string) sources.Source { return newSource(t, url, queries...) },
		Healthy:        usual("web", "api"),
		Want:           want,
		Partial:        usual("web"),
		PartialMissing: missing,
		Hostile:        hostile,
		Fail:           fail,
		Header:         http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		WrongTypes: [][]byte{
			[]byte(`{"services": {}, "ScalableTargets": 7}`),
			[]byte(`{"services": null, "failures": null, "ScalableTargets": null}`),
			[]byte(`{"services": [{"serviceName": "web", "desiredCount": 4, "runningCount": 4}], "ScalableTargets": [7]}`),
			[]byte(`{"services": [{"serviceName": "web", "desiredCount": "4", "runningCount": 4, "pendingCount": 0}], "ScalableTargets": [{"ResourceId": 7}]}`),
			[]byte(strings.Repeat(`{"services":`, 20_000)),
		},
		CallsPerPoll: 1 + 1 + 2,
	})
}
