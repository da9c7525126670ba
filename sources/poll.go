package sources

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// maxRetryAfter bounds how long a source may ask to be left alone: longer than Cloudflare's
// five minutes, short enough that a mistaken header does not blind a whole sale.
const maxRetryAfter = 10 * time.Minute

// hung is a read that the poller gave up waiting for. A source is not read again before it returned.
type hung struct {
	began time.Time
	meter *Meter
	done  <-chan sale.Batch
}

// poll reads the source once, or says why not, and applies the outcome; an additional poll that
// failed is not applied. It reports success.
func (r *reader) poll(ctx context.Context, limit time.Duration, additional bool) bool {
	began := time.Now()
	r.enter(began)
	batch, ended := r.outcome(ctx, began, limit)
	if !ended { // the poller is being stopped: a cut read says nothing about the source
		r.leave(time.Time{})
		return false
	}
	if additional && batch.Problem != nil {
		r.owed += batch.Calls
		r.leave(time.Time{})
		return false
	}
	batch.Calls += r.owed
	r.owed = 0
	r.seq++
	batch.Source, batch.Seq, batch.Started = r.info.Name, r.seq, began
	finished := time.Now()
	batch.Finished = finished
	dropInvalid(&batch)
	r.leave(r.heed(&batch, finished))
	r.poller.sink.Apply(batch, finished)
	return batch.Problem == nil
}

// heed counts the failure and returns until when the source must be left alone.
func (r *reader) heed(b *sale.Batch, now time.Time) (until time.Time) {
	if b.Problem == nil {
		r.failures = 0
		return time.Time{}
	}
	r.failures++
	if b.Problem.Class != sale.Throttled || b.Problem.RetryAfter <= 0 {
		return time.Time{}
	}
	p := *b.Problem // the source may keep its own
	b.Problem = &p
	wait := min(p.RetryAfter, maxRetryAfter)
	if wait < p.RetryAfter {
		p.Text += fmt.Sprintf("; it asks for %s, asked again in %s", words(p.RetryAfter), words(wait))
	} else {
		p.Text += fmt.Sprintf("; asked again in %s", words(wait))
	}
	return now.Add(wait)
}

// outcome is the batch of one poll. ended is false when the context ended before the read did.
func (r *reader) outcome(ctx context.Context, now time.Time, limit time.Duration) (b sale.Batch, ended bool) {
	calls := 0
	if r.hung != nil {
		select {
		case <-r.hung.done:
			calls = r.hung.meter.Calls()
			r.hung = nil
		default:
			return sale.Batch{Problem: &sale.Problem{
				Class: sale.Timeout,
				Text:  fmt.Sprintf("the read that began %s ago has not returned: no second one is sent", words(now.Sub(r.hung.began))),
				Hint:  "this is a fault of onsale if it stays: please report it",
			}}, true
		}
	}
	if wait := r.budget.wait(now); wait > 0 {
		return sale.Batch{Problem: &sale.Problem{
			Class:      sale.Throttled,
			Text:       fmt.Sprintf("%d of %d calls per %s are used: this poll was left out", r.budget.used(now), r.budget.calls, words(r.budget.window)),
			Hint:       "the rest is kept in reserve for people and actions: poll less often, or raise the budget of the source",
			RetryAfter: wait,
		}, Calls: calls}, true
	}
	b, ended = r.guarded(ctx, now, limit)
	b.Calls += calls
	r.budget.spend(now, b.Calls)
	return b, ended
}

// guarded runs Read in its own goroutine, so that one that ignores its context or panics
// takes nothing else with it.
func (r *reader) guarded(ctx context.Context, now time.Time, limit time.Duration) (sale.Batch, bool) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	limited, meter := Metered(limited)
	done := make(chan sale.Batch, 1)
	go func() {
		b := sale.Batch{Problem: &sale.Problem{Class: sale.BadData, Text: "the reader ended without an answer", Hint: hintReport}}
		defer func() {
			if v := recover(); v != nil {
				b = r.panicked(v, debug.Stack())
			}
			done <- b
		}()
		b = r.source.Read(limited, now)
	}()
	// A read that keeps to its deadline may need a moment to say so in its own words.
	patience := time.NewTimer(limit + min(max(limit/10, 50*time.Millisecond), 500*time.Millisecond))
	defer patience.Stop()
	stopped := ctx.Done()
	for {
		select {
		case b := <-done:
			if errors.Is(ctx.Err(), context.Canceled) && b.Problem != nil {
				return b, false
			}
			if b.Calls == 0 {
				b.Calls = meter.Calls()
			}
			return b, true
		case <-stopped:
			stopped = nil
			if errors.Is(ctx.Err(), context.Canceled) {
				patience.Reset(250 * time.Millisecond)
			}
		case <-patience.C:
			r.hung = &hung{began: now, meter: meter, done: done}
			return sale.Batch{Problem: &sale.Problem{
				Class: sale.Timeout, Text: "no answer within " + limit.Round(10*time.Millisecond).String(),
				Hint: hintSlow,
			}}, !errors.Is(ctx.Err(), context.Canceled)
		}
	}
}

const hintReport = "this is a fault of onsale: please report it, with the log"

func (r *reader) panicked(v any, stack []byte) sale.Batch {
	text := sale.Clean(Redact(fmt.Sprint(v)), maxText)
	r.poller.opts.Log.Error("a source's reader panicked", "source", r.info.Name, "panic", text, "stack", string(stack))
	return sale.Batch{Problem: &sale.Problem{Class: sale.BadData, Text: "the reader of " + r.info.Name + " failed: " + text, Hint: hintReport}}
}

// dropInvalid holds the promise that no NaN and no Inf gets past here, whatever a source does.
func dropInvalid(b *sale.Batch) {
	var kept []sale.Reading
	for i, reading := range b.Readings {
		if reading.Valid() {
			if kept != nil {
				kept = append(kept, reading)
			}
			continue
		}
		if kept == nil {
			kept = append(make([]sale.Reading, 0, len(b.Readings)), b.Readings[:i]...)
		}
		b.Missing = append(b.Missing, sale.Missing{Key: reading.Key, Problem: sale.Problem{
			Class: sale.BadData, Text: "a value that is not a finite number at a known time", Hint: hintReport,
		}})
	}
	if kept != nil {
		b.Readings = kept
	}
}
