package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

func TestTheCockpitReadsARealPrometheusServer(t *testing.T) {
	t.Parallel()
	shop := exposition{still: true, shops: 3}
	server := startPrometheus(t, shop, 0)
	file := writeConfig(t, twelvePanels(server.url(), 2*time.Second))

	t.Run("a check has the values and rates that the shop exposes", func(t *testing.T) {
		// Prometheus gives no rate before its window holds two samples, and a steady one only later.
		var r report
		settled := eventually(30*time.Second, func() bool {
			r, _ = checkOf(t, file)
			return len(r.Sales) == 1 && len(wrongFigures(r)) == 0
		})
		if !settled {
			t.Fatalf("wrong: %v\n%+v", wrongFigures(r), r)
		}
		if r.Sources[0].Kind != "prometheus" || r.Sources[0].Condition != "live" || r.Sources[0].Error != "" {
			t.Errorf("the source is %+v", r.Sources[0])
		}
	})

	t.Run("one poll is one request, counted by the server itself", func(t *testing.T) {
		c := assembleFor(t, file)
		c.sources[0].Read(t.Context(), time.Now()) // the first values
		c.sources[0].Read(t.Context(), time.Now()) // and the history behind them
		before := server.requests()
		const polls = 5
		for range polls {
			b := c.sources[0].Read(t.Context(), time.Now())
			if b.Problem != nil || len(b.Readings) != 12 || len(b.Missing) > 0 || b.Calls != 1 {
				t.Fatalf("%d readings in %d calls, missing %v, problem %v", len(b.Readings), b.Calls, b.Missing, b.Problem)
			}
		}
		if asked := server.requests() - before; asked != polls {
			t.Errorf("%d polls of twelve signals were %d requests", polls, asked)
		}
	})

	t.Run("the history fills the charts, and a dead server is told apart until it is back", func(t *testing.T) {
		server2 := startPrometheus(t, shop, 0)
		both := strings.Replace(twelvePanels(server.url(), time.Second), "sources:\n",
			"sources:\n  other: {kind: prometheus, url: \""+server2.url()+"\", every: 1s}\n", 1)
		both = strings.Replace(both, "holds: {from: metrics", "holds: {from: other", 1)
		began := time.Now()
		c := assembleFor(t, writeConfig(t, both))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{}, 2)
		go func() { c.poller().Run(ctx); ended <- struct{}{} }()
		go func() { c.tick(ctx); ended <- struct{}{} }()
		defer func() { stop(); <-ended; <-ended }()
		await := func(what string, so func(metrics, other sale.SourceState, st *sale.State) bool) {
			t.Helper()
			if !eventually(40*time.Second, func() bool {
				snap := c.store.Snapshot()
				return so(sourceNamed(snap, "metrics"), sourceNamed(snap, "other"), snap.Sales[0])
			}) {
				t.Fatalf("%s: not within 40 s; sources %+v", what, c.store.Snapshot().Sources)
			}
		}
		await("both live, with a history that begins before the cockpit did",
			func(metrics, other sale.SourceState, st *sale.State) bool {
				k, _ := st.Signal(sale.Waiting)
				return metrics.Condition == sale.SourceLive && other.Condition == sale.SourceLive &&
					k.History.Len() >= 5 && k.History.At(0).At.Before(began.Add(-3*time.Second))
			})

		before := c.store.Snapshot().Sales[0]
		server.stop()
		await("the dead server is an error that says why, and its values stay and age",
			func(metrics, other sale.SourceState, st *sale.State) bool {
				k, _ := st.Signal(sale.Waiting)
				return metrics.Condition == sale.SourceError && metrics.Problem != nil && metrics.Problem.Class == sale.Unreachable &&
					metrics.Problem.Hint != "" && k.Has && k.Value == 12400 && k.Problem != nil && k.Age(time.Now()) > 3*time.Second &&
					other.Condition == sale.SourceLive // and the sale is still shown with both
			})
		if k, _ := c.store.Snapshot().Sales[0].Signal(sale.Holds); k.Problem != nil || k.Age(time.Now()) > 3*time.Second {
			t.Errorf("what the other server gives is %s old, problem %v", k.Age(time.Now()), k.Problem)
		}
		died, _ := before.Signal(sale.Waiting)
		if k, _ := c.store.Snapshot().Sales[0].Signal(sale.Waiting); k.History.Len() < died.History.Len() || k.At.Before(died.At) {
			t.Errorf("a history of %d points up to %s became %d up to %s", died.History.Len(), died.At, k.History.Len(), k.At)
		}

		server.start()
		await("a server that is back is live within its next polls",
			func(metrics, _ sale.SourceState, st *sale.State) bool {
				k, _ := st.Signal(sale.Waiting)
				return metrics.Condition == sale.SourceLive && metrics.Problem == nil && k.Problem == nil && k.Value == 12400 && k.Age(time.Now()) < 3*time.Second
			})
	})
}

// wrongFigures compares a check of the still shop 0 with what it exposes.
func wrongFigures(r report) []string {
	var wrong []string
	for _, f := range shopFigures() {
		got := r.Sales[0].Signals[f.signal]
		want, slack := f.base, 1e-9
		if f.rate {
			want, slack = 60*f.base, 0.02 // a scrape is stamped a moment before the shop answers
		}
		if got.Value == nil || math.Abs(*got.Value-want) > slack*want || got.Freshness != "fresh" && got.Freshness != "live" || got.Age == nil || *got.Age > 10 {
			wrong = append(wrong, f.signal)
		}
	}
	return wrong
}

// checkOf runs the check command on a config.
func checkOf(t *testing.T, file string) (report, outcome) {
	t.Helper()
	out := runIn(t, map[string]string{"LANG": "C.UTF-8"}, "check", "--config", file, "--output", "json")
	var r report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out.stdout, out.stderr)
	}
	return r, out
}

// assembleFor brings a config to life as the cockpit does.
func assembleFor(t *testing.T, file string) *cockpit {
	t.Helper()
	var stderr bytes.Buffer
	p := &program{stderr: &stderr, configFlag: file, lookup: func(string) (string, bool) { return "", false }}
	cfg, err := config.Load(file, p.configEnvironment())
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.assemble(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sourceNamed(snap *sale.Snapshot, name string) sale.SourceState {
	for _, s := range snap.Sources {
		if s.Name == name {
			return s
		}
	}
	return sale.SourceState{}
}
