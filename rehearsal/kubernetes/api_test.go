package kubernetes_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
)

func number(t *testing.T, u *unstructured.Unstructured, path ...string) int64 {
	t.Helper()
	n, found, err := unstructured.NestedInt64(u.Object, path...)
	if err != nil || !found {
		t.Fatalf("%v of %s: found %v, %v", path, u.GetName(), found, err)
	}
	return n
}

func TestEveryRefusalIsTheOneThatClientGoKnows(t *testing.T) {
	tests := []struct {
		name  string
		token string
		do    func(c dynamic.Interface) error
		is    func(error) bool
		says  string
	}{
		{
			"a name that is not there is NotFound", readToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(hpas).Namespace("shop").Get(background(), "till", metav1.GetOptions{})
				return err
			}, apierrors.IsNotFound, `horizontalpodautoscalers.autoscaling "till" not found`,
		},
		{
			"a token that nobody has is Unauthorized", "wrong",
			func(c dynamic.Interface) error {
				_, err := c.Resource(hpas).Namespace("shop").Get(background(), "web", metav1.GetOptions{})
				return err
			}, apierrors.IsUnauthorized, "Unauthorized",
		},
		{
			"no token is the anonymous user, who is Forbidden", "",
			func(c dynamic.Interface) error {
				_, err := c.Resource(deployments).Namespace("shop").List(background(), metav1.ListOptions{})
				return err
			}, apierrors.IsForbidden, `deployments.apps is forbidden: User "system:anonymous" cannot list resource "deployments" in API group "apps" in the namespace "shop"`,
		},
		{
			"a reader who patches is Forbidden", readToken,
			patch("shop", "web", `{"spec":{"minReplicas":8}}`, "", nil),
			apierrors.IsForbidden, `horizontalpodautoscalers.autoscaling "web" is forbidden: User "system:serviceaccount:onsale:reader" cannot patch resource "horizontalpodautoscalers" in API group "autoscaling" in the namespace "shop"`,
		},
		{
			"an operator who patches a Deployment itself is Forbidden: the scale is what it may", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(deployments).Namespace("shop").Patch(background(), "web", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{})
				return err
			}, apierrors.IsForbidden, `cannot patch resource "deployments"`,
		},
		{
			"an old resourceVersion in a patch is Conflict", scaleToken,
			patch("shop", "web", `{"metadata":{"resourceVersion":"7"},"spec":{"minReplicas":8}}`, "", nil),
			apierrors.IsConflict, `Operation cannot be fulfilled on horizontalpodautoscalers.autoscaling "web": the object has been modified; please apply your changes to the latest version and try again`,
		},
		{
			"a UID of another object is Conflict", scaleToken,
			patch("shop", "web", `{"metadata":{"uid":"0b5e"},"spec":{"minReplicas":8}}`, "", nil), apierrors.IsConflict, "Precondition failed: UID in precondition: 0b5e",
		},
		{
			"a minimum above the maximum is Invalid", scaleToken,
			patch("shop", "web", `{"spec":{"minReplicas":21}}`, "", nil), apierrors.IsInvalid,
			"HorizontalPodAutoscaler.autoscaling \"web\" is invalid: spec.maxReplicas: Invalid value: 20: must be greater than or equal to `minReplicas`",
		},
		{
			"a minimum of zero is Invalid", scaleToken,
			patch("shop", "web", `{"spec":{"minReplicas":0}}`, "", nil), apierrors.IsInvalid, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
		},
		{
			"a maximum of zero is Invalid twice", scaleToken,
			patch("shop", "web", `{"spec":{"maxReplicas":0}}`, "", nil), apierrors.IsInvalid,
			"is invalid: [spec.maxReplicas: Invalid value: 0: must be greater than 0, spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`]",
		},
		{
			"a word for a number is Invalid", scaleToken,
			patch("shop", "web", `{"spec":{"minReplicas":"many"}}`, "", nil), apierrors.IsInvalid, "cannot unmarshal string",
		},
		{
			"negative replicas are Invalid", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(deployments).Namespace("shop").Patch(background(), "web", types.MergePatchType, []byte(`{"spec":{"replicas":-1}}`), metav1.PatchOptions{}, "scale")
				return err
			}, apierrors.IsInvalid, `Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0`,
		},
		{
			"a ScaledObject whose minimum is above its maximum is denied by KEDA's webhook", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(objects).Namespace("shop").Patch(background(), "worker", types.MergePatchType, []byte(`{"spec":{"minReplicaCount":31}}`), metav1.PatchOptions{})
				return err
			}, apierrors.IsForbidden, `admission webhook "vscaledobject.kb.io" denied the request: MinReplicaCount=31 must be less than MaxReplicaCount=30`,
		},
		{
			"a word in a ScaledObject is Invalid by its schema", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(objects).Namespace("shop").Patch(background(), "worker", types.MergePatchType, []byte(`{"spec":{"minReplicaCount":"x"}}`), metav1.PatchOptions{})
				return err
			}, apierrors.IsInvalid, "spec.minReplicaCount in body must be of type integer",
		},
		{
			"a patch type that is not taken is UnsupportedMediaType", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(objects).Namespace("shop").Patch(background(), "worker", types.StrategicMergePatchType, []byte(`{}`), metav1.PatchOptions{})
				return err
			}, func(err error) bool { return apierrors.ReasonForError(err) == metav1.StatusReasonUnsupportedMediaType }, "accepted media types include: application/json-patch+json, application/merge-patch+json",
		},
		{
			"an unknown field under strict validation is BadRequest", scaleToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(hpas).Namespace("shop").Patch(background(), "web", types.MergePatchType, []byte(`{"spec":{"minReplica":6}}`), metav1.PatchOptions{FieldValidation: "Strict"})
				return err
			}, apierrors.IsBadRequest, `strict decoding error: unknown field "spec.minReplica"`,
		},
		{
			"a change that moves nothing here is denied, not dropped", rootToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(deployments).Namespace("shop").Patch(background(), "web", types.MergePatchType, []byte(`{"spec":{"template":{"spec":{"restartPolicy":"Never"}}}}`), metav1.PatchOptions{})
				return err
			}, apierrors.IsForbidden, "/spec/template/spec/restartPolicy does not move anything in the rehearsed cluster",
		},
		{
			"deleting is not allowed", rootToken,
			func(c dynamic.Interface) error {
				return c.Resource(hpas).Namespace("shop").Delete(background(), "web", metav1.DeleteOptions{})
			}, apierrors.IsMethodNotSupported, "the server does not allow this method on the requested resource",
		},
		{
			"a dry run of another kind is Invalid", scaleToken,
			patch("shop", "web", `{}`, "", []string{"Some"}), apierrors.IsInvalid, `dryRun: Unsupported value: "Some": supported values: "All"`,
		},
		{
			"a field that can't be selected by is BadRequest", readToken,
			func(c dynamic.Interface) error {
				_, err := c.Resource(pods).Namespace("shop").List(background(), metav1.ListOptions{FieldSelector: "status.hostIP=1"})
				return err
			}, apierrors.IsBadRequest, "field label not supported: status.hostIP",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			err := test.do(w.client(t, test.token))
			if !test.is(err) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v (reason %q)\nwant one that says %q", err, apierrors.ReasonForError(err), test.says)
			}
			if h := w.memory.State().HPAs; h[0].Min != 4 || h[0].Max != 20 {
				t.Errorf("a refused write left %d to %d", h[0].Min, h[0].Max)
			}
		})
	}
}

