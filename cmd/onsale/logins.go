package main

import (
	"context"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// This file looks after the AWS logins of a cockpit: it has them renewed and says how they stand.

// loginsEvery is how often that is: what a person renews in a shell is seen as soon.
const loginsEvery = 2 * time.Second

// loginUses lists who uses which login, of the sources that are read and, where acts, of the controls.
func loginUses(cfg *config.Config, acts bool) []login.Use {
	var uses []login.Use
	needs := sourcesNeeded(cfg)
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		var sales []sale.ID
		for j := range cfg.Sales {
			if id := cfg.Sales[j].ID; slices.Contains(needs[id], s.Name) {
				sales = append(sales, id)
			}
		}
		for _, in := range s.AWSLogins() {
			uses = append(uses, login.Use{In: in, By: s.Name, Sales: sales})
		}
	}
	if !acts {
		return uses
	}
	for i := range cfg.Controls {
		ctl := &cfg.Controls[i]
		in := ctl.AWSLogin()
		if in == nil {
			continue
		}
		var sales []sale.ID
		for j := range cfg.Sales {
			s := &cfg.Sales[j]
			if slices.ContainsFunc(s.Actions, func(a config.Action) bool { return a.Control == ctl.Name }) {
				sales = append(sales, s.ID)
			}
		}
		uses = append(uses, login.Use{Acts: true, In: *in, By: ctl.Name, Sales: sales})
	}
	return uses
}

// lookAfterLogins has the logins fetched before they are needed, the acting ones too: when one ends is
// known, and its code is asked for, before there is an emergency. The sources of a login that has its
// credentials back are read at once, by readNow. declared is the config in use at the moment.
func (p *program) lookAfterLogins(ctx context.Context, store *sale.Store, declared func() *config.Config, acts bool, readNow func(source string)) {
	var of *config.Config
	var uses []login.Use
	var ready map[int]bool
	var before []sale.Login
	every := time.NewTicker(loginsEvery)
	defer every.Stop()
	for {
		if cfg := declared(); cfg != of {
			of, uses, ready = cfg, loginUses(cfg, acts), map[int]bool{}
		}
		for i := range uses {
			if use := &uses[i]; use.Acts && !ready[i] { // a profile may come to be there later
				_, err := p.logins().Config(ctx, true, use.In)
				ready[i] = err == nil
			}
		}
		p.logins().Renew()
		standings := p.logins().Standings(uses)
		store.LoggedIn(standings, time.Now())
		for _, source := range backAgain(before, standings) {
			readNow(source)
		}
		before = standings
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// backAgain lists the sources whose login failed, or waited for a person, and is ready now.
func backAgain(before, now []sale.Login) []string {
	var sources []string
	for i := range now {
		l := &now[i]
		was := slices.IndexFunc(before, func(b sale.Login) bool { return b.Name == l.Name && !b.Acts && slices.Equal(b.UsedBy, l.UsedBy) })
		if l.Acts || l.State != sale.LoginReady || was < 0 {
			continue
		}
		if s := before[was].State; s == sale.LoginFails || s == sale.LoginAsks {
			sources = append(sources, l.UsedBy...)
		}
	}
	return sources
}
