package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/ui"
)

// live is a cockpit that runs, under a config that is replaced while it does. A command that stays
// open has one, however many people look on.
type live struct {
	program *program
	log     *slog.Logger
	hide    func(secrets ...string) // tells the log what it must not show
	cockpit *cockpit                // as it began: its store and its chronicle go on, its config does not
	fleet   *sources.Fleet
	desk    *desk                      // nil: nothing acts from here
	fits    func(*config.Config) error // what else a config must do; may be nil
	taken   func(*config.Config)       // told of a config that is in place now; may be nil

	mu      sync.Mutex // one replacement at a time
	config  atomic.Pointer[config.Config]
	refusal atomic.Pointer[string] // why the file, as it is now, is not in use; nil: it is
}

// newLive brings a config to life, and reads nothing yet.
func (p *program) newLive(cfg *config.Config, log *slog.Logger, hide func(secrets ...string)) (*live, error) {
	l := &live{program: p, log: log, hide: hide}
	l.tellWarnings(cfg)
	c, err := p.assemble(cfg, log)
	if err != nil {
		return nil, err
	}
	l.cockpit = c
	l.config.Store(cfg)
	options := sources.PollerOptions{Log: log, Deadline: func(info sale.SourceInfo) time.Duration {
		if s, ok := l.config.Load().Source(info.Name); ok {
			return s.Timeout
		}
		return 0
	}}
	l.fleet = sources.NewFleet(c.store, options, c.sources...)
	return l, nil
}

// loops are what runs as long as the cockpit does, by name.
func (l *live) loops() map[string]func(context.Context) {
	return map[string]func(context.Context){
		"poller": l.fleet.Run,
		"clock":  l.cockpit.tick,
		"config": l.follow,
	}
}

// readNow asks a source to be read at once.
func (l *live) readNow(source string) {
	if err := l.fleet.Nudge(source); err != nil {
		l.log.Info("read now refused", "source", source, "why", err.Error())
	}
}

// loud is what every screen must say of the config, or "".
func (l *live) loud() string {
	if why := l.refusal.Load(); why != nil {
		return *why
	}
	return ""
}

