package main

import (
	"maps"
	"sync"

	"github.com/onsale-dev/onsale/actions"
)

// outcomes counts how this program's actions ended.
type outcomes struct {
	mu sync.Mutex
	n  map[ending]uint64
}

type ending struct{ action, outcome string }

func (o *outcomes) add(verb actions.Verb, how actions.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[ending]uint64{}
	}
	o.n[ending{string(verb), string(how)}]++
}

func (o *outcomes) counts() map[ending]uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.n)
}
