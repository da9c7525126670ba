package journal

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Report is what Verify found.
type Report struct {
	Files    int
	Records  int
	Head     Head
	Problems []Problem // none: the chain is whole
	Mended   []Problem // damage that was found when it happened, said in a record, and explained by a crash or a full disk
}

// OK reports whether the chain is whole.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Problem is one thing that is wrong.
type Problem struct {
	File string
	Byte int64  // where in the file
	Text string // "its hash does not fit its bytes"
}

func (p Problem) String() string {
	if p.File == "" {
		return p.Text
	}
	return fmt.Sprintf("%s, byte %d: %s", p.File, p.Byte, p.Text)
}

const mostProblems = 1000

// Verify reads a whole journal, or a copy of one, and reports everything that was changed,
// removed, swapped, doubled or added in it. A tail that was cut off shows only against a head
// that was kept elsewhere: want holds such heads as Head.String writes them. It writes nothing.
func Verify(dir string, want ...string) (Report, error) {
	v := verifier{hash: genesis, seen: map[uint64]string{}}
	for _, w := range want {
		seq, _, err := parseHead(w)
		if err != nil {
			return Report{}, err
		}
		v.wanted = append(v.wanted, seq)
	}
	err := eachFile(dir, nil, func(name string, in *lines) error {
		v.report.Files++
		return v.file(name, in)
	})
	if err != nil {
		return v.report, err
	}
	v.endFile(nil)
	v.report.Head = Head{Seq: v.seq, Hash: v.hash}
	for _, w := range want {
		seq, hash, err := parseHead(w)
		if err != nil {
			return v.report, err
		}
		switch has, ok := v.seen[seq]; {
		case seq == 0 && strings.HasPrefix(genesis, hash):
		case !ok:
			v.problem("", 0, fmt.Sprintf("record #%d of the given head is not there: the end was cut off", seq))
		case !strings.HasPrefix(has, hash):
			v.problem("", 0, fmt.Sprintf("record #%d is %s, the given head says %s: the journal was written again", seq, has[:8], hash))
		}
	}
	return v.report, nil
}

// parseHead reads "417:9f3ac01b"; at least 8 hex digits.
func parseHead(s string) (seq uint64, hash string, err error) {
	n, hash, ok := strings.Cut(s, ":")
	if ok {
		seq, err = strconv.ParseUint(n, 10, 64)
	}
	if _, bad := hex.DecodeString(hash + strings.Repeat("0", len(hash)%2)); !ok || err != nil || bad != nil || len(hash) < 8 || len(hash) > 64 {
		return 0, "", fmt.Errorf("%q is not a head: it looks like 417:9f3ac01b (onsale journal head prints it)", s)
	}
	return seq, strings.ToLower(hash), nil
}

// verifier follows the chain over all files. What it can't follow it reports, and goes on
// from the next line that is a record.
type verifier struct {
	report Report
	seq    uint64
	hash   string
	wanted []uint64
	seen   map[uint64]string // the wanted records that are in the chain

	// Of the file before: what was wrong with it, until the next file's first record has had
	// its chance to explain it.
	name     string
	found    []Problem
	boundary []mark
}

// mark is the chain at a byte of a file.
type mark struct {
	at   int64
	seq  uint64
	hash string
}

func (v *verifier) problem(file string, at int64, text string) {
	if len(v.report.Problems) < mostProblems {
		v.report.Problems = append(v.report.Problems, Problem{File: file, Byte: at, Text: text})
	}
}

// doubt keeps a problem of the file that is being read.
func (v *verifier) doubt(at int64, text string) {
	if len(v.found) < mostProblems {
		v.found = append(v.found, Problem{File: v.name, Byte: at, Text: text})
	}
}

func (v *verifier) file(name string, in *lines) error {
	at, first := int64(0), true
	for in.next() {
		r, err := decode(in.line)
		size := int64(len(in.line) + 1)
		if first {
			var opening *Record
			if err == nil {
				opening = &r
			}
			v.endFile(opening)
			v.begin(name)
			first = false
		}
		if err != nil {
			v.doubt(at, err.Error())
			at += size
			continue
		}
		v.record(&r, at)
		at += size
		v.boundary = append(v.boundary, mark{at, v.seq, v.hash})
	}
	if in.err != nil {
		return in.err
	}
	if first {
		v.endFile(nil)
		v.begin(name)
	}
	if in.torn > 0 {
		v.doubt(at, fmt.Sprintf("the last line was never finished (%d bytes)", in.torn))
	}
	return nil
}

func (v *verifier) begin(name string) {
	v.name = name
	v.boundary = []mark{{0, v.seq, v.hash}}
}

// record follows the chain by one record.
func (v *verifier) record(r *Record, at int64) {
	v.report.Records++
	if err := r.follows(v.seq, v.hash); err != nil {
		v.doubt(at, err.Error())
	}
	if r.Kind == Recovered && r.Damage != nil && r.Damage.Why == Torn && r.Damage.File == v.name && r.Damage.GoodBytes == at {
		v.report.Mended = append(v.report.Mended, Problem{File: v.name, Byte: at, Text: r.Text})
	}
	v.seq, v.hash = r.Seq, r.Hash
	for _, w := range v.wanted {
		if w == r.Seq {
			v.seen[w] = r.Hash
		}
	}
}

// endFile judges what was wrong with the file before, now that the first record of the next
// file, or nil, can explain it.
func (v *verifier) endFile(next *Record) {
	explained := next != nil && next.Kind == Recovered && next.Damage != nil && next.Damage.File == v.name
	if explained {
		d := next.Damage
		for _, m := range v.boundary {
			if m.at == d.GoodBytes { // the chain goes on from where the file was still good
				v.hash = m.hash
				v.seq = next.Seq - 1 // numbers in the bad part are not given twice
			}
		}
		said := Problem{File: d.File, Byte: d.GoodBytes, Text: next.Text}
		if d.Why == Broken {
			v.report.Mended = append(v.report.Mended, said)
		} else {
			v.found = append([]Problem{said}, v.found...)
		}
	}
	for _, p := range v.found {
		if explained && next.Damage.Why == Broken && p.Byte >= next.Damage.GoodBytes {
			v.report.Mended = append(v.report.Mended, p)
		} else {
			v.problem(p.File, p.Byte, p.Text)
		}
	}
	v.found, v.boundary = nil, nil
}

// WriteTo writes the report for a person, one line each.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	state := "chain ok"
	if !r.OK() {
		state = fmt.Sprintf("CHAIN BROKEN in %d places", len(r.Problems))
	}
	fmt.Fprintf(&b, "%s: %d records in %d files, head %s\n", state, r.Records, r.Files, r.Head)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem  %s\n", p)
	}
	for _, p := range r.Mended {
		fmt.Fprintf(&b, "mended   %s\n", p)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
