package ecs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	rehearsal "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

const (
	region = "eu-central-1"
	secret = "canary-act-secret-19ab"
	reader = "canary-read-secret-c02d"
)

// cloud is one ECS service behind the rehearsal's real wire, which a test can break.
type cloud struct {
	mu        sync.Mutex
	group     capacity.Group
	scheduled []capacity.Scheduled
	acts      []capacity.Activity

	fault  actiontest.Fault
	edit   func(operation, body string) string // rewrites an answer
	answer func(operation string) (status int, body string)
	asked  []string // IAM actions
	bodies []map[string]any
	heads  []http.Header
	writes int
}

func fleetOf(desired, least, most int, scaler capacity.Scaler) *cloud {
	c := &cloud{fault: actiontest.None, group: capacity.Group{
		Sale: "orchard", Name: "web", Role: "web", Kind: capacity.Tasks, Scaler: scaler, Created: time.Now().Add(-time.Hour),
		Min: least, Max: most, Desired: desired, TargetGroup: "web", LoadBalancer: "app/web/1",
	}}
	c.units(desired)
	return c
}

func (c *cloud) units(n int) {
	c.group.Units = nil
	for i := range n {
		c.group.Units = append(c.group.Units, capacity.Unit{ID: fmt.Sprint("task-", i), Address: fmt.Sprint("10.0.0.", i), State: capacity.InService, Health: capacity.Healthy})
	}
}

func (c *cloud) Groups() []capacity.Group {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []capacity.Group{c.group}
}

func (c *cloud) Activities(string) []capacity.Activity { return c.acts }

func (c *cloud) Scheduled(string) []capacity.Scheduled {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.scheduled)
}

func (c *cloud) Change(_ string, _ capacity.Caller, change func(*capacity.Group) error) (capacity.Group, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.group
	if err := change(&next); err != nil {
		return next, err
	}
	c.group = next
	return next, nil
}

func (c *cloud) Schedule(_ string, _ capacity.Caller, s capacity.Scheduled) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scheduled = append(slices.DeleteFunc(slices.Clone(c.scheduled), func(o capacity.Scheduled) bool { return o.Name == s.Name }), s)
	return nil
}

func (c *cloud) Unschedule(_ string, _ capacity.Caller, name string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := len(c.scheduled)
	c.scheduled = slices.DeleteFunc(slices.Clone(c.scheduled), func(o capacity.Scheduled) bool { return o.Name == name })
	return len(c.scheduled) < had, nil
}

func (c *cloud) set(change func(*capacity.Group)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.group)
}

func (c *cloud) setFault(f actiontest.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

func (c *cloud) written() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes
}

func jsonError(code, message string) string {
	data, err := json.Marshal(map[string]string{"__type": code, "message": message})
	if err != nil {
		return ""
	}
	return string(data)
}

// breaking stands in front of a handler and does what the test wants.
func (c *cloud) breaking(service string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(data))
		var sent map[string]any
		_ = json.Unmarshal(data, &sent)
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		writes := !strings.HasPrefix(operation, "Describe")
		c.mu.Lock()
		fault, edit, answer := c.fault, c.edit, c.answer
		c.asked, c.bodies, c.heads = append(c.asked, service+":"+operation), append(c.bodies, sent), append(c.heads, r.Header)
		if writes {
			c.writes++
		}
		c.mu.Unlock()
		say := func(status int, text string) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
		if answer != nil {
			if status, text := answer(operation); status != 0 {
				say(status, text)
				return
			}
		}
		if writes {
			switch fault {
			case actiontest.Reject:
				say(400, jsonError("AccessDeniedException", "User: x "+secret+"\x07\u202e is not authorized to perform: "+operation))
				return
			case actiontest.Break:
				say(500, jsonError("InternalServiceException", "try again"))
				return
			case actiontest.Hang:
				<-r.Context().Done()
				return
			case actiontest.Ignore:
				say(200, "{}")
				return
			}
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if fault == actiontest.Lose && writes || fault == actiontest.Blind {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
			return
		}
		text := rec.Body.String()
		if edit != nil {
			text = edit(operation, text)
		}
		for k, v := range rec.Header() {
			if k != "Content-Length" {
				w.Header()[k] = v
			}
		}
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, text)
	})
}

