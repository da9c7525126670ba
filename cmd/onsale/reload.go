package main

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/config"
)

// This file notices that the config was changed. It looks at the files once a second instead of being
// told by the system: a mounted ConfigMap, a network file system and an editor that puts a new file in
// place of the old one all change what a look sees, and none of them reliably rings a watch. SIGHUP is
// no way to say it, because it already says that the terminal is gone.

// lookEvery is how often; a change is taken once two looks in a row see the same.
const lookEvery = time.Second

// opened are the files that reading the config has opened: it, what it includes, and its secrets.
type opened struct {
	mu    sync.Mutex
	paths map[string]mark // as each was when it was opened first
}

// watching lets a config's environment note what it opens.
func (o *opened) watching(env config.Environment) config.Environment {
	open := env.Open
	env.Open = func(path string) (fs.File, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.paths == nil {
			o.paths = map[string]mark{}
		}
		if _, known := o.paths[path]; !known {
			if is, ok := markOf(path); ok {
				o.paths[path] = is
			}
		}
		return open(path)
	}
	return env
}

// mark is what a look sees of a file; the zero value is one that is not there.
type mark struct {
	size int64
	mod  time.Time
	node any // os.SameFile's own idea of which file it is
}

func (a mark) same(b mark) bool {
	if a.size != b.size || !a.mod.Equal(b.mod) {
		return false
	}
	x, _ := a.node.(fs.FileInfo)
	y, _ := b.node.(fs.FileInfo)
	return x == nil && y == nil || x != nil && y != nil && os.SameFile(x, y)
}

// markOf looks at a file. What is no regular file, as a pipe, is left alone.
func markOf(path string) (m mark, ok bool) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return mark{}, true
	case info.Mode().IsRegular():
		return mark{info.Size(), info.ModTime(), info}, true
	}
	return mark{}, false
}

// first sees every file as it was when it was opened first.
func (o *opened) first() map[string]mark {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.paths)
}

// takeIn adds to what was seen the files that were opened since: a config that was taken may name more.
func (o *opened) takeIn(seen map[string]mark) {
	for path, is := range o.first() {
		if _, known := seen[path]; !known {
			seen[path] = is
		}
	}
}

// look sees every file that was opened so far.
func (o *opened) look() map[string]mark {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := make(map[string]mark, len(o.paths))
	for path := range o.paths {
		if is, ok := markOf(path); ok {
			seen[path] = is
		}
	}
	return seen
}

func sameMarks(a, b map[string]mark) bool {
	for path, is := range b {
		if was, ok := a[path]; ok && !was.same(is) {
			return false
		}
	}
	return true
}

// follow reloads the config after each change of its files and of its calendar, until the context ends.
func (l *live) follow(ctx context.Context) {
	clock := time.NewTicker(lookEvery)
	defer clock.Stop()
	files := &l.program.opened
	taken := files.first() // a change since then is one, too
	before := files.look()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.program.dates.changed():
			_ = l.reload()
			continue
		case <-clock.C:
		}
		now := files.look()
		files.takeIn(taken)
		if !sameMarks(taken, now) && sameMarks(before, now) {
			taken = now // also when it is refused: the same mistakes are not told twice
			_ = l.reload()
		}
		before = now
	}
}
