package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// cockpit is one config brought to life: the store and the sources that fill it.
type cockpit struct {
	config  *config.Config
	store   *sale.Store
	sources []sources.Source
	reads   map[sale.ID][]string // names of the sources that each sale needs
	log     *slog.Logger

	chronicle *chronicle
}

// readConfig finds and reads the config, and resolves nothing outside of it but its secrets.
func (p *program) readConfig() (*config.Config, error) {
	env := p.configEnvironment()
	path, tried, err := config.Find(p.configFlag, env)
	if err != nil {
		if len(tried) > 0 && !errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("%w\nTry 'onsale demo', which needs no config", err)
		}
		return nil, err
	}
	return config.Load(path, env)
}

// load reads the config and makes everything that a reading needs; it sends nothing yet.
func (p *program) load(ctx context.Context) (*cockpit, error) {
	cfg, err := p.readConfig()
	if err != nil {
		return nil, err
	}
	for _, warning := range cfg.Warnings {
		_, _ = fmt.Fprintf(p.stderr, "onsale: warning: %v\n", warning)
	}
	c, err := p.assemble(cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		p.logins().Ready(ctx)
	}
	return c, err
}

// choose returns the sales with the given ids, all for none, in the order of the config.
func (c *cockpit) choose(ids []string) ([]sale.ID, error) { return choose(c.config, ids) }

func choose(cfg *config.Config, ids []string) ([]sale.ID, error) {
	var known, chosen []sale.ID
	for _, s := range cfg.Sales {
		known = append(known, s.ID)
		if len(ids) == 0 || slices.Contains(ids, string(s.ID)) {
			chosen = append(chosen, s.ID)
		}
	}
	for _, id := range ids {
		if !slices.Contains(known, sale.ID(id)) {
			return nil, fmt.Errorf("no sale %q in %s; there are: %s", sale.Clean(id, 40), cfg.Path, joinIDs(known))
		}
	}
	return chosen, nil
}

func joinIDs(ids []sale.ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}

// readOnce asks, once and side by side, the sources that the chosen sales need and those of alarms.
func (c *cockpit) readOnce(ctx context.Context, chosen []sale.ID) {
	if needed := c.needed(chosen); len(needed) > 0 { // none would mean all of them
		c.poller(needed...).ReadOnce(ctx)
	}
}

// needed are the sources that the chosen sales need, and those of alarms.
func (c *cockpit) needed(chosen []sale.ID) []sources.Source {
	var needed []sources.Source
	for _, src := range c.sources {
		name := src.Info().Name
		if src.Info().ReadsAlarms || slices.ContainsFunc(chosen, func(id sale.ID) bool { return slices.Contains(c.reads[id], name) }) {
			needed = append(needed, src)
		}
	}
	return needed
}

// follow goes on reading what the chosen sales need, each source at its own cadence, until stop is
// called: a sequence is judged before each step by what is seen then, not by what was seen before it began.
func (c *cockpit) follow(ctx context.Context, chosen []sale.ID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	if needed := c.needed(chosen); len(needed) > 0 {
		reading.Go(func() { c.poller(needed...).Run(ctx) })
	}
	reading.Go(func() { c.tick(ctx) })
	return func() {
		cancel()
		reading.Wait()
	}
}

// poller reads some of the sources, or all when none is named.
func (c *cockpit) poller(some ...sources.Source) *sources.Poller {
	if len(some) == 0 {
		some = c.sources
	}
	options := sources.PollerOptions{Log: c.log, Deadline: func(info sale.SourceInfo) time.Duration {
		if s, ok := c.config.Source(info.Name); ok {
			return s.Timeout
		}
		return 0
	}}
	return sources.NewPoller(c.store, options, some...)
}

// tick lets readings age and phases move while nothing arrives.
func (c *cockpit) tick(ctx context.Context) {
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			c.store.Tick(now)
		}
	}
}
