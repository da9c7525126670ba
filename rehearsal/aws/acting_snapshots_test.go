package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// modules are the SDK modules that hold a service's fixtures. Application Auto Scaling has none.
func modules() map[string]string {
	return map[string]string{AutoScaling: "autoscaling", ECS: "ecs", ELBV2: "elasticloadbalancingv2", SSM: "ssm"}
}

// sendAsActor sends a fixture's request, signed by whoever may write.
func (s snapshot) sendAsActor(t *testing.T, h signed, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	return s.sendAs(t, h, h.name, body, ActKey, actSecret)
}

// served are the names of a service's operations.
func served(service string) []string {
	var out []string
	for _, k := range everyCall() {
		if k.service == service {
			out = append(out, k.name)
		}
	}
	return out
}

func TestEveryRequestOfAWSIsEitherServedOrAnUnknownOperation(t *testing.T) {
	for service, module := range modules() {
		files, _ := filepath.Glob(filepath.Join(moduleDir(t, module), "request_snapshot/*.snap"))
		if len(files) < 40 {
			t.Skipf("NOT HELD AGAINST AWS'S OWN FIXTURES: %d requests of %s found", len(files), service)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".request.snap")
			s := readSnapshot(t, module, "request_snapshot/"+filepath.Base(file))
			w := s.sendAsActor(t, handlersOf(harbour())[service], s.body)
			unknown := strings.Contains(w.Body.String(), "UnknownOperationException") || strings.Contains(w.Body.String(), "InvalidAction")
			if is := slices.Contains(served(service), name); is == unknown {
				t.Errorf("%s of %s is served: %v; the answer is %d %s", name, service, is, w.Code, w.Body)
			}
		}
	}
}

func TestAWSsFormsAreReadToTheLastParameter(t *testing.T) {
	drop := func(names ...string) func(url.Values) {
		return func(v url.Values) {
			for _, n := range names {
				for key := range v {
					if key == n || strings.HasPrefix(key, n+".") {
						v.Del(key)
					}
				}
			}
		}
	}
	for _, k := range []struct {
		service, operation string
		as                 string // what the placeholders earn
		mend               func(url.Values)
		set                map[string]string
	}{
		{AutoScaling, "DescribeAutoScalingGroups", "can not be combined", drop("Filters", "NextToken"), nil},
		{AutoScaling, "SetDesiredCapacity", "AutoScalingGroup name not found - AutoScalingGroup: __AutoScalingGroupName__ not found", drop(), map[string]string{"AutoScalingGroupName": "harbour-web", "DesiredCapacity": "6"}},
		{AutoScaling, "UpdateAutoScalingGroup", "The rehearsed service does not take the parameter AvailabilityZone", nil, nil},
		{AutoScaling, "PutScheduledUpdateGroupAction", "AutoScalingGroup name not found", drop("Recurrence", "TimeZone", "Time"), map[string]string{
			"AutoScalingGroupName": "harbour-web", "StartTime": "2026-12-01T13:00:00Z", "EndTime": "2026-12-01T14:00:00Z",
		}},
		{AutoScaling, "DescribeScheduledActions", "AutoScalingGroup name not found", drop("NextToken"), map[string]string{"AutoScalingGroupName": "harbour-web"}},
		{AutoScaling, "DeleteScheduledAction", "AutoScalingGroup name not found", nil, nil},
		{AutoScaling, "DescribeScalingActivities", "Filter type __Name__ is not correct", drop("NextToken", "Filters"), map[string]string{"AutoScalingGroupName": "harbour-web"}},
		{AutoScaling, "DescribeInstanceRefreshes", "AutoScalingGroup name not found", drop("NextToken"), map[string]string{"AutoScalingGroupName": "harbour-web"}},
		{AutoScaling, "DescribeWarmPool", "AutoScalingGroup name not found", drop("NextToken"), map[string]string{"AutoScalingGroupName": "harbour-web"}},
		{AutoScaling, "SuspendProcesses", "failed to satisfy constraint", drop("ScalingProcesses.member.2"), map[string]string{"AutoScalingGroupName": "harbour-web", "ScalingProcesses.member.1": "Launch"}},
		{AutoScaling, "ResumeProcesses", "failed to satisfy constraint", drop("ScalingProcesses.member.2"), map[string]string{"AutoScalingGroupName": "harbour-web", "ScalingProcesses.member.1": "Launch"}},
		{ELBV2, "DescribeTargetGroups", "can not be specified together", drop("LoadBalancerArn", "TargetGroupArns", "Marker", "Names.member.2"), map[string]string{"Names.member.1": "harbour-web"}},
		{ELBV2, "DescribeTargetHealth", "does not take the parameter Targets.member.1.QuicServerId", drop("Targets.member.1.QuicServerId", "Targets.member.2.QuicServerId"), map[string]string{"TargetGroupArn": targetGroupARN(testRegion, "harbour-web")}},
	} {
		t.Run(k.operation, func(t *testing.T) {
			s := readSnapshot(t, modules()[k.service], "request_snapshot/"+k.operation+".request.snap")
			h := handlersOf(harbour())[k.service]
			if w := s.sendAsActor(t, h, s.body); w.Code != 400 || !strings.Contains(w.Body.String(), k.as) {
				t.Errorf("as it stands: %d %s", w.Code, w.Body)
			}
			if k.mend == nil {
				return
			}
			form, err := url.ParseQuery(string(s.body))
			if err != nil {
				t.Fatal(err)
			}
			k.mend(form)
			for name, v := range k.set {
				form.Set(name, v)
			}
			if w := s.sendAsActor(t, h, []byte(form.Encode())); w.Code != 200 {
				t.Errorf("made sense of: %d %s", w.Code, w.Body)
			}
		})
	}
}

