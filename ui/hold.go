package ui

import (
	"context"
	"log/slog"
	"time"

	tea "charm.land/bubbletea/v2"
)

// farEnd is what the model knows of the other end of its link. Nothing of it waits but leave and
// settle, which are called from commands.
type farEnd struct {
	begin func()                // the terminal may be asked from now on
	holds func() bool           // it is busy with what it has; a linkMsg says when it is not
	state func() answering      // whether it answers
	leave func(d time.Duration) // no more questions; waits for the last answer, d at most

	settle func(d time.Duration) // waits until everything is written, d at most
}

// nowhere is the far end of a session that has no terminal.
func nowhere() farEnd {
	return farEnd{
		begin: func() {},
		holds: func() bool { return false },
		state: func() answering { return untried },
		leave: func(time.Duration) {},

		settle: func(time.Duration) {},
	}
}

// farEnd is the far end of a session on the gate's terminal, which its environment describes.
func (t *gate) farEnd(env []string) farEnd {
	end := farEnd{begin: func() {}, holds: t.holds, state: t.link.answering, leave: t.link.leave, settle: t.settle}
	if mayBeAsked(env) {
		end.begin = t.begin
	}
	return end
}

// linkMsg says that the terminal has come as far as everything that was written.
type linkMsg struct{}

// heldSizeMsg stands for a new size while the terminal is busy.
type heldSizeMsg struct{}

// giveBack runs a command that takes the terminal from the session. The terminal's last answer is
// waited for: whoever has the terminal then would read it as keys.
func (m *model) giveBack(cmd tea.Cmd) {
	m.left = true
	leave := m.far.leave
	m.cmds = append(m.cmds, func() tea.Msg {
		leave(leaveFor)
		return cmd()
	})
}

// stopWritten stops the program once the bytes that restore the terminal are out: a stopped
// program writes none.
type stopWritten struct {
	stopSelf
	settle func(d time.Duration)
}

// Run stops the process group and returns when it goes on, or was not stopped.
func (s *stopWritten) Run() error {
	s.settle(graceful)
	return s.stopSelf.Run()
}

// comeBack takes the terminal again.
func (m *model) comeBack() {
	m.left = false
	m.far.begin()
	m.redrawAll()
}

// steadyLag is the link's lag as it is shown. Below a second it changes only with a difference that
// says something: a header that changes with each frame would be most of what a quiet second sends.
func (m *model) steadyLag() time.Duration {
	lag := m.lag()
	if lag >= time.Second || (lag-m.shownLag).Abs() > max(20*time.Millisecond, m.shownLag/4) || m.shownLag == 0 {
		m.shownLag = lag
	}
	return m.shownLag
}

// followLink tells the program when the terminal is free again, and the log what became of it.
func (s *session) followLink(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.gate.link.bell:
		}
		if note := s.gate.link.note.Swap(nil); note != nil && s.opts.Logs != nil {
			slog.New(s.opts.Logs).Info(*note)
		}
		s.program.Send(linkMsg{})
	}
}

// resize holds a new size while the terminal is busy: Bubble Tea sends the whole screen for each.
// A storm of them is one, the newest.
func (s *sieve) resize(msg tea.WindowSizeMsg) tea.Msg {
	if s.holds == nil || !s.holds() {
		s.size = nil
		return msg
	}
	s.size = &msg
	return heldSizeMsg{}
}

// withSize lets a held size pass before msg.
func (s *sieve) withSize(msg tea.Msg) tea.Msg {
	if s.size == nil || s.holds() {
		return msg
	}
	size := *s.size
	s.size = nil
	return tea.BatchMsg{func() tea.Msg { return size }, func() tea.Msg { return msg }}
}
