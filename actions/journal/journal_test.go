package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func open(t *testing.T, dir string, opt Options) *Journal {
	t.Helper()
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func add(t *testing.T, j *Journal, r Record) Record {
	t.Helper()
	r, err := j.Append(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func intent(id string) Record {
	return Record{
		Code: "ADM10I", Kind: Intent, ID: id, Actor: Actor{Name: "vesna", Role: "operator", Via: "local"},
		Sale: "harbour", Action: "pause", Target: &Target{System: "waitingroom", Kind: "waiting room", Name: "harbour-2026"},
		From: json.RawMessage(`{"queue_all":false}`), To: json.RawMessage(`{"queue_all":true}`), Reason: "declines",
	}
}

func result(id string) Record {
	r := intent(id)
	r.Code, r.Kind, r.Outcome = "ADM10D", Result, "done"
	return r
}

func dirOf(t *testing.T) string { return filepath.Join(t.TempDir(), "journal") }

func mustVerify(t *testing.T, dir string, heads ...string) Report {
	t.Helper()
	rep, err := Verify(dir, heads...)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestWhatIsAppendedIsReadBackInAChain(t *testing.T) {
	dir := dirOf(t)
	j := open(t, dir, Options{})
	for i := range 20 {
		add(t, j, intent(fmt.Sprint(i)))
	}
	got, err := j.List(Filter{})
	if err != nil || len(got) != 20 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	if got[0].Prev != genesis || got[1].Prev != got[0].Hash || got[19].Seq != 20 {
		t.Errorf("the chain does not hang together: %+v", got[:2])
	}
	rep := mustVerify(t, dir, j.Head().String(), "7:"+got[6].Hash)
	if !rep.OK() || rep.Records != 20 || rep.Head != j.Head() {
		t.Errorf("%+v", rep)
	}
	info, err := os.Stat(filepath.Join(dir, fileName(1)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestASecondOpenGoesOnWhereTheFirstStopped(t *testing.T) {
	dir := dirOf(t)
	one := open(t, dir, Options{})
	add(t, one, intent("a"))
	two := open(t, dir, Options{})
	add(t, two, result("a"))
	add(t, one, intent("b"))
	pending, err := two.Pending()
	if err != nil || len(pending) != 1 || pending[0].Intent.ID != "b" {
		t.Errorf("pending %+v %v", pending, err)
	}
	if rep := mustVerify(t, dir); !rep.OK() || rep.Records != 3 {
		t.Errorf("%+v", rep)
	}
}

func TestAnIntentIsPendingUntilAResultOrARefusalSettlesIt(t *testing.T) {
	j := open(t, dirOf(t), Options{})
	for _, id := range []string{"done", "refused", "unknown", "open"} {
		add(t, j, intent(id))
	}
	add(t, j, result("done"))
	add(t, j, Record{Kind: Refused, ID: "refused"})
	add(t, j, Record{Kind: Unknown, ID: "unknown", Text: "no answer"})
	add(t, j, Record{Kind: Effect, ID: "open"})
	pending, err := j.Pending()
	if err != nil || len(pending) != 2 {
		t.Fatalf("%+v %v", pending, err)
	}
	if pending[0].Intent.ID != "unknown" || pending[0].Unknown == nil || pending[1].Unknown != nil {
		t.Errorf("%+v", pending)
	}
	if !j.WriterAlive(pending[0].Intent) {
		t.Error("this process counts as dead")
	}
}

func TestACheckSeesEverythingAndCanPreventTheAppend(t *testing.T) {
	dir := dirOf(t)
	one, two := open(t, dir, Options{}), open(t, dir, Options{})
	seen := two.Head().Seq
	add(t, one, intent("a"))
	no := errors.New("no")
	_, err := two.AppendIf(context.Background(), intent("b"), func(v View) error {
		since, ok := v.Since(seen)
		if len(v.Pending()) != 1 || !ok || len(since) != 1 || v.Seq() != 1 || v.Age(since[0]) < 0 {
			t.Errorf("the check does not see the other's intent")
		}
		return no
	})
	if !errors.Is(err, no) || two.Err() != nil {
		t.Errorf("%v, %v", err, two.Err())
	}
	if rep := mustVerify(t, dir); rep.Records != 1 {
		t.Errorf("%+v", rep)
	}
}

func TestForeignTextIsOneLineOfPrintableASCIIAndComesBackAsItWas(t *testing.T) {
	nasty := "line\nbreak \x1b]0;t\x07 \u202e bidi \u009b c1 \x7f ž 🎫 <&>  "
	j := open(t, dirOf(t), Options{})
	r := intent("x")
	r.Reason = nasty
	add(t, j, r)
	r.Reason = "broken \xff\xfe utf8"
	add(t, j, r)
	r.Reason = strings.Repeat("\x1b", 64<<10)
	r.Text = strings.Repeat("š", 64<<10)
	for range 100 {
		r.Evidence = append(r.Evidence, Evidence{Metric: strings.Repeat("\u202e", 400)})
	}
	add(t, j, r)
	data, err := os.ReadFile(filepath.Join(j.Dir(), fileName(1)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), "\n") != 3 || !strings.HasSuffix(string(data), "\n") {
		t.Errorf("%d lines", strings.Count(string(data), "\n"))
	}
	for _, c := range data {
		if c != '\n' && (c < 0x20 || c > 0x7e) {
			t.Fatalf("byte %#x in the journal", c)
		}
	}
	got, err := j.List(Filter{})
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	if got[0].Reason != nasty || got[1].Reason != "broken \ufffd\ufffd utf8" {
		t.Errorf("%q %q", got[0].Reason, got[1].Reason)
	}
	if !strings.HasSuffix(got[2].Reason, "…") || len(got[2].Evidence) != mostItems {
		t.Errorf("a long text is not cut: %d, %d", len(got[2].Reason), len(got[2].Evidence))
	}
	for line := range strings.Lines(string(data)) {
		if len(line) > MaxLine {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

func TestARecordThatCantBeMadeFitIsRefusedAndTheJournalLives(t *testing.T) {
	j := open(t, dirOf(t), Options{})
	r := intent("x")
	r.From = json.RawMessage(`{"a":"` + strings.Repeat("x", MaxLine) + `"}`)
	if _, err := j.Append(context.Background(), r); err == nil {
		t.Error("a record over the limit was written")
	}
	r.From = json.RawMessage(`{not json`)
	if _, err := j.Append(context.Background(), r); err == nil {
		t.Error("what is not JSON was written")
	}
	add(t, j, intent("y"))
}

func TestTheVectorsHoldForEver(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	v := verifier{hash: genesis, seen: map[uint64]string{}}
	if err := v.file("vectors", newLines(strings.NewReader(string(data)))); err != nil {
		t.Fatal(err)
	}
	v.endFile(nil)
	if !v.report.OK() || v.report.Records != 4 {
		t.Errorf("%+v", v.report)
	}
	var again []byte
	prev := genesis
	for i, r := range vectors() {
		r.V, r.Seq, r.Prev = Version, uint64(i+1), prev
		line, err := encode(&r)
		if err != nil {
			t.Fatal(err)
		}
		prev = r.Hash
		again = append(again, line...)
	}
	if os.Getenv("UPDATE_VECTORS") != "" {
		if err := os.WriteFile("testdata/vectors.jsonl", again, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if string(again) != string(data) {
		t.Errorf("the bytes of a record have changed:\n%s\nwant\n%s", again, data)
	}
}

// vectors are records with every field set, and with as few as can be.
func vectors() []Record {
	at := time.Date(2026, 12, 4, 9, 6, 10, 214000000, time.UTC)
	v := 0.07
	full := intent("01JE8Q2V9GZ4")
	full.TS, full.Mono, full.Boot, full.Host, full.PID = at, 123456789, "3f0c", "war-1", 4711
	full.Actor = Actor{Name: "vesna", Fingerprint: "SHA256:abc", Role: "operator", Via: "ssh", Remote: "10.8.0.14"}
	full.Approver = &Actor{Name: "tomo", Role: "operator"}
	full.Target = &Target{System: "waitingroom", Kind: "waiting room", Name: "harbour-2026", ID: "1a", Account: "zone", Region: "eu"}
	full.Reason, full.Change = "kartice: \"odbijeno\" ž 🎫\n\x1b[31m", "CHG-882"
	full.Evidence = []Evidence{{"payment_failure_ratio", &v, "ratio", 9, "live"}, {Metric: "waiting"}}
	full.Ref, full.Play = "01JE8Q2V9GZ3", &Play{"ramp", 1, 3}
	full.Watch = &Watch{"admission_rate", "down", 0, 180}
	done := result(full.ID)
	done.TS, done.RequestID, done.ReadBack, done.Text = at.Add(time.Second), "8f1c2", json.RawMessage(`{"queue_all":true}`), "read back <ok> & done"
	mend := Record{
		Code: CodeRecovered, Kind: Recovered, Actor: ourselves, TS: at.Add(time.Minute),
		Damage: &Damage{"journal-000001.jsonl", 10, 3, "00", "journal-000001.jsonl.torn-1", Torn},
	}
	return []Record{full, done, mend, {Code: "NOT10N", Kind: Note, TS: at.Add(time.Hour)}}
}

func TestAFullFileAndANewDayBeginTheNextFileInTheSameChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "j")
		j, err := Open(dir, Options{MaxBytes: 2000})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		for i := range 10 {
			add(t, j, intent(fmt.Sprint(i)))
		}
		files, _ := numbers(dir)
		if len(files) < 3 {
			t.Errorf("%d files after %d bytes each", len(files), 2000)
		}
		time.Sleep(24 * time.Hour)
		add(t, j, intent("tomorrow"))
		after, _ := numbers(dir)
		if len(after) != len(files)+1 {
			t.Errorf("no new file for a new day: %v → %v", files, after)
		}
		rep := mustVerify(t, dir, j.Head().String())
		if !rep.OK() || rep.Files != len(after) {
			t.Errorf("%+v", rep)
		}
		again := open(t, dir, Options{})
		if again.Head() != j.Head() {
			t.Errorf("head %v, want %v", again.Head(), j.Head())
		}
		rotated, err := j.List(Filter{Kinds: []Kind{Rotate}})
		if err != nil || len(rotated) != len(after)-1 {
			t.Errorf("%d rotate records, %v", len(rotated), err)
		}
	})
}

func TestOldFilesAreNotReadAgainAtEveryOpenAndListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "j")
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		for i := range 20 {
			add(t, j, intent(fmt.Sprint(i)))
			time.Sleep(24 * time.Hour)
		}
		add(t, j, intent("today"))
		// A file that nobody needs to read may be anything.
		old := filepath.Join(dir, fileName(3))
		data, err := os.ReadFile(old)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(old, []byte("garbage\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if again.Head() != j.Head() {
			t.Errorf("%v, want %v", again.Head(), j.Head())
		}
		add(t, again, intent("more"))
		pending, err := again.Pending()
		if err != nil || len(pending) < 9 || len(pending) > 10 {
			t.Errorf("%d pending, %v", len(pending), err)
		}
		if got, err := List(dir, Filter{Since: time.Now().Add(-36 * time.Hour), Kinds: []Kind{Intent}}); err != nil || len(got) != 3 {
			t.Errorf("%d records, %v", len(got), err)
		}
		if got, err := List(dir, Filter{After: j.Head().Seq}); err != nil || len(got) != 1 {
			t.Errorf("%d records, %v", len(got), err)
		}
		if rep := mustVerify(t, dir); rep.OK() {
			t.Error("Verify does not read all of it")
		}
		if err := os.WriteFile(old, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if rep := mustVerify(t, dir); !rep.OK() {
			t.Errorf("%+v", rep)
		}
	})
}

func TestAReportIsWrittenForAPerson(t *testing.T) {
	l, _ := sample(t, 3)
	var out strings.Builder
	rep := verifyText(t, dirOf(t), l[0]+l[2])
	if _, err := rep.WriteTo(&out); err != nil || !strings.HasPrefix(out.String(), "CHAIN BROKEN in 1 places: 2 records in 1 files, head 3:") ||
		!strings.Contains(out.String(), "record #3 stands where #2 belongs") {
		t.Errorf("%s", out.String())
	}
}

func TestACrashBetweenTheRotateRecordAndTheNextFileIsMended(t *testing.T) {
	dir := dirOf(t)
	j := open(t, dir, Options{MaxBytes: 100})
	add(t, j, intent("a"))
	add(t, j, intent("b"))
	j.Close()
	if err := os.Remove(filepath.Join(dir, fileName(2))); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, Options{})
	add(t, again, intent("c"))
	if rep := mustVerify(t, dir); !rep.OK() || rep.Files != 2 {
		t.Errorf("%+v", rep)
	}
}

func TestATailTornAtAnyByteIsMovedAsideAndSaid(t *testing.T) {
	whole := dirOf(t)
	j := open(t, whole, Options{})
	add(t, j, intent("a"))
	before := int(j.at.size)
	add(t, j, result("a"))
	j.Close()
	data, err := os.ReadFile(filepath.Join(whole, fileName(1)))
	if err != nil {
		t.Fatal(err)
	}
	for cut := before + 1; cut < len(data); cut++ {
		dir := filepath.Join(t.TempDir(), "j")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fileName(1))
		if err := os.WriteFile(name, data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if rep := mustVerify(t, dir); rep.OK() {
			t.Fatalf("cut at %d: Verify says the chain is whole", cut)
		}
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		add(t, j, result("a"))
		j.Close()
		got, err := List(dir, Filter{})
		if err != nil || len(got) != 3 || got[1].Kind != Recovered || got[1].Damage.Why != Torn {
			t.Fatalf("cut at %d: %d records, %v", cut, len(got), err)
		}
		torn, err := os.ReadFile(filepath.Join(dir, got[1].Damage.MovedTo))
		if err != nil || string(torn) != string(data[before:cut]) {
			t.Fatalf("cut at %d: the torn bytes are not kept: %v", cut, err)
		}
		if rep := mustVerify(t, dir); !rep.OK() || len(rep.Mended) != 1 {
			t.Fatalf("cut at %d: %+v", cut, rep)
		}
	}
}

// sample is a journal of n records as lines, and its head.
func sample(t *testing.T, n int) (lines []string, head string) {
	t.Helper()
	dir := dirOf(t)
	j := open(t, dir, Options{})
	for i := range n {
		add(t, j, intent(fmt.Sprint(i)))
	}
	data, err := os.ReadFile(filepath.Join(dir, fileName(1)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(data), "\n")+"\n", "\n")[:n], j.Head().String()
}

func verifyText(t *testing.T, dir, text string, heads ...string) Report {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName(1)), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return mustVerify(t, dir, heads...)
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	lines, _ := sample(t, 2)
	data := []byte(strings.Join(lines, ""))
	dir := dirOf(t)
	if rep := verifyText(t, dir, string(data)); !rep.OK() {
		t.Fatalf("%+v", rep)
	}
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			v := verifier{hash: genesis, seen: map[uint64]string{}}
			if err := v.file("x", newLines(strings.NewReader(string(data)))); err != nil {
				t.Fatal(err)
			}
			v.endFile(nil)
			if v.report.OK() {
				t.Fatalf("bit %d of byte %d (%q) was flipped and not found", bit, i, data[i])
			}
			data[i] ^= 1 << bit
		}
	}
}

func TestRemovedSwappedDoubledAndCutLinesAreFound(t *testing.T) {
	l, head := sample(t, 5)
	dir := dirOf(t)
	cases := []struct {
		name  string
		lines []string
		head  string
	}{
		{"the first removed", l[1:], ""},
		{"one in the middle removed", []string{l[0], l[1], l[3], l[4]}, ""},
		{"two swapped", []string{l[0], l[2], l[1], l[3], l[4]}, ""},
		{"one doubled", []string{l[0], l[1], l[1], l[2], l[3], l[4]}, ""},
		{"one doubled at the end", append(slices.Clone(l), l[4]), ""},
		{"an empty line", []string{l[0], "\n", l[1], l[2], l[3], l[4]}, ""},
		{"zeros at the end", append(slices.Clone(l), strings.Repeat("\x00", 100)), ""},
		{"the tail cut, with a head", l[:4], head},
		{"everything cut, with a head", nil, head},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			heads := []string{}
			if c.head != "" {
				heads = append(heads, c.head)
			}
			if rep := verifyText(t, dir, strings.Join(c.lines, ""), heads...); rep.OK() {
				t.Errorf("not found: %+v", rep)
			}
		})
	}
	other, _ := sample(t, 5)
	if rep := verifyText(t, dir, strings.Join(other, ""), head); rep.OK() {
		t.Error("a journal written again is not found against the head")
	}
	if _, err := Verify(dir, "no head"); err == nil {
		t.Error("what is not a head is taken for one")
	}
}

