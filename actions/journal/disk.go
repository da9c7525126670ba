package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// file is what the journal asks of an open file; *os.File is one.
type file interface {
	io.ReaderAt
	io.Writer
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
	Close() error
}

// disk is where the journal's writes go: the system, or a failing one in a test.
type disk interface {
	open(name string, flags int) (file, error)
	syncDir(dir string) error
}

type system struct{}

func (system) open(name string, flags int) (file, error) {
	return os.OpenFile(name, flags|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
}

func (system) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// DefaultDir is where the journal lives: $XDG_STATE_HOME/onsale/journal, with
// $HOME/.local/state in place of a state home that is empty or relative, as the base directory
// specification has it.
func DefaultDir(getenv func(string) string) (string, error) {
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", errors.New("no place for the journal: neither XDG_STATE_HOME nor HOME is an absolute path; set one")
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "onsale", "journal"), nil
}

const (
	filePrefix = "journal-"
	fileSuffix = ".jsonl"
	lockName   = "journal.lock"
)

func fileName(n int) string { return fmt.Sprintf("%s%06d%s", filePrefix, n, fileSuffix) }

// numbers lists the journal files of a directory in order.
func numbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), filePrefix)
		if !ok {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, fileSuffix); !ok {
			continue
		}
		if n, err := strconv.Atoi(digits); err == nil && n > 0 && fileName(n) == e.Name() {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return found, nil
}

// makeDir makes the directory if it is not there and checks that nobody else can reach in.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the journal's directory can't be made: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("the journal's directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("the journal's directory %s is not a directory: name the real one", dir)
	}
	return private(dir, info, "700")
}

// private refuses what another user owns or can reach.
func private(path string, info fs.FileInfo, want string) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, not to %d who runs this: give it back (chown) or name another journal", path, st.Uid, os.Geteuid())
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return fmt.Errorf("%s can be reached by others (mode %04o): chmod %s %s", path, info.Mode().Perm(), want, path)
	}
	return nil
}

// localOnly refuses file systems on which flock and fsync can't be relied on.
func localOnly(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("the journal's file system can't be told: %w", err)
	}
	if name, network := networkFS(&st); network {
		return fmt.Errorf("the journal can't be kept on %s (%s): locks and syncs are not reliable there; name a local directory", name, dir)
	}
	return nil
}

// errBusy is returned when another process holds the lock for too long.
var errBusy = errors.New("another process holds the journal's lock")

// lock takes the lock file of a directory, polling until the deadline so that a stopped
// process can't hang this one.
func lock(dir string, how int, wait time.Duration) (unlock func(), err error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the journal's lock: %w", err)
	}
	pause := 200 * time.Microsecond
	for deadline := time.Now().Add(wait); ; {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("the journal's lock %s: %w", name, err)
		}
		if time.Now().After(deadline) {
			_ = f.Close()
			return nil, fmt.Errorf("%w %s for %s: look for a stopped onsale (ps -o pid,stat,args)", errBusy, name, wait)
		}
		time.Sleep(pause)
		pause = min(pause*2, 5*time.Millisecond)
	}
}
