package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

type actFlags struct {
	to             float64
	reason, change string
	text           string
	dryRun, glass  bool
	confirm        string
	output         string
	journalDir     string
	timeout        time.Duration
	lasts          time.Duration
}

func (p *program) actCommand() *cobra.Command {
	var flags actFlags
	cmd := &cobra.Command{
		Use:   "act SALE ACTION [PLAY]",
		Short: "One action, through the same runner as the key",
		Long: `act previews one action on one sale and, with --confirm SALE in place of the gesture, does it: the intent
is journalled first, the write is sent once, read back and journalled. Without --confirm nothing is sent.
Where the policy wants a second person, it asks and waits for 'onsale approve' or the palette of another
cockpit on the same journal.

Actions: scale-up, scale-back, scale-ahead, pause, resume, rate, incident, acknowledge, resolve, note, silence, undo, play NAME.
Exit: 0 done and read back, 1 refused (nothing was sent), 2 failed (the system said no), 3 unknown.`,
		Example: `  onsale act lantern pause --reason INC-2214 --dry-run
  onsale act lantern pause --reason INC-2214 --confirm lantern
  onsale act lantern scale-up --to 32 --change CHG-882 --confirm lantern --output json
  onsale act lantern silence --for 30m --reason "load test" --confirm lantern`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := actions.Request{Sale: sale.ID(args[0]), Verb: actions.Verb(args[1]), Reason: flags.reason, Change: flags.change, Text: flags.text, Glass: flags.glass}
			if cmd.Flags().Changed("to") {
				req.To = &flags.to
			}
			if cmd.Flags().Changed("for") {
				if req.Verb != actions.Silence || req.To != nil {
					return usage(errors.New("--for is the time of a silence, in place of --to"))
				}
				minutes := flags.lasts.Minutes()
				req.To = &minutes
			}
			if len(args) == 3 {
				req.Play = args[2]
			}
			return p.act(cmd.Context(), flags, req)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&flags.to, "to", 0, "the absolute number to set")
	f.DurationVar(&flags.lasts, "for", 30*time.Minute, "silence: for how long, 1m to 8h")
	f.StringVar(&flags.reason, "reason", "", "why; goes into the journal")
	f.StringVar(&flags.change, "change", "", "id of the change or ticket")
	f.StringVar(&flags.text, "text", "", "the words of a note or an incident")
	f.BoolVar(&flags.dryRun, "dry-run", false, "preview only")
	f.BoolVar(&flags.glass, "break-glass", false, "act in spite of the guards that policy.break_glass lifts; takes a reason, on record")
	f.StringVar(&flags.confirm, "confirm", "", "the sale's id again: stands for the gesture")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	f.StringVar(&flags.journalDir, "journal", "", "the journal's folder (default $XDG_STATE_HOME/onsale/journal)")
	f.DurationVar(&flags.timeout, "timeout", time.Minute, "how long all of it may take")
	return cmd
}

func (p *program) act(ctx context.Context, flags actFlags, req actions.Request) error {
	if flags.output != "text" && flags.output != "json" {
		return usage(fmt.Errorf("--output %q: want text or json", flags.output))
	}
	if _, ok := req.Verb.Meaning(); !ok {
		return usage(fmt.Errorf("no action %q", sale.Clean(string(req.Verb), 40)))
	}
	cockpit, err := p.load(ctx)
	if err != nil {
		return err
	}
	chosen, err := cockpit.choose([]string{string(req.Sale)})
	if err != nil {
		return usage(err)
	}
	whole := ctx // waiting for a second person takes its own time
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	cockpit.readOnce(ctx, chosen)
	cockpit.store.Tick(time.Now())

	recorder, closeJournal := p.openJournal(flags.journalDir)
	defer closeJournal()
	runner, err := newRunner(cockpit.config, p.logins(), recorder, cockpit.store.Snapshot)
	if err != nil {
		return err
	}
	if _, err := runner.Settle(ctx); err != nil && recorder.Err() == nil {
		return fmt.Errorf("what an earlier run left open could not be settled: %w", err)
	}
	actor := p.actor(cockpit.config, "cli")
	preview := runner.Preview(ctx, actor, req)
	var result actions.Result
	switch {
	case flags.dryRun || preview.Refused():
		result = asked(preview)
	case flags.confirm != string(req.Sale):
		result = asked(preview)
		result.Outcome, result.Text = actions.Refused, fmt.Sprintf("nothing was sent: --confirm %s stands for the gesture", req.Sale)
	default:
		if len(preview.Steps) > 1 {
			stop := cockpit.follow(ctx, chosen)
			defer stop()
		}
		again := func(ctx context.Context) actions.Preview {
			ctx, cancel := context.WithTimeout(ctx, flags.timeout)
			defer cancel()
			cockpit.readOnce(ctx, chosen)
			cockpit.store.Tick(time.Now())
			return runner.Preview(ctx, actor, req)
		}
		result = p.confirmed(whole, runner, actor, preview, again)
	}
	if err := writeAct(p.stdout, flags.output, p.ascii(), &result, flags.dryRun); err != nil {
		return err
	}
	if !flags.dryRun && result.IntentSeq > 0 || len(result.Steps) > 0 {
		p.tellNow(cockpit.config, recorder, actor, result)
	}
	if code := result.Outcome.ExitCode(); code != 0 {
		return verdictExit{code}
	}
	return nil
}

