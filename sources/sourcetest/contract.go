package sourcetest

import (
	"context"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	patient = 20 * time.Second       // a deadline that no healthy answer comes near
	brief   = 400 * time.Millisecond // the deadline of the cases that can only end by it
	slack   = 10 * time.Second       // how far past its deadline a read may end on a busy machine
)

func contract(t *testing.T, h Harness) {
	if !h.Figureless && len(h.Want)+len(h.Incidents)+len(h.WantAlarms) == 0 || h.New == nil || h.Healthy == nil {
		t.Fatal("a Harness needs New, Healthy, and Want, Incidents or WantAlarms")
	}
	t.Run("a healthy system gives every declared key in its unit, poll after poll", func(t *testing.T) { healthy(t, h) })
	t.Run("what is declared of the source is complete", func(t *testing.T) { declared(t, h) })
	for _, f := range h.faults() {
		t.Run(f.name, func(t *testing.T) { f.hold(t, h) })
	}
	t.Run("a refused connection is unreachable, and then it recovers", func(t *testing.T) { refused(t, h) })
	t.Run("a certificate of an unknown authority is unreachable and says so", func(t *testing.T) { untrusted(t, h) })
	t.Run("a context that has already ended sends nothing and returns", func(t *testing.T) { cancelled(t, h) })
	if h.Partial != nil {
		t.Run("what is missing is listed and the rest is delivered", func(t *testing.T) { partial(t, h) })
	}
	if h.Hostile != nil {
		t.Run("escape characters in the system's texts do not get through", func(t *testing.T) { hostile(t, h) })
	}
}

// read polls once the way the poller does and holds what must hold for every batch.
func read(t *testing.T, h Harness, src sources.Source, limit time.Duration) sale.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return readIn(ctx, t, h, src, limit)
}

func readIn(ctx context.Context, t *testing.T, h Harness, src sources.Source, limit time.Duration) sale.Batch {
	t.Helper()
	ctx, meter := sources.Metered(ctx)
	now := time.Now()
	done := make(chan sale.Batch, 1)
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("Read panicked: %v", v)
			}
		}()
		done <- src.Read(ctx, now)
	}()
	guard := time.NewTimer(limit + slack)
	defer guard.Stop()
	select {
	case b := <-done:
		if b.Calls == 0 {
			b.Calls = meter.Calls()
		}
		holdBatch(t, h, b)
		return b
	case <-guard.C:
		t.Fatalf("Read had not returned %s after its deadline of %s", slack, limit)
		return sale.Batch{}
	}
}

func healthy(t *testing.T, h Harness) {
	srv := serve(t, h.Healthy)
	src := h.New(t, srv.URL)
	for poll := range 3 {
		b := read(t, h, src, patient)
		holdHealthy(t, h, b)
		if h.CallsPerPoll > 0 && b.Calls > h.CallsPerPoll {
			t.Errorf("poll %d took %d requests, want at most %d", poll+1, b.Calls, h.CallsPerPoll)
		}
		if b.Calls <= 0 {
			t.Errorf("poll %d counts %d requests: use sources.NewClient, or fill in Batch.Calls", poll+1, b.Calls)
		}
	}
}

func declared(t *testing.T, h Harness) {
	info := h.New(t, "http://127.0.0.1:1").Info()
	switch {
	case info.Name == "" || info.Kind == "":
		t.Errorf("Info() = %+v: want a name and a kind", info)
	case info.Every <= 0 || info.Cadence.Period <= 0 || info.Cadence.Delay < 0:
		t.Errorf("Info() = %+v: want a cadence", info)
	case len(h.WantAlarms) > 0 && !info.ReadsAlarms:
		t.Errorf("Info() = %+v: a source of alarms says so in ReadsAlarms", info)
	case info.Gives == "":
		t.Errorf("Info() = %+v: want what it is asked for in Gives", info)
	}
}

func refused(t *testing.T, h Harness) {
	srv := serve(t, h.Healthy)
	src := h.New(t, srv.URL)
	srv.close()
	b := read(t, h, src, patient)
	holdFailed(t, h, b, sale.Unreachable)
	if srv.reopen() {
		holdHealthy(t, h, read(t, h, src, patient))
	}
}

func untrusted(t *testing.T, h Harness) {
	srv := serveTLS(t, h.Healthy)
	holdFailed(t, h, read(t, h, h.New(t, srv.URL), patient), sale.Unreachable)
}

func cancelled(t *testing.T, h Harness) {
	srv := serve(t, h.Healthy)
	src := h.New(t, srv.URL)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := readIn(ctx, t, h, src, brief)
	if b.Problem == nil && (len(b.Missing) < len(h.Want) || len(h.Want) == 0) {
		t.Errorf("a read under a cancelled context answered: %+v", b)
	}
	if got := srv.requests(); got > 0 {
		t.Errorf("%d requests were sent under a cancelled context", got)
	}
	holdHealthy(t, h, read(t, h, src, patient))
}

func partial(t *testing.T, h Harness) {
	srv := serve(t, h.Partial)
	src := h.New(t, srv.URL)
	b := read(t, h, src, patient)
	if b.Problem != nil {
		t.Fatalf("a partial answer failed as a whole: %v", b.Problem)
	}
	gone := map[sale.Key]bool{}
	for _, key := range h.PartialMissing {
		gone[key] = true
	}
	got := readings(b)
	missing := map[sale.Key]sale.Problem{}
	for _, m := range b.Missing {
		missing[m.Key] = m.Problem
	}
	for key := range h.Want {
		problem, listed := missing[key]
		_, has := got[key]
		switch {
		case gone[key] && has:
			t.Errorf("%v was delivered although the system gave none", key)
		case gone[key] && !listed:
			t.Errorf("%v is neither delivered nor in Missing", key)
		case gone[key] && (problem.Class == "" || problem.Text == ""):
			t.Errorf("%v is missing without a reason: %+v", key, problem)
		case !gone[key] && !has:
			t.Errorf("%v is hidden by the failure of others (missing: %+v)", key, problem)
		}
	}
	srv.use(h.Healthy)
	holdHealthySoon(t, h, src)
}

func hostile(t *testing.T, h Harness) {
	srv := serve(t, h.Hostile)
	read(t, h, h.New(t, srv.URL), patient) // holdBatch looks at every text
}
