package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui/sshd"
)

// exec runs a command that came over SSH: check and journal list, with those of their flags that
// touch nothing of this machine, and nothing else. It asks no system: what the poller knows answers.
func (s *served) exec(ctx context.Context, v *sshd.Visit, command string, out, errOut io.Writer) int {
	env := map[string]string{}
	for _, kv := range v.Env {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	far := &program{
		stdin: strings.NewReader(""), stdout: out, stderr: errOut,
		lookup: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	}
	words, err := splitWords(command)
	if err != nil {
		_, _ = fmt.Fprintf(errOut, "onsale: %v\n", err)
		return exitUnknown
	}
	if len(words) > 0 && words[0] != "check" && words[0] != "journal" && words[0] != "help" && words[0] != "--help" {
		_, _ = fmt.Fprintf(errOut, "onsale: %q can't be done over SSH: check and journal list can\n", sale.Clean(words[0], 40))
		return exitUnknown
	}
	return far.execute(ctx, s.farCommands(far), words)
}

// farCommands are what can be asked for over SSH.
func (s *served) farCommands(far *program) *cobra.Command {
	root := &cobra.Command{
		Use: "onsale", Short: "The cockpit over SSH", SilenceErrors: true, SilenceUsage: true,
		Long:              "Without a command there is the cockpit. Two commands work without a terminal.",
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(far.stdin)
	root.SetOut(far.stdout)
	root.SetErr(far.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })

	var flags checkFlags
	check := &cobra.Command{
		Use: "check [SALE…]", Short: "Print the verdict from what was read last, exit with it: 0 OK, 1 WATCH, 2 BAD, 3 UNKNOWN",
		RunE: func(cmd *cobra.Command, ids []string) error { return s.farCheck(cmd.Context(), far, flags, ids) },
	}
	check.Flags().StringVarP(&flags.output, "output", "o", "text", "text, json or nagios")
	check.Flags().DurationVar(&flags.timeout, "timeout", 10*time.Second, "how long to wait for a first reading, just after the server's start")

	var wanted journalFlags
	list := &cobra.Command{
		Use: "list", Short: "Print records, oldest first", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return s.farJournal(far, wanted) },
	}
	f := list.Flags()
	f.StringVar(&wanted.sale, "sale", "", "only this sale")
	f.StringVar(&wanted.actor, "actor", "", "only what this person did")
	f.StringVar(&wanted.code, "code", "", "only records whose code begins so: ADM, ADM10I")
	f.StringSliceVar(&wanted.kinds, "kind", nil, "only these kinds: intent, result, refused, effect, note, …")
	f.DurationVar(&wanted.since, "since", 0, "only the last so long: 12h")
	f.IntVar(&wanted.last, "last", farRecords, "only the newest so many")
	book := &cobra.Command{Use: "journal", Short: "Who did what, when and why", Args: cobra.NoArgs, RunE: root.RunE}
	book.AddCommand(list)
	root.AddCommand(check, book)
	return root
}

// farRecords is how many records are printed when nobody says how many.
const farRecords = 1000

// farCheck is check from the store. Just after the start it waits for the readings that the chosen
// sales need: a sale that nobody has looked at yet is UNKNOWN.
func (s *served) farCheck(ctx context.Context, far *program, flags checkFlags, ids []string) error {
	switch flags.output {
	case "text", "json", "nagios":
	default:
		return usage(fmt.Errorf("--output %q: want text, json or nagios", sale.Clean(flags.output, 40)))
	}
	if flags.timeout <= 0 || flags.timeout > time.Minute {
		return usage(fmt.Errorf("--timeout %s: want more than zero, and a minute at most", flags.timeout))
	}
	cfg := s.config.Load()
	chosen, err := choose(cfg, ids)
	if err != nil {
		return usage(errors.New(strings.ReplaceAll(err.Error(), cfg.Path, "the server's config")))
	}
	s.awaitReadings(ctx, flags.timeout, cfg, chosen)
	snap, now := s.cockpit.store.Snapshot(), time.Now()
	states := make([]*sale.State, 0, len(chosen))
	for _, id := range chosen {
		if st := snap.Sale(id); st != nil { // else the config was replaced just now
			states = append(states, st)
		}
	}
	if err := writeCheck(far.stdout, flags.output, far.ascii(), snap, states, now); err != nil {
		return err
	}
	return verdictError(overall(states))
}

// awaitReadings returns when each source that the sales need was heard of once, or time is up.
func (s *served) awaitReadings(ctx context.Context, atMost time.Duration, cfg *config.Config, chosen []sale.ID) {
	needed := map[string]bool{}
	of := sourcesNeeded(cfg)
	for _, id := range chosen {
		for _, source := range of[id] {
			needed[source] = true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	bell, hangUp := s.cockpit.store.Subscribe()
	defer hangUp()
	for {
		missing := false
		snap := s.cockpit.store.Snapshot()
		for i := range snap.Sources {
			src := &snap.Sources[i]
			missing = missing || (needed[src.Name] || src.ReadsAlarms) && src.LastTry.IsZero()
		}
		if !missing {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-bell:
		}
	}
}

func (s *served) farJournal(far *program, wanted journalFlags) error {
	if wanted.last <= 0 || wanted.last > 10*farRecords {
		return usage(fmt.Errorf("--last %d: want 1 to %d", wanted.last, 10*farRecords))
	}
	dir := s.dir
	if dir == "" {
		found, err := journal.DefaultDir(s.env)
		if err != nil {
			return err
		}
		dir = found
	}
	records, err := journal.List(dir, wanted.filter(time.Now()))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no journal here yet")
	}
	if err != nil {
		s.log.Error("the journal can't be read", "why", sale.Clean(err.Error(), 300))
		return errors.New("the journal can't be read: the server's log says why")
	}
	for i := range records {
		if _, err := fmt.Fprintln(far.stdout, journalLine(&records[i])); err != nil {
			return err
		}
	}
	return nil
}

// splitWords cuts a command into words as a shell would, as far as quotes go. There is no shell here:
// whatever else one would make something of is refused, not passed on.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, any := rune(0), false
	for _, c := range line {
		switch {
		case open != 0 && c == open:
			open = 0
		case open != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			open, any = c, true
		case c == ' ':
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		case strings.ContainsRune("|&;<>()$`\\*?[]{}!#~", c):
			return nil, fmt.Errorf("there is no shell here: %q means nothing", c)
		default:
			word.WriteRune(c)
			any = true
		}
	}
	if open != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if any {
		words = append(words, word.String())
	}
	return words, nil
}