// asked is the result of a preview that is not sent.
func asked(preview actions.Preview) actions.Result {
	r := actions.Result{Preview: preview, Outcome: actions.Done, Refusals: preview.Refusals}
	if preview.Refused() {
		r.Outcome, r.Text = actions.Refused, preview.Refusals[0].Text
	}
	return r
}

// confirmed sends what was confirmed, after a second person has agreed where one is needed. Then the
// target and the evidence are read again.
func (p *program) confirmed(ctx context.Context, runner *actions.Runner, actor actions.Actor, preview actions.Preview, again func(context.Context) actions.Preview) actions.Result {
	approval := ""
	if _, _, second := runner.Needs(&preview); second {
		var no *actions.Result
		if approval, no = p.askSecond(ctx, runner, actor, preview); no != nil {
			return *no
		}
		was := preview.Token()
		if preview = again(ctx); !preview.Refused() && preview.Token() != was {
			preview.Refuse(actions.GuardChanged, "it would do something else now than what was agreed to: "+preview.Change, "ask again")
		}
		if preview.Refused() {
			return asked(preview)
		}
	}
	arming, no := runner.Arm(actor, preview, 10*time.Second)
	if no != nil {
		return actions.Result{Preview: preview, Outcome: actions.Refused, Refusals: []actions.Refusal{*no}, Text: no.Text}
	}
	return runner.Run(ctx, actor, actions.Confirmed{Preview: preview, Arming: arming.ID, At: time.Now(), Approval: approval})
}

func newRunner(cfg *config.Config, logins *login.Book, recorder actions.Recorder, snapshot func() *sale.Snapshot) (*actions.Runner, error) {
	return actions.NewRunner(runnerConfig(cfg, logins, recorder, snapshot))
}

// runnerConfig is what a config declares of acting, in the runner's own terms.
func runnerConfig(cfg *config.Config, logins *login.Book, recorder actions.Recorder, snapshot func() *sale.Snapshot) actions.Config {
	made := newExecutors(cfg, logins)
	made.opened = openedIn(recorder)
	return actions.Config{
		Journal: recorder, Policy: policyOf(cfg), Executor: made.find, Snapshot: snapshot, Plays: playsOf(cfg), Redact: made.redact,
	}
}

// openJournal opens the journal, or gives one that says why it could not be: then nothing is done.
func (p *program) openJournal(dir string) (recorder actions.Recorder, closeJournal func()) {
	if dir == "" {
		found, err := journal.DefaultDir(p.env)
		if err != nil {
			return actions.NoJournal(err), func() {}
		}
		dir = found
	}
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		return actions.NoJournal(err), func() {}
	}
	return j, func() { _ = j.Close() }
}

// actor is who acts from this machine: the user of the operating system, in the role that the config gives.
func (p *program) actor(cfg *config.Config, via string) actions.Actor {
	return actions.Actor{Name: p.operator(), Role: actions.Role(cfg.Policy.Role), Via: via}
}

func writeAct(w io.Writer, output string, ascii bool, result *actions.Result, dryRun bool) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(result.Report())
	}
	word := strings.ToUpper(string(result.Outcome))
	if dryRun && result.Outcome == actions.Done {
		word = "DRY RUN"
	}
	pre := &result.Preview
	rows := [][2]string{
		{word, strings.TrimSpace(string(pre.Request.Sale) + "  " + pre.Change)},
		{"", result.Text},
		{"target", pre.Target.String()},
		{"how", pre.How},
		{"people", pre.PeopleText},
		{"stays", pre.Stays},
		{"effect", pre.EffectText},
		{"cost", pre.CostText},
		{"undo", pre.UndoText},
		{"reverts it", pre.RevertsIt},
	}
	for _, f := range pre.Facts {
		rows = append(rows, [2]string{f.Label, f.Text})
	}
	for _, warning := range pre.Warnings {
		rows = append(rows, [2]string{"warning", warning})
	}
	for _, no := range pre.Lifted {
		rows = append(rows, [2]string{"GLASS", "lifts " + string(no.Guard) + ": " + no.Text})
	}
	for _, no := range result.Refusals {
		rows = append(rows, [2]string{"refused", strings.TrimSuffix(no.Text+"; "+no.Hint, "; ")})
	}
	if result.IntentSeq > 0 {
		rows = append(rows, [2]string{"journal", fmt.Sprintf("#%d #%d", result.IntentSeq, result.ResultSeq)})
	}
	rows = slices.DeleteFunc(rows, func(r [2]string) bool { return r[1] == "" })
	for _, r := range rows {
		line := fmt.Sprintf("%-10s %s", r[0], r[1])
		if ascii {
			line = views.ASCII(line)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
