package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/common/config"

	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/sale"
)

const (
	awsSecret = "rehearsed-secret"
	workspace = "ws-7e5ee0a1"
	wsPath    = "/workspaces/" + workspace
)

func signing(key, secret, region string) *Signing {
	return &Signing{Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), Region: region, Service: ManagedService}
}

// recorded keeps the parameters of every request, wherever they stand, and the headers.
type recorded struct {
	next http.Handler

	mu      sync.Mutex
	forms   []url.Values
	headers []http.Header
	paths   []string
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_ = req.ParseForm()
	r.mu.Lock()
	r.forms, r.headers, r.paths = append(r.forms, req.Form), append(r.headers, req.Header), append(r.paths, req.URL.Path)
	r.mu.Unlock()
	r.next.ServeHTTP(w, req)
}

func (r *recorded) serve(t *testing.T) string {
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestEveryRequestToManagedPrometheusIsSignedAsAWSVerifiesIt(t *testing.T) {
	for _, c := range []struct {
		what    string
		signing *Signing
		class   sale.Class // "": it is let in
		text    string
		hint    string
	}{
		{"the right key", signing(rehearsed.AccessKey, awsSecret, "eu-central-1"), "", "", ""},
		{"a wrong secret", signing(rehearsed.AccessKey, "canary-secret", "eu-central-1"), sale.Auth, "signature we calculated does not match", "this machine's clock"},
		{"an unknown key", signing("AKIASOMEBODY", awsSecret, "eu-central-1"), sale.Auth, "security token", "see the profile"},
		{"another region", signing(rehearsed.AccessKey, awsSecret, "us-east-1"), sale.Auth, "scoped to a valid region", "the region"},
		{"another service", &Signing{Credentials: credentials.NewStaticCredentialsProvider(rehearsed.AccessKey, awsSecret, ""), Region: "eu-central-1", Service: CloudWatchService}, sale.Auth, "correct service: 'aps'", ""},
		{"no signature", nil, sale.Auth, "missing Authentication Token", "auth: {sigv4:"},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := serveEngine(t, shopLoad, 20*time.Minute)
			seen := &recorded{next: rehearsed.NewManagedPrometheus("eu-central-1", workspace, e, rehearsed.WithSecret(awsSecret))}
			srv := httptest.NewServer(seen.next)
			defer srv.Close()
			s := mustNew(t, Options{
				URL: srv.URL + wsPath, Signing: c.signing, Secrets: []string{"canary-secret"}, MostSamples: 5000,
				Queries: tickets(3), History: 10 * time.Minute, Step: 15 * time.Second,
			})
			b := readOne(t, s)
			if c.class == "" {
				if b.Problem != nil || delivered(b) != 3 {
					t.Fatalf("%v %v", b.Problem, b.Missing)
				}
				if past := readOne(t, s); len(past.Readings) < 100 {
					t.Errorf("%d points of history: %v", len(past.Readings), past.Warnings)
				}
				return
			}
			if b.Problem == nil || b.Problem.Class != c.class || !strings.Contains(b.Problem.Text, c.text) || !strings.Contains(b.Problem.Hint, c.hint) {
				t.Errorf("got %+v", b.Problem)
			}
			if strings.Contains(fmt.Sprint(b), "canary") {
				t.Errorf("a secret is in %+v", b)
			}
			if c.signing != nil && b.Calls != 1 {
				t.Errorf("%d requests, want 1: what AWS refuses by POST it refuses by GET", b.Calls)
			}
		})
	}
}

