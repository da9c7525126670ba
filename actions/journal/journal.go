package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Options of a journal. The zero value is good.
type Options struct {
	MaxBytes int64         // a file that is this long is closed and the next begun; default 16 MiB
	LockWait time.Duration // how long to wait for another process; default 2 s

	// Overrides of the tests in this package.
	disk     disk
	location func(dir string) error
}

// ErrFailed marks the error of a journal that can't be written any more.
var ErrFailed = errors.New("the journal has failed, so nothing may be done")

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the journal is closed")

// Journal appends to and reads the journal of one directory. It is safe for many goroutines,
// and any number of them, in any number of processes, may share a directory.
type Journal struct {
	dir string
	opt Options

	host  string
	boot  string
	began time.Time // with mono, the two clocks read at the same instant
	mono  int64

	mu     sync.Mutex
	failed error
	closed bool
	file   file
	at     position
	book   book
}

// position is the end of what has been read and found good.
type position struct {
	number int    // of the file
	size   int64  // bytes of it
	seq    uint64 // of the last record
	hash   string
	day    string // UTC day of the file's first record; "" for an empty file
	// most is the highest sequence number seen in bad parts, so that none is given twice.
	most uint64
}

// Head is the end of the chain.
type Head struct {
	Seq  uint64
	Hash string // 64 hex digits; 64 zeros for an empty journal
}

// Short is the first 8 hex digits, for a screen or an incident's note.
func (h Head) Short() string {
	if len(h.Hash) < 8 {
		return genesis[:8]
	}
	return h.Hash[:8]
}

// String is what Verify takes: "417:9f3ac01b".
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, h.Short()) }

// Open opens the journal in a directory, which it makes if need be, reads and checks the last
// seven days of it or more, and mends a torn tail. It refuses a directory or a file that others
// can reach or own, and file systems on the network.
func Open(dir string, opt Options) (*Journal, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = 16 << 20
	}
	if opt.LockWait <= 0 {
		opt.LockWait = 2 * time.Second
	}
	if opt.disk == nil {
		opt.disk = system{}
	}
	if opt.location == nil {
		opt.location = localOnly
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	if err := opt.location(dir); err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, opt: opt, boot: bootID(), book: newBook()}
	if j.host, err = os.Hostname(); err != nil {
		j.host = "unknown"
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return nil, fmt.Errorf("the monotonic clock can't be read: %w", err)
	}
	j.began, j.mono = time.Now(), ts.Nano()
	j.at = position{hash: genesis}
	j.mu.Lock()
	defer j.mu.Unlock()
	err = j.locked(func() error { return j.settle(time.Now()) })
	if err != nil {
		_ = j.close()
		return nil, err
	}
	return j, nil
}

// Dir is the journal's directory.
func (j *Journal) Dir() string { return j.dir }

// locked runs f under the lock of the directory.
func (j *Journal) locked(f func() error) error {
	if j.closed {
		return ErrClosed
	}
	if j.failed != nil {
		return j.failed
	}
	unlock, err := lock(j.dir, unix.LOCK_EX, j.opt.LockWait)
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// fail makes the journal failed for good.
func (j *Journal) fail(what string, err error) error {
	j.failed = fmt.Errorf("%w: %s: %w; mend the disk, then start a new journal file", ErrFailed, what, err)
	return j.failed
}

// Err is nil, or says why nothing can be appended any more.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	return j.failed
}

// Append writes one record and returns it as it stands on the disk, synced. On an error it is
// not known whether the record is there: whoever wanted to act must not.
func (j *Journal) Append(ctx context.Context, r Record) (Record, error) {
	return j.AppendIf(ctx, r, nil)
}

// AppendIf is Append after a check that sees everything that any process appended before, and
// before anything else is appended. When check returns an error nothing is written and that
// error is returned.
func (j *Journal) AppendIf(ctx context.Context, r Record, check func(View) error) (Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	var written Record
	err := j.locked(func() error {
		now := time.Now()
		if err := j.settle(now); err != nil {
			return err
		}
		if check != nil {
			if err := check(View{j: j, now: now}); err != nil {
				return err
			}
		}
		if err := j.rotateIfDue(now); err != nil {
			return err
		}
		var err error
		written, err = j.write(r, now)
		return err
	})
	return written, err
}

