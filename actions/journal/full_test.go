package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fullFile is a file on a disk that is full for real: the kernel itself says so.
type fullFile struct {
	file
	full *os.File
}

func (f fullFile) Write(p []byte) (int, error) { return f.full.Write(p) }

type fullDisk struct {
	system
	full *os.File // nil: there is room
}

func (d *fullDisk) open(name string, flags int) (file, error) {
	f, err := d.system.open(name, flags)
	if err != nil || d.full == nil {
		return f, err
	}
	return fullFile{f, d.full}, nil
}

func TestAFullDiskFailsTheJournalAndWhatWasWrittenStays(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	dir := dirOf(t)
	add(t, open(t, dir, Options{}), intent("before"))
	d := &fullDisk{full: full}
	j := open(t, dir, Options{disk: d})
	if _, err := j.Append(context.Background(), intent("on a full disk")); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v", err)
	}
	if j.Err() == nil {
		t.Error("the journal does not say that it has failed")
	}
	d.full = nil // the disk was mended
	if err := j.Reopen(context.Background()); err != nil {
		t.Fatal(err)
	}
	add(t, j, intent("after"))
	if rep := mustVerify(t, dir, j.Head().String()); !rep.OK() {
		t.Errorf("%+v", rep)
	}
	if got, _ := List(dir, Filter{Kinds: []Kind{Intent}}); len(got) != 2 {
		t.Errorf("%d intents, want that before and that after", len(got))
	}
}

// limited appends until the kernel lets a file grow no more, and says what came of it.
func limited(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	j, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4000, Max: 4000}); err != nil {
		return err
	}
	for i := range 100 {
		if _, err := j.Append(context.Background(), intent(fmt.Sprint(i))); err != nil {
			if !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EFBIG) && !strings.Contains(err.Error(), "bytes were written") {
				return fmt.Errorf("not a failed journal: %w", err)
			}
			fmt.Println(i)
			if _, err := j.Append(context.Background(), intent("again")); !errors.Is(err, ErrFailed) {
				return fmt.Errorf("it goes on after a failure: %w", err)
			}
			return nil
		}
	}
	return errors.New("the limit was never reached")
}

func TestAFileThatMayGrowNoMoreFailsTheJournalAndTheNextProcessMendsIt(t *testing.T) {
	dir := dirOf(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ONSALE_TEST_LIMITED="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	if _, err := fmt.Sscan(string(out), &written); err != nil || written < 2 {
		t.Fatalf("%q %v", out, err)
	}
	info, err := os.Stat(filepath.Join(dir, fileName(1)))
	if err != nil || info.Size() != 4000 {
		t.Fatalf("the file has %d bytes: the limit cut nothing (%v)", info.Size(), err)
	}
	j := open(t, dir, Options{})
	add(t, j, intent("by the next"))
	rep := mustVerify(t, dir, j.Head().String())
	if !rep.OK() || len(rep.Mended) != 1 {
		t.Errorf("%+v", rep)
	}
	if got, _ := List(dir, Filter{Kinds: []Kind{Intent}}); len(got) != written+1 {
		t.Errorf("%d intents, %d were said to be written", len(got)-1, written)
	}
}
