package main

import (
	"context"
	"errors"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/ui"
	"github.com/onsale-dev/onsale/ui/sshd"
)

// guest is who sits at one session. The register is asked each time: a role that was taken away is
// gone at the next key, and a key that was taken away leaves nobody who could act.
type guest struct {
	visit *sshd.Visit
	name  string // as it came in, for what is still to be told when it is gone
	key   string
	who   func() actions.Actor // of a test, which has no visit; nil: the visit's register says
}

func (g *guest) actor() actions.Actor {
	if g.who != nil {
		return g.who()
	}
	a := actions.Actor{Name: g.name, Fingerprint: g.key, Via: "ssh", Remote: g.visit.Remote}
	who, err := g.visit.Person()
	if err != nil {
		return a // no role: may do nothing
	}
	a.Name, a.Role = who.Name, actions.Role(who.Role)
	return a
}

// screen shows one session the cockpit, or the wall.
func (s *served) screen(ctx context.Context, v *sshd.Visit) error {
	who, err := v.Person()
	if err != nil {
		return err
	}
	g := &guest{visit: v, name: who.Name, key: who.Fingerprint}
	cfg, store := s.config.Load(), s.cockpit.store
	o := s.session(cfg)
	o.Header.Operator, o.Env = sale.Clean(who.Name, 24), v.Env
	if s.desk == nil { // else the hands say it, as it may change
		o.Header.Title = who.Role
	}
	o.Feed, o.Logs, o.Guard, o.Wall = store, s.logs, ui.NewGuard(), who.Wall
	o.Line = func(st *sale.State, at time.Time) string { return checkLine(st, at, 0, o.Glyphs == ui.GlyphASCII) }
	o.ReadNow, o.Loud = s.readNow, s.loud
	if s.wheel != nil {
		o.Wheel = s.wheel.seat(g)
	}
	if s.desk != nil && !who.Wall {
		h := s.desk.hands(cfg, store, g.actor())
		h.who, h.wheel = g.actor, s.wheel
		o.Hands = h
		o.Shelves = &shelves{store: store, recorder: h.recorder, actor: g.actor(), log: s.log}
		s.wheel.sit(g)
		defer s.wheel.leave(g)
	}
	sizes := make(chan ui.Size, 1)
	o.Guard.Go("sizes", func() { passSizes(ctx, v.Sizes, sizes) })
	err = ui.RunRemote(ctx, o, ui.Line{
		In: v.In, Out: v.Out, Size: ui.Size(v.Size), Sizes: sizes, Idle: cfg.Serve.Idle, Drew: s.frames.took,
	})
	var crash *ui.PanicError
	if errors.As(err, &crash) {
		s.log.Error("internal error: one session ends, the others go on", "who", who.Name, "why", crash.Error(), "stack", crash.Stack)
	}
	return err
}

// passSizes hands on the newest size.
func passSizes(ctx context.Context, from <-chan sshd.Size, to chan ui.Size) {
	for {
		select {
		case <-ctx.Done():
			return
		case size := <-from:
			select {
			case <-to:
			default:
			}
			select {
			case to <- ui.Size(size):
			case <-ctx.Done():
				return
			}
		}
	}
}
