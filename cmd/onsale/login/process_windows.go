package login

import (
	"os/exec"
	"syscall"
)

// detached is DETACHED_PROCESS: the command gets no console of ours.
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
const detached = 0x00000008

func withoutTerminal(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detached, HideWindow: true}
}
