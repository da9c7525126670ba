package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// settle reads what was appended since the last time, by anyone, and mends what a crash left.
// Afterwards the open file is the one to append to and the position is its end. The lock of the
// directory must be held.
func (j *Journal) settle(now time.Time) error {
	for {
		if j.file == nil {
			if err := j.openFirst(); err != nil {
				return err
			}
		}
		if err := j.sameFile(); err != nil {
			return j.fail("its file was taken away", err)
		}
		last, err := j.lastFile()
		if err != nil {
			return err
		}
		bad, rotated, err := j.readOn()
		switch {
		case err != nil:
			return err
		case last > j.at.number:
			// Whoever began the next file has said in it what was wrong with this one.
			if err := j.openNext(); err != nil {
				return err
			}
		case bad != nil:
			return j.mend(*bad, now)
		case rotated: // a crash between the last record of a file and the next file
			return j.begin(j.at.number + 1)
		default:
			return nil
		}
	}
}

// lastFile is the highest number there is, 0 for none.
func (j *Journal) lastFile() (int, error) {
	found, err := numbers(j.dir)
	if err != nil {
		return 0, fmt.Errorf("the journal's directory: %w", err)
	}
	if len(found) == 0 {
		return 0, nil
	}
	return found[len(found)-1], nil
}

// recentDays is how much of the journal is read when it is opened. What is older is taken for
// what it says; Verify reads all of it.
const recentDays = 7 * 24 * time.Hour

// openFirst opens the newest file that is older than the recent days, else the oldest there is,
// or begins the very first.
func (j *Journal) openFirst() error {
	found, err := numbers(j.dir)
	if err != nil {
		return fmt.Errorf("the journal's directory: %w", err)
	}
	if len(found) == 0 {
		return j.begin(1)
	}
	for i := len(found) - 1; i > 0; i-- {
		first, ok := firstOf(filepath.Join(j.dir, fileName(found[i])))
		if ok && time.Since(first.TS) > recentDays {
			j.at.seq, j.at.hash, j.book.first = first.Seq-1, first.Prev, first.Seq-1
			return j.openAt(found[i])
		}
	}
	return j.openAt(found[0])
}

func (j *Journal) openNext() error {
	found, err := numbers(j.dir)
	if err != nil {
		return fmt.Errorf("the journal's directory: %w", err)
	}
	for _, n := range found {
		if n > j.at.number {
			return j.openAt(n)
		}
	}
	return nil
}

