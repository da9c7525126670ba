package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// Feed is where a session gets what is known. A *sale.Store is one.
//
// Snapshot must return at once and never nil. The bell must be a channel that holds at most
// one ring, so that a session that does not listen can't hold up whoever rings it.
type Feed interface {
	Snapshot() *sale.Snapshot
	Subscribe() (bell <-chan struct{}, cancel func())
}

// lookMsg says that the feed has something new. It carries nothing: the model takes the
// newest snapshot when it gets to it, so a slow terminal skips what it had no time to show.
type lookMsg struct{}

// clockMsg arrives just after each full second.
type clockMsg struct{}

// logMsg brings the log's lines, newest first.
type logMsg struct{ lines []views.LogLine }

// pump is the one goroutine that wakes a session. It alone waits when the terminal is slow.
type pump struct {
	feed Feed
	logs *LogRing      // may be nil
	gap  time.Duration // between messages of a kind, on average: no more than 1 s / gap in any second
	send func(tea.Msg)
}

// run delivers messages until ctx ends: one clock per second, and looks at once while there were
// fewer in this second than fit into it by their gap. So what is read in two steps, as values
// and then the history behind them, is not held up after a quiet time.
func (p *pump) run(ctx context.Context) {
	bell, hangUp := p.feed.Subscribe()
	defer hangUp()
	var logBell <-chan struct{}
	if p.logs != nil {
		var hangUpLogs func()
		logBell, hangUpLogs = p.logs.Subscribe()
		defer hangUpLogs()
		p.send(logMsg{p.logs.Lines()})
	}

	clock := time.NewTimer(untilSecond(time.Now()))
	defer clock.Stop()
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	open, openLogs := bell, logBell
	looks := pacer{max: max(int(time.Second/p.gap), 1)}
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
			p.send(clockMsg{})
			clock.Reset(untilSecond(time.Now()))
		case <-open:
			p.send(lookMsg{})
			looks.drew(time.Now(), false)
			if d := looks.wait(time.Now(), false); d > 0 {
				open = nil // deaf for as long; the bell keeps one ring meanwhile
				quiet.Reset(d)
			}
		case <-openLogs:
			p.send(logMsg{p.logs.Lines()})
			openLogs = nil
			quiet.Reset(p.gap)
		case <-quiet.C:
			open, openLogs = bell, logBell
			if d := looks.wait(time.Now(), false); d > 0 { // it was for the log
				open = nil
				quiet.Reset(d)
			}
		}
	}
}

// untilSecond is how long it takes until the clock on the screen has to change.
func untilSecond(now time.Time) time.Duration {
	return now.Truncate(time.Second).Add(time.Second).Sub(now)
}
