package main

import (
	"fmt"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/ui/sshd"
)

// This file is what a replaced config means to a server. A config that is broken changes nothing:
// half of a file must let nobody in, and must not show everybody out in the middle of a sale either.

// fits says why a config can't be served.
func (s *served) fits(next *config.Config) error {
	if next.Serve == nil {
		return fmt.Errorf("serve: is gone from %s", next.Path)
	}
	return nil
}

// taken looks at open sessions by the new config: who may not come in any more is shown out.
func (s *served) taken(cfg *config.Config) {
	s.admit(cfg)
	if s.server != nil {
		s.server.Look()
	}
	s.log.Info("who may come in was read again", "users", len(cfg.Serve.Users))
}

// admit lets in whom a config names, in no higher role than its policy gives anybody.
func (s *served) admit(cfg *config.Config) {
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

// sameDoor reports whether what a server is begun with is the same; who may come in is none of it.
func sameDoor(old, cfg *config.Serve) bool {
	if old == nil || cfg == nil {
		return old == cfg
	}
	return old.Listen == cfg.Listen && old.HostKey == cfg.HostKey && old.Longest == cfg.Longest && old.Metrics == cfg.Metrics &&
		old.MaxConnections == cfg.MaxConnections && old.MaxPerAddress == cfg.MaxPerAddress
}
