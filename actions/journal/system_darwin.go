package journal

import (
	"time"

	"golang.org/x/sys/unix"
)

// networkFS goes by MNT_LOCAL, which statfs(2) clears for every mount from another machine.
func networkFS(st *unix.Statfs_t) (name string, network bool) {
	return unix.ByteSliceToString(st.Fstypename[:]), st.Flags&unix.MNT_LOCAL == 0
}

func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}

// processBegan is when a process was started, as the kernel's process table has it.
func processBegan(pid int) (time.Time, bool) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(info.Proc.P_starttime.Unix()), true
}
