package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

type journalFlags struct {
	dir, sale, actor, code string
	kinds                  []string
	since                  time.Duration
	last                   int
	format                 string
}

func (p *program) journalCommand() *cobra.Command {
	var flags journalFlags
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Who did what, when and why: list, verify, export",
		Long: `The journal holds every action that was asked for: its intent before anything was sent, its outcome and
its effect, in JSON lines whose hashes form a chain. It is tamper-evident, not tamper-proof: keep the head
that 'journal head' prints somewhere else, and 'journal verify HEAD' will tell a tail that was cut off.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&flags.dir, "dir", "", "the journal's folder (default $XDG_STATE_HOME/onsale/journal)")
	list := &cobra.Command{
		Use: "list", Short: "Print records, oldest first", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.journalList(flags) },
	}
	export := &cobra.Command{
		Use: "export", Short: "Write records as JSON lines, byte for byte, or as CSV", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.journalExport(flags) },
	}
	for _, c := range []*cobra.Command{list, export} {
		f := c.Flags()
		f.StringVar(&flags.sale, "sale", "", "only this sale")
		f.StringVar(&flags.actor, "actor", "", "only what this person did")
		f.StringVar(&flags.code, "code", "", "only records whose code begins so: ADM, ADM10I")
		f.StringSliceVar(&flags.kinds, "kind", nil, "only these kinds: intent, result, refused, effect, note, …")
		f.DurationVar(&flags.since, "since", 0, "only the last so long: 12h")
		f.IntVar(&flags.last, "last", 0, "only the newest so many")
	}
	export.Flags().StringVar(&flags.format, "format", journal.JSONLines, "jsonl or csv")
	cmd.AddCommand(list, export,
		&cobra.Command{
			Use: "verify [HEAD…]", Short: "Check the whole chain, and that it still holds the given heads",
			RunE: func(_ *cobra.Command, heads []string) error { return p.journalVerify(flags, heads) },
		},
		&cobra.Command{
			Use: "head", Short: "Print the end of the chain, to be kept elsewhere", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return p.journalHead(flags) },
		},
	)
	return cmd
}

func (p *program) journalDir(flags journalFlags) (string, error) {
	if flags.dir != "" {
		return flags.dir, nil
	}
	return journal.DefaultDir(p.env)
}

func (f journalFlags) filter(now time.Time) journal.Filter {
	want := journal.Filter{Sale: f.sale, Actor: f.actor, Code: f.code, Last: f.last}
	for _, k := range f.kinds {
		want.Kinds = append(want.Kinds, journal.Kind(k))
	}
	if f.since > 0 {
		want.Since = now.Add(-f.since)
	}
	return want
}

func (p *program) journalList(flags journalFlags) error {
	dir, err := p.journalDir(flags)
	if err != nil {
		return err
	}
	records, err := journal.List(dir, flags.filter(time.Now()))
	if err != nil {
		return err
	}
	for i := range records {
		if _, err := fmt.Fprintln(p.stdout, journalLine(&records[i])); err != nil {
			return err
		}
	}
	return nil
}

// journalLine is one record for a person. Records hold foreign text as it came, so it is cleaned here.
func journalLine(r *journal.Record) string {
	words := []string{
		r.TS.UTC().Format("2006-01-02T15:04:05Z"), fmt.Sprintf("#%d", r.Seq), r.Code, string(r.Kind),
		strings.TrimSpace(r.Actor.Name + " " + r.Actor.Role), r.Sale, r.Action, change(r), r.Outcome, r.Text, r.Reason,
	}
	if r.Approver != nil {
		words = append(words, "approved by "+r.Approver.Name)
	}
	if len(r.Glass) > 0 {
		words = append(words, "GLASS BROKEN: "+strings.Join(r.Glass, ", "))
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return sale.Clean(strings.Join(words, "  "), 400)
}

func change(r *journal.Record) string {
	if len(r.To) == 0 {
		return ""
	}
	return string(r.From) + " → " + string(r.To)
}

func (p *program) journalExport(flags journalFlags) error {
	if flags.format != journal.JSONLines && flags.format != journal.CSV {
		return usage(fmt.Errorf("--format %q: want %s or %s", flags.format, journal.JSONLines, journal.CSV))
	}
	dir, err := p.journalDir(flags)
	if err != nil {
		return err
	}
	return journal.Export(p.stdout, dir, flags.filter(time.Now()), flags.format)
}

// journalVerify exits 0 when the chain is whole, 2 when it is not, 3 when it can't be read.
func (p *program) journalVerify(flags journalFlags, heads []string) error {
	dir, err := p.journalDir(flags)
	if err != nil {
		return err
	}
	report, err := journal.Verify(dir, heads...)
	if err != nil {
		return err
	}
	var text strings.Builder
	if _, err := report.WriteTo(&text); err != nil {
		return err
	}
	if _, err := io.WriteString(p.stdout, text.String()); err != nil {
		return err
	}
	if !report.OK() {
		return verdictExit{exitBad}
	}
	return nil
}

func (p *program) journalHead(flags journalFlags) error {
	dir, err := p.journalDir(flags)
	if err != nil {
		return err
	}
	report, err := journal.Verify(dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, report.Head)
	return err
}
