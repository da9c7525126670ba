package ui

import (
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
)

func TestWhatFillsAnEmptyScreenIsDrawnAtOnceAndOrdinaryReadingsAreNot(t *testing.T) {
	at := time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)
	signal := func(points int, has bool) *sale.Snapshot {
		var history []sale.Point
		for i := range points {
			history = append(history, sale.Point{At: at.Add(time.Duration(i) * time.Second), Value: 1})
		}
		return &sale.Snapshot{Sales: []*sale.State{{Verdict: sale.OK, Signals: []sale.Known{{Has: has, History: sale.SeriesOf(history)}}}}}
	}
	for _, c := range []struct {
		sentence      string
		before, after *sale.Snapshot
		want          bool
	}{
		{"a first value", signal(0, false), signal(1, true), true},
		{"the past behind it", signal(1, true), signal(200, true), true},
		{"one more reading", signal(10, true), signal(11, true), false},
		{"a few late minutes", signal(10, true), signal(13, true), false},
		{"readings that fell out of the ring", signal(200, true), signal(199, true), false},
		{"nothing new", signal(10, true), signal(10, true), false},
	} {
		if got := urgent(c.before, c.after); got != c.want {
			t.Errorf("%s: drawn at once %v, want %v", c.sentence, got, c.want)
		}
	}
}

func TestALookAfterAQuietTimeIsNotHeldUpAndAStormIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed(world(1, time.Now(), nil))
		looks := make(chan time.Time, 1000)
		began := time.Now()
		stop := make(chan struct{})
		p := pump{feed: feed, gap: time.Second / 5, send: func(m tea.Msg) {
			if _, ok := m.(lookMsg); ok {
				looks <- time.Now()
			}
		}}
		ended := make(chan struct{})
		go func() { defer close(ended); p.run(contextUntil(stop)) }()
		synctest.Wait()
		for range 2 { // values, and then the history behind them
			feed.set(world(1, time.Now(), nil))
			synctest.Wait()
		}
		if n := len(looks); n != 2 || !(<-looks).Equal(began) || !(<-looks).Equal(began) {
			t.Errorf("%d looks, want two at once", n)
		}
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			feed.set(world(1, time.Now(), nil))
			synctest.Wait()
		}
		if n := len(looks); n < 45 || n > 55 {
			t.Errorf("%d looks in ten seconds of a storm, want five a second", n)
		}
		close(stop)
		<-ended
	})
}