func TestABadLineInTheMiddleIsTamperingAndAppendingGoesOnInANewFile(t *testing.T) {
	l, _ := sample(t, 5)
	l[2] = strings.Replace(l[2], "declines", "Declines", 1)
	dir := dirOf(t)
	verifyText(t, dir, strings.Join(l, ""))
	j := open(t, dir, Options{})
	r := add(t, j, intent("after"))
	if r.Seq != 7 {
		t.Errorf("#%d: a number in the bad part was given twice", r.Seq)
	}
	rep := mustVerify(t, dir, j.Head().String())
	if rep.OK() || rep.Files != 2 || len(rep.Problems) != 3 {
		t.Errorf("%+v", rep)
	}
	data, err := os.ReadFile(filepath.Join(dir, fileName(1)))
	if err != nil || string(data) != strings.Join(l, "") {
		t.Error("the tampered file was changed")
	}
	again := open(t, dir, Options{})
	add(t, again, intent("later"))
	if again := mustVerify(t, dir); len(again.Problems) != len(rep.Problems) || again.Files != 2 {
		t.Errorf("opening again made it worse: %+v", again)
	}
	add(t, j, intent("by the first"))
	if r := mustVerify(t, dir); len(r.Problems) != 3 {
		t.Errorf("%+v", r)
	}
}