// write completes, encodes, writes and syncs one record at the end of the open file.
func (j *Journal) write(r Record, now time.Time) (Record, error) {
	r.V, r.Seq, r.TS, r.Mono = Version, max(j.at.seq, j.at.most)+1, now.Round(0).UTC(), j.monotonic(now)
	r.Boot, r.Host, r.PID, r.Prev = j.boot, j.host, os.Getpid(), j.at.hash
	line, err := encode(&r)
	if err != nil {
		return Record{}, err
	}
	n, err := j.file.Write(line)
	if err == nil && n < len(line) {
		err = fmt.Errorf("only %d of %d bytes were written", n, len(line))
	}
	if err != nil {
		return Record{}, j.fail("a record could not be written", err)
	}
	if err := j.file.Sync(); err != nil {
		return Record{}, j.fail("a record could not be synced", err)
	}
	j.took(&r, int64(len(line)))
	return r, nil
}

// took moves the position past a record that is good.
func (j *Journal) took(r *Record, bytes int64) {
	j.at.size += bytes
	j.at.seq, j.at.hash = r.Seq, r.Hash
	if j.at.day == "" {
		j.at.day = day(r.TS)
	}
	j.book.enter(*r)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// monotonic is the system's monotonic clock at now, in nanoseconds since its boot.
func (j *Journal) monotonic(now time.Time) int64 { return j.mono + int64(now.Sub(j.began)) }

// rotateIfDue closes a file that is too long or of an earlier day and begins the next.
func (j *Journal) rotateIfDue(now time.Time) error {
	if j.at.day == "" || j.at.size < j.opt.MaxBytes && day(now) <= j.at.day {
		return nil
	}
	next := fileName(j.at.number + 1)
	if _, err := j.write(Record{Code: CodeRotate, Kind: Rotate, Actor: ourselves, Text: "goes on in " + next}, now); err != nil {
		return err
	}
	return j.begin(j.at.number + 1)
}

// ourselves is the actor of the journal's own records.
var ourselves = Actor{Name: "onsale", Via: "journal"}

// begin creates a file, empty and durable, and makes it the one that is appended to.
func (j *Journal) begin(number int) error {
	f, err := j.opt.disk.open(filepath.Join(j.dir, fileName(number)), os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return j.fail("a new file could not be made", err)
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return j.fail("a new file could not be synced", err)
	}
	if err := j.opt.disk.syncDir(j.dir); err != nil {
		_ = f.Close()
		return j.fail("the directory could not be synced", err)
	}
	if j.file != nil {
		_ = j.file.Close() // every byte of it has been synced
	}
	j.file = f
	j.at.number, j.at.size, j.at.day = number, 0, ""
	return nil
}

// Reopen ends the failed state by beginning a new file, whose first record says what was wrong
// with the one before. It is for a person to ask for, after the disk was mended. A journal that
// has not failed is left alone.
func (j *Journal) Reopen(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.failed == nil || j.closed {
		return nil
	}
	was := j.failed
	j.failed = nil
	err := j.locked(func() error {
		if err := j.opt.location(j.dir); err != nil {
			return err
		}
		last, err := j.lastFile()
		if err != nil {
			return err
		}
		if j.file == nil || last > j.at.number {
			return j.settle(time.Now()) // nothing was begun, or another process has gone on
		}
		bad, _, err := j.readOn()
		if err != nil {
			return err
		}
		if bad == nil {
			bad = &Damage{File: fileName(j.at.number), GoodBytes: j.at.size}
			if err := j.surveyRest(bad); err != nil {
				return err
			}
		}
		bad.Why = Broken
		return j.goOn(*bad, time.Now())
	})
	if err != nil && j.failed == nil {
		j.failed = was
	}
	return err
}

// Head is the end of the chain as this process last saw it.
func (j *Journal) Head() Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Head{Seq: j.at.seq, Hash: j.at.hash}
}

// Close lets go of the file. What was appended is on the disk already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	return j.close()
}

func (j *Journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}
