package actiontest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Memory is a system in memory with one target: a gate with a rate and a pause, and a group with
// a floor and a ceiling. It counts what reaches it and can be made to fail. It stands in
// for a real system wherever the runner or a screen is tested.
type Memory struct {
	Target actions.Target
	Floor  float64 // of the rate
	Most   float64 // of the rate

	mu      sync.Mutex
	value   actions.Value
	version int
	by      string
	at      time.Time
	fault   Fault
	blind   bool
	writes  int
	reads   int
	keys    []string
	onWrite func()
}

// MemorySecret is what the memory's executor was given as its credential.
const MemorySecret = "canary-9d41c7-memory"

// NewMemory starts a system that admits 800 a minute and has 8 of at most 32 hosts.
func NewMemory(name string) *Memory {
	return &Memory{
		Target: actions.Target{System: "memory", Kind: "gate", Name: name, Account: "zone-1"},
		Floor:  200, Most: 5000, version: 1, fault: None,
		value: actions.Value{
			"rate": actions.Number(800), "queue_all": actions.Flag(false),
			"min": actions.Number(8), "max": actions.Number(32),
		},
	}
}

// Executor acts on the memory.
func (m *Memory) Executor() actions.Executor { return memoryExecutor{m} }

// Writes counts the writes that reached the system.
func (m *Memory) Writes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// Calls counts everything that reached the system.
func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes + m.reads
}

// Keys lists the idempotency keys of the writes.
func (m *Memory) Keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.keys...)
}

// Value is what the system is set to.
func (m *Memory) Value() actions.Value {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.value.With(nil)
}

// Fault makes the system fail from now on.
func (m *Memory) Fault(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault, m.blind = f, false
}

// OnWrite is called as each write arrives, before anything comes of it.
func (m *Memory) OnWrite(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onWrite = f
}

// Set changes a setting as somebody else would.
func (m *Memory) Set(by, name string, s actions.Setting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.value[name] = s
	m.version++
	m.by, m.at = by, time.Now()
}

// Rig makes the contract's rig of the memory.
func (m *Memory) Rig() Rig {
	to := func(v float64) *float64 { return &v }
	const id = sale.ID("quay")
	return Rig{
		Executor: m.Executor(), Sale: id,
		Good: []actions.Request{
			{Sale: id, Verb: actions.Rate, To: to(400)},
			{Sale: id, Verb: actions.Pause},
			{Sale: id, Verb: actions.ScaleUp},
			{Sale: id, Verb: actions.ScaleBack, To: to(4)},
		},
		Bad: []actions.Request{
			{Sale: id, Verb: actions.Rate, To: to(199)},
			{Sale: id, Verb: actions.Rate, To: to(5001)},
			{Sale: id, Verb: actions.ScaleUp, To: to(33)},
			{Sale: id, Verb: actions.ScaleUp, To: to(7)},
		},
		Writes: m.Writes, Fault: m.Fault, Secrets: []string{MemorySecret},
		Change: func() { m.Set("marko", "rate", actions.Number(600)) },
	}
}

type memoryExecutor struct{ m *Memory }

func (e memoryExecutor) Info() actions.Info {
	return actions.Info{
		System: e.m.Target.System, Versions: true, Deadline: 2 * time.Second,
		Verbs:    []actions.Verb{actions.Rate, actions.Pause, actions.Resume, actions.ScaleUp, actions.ScaleBack},
		ReadBack: actions.ReadBackPlan{Tries: 4, First: time.Millisecond, Most: 10 * time.Millisecond, Within: time.Second},
	}
}

func (e memoryExecutor) read(ctx context.Context) (actions.State, error) {
	m := e.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	if err := ctx.Err(); err != nil {
		return actions.State{}, &sale.Problem{Class: sale.Timeout, Text: "no answer in time"}
	}
	if m.blind {
		return actions.State{}, &sale.Problem{Class: sale.Unreachable, Text: "connection refused", Hint: "start it"}
	}
	return actions.State{
		Value: m.value.With(nil), Version: fmt.Sprint(m.version), At: time.Now(), ByWhom: m.by, Modified: m.at,
	}, nil
}

