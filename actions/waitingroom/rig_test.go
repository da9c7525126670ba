package waitingroom

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/rehearsal/cloudflare"
	"github.com/onsale-dev/onsale/rehearsal/shop"
)

const token = "canary-write-token-51a7"

// zone is the rehearsed Cloudflare on loopback, with faults put between it and the executor.
type zone struct {
	t     *testing.T
	world *shop.World
	url   string

	mu      sync.Mutex
	fault   actiontest.Fault
	blind   bool
	writes  int
	bodies  []string // of the writes
	reads   []string // paths
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func begin(t *testing.T) *zone {
	t.Helper()
	w, err := shop.New(shop.Options{Seed: 1, Start: time.Now(), History: 25 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{t: t, world: w, fault: actiontest.None}
	real := cloudflare.New(w, cloudflare.Options{ReadToken: "read", WriteToken: token, Now: time.Now})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { z.serve(real, w, r) }))
	t.Cleanup(srv.Close)
	z.url = srv.URL + "/client/v4"
	return z
}

func (z *zone) serve(real http.Handler, w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(data))
	write := r.Method != http.MethodGet
	z.mu.Lock()
	fault, blind, instead := z.fault, z.blind, z.instead
	if write {
		z.writes++
		z.bodies = append(z.bodies, string(data))
		z.blind = z.blind || fault == actiontest.Blind
	} else {
		z.reads = append(z.reads, r.URL.Path)
	}
	z.mu.Unlock()
	switch {
	case instead != nil && instead(w, r):
	case !write && blind:
		panic(http.ErrAbortHandler)
	case !write || fault == actiontest.None:
		real.ServeHTTP(w, r)
	case fault == actiontest.Lose || fault == actiontest.Blind:
		real.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case fault == actiontest.Reject:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"success":false,"errors":[{"code":10000,"message":"Authentication error \u001b[2J for `+token+`"}],"messages":[],"result":null}`)
	case fault == actiontest.Break:
		cloudflare.Failure().ServeHTTP(w, r)
	case fault == actiontest.Hang:
		<-r.Context().Done()
	case fault == actiontest.Ignore:
		get := r.Clone(r.Context())
		get.Method, get.Body = http.MethodGet, http.NoBody
		real.ServeHTTP(w, get)
	}
}

func (z *zone) set(f actiontest.Fault) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.fault = f
	if f == actiontest.None {
		z.blind = false
	}
}

func (z *zone) answer(instead func(w http.ResponseWriter, r *http.Request) bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.instead = instead
}

func (z *zone) wrote() (n int, bodies []string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.writes, append([]string(nil), z.bodies...)
}

func (z *zone) declared(sale string) shop.Declared {
	for _, d := range z.world.Sales() {
		if d.ID == sale {
			return d
		}
	}
	z.t.Fatalf("no sale %s", sale)
	return shop.Declared{}
}

func (z *zone) room(sale string) shop.Room {
	r, ok := z.world.Room(z.declared(sale).Room)
	if !ok {
		z.t.Fatalf("no room of %s", sale)
	}
	return r
}

// change changes a room as a colleague in the dashboard would.
func (z *zone) change(sale string, do func(*shop.Room)) {
	r := z.room(sale)
	do(&r)
	z.world.SetRoom(r.ID, r, time.Now())
}

func (z *zone) executor(sale string, more ...func(*Options)) *Executor {
	z.t.Helper()
	o := Options{BaseURL: z.url, Zone: shop.ZoneID, Room: z.declared(sale).Room, Name: sale, Token: token}
	for _, m := range more {
		m(&o)
	}
	e, err := New(o)
	if err != nil {
		z.t.Fatal(err)
	}
	return e
}

func to(n float64) *float64 { return &n }

func (z *zone) preview(e *Executor, req actions.Request, seen actions.Evidence) actions.Preview {
	z.t.Helper()
	req.Sale = "lantern"
	p, err := e.Preview(z.t.Context(), req, seen)
	if err != nil {
		z.t.Fatal(err)
	}
	return p
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

func TestTheExecutorKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		z := begin(t)
		return actiontest.Rig{
			Executor: z.executor("lantern", func(o *Options) { o.MaxActive = 8000 }),
			Sale:     "lantern",
			Good: []actions.Request{
				{Sale: "lantern", Verb: actions.Pause},
				{Sale: "lantern", Verb: actions.Rate, To: to(600)},
				{Sale: "lantern", Verb: actions.Rate, To: to(7000)},
				{Sale: "lantern", Verb: actions.Resume, To: to(1200)},
			},
			Bad: []actions.Request{
				{Sale: "lantern", Verb: actions.Rate, To: to(199)},
				{Sale: "lantern", Verb: actions.Rate, To: to(300.5)},
				{Sale: "lantern", Verb: actions.Rate, To: to(9000)},
				{Sale: "lantern", Verb: actions.Resume, To: to(150)},
			},
			Writes:  func() int { n, _ := z.wrote(); return n },
			Fault:   z.set,
			Change:  func() { z.change("lantern", func(r *shop.Room) { r.QueueAll = !r.QueueAll }) },
			Secrets: []string{token},
		}
	})
}

func TestTheExecutorKeepsTheContractWhileAnEventOverridesTheRoom(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig {
		z := begin(t)
		return actiontest.Rig{
			Executor: z.executor("kestrel"), Sale: "kestrel",
			Good:   []actions.Request{{Sale: "kestrel", Verb: actions.Rate, To: to(300)}, {Sale: "kestrel", Verb: actions.Pause}, {Sale: "kestrel", Verb: actions.Resume, To: to(500)}},
			Writes: func() int { n, _ := z.wrote(); return n },
			Fault:  z.set,
			Change: func() {
				r := z.room("kestrel")
				ev, rate := r.Events[0], 350
				ev.NewUsersPerMinute = &rate
				z.world.SetEvent(r.ID, ev, time.Now())
			},
			Secrets: []string{token},
		}
	})
}