func TestASignedSourceReadsItsRulesToo(t *testing.T) {
	rules := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"groups":[{"rules":[{"type":"alerting","name":"Slow","state":"inactive","health":"ok","alerts":[]}]}]}}`)
	})
	srv := httptest.NewServer(rehearsed.NewManagedPrometheus("eu-central-1", workspace, rules, rehearsed.WithSecret(awsSecret)))
	defer srv.Close()
	s, err := NewAlerts(Options{Name: "rules", URL: srv.URL + wsPath, Signing: signing(rehearsed.AccessKey, awsSecret, "eu-central-1")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.wire.client.CloseIdleConnections()
	if b := s.Read(t.Context(), time.Now()); b.Problem != nil || len(b.Alarms) != 1 {
		t.Errorf("%v %v", b.Problem, b.Alarms)
	}
}

func TestALoginThatHasRunOutIsToldAndNothingIsSent(t *testing.T) {
	seen := &recorded{next: http.NotFoundHandler()}
	expired := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the SSO session has expired or is invalid")
	}))
	b := readOne(t, mustNew(t, Options{URL: seen.serve(t), Queries: tickets(1), Signing: &Signing{Credentials: expired, Region: "eu-central-1", Service: ManagedService}}))
	if b.Problem == nil || b.Problem.Class != sale.Auth || !strings.Contains(b.Problem.Text, "SSO session has expired") || !strings.Contains(b.Problem.Hint, "aws sso login") {
		t.Errorf("%+v", b.Problem)
	}
	if len(seen.forms) != 0 {
		t.Errorf("%d requests went out without a signature", len(seen.forms))
	}
}

func TestARealPrometheusBehindAWSAndATenantsGate(t *testing.T) {
	r := startReal(t)
	target, _ := url.Parse("http://" + r.addr)
	proxy := httputil.NewSingleHostReverseProxy(target)
	tenants := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if got := req.Header.Get("X-Scope-OrgID"); got != "shop|edge" {
			http.Error(w, "no org id", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, req)
	})
	srv := httptest.NewServer(rehearsed.NewManagedPrometheus("eu-central-1", workspace, tenants, rehearsed.WithSecret(awsSecret)))
	defer srv.Close()
	o := Options{
		URL: srv.URL + wsPath + "/", Signing: signing(rehearsed.AccessKey, awsSecret, "eu-central-1"), MostSamples: 1000,
		Queries: queriesOf([]string{`sum(shop_tickets_left)`, `histogram_quantile(0.5, sum by (le) (shop_latency_seconds_bucket))`}),
	}
	if b := readOne(t, mustNew(t, o)); b.Problem == nil || b.Problem.Class != sale.Auth || !strings.Contains(b.Problem.Hint, "tenants: [NAME]") {
		t.Errorf("without a tenant: %+v", b.Problem)
	}
	o.HTTP = &config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Values: []string{"shop|edge"}}}}}
	s := mustNew(t, o)
	r.until("the shop has been scraped", func() bool { b := readOne(t, s); return b.Problem == nil && delivered(b) == 2 })
}

func TestGrafanaCloudIsAPathAUserAndAToken(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	seen := &recorded{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, token, _ := r.BasicAuth(); id != "123456" || token != "glc_canary" {
			writeError(w, http.StatusUnauthorized, "unauthorized", "invalid authentication credentials: "+token)
			return
		}
		e.ServeHTTP(w, r)
	})}
	base := seen.serve(t) + "/api/prom"
	login := func(token config.Secret) *config.HTTPClientConfig {
		return &config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "123456", Password: token}}
	}
	if b := readOne(t, mustNew(t, Options{URL: base, Queries: tickets(1), HTTP: login("glc_canary")})); b.Problem != nil || seen.paths[0] != "/api/prom/api/v1/query" {
		t.Errorf("%v at %v", b.Problem, seen.paths)
	}
	b := readOne(t, mustNew(t, Options{URL: base, Queries: tickets(1), HTTP: login("wrong-canary")}))
	if b.Problem == nil || b.Problem.Class != sale.Auth || strings.Contains(b.Problem.Text, "canary") {
		t.Errorf("%+v", b.Problem)
	}
}

func TestWhatOnlyThanosAndAWSUnderstandGoesWithEveryQueryAndOnlyWhenDeclared(t *testing.T) {
	yes, no := true, false
	names := []string{"dedup", "partial_response", "max_samples_processed_warning_threshold", "max_samples_processed_error_threshold"}
	for _, byGet := range []bool{false, true} {
		e := serveEngine(t, shopLoad, 20*time.Minute)
		seen := &recorded{next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if byGet && r.Method == http.MethodPost {
				http.Error(w, "read only", http.StatusForbidden)
				return
			}
			e.ServeHTTP(w, r)
		})}
		address := seen.serve(t)
		for _, c := range []struct {
			o    Options
			want []string
		}{
			{Options{}, []string{"", "", "", ""}},
			{Options{Dedup: &yes, PartialResponse: &no, WarnSamples: 10, MostSamples: 20}, []string{"true", "false", "10", "20"}},
		} {
			seen.forms = nil
			c.o.URL, c.o.Queries, c.o.History = address, tickets(2), 10*time.Minute
			s := mustNew(t, c.o)
			for range 2 {
				if b := readOne(t, s); b.Problem != nil || delivered(b) != 2 {
					t.Fatalf("%v %v", b.Problem, b.Missing)
				}
			}
			for _, form := range seen.forms {
				for i, name := range names {
					if form.Get(name) != c.want[i] {
						t.Errorf("get %v: %s is %q, want %q", byGet, name, form.Get(name), c.want[i])
					}
				}
				if form.Get("query") == "" {
					t.Errorf("a request lost its query: %v", form)
				}
			}
		}
	}
}

func TestAQueryThatWouldProcessTooManySamplesIsNamedAndTheOthersAreRead(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("query"), "[19m]") {
			writeError(w, http.StatusUnprocessableEntity, "execution", "query rejected: max_samples_processed_error_threshold of "+r.FormValue("max_samples_processed_error_threshold")+" exceeded")
			return
		}
		e.ServeHTTP(w, r)
	}))
	defer srv.Close()
	s := mustNew(t, Options{URL: srv.URL, MostSamples: 900, Queries: append(tickets(3), Query{Key: sale.Key{Sale: "harbour", Signal: "dear"}, Expr: `sum(count_over_time(shop_orders_total[19m]))`})})
	b := readOne(t, s)
	if b.Problem != nil || delivered(b) != 3 || len(b.Missing) != 1 {
		t.Fatalf("%v %+v", b.Problem, b.Missing)
	}
	if p := b.Missing[0].Problem; p.Class != sale.BadData || !strings.Contains(p.Text, "of 900 exceeded") || !strings.Contains(p.Hint, "not billed") {
		t.Errorf("%+v", p)
	}
}

func TestAPartialAnswerIsANoteOnEverySaleThatReadsIt(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	warning := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, r)
		said, _ := json.Marshal([]string{warning})
		body := strings.Replace(answer.Body.String(), `"warnings":[]`, `"warnings":`+string(said), 1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, body)
	}))
	defer srv.Close()
	queries := tickets(2)
	queries = append(queries, Query{Key: sale.Key{Sale: "quay", Signal: "x"}, Expr: queries[0].Expr})
	s := mustNew(t, Options{URL: srv.URL, Queries: queries})
	for _, c := range []struct {
		warning string
		noted   bool
	}{
		{"receive series from Addr: sidecar-1:10901 LabelSets: {replica=\"a\"}: rpc error: code = Unavailable\u001b[31m", true},
		{"No StoreAPIs matched for this query", true},
		{"PromQL warning: encountered a mix of histograms and floats", false},
		{"query exceeded the warning threshold of 1000 samples processed", false},
	} {
		warning = c.warning
		b := readOne(t, s)
		var whose []string
		for _, n := range b.Notes {
			whose = append(whose, string(n.Sale))
			if n.Code != "partial" || !strings.Contains(n.Text, "metrics answers in part") || strings.ContainsRune(n.Text, 0x1b) {
				t.Errorf("%+v", n)
			}
		}
		if got := slices.Equal(whose, []string{"harbour", "quay"}); got != c.noted || !got && len(whose) > 0 {
			t.Errorf("%q: notes for %v", c.warning, whose)
		}
		if len(b.Warnings) != 1 {
			t.Errorf("%q: warnings %q", c.warning, b.Warnings)
		}
	}
}

func TestRangesBeginAndEndAtMultiplesOfTheirStepSince1970(t *testing.T) {
	at := time.Date(2026, 12, 1, 10, 0, 5, 250e6, time.UTC)
	for _, step := range []time.Duration{time.Second, 7 * time.Second, 15 * time.Second, 17 * time.Second, 61 * time.Second, time.Hour} {
		h := history{step: step, from: at.Add(-26 * time.Hour), to: at}
		for _, r := range h.stretches() {
			if s := step.Milliseconds(); r.Start.UnixMilli()%s != 0 || r.End.UnixMilli()%s != 0 || r.End.Before(r.Start) {
				t.Errorf("step %s: %s to %s", step, r.Start, r.End)
			}
			if r.Start.Before(h.from) || r.End.After(h.to) {
				t.Errorf("step %s: %s to %s is beyond what is wanted", step, r.Start, r.End)
			}
		}
	}
}

func TestCloudWatchIsAskedOnlyByTheNameOfAMetric(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	seen := &recorded{next: e}
	o := Options{
		URL: seen.serve(t), Signing: signing("AKIAEXAMPLE", "s", "eu-central-1"), Lookback: time.Minute,
		Queries: queriesOf([]string{`sum({__name__="shop_tickets_left"})`, `sum({"shop_tickets_left"})`, `sum({sale="quay"})`, `sum({__name__=~"shop_.+"})`, `sum(shop_tickets_left) / count({sale="quay"})`}),
	}
	o.Signing.Service = CloudWatchService
	b := readOne(t, mustNew(t, o))
	for i, q := range o.Queries {
		refused := strings.Contains(outcome(b, q.Key), "only by a metric's name")
		if refused != (i >= 2) || refused != (Unfit(CloudWatchService, q.Expr) != nil) || Unfit(ManagedService, q.Expr) != nil {
			t.Errorf("%s: %s", q.Expr, outcome(b, q.Key))
		}
	}
	for _, form := range seen.forms {
		for name := range form {
			if !slices.Contains([]string{"query", "time", "start", "end", "step", "limit"}, name) {
				t.Errorf("CloudWatch knows no parameter %q", name)
			}
		}
		if strings.Contains(form.Get("query"), `{sale="quay"}`) {
			t.Errorf("asked: %s", form.Get("query"))
		}
	}
}

func TestAnAnswerThatCloudWatchCutIsNeverTakenForTheWholeOne(t *testing.T) {
	load := "load 15s\n"
	for i := range 600 {
		load += fmt.Sprintf("	pod_up{pod=\"%d\"} 1x80\n", i)
	}
	e := serveEngine(t, load+"	shop_tickets_left 700x80\n", 20*time.Minute)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, r)
		_, _ = w.Write(cutAt(t, answer.Body.Bytes(), cloudWatchSeries))
	}))
	defer srv.Close()
	o := Options{URL: srv.URL, Signing: signing("AKIAEXAMPLE", "s", "eu-central-1"), Queries: append(queriesOf([]string{"pod_up"}), tickets(300)[1:]...)}
	o.Signing.Service = CloudWatchService
	s := mustNew(t, o)
	b := readOne(t, s)
	for range 4 { // to find it may take some polls
		b = readOne(t, s)
	}
	if got := outcome(b, o.Queries[0].Key); !strings.Contains(got, "500 series or more") {
		t.Errorf("the one with too many: %s", got)
	}
	for _, q := range o.Queries[1:] {
		if got := outcome(b, q.Key); strings.HasPrefix(got, "not_found") || strings.HasPrefix(got, "failed") {
			t.Fatalf("%s: %s", q.Expr, got)
		}
	}
	if n := delivered(b); n != 299 {
		t.Errorf("%d of 299 are read: %v", n, b.Missing)
	}
}

// cutAt leaves the first n series of an answer.
func cutAt(t *testing.T, body []byte, n int) []byte {
	var answer struct {
		Status string `json:"status"`
		Data   struct {
			Type   string            `json:"resultType"`
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Error(err)
	}
	answer.Data.Result = answer.Data.Result[:min(n, len(answer.Data.Result))]
	cut, err := json.Marshal(answer)
	if err != nil {
		t.Error(err)
	}
	return cut
}