func patch(namespace, name, body, manager string, dry []string) func(dynamic.Interface) error {
	return func(c dynamic.Interface) error {
		_, err := c.Resource(hpas).Namespace(namespace).Patch(background(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: manager, DryRun: dry})
		return err
	}
}

func TestAPatchRaisesTheFloorAndTellsWhoDidIt(t *testing.T) {
	for kind, body := range map[types.PatchType]string{
		types.MergePatchType:          `{"spec":{"minReplicas":8}}`,
		types.StrategicMergePatchType: `{"spec":{"minReplicas":8}}`,
		types.JSONPatchType:           `[{"op":"test","path":"/spec/minReplicas","value":4},{"op":"replace","path":"/spec/minReplicas","value":8}]`,
	} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			c := w.client(t, scaleToken).Resource(hpas).Namespace("shop")
			before, err := c.Get(background(), "web", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			after, err := c.Patch(background(), "web", kind, []byte(body), metav1.PatchOptions{FieldManager: "onsale"})
			if err != nil {
				t.Fatal(err)
			}
			if n := number(t, after, "spec", "minReplicas"); n != 8 {
				t.Errorf("minReplicas %d, want 8", n)
			}
			if before.GetResourceVersion() == after.GetResourceVersion() || after.GetGeneration() != before.GetGeneration()+1 {
				t.Errorf("version %s → %s, generation %d → %d", before.GetResourceVersion(), after.GetResourceVersion(), before.GetGeneration(), after.GetGeneration())
			}
			fields := after.GetManagedFields()
			if len(fields) != 1 || fields[0].Manager != "onsale" || fields[0].FieldsV1.GetRawString() != `{"f:spec":{"f:minReplicas":{}}}` {
				t.Errorf("managedFields %+v", fields)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.audit) != 1 || w.audit[0].Code != 200 || w.audit[0].To["/spec/minReplicas"] != float64(8) || w.audit[0].From["/spec/minReplicas"] != float64(4) {
				t.Errorf("audit %+v", w.audit)
			}
		})
	}
}

