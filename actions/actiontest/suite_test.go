package actiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestTheSystemInMemoryKeepsTheContract(t *testing.T) {
	Run(t, func(*testing.T) Rig { return NewMemory("harbour-2026").Rig() })
}

// twisted is the memory's executor with one method replaced by a wrong one.
type twisted struct {
	memoryExecutor
	info    func(actions.Info) actions.Info
	preview func(memoryExecutor, context.Context, actions.Request, actions.Evidence) (actions.Preview, error)
	execute func(memoryExecutor, context.Context, actions.Preview, string) (actions.Receipt, error)
	read    func(memoryExecutor, context.Context, actions.Preview) (actions.State, error)
}

func (x twisted) Info() actions.Info {
	if x.info != nil {
		return x.info(x.memoryExecutor.Info())
	}
	return x.memoryExecutor.Info()
}

func (x twisted) Preview(ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
	if x.preview != nil {
		return x.preview(x.memoryExecutor, ctx, r, e)
	}
	return x.memoryExecutor.Preview(ctx, r, e)
}

func (x twisted) Execute(ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
	if x.execute != nil {
		return x.execute(x.memoryExecutor, ctx, p, key)
	}
	return x.memoryExecutor.Execute(ctx, p, key)
}

func (x twisted) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if x.read != nil {
		return x.read(x.memoryExecutor, ctx, p)
	}
	return x.memoryExecutor.ReadBack(ctx, p)
}

// force sends without a look at the version.
func force(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
	m.m.mu.Lock()
	p.Version = fmt.Sprint(m.m.version)
	m.m.mu.Unlock()
	return m.Execute(ctx, p, key)
}

func TestEveryBrokenExecutorIsCaughtByTheCheckThatIsForIt(t *testing.T) {
	type mutant struct {
		name, caughtBy string
		twist          twisted
	}
	mutants := []mutant{
		{"it names no system", "it says which system", twisted{info: func(i actions.Info) actions.Info { i.System = ""; return i }}},
		{"its preview writes", "a preview sends no write", twisted{preview: func(m memoryExecutor, ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
			p, err := m.Preview(ctx, r, e)
			_, _ = m.Execute(ctx, p, "oops")
			return p, err
		}}},
		{"its preview hides what was there", "a preview sends no write", twisted{preview: func(m memoryExecutor, ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
			p, err := m.Preview(ctx, r, e)
			p.From = nil
			return p, err
		}}},
		{"it takes zero and NaN", "zero, negative", twisted{preview: func(m memoryExecutor, ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
			p, err := m.Preview(ctx, r, e)
			p.Refusals = nil
			return p, err
		}}},
		{"it clips what is out of bounds", "zero, negative", twisted{preview: func(m memoryExecutor, ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
			if r.Verb == actions.Rate && r.To != nil && !(*r.To >= 200) {
				v := 200.0
				r.To = &v
			}
			return m.Preview(ctx, r, e)
		}}},
		{"it tries again after a 5xx", "an answer of 5xx", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			var q *sale.Problem
			if errors.As(err, &q) && q.Class == sale.Failing {
				return m.Execute(ctx, p, key)
			}
			return r, err
		}}},
		{"it sends a lost request again", "a lost answer", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			var q *sale.Problem
			if errors.As(err, &q) && q.Class == sale.Unreachable {
				_, _ = force(m, ctx, p, key)
			}
			return r, err
		}}},
		{"it calls a lost answer a refusal", "a lost answer", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			var q *sale.Problem
			if errors.As(err, &q) {
				err = &actions.RejectedError{Problem: *q}
			}
			return r, err
		}}},
		{"it calls a refusal a failure of the network", "a system that says no", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			if err != nil {
				err = errors.New("something went wrong")
			}
			return r, err
		}}},
		{"it swallows errors", "the runner makes", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, _ := m.Execute(ctx, p, key)
			return r, nil
		}}},
		{"it sends increments", "targets are absolute", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			now := m.m.Value()
			for name, s := range p.To {
				if v, ok := s.Number(); ok {
					was, _ := p.From[name].Number()
					is, _ := now[name].Number()
					p.To = actions.Value{name: actions.Number(is + v - was)}
				}
			}
			return force(m, ctx, p, key)
		}}},
		{"it overwrites what somebody else has set", "a target changed since", twisted{execute: force}},
		{"it reads back what it hopes for", "what was accepted and not taken", twisted{read: func(m memoryExecutor, ctx context.Context, p actions.Preview) (actions.State, error) {
			s, err := m.ReadBack(ctx, p)
			s.Value = p.To
			return s, err
		}}},
		{"it reads back from a cache", "reading back reads", twisted{read: func(m memoryExecutor, ctx context.Context, p actions.Preview) (actions.State, error) {
			s, err := m.ReadBack(ctx, p)
			s.Value = p.From
			return s, err
		}}},
		{"it ignores its deadline", "a deadline is honored", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			return m.Execute(context.Background(), p, key)
		}}},
		{"it sends under a context that has ended", "an ended context", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			return m.Execute(context.WithoutCancel(ctx), p, key)
		}}},
		{"it tells its token", "no text holds a secret", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			var x *actions.RejectedError
			if errors.As(err, &x) {
				x.Problem.Text += " (Authorization: Bearer " + MemorySecret + ")"
			}
			return r, err
		}}},
		{"its texts hold what controls a terminal", "no text holds a secret", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			r, err := m.Execute(ctx, p, key)
			var x *actions.RejectedError
			if errors.As(err, &x) {
				x.Problem.Text += "\x1b[2J"
			}
			return r, err
		}}},
		{"its undo sets a constant", "undo restores", twisted{preview: func(m memoryExecutor, ctx context.Context, r actions.Request, e actions.Evidence) (actions.Preview, error) {
			p, err := m.Preview(ctx, r, e)
			if r.Verb == actions.Undo {
				p.To = actions.Value{"rate": actions.Number(200)}
			}
			return p, err
		}}},
		{"its execute sends twice", "execute sends exactly one", twisted{execute: func(m memoryExecutor, ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
			_, _ = force(m, ctx, p, key)
			return force(m, ctx, p, key)
		}}},
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			caught := false
			for _, c := range Checks() {
				if !strings.HasPrefix(c.Name, m.caughtBy) {
					continue
				}
				rig := NewMemory("harbour-2026").Rig()
				m.twist.memoryExecutor = rig.Executor.(memoryExecutor)
				rig.Executor = m.twist
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				err := c.Run(ctx, rig)
				cancel()
				if err == nil || errors.Is(err, errNotApplicable) {
					t.Errorf("%q lets it pass: %v", c.Name, err)
				}
				t.Logf("caught: %v", err)
				caught = true
			}
			if !caught {
				t.Errorf("there is no check %q", m.caughtBy)
			}
		})
	}
}
