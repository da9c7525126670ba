package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// The exit codes of check. Anything that is not a verdict, such as a wrong flag or a panic, is 3.
const (
	exitOK      = 0
	exitWatch   = 1
	exitBad     = 2
	exitUnknown = 3
)

func exitCode(v sale.Verdict) int {
	switch v {
	case sale.OK:
		return exitOK
	case sale.Watch:
		return exitWatch
	case sale.Bad:
		return exitBad
	}
	return exitUnknown
}

type checkFlags struct {
	output  string
	timeout time.Duration
}

func (p *program) checkCommand() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check [SALE…]",
		Short: "Read every source once, print the verdict, exit with it",
		Long: `check reads every source that the named sales need (all sales without names), once, prints one
line a sale and exits 0 OK, 1 WATCH, 2 BAD, 3 UNKNOWN. Over several sales the worst counts, in the
order BAD, UNKNOWN, WATCH, OK. A usage error, an unreadable config and an internal error are 3.

It needs no terminal; at one it asks for the code of a login with MFA, and for nothing else. A sale whose needed signals are missing is UNKNOWN.`,
		Example: `  onsale check
  onsale check lantern --output json
  onsale check lantern --output nagios --timeout 8s`,
		ValidArgsFunction: p.completeSales,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.check(cmd.Context(), flags, args)
		},
	}
	cmd.Flags().StringVarP(&flags.output, "output", "o", "text", "text, json or nagios")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 10*time.Second, "how long the sources may take altogether")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "nagios"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) check(ctx context.Context, flags checkFlags, ids []string) error {
	switch flags.output {
	case "text", "json", "nagios":
	default:
		return usage(fmt.Errorf("--output %q: want text, json or nagios", flags.output))
	}
	if flags.timeout <= 0 {
		return usage(fmt.Errorf("--timeout %s: want more than zero", flags.timeout))
	}
	cockpit, err := p.load(ctx)
	if err != nil {
		return err
	}
	chosen, err := cockpit.choose(ids)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	cockpit.chronicle.readOnce(p, cockpit.store, time.Now())
	cockpit.readOnce(ctx, chosen)

	now := time.Now()
	cockpit.store.Tick(now)
	snap := cockpit.store.Snapshot()
	states := make([]*sale.State, 0, len(chosen))
	for _, id := range chosen {
		states = append(states, snap.Sale(id))
	}
	if err := writeCheck(p.stdout, flags.output, p.ascii(), snap, states, now); err != nil {
		return err
	}
	return verdictError(overall(states))
}

func writeCheck(w io.Writer, output string, ascii bool, snap *sale.Snapshot, states []*sale.State, now time.Time) error {
	switch output {
	case "json":
		return writeCheckJSON(w, snap, states, now)
	case "nagios":
		return writeNagios(w, states)
	}
	return writeCheckText(w, states, now, ascii)
}

func overall(states []*sale.State) sale.Verdict {
	verdicts := make([]sale.Verdict, len(states))
	for i, st := range states {
		verdicts[i] = st.Verdict
	}
	return sale.Worst(verdicts...)
}

// writeCheckText prints one line a sale, worst first, the cause before anything else.
func writeCheckText(w io.Writer, states []*sale.State, now time.Time, ascii bool) error {
	sorted := append([]*sale.State(nil), states...)
	sale.SortWorstFirst(sorted)
	widest := 0
	for _, st := range sorted {
		widest = max(widest, len(st.Sale.ID))
	}
	for _, st := range sorted {
		if _, err := fmt.Fprintln(w, checkLine(st, now, widest, ascii)); err != nil {
			return err
		}
	}
	return nil
}

// checkLine is one sale in one line; its id is padded to width cells.
func checkLine(st *sale.State, now time.Time, width int, ascii bool) string {
	phase := fmt.Sprintf("%s %s", st.Phase, sale.Clock(st.Sale.Opens, now))
	line := fmt.Sprintf("%s %-8s %-*s %-21s %s", glyph(st.Verdict, ascii), strings.ToUpper(string(st.Verdict)), width, st.Sale.ID, phase, causeOf(st, now))
	if ascii {
		line = views.ASCII(line)
	}
	return strings.TrimRight(line, " ")
}

// causeOf is the cause of a verdict in one line, then what else is wrong, what holds the sale and
// the next move, or what makes it OK. Without a time it tells neither since when nor what holds.
func causeOf(st *sale.State, now time.Time) string {
	parts := []string{"none"}
	if len(st.Reasons) > 0 {
		parts[0] = st.Cause.Text
		if parts[0] == "" {
			parts[0] = st.Reasons[0].Text
		}
		if !now.IsZero() && !st.Cause.Since.IsZero() {
			parts[0] += ", since " + st.Cause.Since.In(now.Location()).Format(time.TimeOnly)
		}
		for i := range st.Reasons {
			if r := &st.Reasons[i]; !st.Cause.Says(r) && r.Text != parts[0] {
				parts = append(parts, r.Text)
			}
		}
	}
	if !now.IsZero() && st.Binding != nil {
		parts = append(parts, st.BindsText(now))
	}
	if st.Verdict == sale.OK || st.Verdict == sale.Watch {
		parts = append(parts, neededText(st))
	}
	for _, n := range st.Notes {
		if n.Code == "queue_all" || n.Code == "room_suspended" {
			parts = append(parts, n.Text)
		}
	}
	if len(st.Reasons) > 0 && st.Next.Action != "" {
		parts = append(parts, "next: "+st.Next.Text)
	}
	return strings.Join(parts, "; ")
}

func glyph(v sale.Verdict, ascii bool) string {
	glyphs := map[sale.Verdict][2]string{sale.OK: {"○", "o"}, sale.Watch: {"◆", "*"}, sale.Bad: {"▲", "!"}}
	g, ok := glyphs[v]
	if !ok {
		g = [2]string{"◇", "?"}
	}
	if ascii {
		return g[1]
	}
	return g[0]
}

// verdict carries a check's outcome to the exit code; it is not printed.
type verdictExit struct{ code int }

func (v verdictExit) Error() string { return fmt.Sprintf("exit %d", v.code) }

func verdictError(v sale.Verdict) error {
	if code := exitCode(v); code != exitOK {
		return verdictExit{code}
	}
	return nil
}

// usageError is a mistake in the command line, told together with how to ask for help.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usage(err error) error { return usageError{err} }

func isUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

func neededText(st *sale.State) string {
	if st.Needed == 0 {
		return "no signal is needed in this phase"
	}
	return fmt.Sprintf("%d of %d needed signals live", st.NeededLive, st.Needed)
}
