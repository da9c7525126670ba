package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
)

type demoFlags struct {
	scenario     string
	speed        float64
	seed         uint64
	list         bool
	platformOnly bool
	dir          string
	picture      string
}

func (p *program) demoCommand() *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The cockpit on a rehearsal platform: no account, no network, nothing to install",
		Long: `demo starts a simulated ticket shop on loopback that serves the real wire protocols of Prometheus,
CloudWatch, SQS, Cloudflare Waiting Room, Auto Scaling, ECS, Kubernetes and PagerDuty, and opens the
cockpit on it.

With --platform-only it serves the platform without a screen, writes onsale.yaml and platform.json
into --dir, prints "ready" and runs until a signal.`,
		Example: `  onsale demo --scenario payment-degrades
  onsale demo --platform-only --dir /tmp/night &
  onsale check --config /tmp/night/onsale.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.scenario, "scenario", "calm", "what goes wrong; see --list")
	f.Float64Var(&flags.speed, "speed", 1, "how many times faster the night goes, 0.1 to 60")
	f.Uint64Var(&flags.seed, "seed", 1, "the same seed gives the same night")
	f.BoolVar(&flags.list, "list", false, "list the scenarios")
	f.BoolVar(&flags.platformOnly, "platform-only", false, "serve the platform without a screen")
	f.StringVar(&flags.dir, "dir", "", "where --platform-only writes onsale.yaml and platform.json")
	f.BoolVar(&p.wall, "wall", false, "show the war room's wall instead of the cockpit")
	f.StringVar(&flags.picture, "picture", "", "write the overview as an SVG file and end")
	_ = f.MarkHidden("picture")
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("scenario", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, s := range rehearsal.Scenarios() {
			names = append(names, s.Name+"\t"+s.Story)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (p *program) demo(ctx context.Context, flags demoFlags) error {
	if flags.list {
		for _, s := range rehearsal.Scenarios() {
			if _, err := fmt.Fprintf(p.stdout, "%-20s %s\n", s.Name, s.Story); err != nil {
				return err
			}
		}
		return nil
	}
	if flags.platformOnly {
		return p.platformOnly(ctx, flags)
	}
	asked, end := untilSignal(ctx)
	defer end()
	dir, err := os.MkdirTemp("", "onsale-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	flags.dir, p.journalAt = dir, filepath.Join(dir, "journal")
	platform, cfg, err := p.startPlatform(ctx, flags)
	if err != nil {
		return err
	}
	defer stopPlatform(platform)
	if flags.picture != "" {
		return p.picture(asked, cfg, flags.picture)
	}
	return p.open(asked, cfg)
}

// untilSignal is a context that the first ending signal ends, with a *ui.SignalError for its cause.
// None of them ends the process by itself any more, however many come: a terminal that is closed
// sends one to each process of its group and another as its shell goes, and what the process has put
// on the disk must be taken away in between.
func untilSignal(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case sig := <-signals:
			cancel(&ui.SignalError{Signal: sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// startPlatform starts the platform and reads the config that it wrote, as a user's would be read.
func (p *program) startPlatform(ctx context.Context, flags demoFlags) (*rehearsal.Platform, *config.Config, error) {
	platform, err := rehearsal.Start(ctx, rehearsal.Options{Seed: flags.seed, Scenario: flags.scenario, Speed: flags.speed, Dir: flags.dir})
	if err != nil {
		return nil, nil, err
	}
	cfg, err := p.platformConfig(flags.dir)
	if err != nil {
		stopPlatform(platform)
		return nil, nil, err
	}
	return platform, cfg, nil
}

// schemaName is the file that the platform's config names for editors.
const schemaName = "onsale.schema.json"

// platformConfig reads the platform's config and puts the schema that it names beside it.
func (p *program) platformConfig(dir string) (*config.Config, error) {
	schema, err := config.Schema()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, schemaName), schema, 0o600); err != nil {
		return nil, err
	}
	cfg, err := config.Load(filepath.Join(dir, "onsale.yaml"), p.configEnvironment())
	if err != nil {
		return nil, fmt.Errorf("the platform's own config: %w", err)
	}
	return cfg, nil
}

func stopPlatform(platform *rehearsal.Platform) {
	_ = platform.Stop()
}

func (p *program) platformOnly(ctx context.Context, flags demoFlags) error {
	if flags.dir == "" {
		return usage(fmt.Errorf("--platform-only needs --dir, where onsale.yaml and platform.json are written"))
	}
	if err := os.MkdirAll(flags.dir, 0o700); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	platform, _, err := p.startPlatform(ctx, flags)
	if err != nil {
		return err
	}
	defer func() {
		stopPlatform(platform)
		_ = os.Remove(filepath.Join(flags.dir, schemaName)) // the platform takes away its own files
	}()
	if _, err := fmt.Fprintln(p.stdout, "ready"); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// picture draws one frame of the running demo, without a terminal, as an SVG file.
func (p *program) picture(ctx context.Context, cfg *config.Config, file string) error {
	frame, err := p.oneFrame(ctx, cfg, 160, 45)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := writeSVG(f, frame); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// allSales are the ids of a config, for reading every source once.
func allSales(cfg *config.Config) []sale.ID {
	ids := make([]sale.ID, len(cfg.Sales))
	for i := range cfg.Sales {
		ids[i] = cfg.Sales[i].ID
	}
	return ids
}
