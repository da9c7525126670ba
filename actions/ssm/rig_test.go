package ssm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/rehearsal/systems"
	"github.com/onsale-dev/onsale/sale"
)

const (
	region = "eu-central-1"
	secret = "canary-acting-secret-77e1"
)

// store is what the rehearsed Systems Manager keeps.
type store struct {
	mu         sync.Mutex
	parameters map[string]systems.Parameter
	items      []systems.OpsItem
}

func (s *store) Parameter(name string) (systems.Parameter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.parameters[name]
	return p, ok
}

func (s *store) PutParameter(name, _ string, put func(p *systems.Parameter, exists bool) error) (systems.Parameter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.parameters[name]
	p.Name = name
	if err := put(&p, ok); err != nil {
		return p, err
	}
	p.Version, p.Modified = p.Version+1, time.Now()
	s.parameters[name] = p
	return p, nil
}

func (s *store) OpsItems() []systems.OpsItem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]systems.OpsItem(nil), s.items...)
}

func (s *store) PutOpsItem(id, who string, put func(o *systems.OpsItem, all []systems.OpsItem) error) (systems.OpsItem, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		o := systems.OpsItem{ID: fmt.Sprintf("oi-%012x", len(s.items)+1), CreatedBy: who, Created: time.Now(), ModifiedBy: who, Modified: time.Now(), Version: 1}
		if err := put(&o, s.items); err != nil {
			return o, err
		}
		s.items = append(s.items, o)
		return o, nil
	}
	for i := range s.items {
		if s.items[i].ID == id {
			o := s.items[i]
			if err := put(&o, s.items); err != nil {
				return o, err
			}
			o.Version, o.Modified = o.Version+1, time.Now()
			s.items[i] = o
			return o, nil
		}
	}
	return systems.OpsItem{}, systems.ErrNoItem
}

// cloud is the rehearsed Systems Manager on loopback, with DescribeOpsItems added and faults in
// front of it.
type cloud struct {
	t     *testing.T
	store *store
	url   string

	mu      sync.Mutex
	fault   actiontest.Fault
	blind   bool
	writes  int
	calls   []call
	instead func(w http.ResponseWriter, target string) bool
	before  func(target string)
}

type call struct {
	target string
	header http.Header
	body   map[string]any
}

func begin(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, fault: actiontest.None, store: &store{parameters: map[string]systems.Parameter{
		"/shop/gate/rate": {Name: "/shop/gate/rate", Value: "800", Kind: "String", DataType: "text", Tier: "Standard", AllowedPattern: `\d{1,5}|off|on`, Version: 7, Modified: time.Now().Add(-time.Hour)},
		"/shop/gate/json": {Name: "/shop/gate/json", Value: `{"rate": 640}`, Kind: "String", DataType: "text", Tier: "Standard", Version: 1},
		"/shop/secret":    {Name: "/shop/secret", Value: "x", Kind: "SecureString", DataType: "text", Tier: "Standard", Version: 1},
	}}}
	real := rehearsed.NewSSM(region, c.store, rehearsed.WithSecret("reading-secret-of-nobody"), rehearsed.WithActSecret(secret))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(real, w, r) }))
	t.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

func (c *cloud) serve(real http.Handler, w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	target := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSSM.")
	write := strings.HasPrefix(target, "Put") || strings.HasPrefix(target, "Create") || strings.HasPrefix(target, "Update")
	made := call{target: target, header: r.Header.Clone()}
	_ = json.Unmarshal(data, &made.body)
	c.mu.Lock()
	c.calls = append(c.calls, made)
	fault, blind, instead, before := c.fault, c.blind, c.instead, c.before
	if write {
		c.writes++
		c.blind = c.blind || fault == actiontest.Blind
	}
	c.mu.Unlock()
	if before != nil {
		before(target)
	}
	switch {
	case instead != nil && instead(w, target):
	case !write && blind:
		panic(http.ErrAbortHandler)
	case target == "DescribeOpsItems":
		c.describe(w)
	case !write || fault == actiontest.None:
		real.ServeHTTP(w, r)
	case fault == actiontest.Lose || fault == actiontest.Blind:
		real.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case fault == actiontest.Reject:
		refuse(w, 400, "AccessDeniedException", "not authorized \x1b[2J with "+secret)
	case fault == actiontest.Break:
		refuse(w, 500, "InternalServerError", "An error occurred on the server side.")
	case fault == actiontest.Hang:
		<-r.Context().Done()
	case fault == actiontest.Ignore && target == "CreateOpsItem":
		answer(w, map[string]any{"OpsItemId": "oi-ffffffffffff"})
	case fault == actiontest.Ignore:
		answer(w, map[string]any{"Version": 99, "Tier": "Standard"})
	}
}

