package kubernetes

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswer sends any bytes as the API server's answers: nothing may panic, a refusal of a write
// is never invented out of a success, and every text is fit to be shown.
func FuzzAnswer(f *testing.F) {
	web := `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","uid":"u","resourceVersion":"1","managedFields":[{"manager":"argocd\u202e","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},"spec":{"replicas":3},"status":{"readyReplicas":3}}`
	hpa := `{"kind":"List","apiVersion":"v1","metadata":{},"items":[{"kind":"H","apiVersion":"autoscaling/v2","metadata":{"name":"h","uid":"v","resourceVersion":"2"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"minReplicas":2,"maxReplicas":9},"status":{"conditions":[{"type":"AbleToScale","status":"False","message":"\u0007"}]}}]}`
	f.Add([]byte(web), []byte(hpa), []byte(statusBody(403, "Forbidden", "\u202e")), 403)
	f.Add([]byte(web), []byte(`{"kind":"List","items":[7]}`), []byte("{}"), 200)
	f.Add([]byte("[["), []byte("{"), []byte("<html>"), 503)
	f.Fuzz(func(t *testing.T, deployment, list, patched []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		client, err := NewClient(&rest.Config{Host: "http://cluster.invalid", Transport: transport(func(r *http.Request) (*http.Response, error) {
			code, text := 200, string(deployment)
			switch {
			case r.Method != http.MethodGet:
				code, text = status, string(patched)
			case !strings.Contains(r.URL.Path, "/deployments/"):
				text = string(list)
			}
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"0"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		x, err := New(Options{Client: client, Cluster: "c", Namespace: "shop", Deployment: "web", Most: 50, Floor: 1})
		if err != nil {
			t.Fatal(err)
		}
		p, err := x.Preview(t.Context(), ask(actions.ScaleUp, 8), actions.Evidence{})
		said := append([]string{p.Change, p.How, p.RevertsIt, p.UndoText, p.ByWhom}, p.Warnings...)
		for _, r := range p.Refusals {
			said = append(said, r.Text, r.Hint)
		}
		if q := problemIn(err); q != nil {
			said = append(said, q.Text, q.Hint)
		}
		if err == nil && len(p.To) > 0 {
			_, err = x.Execute(t.Context(), p, "k")
			var rejected *actions.RejectedError
			if errors.As(err, &rejected) && status/100 == 2 && !strings.HasPrefix(rejected.Problem.Text, "not sent") {
				t.Errorf("an answer of %d is called a refusal: %v", status, err)
			}
			if q := problemIn(err); q != nil {
				said = append(said, q.Text, q.Hint)
			}
		}
		for _, text := range said {
			if text != sale.Clean(text, 2*maxWarning) {
				t.Errorf("%q is not fit to be shown", text)
			}
		}
	})
}
