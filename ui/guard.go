package ui

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// Guard runs goroutines so that a panic in one of them ends the session instead of the
// process: the terminal is restored first, then Run returns a *PanicError. The zero value
// can't be used; make one with NewGuard.
type Guard struct {
	once  sync.Once
	fired chan struct{}
	err   *PanicError
	wg    sync.WaitGroup
}

// NewGuard makes a guard. Hand it to Run in Options.Guard and start the program's own
// goroutines with Go.
func NewGuard() *Guard { return &Guard{fired: make(chan struct{})} }

// Go runs fn in a goroutine; name says in the report what it was.
func (g *Guard) Go(name string, fn func()) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		defer g.Recover(name)
		fn()
	}()
}

// Recover is to be deferred at the top of a goroutine that Go can't start.
func (g *Guard) Recover(name string) {
	if r := recover(); r != nil {
		g.failed(name, r)
	}
}

// Failed is closed by the first panic.
func (g *Guard) Failed() <-chan struct{} { return g.fired }

// Err returns the first panic, or nil.
func (g *Guard) Err() error {
	select {
	case <-g.fired:
		return g.err
	default:
		return nil
	}
}

// Wait returns when every goroutine that Go started has ended.
func (g *Guard) Wait() { g.wg.Wait() }

func (g *Guard) failed(name string, value any) {
	g.once.Do(func() {
		g.err = &PanicError{Where: name, Value: value, Stack: string(debug.Stack())}
		close(g.fired)
	})
}

// cmd is a command whose panic ends the session cleanly.
func (g *Guard) cmd(name string, fn tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		defer g.Recover(name)
		return fn()
	}
}

// PanicError is a mistake in the program that ended the session.
type PanicError struct {
	Where string // the goroutine: "the screen", "poller metrics"
	Value any
	Stack string
}

// Error is one line; Stack has the rest.
func (e *PanicError) Error() string {
	text := fmt.Sprint(e.Value)
	first, _, _ := strings.Cut(text, "\n")
	return fmt.Sprintf("panic in %s: %s", e.Where, first)
}

// ExitCode is what a process that ends by this error exits with.
func (e *PanicError) ExitCode() int { return 3 }