// failing is a disk that fails on purpose.
type failing struct {
	system
	write, sync, open error
	short             int // bytes that a failing write still writes
	dir               error
}

func (d *failing) open_(name string, flags int) (file, error) {
	if d.open != nil && flags&os.O_CREATE != 0 {
		return nil, d.open
	}
	f, err := d.system.open(name, flags)
	return failingFile{f, d}, err
}

type faulty struct{ *failing }

func (d faulty) open(name string, flags int) (file, error) { return d.open_(name, flags) }
func (d faulty) syncDir(dir string) error                  { return errors.Join(d.dir, d.system.syncDir(dir)) }

type failingFile struct {
	file
	d *failing
}

func (f failingFile) Write(p []byte) (int, error) {
	if f.d.short > 0 || f.d.write != nil {
		n, _ := f.file.Write(p[:min(f.d.short, len(p))])
		return n, f.d.write
	}
	return f.file.Write(p)
}

func (f failingFile) Sync() error {
	if f.d.sync != nil {
		return f.d.sync
	}
	return f.file.Sync()
}

func TestAfterAnyErrorOfTheDiskTheJournalIsFailedForGood(t *testing.T) {
	cases := map[string]failing{
		"the disk is full":          {write: syscall.ENOSPC},
		"the disk is full half way": {write: syscall.ENOSPC, short: 40},
		"a write fails":             {write: syscall.EIO},
		"a short write":             {short: 17},
		"a short write of all but the newline, no error": {short: 700},
		"read-only":    {write: syscall.EROFS},
		"quota":        {write: syscall.EDQUOT},
		"a sync fails": {sync: syscall.EIO},
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			dir := dirOf(t)
			d := &failing{}
			j := open(t, dir, Options{disk: faulty{d}})
			add(t, j, intent("good"))
			d.write, d.sync, d.short = fault.write, fault.sync, fault.short
			if fault.short == 700 {
				d.short = int(j.at.size) - 1 // the next record is as long as the first, but for its number
			}
			if _, err := j.Append(context.Background(), intent("evil")); !errors.Is(err, ErrFailed) {
				t.Fatalf("the append reports %v", err)
			}
			*d = failing{}
			if _, err := j.Append(context.Background(), intent("after")); !errors.Is(err, ErrFailed) || j.Err() == nil {
				t.Errorf("it was written after a failure: %v", err)
			}
			if got, err := j.List(Filter{ID: "good"}); err != nil || len(got) != 1 {
				t.Errorf("a failed journal can't be read: %v", err)
			}
			if err := j.Reopen(context.Background()); err != nil {
				t.Fatal(err)
			}
			add(t, j, intent("again"))
			rep := mustVerify(t, dir, j.Head().String())
			if !rep.OK() || rep.Files != 2 || len(rep.Mended) == 0 {
				t.Errorf("%+v", rep)
			}
			other := open(t, dir, Options{})
			if other.Head() != j.Head() {
				t.Errorf("another process sees head %v, not %v", other.Head(), j.Head())
			}
		})
	}
}

