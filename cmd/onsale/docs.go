package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/onsale-dev/onsale/ui"
)

type docsFlags struct{ man, completion, keys string }

// docsCommand writes what a package ships beside the binary. It is hidden: a packager's tool.
func (p *program) docsCommand() *cobra.Command {
	var flags docsFlags
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write man pages and shell completions",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return writeDocs(cmd.Root(), flags) },
	}
	cmd.Flags().StringVar(&flags.man, "man", "", "write man pages into this folder")
	cmd.Flags().StringVar(&flags.keys, "keys", "", "write the key table as Markdown into this file")
	cmd.Flags().StringVar(&flags.completion, "completion", "", "write shell completions into this folder")
	return cmd
}

func writeDocs(root *cobra.Command, flags docsFlags) error {
	root.DisableAutoGenTag = true
	if flags.man != "" {
		if err := os.MkdirAll(flags.man, 0o755); err != nil {
			return err
		}
		// A fixed date, so that the same source gives the same bytes.
		date := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		header := &doc.GenManHeader{Title: "ONSALE", Section: "1", Source: "onsale", Manual: "onsale manual", Date: &date}
		if err := doc.GenManTree(root, header, flags.man); err != nil {
			return fmt.Errorf("man pages: %w", err)
		}
	}
	if flags.keys != "" {
		if err := os.WriteFile(flags.keys, []byte(keysPage()), 0o644); err != nil {
			return err
		}
	}
	if flags.completion == "" {
		return nil
	}
	if err := os.MkdirAll(flags.completion, 0o755); err != nil {
		return err
	}
	for name, write := range map[string]func(string) error{
		"onsale.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_onsale":     root.GenZshCompletionFile,
		"onsale.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
	} {
		if err := write(filepath.Join(flags.completion, name)); err != nil {
			return fmt.Errorf("completion %s: %w", name, err)
		}
	}
	return nil
}

// keysPage is the key table as a document.
func keysPage() string {
	var b strings.Builder
	b.WriteString("# The keys\n\nMade by `make docs` from the table that also makes the help page, the footer and the palette. Any of them but the fixed ones can be\n" +
		"rebound in the config under `keys:`, by its name here; two meanings for one key in one place are refused at start.\n")
	group := ""
	for _, binding := range ui.Bindings() {
		if binding.Group != group {
			group = binding.Group
			fmt.Fprintf(&b, "\n## %s\n\n| keys | name | does |\n|---|---|---|\n", group)
		}
		keys := make([]string, len(binding.Keys))
		for i, key := range binding.Keys {
			keys[i] = "`" + strings.ReplaceAll(key, "|", "\\|") + "`"
		}
		name := string(binding.Intent)
		if binding.Fixed {
			name += " (fixed)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(keys, " "), name, strings.ReplaceAll(binding.Help, "|", "\\|"))
	}
	return b.String()
}
