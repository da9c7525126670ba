package autoscaling

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	region   = "eu-central-1"
	secret   = "canary-act-secret-5b1e"
	reader   = "canary-read-secret-77c0"
	groupARN = "arn:aws:autoscaling:" + region
)

// cloud is one Auto Scaling group behind the rehearsal's real wire, which a test can break.
type cloud struct {
	mu        sync.Mutex
	group     capacity.Group
	scheduled []capacity.Scheduled
	acts      []capacity.Activity

	fault  actiontest.Fault
	edit   func(action, body string) string // rewrites an answer
	answer func(action string) (status int, body string)
	asked  []string // "service:Operation"
	forms  []url.Values
	heads  []http.Header
	lines  []string
	writes int
}

func fleet(desired, least, most int) *cloud {
	c := &cloud{fault: actiontest.None, group: capacity.Group{
		Sale: "harbour", Name: "web-prod", Role: "web", Kind: capacity.Instances, Scaler: capacity.Target, Created: time.Now().Add(-time.Hour),
		Min: least, Max: most, Desired: desired, TargetGroup: "web-prod", LoadBalancer: "app/web/1",
	}}
	c.units(desired)
	return c
}

func (c *cloud) units(n int) {
	c.group.Units = nil
	for i := range n {
		c.group.Units = append(c.group.Units, capacity.Unit{ID: fmt.Sprintf("i-%017d", i), Zone: region + "a", State: capacity.InService, Health: capacity.Healthy})
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

// set changes the group as somebody else would.
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

func queryError(code, message string) string {
	return `<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message + `</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`
}

// breaking stands in front of a handler and does what the test wants.
func (c *cloud) breaking(service string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		action := form.Get("Action")
		writes := !strings.HasPrefix(action, "Describe")
		c.mu.Lock()
		fault, edit, answer := c.fault, c.edit, c.answer
		c.asked, c.forms = append(c.asked, service+":"+action), append(c.forms, form)
		c.heads, c.lines = append(c.heads, r.Header), append(c.lines, r.Method+" "+r.URL.Path)
		if writes {
			c.writes++
		}
		c.mu.Unlock()
		say := func(status int, text string) {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
		if answer != nil {
			if status, text := answer(action); status != 0 {
				say(status, text)
				return
			}
		}
		if writes || fault == actiontest.Blind {
			switch fault {
			case actiontest.Reject:
				say(403, queryError("AccessDenied", "User: arn:aws:iam::123456789012:user/x "+secret+"\u202e is not authorized to perform: autoscaling:"+action))
				return
			case actiontest.Break:
				say(503, queryError("ServiceUnavailable", "try again"))
				return
			case actiontest.Hang:
				<-r.Context().Done()
				return
			case actiontest.Ignore:
				say(200, "<"+action+"Response><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></"+action+"Response>")
				return
			}
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if fault == actiontest.Lose && writes || fault == actiontest.Blind {
			hangUp(w)
			return
		}
		text := rec.Body.String()
		if edit != nil {
			text = edit(action, text)
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

func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// options serves the cloud and returns what an executor of its group needs.
func (c *cloud) options(t *testing.T) Options {
	return c.optionsFor(t, rehearsal.ActKey, secret)
}

func (c *cloud) optionsFor(t *testing.T, key, secretKey string) Options {
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
	cfg := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(key, secretKey, "")}
	return Options{
		API:    NewClient(cfg, serve("autoscaling", rehearsal.NewAutoScaling(region, c, time.Now, o...)), nil),
		ELB:    NewELBClient(cfg, serve("elasticloadbalancing", rehearsal.NewELBV2(region, c, o...)), nil),
		Group:  "web-prod",
		Region: region, Profile: "onsale-act", Secrets: []string{secret, reader},
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
	r := actions.Request{Sale: "harbour", Verb: v}
	if to != 0 {
		r.To = &to
	}
	return r
}

// during is evidence of a sale in a phase that has the signals of capacity.
func during(phase sale.Phase, more ...actions.Observed) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true, Phase: phase, Signals: more}
	for _, s := range []sale.Signal{sale.CapacityInService, sale.CapacityMin} {
		e.Signals = append(e.Signals, actions.Observed{Signal: s, Has: true, Value: 24, Freshness: sale.Fresh})
	}
	return e
}

func (c *cloud) preview(t *testing.T, x actions.Executor, r actions.Request, e actions.Evidence) actions.Preview {
	t.Helper()
	p, err := x.Preview(t.Context(), r, e)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestScalingKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleet(24, 20, 40)
		return actiontest.Rig{
			Executor: c.executor(t), Sale: "harbour",
			Good:   []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleUp, 0), ask(actions.ScaleBack, 10), ask(actions.ScaleBack, 0)},
			Bad:    []actions.Request{ask(actions.ScaleUp, 23), ask(actions.ScaleUp, 41), ask(actions.ScaleUp, 61), ask(actions.ScaleUp, 30.5), ask(actions.ScaleBack, 7), ask(actions.ScaleBack, 20)},
			Writes: c.written, Fault: c.setFault, Change: func() { c.set(func(g *capacity.Group) { g.Min = 22 }) },
			Secrets: []string{secret, reader}, Evidence: during(sale.Live),
		}
	})
}

func TestAScheduledSizeKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		c := fleet(24, 20, 40)
		s, err := NewSchedule(ScheduleOptions{Options: c.options(t), Name: "onsale-harbour-doors", At: time.Now().Add(2 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return actiontest.Rig{
			Executor: s, Sale: "harbour",
			Good:   []actions.Request{ask(actions.ScaleUp, 32), ask(actions.ScaleBack, 10)},
			Bad:    []actions.Request{ask(actions.ScaleUp, 20), ask(actions.ScaleUp, 41), ask(actions.ScaleUp, 61), ask(actions.ScaleBack, 7)},
			Writes: c.written, Fault: c.setFault, Secrets: []string{secret, reader}, Evidence: during(sale.Scheduled),
			Change: func() {
				twelve := 12
				at := time.Now().Add(3 * time.Hour).UTC().Truncate(time.Second)
				_ = c.Schedule("", capacity.Caller{}, capacity.Scheduled{Name: "onsale-harbour-doors", Start: at, Next: at, Min: &twelve})
			},
		}
	})
}