func (j *Journal) openAt(number int) error {
	name := filepath.Join(j.dir, fileName(number))
	f, err := j.opt.disk.open(name, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return fmt.Errorf("the journal can't be opened: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err == nil {
		err = private(name, info, "600")
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if j.file != nil {
		_ = j.file.Close()
	}
	j.file = f
	j.at.number, j.at.size, j.at.day = number, 0, ""
	return nil
}

// sameFile checks that the open file is still the one with its name.
func (j *Journal) sameFile() error {
	open, err := j.file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(filepath.Join(j.dir, fileName(j.at.number)))
	if err != nil {
		return err
	}
	if !os.SameFile(open, named) {
		return fmt.Errorf("%s is another file than the one that was open", fileName(j.at.number))
	}
	return nil
}

// readOn takes in the records between the position and the end of the open file. It stops at
// the first line that is torn or doesn't belong; rotated says that the last record closes the file.
func (j *Journal) readOn() (bad *Damage, rotated bool, err error) {
	info, err := j.file.Stat()
	if err != nil {
		return nil, false, err
	}
	name := fileName(j.at.number)
	if info.Size() < j.at.size {
		return &Damage{File: name, GoodBytes: info.Size(), Why: Tampered}, false, nil
	}
	if info.Size() == j.at.size {
		return nil, j.at.size > 0 && j.book.last().Kind == Rotate, nil
	}
	rest := io.NewSectionReader(j.file, j.at.size, info.Size()-j.at.size)
	in := newLines(rest)
	first := j.at.size == 0
	for in.next() {
		r, err := decode(in.line)
		if err == nil && !(first && r.Kind == Recovered && r.Damage != nil && r.Seq > j.at.seq) {
			err = r.follows(j.at.seq, j.at.hash)
		}
		if err != nil {
			return j.survey(Damage{File: name, GoodBytes: j.at.size, Why: Tampered}, info)
		}
		first, rotated = false, r.Kind == Rotate
		j.took(&r, int64(len(in.line)+1))
	}
	if in.err != nil {
		return nil, false, fmt.Errorf("the journal can't be read: %w", in.err)
	}
	if in.torn > 0 {
		return j.survey(Damage{File: name, GoodBytes: j.at.size, Why: Torn}, info)
	}
	return nil, rotated, nil
}

// survey measures the bad part of the open file.
func (j *Journal) survey(d Damage, info fs.FileInfo) (*Damage, bool, error) {
	d.BadBytes = info.Size() - d.GoodBytes
	return &d, false, j.surveyRest(&d)
}

// surveyRest hashes everything behind the good part, and remembers the highest sequence number
// in it, so that none is given twice.
func (j *Journal) surveyRest(d *Damage) error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	d.BadBytes = max(info.Size()-d.GoodBytes, 0)
	sum := sha256.New()
	in := newLines(io.TeeReader(io.NewSectionReader(j.file, d.GoodBytes, d.BadBytes), sum))
	for in.next() {
		if r, err := decode(in.line); err == nil && r.Seq < j.at.seq+1<<20 {
			j.at.most = max(j.at.most, r.Seq)
		}
	}
	if in.err != nil {
		return fmt.Errorf("the journal can't be read: %w", in.err)
	}
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// mend moves a torn tail aside, or goes on in a new file beside a bad one.
func (j *Journal) mend(d Damage, now time.Time) error {
	if d.Why != Torn {
		return j.goOn(d, now)
	}
	tail := make([]byte, d.BadBytes)
	if _, err := io.ReadFull(io.NewSectionReader(j.file, d.GoodBytes, d.BadBytes), tail); err != nil {
		return fmt.Errorf("the torn end of the journal can't be read: %w", err)
	}
	d.MovedTo = d.File + ".torn-" + now.UTC().Format("20060102T150405.000000000Z")
	if err := j.keep(d.MovedTo, tail); err != nil {
		return j.fail("the torn end could not be moved aside", err)
	}
	if err := j.file.Truncate(d.GoodBytes); err != nil {
		return j.fail("the torn end could not be cut off", err)
	}
	if err := j.file.Sync(); err != nil {
		return j.fail("the file could not be synced", err)
	}
	_, err := j.write(Record{
		Code: CodeRecovered, Kind: Recovered, Actor: ourselves, Damage: &d,
		Text: fmt.Sprintf("%d bytes of a record that was never finished were moved to %s", d.BadBytes, d.MovedTo),
	}, now)
	return err
}

// keep writes a small file beside the journal, durable before it returns.
func (j *Journal) keep(name string, data []byte) error {
	f, err := j.opt.disk.open(filepath.Join(j.dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), j.opt.disk.syncDir(j.dir))
}

// goOn begins a new file whose first record says what is wrong with the one before.
func (j *Journal) goOn(d Damage, now time.Time) error {
	if err := j.begin(j.at.number + 1); err != nil {
		return err
	}
	text := fmt.Sprintf("%s was changed or damaged after byte %d: it is left as it is", d.File, d.GoodBytes)
	if d.Why == Broken {
		text = fmt.Sprintf("%s could not be written after byte %d: it is left as it is", d.File, d.GoodBytes)
	}
	_, err := j.write(Record{Code: CodeRecovered, Kind: Recovered, Actor: ourselves, Damage: &d, Text: text}, now)
	return err
}

// lines cuts a reader into lines of bounded length.
type lines struct {
	in   io.Reader
	buf  []byte
	have []byte // the part of buf that is not handed out yet
	line []byte // without its newline; good until next
	torn int    // bytes after the last newline, once next has returned false
	err  error
	end  bool
}

func newLines(in io.Reader) *lines { return &lines{in: in, buf: make([]byte, 2*MaxLine)} }

// next cuts the next line. A line that is too long is handed out in parts, none of which can be
// a record.
func (l *lines) next() bool {
	for {
		if i := bytes.IndexByte(l.have, '\n'); i >= 0 {
			l.line, l.have = l.have[:i], l.have[i+1:]
			return true
		}
		if l.end {
			l.torn = len(l.have)
			return false
		}
		if len(l.have) > MaxLine {
			l.line, l.have = l.have, nil
			return true
		}
		n := copy(l.buf, l.have)
		m, err := l.in.Read(l.buf[n:])
		l.have = l.buf[:n+m]
		if err != nil {
			l.end = true
			if !errors.Is(err, io.EOF) {
				l.err = err
				return false
			}
		}
	}
}
