package ui

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// terminalGone reports whether an error of reading or writing means that nobody is there.
func terminalGone(err error) bool {
	return errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.ERROR_BROKEN_PIPE)
}

// endingSignals are the signals that end a session.
func endingSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// notifyResize rings twice a second: Windows sends no signal for a change of the size.
func notifyResize() (<-chan os.Signal, func()) {
	ch := make(chan os.Signal, 1)
	tick := time.NewTicker(500 * time.Millisecond)
	end := make(chan struct{})
	go func() {
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				select {
				case ch <- os.Interrupt:
				default:
				}
			}
		}
	}()
	return ch, func() { tick.Stop(); close(end) }
}

// stopSelf is never run: there is no job control here.
type stopSelf struct{}

// Run does nothing.
func (*stopSelf) Run() error { return nil }

// SetStdin does nothing.
func (*stopSelf) SetStdin(io.Reader) {}

// SetStdout does nothing.
func (*stopSelf) SetStdout(io.Writer) {}

// SetStderr does nothing.
func (*stopSelf) SetStderr(io.Writer) {}

// canSuspend: there is no job control here.
const canSuspend = false

// canAsk: keys are read as records of the console, so an answer would not come by here.
const canAsk = false

func readable(*os.File, time.Duration) bool { return false }