func TestAnotherProcessMendsWhatAFailedOneLeft(t *testing.T) {
	dir := dirOf(t)
	d := &failing{}
	bad, good := open(t, dir, Options{disk: faulty{d}}), open(t, dir, Options{})
	add(t, bad, intent("a"))
	d.write, d.short = syscall.ENOSPC, 30
	if _, err := bad.Append(context.Background(), intent("b")); err == nil {
		t.Fatal("no error")
	}
	add(t, good, intent("c"))
	*d = failing{}
	if err := bad.Reopen(context.Background()); err != nil {
		t.Fatal(err)
	}
	add(t, bad, intent("d"))
	add(t, good, intent("e"))
	if rep := mustVerify(t, dir, good.Head().String()); !rep.OK() || len(rep.Mended) != 2 {
		t.Errorf("%+v", rep)
	}
}

func TestANewFileThatCantBeMadeFailsTheJournal(t *testing.T) {
	for name, fault := range map[string]failing{
		"create": {open: syscall.ENOSPC}, "sync of the directory": {dir: syscall.EIO},
	} {
		t.Run(name, func(t *testing.T) {
			d := &failing{}
			dir := dirOf(t)
			j := open(t, dir, Options{disk: faulty{d}, MaxBytes: 10})
			add(t, j, intent("a"))
			d.open, d.dir = fault.open, fault.dir
			if _, err := j.Append(context.Background(), intent("b")); !errors.Is(err, ErrFailed) {
				t.Errorf("%v", err)
			}
			*d = failing{}
			if err := j.Reopen(context.Background()); err != nil {
				t.Fatal(err)
			}
			add(t, j, intent("c"))
			if rep := mustVerify(t, dir); !rep.OK() {
				t.Errorf("%+v", rep)
			}
		})
	}
	if _, err := Open(dirOf(t), Options{disk: faulty{&failing{open: syscall.ENOSPC}}}); err == nil {
		t.Error("a journal without a file opens")
	}
}