// bodies are inputs that make the answer hold as much as it can.
func TestAnswersInJSONHaveTheStructureOfAWSs(t *testing.T) {
	for _, k := range []struct {
		service, operation, body string
		holds                    []string
		open                     []string // maps of any name, not structures
	}{
		{ECS, "DescribeServices", `{"cluster":"pl-prod","services":["orchard-web","nowhere"],"include":["TAGS"]}`, []string{"MISSING", "steady state", "IN_PROGRESS", "ACTIVE", "targetGroupArn"}, nil},
		{ECS, "UpdateService", `{"cluster":"pl-prod","service":"orchard-web","desiredCount":7}`, []string{`"desiredCount":7`}, nil},
		{SSM, "PutParameter", `{"Name":"/shop/gate","Value":"400","Type":"String","AllowedPattern":"[0-9]+","Tier":"Advanced","Description":"x"}`, []string{`"Version":1`, "Advanced"}, nil},
		{SSM, "GetParameter", `{"Name":"/shop/gate:1"}`, []string{"Selector", "LastModifiedDate"}, nil},
		{SSM, "CreateOpsItem", `{"Title":"declines","Description":"5.8 %","Source":"onsale","Severity":"2","Priority":1,"Category":"Performance","OperationalData":{"sale":{"Value":"harbour","Type":"SearchableString"}},"Notifications":[{"Arn":"arn:aws:sns:eu-central-1:471122083344:x"}],"Tags":[{"Key":"sale","Value":"harbour"}]}`, []string{"OpsItemArn"}, nil},
		{SSM, "UpdateOpsItem", `{"OpsItemId":"oi-000000000001","Status":"InProgress","OperationalDataToDelete":["nothing"]}`, nil, nil},
		{SSM, "GetOpsItem", `{"OpsItemId":"oi-000000000001"}`, []string{"Notifications", "SearchableString", "InProgress", "Priority", "Category"}, []string{"OperationalData"}},
		{SSM, "DescribeOpsItems", `{"OpsItemFilters":[{"Key":"Source","Operator":"Equal","Values":["onsale"]}],"MaxResults":50}`, []string{"OpsItemSummaries", "InProgress"}, []string{"OperationalData"}},
	} {
		t.Run(k.operation, func(t *testing.T) {
			request := readSnapshot(t, modules()[k.service], "request_snapshot/"+k.operation+".request.snap")
			want := readSnapshot(t, modules()[k.service], "response_snapshot/"+k.operation+".response.snap")
			h := handlersOf(prepared(t, k.operation))[k.service]
			if w := request.sendAsActor(t, h, request.body); w.Code != 400 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("with placeholders: %d %s", w.Code, w.Body)
			}
			w := request.sendAsActor(t, h, []byte(k.body))
			compareHead(t, w, want, "Content-Type")
			for _, part := range k.holds {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("the answer holds no %s: %s", part, w.Body)
				}
			}
			ours, theirs := withBooleans(t, w.Body.Bytes()), withBooleans(t, want.body)
			for _, name := range k.open {
				liken(ours, theirs, name)
			}
			for _, d := range differences(k.operation, ours, theirs) {
				t.Error(d)
			}
		})
	}
}

// withBooleans reads JSON as jsonValue does, and keeps true and false apart from null.
func withBooleans(t *testing.T, body []byte) cbor.Value {
	t.Helper()
	text := strings.NewReplacer(":true", `:"a boolean"`, ":false", `:"a boolean"`).Replace(string(body))
	return jsonValue(t, []byte(text))
}

// liken gives every name of an open map in ours the fixture's one value in theirs.
func liken(ours, theirs cbor.Value, name string) {
	if list, ok := ours.(cbor.List); ok {
		for _, v := range list {
			if there, ok := theirs.(cbor.List); ok && len(there) > 0 {
				liken(v, there[0], name)
			}
		}
		return
	}
	o, ok := ours.(cbor.Map)
	if !ok {
		return
	}
	for key, v := range o {
		if key != name {
			liken(v, theirs.(cbor.Map)[key], name)
			continue
		}
		there, ok := theirs.(cbor.Map)[key].(cbor.Map)
		if !ok {
			continue
		}
		for any := range v.(cbor.Map) {
			there[any] = there["key0"]
		}
	}
}