// reload reads the file again and puts it in place of the config, or says what is wrong with it and
// leaves everything as it was. It may be called at any time, from any goroutine.
func (l *live) reload() (err error) {
	defer func() {
		if v := recover(); v != nil { // a file that breaks the program must not take the night with it
			l.log.Error("the config's reader broke down", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v", v)
		}
		l.outcome(err)
	}()
	env := l.program.configEnvironment()
	env.Before = l.config.Load().Calendar
	cfg, err := config.Load(l.config.Load().Path, env)
	if err != nil {
		return err
	}
	return l.replace(cfg)
}

// outcome says how a reload went. Its mistakes stay on the screen until the file is mended.
func (l *live) outcome(err error) {
	if err == nil {
		return
	}
	lines := []string{err.Error()}
	var all *config.Errors
	if errors.As(err, &all) {
		lines = lines[:0]
		for _, m := range all.Mistakes {
			lines = append(lines, m.Error())
		}
	}
	for _, line := range lines {
		l.log.Error("the changed config is not used, the old one stays", "why", l.redacted(line))
	}
	word := "1 mistake"
	if len(lines) > 1 {
		word = fmt.Sprintf("%d mistakes", len(lines))
	}
	first, _, _ := strings.Cut(lines[0], "\n")
	path := l.config.Load().Path
	first = strings.ReplaceAll(first, path, filepath.Base(path)) // a screen is narrow, and the place stands first
	why := sale.Clean(fmt.Sprintf("CONFIG NOT TAKEN, the old one stays: %s: %s", word, l.redacted(first)), 200)
	l.refusal.Store(&why)
}

// redacted hides the secrets of the config in use; a message of the reader itself holds none.
func (l *live) redacted(text string) string {
	for _, secret := range l.config.Load().Secrets() {
		text = strings.ReplaceAll(text, secret.Reveal(), "***")
	}
	return text
}

// replace puts another config in place: new sources are read, those that are not declared any more
// are left alone, and what stays the same goes on undisturbed. It is the one way in which what is
// declared changes while the program runs, wherever the sales come from. An error leaves everything
// as it was.
func (l *live) replace(cfg *config.Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.config.Load()
	if err := replaceable(old, cfg); err != nil {
		return err
	}
	if l.fits != nil {
		if err := l.fits(cfg); err != nil {
			return err
		}
	}
	keepDigits(old, cfg)
	same := continuity{old, cfg}
	made, infos, err := l.sourcesOf(cfg, same)
	if err != nil {
		return err
	}
	for _, secret := range cfg.Secrets() {
		l.hide(secret.Reveal())
	}
	l.tellWarnings(cfg)
	stay := func(name string) bool { _, is := made[name]; return !is && slices.ContainsFunc(infos, named(name)) }
	l.fleet.Replace(stay, func() {
		l.config.Store(cfg)
		l.refusal.Store(nil)
		l.cockpit.chronicle.redeclare(cfg)
		if l.desk != nil {
			l.desk.redeclare(cfg)
		}
		l.cockpit.store.Redeclare(sale.Declared{
			Sales: declared(cfg), Sources: infos, Limits: cfg.Limits, SameSource: same.system, SameSignal: same.signal,
		}, time.Now())
	}, inOrder(infos, made)...)
	l.tellReplaced(old, cfg, len(made))
	if l.taken != nil {
		l.taken(cfg)
	}
	return nil
}

func named(name string) func(sale.SourceInfo) bool {
	return func(info sale.SourceInfo) bool { return info.Name == name }
}

func inOrder(infos []sale.SourceInfo, made map[string]sources.Source) []sources.Source {
	var come []sources.Source
	for _, info := range infos {
		if src, ok := made[info.Name]; ok {
			come = append(come, src)
		}
	}
	return come
}

// sourcesOf makes the sources of a config that are not read already as they are declared there, and
// tells of all of them.
func (l *live) sourcesOf(cfg *config.Config, same continuity) (made map[string]sources.Source, infos []sale.SourceInfo, err error) {
	made = map[string]sources.Source{}
	known := l.cockpit.store.Snapshot().Sources
	next := &cockpit{config: cfg, chronicle: l.cockpit.chronicle}
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		at := slices.IndexFunc(known, func(st sale.SourceState) bool { return st.Name == s.Name && st.Kind != "" })
		if at >= 0 && same.reader(s.Name) {
			infos = append(infos, known[at].SourceInfo)
			continue
		}
		src, err := l.program.source(next, s)
		if err != nil {
			return nil, nil, fmt.Errorf("source %s: %w", s.Name, err)
		}
		if src == nil {
			continue // nothing reads from it
		}
		made[s.Name] = bounded(src, s)
		infos = append(infos, src.Info())
	}
	if len(infos) == 0 {
		return nil, nil, errNoSources
	}
	return made, infos, nil
}

// replaceable says why a config can't take the place of another while the program runs. Another
// environment or account is another cockpit: whoever looks on must not believe to see the first.
func replaceable(old, cfg *config.Config) error {
	for _, is := range []struct{ what, was, now string }{
		{"environment", old.Environment, cfg.Environment}, {"account", old.Account, cfg.Account},
	} {
		if is.was != is.now {
			return fmt.Errorf("%s: %s was %q and is %q: end onsale and start it again", cfg.Path, is.what, is.was, is.now)
		}
	}
	var words []string
	for _, err := range ui.ValidateKeys(cfg.Keys) {
		words = append(words, err.Error())
	}
	if words = append(words, webhookMistakes(cfg)...); len(words) > 0 {
		return fmt.Errorf("%s: %s", cfg.Path, strings.Join(words, "; "))
	}
	return nil
}

// keepDigits gives the sales that stay the digits that they had: a finger knows them. The others get
// the digits that are free.
func keepDigits(old, cfg *config.Config) {
	taken := map[int]bool{}
	var come []*config.Sale
	for i := range cfg.Sales {
		s := &cfg.Sales[i]
		if was, ok := old.Sale(s.ID); ok && was.Digit > 0 {
			s.Digit = was.Digit
			taken[s.Digit] = true
			continue
		}
		come = append(come, s)
	}
	slices.SortStableFunc(come, func(x, y *config.Sale) int { return x.Opens.Compare(y.Opens) })
	free := 1
	for _, s := range come {
		for taken[free] {
			free++
		}
		if s.Digit = 0; free <= 9 {
			s.Digit, taken[free] = free, true
		}
	}
}

// continuity tells what of one config goes on under another.
type continuity struct{ old, new *config.Config }