func TestADryRunValidatesAndStoresNothing(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, scaleToken).Resource(hpas).Namespace("shop")
	before, err := c.Get(background(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	would, err := c.Patch(background(), "web", types.MergePatchType, []byte(`{"spec":{"minReplicas":9}}`), metav1.PatchOptions{DryRun: []string{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := c.Get(background(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if number(t, would, "spec", "minReplicas") != 9 || number(t, after, "spec", "minReplicas") != 4 || before.GetResourceVersion() != after.GetResourceVersion() {
		t.Errorf("a dry run said %v and left %v", would.Object["spec"], after.Object["spec"])
	}
	if err := patch("shop", "web", `{"spec":{"minReplicas":99}}`, "", []string{"All"})(w.client(t, scaleToken)); !apierrors.IsInvalid(err) {
		t.Errorf("a dry run of an invalid change: %v", err)
	}
}

func TestTheScaleIsReadAndWrittenByTheSubresource(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, scaleToken).Resource(deployments).Namespace("shop")
	scale, err := c.Get(background(), "cache", metav1.GetOptions{}, "scale")
	if err != nil {
		t.Fatal(err)
	}
	if scale.GetKind() != "Scale" || number(t, scale, "spec", "replicas") != 3 || number(t, scale, "status", "replicas") != 3 {
		t.Fatalf("scale %v", scale.Object)
	}
	if selector, _, _ := unstructured.NestedString(scale.Object, "status", "selector"); selector != "app=cache" {
		t.Errorf("selector %q", selector)
	}
	stale := scale.DeepCopy()
	_ = unstructured.SetNestedField(scale.Object, int64(5), "spec", "replicas")
	if scale, err = c.Update(background(), scale, metav1.UpdateOptions{}, "scale"); err != nil || number(t, scale, "spec", "replicas") != 5 {
		t.Fatalf("update: %v, %v", scale, err)
	}
	if _, err := c.Update(background(), stale, metav1.UpdateOptions{}, "scale"); !apierrors.IsConflict(err) {
		t.Errorf("a second writer with the old version: %v, want a conflict", err)
	}
}

func TestWhatTheClusterRefusesComesOutAsTheServerWouldSayIt(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name string
		with error
		is   func(error) bool
	}{
		{"a denial is Forbidden", &kubernetes.Denied{Webhook: "freeze.example", Message: "frozen until noon"}, apierrors.IsForbidden},
		{"what went away is NotFound", kubernetes.ErrNotFound, apierrors.IsNotFound},
		{"trouble of its own is InternalError", errDisk, apierrors.IsInternalError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(kubernetes.New(refusing{w.memory, test.with}, kubernetes.WithOperator(scaleToken)))
			defer server.Close()
			other := &world{url: server.URL}
			if err := patch("shop", "web", `{"spec":{"minReplicas":5}}`, "", nil)(other.client(t, scaleToken)); !test.is(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestListsComeInPagesAndBySelectors(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, readToken)
	var names []string
	var token string
	for range 5 {
		page, err := c.Resource(deployments).List(background(), metav1.ListOptions{Limit: 2, Continue: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			names = append(names, item.GetName())
		}
		if token = page.GetContinue(); token == "" {
			break
		}
		if left := page.GetRemainingItemCount(); left == nil || *left != 1 {
			t.Errorf("remainingItemCount %v, want 1", left)
		}
	}
	if strings.Join(names, " ") != "cache web worker" {
		t.Errorf("paged through %v", names)
	}
	for selector, want := range map[string]int{"app=web": 4, "app in (web, cache)": 7, "app!=web": 5, "app notin (web),app": 5, "!app": 0, "app==worker": 2} {
		list, err := c.Resource(pods).Namespace("shop").List(background(), metav1.ListOptions{LabelSelector: selector})
		if err != nil || len(list.Items) != want {
			t.Errorf("%q: %d pods, %v; want %d", selector, len(list.Items), err, want)
		}
	}
	list, err := c.Resource(pods).List(background(), metav1.ListOptions{FieldSelector: "status.phase=Running,metadata.namespace=shop"})
	if err != nil || len(list.Items) != 9 {
		t.Errorf("%d running pods, %v; want 9", len(list.Items), err)
	}
	if _, err := c.Resource(pods).List(background(), metav1.ListOptions{LabelSelector: "app in web"}); !apierrors.IsBadRequest(err) {
		t.Errorf("a selector that can't be read: %v", err)
	}
}

func TestAListThatWasInterruptedForTooLongIsExpired(t *testing.T) {
	w := newWorld(t, kubernetes.WithHistory(2))
	c := w.client(t, scaleToken)
	page, err := c.Resource(deployments).List(background(), metav1.ListOptions{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"spec":{"minReplicas":5}}`, `{"spec":{"minReplicas":6}}`, `{"spec":{"minReplicas":7}}`} {
		if err := patch("shop", "web", body, "", nil)(c); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Resource(deployments).List(background(), metav1.ListOptions{Limit: 1, Continue: page.GetContinue()})
	if !apierrors.IsResourceExpired(err) {
		t.Errorf("got %v, want 410 Expired", err)
	}
}

func TestDiscoveryIsWhatClientGoExpects(t *testing.T) {
	w := newWorld(t)
	var version struct{ GitVersion string }
	w.read(t, "/version", &version)
	if version.GitVersion != kubernetes.Version {
		t.Errorf("version %v", version)
	}
	var core metav1.APIVersions
	w.read(t, "/api", &core)
	paths := []string{}
	for _, v := range core.Versions {
		paths = append(paths, "/api/"+v)
	}
	var groups metav1.APIGroupList
	w.read(t, "/apis", &groups)
	for _, g := range groups.Groups {
		var alone metav1.APIGroup
		w.read(t, "/apis/"+g.Name, &alone)
		if alone.Kind != "APIGroup" || alone.PreferredVersion != g.PreferredVersion {
			t.Errorf("group %s is %+v by itself", g.Name, alone)
		}
		paths = append(paths, "/apis/"+g.PreferredVersion.GroupVersion)
	}
	var names []string
	for _, path := range paths {
		var all metav1.APIResourceList
		w.read(t, path, &all)
		for _, r := range all.APIResources {
			names = append(names, all.GroupVersion+" "+r.Name)
		}
	}
	want := "v1 namespaces, v1 pods, v1 events, apps/v1 deployments, apps/v1 deployments/scale, autoscaling/v2 horizontalpodautoscalers, keda.sh/v1alpha1 scaledobjects, authorization.k8s.io/v1 selfsubjectaccessreviews"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("discovered %s\nwant %s", got, want)
	}
}

// read gets a path as the reader.
func (w *world) read(t *testing.T, path string, into any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+readToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v", path, resp.StatusCode, err)
	}
}

func TestASelfSubjectAccessReviewTellsWhatATokenMay(t *testing.T) {
	w := newWorld(t)
	reviews := hpas
	reviews.Group, reviews.Version, reviews.Resource = "authorization.k8s.io", "v1", "selfsubjectaccessreviews"
	ask := func(token, verb, group, resource, sub string) bool {
		t.Helper()
		in := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
			"spec": map[string]any{"resourceAttributes": map[string]any{"namespace": "shop", "verb": verb, "group": group, "resource": resource, "subresource": sub}},
		}}
		out, err := w.client(t, token).Resource(reviews).Create(background(), in, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		allowed, _, _ := unstructured.NestedBool(out.Object, "status", "allowed")
		return allowed
	}
	if !ask(readToken, "list", "apps", "deployments", "") || ask(readToken, "patch", "autoscaling", "horizontalpodautoscalers", "") {
		t.Error("the reader may list and not patch")
	}
	if !ask(scaleToken, "patch", "apps", "deployments", "scale") || ask(scaleToken, "patch", "apps", "deployments", "") {
		t.Error("the operator may patch the scale and not the Deployment")
	}
}

func TestBrokenServersAnswerAsTheRealOnesDo(t *testing.T) {
	for name, one := range map[string]struct {
		handler http.Handler
		code    int
		retry   string
	}{"failure": {kubernetes.Failure(), 500, ""}, "throttled": {kubernetes.Throttled(), 429, "1"}} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			one.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/apis/apps/v1/deployments", nil))
			var st metav1.Status
			if err := json.Unmarshal(rec.Body.Bytes(), &st); err != nil || rec.Code != one.code || int(st.Code) != one.code || st.Kind != "Status" || rec.Header().Get("Retry-After") != one.retry {
				t.Errorf("%d %q %v, %v", rec.Code, rec.Header().Get("Retry-After"), st, err)
			}
		})
	}
}

func TestAPathThatIsNothingIsNotAnObject(t *testing.T) {
	w := newWorld(t)
	get := func(path, token string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, test := range []struct {
		path, token string
		code        int
		says        string
	}{
		{"/apis/apps/v1/statefulsets", rootToken, 404, "404 page not found"},
		{"/apis/apps/v1/statefulsets", "", 403, `statefulsets.apps is forbidden: User \"system:anonymous\" cannot list resource`},
		{"/apis/apps/v1/namespaces/shop/deployments/web/status", readToken, 404, "404 page not found"},
		{"/version", "", 200, kubernetes.Version},
		{"/readyz", "", 200, "ok"},
		{"/apis", "", 403, `User \"system:anonymous\" cannot get path \"/apis\"`},
		{"/metrics", readToken, 403, "cannot get path"},
	} {
		if code, body := get(test.path, test.token); code != test.code || !strings.Contains(body, test.says) {
			t.Errorf("GET %s: %d %s, want %d and %q", test.path, code, body, test.code, test.says)
		}
	}
}