func TestAFileThatIsTakenAwayFailsTheJournal(t *testing.T) {
	for how, take := range map[string]func(name string) error{
		"removed": os.Remove,
		"renamed": func(name string) error { return os.Rename(name, name+".old") },
		"replaced": func(name string) error {
			return errors.Join(os.Rename(name, name+".old"), os.WriteFile(name, nil, 0o600))
		},
	} {
		t.Run(how, func(t *testing.T) {
			dir := dirOf(t)
			j := open(t, dir, Options{})
			first := add(t, j, intent("a"))
			head := j.Head().String()
			if err := take(filepath.Join(dir, fileName(1))); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Append(context.Background(), intent("b")); !errors.Is(err, ErrFailed) {
				t.Errorf("%v", err)
			}
			if err := j.Reopen(context.Background()); err != nil {
				t.Fatal(err)
			}
			if r := add(t, j, intent("c")); r.Seq <= first.Seq {
				t.Errorf("#%d was given twice", r.Seq)
			}
			if rep := mustVerify(t, dir, head); rep.OK() {
				t.Error("the missing file is not noticed")
			}
		})
	}
}

func TestAFileCutUnderUsIsTampering(t *testing.T) {
	dir := dirOf(t)
	j := open(t, dir, Options{})
	add(t, j, intent("a"))
	add(t, j, intent("b"))
	if err := os.Truncate(filepath.Join(dir, fileName(1)), j.at.size/2-40); err != nil {
		t.Fatal(err)
	}
	add(t, j, intent("c"))
	if rep := mustVerify(t, dir); rep.OK() {
		t.Errorf("%+v", rep)
	}
}

