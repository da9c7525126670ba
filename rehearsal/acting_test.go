package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

func (f *fixture) actKeys() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider("REHEARSALACT", f.secrets.awsAct, "")
}

// is fails the test unless the truth of a sale tells these values.
func (f *fixture) is(sale string, want map[string]float64) {
	f.t.Helper()
	truth := f.Truth().Sales[sale]
	for signal, v := range want {
		if got, ok := truth[signal]; !ok || got != v {
			f.t.Errorf("%s of %s is %v, not %v", signal, sale, got, v)
		}
	}
}

// tells fails the test unless the ledger has a line of a service and a user about something.
func (f *fixture) tells(by, who, what string) {
	f.t.Helper()
	for _, e := range f.Truth().Ledger {
		if e.By == by && e.Who == who && strings.Contains(e.What, what) {
			return
		}
	}
	f.t.Errorf("the ledger does not tell that %s (%s) did %q", by, who, what)
}

func TestAGroupIsScaledUpAndBackThroughTheRealClient(t *testing.T) {
	f := open(t, Options{Seed: 3})
	ctx := context.Background()
	groups := autoscaling.New(autoscaling.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(AutoScaling), Credentials: f.actKeys()})
	targets := elb.New(elb.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(ELB), Credentials: f.keys()})
	healthy := func() (n int) {
		found, err := targets.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{"lantern-web"}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := targets.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: found.TargetGroups[0].TargetGroupArn})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range out.TargetHealthDescriptions {
			if x.TargetHealth.State == "healthy" {
				n++
			}
		}
		return n
	}
	f.is("lantern", map[string]float64{"capacity_in_service": 24, "capacity_desired": 24, "capacity_min": 24, "capacity_max": 32})
	if _, err := groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("lantern-web"), MinSize: aws.Int32(30)}); err != nil {
		t.Fatal(err)
	}
	f.step(30 * time.Second)
	f.is("lantern", map[string]float64{"capacity_in_service": 24, "capacity_desired": 30, "capacity_min": 30, "capacity_pending": 6})
	f.step(3 * time.Minute)
	f.is("lantern", map[string]float64{"capacity_in_service": 30, "capacity_pending": 0, "capacity_serving": 30})
	if n := healthy(); n != 30 {
		t.Errorf("%d targets are healthy", n)
	}
	did, err := groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("lantern-web")})
	if err != nil || len(did.Activities) != 6 || did.Activities[0].StatusCode != "Successful" || !strings.Contains(*did.Activities[0].Cause, "min: 30, max: 32, desired: 30") {
		t.Errorf("the activities are %+v, %v", did.Activities, err)
	}
	if _, err := groups.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("lantern-web"), MinSize: aws.Int32(24), DesiredCapacity: aws.Int32(24)}); err != nil {
		t.Fatal(err)
	}
	f.step(2 * time.Minute)
	f.is("lantern", map[string]float64{"capacity_in_service": 24, "capacity_desired": 24, "capacity_min": 24})
	f.tells("autoscaling", "REHEARSALACT", "lantern-web.min_size")
	if n := healthy(); n != 24 {
		t.Errorf("%d targets are healthy at last", n)
	}
}

func TestAServiceIsHeldAtItsMinimumThroughTheRealClients(t *testing.T) {
	f := open(t, Options{Seed: 3})
	ctx := context.Background()
	targets := applicationautoscaling.New(applicationautoscaling.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(ApplicationAutoScaling), Credentials: f.actKeys()})
	services := ecs.New(ecs.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(ECS), Credentials: f.actKeys()})
	if _, err := targets.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: "ecs", ResourceId: aws.String("service/pl-prod/kestrel-web"), ScalableDimension: "ecs:service:DesiredCount", MinCapacity: aws.Int32(30),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := services.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: aws.String("pl-prod"), Service: aws.String("kestrel-orders"), DesiredCount: aws.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	f.step(2 * time.Minute)
	out, err := services.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String("pl-prod"), Services: []string{"kestrel-web", "kestrel-orders"}})
	if err != nil || len(out.Services) != 2 || out.Services[0].RunningCount != 30 || out.Services[1].RunningCount != 9 || !strings.Contains(*out.Services[0].Events[0].Message, "steady state") {
		t.Errorf("%+v, %v", out, err)
	}
	f.is("kestrel", map[string]float64{"capacity_in_service": 30, "capacity_min": 30, "capacity_desired": 30})
	f.tells("application-autoscaling", "REHEARSALACT", "kestrel-web.desired_capacity")
	f.tells("ecs", "REHEARSALACT", "kestrel-orders.desired_capacity")
}

