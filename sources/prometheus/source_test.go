package prometheus

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/onsale-dev/onsale/sale"
	"github.com/prometheus/common/config"
)

// tickets makes n queries of which the shop of shopLoad has the series.
func tickets(n int) []Query {
	exprs := make([]string, n)
	for i := range exprs {
		exprs[i] = fmt.Sprintf(`sum(shop_tickets_left) + %d`, i)
	}
	return queriesOf(exprs)
}

func delivered(b sale.Batch) int {
	keys := map[sale.Key]bool{}
	for _, r := range b.Readings {
		keys[r.Key] = true
	}
	return len(keys)
}

func TestOneBadQueryIsFoundOnceAndTheOthersStayTogether(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := tickets(40)
	queries[17].Expr = `shop_orders_total * on(sale) shop_tickets_left * on(sale) group_left shop_orders_total` // refused only when it is evaluated
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	b := readOne(t, s)
	if got := delivered(b); got != 39 || b.Problem != nil {
		t.Fatalf("%d of 40 delivered, problem %v; want 39 in the very poll that met the bad one", got, b.Problem)
	}
	if first := len(e.requests()); first < 3 || first > 20 {
		t.Errorf("%d requests to find one of 40, want about twice the logarithm", first)
	}
	if text := outcome(b, queries[17].Key); !strings.HasPrefix(text, "bad_data: ") || !strings.Contains(text, "many-to-one matching must be explicit") {
		t.Errorf("the bad one says %q, want the server's own words", text)
	}
	asked := 0
	for range againAfter * 5 {
		b = readOne(t, s)
		if delivered(b) != 39 || outcome(b, queries[17].Key) == "" {
			t.Fatalf("a later poll: %d delivered, missing %v", delivered(b), b.Missing)
		}
		asked += len(e.requests())
	}
	if want := againAfter*5 + 5; asked != want {
		t.Errorf("%d requests in %d polls, want %d: one a poll and the bad one once in %d", asked, againAfter*5, want, againAfter)
	}
}

func TestManyBadQueriesAreFoundWithinAFewPollsAndCostNoSoundOne(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := tickets(300)
	for i := 7; i < 300; i += 31 {
		queries[i].Expr = fmt.Sprintf(`shop_orders_total * on(sale) shop_tickets_left + %d`, i)
	}
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	for poll := 1; ; poll++ {
		b := readOne(t, s)
		if n := len(e.requests()); n > extraRequests+1+len(s.suspects)+1 {
			t.Errorf("poll %d took %d requests", poll, n)
		}
		if delivered(b) == 290 && len(s.suspects) == 0 && len(b.Missing) == 10 {
			break
		}
		if poll == 8 {
			t.Fatalf("after %d polls: %d delivered, %d missing, %d groups still searched", poll, delivered(b), len(b.Missing), len(s.suspects))
		}
	}
}

func TestAServerThatRefusesEverythingIsItselfTheProblem(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	broken := true
	e.refuse = func(string) bool { return broken }
	s := mustNew(t, Options{URL: e.URL, Queries: append(tickets(50), Query{Key: sale.Key{Sale: "a", Signal: "b"}, Expr: "??"})})
	requests := 0
	for range againAfter {
		b := readOne(t, s)
		if b.Problem == nil || b.Problem.Class != sale.BadData || !strings.Contains(b.Problem.Text, "this server will not") {
			t.Fatalf("the poll says %+v", b.Problem)
		}
		requests += len(e.requests())
	}
	if most := 2*(againAfter+extraRequests) + 2; requests > most {
		t.Errorf("%d requests in %d polls, want it searched once", requests, againAfter)
	}
	broken = false
	if b := readOne(t, s); delivered(b) < 50 {
		t.Errorf("mended, and %d of 50 delivered by the next poll: %v", delivered(b), b.Problem)
	}
}

