package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func TestManagedPrometheusLetsInWhatIsSignedForItsWorkspace(t *testing.T) {
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" "+r.FormValue("query")+r.FormValue("dedup"))
	})
	srv := httptest.NewServer(NewManagedPrometheus(testRegion, "ws-1", api, WithSecret(testSecret)))
	defer srv.Close()
	for _, c := range []struct {
		what, path, service string
		status              int
		body, kind          string
	}{
		{"a query", "/workspaces/ws-1/api/v1/query?dedup=true", "aps", 200, "/api/v1/query uptrue", ""},
		{"another workspace", "/workspaces/ws-2/api/v1/query", "aps", 404, "Workspace not found", "ResourceNotFoundException"},
		{"a workspace whose name begins so", "/workspaces/ws-11/api/v1/query", "aps", 404, "Workspace not found", "ResourceNotFoundException"},
		{"what is not the query API", "/workspaces/ws-1/-/quit", "aps", 404, "Workspace not found", "ResourceNotFoundException"},
		{"another service", "/workspaces/ws-1/api/v1/query", "monitoring", 403, "correct service: 'aps'", "InvalidSignatureException"},
		{"no signature", "/workspaces/ws-1/api/v1/query", "", 403, "missing Authentication Token", "MissingAuthenticationTokenException"},
	} {
		t.Run(c.what, func(t *testing.T) {
			const body = "query=up"
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+c.path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.service != "" {
				who, _ := keys(AccessKey, testSecret).Retrieve(context.Background())
				sum := sha256.Sum256([]byte(body))
				if err := v4.NewSigner().SignHTTP(t.Context(), who, req, hex.EncodeToString(sum[:]), c.service, testRegion, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close() //nolint:errcheck // nothing was written
			said, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(said), c.body) || resp.Header.Get("X-Amzn-Errortype") != c.kind {
				t.Errorf("%d %q %q", resp.StatusCode, said, resp.Header.Get("X-Amzn-Errortype"))
			}
		})
	}
}
