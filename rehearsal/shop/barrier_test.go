package shop

import (
	"testing"
	"time"
)

func TestAGateThatNobodySetHoldsNobodyBackAndOneThatIsPausedHoldsAll(t *testing.T) {
	for gate, after := range map[string]time.Duration{Turnstile: 6 * time.Second, QueueIt: 61 * time.Second} {
		w := play(t, Options{Seed: 2})
		s := w.byID[Main]
		if b, ok := w.Barrier(gate, Main); !ok || b.PerMinute != 800 || b.Paused || b.Passed < 700 {
			t.Fatalf("%s: %+v", gate, b)
		}
		if _, ok := w.SetBarrier(gate, Main, "key", func(b *Barrier) { b.Paused = true }); !ok {
			t.Fatal("no such gate")
		}
		if w.Advance(1); s.now.Admitted == 0 {
			t.Errorf("%s: admission stopped at once: a real gate takes its time", gate)
		}
		w.run(after)
		queue := s.now.Queue
		for range 70 {
			if w.Advance(1); s.now.Admitted != 0 {
				t.Fatalf("%s: somebody came in through a closed gate", gate)
			}
		}
		if s.now.Queue <= queue {
			t.Errorf("%s: nobody waits at a closed gate", gate)
		}
		w.SetBarrier(gate, Main, "key", func(b *Barrier) { b.Paused, b.PerMinute = false, 300 })
		w.run(after + 130*time.Second)
		if got := w.Truth(w.Now()).Sales[Main]["admission_rate"]; got < 280 || got > 310 {
			t.Errorf("%s: at 300 a minute %.0f come in", gate, got)
		}
		told := 0
		for _, e := range w.Truth(w.Now()).Ledger {
			if e.By == gate && e.Who == "key" && e.Sale == Main {
				told++
			}
		}
		if told != 3 {
			t.Errorf("%s: the ledger tells %d changes", gate, told)
		}
	}
}

func TestAGateOfASaleThatIsNotThereIsNotSet(t *testing.T) {
	w := play(t, Options{Seed: 2})
	for _, c := range [][2]string{{Turnstile, "nobody"}, {"door", Main}} {
		if _, ok := w.SetBarrier(c[0], c[1], "", func(*Barrier) {}); ok {
			t.Errorf("%s of %s was set", c[0], c[1])
		}
		if _, ok := w.Barrier(c[0], c[1]); ok {
			t.Errorf("%s of %s is there", c[0], c[1])
		}
	}
	if got := len(w.Barriers(QueueIt)); got != 6 {
		t.Errorf("%d gates", got)
	}
}