func TestPodsAreScaledByWhoeverOwnsTheirScale(t *testing.T) {
	f := open(t, Options{Seed: 3})
	ctx := context.Background()
	client := func(token string) dynamic.Interface {
		c, err := dynamic.NewForConfig(&rest.Config{Host: *f.endpoint(Kubernetes), BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: f.certificate.pem}, QPS: -1})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	act, read := client(f.secrets.kubeWrite), client(f.secrets.kubeRead)
	hpas := schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	objects := schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	patch := func(c dynamic.Interface, r schema.GroupVersionResource, name, body string, sub ...string) error {
		_, err := c.Resource(r).Namespace(shop.Namespace).Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "onsale"}, sub...)
		return err
	}
	spec := func(r schema.GroupVersionResource, name, field string) int64 {
		o, err := read.Resource(r).Namespace(shop.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := unstructured.NestedInt64(o.Object, "spec", field)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := patch(read, hpas, "saffron-web", `{"spec":{"minReplicas":34}}`); !apierrors.IsForbidden(err) {
		t.Errorf("the token that reads: %v", err)
	}
	for _, w := range []error{
		patch(act, hpas, "saffron-web", `{"spec":{"minReplicas":32}}`),
		patch(act, hpas, "keda-hpa-juniper-web", `{"spec":{"minReplicas":43}}`),       // KEDA takes it back
		patch(act, deployments, "saffron-orders", `{"spec":{"replicas":9}}`, "scale"), // and Argo CD this
	} {
		if w != nil {
			t.Fatal(w)
		}
	}
	f.step(2 * time.Minute)
	f.is("saffron", map[string]float64{"capacity_in_service": 32, "capacity_min": 32, "pods_pending": 0})
	f.is("juniper", map[string]float64{"capacity_in_service": 40, "capacity_min": 40})
	if n := spec(deployments, "saffron-orders", "replicas"); n != 6 {
		t.Errorf("what Argo CD applies has %d replicas", n)
	}
	if err := patch(act, objects, "juniper-web", `{"spec":{"minReplicaCount":44}}`); err != nil {
		t.Fatal(err)
	}
	f.step(2 * time.Minute)
	f.is("juniper", map[string]float64{"capacity_in_service": 44, "capacity_min": 44})
	if n := spec(hpas, "keda-hpa-juniper-web", "minReplicas"); n != 44 {
		t.Errorf("the HPA of the ScaledObject has a minimum of %d", n)
	}
	if n := spec(deployments, "juniper-web", "replicas"); n != 44 {
		t.Errorf("the Deployment has %d replicas", n)
	}
	f.tells("kubernetes", "system:serviceaccount:onsale:operator", "scaledobjects")
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	list, err := read.Resource(pods).Namespace(shop.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "sale=juniper"})
	if err != nil || len(list.Items) != 44 {
		t.Errorf("%d pods, %v", len(list.Items), err)
	}
}

func TestTheResourceVersionStandsStillWhileNothingIsDone(t *testing.T) {
	f := open(t, Options{Seed: 3})
	get := func() string {
		_, body, err := f.ask(context.Background(), Kubernetes, "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/juniper-web", "")
		if err != nil {
			t.Fatal(err)
		}
		var o struct {
			Metadata struct{ ResourceVersion string }
		}
		if err := json.Unmarshal([]byte(body), &o); err != nil {
			t.Fatal(err)
		}
		return o.Metadata.ResourceVersion
	}
	before := get()
	f.step(40 * time.Second)
	if after := get(); after != before {
		t.Errorf("it went from %s to %s: no optimistic lock would ever hold", before, after)
	}
}

func TestTheShopsGateAndTheIncidentsAreReachedThroughTheirServices(t *testing.T) {
	f := open(t, Options{Seed: 3})
	ctx := context.Background()
	manager := ssm.New(ssm.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(SSM), Credentials: f.actKeys()})
	name := shop.GateParameter("lantern")
	if _, err := manager.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("closed"), Overwrite: aws.Bool(true)}); err == nil {
		t.Error("a value that the shop can't read was taken")
	}
	if _, err := manager.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("300"), Overwrite: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	event := fmt.Sprintf(`{"routing_key":%q,"event_action":"trigger","dedup_key":"cockpit/lantern/db","payload":{"summary":"database full","source":"onsale","severity":"critical"}}`, f.secrets.pagerKey)
	if status, body, err := f.ask(ctx, PagerDuty, "/v2/enqueue", event); status != http.StatusAccepted {
		t.Fatalf("%d %s, %v", status, body, err)
	}
	f.step(100 * time.Second)
	if got := f.Truth().Sales["lantern"]["admission_rate"]; got > 310 {
		t.Errorf("with 300 a minute %.0f come in", got)
	}
	f.tells("ssm", "REHEARSALACT", name)
	f.tells("pagerduty", "", "paged")
}

func TestARoleThatTheActingKeyAssumedActs(t *testing.T) {
	f := open(t, Options{Seed: 3})
	ctx := context.Background()
	for _, k := range []struct {
		who  aws.CredentialsProvider
		acts bool
	}{{f.actKeys(), true}, {f.keys(), false}} {
		identity := sts.New(sts.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(STS), Credentials: k.who})
		out, err := identity.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + telemetry.Account + ":role/onsale"), RoleSessionName: aws.String("night")})
		if err != nil {
			t.Fatal(err)
		}
		session := credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		groups := autoscaling.New(autoscaling.Options{Region: telemetry.Region, BaseEndpoint: f.endpoint(AutoScaling), Credentials: session})
		if _, err := groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{}); err != nil {
			t.Errorf("reading: %v", err)
		}
		_, err = groups.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("lantern-web"), DesiredCapacity: aws.Int32(25)})
		if (err == nil) != k.acts || err != nil && !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("acting, which it may: %v; %v", k.acts, err)
		}
	}
}

func TestTroubleWithMachinesIsMadeThroughTheControl(t *testing.T) {
	f := open(t, Options{Seed: 3})
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"group":"lantern-web","launches":"insufficient","unhealthy":2,"contended":1,"refresh":true}`, 200},
		{`{"group":"nowhere","launches":"ok"}`, 400},
		{`{"group":"lantern-web","launches":"tired"}`, 400},
		{`{"group":"saffron-web","refresh":true}`, 400},
		{`{"group":"lantern-web","unhealthy":-1}`, 400},
	} {
		base, err := f.URL("control")
		if err != nil {
			t.Fatal(err)
		}
		resp, err := f.client.Post(base+"/capacity", "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if resp.Body.Close() != nil || err != nil || resp.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.body, resp.StatusCode, body)
		}
	}
	f.is("lantern", map[string]float64{"capacity_unhealthy": 2})
	f.tells("control", "", "lantern-web.instance_refresh")
}
