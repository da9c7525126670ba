package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

type approveFlags struct {
	decline                             bool
	reason, confirm, output, journalDir string
	timeout                             time.Duration
}

func (p *program) approveCommand() *cobra.Command {
	var flags approveFlags
	cmd := &cobra.Command{
		Use:   "approve [REQUEST]",
		Short: "Agree, as the second person, to what somebody else asked for",
		Long: `approve without a request lists those that are open. With one, by its id or the end of it, it reads the
target again and shows what would happen and, with --confirm SALE in place of the gesture, agrees: whoever
asked can send it then, within a minute. --decline says no, or withdraws a request of one's own.

Whoever asked, by name or by key, can't agree. A request that would do something else by now is refused.
Who agrees is the name that this shell goes by ($ONSALE_OPERATOR, else the login): colleagues who share one
account of the machine are told apart by that name alone.

Exit: 0 agreed or declined, 1 refused, 3 usage and internal errors.`,
		Example: `  onsale approve
  onsale approve 3f9c1e
  onsale approve 3f9c1e --confirm lantern
  onsale approve 3f9c1e --decline --reason "provider A is back"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.output != "text" && flags.output != "json" {
				return usage(fmt.Errorf("--output %q: want text or json", flags.output))
			}
			if len(args) == 0 {
				return p.listRequests(flags)
			}
			return p.answer(cmd.Context(), flags, args[0])
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.decline, "decline", false, "say no; of one's own request: withdraw it")
	f.StringVar(&flags.reason, "reason", "", "why; goes into the journal")
	f.StringVar(&flags.confirm, "confirm", "", "the sale's id: stands for the gesture")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	f.StringVar(&flags.journalDir, "journal", "", "the journal's folder (default $XDG_STATE_HOME/onsale/journal)")
	f.DurationVar(&flags.timeout, "timeout", time.Minute, "how long all of it may take")
	return cmd
}

// requestReport is a request as other programs read it.
type requestReport struct {
	ID       string           `json:"id"`
	Stage    actions.AskStage `json:"stage"`
	Sale     sale.ID          `json:"sale"`
	Action   actions.Verb     `json:"action"`
	By       string           `json:"by"`
	From     actions.Value    `json:"from"`
	To       actions.Value    `json:"to"`
	Change   string           `json:"change"`
	Reason   string           `json:"reason"`
	At       time.Time        `json:"at"`
	Left     float64          `json:"left_seconds"`
	AgreedBy string           `json:"agreed_by,omitempty"`
	Glass    bool             `json:"break_glass,omitempty"`
}

func (p *program) listRequests(flags approveFlags) error {
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	recorder, closeJournal := p.openJournal(flags.journalDir)
	defer closeJournal()
	runner, err := newRunner(cfg, p.logins(), recorder, func() *sale.Snapshot { return nil })
	if err != nil {
		return err
	}
	all, err := runner.Requests()
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(all, func(a actions.Asked) bool {
		return a.Stage != actions.AskWaiting && a.Stage != actions.AskAgreed
	})
	if flags.output == "json" {
		out := struct {
			Schema   string          `json:"schema"`
			Requests []requestReport `json:"requests"`
		}{"onsale.requests/v1", []requestReport{}}
		for _, a := range open {
			out.Requests = append(out.Requests, requestReport{
				ID: a.ID, Stage: a.Stage, Sale: a.Request.Sale, Action: a.Request.Verb, By: a.Requester.Name, From: a.From, To: a.To, Change: a.Change,
				Reason: a.Request.Reason, At: a.At.UTC(), Left: a.Left.Seconds(), AgreedBy: a.Answerer.Name, Glass: a.Request.Glass,
			})
		}
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	for _, a := range open {
		if _, err := fmt.Fprintln(p.stdout, p.plain(requestLine(&a))); err != nil {
			return err
		}
	}
	return nil
}

// requestLine is one open request for a person.
func requestLine(a *actions.Asked) string {
	words := []string{a.Short(), string(a.Stage), string(a.Request.Sale), a.Words(), "by " + a.Requester.Name, sale.FormatAge(a.Left) + " left"}
	if a.Stage == actions.AskAgreed {
		words = append(words, "agreed by "+a.Answerer.Name)
	}
	if a.Request.Glass {
		words = append(words, "BREAKS THE GLASS")
	}
	for _, e := range a.Evidence {
		words = append(words, e.String())
	}
	if a.Request.Reason != "" {
		words = append(words, a.Request.Reason)
	}
	return sale.Clean(strings.Join(words, "  "), 400)
}

func (p *program) plain(line string) string {
	if p.ascii() {
		return views.ASCII(line)
	}
	return line
}

// answer agrees to one request, or declines it.
func (p *program) answer(ctx context.Context, flags approveFlags, wanted string) error {
	cockpit, err := p.load(ctx)
	if err != nil {
		return err
	}
	recorder, closeJournal := p.openJournal(flags.journalDir)
	defer closeJournal()
	runner, err := newRunner(cockpit.config, p.logins(), recorder, cockpit.store.Snapshot)
	if err != nil {
		return err
	}
	all, err := runner.Requests()
	if err != nil {
		return err
	}
	a, err := requestNamed(all, wanted)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	actor := p.actor(cockpit.config, "cli")
	var result actions.Result
	if flags.decline {
		result = asked(actions.Preview{Request: a.Request, Target: a.Target, From: a.From, To: a.To, Change: a.Change, Risk: a.Risk})
		said(&result, runner.Answer(ctx, actor, a.ID, "", false, flags.reason), "declined: nothing is sent")
	} else if result, err = p.agree(ctx, flags, cockpit, runner, actor, a); err != nil {
		return err
	}
	if err := writeAct(p.stdout, flags.output, p.ascii(), &result, false); err != nil {
		return err
	}
	if code := result.Outcome.ExitCode(); code != 0 {
		return verdictExit{code}
	}
	return nil
}

func (p *program) agree(ctx context.Context, flags approveFlags, cockpit *cockpit, runner *actions.Runner, actor actions.Actor, a actions.Asked) (actions.Result, error) {
	chosen, err := cockpit.choose([]string{string(a.Request.Sale)})
	if err != nil {
		return actions.Result{}, usage(err)
	}
	cockpit.readOnce(ctx, chosen)
	cockpit.store.Tick(time.Now())
	_, preview := runner.Review(ctx, actor, a.ID)
	result := asked(preview)
	switch {
	case preview.Refused():
	case flags.confirm != string(a.Request.Sale):
		result.Outcome, result.Text = actions.Refused, fmt.Sprintf("nothing was agreed to: --confirm %s stands for the gesture", a.Request.Sale)
	default:
		said(&result, runner.Answer(ctx, actor, a.ID, preview.Token(), true, flags.reason), "agreed: "+a.Requester.Name+" can send it now")
	}
	return result, nil
}

// said puts how an answer went into a result.
func said(result *actions.Result, no *actions.Refusal, text string) {
	result.Outcome, result.Text = actions.Done, text
	if no != nil {
		result.Outcome, result.Text, result.Refusals = actions.Refused, no.Text, []actions.Refusal{*no}
	}
}

// requestNamed finds a request by its id, or the end of it where only one ends so.
func requestNamed(all []actions.Asked, wanted string) (actions.Asked, error) {
	var found []actions.Asked
	for _, a := range all {
		if a.ID == wanted {
			return a, nil
		}
		if len(wanted) >= 4 && strings.HasSuffix(a.ID, wanted) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return actions.Asked{}, fmt.Errorf("no request %q; 'onsale approve' lists those that are open", sale.Clean(wanted, 40))
	case 1:
		return found[0], nil
	}
	return actions.Asked{}, fmt.Errorf("several requests end in %q: give more of the id", sale.Clean(wanted, 40))
}

// askSecond asks for a second person and waits for the answer. What it returns is the agreement's id,
// or a result that says why there is none.
func (p *program) askSecond(ctx context.Context, runner *actions.Runner, actor actions.Actor, preview actions.Preview) (string, *actions.Result) {
	refused := func(no actions.Refusal) *actions.Result {
		result := asked(preview)
		said(&result, &no, "")
		return &result
	}
	id, no := runner.Ask(ctx, actor, preview)
	if no != nil {
		return "", refused(*no)
	}
	told := false
	clock := time.NewTicker(300 * time.Millisecond)
	defer clock.Stop()
	for {
		all, err := runner.Requests()
		if err != nil {
			return "", refused(actions.Refusal{Guard: actions.GuardJournal, Text: sale.Clean(err.Error(), 200)})
		}
		i := slices.IndexFunc(all, func(a actions.Asked) bool { return a.ID == id })
		if i < 0 {
			return "", refused(actions.Refusal{Guard: actions.GuardSecond, Text: "the request is not in the journal any more"})
		}
		a := all[i]
		switch a.Stage {
		case actions.AskAgreed:
			return id, nil
		case actions.AskWaiting:
		case actions.AskDeclined:
			return "", refused(actions.Refusal{Guard: actions.GuardSecond, Text: strings.TrimSuffix(a.Answerer.Name+" declined: "+a.Reason, ": ")})
		default:
			return "", refused(actions.Refusal{Guard: actions.GuardSecond, Text: "nobody agreed in time", Hint: "ask again"})
		}
		if !told {
			told = true
			_, _ = fmt.Fprintf(p.stderr, "onsale: a second person is asked, %s left: another operator runs  onsale approve %s --confirm %s  or agrees in the cockpit\n", sale.FormatAge(a.Left), a.Short(), a.Request.Sale)
		}
		select {
		case <-ctx.Done():
			_ = runner.Answer(context.WithoutCancel(ctx), actor, id, "", false, "stopped waiting")
			return "", refused(actions.Refusal{Guard: actions.GuardSecond, Text: "stopped before anybody agreed; the request is withdrawn"})
		case <-clock.C:
		}
	}
}
