//go:build !windows

package ui

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminalGone reports whether an error of reading or writing means that nobody is there.
func terminalGone(err error) bool {
	for _, gone := range []error{syscall.EIO, syscall.EPIPE, syscall.ENXIO, syscall.EBADF, os.ErrClosed, io.ErrClosedPipe} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// endingSignals are the signals that end a session. One that the parent has us ignore, as
// nohup does with SIGHUP, stays ignored: a lost terminal is noticed without it.
func endingSignals() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	return slices.DeleteFunc(all, func(s os.Signal) bool {
		return (s == syscall.SIGHUP || s == syscall.SIGINT) && signal.Ignored(s)
	})
}

// notifyResize rings for each change of the window's size; a storm of them is one ring.
func notifyResize() (<-chan os.Signal, func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGWINCH)
	return ch, func() { signal.Stop(ch) }
}

// stopSelf is what ctrl+z does while the terminal is given back. Bubble Tea's own suspend
// waits for a SIGCONT that never comes where nobody controls the job (a container, a
// multiplexer that runs the cockpit itself): there the stop has no effect, and the session
// must simply go on.
type stopSelf struct{}

// Run stops the process group and returns when it goes on, or was not stopped.
func (*stopSelf) Run() error {
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return err
	}
	select {
	case <-resumed:
	case <-time.After(300 * time.Millisecond):
	}
	return nil
}

// SetStdin is not needed to stop.
func (*stopSelf) SetStdin(io.Reader) {}

// SetStdout is not needed to stop.
func (*stopSelf) SetStdout(io.Writer) {}

// SetStderr is not needed to stop.
func (*stopSelf) SetStderr(io.Writer) {}

// canSuspend: a shell with job control can stop a job.
const canSuspend = true

// canAsk: what a terminal answers is read with its keys.
const canAsk = true

// readable reports whether a read of f would return at once, now or within d.
func readable(f *os.File, d time.Duration) bool {
	fd := int(f.Fd())
	if fd < 0 || fd >= unix.FD_SETSIZE {
		return false
	}
	for end := time.Now().Add(d); ; {
		var set unix.FdSet
		set.Set(fd)
		limit := unix.NsecToTimeval(max(time.Until(end), 0).Nanoseconds())
		n, err := unix.Select(fd+1, &set, nil, nil, &limit)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		return err == nil && n > 0
	}
}
