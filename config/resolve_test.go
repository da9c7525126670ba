package config

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// mustParse reads a config that must be good.
func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("onsale.yaml", []byte(text), fixtureEnvironment())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func spec(t *testing.T, s *Sale, name sale.Signal) sale.Spec {
	t.Helper()
	for _, spec := range s.Signals {
		if spec.Signal == name {
			return spec
		}
	}
	t.Fatalf("the sale %q has no signal %q", s.ID, name)
	return sale.Spec{}
}

func read(t *testing.T, s *Sale, name sale.Signal) Read {
	t.Helper()
	for _, r := range s.Reads {
		if r.Signal == name {
			return r
		}
	}
	t.Fatalf("the sale %q reads no signal %q", s.ID, name)
	return Read{}
}

func shippedExample(t *testing.T) *Config {
	t.Helper()
	c, err := fixture(t, "testdata/good/shipped-template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheShippedTemplateGivesASaleEverySignalInDisplayOrder(t *testing.T) {
	s, ok := shippedExample(t).Sale("harbour")
	if !ok {
		t.Fatal("no sale")
	}
	var got []string
	for _, spec := range s.Signals {
		got = append(got, string(spec.Signal))
		if spec.Label == "" || spec.Unit == "" || spec.Group == "" {
			t.Errorf("%s: %+v", spec.Signal, spec)
		}
		if spec.Constant == nil && (spec.Source == "" || spec.Cadence.Period <= 0) {
			t.Errorf("%s has no cadence: %+v", spec.Signal, spec)
		}
	}
	want := "waiting inflow_rate admission_rate admission_limit active_users active_limit wait_seconds holds checkout_rate order_rate " +
		"payment_failure_ratio payment_p95_seconds tickets_left tickets_held request_rate error_ratio latency_p95_seconds edge_error_ratio " +
		"db_connections db_connections_max db_cpu_ratio queue_depth queue_oldest_seconds capacity_in_service capacity_desired capacity_min capacity_max"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if len(s.Reads) != len(s.Signals)-1 {
		t.Errorf("%d reads for %d signals, of which one is a constant", len(s.Reads), len(s.Signals))
	}
	for _, p := range s.Panels {
		for _, name := range p.Signals {
			if name == "cache_hit_ratio" {
				t.Error("a panel shows a removed signal")
			}
		}
	}
}

func TestASaleSaysItsOwnTimesAndThreshold(t *testing.T) {
	c := shippedExample(t)
	s, _ := c.Sale("harbour")
	opens := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	if !s.Opens.Equal(opens) || !s.Prequeue.Equal(opens.Add(-30*time.Minute)) || !s.Closes.Equal(opens.Add(150*time.Minute)) || s.Tickets != 15200 {
		t.Errorf("got %v %v %v %d", s.Prequeue, s.Opens, s.Closes, s.Tickets)
	}
	if s.Digit != 2 { // tide opens the day before
		t.Errorf("digit %d", s.Digit)
	}
	decl := spec(t, s, sale.PaymentFailureRatio)
	if decl.Runbook != "runbooks/payment.md" || decl.Rules.Watch.Default == nil || decl.Rules.Watch.Default.Limit != 0.02 {
		t.Errorf("got %+v", decl)
	}
	if decl.Needed != nil {
		t.Error("a whole replacement keeps nothing of the inherited signal")
	}
	if r := decl.Rules.Bad.In(sale.Opening); r == nil || r.Limit != 0.08 || r.For != time.Minute {
		t.Errorf("got %+v", r)
	}
	if decl.Rules.Bad.In(sale.Tail) != nil {
		t.Error("a rule per phase holds in that phase alone")
	}
	latency := spec(t, s, sale.LatencyP95)
	if latency.Rules.Watch.Default.Limit != 2 || len(latency.Needed) != 2 || read(t, s, sale.LatencyP95).Prometheus == nil {
		t.Errorf("an adjusted signal keeps the rest: %+v", latency)
	}
	if latency.Rules.Bad.In(sale.Live).Limit != 4 || latency.Rules.Bad.In(sale.Closed) != nil {
		t.Errorf("default and null per phase: %+v", latency.Rules.Bad)
	}

	tide, _ := c.Sale("tide")
	errs := spec(t, tide, sale.ErrorRatio)
	if errs.Rules.Watch.Default != nil || errs.Rules.Bad.Default == nil || errs.Needed != nil || errs.Label != "5xx" {
		t.Errorf("null takes away, the rest stays: %+v", errs)
	}
	if q := read(t, tide, sale.PaymentFailureRatio).Prometheus.Query; !strings.Contains(q, `shop="tide"`) || !strings.Contains(q, `"/pay$"`) {
		t.Errorf("got %s", q)
	}
	if r := read(t, tide, sale.Waiting).WaitingRoom; r.Room != "0123456789" {
		t.Errorf("a digit was lost: %q", r.Room)
	}
	if v := spec(t, tide, sale.DBConnectionsMax).Constant; v == nil || *v != 400 {
		t.Errorf("got %v", v)
	}
	if len(tide.Objectives) != 3 || tide.Objectives[1].Below == nil || *tide.Objectives[1].Below != 1.5 || tide.Objectives[0].Target != 0.999 {
		t.Errorf("got %+v", tide.Objectives)
	}
}

func TestEachKindOfReadIsResolved(t *testing.T) {
	c, err := fixture(t, "testdata/good/every-source.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := &c.Sales[0]
	for name, want := range map[sale.Signal]string{
		"carts":       `{"Metrics":{"m":{"Namespace":"Shop/Web","Metric":"Carts","Dimensions":{"Shop":"12"},"Statistic":"Average","Account":"471122083345"}},"Expression":"","Period":10000000000,"MissingZero":true,"Band":2.5,"Region":"eu-central-1"}`,
		"slow_ratio":  `{"Metrics":{"r":{"Namespace":"AWS/ApplicationELB","Metric":"RequestCount","Dimensions":null,"Statistic":"Sum","Account":"471122083346"},"s":{"Namespace":"Shop/Web","Metric":"Slow","Dimensions":null,"Statistic":"Sum","Account":"471122083347"}},"Expression":"IF(r \u003e 0, FILL(s, 0) / r, 0)","Period":60000000000,"MissingZero":false,"Band":0,"Region":"us-east-1"}`,
		"queue_depth": `{"Queue":"orders","Attribute":"visible"}`,
		"stuck":       `{"Queue":"dead","Attribute":"in_flight"}`,
		"gate_shut":   `{"Room":"699d98642c564d2e855e9661899b7252","Field":"queue_all"}`,
		"at_the_door": `{"Expr":"[.rooms[] | select(.open) | .waiting as $n | $n] | add","Field":"","Boolean":false}`,
		"door_open":   `{"Expr":".open","Field":"","Boolean":true}`,
		"redirects":   `{"Expr":"","Field":"redirects_last_minute","Boolean":false}`,
		"in_line":     `{"Key":"waiting:harbour","Field":"sorted_set_size","Consumers":"","MissingZero":true}`,
		"behind":      `{"Key":"orders","Field":"group_lag","Consumers":"shop","MissingZero":false}`,
		"hits":        `{"Query":"label_replace(sum(x), \"a\", \"$1\", \"b\", \"(.*)$\")"}`,
	} {
		r := read(t, s, name)
		var one any
		for _, p := range []any{r.CloudWatch, r.SQS, r.WaitingRoom, r.Prometheus, r.HTTPJSON, r.Redis} {
			if b, err := json.Marshal(p); err == nil && string(b) != "null" {
				if one != nil {
					t.Errorf("%s is read in two ways", name)
				}
				one = string(b)
			}
		}
		if one != want {
			t.Errorf("%s:\n got %s\nwant %s", name, one, want)
		}
	}
	for name, want := range map[sale.Signal]sale.Cadence{
		"order_rate": {Period: 5 * time.Second}, "queue_depth": {Period: 10 * time.Second},
		"carts":      {Period: 10 * time.Second, Delay: 90 * time.Second},
		"slow_ratio": {Period: time.Minute, Delay: 90 * time.Second},
		"busiest":    {Period: 5 * time.Minute, Delay: 90 * time.Second},
		"redirects":  {Period: time.Minute}, "unacked": {Period: 10 * time.Second}, "door_open": {Period: time.Minute}, "in_line": {Period: 5 * time.Second},
		"waiting": {Period: 30 * time.Second, Delay: 50 * time.Second}, "gate_shut": {Period: 30 * time.Second, Delay: 50 * time.Second},
	} {
		if got := spec(t, s, name).Cadence; got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for name, want := range map[sale.Signal]bool{"waiting": true, "gate_shut": false, "queue_depth": true, "order_rate": false} {
		if got := spec(t, s, name).Estimate; got != want {
			t.Errorf("%s: estimate is %v", name, got)
		}
	}
	if got := len(spec(t, s, "order_rate").Needed); got != len(sale.Phases()) {
		t.Errorf("needed: true means %d phases", got)
	}
	if c.Account != "471122083344" || c.LinkHosts[1] != "grafana.example" || c.Limits != (sale.Limits{Points: 600, Keep: 2 * time.Hour}) {
		t.Errorf("got %+v", c)
	}
}

func TestAPartOfAFigureSaysOfWhichAndWhatItIsCalled(t *testing.T) {
	c := mustParse(t, `
environment: staging
sources:
  metrics: {kind: prometheus, url: "http://127.0.0.1:9090"}
sales:
  - id: club
    name: Club Night
    opens: 2026-12-01T10:00:00+01:00
    signals:
      payment_failure_ratio: {from: metrics, query: declines}
      declines_a: {from: metrics, query: a, unit: ratio, splits: payment_failure_ratio, part: "payment\u200b provider A"}
`)
	for _, s := range c.Sales[0].Signals {
		switch {
		case s.Signal == "declines_a" && (s.Splits != sale.PaymentFailureRatio || s.Part != "payment provider A"):
			t.Errorf("%+v", s)
		case s.Signal != "declines_a" && (s.Splits != "" || s.Part != ""):
			t.Errorf("%+v", s)
		}
	}
}

func TestDigitsGoToTheFirstNineByOpeningTime(t *testing.T) {
	var b strings.Builder
	b.WriteString("environment: x\nsources: {p: {kind: prometheus, url: https://p.example}}\nsales:\n")
	for i := range 12 {
		fmt.Fprintf(&b, "  - {id: s%d, name: s, opens: 2026-12-%02dT10:00:00Z, signals: {x: {from: p, query: up}}}\n", i, 20-i)
	}
	c := mustParse(t, b.String())
	for i, s := range c.Sales {
		want := 12 - i
		if want > 9 {
			want = 0
		}
		if s.Digit != want {
			t.Errorf("%s has the digit %d, want %d", s.ID, s.Digit, want)
		}
	}
}

func TestPanelsThatNobodyDeclaredAreTheShippedOnesAsFarAsTheyFit(t *testing.T) {
	c := mustParse(t, "environment: x\nsources: {p: {kind: prometheus, url: https://p.example}}\nsales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {checkout_rate: {from: p, query: up}, own: {from: p, query: up}}}]\n")
	if got := fmt.Sprint(c.Sales[0].Panels); got != "[{orders/min [checkout_rate]}]" {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsShownIsAConfigThatMeansTheSame(t *testing.T) {
	env := fixtureEnvironment()
	files := map[string]*fstest.MapFile{}
	for _, name := range []string{"kube-read", "kube-act"} {
		files["/conf/secrets/"+name] = &fstest.MapFile{Data: []byte("x"), Mode: 0o600}
	}
	for _, name := range []string{"ca", "cert", "key"} {
		files["/conf/secrets/"+name+".pem"] = &fstest.MapFile{Data: []byte("x"), Mode: 0o600}
	}
	files["/conf/books/payment.md"] = &fstest.MapFile{Data: []byte(paymentRunbook), Mode: 0o644}
	for _, path := range fixtures(t, "good") {
		c, err := fixture(t, path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.show(func(s Secret) string {
			name := fmt.Sprintf("/held/%x", s.Reveal())
			files[name] = &fstest.MapFile{Data: []byte(s.Reveal()), Mode: 0o600}
			return "${file:" + name + "}"
		})
		if err != nil {
			t.Fatal(err)
		}
		env.Open = outside(nil, files).Open
		again, err := Parse(c.Path, text, env)
		if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, text)
		}
		for i := range c.Sales { // the name of the template is not kept: what it gave is
			c.Sales[i].Template = ""
		}
		c.Warnings, again.Warnings = nil, nil
		a, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("%s:\n%s\n%s", path, a, b)
		}
	}
}

func TestALaterFindingIsToldAtItsPlace(t *testing.T) {
	c := shippedExample(t)
	lines := strings.Split(mustRead(t, "testdata/good/shipped-template.yaml"), "\n")
	for _, x := range []struct {
		path []string
		want string // what the line at the place holds
	}{
		{[]string{"sources", "gate", "token"}, "CF_READ_TOKEN"},
		{[]string{"sources", "aws"}, "aws:"},
		{[]string{"sales", "harbour", "signals", "payment_failure_ratio", "query"}, "payments_failed_total"},
		{[]string{"sales", "harbour", "signals", "waiting"}, "id: harbour"}, // the shipped template says it
		{[]string{"sales", "tide", "opens"}, "2026-11-30"},
		{[]string{"keys", "pause"}, "environment"}, // not in the file: the nearest place above
	} {
		p := c.At(x.path...)
		if p.File != "shipped-template.yaml" || p.Line < 1 || !strings.Contains(lines[p.Line-1], x.want) {
			t.Errorf("%v: got %v", x.path, p)
		}
	}
}

func mustRead(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
