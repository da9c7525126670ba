package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/views"
)

// watch opens the cockpit on the config.
func (p *program) watch(ctx context.Context) error {
	cfg, err := p.readConfig()
	if err != nil {
		return err
	}
	return p.open(ctx, cfg)
}

// open runs the cockpit of a config in this terminal until it is left.
func (p *program) open(ctx context.Context, cfg *config.Config) error {
	logs, closeLog, err := p.logs()
	if err != nil {
		return err
	}
	defer closeLog()
	for _, secret := range cfg.Secrets() {
		logs.Hide(secret.Reveal())
	}
	log := slog.New(logs)
	codes := p.codesOf(log)
	l, err := p.newLive(cfg, log, logs.Hide)
	if err != nil {
		return err
	}
	c := l.cockpit

	h, closeJournal, err := p.handsOf(c, log)
	if err != nil {
		return err
	}
	defer closeJournal()
	guard := ui.NewGuard()
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	loops := l.loops()
	loops["logins"] = func(ctx context.Context) { p.lookAfterLogins(ctx, c.store, l.config.Load, h != nil, l.readNow) }
	if h != nil {
		l.desk = h.desk
		loops["hands"] = h.watch
	}
	if p.wall {
		loops["journal"] = func(ctx context.Context) { p.followJournal(ctx, c) }
	}
	for name, loop := range loops {
		running.Add(1)
		guard.Go(name, func() { defer running.Done(); loop(ctx) })
	}
	options := p.session(cfg)
	options.Feed, options.Logs, options.Guard = c.store, logs, guard
	options.Wall, options.Rotate = p.wall, p.rotate
	aside := &shelves{store: c.store, log: log}
	if h != nil { // a nil *hands in the interface would not be nil
		options.Hands = h
		aside.recorder, aside.actor = h.recorder, h.actor
	}
	options.Shelves = aside
	if codes != nil {
		options.Codes = codes
	}
	options.Line = func(st *sale.State, at time.Time) string { return checkLine(st, at, 0, p.ascii()) }
	options.ReadNow, options.Loud = l.readNow, l.loud
	err = ui.Run(ctx, options)
	stop()
	waitAtMost(&running, time.Second)
	return err
}

// waitAtMost waits for the loops to end, but a hanging one does not keep the terminal.
func waitAtMost(running *sync.WaitGroup, d time.Duration) {
	ended := make(chan struct{})
	go func() { running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(d):
	}
}

// session is what the config and the flags say about the screen.
func (p *program) session(cfg *config.Config) ui.Options {
	o := ui.Options{
		Header: views.Header{
			Version: buildVersion(), Environment: cfg.Environment, Accounts: accounts(cfg),
			Operator: p.operator(), Role: "READ-ONLY",
		},
		Links: views.LinkPolicy{On: true, Hosts: cfg.LinkHosts},
		Keys:  cfg.Keys, Theme: ui.ThemeChoice(cfg.Theme), Mouse: true,
	}
	if zone, err := time.LoadLocation(cfg.TimeZone); err == nil && cfg.TimeZone != "" {
		o.Zone = zone
	}
	o.NoBell, o.Notify = !cfg.Bell, cfg.Notify
	if p.themeFlag != "" {
		o.Theme = ui.ThemeChoice(p.themeFlag)
	}
	if p.asciiFlag || cfg.ASCII {
		o.Glyphs = ui.GlyphASCII
	}
	return o
}

// accounts are what the header names: the AWS account with its regions in one entry, then the
// other systems that hold a sale's state.
func accounts(cfg *config.Config) []string {
	aws := []string{"aws"}
	if cfg.Account != "" {
		aws = append(aws, cfg.Account)
	}
	var list []string
	add := func(to *[]string, word string) {
		if word != "" && !slices.Contains(*to, word) {
			*to = append(*to, word)
		}
	}
	for _, s := range cfg.Sources {
		switch {
		case s.CloudWatch != nil:
			add(&aws, s.CloudWatch.Region)
		case s.SQS != nil:
			add(&aws, s.SQS.Region)
		case s.AutoScaling != nil:
			add(&aws, s.AutoScaling.Region)
		case s.ECS != nil:
			add(&aws, s.ECS.Region)
		case s.RDS != nil:
			add(&aws, s.RDS.Region)
		case s.Kubernetes != nil:
			add(&list, strings.TrimSpace("k8s "+s.Kubernetes.Context))
		case s.WaitingRoom != nil:
			add(&list, "cloudflare")
		case s.HTTPJSON != nil:
			add(&list, cmp.Or(s.HTTPJSON.Preset, "http-json"))
		case s.Redis != nil:
			add(&list, "redis")
		case s.Prometheus != nil:
			add(&list, "prometheus")
		}
	}
	if len(aws) > 1 {
		list = append([]string{strings.Join(aws, " ")}, list...)
	}
	return list
}

// logs is where log records go: a ring for the logs screen and, with --log, a file. Never the terminal.
func (p *program) logs() (ring *ui.LogRing, closeFile func(), err error) {
	var file io.Writer
	closeFile = func() {}
	if p.logFlag != "" {
		f, err := os.OpenFile(p.logFlag, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("--log: %w", err)
		}
		file, closeFile = f, func() { _ = f.Close() }
	}
	return ui.NewLogRing(1000, file, slog.LevelInfo), closeFile, nil
}

func (p *program) configEnvironment() config.Environment {
	env := config.SystemEnvironment()
	env.Lookup, env.Calendar = p.lookup, p.calendarText
	return p.opened.watching(env)
}

var errNoSources = errors.New("the config names no source that a sale reads")

// actsOf names what can be done on a sale, for the next move: it proposes nothing else.
func actsOf(s *config.Sale) []string {
	acts := make([]string, 0, len(s.Actions))
	for i := range s.Actions {
		acts = append(acts, s.Actions[i].Verb)
	}
	return acts
}

// declared returns the sales for the store.
func declared(cfg *config.Config) []*sale.Sale {
	sales := make([]*sale.Sale, len(cfg.Sales))
	for i := range cfg.Sales {
		sales[i] = &cfg.Sales[i].Sale
		sales[i].Acts = actsOf(&cfg.Sales[i])
	}
	return sales
}
