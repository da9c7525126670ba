package actions_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

const harbour = sale.ID("harbour")

var (
	vesna = actions.Actor{Name: "vesna", Fingerprint: "SHA256:vesna", Role: actions.Operator, Via: "ssh"}
	tomo  = actions.Actor{Name: "tomo", Fingerprint: "SHA256:tomo", Role: actions.Operator, Via: "local"}
	zrin  = actions.Actor{Name: "zrin", Role: actions.Viewer, Via: "ssh"}
)

func num(v float64) *float64 { return &v }

// world is a runner with everything it needs, and the system that it acts on.
type world struct {
	t      *testing.T
	system *actiontest.Memory
	dir    string
	j      *journal.Journal
	rec    *recorder
	cfg    actions.Config
	*actions.Runner

	mu   sync.Mutex
	snap *sale.Snapshot
}

// recorder is the journal, until it is told to fail.
type recorder struct {
	*journal.Journal
	mu   sync.Mutex
	fail error
	hook func(kind journal.Kind) error // before each append
}

func (r *recorder) before(kind journal.Kind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hook != nil {
		if err := r.hook(kind); err != nil {
			return err
		}
	}
	return r.fail
}

func (r *recorder) Append(ctx context.Context, rec journal.Record) (journal.Record, error) {
	if err := r.before(rec.Kind); err != nil {
		return journal.Record{}, err
	}
	return r.Journal.Append(ctx, rec)
}

func (r *recorder) AppendIf(ctx context.Context, rec journal.Record, check func(journal.View) error) (journal.Record, error) {
	if err := r.before(rec.Kind); err != nil {
		return journal.Record{}, err
	}
	return r.Journal.AppendIf(ctx, rec, check)
}

// newWorld makes a world; change may alter its config.
func newWorld(t *testing.T, change ...func(*actions.Config)) *world {
	t.Helper()
	return join(t, actiontest.NewMemory("harbour-2026"), filepath.Join(t.TempDir(), "journal"), change...)
}

// join makes another cockpit on the same system and journal.
func join(t *testing.T, system *actiontest.Memory, dir string, change ...func(*actions.Config)) *world {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	w := &world{t: t, system: system, dir: dir, j: j, rec: &recorder{Journal: j}}
	w.see(800, time.Now())
	w.cfg = actions.Config{
		Journal: w.rec,
		Policy:  actions.Policy{Targets: map[sale.ID][]actions.Target{harbour: {system.Target}}},
		Executor: func(id sale.ID, v actions.Verb) (actions.Executor, error) {
			if v == actions.AddNote {
				return nil, nil
			}
			if id != harbour {
				return nil, errors.New("nothing is declared for " + string(id))
			}
			return system.Executor(), nil
		},
		Snapshot: func() *sale.Snapshot {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.snap
		},
	}
	for _, f := range change {
		f(&w.cfg)
	}
	if w.Runner, err = actions.NewRunner(w.cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// see is what the signals show: people admitted per minute, and errors of 1 %.
func (w *world) see(admitted float64, at time.Time) *sale.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.snap = snapshot(admitted, at)
	return w.snap
}

func snapshot(admitted float64, at time.Time) *sale.Snapshot {
	every := sale.Cadence{Period: 15 * time.Second}
	known := func(s sale.Signal, u sale.Unit, v float64) sale.Known {
		m, _ := sale.MeaningOf(s)
		return sale.Known{
			Spec: &sale.Spec{Signal: s, Label: m.Label, Unit: u, Cadence: every},
			Has:  true, Value: v, At: at, FetchedAt: at, Freshness: sale.Fresh, Verdict: sale.OK,
		}
	}
	return &sale.Snapshot{At: at, Sales: []*sale.State{{
		Sale: &sale.Sale{ID: harbour, Name: "Harbour Nights"}, Phase: sale.Live, Verdict: sale.OK,
		Signals: []sale.Known{known(sale.AdmissionRate, sale.PerMinute, admitted), known(sale.ErrorRatio, sale.Ratio, 0.01)},
	}}}
}

func rate(v float64) actions.Request {
	return actions.Request{Sale: harbour, Verb: actions.Rate, To: &v, Reason: "declines"}
}

// show previews what must not be refused.
func (w *world) show(who actions.Actor, req actions.Request) actions.Preview {
	w.t.Helper()
	p := w.Preview(w.t.Context(), who, req)
	if p.Refused() {
		w.t.Fatalf("the preview is refused: %+v", p.Refusals)
	}
	return p
}

// confirm arms and sends a preview.
func (w *world) confirm(who actions.Actor, p actions.Preview) actions.Result {
	w.t.Helper()
	a, no := w.Arm(who, p, 8*time.Second)
	if no != nil {
		return actions.Result{Outcome: actions.Refused, Refusals: []actions.Refusal{*no}, Text: no.Text}
	}
	return w.Run(w.t.Context(), who, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()})
}

func (w *world) do(who actions.Actor, req actions.Request) actions.Result {
	w.t.Helper()
	return w.confirm(who, w.show(who, req))
}

func (w *world) wrote(n int) {
	w.t.Helper()
	if got := w.system.Writes(); got != n {
		w.t.Errorf("%d writes reached the system, want %d", got, n)
	}
}

// codes lists the journal's codes in order.
func (w *world) codes() []string {
	w.t.Helper()
	records, err := journal.List(w.dir, journal.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	var codes []string
	for _, r := range records {
		codes = append(codes, r.Code)
	}
	return codes
}

func (w *world) last() journal.Record {
	w.t.Helper()
	records, err := journal.List(w.dir, journal.Filter{Last: 1})
	if err != nil || len(records) != 1 {
		w.t.Fatalf("%d records, %v", len(records), err)
	}
	return records[0]
}

func (w *world) whole() {
	w.t.Helper()
	rep, err := journal.Verify(w.dir)
	if err != nil || !rep.OK() {
		w.t.Errorf("the chain is broken: %+v %v", rep, err)
	}
}

func refusedBy(t *testing.T, res actions.Result, guard actions.Guard) {
	t.Helper()
	if res.Outcome != actions.Refused || len(res.Refusals) == 0 || res.Refusals[0].Guard != guard {
		t.Errorf("outcome %s by %+v, want refused by %s", res.Outcome, res.Refusals, guard)
	}
}
