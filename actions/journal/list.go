package journal

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Filter says which records are wanted. Empty fields ask for all.
type Filter struct {
	Sale   string
	Action string
	Actor  string // name
	ID     string // of the intent, and of what refers to it
	Kinds  []Kind
	Code   string    // whole, or its beginning: ADM, ADM10
	Since  time.Time // at or after
	Until  time.Time // before
	After  uint64    // sequence numbers above this one
	Last   int       // only the newest so many; 0: all
}

// Match reports whether a record is wanted; it doesn't look at Last.
func (f Filter) Match(r *Record) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	switch {
	case !is(f.Sale, r.Sale), !is(f.Action, r.Action), !is(f.Actor, r.Actor.Name):
		return false
	case f.ID != "" && f.ID != r.ID && f.ID != r.Ref:
		return false
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, r.Kind):
		return false
	case len(f.Code) > len(r.Code) || r.Code[:len(f.Code)] != f.Code:
		return false
	case !f.Since.IsZero() && r.TS.Before(f.Since), !f.Until.IsZero() && !r.TS.Before(f.Until):
		return false
	}
	return r.Seq > f.After
}

// List reads the records of a directory that a filter wants, oldest first. It writes nothing
// and works on a copy of a journal as well. Lines that are no records are left out; Verify
// says what is wrong with them.
func List(dir string, want Filter) ([]Record, error) {
	var found []Record
	err := eachFile(dir, want.startsIn, func(_ string, in *lines) error {
		for in.next() {
			r, err := decode(in.line)
			if err != nil || !want.Match(&r) {
				continue
			}
			found = append(found, r)
			if want.Last > 0 && len(found) >= 2*want.Last {
				found = slices.Clone(found[len(found)-want.Last:])
			}
		}
		return in.err
	})
	if want.Last > 0 && len(found) > want.Last {
		found = found[len(found)-want.Last:]
	}
	return found, err
}

// List is List of the journal's own directory. A failed journal can still be listed.
func (j *Journal) List(want Filter) ([]Record, error) { return List(j.dir, want) }

// orderSlack is how far the wall clock may have been set back between two records.
const orderSlack = time.Hour

// startsIn reports whether no file before the one that begins with first can hold what is wanted.
func (f Filter) startsIn(first Record) bool {
	return f.After > 0 && first.Seq <= f.After+1 || !f.Since.IsZero() && first.TS.Before(f.Since.Add(-orderSlack))
}

// eachFile opens every file of a journal in order, each as long as it was at one instant at
// which nobody was writing; with start, from the last file for whose first record it is true.
func eachFile(dir string, start func(first Record) bool, visit func(name string, in *lines) error) error {
	names, sizes, err := still(dir)
	if err != nil {
		return err
	}
	for i := len(names) - 1; i > 0 && start != nil; i-- {
		if first, ok := firstOf(filepath.Join(dir, names[i])); ok && start(first) {
			names, sizes = names[i:], sizes[i:]
			break
		}
	}
	for i, name := range names {
		if err := visitFile(filepath.Join(dir, name), sizes[i], name, visit); err != nil {
			return err
		}
	}
	return nil
}

// firstOf is the first record of a file; ok is false when it can't be read.
func firstOf(path string) (first Record, ok bool) {
	err := visitFile(path, MaxLine+1, path, func(_ string, in *lines) error {
		if !in.next() {
			return io.EOF
		}
		var err error
		first, err = decode(in.line)
		return err
	})
	return first, err == nil
}

func visitFile(path string, size int64, name string, visit func(name string, in *lines) error) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("the journal can't be read: %w", err)
	}
	return errors.Join(visit(name, newLines(io.LimitReader(f, size))), f.Close())
}

// still takes the names and sizes of the files under a shared lock, where there is a lock file
// that may be opened.
func still(dir string) (names []string, sizes []int64, err error) {
	if _, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
		unlock, err := lock(dir, unix.LOCK_SH, 2*time.Second)
		switch {
		case err == nil:
			defer unlock()
		case !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS):
			return nil, nil, err
		}
	}
	found, err := numbers(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("the journal can't be read: %w", err)
	}
	for _, n := range found {
		info, err := os.Lstat(filepath.Join(dir, fileName(n)))
		if err != nil {
			return nil, nil, fmt.Errorf("the journal can't be read: %w", err)
		}
		names, sizes = append(names, fileName(n)), append(sizes, info.Size())
	}
	return names, sizes, nil
}

// Formats of Export.
const (
	JSONLines = "jsonl"
	CSV       = "csv"
)

// Export writes the wanted records: as JSON Lines, in the very bytes of the journal, so that
// each hash can still be checked; or as CSV, one row a record.
func Export(w io.Writer, dir string, want Filter, format string) error {
	records, err := List(dir, want)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	switch format {
	case JSONLines, "":
		err = exportLines(out, records)
	case CSV:
		err = exportCSV(out, records)
	default:
		return fmt.Errorf("the journal can't be exported as %q: choose %s or %s", format, JSONLines, CSV)
	}
	return errors.Join(err, out.Flush())
}

func exportLines(w io.Writer, records []Record) error {
	for i := range records {
		hash := records[i].Hash
		line, err := encode(&records[i])
		if err != nil {
			return err
		}
		if records[i].Hash != hash {
			return fmt.Errorf("record #%d was written by a newer version: use its own export", records[i].Seq)
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// exportCSV never begins a cell with a character that a spreadsheet takes for a formula.
func exportCSV(w io.Writer, records []Record) error {
	out := csv.NewWriter(w)
	rows := [][]string{{
		"seq", "ts", "code", "kind", "id", "actor", "role", "via", "approver", "sale", "action", "target",
		"from", "to", "reason", "change", "evidence", "outcome", "provider_request_id", "read_back", "text", "host", "hash",
	}}
	for i := range records {
		r := &records[i]
		approver, target := "", ""
		if r.Approver != nil {
			approver = r.Approver.Name
		}
		if r.Target != nil {
			target = r.Target.Kind + " " + r.Target.Name
		}
		evidence, err := json.Marshal(r.Evidence)
		if err != nil {
			return err
		}
		if len(r.Evidence) == 0 {
			evidence = nil
		}
		row := []string{
			strconv.FormatUint(r.Seq, 10), r.TS.Format(time.RFC3339Nano), r.Code, string(r.Kind), r.ID,
			r.Actor.Name, r.Actor.Role, r.Actor.Via, approver, r.Sale, r.Action, target,
			string(r.From), string(r.To), r.Reason, r.Change, string(evidence), r.Outcome, r.RequestID,
			string(r.ReadBack), r.Text, r.Host, r.Hash,
		}
		for k, cell := range row {
			row[k] = inert(cell)
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// inert makes a cell plain text for a spreadsheet and one line for a terminal.
func inert(cell string) string {
	if cell == "" {
		return cell
	}
	cell = string(ascii([]byte(cell)))
	switch cell[0] {
	case '=', '+', '-', '@':
		return "'" + cell
	}
	return cell
}