func (c *cloud) options(t *testing.T) Options {
	t.Helper()
	o := []rehearsal.Option{rehearsal.WithSecret(reader), rehearsal.WithActSecret(secret), rehearsal.WithServiceTime(0)}
	serve := func(service string, h http.Handler) string {
		srv := httptest.NewServer(c.breaking(service, h))
		t.Cleanup(func() {
			srv.CloseClientConnections()
			srv.Close()
		})
		return srv.URL
	}
	cfg := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(rehearsal.ActKey, secret, "")}
	return Options{
		ECS:     NewClient(cfg, serve("ecs", rehearsal.NewECS(region, c, o...)), nil),
		Scaling: NewScalingClient(cfg, serve("application-autoscaling", rehearsal.NewApplicationAutoScaling(region, c, time.Now, o...)), nil),
		Cluster: rehearsal.ECSCluster, Service: "web", Region: region, Profile: "onsale-act", Secrets: []string{secret, reader},
		Most: 60, Floor: 8,
	}
}

func (c *cloud) executor(t *testing.T, change ...func(*Options)) *Executor {
	t.Helper()
	o := c.options(t)
	for _, f := range change {
		f(&o)
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func ask(v actions.Verb, to float64) actions.Request {
	r := actions.Request{Sale: "orchard", Verb: v}
	if to != 0 {
		r.To = &to
	}
	return r
}

func during(phase sale.Phase, more ...actions.Observed) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true, Phase: phase, Signals: more}
	for _, s := range []sale.Signal{sale.CapacityInService, sale.CapacityMin} {
		e.Signals = append(e.Signals, actions.Observed{Signal: s, Has: true, Value: 24, Freshness: sale.Fresh})
	}
	return e
}

func look(t *testing.T, x actions.Executor, r actions.Request, e actions.Evidence) actions.Preview {
	t.Helper()
	p, err := x.Preview(t.Context(), r, e)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func problemIn(err error) *sale.Problem {
	var p *sale.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

func TestScalingAManagedServiceKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleetOf(24, 20, 40, capacity.Target)
		return actiontest.Rig{
			Executor: c.executor(t), Sale: "orchard",
			Good:   []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleUp, 0), ask(actions.ScaleBack, 10), ask(actions.ScaleBack, 0)},
			Bad:    []actions.Request{ask(actions.ScaleUp, 23), ask(actions.ScaleUp, 41), ask(actions.ScaleUp, 61), ask(actions.ScaleUp, 30.5), ask(actions.ScaleBack, 7), ask(actions.ScaleBack, 20)},
			Writes: c.written, Fault: c.setFault, Change: func() { c.set(func(g *capacity.Group) { g.Min = 22 }) },
			Secrets: []string{secret, reader}, Evidence: during(sale.Live),
		}
	})
}

func TestScalingAnUnmanagedServiceKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleetOf(24, 0, 0, capacity.None)
		return actiontest.Rig{
			Executor: c.executor(t), Sale: "orchard",
			Good:   []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleBack, 10)},
			Bad:    []actions.Request{ask(actions.ScaleUp, 24), ask(actions.ScaleUp, 61), ask(actions.ScaleBack, 7), ask(actions.ScaleBack, 24)},
			Writes: c.written, Fault: c.setFault, Change: func() { c.set(func(g *capacity.Group) { g.Desired = 25 }) },
			Secrets: []string{secret, reader}, Evidence: during(sale.Live),
		}
	})
}

func TestAScheduledSizeKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleetOf(24, 20, 40, capacity.Target)
		s, err := NewSchedule(ScheduleOptions{Options: c.options(t), Name: "onsale-orchard-doors", At: time.Now().Add(2 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return actiontest.Rig{
			Executor: s, Sale: "orchard",
			Good:   []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleBack, 10)},
			Bad:    []actions.Request{ask(actions.ScaleUp, 20), ask(actions.ScaleUp, 41), ask(actions.ScaleUp, 61), ask(actions.ScaleBack, 7)},
			Writes: c.written, Fault: c.setFault, Secrets: []string{secret, reader}, Evidence: during(sale.Scheduled),
			Change: func() {
				twelve := 12
				at := time.Now().Add(3 * time.Hour).UTC()
				_ = c.Schedule("", capacity.Caller{}, capacity.Scheduled{Name: "onsale-orchard-doors", Schedule: "at(" + at.Format(atForm) + ")", Next: at, Min: &twelve})
			},
		}
	})
}