// reader reports whether a source is read under the new config exactly as under the old one.
func (c continuity) reader(name string) bool {
	was, now, ok := c.both(name)
	if !ok || !reflect.DeepEqual(*was, *now) || !slices.Equal(c.old.IncidentSales(was), c.new.IncidentSales(now)) {
		return false
	}
	if was.ReadsAlarms() && !slices.Equal(allSales(c.old), allSales(c.new)) {
		return false // an alarm is given to the sale whose name it bears
	}
	return reflect.DeepEqual(readsFrom(c.old, name), readsFrom(c.new, name))
}

// system reports whether a source asks the same system, however often and with whatever password.
func (c continuity) system(name string) bool {
	was, now, ok := c.both(name)
	return ok && reflect.DeepEqual(whereabouts(*was), whereabouts(*now))
}

// signal reports whether a signal is read in the same way from the same system.
func (c continuity) signal(key sale.Key) bool {
	was, now := readOf(c.old, key), readOf(c.new, key)
	return was != nil && now != nil && reflect.DeepEqual(*was, *now) && c.system(now.Source)
}

func (c continuity) both(name string) (was, now *config.Source, ok bool) {
	was, before := c.old.Source(name)
	now, after := c.new.Source(name)
	return was, now, before && after
}

type readFrom struct {
	key  sale.Key
	read config.Read
}

func readsFrom(cfg *config.Config, source string) (all []readFrom) {
	eachRead(cfg, source, func(key sale.Key, r config.Read) { all = append(all, readFrom{key, r}) })
	return all
}

func readOf(cfg *config.Config, key sale.Key) *config.Read {
	if s, ok := cfg.Sale(key.Sale); ok {
		for i := range s.Reads {
			if s.Reads[i].Signal == key.Signal {
				return &s.Reads[i]
			}
		}
	}
	return nil
}

// whereabouts is a source without its pace and its passwords.
func whereabouts(s config.Source) config.Source {
	s.Every, s.Timeout, s.Budget, s.Whose = 0, 0, nil, nil
	if s.Prometheus != nil {
		of := *s.Prometheus
		of.Basic, of.Bearer = nil, config.Secret{}
		s.Prometheus = &of
	}
	if s.HTTPJSON != nil {
		of := *s.HTTPJSON
		of.Basic, of.Bearer, of.HMAC = nil, config.Secret{}, config.Secret{}
		s.HTTPJSON = &of
	}
	if s.WaitingRoom != nil {
		of := *s.WaitingRoom
		of.Token = config.Secret{}
		s.WaitingRoom = &of
	}
	if s.Calendar != nil {
		s.Calendar = &config.CalendarSource{URL: s.Calendar.URL}
	}
	if s.Redis != nil {
		of := *s.Redis
		of.Password = config.Secret{}
		s.Redis = &of
	}
	return s
}

func (l *live) tellWarnings(cfg *config.Config) {
	for _, warning := range cfg.Warnings {
		l.log.Warn("config", "warning", warning.Error())
	}
}

// tellReplaced says in the log what is different now, and what is not yet.
func (l *live) tellReplaced(old, cfg *config.Config, made int) {
	var come, gone []string
	for _, id := range allSales(cfg) {
		if _, ok := old.Sale(id); !ok {
			come = append(come, string(id))
		}
	}
	for _, id := range allSales(old) {
		if _, ok := cfg.Sale(id); !ok {
			gone = append(gone, string(id))
		}
	}
	l.log.Info("the config was replaced", "sales", len(cfg.Sales), "new", strings.Join(come, " "), "gone", strings.Join(gone, " "), "sources_read_anew", made)
	for _, of := range []struct {
		what    string
		differs bool
	}{
		{"keys", !reflect.DeepEqual(old.Keys, cfg.Keys)},
		{"theme", old.Theme != cfg.Theme || old.ASCII != cfg.ASCII},
		{"time_zone", old.TimeZone != cfg.TimeZone},
		{"bell", old.Bell != cfg.Bell || old.Notify != cfg.Notify},
		{"link_hosts", !slices.Equal(old.LinkHosts, cfg.LinkHosts)},
		{"serve but for users and trusted_ca", !sameDoor(old.Serve, cfg.Serve)},
		{"controls, of which there were none", l.desk == nil && !l.program.wall && len(cfg.Controls) > 0},
	} {
		if of.differs {
			l.log.Warn("this part of the config begins with the next start", "part", of.what)
		}
	}
}