func TestAMendedQueryJoinsTheOthersAgain(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := tickets(8)
	queries[3].Expr = `sum(shop_tickets_left{sale="quay"})`
	broken := true
	e.refuse = func(query string) bool { return broken && strings.Contains(query, `{sale="quay"}`) }
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	if b := readOne(t, s); delivered(b) != 7 {
		t.Fatalf("%d delivered, want 7", delivered(b))
	}
	broken = false
	e.requests()
	for poll := range againAfter {
		if b := readOne(t, s); delivered(b) == 8 {
			for range againAfter + 1 { // its age, put aside with it, comes back by itself too
				readOne(t, s)
			}
			e.requests()
			if readOne(t, s); len(e.requests()) != 1 {
				t.Error("it is still asked apart")
			}
			return
		} else if poll == againAfter-1 {
			t.Errorf("not delivered %d polls after the server took it: %v", againAfter, b.Missing)
		}
	}
}

func TestAServerWithoutLabelsIsAskedOneByOne(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	e.refuse = func(query string) bool { return strings.Contains(query, "label_replace") }
	queries := tickets(6)
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	for range 3 {
		b := readOne(t, s)
		if delivered(b) != 6 {
			t.Fatalf("%d delivered, want 6 (%v)", delivered(b), b.Missing)
		}
	}
	e.requests()
	b := readOne(t, s)
	if n := len(e.requests()); n != 6 {
		t.Errorf("%d requests a poll, want one a signal", n)
	}
	if !slices.ContainsFunc(b.Warnings, func(w string) bool { return strings.Contains(w, "one request a signal") }) {
		t.Errorf("warnings %q do not say so", b.Warnings)
	}
}

func TestATimeoutIsNotSearchedForABadQuery(t *testing.T) {
	requests := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		writeError(w, http.StatusServiceUnavailable, "timeout", "query timed out in expression evaluation")
	}))
	defer srv.Close()
	b := readOne(t, mustNew(t, Options{URL: srv.URL, Queries: tickets(20)}))
	if b.Problem == nil || b.Problem.Class != sale.Timeout || b.Problem.Hint == "" {
		t.Errorf("the poll says %+v", b.Problem)
	}
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}

func TestALongQueryIsSplitAndAShorterLimitIsLearned(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	e.refuse = func(query string) bool { return strings.Count(query, "label_replace") > 30 }
	s := mustNew(t, Options{URL: e.URL, Queries: tickets(100)})
	for poll := 1; ; poll++ {
		b := readOne(t, s)
		n := len(e.requests())
		if delivered(b) == 100 && n == 101/s.maxTerms+1 && s.maxTerms <= 30 {
			break
		}
		if poll == 4 {
			t.Fatalf("after %d polls: %d delivered in %d requests of at most %d expressions", poll, delivered(b), n, s.maxTerms)
		}
	}
	if asked := s.standing(refused); len(asked) > 0 {
		t.Errorf("%d sound expressions were put aside", len(asked))
	}

	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.FormValue("query")) > 8<<10 {
			w.WriteHeader(http.StatusRequestURITooLong)
			return
		}
		e.ServeHTTP(w, r)
	}))
	defer srv.Close()
	e.refuse = nil
	s = mustNew(t, Options{URL: srv.URL, Queries: tickets(400)})
	for poll := 1; delivered(readOne(t, s)) < 400; poll++ {
		if poll == 5 {
			t.Fatalf("after %d polls the queries are still too long at %d bytes", poll, s.maxBytes)
		}
	}
}

func TestAProxyThatForbidsPostIsReadByGet(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			e := serveEngine(t, shopLoad, 20*time.Minute)
			methods := []string{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				methods = append(methods, r.Method)
				if r.Method != http.MethodGet {
					w.WriteHeader(status)
					return
				}
				e.ServeHTTP(w, r)
			}))
			defer srv.Close()
			s := mustNew(t, Options{URL: srv.URL, Queries: tickets(3)})
			for poll := range 2 {
				if b := readOne(t, s); delivered(b) != 3 {
					t.Fatalf("poll %d: %v", poll+1, b.Problem)
				}
			}
			if want := []string{"POST", "GET", "GET"}; !slices.Equal(methods, want) {
				t.Errorf("asked by %v, want %v", methods, want)
			}
		})
	}
}

func TestARealRefusalCostsASecondRequestOnlyOnce(t *testing.T) {
	requests := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(http.StatusForbidden)
	}))
	defer srv.Close()
	s := mustNew(t, Options{URL: srv.URL, Queries: tickets(3)})
	for range 5 {
		if b := readOne(t, s); b.Problem == nil || b.Problem.Class != sale.Auth {
			t.Fatalf("the poll says %+v", b.Problem)
		}
	}
	if requests != 6 {
		t.Errorf("%d requests in 5 polls, want 6", requests)
	}
}