func TestOthersDirectoriesFilesLinksAndNetworksAreRefused(t *testing.T) {
	base := t.TempDir()
	mk := func(name string, mode fs.FileMode) string {
		dir := filepath.Join(base, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if _, err := Open(mk("group", 0o750), Options{}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a directory for the group: %v", err)
	}
	dir := mk("file", 0o700)
	if err := os.WriteFile(filepath.Join(dir, fileName(1)), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file for all: %v", err)
	}
	dir = mk("link", 0o700)
	if err := os.Symlink("/dev/null", filepath.Join(dir, fileName(1))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("a symbolic link is taken for a journal")
	}
	if err := os.Symlink(mk("real", 0o700), filepath.Join(base, "alias")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(base, "alias"), Options{}); err == nil {
		t.Error("a symbolic link is taken for a directory")
	}
	if os.Geteuid() == 0 {
		dir = mk("theirs", 0o700)
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "chown") {
			t.Errorf("another's directory: %v", err)
		}
	}
	network := errors.New("on NFS")
	if _, err := Open(mk("nfs", 0o700), Options{location: func(string) error { return network }}); !errors.Is(err, network) {
		t.Errorf("%v", err)
	}
	if err := localOnly(base); err != nil {
		t.Errorf("the local disk is refused: %v", err)
	}
}

func TestTheDefaultDirectoryFollowsTheBaseDirectorySpecification(t *testing.T) {
	for _, c := range []struct{ state, home, want string }{
		{"/s", "/h", "/s/onsale/journal"},
		{"", "/h", "/h/.local/state/onsale/journal"},
		{"relative", "/h", "/h/.local/state/onsale/journal"},
		{"", "", ""},
		{"", "relative", ""},
	} {
		got, err := DefaultDir(func(k string) string { return map[string]string{"XDG_STATE_HOME": c.state, "HOME": c.home}[k] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: %q %v", c, got, err)
		}
	}
}

func TestAStoppedProcessCantHangTheOthers(t *testing.T) {
	dir := dirOf(t)
	j := open(t, dir, Options{LockWait: 20 * time.Millisecond})
	unlock, err := lock(dir, syscall.LOCK_EX, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(context.Background(), intent("a")); !errors.Is(err, errBusy) {
		t.Errorf("%v", err)
	}
	unlock()
	add(t, j, intent("a")) // waiting in vain is no failure
}

func TestListFiltersAndExportKeepsTheBytes(t *testing.T) {
	dir := dirOf(t)
	j := open(t, dir, Options{})
	add(t, j, intent("a"))
	r := result("a")
	r.Reason = "=cmd()\nž"
	add(t, j, r)
	add(t, j, Record{Code: "NOT10N", Kind: Note, Sale: "other", Actor: Actor{Name: "tomo"}})
	for want, f := range map[int]Filter{
		3: {}, 2: {Sale: "harbour"}, 1: {Actor: "tomo"}, 0: {Code: "SCA"},
	} {
		if got, err := j.List(f); err != nil || len(got) != want {
			t.Errorf("%+v: %d records, %v", f, len(got), err)
		}
	}
	if got, _ := j.List(Filter{Last: 1}); len(got) != 1 || got[0].Kind != Note {
		t.Errorf("the last: %+v", got)
	}
	if got, _ := j.List(Filter{After: 1, Kinds: []Kind{Result}, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got, err := j.Recent(2); err != nil || len(got) != 2 || got[1].Kind != Note {
		t.Errorf("%+v %v", got, err)
	}
	var out strings.Builder
	if err := Export(&out, dir, Filter{}, JSONLines); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(filepath.Join(dir, fileName(1)))
	if out.String() != string(data) {
		t.Error("the export is not the journal's own bytes")
	}
	out.Reset()
	if err := Export(&out, dir, Filter{}, CSV); err != nil {
		t.Fatal(err)
	}
	if rows := strings.Split(strings.TrimSpace(out.String()), "\n"); len(rows) != 4 || !strings.Contains(rows[2], `'=cmd()\u000a\u017e`) {
		t.Errorf("%s", out.String())
	}
	if err := Export(io.Discard, dir, Filter{}, "xml"); err == nil {
		t.Error("xml?")
	}
}

func TestALongJournalForgetsOldRecordsInMemoryAndSaysSo(t *testing.T) {
	b := newBook()
	for i := range uint64(3 * mostRecent) {
		b.enter(Record{Seq: i + 1, Kind: Note})
	}
	v := View{j: &Journal{book: b}}
	if _, ok := v.Since(1); ok {
		t.Error("forgotten records are taken for none")
	}
	if got, ok := v.Since(uint64(3*mostRecent) - 5); !ok || len(got) != 5 {
		t.Errorf("%d %v", len(got), ok)
	}
}
