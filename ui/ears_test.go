package ui

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func always(time.Duration) bool { return true }

// pieces is an input that comes in pieces; a nil piece is a time in which nothing comes.
type pieces struct {
	left [][]byte
	err  error // at the end; io.EOF by default
}

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.left) > 0 && len(p.left[0]) == 0 {
		p.left = p.left[1:]
	}
	if len(p.left) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; len(p.left[0]) == 0 {
		p.left = p.left[1:]
	}
	return n, nil
}

func (p *pieces) soon() bool { return len(p.left) > 0 && len(p.left[0]) > 0 }

// overhear reads everything of in with this many questions open, and returns what passed and how
// many answers were taken.
func overhear(t *testing.T, in *pieces, open int) (passed string, heard int) {
	t.Helper()
	e := &ears{
		in:    in,
		open:  func() bool { return heard < open },
		heard: func() bool { heard++; return true },
		more:  func(time.Duration) bool { return in.soon() },
	}
	var out bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := e.Read(buf)
		out.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return out.String(), heard
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAnswerIsTakenOutAndEverythingElsePasses(t *testing.T) {
	const a = linkAnswer
	for _, c := range []struct {
		sentence, in, out string
		open              int
	}{
		{"an answer alone", a, "", 1},
		{"between keys", "j" + a + "k", "jk", 1},
		{"nobody asked", "j" + a + "k", "j" + a + "k", 0},
		{"a terminal that answers twice", a + a, a, 1},
		{"two questions", a + "x" + a, "x", 2},
		{"an escape before it", "\x1b" + a + "q", "\x1bq", 1},
		{"an escape behind it", a + "\x1b", "\x1b", 1},
		{"alt and a bracket", "\x1b[", "\x1b[", 1},
		{"arrows around it", "\x1b[A" + a + "\x1b[B", "\x1b[A\x1b[B", 1},
		{"shift+f3, which looks like a report", "\x1b[1;2R", "\x1b[1;2R", 1},
		{"the report of a place", "\x1b[?3;7R", "\x1b[?3;7R", 1},
		{"another state of health", "\x1b[3n", "\x1b[3n", 1},
		{"a longer number", "\x1b[0;1n", "\x1b[0;1n", 1},
		{"within a paste", "\x1b[200~gate " + a + "seven\x1b[201~", "\x1b[200~gate seven\x1b[201~", 1},
		{"what is left does not become an answer", "\x1b" + a + "[0n", "\x1b[0n", 2},
		{"text of other alphabets", "čć" + a + "漢", "čć漢", 1},
		{"answers of other questions", "\x1b]11;rgb:12/12/12\x1b\\" + a + "\x1b[?62;22c", "\x1b]11;rgb:12/12/12\x1b\\\x1b[?62;22c", 1},
	} {
		whole := &pieces{left: [][]byte{[]byte(c.in)}}
		if got, _ := overhear(t, whole, c.open); got != c.out {
			t.Errorf("%s, in one read: %q, want %q", c.sentence, got, c.out)
		}
		single := &pieces{}
		for i := range len(c.in) {
			single.left = append(single.left, []byte{c.in[i]})
		}
		if got, _ := overhear(t, single, c.open); got != c.out {
			t.Errorf("%s, byte by byte: %q, want %q", c.sentence, got, c.out)
		}
	}
}

func TestWhatBeginsLikeAnAnswerIsAKeyAfterAWhile(t *testing.T) {
	in := &pieces{left: [][]byte{[]byte("\x1b"), nil, []byte("[0"), nil, []byte("n\x1b[0"), nil, []byte("n")}}
	if got, heard := overhear(t, in, 1); got != "\x1b[0n\x1b[0n" || heard != 0 {
		t.Errorf("%q and %d answers", got, heard)
	}
}

func TestAReadThatFailsKeepsWhatCameBefore(t *testing.T) {
	broken := errors.New("broken")
	e := &ears{
		in:    &pieces{left: [][]byte{[]byte("j\x1b[")}, err: broken},
		open:  func() bool { return true },
		heard: func() bool { return true },
		more:  always,
	}
	buf := make([]byte, 64)
	n, err := e.Read(buf)
	if string(buf[:n]) != "j\x1b[" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

func TestASmallBufferLosesNothing(t *testing.T) {
	const story = "a\x1bb\x1b[c\x1b[0d\x1b[0" // never a whole answer
	for size := 1; size < 9; size++ {
		e := &ears{
			in:    &pieces{left: [][]byte{[]byte(story)}},
			open:  func() bool { return true },
			heard: func() bool { return true },
			more:  always,
		}
		var out strings.Builder
		buf := make([]byte, size)
		for {
			n, err := e.Read(buf)
			out.Write(buf[:n])
			if err != nil {
				out.Write(e.left)
				break
			}
		}
		if out.String() != story {
			t.Errorf("reads of %d bytes: %q", size, out.String())
		}
	}
}

// FuzzEars plays any bytes in any pieces, with answers among them: what passes is what came,
// without the first answers, as many as were asked for, that came in one stretch.
func FuzzEars(f *testing.F) {
	f.Add([]byte("jk\x1b[0nq"), []byte{1, 1, 200}, uint8(1))
	f.Add([]byte("\x1b\x1b[0n[0n\x1b[200~x\x1b[0ny\x1b[201~"), []byte{3, 0, 2, 0, 1}, uint8(2))
	f.Add([]byte("\x1b[0\x1b[0n\x1b"), []byte{2, 0}, uint8(9))
	f.Fuzz(func(t *testing.T, story, cuts []byte, open uint8) {
		story = story[:min(len(story), 2000)]
		in, gaps := cut(story, cuts)
		want := withoutAnswers(story, gaps, int(open))
		if got, _ := overhear(t, in, int(open)); got != want {
			t.Errorf("%q in pieces with gaps at %v: %q, want %q", story, gaps, got, want)
		}
	})
}

// cut makes pieces of a story: of the lengths in cuts, over and over. A 0 is a time in which
// nothing comes.
func cut(story, cuts []byte) (*pieces, map[int]bool) {
	in, gaps := &pieces{}, map[int]bool{}
	for at, i := 0, 0; at < len(story); i++ {
		n := len(story) - at
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)]))
		}
		if n == 0 && i < len(cuts) {
			gaps[at] = true
			in.left = append(in.left, nil)
			continue
		}
		n = max(n, 1)
		in.left = append(in.left, bytes.Clone(story[at:at+n]))
		at += n
	}
	return in, gaps
}

func withoutAnswers(story []byte, gaps map[int]bool, open int) string {
	var out []byte
	for i := 0; i < len(story); i++ {
		whole := open > 0 && bytes.HasPrefix(story[i:], []byte(linkAnswer))
		for k := 1; k < len(linkAnswer); k++ {
			whole = whole && !gaps[i+k]
		}
		if whole {
			open--
			i += len(linkAnswer) - 1
			continue
		}
		out = append(out, story[i])
	}
	return string(out)
}