func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": text})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(v)
}

// describe answers DescribeOpsItems with everything that is unresolved, whoever made it.
func (c *cloud) describe(w http.ResponseWriter) {
	list := []map[string]any{}
	for _, o := range c.store.OpsItems() {
		data := map[string]any{}
		for name, d := range o.Data {
			data[name] = map[string]string{"Type": d.Type, "Value": d.Value}
		}
		list = append(list, map[string]any{"OpsItemId": o.ID, "Status": o.Status, "Source": o.Source, "Title": o.Title, "OperationalData": data})
	}
	answer(w, map[string]any{"OpsItemSummaries": list})
}

func (c *cloud) set(f actiontest.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
	if f == actiontest.None {
		c.blind = false
	}
}

func (c *cloud) wrote() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

func (c *cloud) last(target string) call {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.calls) - 1; i >= 0; i-- {
		if c.calls[i].target == target {
			return c.calls[i]
		}
	}
	c.t.Fatalf("%s was not called", target)
	return call{}
}

func (c *cloud) aws() AWS {
	return AWS{
		Config:   aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(rehearsed.ActKey, secret, "")},
		Endpoint: c.url, Secrets: []string{secret}, Profile: "onsale-act",
	}
}

// open makes an OpsItem as another cockpit would.
func (c *cloud) open(id sale.ID, status string) {
	_, err := c.store.PutOpsItem("", "colleague", func(o *systems.OpsItem, _ []systems.OpsItem) error {
		o.Source, o.Status, o.Title, o.Description = "onsale", status, "x", "y"
		o.Data = map[string]systems.Datum{dedupKey: {Value: dedupData(id), Type: "SearchableString"}}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cloud) gate(more ...func(*ParameterOptions)) *Parameter {
	c.t.Helper()
	o := ParameterOptions{AWS: c.aws(), Name: "/shop/gate/rate", Number: "{{to}}", Pause: "off", Resume: "on", Max: 20000, Whole: true}
	for _, m := range more {
		m(&o)
	}
	e, err := NewParameter(o)
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func (c *cloud) center() *OpsItem {
	c.t.Helper()
	e, err := NewOpsItem(OpsOptions{
		AWS: c.aws(), Names: map[sale.ID]string{"lantern": "Harbour Hall · The Lanterns"},
		Links: map[sale.ID][]sale.Link{"lantern": {{Title: "dashboard", URL: "https://grafana.example/d/1"}}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func to(n float64) *float64 { return &n }

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

func TestTheGateKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := begin(t)
		return actiontest.Rig{
			Executor: c.gate(), Sale: "lantern",
			Good: []actions.Request{
				{Sale: "lantern", Verb: actions.Rate, To: to(600)}, {Sale: "lantern", Verb: actions.Pause}, {Sale: "lantern", Verb: actions.Resume},
			},
			Bad:    []actions.Request{{Sale: "lantern", Verb: actions.Rate, To: to(600.5)}, {Sale: "lantern", Verb: actions.Rate, To: to(20001)}},
			Writes: c.wrote, Fault: c.set, Secrets: []string{secret},
			Change: func() { c.put("/shop/gate/rate", "700") },
		}
	})
}

func (c *cloud) put(name, value string) {
	_, err := c.store.PutParameter(name, "colleague", func(p *systems.Parameter, _ bool) error { p.Value = value; return nil })
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestAnOpsItemKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := begin(t)
		c.open("kestrel", "Open")
		return actiontest.Rig{
			Executor: c.center(), Sale: "lantern",
			Good: []actions.Request{
				{Sale: "lantern", Verb: actions.Incident},
				{Sale: "kestrel", Verb: actions.Acknowledge},
				{Sale: "kestrel", Verb: actions.Resolve},
				{Sale: "kestrel", Verb: actions.AddNote, Text: "provider A says fixed"},
			},
			Writes: c.wrote, Fault: c.set, Secrets: []string{secret},
			Change: func() { c.open("lantern", "Open") },
		}
	})
}

func rejectedOf(err error) *actions.RejectedError {
	var r *actions.RejectedError
	if errors.As(err, &r) {
		return r
	}
	return nil
}