func TestEqualExpressionsAreAskedOnce(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := tickets(2)
	queries[1].Expr = " " + queries[0].Expr + "\n"
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	if n := strings.Count(join(s.terms), `sum(shop_tickets_left) + 0`); n != 1 {
		t.Errorf("it is in the query %d times", n)
	}
	if b := readOne(t, s); delivered(b) != 2 {
		t.Errorf("%d delivered, want both", delivered(b))
	}
}

func TestADialectThatOurParserDoesNotKnowIsTheServersToJudge(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	foreign := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // this server knows WITH (…)
		r.Form.Set("query", strings.ReplaceAll(r.FormValue("query"), "WITH (x = 2) x", "2"))
		e.ServeHTTP(w, r)
	})
	srv := httptest.NewServer(foreign)
	defer srv.Close()
	queries := append(tickets(3), Query{Key: sale.Key{Sale: "harbour", Signal: "dialect"}, Expr: "WITH (x = 2) x"},
		Query{Key: sale.Key{Sale: "harbour", Signal: "nonsense"}, Expr: "sum(("})
	s := mustNew(t, Options{URL: srv.URL, Queries: queries})
	b := readOne(t, s)
	if got := outcome(b, queries[3].Key); got != "2" {
		t.Errorf("the dialect's expression: %s, want 2", got)
	}
	if got := outcome(b, queries[4].Key); !strings.HasPrefix(got, "bad_data: ") || !strings.Contains(got, "parse error") {
		t.Errorf("nonsense: %s, want the server's own words", got)
	}
	e.requests()
	if b := readOne(t, s); len(e.requests()) != 1 || outcome(b, queries[3].Key) != "2" {
		t.Error("an accepted expression did not join the others")
	}
}

func TestWhatCanNeverBeANumberIsNotAsked(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := queriesOf([]string{`shop_orders_total[1m]`, `"text"`, `sum(shop_tickets_left)`})
	s := mustNew(t, Options{URL: e.URL, Queries: queries})
	b := readOne(t, s)
	for i, want := range []string{"bad_data: a range of samples", "bad_data: a text", ""} {
		if got := outcome(b, queries[i].Key); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", queries[i].Expr, got)
		}
	}
	if n := len(e.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestWarningsOfTheServerAreSurfacedOnceEachWithoutPositions(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	b := readOne(t, mustNew(t, Options{URL: e.URL, Queries: queriesOf([]string{
		`sum(rate(shop_tickets_left[1m]))`, `sum(rate(shop_tickets_left{sale="quay"}[1m]))`,
	})}))
	if len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "might not be a counter") || strings.Contains(b.Warnings[0], "(1:") {
		t.Errorf("warnings: %q", b.Warnings)
	}
}

