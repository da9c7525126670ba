package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
)

// templatesCommand lists the shipped templates, or prints one as it is.
func (p *program) templatesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "templates [NAME]",
		Short: "List the shipped templates, or print one",
		Long: `templates lists the shipped templates, each with what it is for. With a name it prints the file itself:
its variables with their defaults, its signals and their thresholds.`,
		Example: `  onsale config templates
  onsale config templates builtin/alb`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				data, err := config.Builtin(args[0])
				if err != nil {
					return usage(err)
				}
				_, err = p.stdout.Write(data)
				return err
			}
			for _, name := range config.Builtins() {
				data, err := config.Builtin(name)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(p.stdout, "%-26s %s\n", name, aboutTemplate(name, string(data))); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// aboutTemplate is the first sentence of a template's own words.
func aboutTemplate(name, text string) string {
	var words []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(rest)...)
	}
	about := strings.TrimPrefix(strings.Join(words, " "), fmt.Sprintf("The shipped template %q: ", name))
	about, _, _ = strings.Cut(about, ". ")
	return strings.TrimSuffix(about, ".")
}
