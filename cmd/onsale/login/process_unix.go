//go:build !windows

package login

import (
	"os/exec"
	"syscall"
)

// withoutTerminal puts a command into a session of its own: it can't open the terminal, and all of it
// ends together.
func withoutTerminal(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
