package ui

import (
	"context"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// LogRing is a slog.Handler that keeps the newest records for the logs screen and writes
// every record as a line of JSON to a file. It never writes to a terminal by itself.
//
// All text of a record passes sale.Clean. An attribute whose name sounds like a secret is
// written as "<hidden>"; so is every text that Hide was told of; a value that has no text of
// its own is written as its type, never field by field.
type LogRing struct {
	*ringCore
	attrs  []string     // as text, for the screen
	prefix string       // of attribute names: open groups
	file   slog.Handler // the JSON writer; nil for none
}

// ringCore is shared by all handlers that With made.
type ringCore struct {
	level  slog.Leveler
	keep   int
	mu     sync.Mutex // of ring, head
	ring   []views.LogLine
	head   int // where the next line goes, once the ring is full
	lines  atomic.Pointer[[]views.LogLine]
	bells  sync.Map // chan struct{} -> struct{}
	secret atomic.Pointer[[]string]
	hideMu sync.Mutex
}

// NewLogRing keeps the newest keep records (0: 1,000) of at least this level and writes them
// to w as JSON lines; w may be nil. w is written to under a lock of its own.
func NewLogRing(keep int, w io.Writer, level slog.Leveler) *LogRing {
	if keep <= 0 {
		keep = 1000
	}
	if level == nil {
		level = slog.LevelInfo
	}
	core := &ringCore{level: level, keep: keep}
	core.lines.Store(&[]views.LogLine{})
	core.secret.Store(&[]string{})
	r := &LogRing{ringCore: core}
	if w != nil {
		r.file = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: core.replace})
	}
	return r
}

// Hide makes every later record show "<hidden>" in place of a secret. Secrets of fewer than
// four bytes are not hidden: they would hide ordinary words.
func (c *ringCore) Hide(secrets ...string) {
	c.hideMu.Lock()
	defer c.hideMu.Unlock()
	all := slices.Clone(*c.secret.Load())
	for _, s := range secrets {
		if len(s) >= 4 && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // longest first
	c.secret.Store(&all)
}

// Enabled reports whether records of this level are kept.
func (r *LogRing) Enabled(_ context.Context, level slog.Level) bool { return level >= r.level.Level() }

// Handle keeps one record.
func (r *LogRing) Handle(ctx context.Context, rec slog.Record) error {
	var b strings.Builder
	b.WriteString(rec.Message)
	for _, a := range r.attrs {
		b.WriteByte(' ')
		b.WriteString(a)
	}
	rec.Attrs(func(a slog.Attr) bool {
		for _, text := range r.texts(r.prefix, a) {
			b.WriteByte(' ')
			b.WriteString(text)
		}
		return true
	})
	at := rec.Time
	if at.IsZero() {
		at = time.Now()
	}
	r.add(views.LogLine{At: at, Level: strings.ToLower(rec.Level.String()), Text: r.safe(b.String())})
	if r.file == nil {
		return nil
	}
	rec.Message = r.safe(rec.Message)
	return r.file.Handle(ctx, rec)
}

// WithAttrs returns a handler that adds these attributes to every record.
func (r *LogRing) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *r
	next.attrs = slices.Clone(r.attrs)
	for _, a := range attrs {
		next.attrs = append(next.attrs, r.texts(r.prefix, a)...)
	}
	if r.file != nil {
		next.file = r.file.WithAttrs(attrs)
	}
	return &next
}

// WithGroup returns a handler that puts later attributes into a group.
func (r *LogRing) WithGroup(name string) slog.Handler {
	if name == "" {
		return r
	}
	next := *r
	next.prefix = r.prefix + name + "."
	if r.file != nil {
		next.file = r.file.WithGroup(name)
	}
	return &next
}

// Lines returns the kept records, newest first. The slice never changes.
func (c *ringCore) Lines() []views.LogLine {
	if lines := c.lines.Load(); lines != nil {
		return *lines
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]views.LogLine, 0, len(c.ring))
	for i := range c.ring {
		out = append(out, c.ring[((c.head-1-i)%len(c.ring)+len(c.ring))%len(c.ring)])
	}
	c.lines.Store(&out)
	return out
}

// Subscribe returns a bell that rings after a new record, and a function to hang up.
func (c *ringCore) Subscribe() (bell <-chan struct{}, cancel func()) {
	ch := make(chan struct{}, 1)
	c.bells.Store(ch, struct{}{})
	return ch, func() { c.bells.Delete(ch) }
}

func (c *ringCore) add(line views.LogLine) {
	c.mu.Lock()
	if len(c.ring) < c.keep {
		c.ring = append(c.ring, line)
		c.head = len(c.ring) % c.keep
	} else {
		c.ring[c.head] = line
		c.head = (c.head + 1) % c.keep
	}
	c.lines.Store(nil)
	c.mu.Unlock()
	c.bells.Range(func(ch, _ any) bool {
		select {
		case ch.(chan struct{}) <- struct{}{}:
		default:
		}
		return true
	})
}

// maxLogText bounds one line of the log, in cells.
const maxLogText = 1000

// safe makes a text fit for a log: secrets hidden first, then cleaned.
func (c *ringCore) safe(text string) string {
	for _, s := range *c.secret.Load() {
		text = strings.ReplaceAll(text, s, hidden)
	}
	return sale.Clean(text, maxLogText)
}

const hidden = "<hidden>"

// texts writes an attribute as name=value, a group as its members.
func (c *ringCore) texts(prefix string, a slog.Attr) []string {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		var out []string
		for _, m := range v.Group() {
			out = append(out, c.texts(prefix, m)...)
		}
		return out
	}
	if a.Key == "" {
		return nil
	}
	text := plain(v)
	if soundsSecret(a.Key) {
		text = hidden
	}
	return []string{prefix + a.Key + "=" + c.safe(text)}
}

// replace keeps secrets and control characters out of the file.
func (c *ringCore) replace(_ []string, a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch {
	case v.Kind() != slog.KindGroup && soundsSecret(a.Key):
		return slog.String(a.Key, hidden)
	case v.Kind() == slog.KindString:
		return slog.String(a.Key, c.safe(v.String()))
	case v.Kind() == slog.KindAny && a.Key != slog.LevelKey && a.Key != slog.SourceKey:
		return slog.String(a.Key, c.safe(plain(v)))
	}
	return a
}

// plain writes a value as text without looking into it.
func plain(v slog.Value) string {
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	switch x := v.Any().(type) {
	case nil:
		return "none"
	case error:
		return x.Error()
	case fmt.Stringer:
		return x.String()
	case encoding.TextMarshaler:
		if text, err := x.MarshalText(); err == nil {
			return string(text)
		}
	case []string:
		return strings.Join(x, ", ")
	case []byte:
		return fmt.Sprintf("%d bytes", len(x))
	}
	return fmt.Sprintf("<%T>", v.Any())
}

// soundsSecret reports whether an attribute's name is that of a secret.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"secret", "token", "password", "passwd", "authorization", "cookie", "credential", "bearer", "api_key", "apikey", "private_key", "access_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
