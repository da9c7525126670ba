package sources

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestASourceThatStaysIsNotDisturbedByThoseThatComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, goes, comes := &script{name: "stays", every: 10 * time.Second}, &script{name: "goes", every: 10 * time.Second}, &script{name: "comes", every: 10 * time.Second}
		out := &sink{}
		f := NewFleet(out, PollerOptions{Jitter: -1}, stays, goes)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		time.Sleep(25 * time.Second)
		synctest.Wait()
		f.Replace(func(name string) bool { return name == "stays" }, func() {}, comes)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := len(stays.starts()); n != 5 { // at 0, 10, 20, 30, 40 s
			t.Errorf("what stays was read %d times in 45 s, want 5", n)
		}
		if n := len(goes.starts()); n != 3 {
			t.Errorf("what went was read %d times, want the 3 until then", n)
		}
		if starts := comes.starts(); len(starts) != 2 && len(starts) != 3 {
			t.Errorf("what came was read %d times in 20 s", len(starts))
		}
		if seq := out.of("stays")[4].Seq; seq != 5 {
			t.Errorf("what stays counts %d", seq)
		}
		if f.Nudge("goes") == nil || f.Nudge("stays") != nil {
			t.Error("a nudge must reach what is read, and nothing else")
		}
		synctest.Wait()
		stop()
		<-ended
	})
}

func TestNothingOfAStoppedSourceArrivesAfterItsReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &sink{}
		slow := &script{name: "slow", every: 5 * time.Second, read: func(ctx context.Context, _ int) sale.Batch {
			return takes(ctx, time.Second)
		}}
		f := NewFleet(out, PollerOptions{Jitter: -1}, slow)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		time.Sleep(5*time.Second + 500*time.Millisecond) // in the middle of its second read
		var before int
		again := &script{name: "slow", every: 5 * time.Second}
		f.Replace(func(string) bool { return false }, func() { before = len(out.of("slow")) }, again)
		time.Sleep(time.Second)
		synctest.Wait()
		if before != 1 {
			t.Errorf("%d batches arrived before the replacement, want the one of the read that ended", before)
		}
		if got := out.of("slow"); len(got) != 2 || got[1].Seq != 1 {
			t.Errorf("after it: %+v", got)
		}
		if slow.inside != 0 || len(again.starts()) != 1 {
			t.Error("the old one is still read")
		}
		stop()
		<-ended // and with it every goroutine of the bubble
	})
}

// holder is a source that holds on to something.
type holder struct {
	*script
	closed int
}

func (h *holder) Close() error { h.closed++; return nil }

func TestASourceThatGoesLetsGoOfWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goes, stays := &holder{script: &script{name: "goes", every: time.Second}}, &holder{script: &script{name: "stays", every: time.Second}}
		f := NewFleet(&sink{}, PollerOptions{}, goes, stays)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		time.Sleep(3 * time.Second)
		f.Replace(func(name string) bool { return name == "stays" }, func() {
			if goes.closed != 1 || goes.inside != 0 {
				t.Errorf("closed %d times, with %d reads inside", goes.closed, goes.inside)
			}
		})
		if stays.closed != 0 {
			t.Error("what stays was closed")
		}
		stop()
		<-ended
	})
}

func TestAReadThatIgnoresItsContextHoldsUpNoReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := &script{name: "stuck", every: 5 * time.Second, read: func(context.Context, int) sale.Batch {
			<-release
			return good(1)
		}}
		out := &sink{}
		f := NewFleet(out, PollerOptions{Jitter: -1}, stuck)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		time.Sleep(time.Second)
		began := time.Now()
		f.Replace(func(string) bool { return false }, func() {})
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
		close(release)
		synctest.Wait()
		if n := len(out.of("stuck")); n != 0 {
			t.Errorf("%d batches of it arrived after all", n)
		}
		stop()
		<-ended
	})
}

func TestAFleetThatHasEndedReadsNothingThatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFleet(&sink{}, PollerOptions{})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		f.Run(ctx)
		late := &script{name: "late", every: time.Second}
		f.Replace(func(string) bool { return true }, func() {}, late)
		time.Sleep(5 * time.Second)
		if n := len(late.starts()); n != 0 {
			t.Errorf("it was read %d times", n)
		}
	})
}
