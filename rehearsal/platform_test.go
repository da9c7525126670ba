package rehearsal

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"
)

// clock is a wall clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// fixture is a platform whose time moves only when the test says so.
type fixture struct {
	*Platform
	t      *testing.T
	clock  *clock
	client *http.Client
}

func open(t *testing.T, o Options) *fixture {
	t.Helper()
	c := &clock{at: time.Now()} // requests to AWS are signed by the real time
	o.Now = c.now
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.history == 0 {
		o.history = 8 * time.Minute // quicker than an hour under the race detector
	}
	p, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(p.certificate.pem)
	f := &fixture{Platform: p, t: t, clock: c, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}}}
	t.Cleanup(func() {
		if err := errors.Join(p.Stop(), p.Err()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// step moves the wall clock, the world and the scrapes on, second by second.
func (f *fixture) step(d time.Duration) {
	f.t.Helper()
	for range int(d / time.Second) {
		f.clock.mu.Lock()
		f.clock.at = f.clock.at.Add(time.Second)
		f.clock.mu.Unlock()
		f.catchUp()
		if err := f.scraper.Scrape(context.Background()); err != nil {
			f.t.Fatal(err)
		}
		f.judge(context.Background())
	}
}

// ask sends a request to a service; body "" is a GET.
func (f *fixture) ask(ctx context.Context, service, path, body string) (int, string, error) {
	base, err := f.URL(service)
	if err != nil {
		f.t.Fatal(err)
	}
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if service == Kubernetes {
		req.Header.Set("Authorization", "Bearer "+f.secrets.kubeRead)
	}
	if service == Cloudflare {
		req.Header.Set("Authorization", "Bearer "+f.secrets.cloudflareRead)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(out), err
}

// probes are one request to each service, and what a sound answer holds.
func probes() map[string][3]string {
	return map[string][3]string{
		Prometheus:     {"/api/v1/query?query=sum(shop_tickets_left)", "", `"success"`},
		CloudWatch:     {"/service/GraniteServiceVersion20100801/operation/GetMetricData", "x", "UnknownOperationException"},
		CloudWatchEdge: {"/service/GraniteServiceVersion20100801/operation/GetMetricData", "x", "UnknownOperationException"},
		SQS:            {"/", "{}", "UnknownOperationException"},
		STS:            {"/", "Action=GetCallerIdentity&Version=2011-06-15", "MissingAuthenticationToken"},
		Cloudflare:     {"/zones/023e105f4ecef8ad9ca31a8372d0c353/waiting_rooms", "", `"success":true`},
		Metrics:        {"", "", "shop_tickets_left"},
		Alertmanager:   {"/api/v2/status", "", `"versionInfo"`},

		AutoScaling:            {"/", "Action=DescribeAutoScalingGroups&Version=2011-01-01", "MissingAuthenticationToken"},
		ECS:                    {"/", "{}", "UnknownOperationException"},
		ApplicationAutoScaling: {"/", "{}", "UnknownOperationException"},
		ELB:                    {"/", "Action=DescribeTargetGroups&Version=2015-12-01", "MissingAuthenticationToken"},
		SSM:                    {"/", "{}", "UnknownOperationException"},
		PagerDuty:              {"/v2/enqueue", "{}", "invalid event"},
		Kubernetes:             {"/apis/apps/v1/namespaces/shop/deployments", "", `"juniper-web"`},

		Gate:       {"/gates/marble", "", "the token is missing"},
		QueueIt:    {"/2_0/event", "", "the api-key is missing"},
		Slack:      {"/services/nobody", "{}", "no_service"},
		Jira:       {"/v2/alerts", "{}", "Could not authenticate"},
		IncidentIO: {"/v2/alert_events/http/x", "{}", "missing_authorization_material"},
		Rootly:     {"/webhooks/incoming/generic_webhooks", "{}", "Unauthorized"},
	}
}

func TestEachServiceBreaksInEachKindAndMends(t *testing.T) {
	f := open(t, Options{Seed: 1})
	ctx := context.Background()
	for name, p := range probes() {
		sound := func(after string) {
			t.Helper()
			if _, body, err := f.ask(ctx, name, p[0], p[1]); err != nil || !strings.Contains(body, p[2]) {
				t.Errorf("%s after %s: %q, %v", name, after, body, err)
			}
		}
		sound("the start")
		for _, kind := range []string{Down, Error, Garbage, Throttle} {
			if err := f.Fault(name, kind); err != nil {
				t.Fatal(err)
			}
			status, body, err := f.ask(ctx, name, p[0], p[1])
			switch kind {
			case Down:
				if !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("%s is down and says %d, %v", name, status, err)
				}
			case Error:
				if status != 500 || body == "" {
					t.Errorf("%s fails with %d %q, %v", name, status, body, err)
				}
			case Garbage:
				if status != 200 || json.Valid([]byte(body)) || strings.Contains(body, p[2]) && name != Cloudflare && name != Prometheus {
					t.Errorf("%s sends %d %q as garbage", name, status, body)
				}
			case Throttle:
				if status != 429 && !strings.Contains(body, "Throttl") {
					t.Errorf("%s throttles with %d %q", name, status, body)
				}
			}
			if err := f.Fault(name, OK); err != nil {
				t.Fatal(err)
			}
			sound(kind)
		}
	}
}

func TestAHangingServiceAnswersOnceItIsMendedOrNotAtAll(t *testing.T) {
	f := open(t, Options{Seed: 1})
	for name, p := range probes() {
		if err := f.Fault(name, Hang); err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(context.Background())
		gone := make(chan error)
		go func() {
			_, _, err := f.ask(ctx, name, p[0], p[1])
			gone <- err
		}()
		answered := make(chan string)
		go func() {
			_, body, err := f.ask(context.Background(), name, p[0], p[1])
			answered <- fmt.Sprint(body, err)
		}()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("%s answered while it hung: %v", name, err)
		}
		select {
		case body := <-answered:
			t.Errorf("%s answered while it hung: %s", name, body)
		default:
		}
		if err := f.Fault(name, OK); err != nil {
			t.Fatal(err)
		}
		if body := <-answered; !strings.Contains(body, p[2]) {
			t.Errorf("%s, mended, says %q", name, body)
		}
	}
}

func TestAnotherServiceIsNotTouchedByAFault(t *testing.T) {
	f := open(t, Options{Seed: 1})
	for broken := range probes() {
		if err := f.Fault(broken, Down); err != nil {
			t.Fatal(err)
		}
		for name, p := range probes() {
			if _, body, err := f.ask(context.Background(), name, p[0], p[1]); name != broken && (err != nil || !strings.Contains(body, p[2])) {
				t.Errorf("with %s down, %s says %q, %v", broken, name, body, err)
			}
		}
		if err := f.Fault(broken, OK); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheControlTakesOrdersAndRefusesMistakes(t *testing.T) {
	f := open(t, Options{Seed: 1})
	for _, c := range []struct {
		path, body string
		status     int
		holds      string
	}{
		{"/", "", 200, `"scenario":"calm"`},
		{"/health", "", 200, "ok"},
		{"/scenarios", "", 200, "payment-degrades"},
		{"/truth", "", 200, `"tickets_left"`},
		{"/nope", "", 404, ""},
		{"/fault", `{"service":"sqs","kind":"hang"}`, 200, `"kind":"hang"`},
		{"/fault", `{"service":"sqs","kind":"ok"}`, 200, `"kind":"ok"`},
		{"/fault", `{"service":"sqs","kind":"tired"}`, 400, "tired"},
		{"/fault", `{"service":"mars","kind":"down"}`, 400, "mars"},
		{"/fault", `{"service":"control","kind":"down"}`, 400, "control"},
		{"/fault", `{"service":"sqs","kind":"down","why":"fun"}`, 400, "why"},
		{"/fault", `{} {}`, 400, ""},
		{"/fault", `down`, 400, ""},
		{"/time", `{"speed":4}`, 200, `"speed":4`},
		{"/time", `{"speed":0}`, 400, "speed"},
		{"/time", `{"speed":1e9}`, 400, "speed"},
		{"/time", `{}`, 400, "speed"},
	} {
		if status, body, err := f.ask(context.Background(), "control", c.path, c.body); err != nil || status != c.status || !strings.Contains(body, c.holds) {
			t.Errorf("%s %s: %d %s, %v", c.path, c.body, status, body, err)
		}
	}
	var done []string
	for _, e := range f.Truth().Ledger {
		if e.By == "control" {
			done = append(done, fmt.Sprint(e.What, " ", e.From, " ", e.To))
		}
	}
	if got := strings.Join(done, "; "); got != "fault sqs ok hang; fault sqs hang ok; speed 1 4" {
		t.Errorf("the ledger says %s", got)
	}
}

func TestTheFilesAreWrittenAndTakenAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a "folder" with čudno ime`)
	f := open(t, Options{Seed: 1, Dir: dir})
	for name, mode := range map[string]os.FileMode{"aws-secret": 0o600, "aws-act-secret": 0o600, "pagerduty-routing-key": 0o600, "pagerduty-token": 0o600, "gate-token": 0o600, "gate-secret": 0o600, "queue-it-key": 0o600, "slack-url": 0o600, "jira-key": 0o600, "incident-io-token": 0o600, "rootly-secret": 0o600, "redis-password": 0o600, calendarFile: 0o644, "kubernetes-token": 0o600, "kubernetes-write-token": 0o600, "cloudflare-token": 0o600, "cloudflare-write-token": 0o600, "onsale.yaml": 0o644, "platform.json": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "platform.json"))
	if err != nil {
		t.Fatal(err)
	}
	var where struct {
		Control  string            `json:"control"`
		Services map[string]string `json:"services"`
	}
	if err := json.Unmarshal(data, &where); err != nil || len(where.Services) != len(Services()) || where.Services[Prometheus] == "" || where.Control == "" {
		t.Errorf("platform.json holds %s", data)
	}
	var config struct {
		Account string
		Sources map[string]map[string]any
		Sales   []struct {
			ID, Name, Venue, Group  string
			Template                string
			Prequeue, Opens, Closes string
			Tickets                 int
			With                    map[string]any
		}
	}
	if err := yaml.Unmarshal(f.Config(), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Sales) != 6 || config.Sales[2].Name != "Crna Lanterna" || config.Sources["gate"]["url"] != where.Services[Cloudflare] {
		t.Errorf("the config reads as %+v", config)
	}
	if token := config.Sources["gate"]["token"]; token != "${file:"+dir+"/cloudflare-token}" {
		t.Errorf("the token is %v", token)
	}
	for _, s := range config.Sales {
		carried := map[string]string{"kestrel": "on_tasks", "saffron": "on_pods_hpa", "juniper": "on_pods_keda"}[s.ID]
		if carried == "" {
			carried = "on_instances"
		}
		opens, err := f.clock.now(), error(nil) // of a sale that the calendar dates
		if s.ID != Dated {
			opens, err = time.Parse(time.RFC3339, s.Opens)
		}
		if err != nil || s.Tickets == 0 || len(s.With) != 6 || s.Template != carried || opens.Sub(f.clock.now()).Abs() > 3*time.Hour {
			t.Errorf("a sale reads as %+v, %v", s, err)
		}
	}
	for _, secret := range []string{f.secrets.aws, f.secrets.awsAct, f.secrets.pagerKey, f.secrets.pagerToken, f.secrets.kubeRead, f.secrets.kubeWrite, f.secrets.cloudflareRead, f.secrets.cloudflareWrite, f.secrets.gateToken, f.secrets.gateRead, f.secrets.gateSecret, f.secrets.queueKey, f.secrets.slack, f.secrets.jiraKey, f.secrets.incidentIO, f.secrets.rootly, f.secrets.redis} {
		if bytes.Contains(f.Config(), []byte(secret)) || bytes.Contains(data, []byte(secret)) {
			t.Error("a secret stands in a file for everybody")
		}
	}
	if err := f.Stop(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSomebodysOwnConfigIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "onsale.yaml")
	if err := os.WriteFile(own, []byte("environment: production\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(context.Background(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), own) {
		t.Errorf("the start says %v", err)
	}
	if data, err := os.ReadFile(own); err != nil || string(data) != "environment: production\n" {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAMistakeInTheOptionsIsRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"scenario": {Scenario: "storm"}, "speed": {Speed: 1000}, "story": {Ahead: 2 * time.Hour}, "Speed": {Speed: -1},
	} {
		if p, err := Start(context.Background(), o); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(name)) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestNothingIsLeftAfterStopNorAfterTheContext(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, how := range []string{"stop", "context", "hanging"} {
		ctx, cancel := context.WithCancel(context.Background())
		p, err := Start(ctx, Options{Seed: 1, Scenario: "source-dark", history: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		addr := p.services[SQS].addr
		switch how {
		case "hanging":
			if err := p.Fault(SQS, Hang); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				if resp, err := client.Get("http://" + addr); err == nil {
					resp.Body.Close()
				}
			}()
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
			<-ended
		case "context":
			cancel()
		}
		if err := p.Stop(); err != nil { // waits for the end that the context began
			t.Error(err)
		}
		if _, err := os.Stat(p.Dir()); !os.IsNotExist(err) {
			t.Errorf("%s: the folder stays: %v", how, err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		if _, err := client.Get("http://" + addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: the port still answers: %v", how, err)
		}
		cancel()
	}
	goleak.VerifyNone(t, before)
}

func TestTheDarkSourceGoesDownAndComesBack(t *testing.T) {
	f := open(t, Options{Seed: 1, Scenario: "source-dark"})
	dark := func() bool {
		_, _, err := f.ask(context.Background(), Prometheus, "/-/ready", "")
		return err != nil
	}
	for _, s := range []struct {
		run  time.Duration
		dark bool
	}{{40 * time.Second, false}, {6 * time.Second, true}, {4 * time.Minute, true}, {time.Minute, false}} {
		if f.step(s.run); dark() != s.dark {
			t.Errorf("at %s it is dark: %v", f.world.Story(), !s.dark)
		}
	}
}

func TestTheDarkSourceCanBeMendedByHandAndStaysMended(t *testing.T) {
	f := open(t, Options{Seed: 1, Scenario: "source-dark", Ahead: time.Minute})
	if _, _, err := f.ask(context.Background(), Prometheus, "/-/ready", ""); err == nil {
		t.Fatal("a minute into the story it should be dark")
	}
	if err := f.Fault(Prometheus, OK); err != nil {
		t.Fatal(err)
	}
	f.step(30 * time.Second)
	if status, _, err := f.ask(context.Background(), Prometheus, "/-/ready", ""); status != 200 {
		t.Errorf("mended, it says %d, %v", status, err)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p, err := Start(context.Background(), Options{Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := p.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
