package sources_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/sources"
)

func get(t *testing.T, client *http.Client, url string) (*http.Response, *sources.Meter, error) {
	t.Helper()
	ctx, meter := sources.Metered(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer canary-0001")
	resp, err := client.Do(req)
	if resp != nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	t.Cleanup(client.CloseIdleConnections)
	return resp, meter, err
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestABodyIsBoundedAfterDecompressionAndToTheByte(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		size := 1000
		if r.URL.Path == "/large" {
			size = 1001
		}
		var out io.Writer = w
		if r.URL.Query().Has("zip") {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			defer zip.Close()
			out = zip
		}
		_, _ = io.WriteString(out, strings.Repeat("a", size))
	})
	client := sources.NewClient(sources.ClientOptions{MaxBody: 1000})
	for _, how := range []string{"", "?zip"} {
		resp, _, err := get(t, client, srv.URL+"/exact"+how)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 1000 {
			t.Errorf("%q: a body as long as the limit: %d bytes, %v", how, len(body), err)
		}
		resp, _, err = get(t, client, srv.URL+"/large"+how)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		var tooLarge *sources.BodyTooLargeError
		if !errors.As(err, &tooLarge) || len(body) != 1000 {
			t.Errorf("%q: a byte more: %d bytes, %v; want 1000 and a BodyTooLargeError", how, len(body), err)
		}
	}
}

func TestCredentialsDoNotFollowARedirectToAnotherPlace(t *testing.T) {
	reached := 0
	other := serve(t, func(http.ResponseWriter, *http.Request) { reached++ })
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/here":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		}
	})
	client := sources.NewClient(sources.ClientOptions{})
	var redirect *sources.RedirectError
	if _, _, err := get(t, client, srv.URL+"/away"); !errors.As(err, &redirect) || reached != 0 {
		t.Errorf("a redirect to another host: %v, %d requests there; want a RedirectError and none", err, reached)
	}
	if _, _, err := get(t, client, srv.URL+"/round"); !errors.As(err, &redirect) {
		t.Errorf("a redirect in a circle: %v, want a RedirectError", err)
	}
	resp, meter, err := get(t, client, srv.URL+"/here")
	if err != nil || resp.Request.URL.Path != "/end" {
		t.Errorf("a redirect on the same host: %v", err)
	}
	if meter.Calls() != 2 {
		t.Errorf("a followed redirect counts as %d requests, want 2", meter.Calls())
	}
}

func TestEveryRequestCountsForAllMetersAroundIt(t *testing.T) {
	var agent string
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		agent = r.Header.Get("User-Agent")
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	outer, around := sources.Metered(t.Context())
	inner, within := sources.Metered(outer)
	client := sources.NewClient(sources.ClientOptions{Version: "1.2.3"})
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(inner, http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var status *sources.StatusError
	if err := sources.CheckStatus(resp); !errors.As(err, &status) || status.Status != 429 || status.RetryAfter.Seconds() != 9 || len(status.Body) > 8<<10 {
		t.Errorf("CheckStatus: %v", err)
	}
	for name, m := range map[string]*sources.Meter{"inner": within, "outer": around} {
		code, _, wait := m.Last()
		if m.Calls() != 1 || code != 429 || wait.Seconds() != 9 {
			t.Errorf("the %s meter says %d calls, last %d, %s", name, m.Calls(), code, wait)
		}
	}
	if agent != "onsale/1.2.3" {
		t.Errorf("User-Agent %q", agent)
	}
}
