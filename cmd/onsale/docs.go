package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

type docsFlags struct{ man, completion string }

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
