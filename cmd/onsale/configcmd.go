package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/ui"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Validate, show and describe the config file",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "validate",
			Short: "Read the config and say everything that is wrong with it",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return p.validate() },
		},
		&cobra.Command{
			Use:   "show",
			Short: "Print the resolved config, templates applied, secrets hidden",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return p.show() },
		},
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
	reads := 0
	for _, s := range cfg.Sales {
		reads += len(s.Reads)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is valid: %d sales, %d sources, %d signals read\n", cfg.Path, len(cfg.Sales), len(cfg.Sources), reads)
	return err
}

func (p *program) show() error {
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	text, err := cfg.ShowYAML()
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(text)
	return err
}
