package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, import, validate, show and describe the config file",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.importCommand())
	cmd.AddCommand(
		p.configInitCommand(),
		&cobra.Command{
			Use:   "validate",
			Short: "Read the config and say everything that is wrong with it",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return p.validate() },
		},
		p.configShowCommand(),
		&cobra.Command{
			Use:   "schema",
			Short: "Print the JSON Schema of the config, for editors",
			Args:  cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				schema, err := config.Schema()
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(schema)
				return err
			},
		},
		p.templatesCommand(),
	)
	return cmd
}

func (p *program) validate() error {
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	if errs := ui.ValidateKeys(cfg.Keys); len(errs) > 0 {
		var words []string
		for _, err := range errs {
			words = append(words, err.Error())
		}
		return fmt.Errorf("%s: keys: %s", cfg.Path, strings.Join(words, "; "))
	}
	for _, warning := range cfg.Warnings {
		_, _ = fmt.Fprintf(p.stderr, "onsale: warning: %v\n", warning)
	}
	if wrong := webhookMistakes(cfg); len(wrong) > 0 {
		return fmt.Errorf("%s: %s", cfg.Path, strings.Join(wrong, "; "))
	}
	if wrong := unfitQueries(cfg); len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	reads := 0
	for _, s := range cfg.Sales {
		reads += len(s.Reads)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is valid: %d sales, %d sources, %d signals read\n", cfg.Path, len(cfg.Sales), len(cfg.Sources), reads)
	return err
}

func (p *program) configShowCommand() *cobra.Command {
	var only string
	var origins bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the resolved config, templates applied, secrets hidden",
		Long: `show prints the config as it was understood: templates applied, variables filled in, defaults written out,
every secret as ***. --sale keeps one sale. --origins prints instead where each setting of what a sale reads
is written: in the file or in a template, and where the variables in it were set.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.show(only, origins) },
	}
	cmd.Flags().StringVar(&only, "sale", "", "only this sale")
	cmd.Flags().BoolVar(&origins, "origins", false, "where each setting is written, a line each")
	_ = cmd.RegisterFlagCompletionFunc("sale", p.completeSales)
	return cmd
}

func (p *program) show(only string, origins bool) error {
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	if only != "" {
		s, ok := cfg.Sale(sale.ID(only))
		if !ok {
			return usage(fmt.Errorf("no sale %q in %s; there are: %s", sale.Clean(only, 40), cfg.Path, joinIDs(allSales(cfg))))
		}
		one := *cfg
		one.Sales = []config.Sale{*s}
		cfg = &one
	}
	if origins {
		return p.showOrigins(cfg)
	}
	text, err := cfg.ShowYAML()
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return err
}

// showOrigins prints a line for each setting: the sale, the signal and its key, where it is written.
func (p *program) showOrigins(cfg *config.Config) error {
	for i := range cfg.Sales {
		id := cfg.Sales[i].ID
		for _, o := range cfg.Origins(id) {
			line := fmt.Sprintf("%s  %s.%s  %s", id, o.Signal, o.Key, o.At)
			if len(o.With) > 0 {
				line += "  with " + strings.Join(o.With, ", ")
			}
			if _, err := fmt.Fprintln(p.stdout, line); err != nil {
				return err
			}
		}
	}
	return nil
}