func (e memoryExecutor) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	state, err := e.read(ctx)
	if err != nil {
		return actions.Preview{}, err
	}
	zero := 0.0
	p := actions.Preview{
		Request: req, Target: e.m.Target, Version: state.Version, ReadAt: state.At, ByWhom: state.ByWhom, Modified: state.Modified,
		Risk: actions.Normal, CostPerHour: &zero, UndoText: "U puts it back", RevertsIt: "nothing found",
		Soonest: 20 * time.Second, Latest: 2 * time.Minute,
	}
	p.To = e.target(&p, state.Value)
	p.From = state.Value.Only(p.To)
	p.Change = p.From.Change(p.To)
	if req.Verb == actions.Pause || req.Verb == actions.Rate {
		wanted := 0.0
		if v, ok := p.To["rate"].Number(); ok {
			wanted = v
		}
		p.Effect = &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Down, Wanted: wanted, Within: 3 * time.Minute}
		p.Evidence = append(p.Evidence, seen.Signal(sale.AdmissionRate), seen.Signal(sale.Waiting))
	}
	return p, nil
}

// target computes the absolute value, or refuses.
func (e memoryExecutor) target(p *actions.Preview, now actions.Value) actions.Value {
	req := p.Request
	number := func(name string, low, high float64, usual float64) actions.Value {
		v := usual
		if req.To != nil {
			v = *req.To
		}
		if !(v >= low && v <= high) { // so that NaN is refused too
			p.Refuse(actions.GuardBounds, fmt.Sprintf("%s %v is not within %v to %v", name, v, low, high), "choose a value within")
			return nil
		}
		return actions.Value{name: actions.Number(v)}
	}
	size, _ := now["min"].Number()
	most, _ := now["max"].Number()
	rate, _ := now["rate"].Number()
	switch req.Verb {
	case actions.Rate:
		return number("rate", e.m.Floor, e.m.Most, rate)
	case actions.Pause:
		return actions.Value{"queue_all": actions.Flag(true)}
	case actions.Resume:
		return actions.Value{"queue_all": actions.Flag(false)}
	case actions.ScaleUp:
		return number("min", size+1, most, min(size*2, most))
	case actions.ScaleBack:
		return number("min", 1, size-1, max(size/2, 1))
	case actions.Undo:
		return req.Restore
	default:
		p.Refuse(actions.GuardTarget, "the memory can't "+string(req.Verb), "")
		return nil
	}
}

func (e memoryExecutor) Execute(ctx context.Context, p actions.Preview, key string) (actions.Receipt, error) {
	m := e.m
	if ctx.Err() != nil {
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.Timeout, Text: "not sent: the time was over"}}
	}
	m.mu.Lock()
	m.writes++
	m.keys = append(m.keys, key)
	fault, hook := m.fault, m.onWrite
	m.mu.Unlock()
	if hook != nil {
		hook()
	}
	switch fault {
	case Reject:
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.Auth, Text: "403 the token may not write", Hint: "onsale doctor names the token"}}
	case Break:
		return actions.Receipt{}, &sale.Problem{Class: sale.Failing, Text: "500 internal error"}
	case Hang:
		<-ctx.Done()
		return actions.Receipt{}, &sale.Problem{Class: sale.Timeout, Text: "no answer in time"}
	case Ignore:
		return actions.Receipt{RequestID: "req-ignored", Text: "accepted 202"}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.Version != fmt.Sprint(m.version) {
		return actions.Receipt{}, &actions.ConflictError{Text: fmt.Sprintf("version %d, not %s", m.version, p.Version)}
	}
	for name, s := range p.To {
		m.value[name] = s
	}
	m.version++
	m.by, m.at = "onsale", time.Now()
	if fault == Lose || fault == Blind {
		m.blind = fault == Blind
		return actions.Receipt{}, &sale.Problem{Class: sale.Unreachable, Text: "connection reset by peer"}
	}
	return actions.Receipt{RequestID: fmt.Sprintf("req-%d", m.writes), Text: "accepted 200"}, nil
}

func (e memoryExecutor) ReadBack(ctx context.Context, _ actions.Preview) (actions.State, error) {
	return e.read(ctx)
}