func TestAMisdeclaredSourceIsRefusedWithoutSpillingItsSecrets(t *testing.T) {
	one := tickets(1)
	for _, c := range []struct {
		what string
		o    Options
		want string
	}{
		{"no name", Options{URL: "http://x"}, "needs a name"},
		{"no scheme", Options{Name: "m", URL: "prometheus:9090"}, "http:// or https://"},
		{"not a url", Options{Name: "m", URL: "https://u:canary%zz@x"}, "the url is not one"},
		{"an empty query", Options{Name: "m", URL: "http://x", Queries: []Query{{Key: one[0].Key, Expr: " "}}}, "empty query"},
		{"one signal twice", Options{Name: "m", URL: "http://x", Queries: append(one, one...)}, "declared twice"},
		{"a signature without credentials", Options{Name: "m", URL: "https://x", Signing: &Signing{Region: "eu-central-1", Service: ManagedService}}, "needs credentials"},
		{"a signature for no service", Options{Name: "m", URL: "https://x", Signing: &Signing{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}}, "a region and a service"},
		{"a CA file that is not there", Options{Name: "m", URL: "https://x", HTTP: &config.HTTPClientConfig{TLSConfig: config.TLSConfig{CAFile: "/no/such/ca"}}}, "/no/such/ca"},
	} {
		_, err := New(c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

func TestEveryWayToLogInReachesTheServer(t *testing.T) {
	for _, c := range []struct {
		what   string
		o      Options
		header string
		want   string
	}{
		{"a user in the url", Options{URL: "http://reader:pass@"}, "Authorization", "Basic cmVhZGVyOnBhc3M="},
		{"a bearer token", Options{URL: "http://", HTTP: &config.HTTPClientConfig{Authorization: &config.Authorization{Type: "Bearer", Credentials: "t0ken"}}}, "Authorization", "Bearer t0ken"},
		{"a tenant", Options{URL: "http://", HTTP: &config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Values: []string{"a|b"}}}}}}, "X-Scope-Orgid", "a|b"},
		{"AWS, for Managed Prometheus", Options{URL: "http://", Signing: &Signing{Region: "eu-central-1", Service: ManagedService, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "s", "")}}, "Authorization", "/eu-central-1/aps/aws4_request"},
		{"AWS, for CloudWatch", Options{URL: "http://", Signing: &Signing{Region: "eu-central-1", Service: CloudWatchService, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "s", "")}}, "Authorization", "/eu-central-1/monitoring/aws4_request"},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := serveEngine(t, shopLoad, 20*time.Minute)
			var got, path string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got, path = r.Header.Get(c.header), r.URL.Path
				e.ServeHTTP(w, r)
			}))
			defer srv.Close()
			c.o.URL += strings.TrimPrefix(srv.URL, "http://") + "/tenant/prometheus/"
			c.o.Queries = tickets(1)
			if b := readOne(t, mustNew(t, c.o)); b.Problem != nil {
				t.Fatal(b.Problem)
			}
			if !strings.Contains(got, c.want) || path != "/tenant/prometheus/api/v1/query" {
				t.Errorf("%s: %q at %s, want %q", c.header, got, path, c.want)
			}
		})
	}
}

func TestSplittingLosesNothingAndKeepsItsLimits(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var terms []*term
		for i := range chance.IntN(60) {
			terms = append(terms, &term{id: strconv.Itoa(i), expr: strings.Repeat("x", 1+chance.IntN(400))})
		}
		bytes, most := 100+chance.IntN(2000), 1+chance.IntN(20)
		var back []*term
		for _, group := range split(terms, bytes, most) {
			if len(group) == 0 || len(group) > most || len(group) > 1 && len(join(group)) > bytes {
				t.Fatalf("a group of %d terms in %d bytes, limits %d and %d", len(group), len(join(group)), most, bytes)
			}
			back = append(back, group...)
		}
		if !slices.Equal(back, terms) {
			t.Fatalf("%d terms became %d", len(terms), len(back))
		}
	}
}

// canned answers every request with one body, without a network.
type canned struct {
	status int
	body   string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

func FuzzNoAnswerBreaksTheSource(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"onsale_query":"0"},"value":[1.5,"7"]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"onsale_query":"0"},"value":[1e300,"NaN"]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"onsale_query":"0"},"histogram":[1,{"count":"1","sum":"1","buckets":[[0,"1","2","1"]]}]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[null]}}`,
		`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`,
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"onsale_query":"0"},"values":[[1,"2"],[0,"1"]]}]}}`,
		`{"status":"error","errorType":"bad_data","error":"\u001b[31m"}`, `{`, `null`, "",
	} {
		f.Add(200, body)
		f.Add(400, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			status = 200
		}
		s, err := New(Options{
			Name: "m", URL: "http://127.0.0.1:1", Queries: append(tickets(2), Query{Key: sale.Key{Sale: "a", Signal: "b"}, Expr: "??"}),
			RoundTripper: canned{status, body}, History: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b := s.Read(t.Context(), time.Now())
			if b.Problem != nil && (b.Problem.Class == "" || b.Problem.Text == "") {
				t.Fatalf("%+v", b.Problem)
			}
			for _, r := range b.Readings {
				if !r.Valid() {
					t.Fatalf("%+v", r)
				}
			}
			if b.Problem == nil && delivered(b)+len(b.Missing) < 3 {
				t.Fatalf("something is neither delivered nor missing: %+v", b)
			}
		}
	})
}

func TestARefusalIsToldFromOtherErrors(t *testing.T) {
	if isRefused(errors.New("x")) || isTooLong(errors.New("x")) {
		t.Error("any error counts as a refusal")
	}
}
