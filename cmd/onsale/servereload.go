package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui/sshd"
)

// lookAtConfig is how often the config and the files of keys that it names are looked at: with the
// second that the door needs it makes less than five.
const lookAtConfig = 2 * time.Second

// reload is how reading who may come in again goes.
type reload struct {
	asked  chan struct{}
	seen   string // what the files looked like when they were last read
	broken atomic.Bool
	reads  atomic.Uint64
}

// ask has it read at once.
func (r *reload) ask() {
	select {
	case r.asked <- struct{}{}:
	default:
	}
}

// admit lets in whom a config names, in no higher role than its policy gives anybody.
func (s *served) admit(cfg *config.Config) {
	if s.reload.asked == nil {
		s.reload.asked = make(chan struct{}, 1)
		s.reload.seen = filesOf(cfg)
	}
	entries := make([]sshd.Entry, 0, len(cfg.Serve.Users))
	for i := range cfg.Serve.Users {
		u := &cfg.Serve.Users[i]
		e := sshd.Entry{Name: u.Name, Role: u.Role, Wall: u.Wall, Principals: u.Principals}
		if cfg.Policy.Role != config.RoleOperator || u.Wall {
			e.Role = config.RoleViewer
		}
		for j := range u.Keys {
			e.Keys = append(e.Keys, sshd.Key{Wire: u.Keys[j].Wire, Allows: u.Keys[j].Allows})
		}
		entries = append(entries, e)
	}
	trusted := make([][]byte, 0, len(cfg.Serve.TrustedCA))
	for i := range cfg.Serve.TrustedCA {
		trusted = append(trusted, cfg.Serve.TrustedCA[i].Wire)
	}
	s.register.Set(entries, trusted)
}

// filesOf tells whether the files that say who may come in have changed.
func filesOf(cfg *config.Config) string {
	var b strings.Builder
	for _, path := range append([]string{cfg.Path}, cfg.Serve.Files()...) {
		info, err := os.Stat(path) // follows links, so a mounted secret that is swapped is seen
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", path, err)
			continue
		}
		fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	}
	return b.String()
}

// followConfig reads who may come in again when the files change, or somebody asks. A config that is
// broken changes nothing, and the log says so until it is mended: half of a file must let nobody in,
// and must not show everybody out in the middle of a sale either.
func (s *served) followConfig(ctx context.Context) {
	cfg := s.config
	every := time.NewTicker(lookAtConfig)
	defer every.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-s.reload.asked:
			asked = true
		case <-every.C:
		}
		now := filesOf(cfg)
		if now == s.reload.seen && !asked {
			continue
		}
		s.reload.seen = now
		if next := s.readAgain(cfg); next != nil {
			cfg = next
			s.reload.seen = filesOf(cfg) // it may name other files of keys
		}
	}
}

func (s *served) readAgain(old *config.Config) *config.Config {
	next, err := config.Load(old.Path, s.configEnvironment())
	if err == nil && next.Serve == nil {
		err = fmt.Errorf("serve: is gone from %s", old.Path)
	}
	if err != nil {
		s.reload.broken.Store(true)
		s.log.Error("the config can't be read again: who may come in stays as it was", "why", sale.Clean(err.Error(), 400))
		return nil
	}
	s.reload.broken.Store(false)
	s.reload.reads.Add(1)
	s.admit(next)
	if s.server != nil {
		s.server.Look()
	}
	s.log.Info("who may come in was read again", "users", len(next.Serve.Users))
	return next
}
