package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzReader gives the reader any bytes for a journal: it must not panic, must open it, must
// never take a changed record for a good one, and what it then appends must be a chain.
func FuzzReader(f *testing.F) {
	vectors, err := os.ReadFile("testdata/vectors.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vectors)
	f.Add(vectors[:len(vectors)-20])
	f.Add([]byte("{}\n{\"v\":1}\n"))
	f.Add(bytes.Repeat([]byte{0}, 300))
	f.Add(bytes.Repeat([]byte("x"), 3*MaxLine))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := filepath.Join(t.TempDir(), "j")
		before := verifyText(t, dir, string(data))
		j, err := Open(dir, Options{disk: lazy{}})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		r := add(t, j, intent("fuzz"))
		after := mustVerify(t, dir, j.Head().String())
		if before.OK() != after.OK() && !onlyTorn(after) {
			t.Errorf("before %+v after %+v", before, after)
		}
		got, err := List(dir, Filter{ID: "fuzz", After: r.Seq - 1})
		if err != nil || len(got) != 1 {
			t.Errorf("%d records, %v", len(got), err)
		}
	})
}

// lazy is a disk that never waits for the platter.
type lazy struct{ system }

type lazyFile struct{ file }

func (lazyFile) Sync() error { return nil }

func (lazy) syncDir(string) error { return nil }

func (d lazy) open(name string, flags int) (file, error) {
	f, err := d.system.open(name, flags)
	return lazyFile{f}, err
}

// onlyTorn: a torn tail is a problem until it has been mended.
func onlyTorn(r Report) bool { return r.OK() && len(r.Mended) > 0 }

// FuzzText stores any text in every field: one line of printable ASCII, read back the same but
// for what is no UTF-8 and what is too long.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\x00\x1b]52;c;\x07", "\xff", "\u2028\u202e", strings.Repeat("ž", 3000), `","hash":"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := intent("x")
		r.V, r.Seq, r.Prev = 1, 1, genesis
		r.Reason, r.Text, r.Actor.Name, r.Target.Name = s, s, s, s
		line, err := encode(&r)
		if err != nil {
			t.Fatal(err)
		}
		if len(line) > MaxLine {
			t.Fatalf("%d bytes", len(line))
		}
		for _, c := range line[:len(line)-1] {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("byte %#x", c)
			}
		}
		back, err := decode(line[:len(line)-1])
		if err != nil {
			t.Fatal(err)
		}
		if len(s) <= leastText && back.Reason != strings.ToValidUTF8(s, "\ufffd") && len(strings.ToValidUTF8(s, "")) == len(s) {
			t.Fatalf("%q came back as %q", s, back.Reason)
		}
	})
}
