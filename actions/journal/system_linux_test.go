package journal

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestFileSystemsOnTheNetworkAreKnown(t *testing.T) {
	for magic, network := range map[uint32]bool{
		0x6969: true, 0xff534d42: true, 0xfe534d42: true, 0x517b: true, 0x01021997: true, 0x65735546: true, 0x00c36400: true,
		0xef53: false, 0x01021994: false, 0x58465342: false, 0x9123683e: false,
	} {
		var st unix.Statfs_t
		st.Type = int64(magic)
		if name, got := networkFS(&st); got != network || name == "" {
			t.Errorf("%#x: %s %v", magic, name, got)
		}
	}
}

func TestAProcessWithATakenOverNumberIsNotTheWriter(t *testing.T) {
	j := open(t, dirOf(t), Options{})
	r := add(t, j, intent("a"))
	if !j.WriterAlive(r) {
		t.Error("this process counts as dead")
	}
	r.TS = r.TS.Add(-time.Hour) // before this process was begun
	if j.WriterAlive(r) {
		t.Error("a process that has the same number counts as the writer")
	}
	if began, ok := processBegan(os.Getpid()); !ok || time.Since(began) < 0 {
		t.Errorf("%v %v", began, ok)
	}
	r.Host = "elsewhere"
	if !j.WriterAlive(r) {
		t.Error("a process of another machine counts as dead")
	}
	r.Host, r.Boot = j.host, "before the last boot"
	if j.WriterAlive(r) {
		t.Error("a process from before the boot counts as alive")
	}
}
