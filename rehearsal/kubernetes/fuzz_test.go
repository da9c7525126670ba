package kubernetes_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/kubernetes"
)

func FuzzWhateverIsSentTheServerAnswersAndStaysWithinItsBounds(f *testing.F) {
	f.Add("application/merge-patch+json", `{"spec":{"minReplicas":5}}`, "labelSelector=app%3Dweb&limit=1", "continue")
	f.Add("application/json-patch+json", `[{"op":"move","from":"/spec","path":"/metadata/annotations"},{"op":"add","path":"/spec/metrics/-","value":{}}]`, "fieldSelector=metadata.name%3Dweb", "")
	f.Add("application/strategic-merge-patch+json", `{"$patch":"replace","metadata":null}`, "limit=-1", "x")
	f.Add("application/merge-patch+json", `{"metadata":{"annotations":{"a":1}},"spec":null}`, "labelSelector=a+in+(b,c),!d", "")
	f.Fuzz(func(t *testing.T, contentType, body, query, token string) {
		at := time.Date(2026, 12, 4, 9, 40, 0, 0, time.UTC)
		now := func() time.Time { return at }
		memory := kubernetes.NewMemory(kubernetes.State{
			Namespaces: []string{"shop"}, Deployments: []kubernetes.Deployment{deployment("web", 2)},
			HPAs: []kubernetes.HPA{{Object: kubernetes.Object{Namespace: "shop", Name: "web"}, Target: "web", Min: 2, Max: 20}},
		}, kubernetes.MemoryOptions{Now: now})
		server := kubernetes.New(memory, kubernetes.WithToken(rootToken, "root", kubernetes.Everything()), kubernetes.WithClock(now))
		send := func(method, path, body string) {
			req := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query + "&continue=" + url.QueryEscape(token)}, Header: http.Header{}, Body: http.NoBody}
			if body != "" {
				req = httptest.NewRequest(method, path, strings.NewReader(body))
			}
			req.Header.Set("Authorization", "Bearer "+rootToken)
			req.Header.Set("Content-Type", contentType)
			rec := httptest.NewRecorder()
			server.ServeHTTP(rec, req)
			if !json.Valid(rec.Body.Bytes()) || rec.Code >= 500 {
				t.Errorf("%s %s: %d %s", method, path, rec.Code, rec.Body)
			}
		}
		send(http.MethodPatch, "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web", body)
		send(http.MethodPut, "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web", body)
		send(http.MethodPatch, "/apis/apps/v1/namespaces/shop/deployments/web/scale", body)
		if !strings.Contains(query, "watch") {
			send(http.MethodGet, "/api/v1/pods", "")
			send(http.MethodGet, "/apis/autoscaling/v2/horizontalpodautoscalers", "")
		}
		for _, h := range memory.State().HPAs {
			if h.Min < 1 || h.Max < h.Min {
				t.Errorf("the HPA holds %d to %d", h.Min, h.Max)
			}
		}
	})
}
