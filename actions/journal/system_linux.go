package journal

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// networkFS names the file systems, by the magic numbers of statfs(2), that live on another
// machine or, as FUSE, may.
func networkFS(st *unix.Statfs_t) (name string, network bool) {
	switch magic := uint32(st.Type); magic {
	case 0x6969:
		return "NFS", true
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB", true
	case 0x00c36400:
		return "Ceph", true
	case 0x5346414f, 0x6b414653:
		return "AFS", true
	case 0x73757245:
		return "Coda", true
	case 0x01021997:
		return "9P", true
	case 0x0bd00bd0:
		return "Lustre", true
	case 0x01161970:
		return "GFS2", true
	case 0x7461636f:
		return "OCFS2", true
	case 0x65735546:
		return "FUSE", true
	default:
		return fmt.Sprintf("%#x", magic), false
	}
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// processBegan is when a process was started, by field 22 of proc_pid_stat(5), in ticks of which
// Linux shows programs 100 a second.
func processBegan(pid int) (time.Time, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return time.Time{}, false
	}
	// The name in parentheses may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return time.Time{}, false
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Time{}, false
	}
	since := time.Duration(now.Nano()) - time.Duration(ticks)*(time.Second/100)
	return time.Now().Add(-since), true
}
