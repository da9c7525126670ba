package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// symptom is what the doctor found of one thing that onsale leans on.
type symptom struct {
	Area   string `json:"area"`   // "here", "read" or "act"
	Name   string `json:"name"`   // of the source, the control or the thing of this machine
	Kind   string `json:"kind"`   // of the source or the control; empty here
	Result string `json:"result"` // "fail", "warn" or "ok"
	Text   string `json:"text"`
	Mend   string `json:"mend"` // what mends it; empty where nothing is wrong
}

// The results, worst first.
const (
	fails = "fail"
	warns = "warn"
	fine  = "ok"
)

// doctorReport is the JSON form. Names and shapes are promised to scripts: add, never rename.
type doctorReport struct {
	Schema  string       `json:"schema"` // onsale.doctor/v1
	At      time.Time    `json:"at"`
	Verdict sale.Verdict `json:"verdict"` // ok, watch or bad
	Checks  []symptom    `json:"checks"`
}

// doctor collects symptoms, from many goroutines.
type doctor struct {
	program *program
	mu      sync.Mutex
	found   []symptom
}

func (d *doctor) say(s symptom) {
	s.Text, s.Mend = sale.Clean(s.Text, 300), sale.Clean(s.Mend, 300)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found = append(d.found, s)
}

// problem is a failed symptom in the words of a problem.
func (d *doctor) problem(area, name, kind string, p *sale.Problem) {
	d.say(symptom{area, name, kind, fails, p.Text, p.Hint})
}

func (p *program) doctorCommand() *cobra.Command {
	var output string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Reach every source and control, say what fails and what mends it",
		Long: `doctor reaches everything that the config names, with the real credentials: every source is read once, every
control previews an action on each of its targets, as the key would before anything is confirmed. It looks at
this machine too: the config's warnings, the clock, the journal, the terminal. Nothing is changed anywhere;
Kubernetes is asked by a server-side dry run.

One line each, what fails first. It exits 0 when all is well, 1 with warnings, 2 when something fails, 3 for a
usage or an internal error.`,
		Example: `  onsale doctor
  onsale doctor --output json | jq '.checks[] | select(.result == "fail")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usage(fmt.Errorf("--output %q: want text or json", output))
			}
			if timeout <= 0 {
				return usage(fmt.Errorf("--timeout %s: want more than zero", timeout))
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return p.doctor(ctx, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long everything may take altogether")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) doctor(ctx context.Context, output string) error {
	d := &doctor{program: p}
	d.terminal()
	if cfg := d.readConfig(); cfg != nil {
		d.journal(cfg)
		var asking sync.WaitGroup
		asking.Go(func() { d.clock(ctx, cfg) })
		asking.Go(func() {
			store := d.sources(ctx, cfg)
			d.controls(ctx, cfg, store)
		})
		asking.Wait()
	}
	order := []string{fails, warns, fine}
	areas := []string{"here", "read", "act"}
	slices.SortStableFunc(d.found, func(a, b symptom) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Result), slices.Index(order, b.Result)),
			cmp.Compare(slices.Index(areas, a.Area), slices.Index(areas, b.Area)), strings.Compare(a.Name, b.Name))
	})
	report := doctorReport{Schema: "onsale.doctor/v1", At: time.Now().UTC(), Verdict: d.verdict(), Checks: d.found}
	if err := d.write(output, report); err != nil {
		return err
	}
	return verdictError(report.Verdict)
}

func (d *doctor) count(result string) int {
	n := 0
	for i := range d.found {
		if d.found[i].Result == result {
			n++
		}
	}
	return n
}

func (d *doctor) verdict() sale.Verdict {
	switch {
	case d.count(fails) > 0:
		return sale.Bad
	case d.count(warns) > 0:
		return sale.Watch
	}
	return sale.OK
}

func (d *doctor) write(output string, report doctorReport) error {
	if output == "json" {
		enc := json.NewEncoder(d.program.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(report)
	}
	if err := writeDoctor(d.program.stdout, report.Checks, d.program.ascii()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.program.stderr, "onsale: %d of %d fail, %d with a warning; nothing was changed\n", d.count(fails), len(d.found), d.count(warns))
	return err
}

// writeDoctor prints one line a symptom, in columns that a script can cut at two spaces.
func writeDoctor(w io.Writer, found []symptom, ascii bool) error {
	name, text := 0, 0
	for i := range found {
		name = max(name, len([]rune(found[i].Name)))
		if found[i].Mend != "" {
			text = min(max(text, len([]rune(found[i].Text))), 70)
		}
	}
	words := map[string]string{fails: "FAIL", warns: "WARN", fine: "ok"}
	verdicts := map[string]sale.Verdict{fails: sale.Bad, warns: sale.Watch, fine: sale.OK}
	for i := range found {
		s := &found[i]
		line := fmt.Sprintf("%s %-8s %-4s  %-*s  %s", glyph(verdicts[s.Result], ascii), words[s.Result], s.Area, name, s.Name, s.Text)
		if s.Mend != "" {
			line = fmt.Sprintf("%s %-8s %-4s  %-*s  %-*s   mend: %s", glyph(verdicts[s.Result], ascii), words[s.Result], s.Area, name, s.Name, text, s.Text, s.Mend)
		}
		if ascii {
			line = views.ASCII(line)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// sources reads every source once and tells how it went.
func (d *doctor) sources(ctx context.Context, cfg *config.Config) *sale.Store {
	c := &cockpit{config: cfg, reads: map[sale.ID][]string{}, log: slog.New(slog.DiscardHandler), chronicle: &chronicle{config: cfg}}
	var infos []sale.SourceInfo
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		src, err := d.program.source(c, s)
		switch {
		case err != nil:
			d.say(symptom{"read", s.Name, s.Kind, fails, err.Error(), "see sources." + s.Name + " in the config"})
		case src == nil:
			d.say(symptom{"read", s.Name, s.Kind, warns, "no sale reads from it, so it is never asked", "let a signal read from it, or remove it"})
		default:
			c.sources = append(c.sources, bounded(src, s))
			infos = append(infos, src.Info())
		}
	}
	c.store = sale.NewStore(declared(cfg), infos, cfg.Limits, time.Now())
	if len(c.sources) > 0 {
		c.poller().ReadOnce(ctx)
	}
	for _, st := range c.store.Snapshot().Sources {
		if st.Kind != "" {
			d.source(&st)
		}
	}
	return c.store
}

func (d *doctor) source(st *sale.SourceState) {
	took := st.Took.Round(time.Millisecond)
	switch {
	case st.LastTry.IsZero():
		d.say(symptom{"read", st.Name, st.Kind, fails, "it was not read in time", "give more --timeout"})
	case st.LastOK.IsZero() && st.Problem != nil:
		d.problem("read", st.Name, st.Kind, st.Problem)
	case st.Missing > 0 && st.Problem != nil:
		d.say(symptom{"read", st.Name, st.Kind, warns, fmt.Sprintf("%d signals are missing: %s", st.Missing, st.Problem.Text), st.Problem.Hint})
	default:
		text := fmt.Sprintf("%s; read in %s with %d calls", cmp.Or(st.Gives, "all that it has"), took, st.Calls)
		if len(st.Warnings) > 0 { // what the system itself remarks; it answered all the same
			text += "; it remarks: " + st.Warnings[0]
		}
		d.say(symptom{"read", st.Name, st.Kind, fine, text, ""})
	}
}