// prepared is a platform that has what an operation is about.
func prepared(t *testing.T, operation string) *actors {
	t.Helper()
	a := harbour()
	i := slices.IndexFunc(a.groups, func(g capacity.Group) bool { return g.Name == "orchard-web" })
	a.groups[i].Refresh = &capacity.Refresh{ID: "r", Status: "InProgress", Percent: 40, Left: 3, Start: noon()}
	c := acting(t, a)
	for _, k := range everyCall() {
		first := map[string]string{"GetParameter": "PutParameter"}[operation]
		if k.service == SSM && k.name == first {
			if err := k.do(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if strings.HasPrefix(operation, "GetOps") || strings.HasPrefix(operation, "DescribeOps") || strings.HasPrefix(operation, "UpdateOps") {
		h := handlersOf(a)[SSM]
		for _, step := range [][2]string{
			{"CreateOpsItem", `{"Title":"declines","Description":"5.8 %","Source":"onsale","Priority":1,"Category":"Performance","Severity":"1","OperationalData":{"sale":{"Value":"harbour","Type":"SearchableString"}},"Notifications":[{"Arn":"arn:x"}]}`},
			{"UpdateOpsItem", `{"OpsItemId":"oi-000000000001","Status":"InProgress"}`},
		} {
			s := readSnapshot(t, "ssm", "request_snapshot/"+step[0]+".request.snap")
			if w := s.sendAsActor(t, h, []byte(step[1])); w.Code != 200 {
				t.Fatalf("%s: %d %s", step[0], w.Code, w.Body)
			}
		}
	}
	return a
}

func TestErrorsInJSONHaveTheEnvelopeOfAWSs(t *testing.T) {
	for _, k := range []struct{ service, name, operation, body string }{
		{ECS, "ClusterNotFoundException", "DescribeServices", `{"services":["orchard-web"]}`},
		{ECS, "InvalidParameterException", "DescribeServices", `{"cluster":"pl-prod","services":[]}`},
		{ECS, "ServiceNotFoundException", "UpdateService", `{"cluster":"pl-prod","service":"nowhere"}`},
		{SSM, "ParameterNotFound", "GetParameter", `{"Name":"/nowhere"}`},
		{SSM, "ParameterVersionNotFound", "GetParameter", `{"Name":"/shop/gate:7"}`},
		{SSM, "ParameterAlreadyExists", "PutParameter", `{"Name":"/shop/gate","Value":"x","Type":"String"}`},
		{SSM, "ParameterPatternMismatchException", "PutParameter", `{"Name":"/shop/gate","Value":"x","Overwrite":true,"AllowedPattern":"[0-9]+"}`},
		{SSM, "UnsupportedParameterType", "PutParameter", `{"Name":"/shop/other","Value":"x","Type":"Number"}`},
		{SSM, "OpsItemNotFoundException", "GetOpsItem", `{"OpsItemId":"oi-none"}`},
		{SSM, "OpsItemInvalidParameterException", "CreateOpsItem", `{"Title":"t","Description":"d","Source":"my-aws-cockpit"}`},
		{SSM, "OpsItemAlreadyExistsException", "CreateOpsItem", `{"Title":"t","Description":"d","Source":"onsale","OperationalData":{"/aws/dedup":{"Value":"{\"dedupString\":\"harbour\"}","Type":"SearchableString"}}}`},
	} {
		t.Run(k.name, func(t *testing.T) {
			a := harbour()
			h := handlersOf(a)[k.service]
			request := readSnapshot(t, modules()[k.service], "request_snapshot/"+k.operation+".request.snap")
			want := readSnapshot(t, modules()[k.service], "response_snapshot/"+k.name+".error.snap")
			if k.service == SSM {
				put := readSnapshot(t, "ssm", "request_snapshot/PutParameter.request.snap")
				put.sendAsActor(t, h, []byte(`{"Name":"/shop/gate","Value":"1","Type":"String"}`))
				if k.name == "OpsItemAlreadyExistsException" {
					request.sendAsActor(t, h, []byte(k.body))
				}
			}
			w := request.sendAsActor(t, h, []byte(k.body))
			compareHead(t, w, want, "Content-Type")
			ours, theirs := jsonValue(t, w.Body.Bytes()).(cbor.Map), jsonValue(t, want.body).(cbor.Map)
			for _, d := range differences(k.name, ours, theirs) {
				t.Error(d)
			}
			if fmt.Sprint(ours["__type"]) != k.name || !slices.Equal(slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs))) {
				t.Errorf("%s, AWS sends %s", w.Body, want.body)
			}
		})
	}
}
