package views

import (
	"sync"

	"github.com/onsale-dev/onsale/sale"
)

// Renderer draws screens and remembers the parts of them that did not change. It is safe
// for many sessions at once: those of the same size and theme share what is drawn.
type Renderer struct {
	mu    sync.Mutex
	parts map[partKey][]string
}

// NewRenderer makes a renderer with nothing remembered.
func NewRenderer() *Renderer { return &Renderer{parts: map[partKey][]string{}} }

// partKey holds everything that a part of a screen is drawn from. A State never changes, so
// its address stands for all that it says; second covers every clock, age and freshness.
type partKey struct {
	what    string
	state   *sale.State
	sale    *sale.Sale // with version, in place of state where only its history is drawn
	version uint64
	theme   *Theme
	w, h    int
	second  int64
	window  int64
	detail  string // what else the part depends on
	focus   bool
	coarse  bool
}

// mostParts bounds the memory of a renderer: about 10 MB of the largest panes.
const mostParts = 1024

// cached returns a part that was drawn before from the same things, else draws it.
func (r *Renderer) cached(f *Frame, st *sale.State, what string, w, h int, draw func() []string) []string {
	return r.part(f, partKey{what: what, state: st, w: w, h: h}, draw)
}

func (r *Renderer) part(f *Frame, key partKey, draw func() []string) []string {
	if key.second == 0 {
		key.second = f.Now.Unix()
	}
	key.theme, key.window = f.Theme, int64(f.window())
	key.detail += f.Now.Location().String()
	if key.state != nil {
		key.detail += " " + f.ActKeys[key.state.Next.Action]
	}
	key.focus, key.coarse = key.state != nil && key.state.Sale.ID == f.Focus, f.CoarseAges
	r.mu.Lock()
	rows, ok := r.parts[key]
	r.mu.Unlock()
	if ok {
		return rows
	}
	rows = draw()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.parts) >= mostParts {
		for k := range r.parts {
			if k.second != key.second {
				delete(r.parts, k)
			}
		}
		if len(r.parts) >= mostParts {
			clear(r.parts)
		}
	}
	r.parts[key] = rows
	return rows
}

func (r *Renderer) cachedPane(f *Frame, st *sale.State, w, h int) []string {
	return r.cached(f, st, "pane", w, h, func() []string { return f.pane(st, w, h) })
}
