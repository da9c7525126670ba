package main

import (
	"maps"
	"sync"

	"github.com/onsale-dev/onsale/actions"
)

// outcomes counts how this program's actions ended.
type outcomes struct {
	mu sync.Mutex
	n  map[outcome]uint64
}

type outcome struct{ action, outcome string }

func (o *outcomes) add(verb actions.Verb, how actions.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[outcome]uint64{}
	}
	o.n[outcome{string(verb), string(how)}]++
}

func (o *outcomes) counts() map[outcome]uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.n)
}
