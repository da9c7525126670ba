package ui

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// runAccessible writes one line for each sale and then one for each change of a verdict, for
// a screen reader or a braille display: nothing is repainted, nothing is decorated. It ends
// as Run does and needs no terminal.
func runAccessible(ctx context.Context, o Options) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endingSignals()...)
	defer signal.Stop(signals)
	return accessible(ctx, o, o.Out, signals, nil)
}

// accessible is runAccessible on any writer; over says why the line of a far terminal is over.
func accessible(ctx context.Context, o Options, out io.Writer, signals <-chan os.Signal, over <-chan error) error {
	bell, hangUp := o.Feed.Subscribe()
	defer hangUp()

	// A goroutine writes, so that a reader who stops reading can't hold up the ending.
	lines := make(chan string)
	failed := make(chan error, 1)
	inner, stop := context.WithCancel(ctx)
	defer stop()
	o.Guard.Go("accessible writer", func() { writeLines(inner, out, lines, failed) })

	said := map[sale.ID]sale.Verdict{}
	var queue []string
	for {
		var writer chan<- string
		next := ""
		if len(queue) > 0 {
			writer, next = lines, queue[0]
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case sig := <-signals:
			return &SignalError{sig}
		case <-o.Guard.Failed():
			return o.Guard.Err()
		case err := <-failed:
			return err
		case why := <-over:
			return why
		case writer <- next:
			queue = queue[1:]
		case <-bell:
			queue = announce(queue, said, o)
		case <-time.After(time.Second):
			queue = announce(queue, said, o)
		}
	}
}

// maxAnnouncements bounds what is kept for a reader that is slow; the oldest are dropped.
const maxAnnouncements = 1000

func announce(queue []string, said map[sale.ID]sale.Verdict, o Options) []string {
	snap := o.Feed.Snapshot()
	for _, st := range snap.Sales {
		if before, known := said[st.Sale.ID]; known && before == st.Verdict {
			continue
		}
		said[st.Sale.ID] = st.Verdict
		queue = append(queue, snap.At.Format(time.TimeOnly)+" "+o.Line(st, snap.At))
	}
	if over := len(queue) - maxAnnouncements; over > 0 {
		queue = queue[over:]
	}
	return queue
}

func writeLines(ctx context.Context, out io.Writer, lines <-chan string, failed chan<- error) {
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-lines:
			if _, err := fmt.Fprintln(out, line); err != nil {
				if terminalGone(err) {
					err = ErrTerminalLost
				}
				failed <- err
				return
			}
		}
	}
}
