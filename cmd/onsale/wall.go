package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/ui"
)

// The bounds of how long a page of sales stays on the wall: shorter can't be read from far off.
const (
	leastRotate = 5 * time.Second
	mostRotate  = time.Hour
)

func (p *program) wallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wall",
		Short: "The war room's screen: legible at 5 m, no key acts",
		Long: `wall shows the worst sale first, since when it is so, and how fresh the figures are, in letters of three
and digits of five rows. It opens no journal and no control: nothing can be done from it, whatever the config allows.

It goes on for weeks: sources come back by themselves, a picture that can't be drawn is tried again each second, and when
nothing is judged any more its clock stands still and it says LINK LOST. It ends with q, a signal or its terminal.

Sales that don't fit have one row each, or are counted in the last row; --rotate lets them take turns in big letters.`,
		Example: `  onsale wall
  onsale wall --rotate 20s --config /etc/onsale/onsale.yaml --theme dark`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.rotate != 0 && (p.rotate < leastRotate || p.rotate > mostRotate) {
				return usage(fmt.Errorf("--rotate %s: write a time from %s to %s, such as 20s", p.rotate, leastRotate, mostRotate))
			}
			p.wall = true
			return p.watchWall(cmd.Context(), p.watch)
		},
	}
	cmd.Flags().DurationVar(&p.rotate, "rotate", 0, "let sales that don't fit take turns, each page for so long")
	return cmd
}

// The rests between a mistake in the program and the wall's next start: a mistake at every start
// must not become a busy loop, and one a week must not cost the wall an hour.
const (
	firstRest = 5 * time.Second
	mostRest  = 5 * time.Minute
	calmAfter = 10 * time.Minute // a run that lasted so long makes the next rest a first one
)

// watchWall starts the wall again when a mistake in the program ended it: nobody sits there to do it.
// Every other ending, such as a signal or a terminal that is gone, ends it for good.
func (p *program) watchWall(ctx context.Context, watch func(context.Context) error) error {
	rest := firstRest
	for {
		began := time.Now()
		err := watch(ctx)
		var mistake *ui.PanicError
		if !errors.As(err, &mistake) {
			return err
		}
		if time.Since(began) >= calmAfter {
			rest = firstRest
		}
		_, _ = fmt.Fprintf(p.stderr, "onsale: %v; the wall starts again in %s\n", err, rest)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rest):
		}
		rest = min(2*rest, mostRest)
	}
}

// handsOf is how a session acts; the wall's session gets no hands, and opens no journal.
func (p *program) handsOf(c *cockpit, log *slog.Logger) (h *hands, closeJournal func(), err error) {
	if p.wall {
		return nil, func() {}, nil
	}
	return p.openHands(c, log)
}

// journalEvery is how often the wall looks at what was done: it opens no journal, so it isn't told.
const journalEvery = 30 * time.Second

// followJournal keeps up with what the journal of this machine tells of incidents and actions.
func (p *program) followJournal(ctx context.Context, c *cockpit) {
	every := time.NewTicker(journalEvery)
	defer every.Stop()
	for {
		c.chronicle.readOnce(p, c.store, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
