package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "onsale",
		Short: "A terminal cockpit for ticket on-sales",
		Long: `onsale puts CloudWatch, Prometheus, queues and waiting rooms into one pane per sale and says what is
wrong. Without a command it opens the cockpit (as 'onsale watch') on the config found in --config,
$ONSALE_CONFIG, ./onsale.yaml or $XDG_CONFIG_HOME/onsale/onsale.yaml.

Try it without any account or network:  onsale demo`,
		Version:       buildVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return p.watch(cmd.Context()) },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	flags := root.PersistentFlags()
	flags.StringVarP(&p.configFlag, "config", "c", "", "the config file")
	flags.BoolVar(&p.asciiFlag, "ascii", false, "draw with ASCII alone")
	flags.StringVar(&p.themeFlag, "theme", "", "dark or light; asked of the terminal when not given")
	flags.StringVar(&p.logFlag, "log", "", "append JSON log lines to this file")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
	_ = root.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions([]string{"dark", "light"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(p.watchCommand(), p.wallCommand(), p.checkCommand(), p.actCommand(), p.approveCommand(), p.demoCommand(), p.configCommand(), p.journalCommand(), p.iamCommand(), p.doctorCommand(), p.docsCommand(), p.serveCommand())
	return root
}

func (p *program) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "The cockpit (what onsale does without a command)",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.watch(cmd.Context()) },
	}
}

// completeSales offers the sale ids of the config; a config that can't be read offers nothing.
func (p *program) completeSales(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	p.offline = true
	cfg, err := p.readConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, s := range cfg.Sales {
		ids = append(ids, fmt.Sprintf("%s\t%s", s.ID, s.Name))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func buildVersion() string {
	if version != "devel" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return version
}
