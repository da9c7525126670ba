package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// MaxLine bounds a record in bytes, its newline included.
	MaxLine  = 64 << 10
	genesis  = "0000000000000000000000000000000000000000000000000000000000000000"
	hashKey  = `,"hash":"`
	hashTail = len(hashKey) + 2*sha256.Size + len(`"}`)

	longText  = 4096 // bytes of a text, to begin with
	shortText = 256  // bytes of a name
	leastText = 64
	mostItems = 32
)

// encode completes a record and returns its line. A record that would be too long has its
// texts cut, the longest limit that fits.
func encode(r *Record) ([]byte, error) {
	for limit := longText; limit >= leastText; limit /= 2 {
		cut := *r
		cut.clip(limit)
		body, err := body(&cut)
		if err != nil {
			return nil, err
		}
		if len(body)+hashTail <= MaxLine {
			*r = cut
			sum := sha256.Sum256(body)
			r.Hash = hex.EncodeToString(sum[:])
			line := make([]byte, 0, len(body)+hashTail)
			line = append(line, body[:len(body)-1]...)
			line = append(line, hashKey...)
			line = append(line, r.Hash...)
			return append(line, "\"}\n"...), nil
		}
	}
	return nil, fmt.Errorf("a record of %q is longer than %d bytes even with its texts cut", r.Action, MaxLine)
}

// body is the record without its hash, in printable ASCII.
func body(r *Record) ([]byte, error) {
	hashless := *r
	hashless.Hash = ""
	hashless.TS = r.TS.UTC()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&hashless); err != nil {
		return nil, fmt.Errorf("a record can't be written as JSON: %w", err)
	}
	text := bytes.TrimSuffix(bytes.TrimRight(b.Bytes(), "\n"), []byte(hashKey+`"}`))
	return append(ascii(text), '}'), nil
}

// ascii writes what is not printable ASCII as JSON escapes. JSON holds such bytes only inside
// strings, where an escape means the same.
func ascii(text []byte) []byte {
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r >= 0x20 && r < 0x7f:
			out = append(out, byte(r))
		case r >= 0x10000:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[n:]
	}
	return out
}

// clip cuts foreign texts to a length in bytes.
func (r *Record) clip(limit int) {
	short := min(limit, shortText)
	for _, s := range []*string{&r.Reason, &r.Text} {
		*s = cutText(*s, limit)
	}
	for _, s := range []*string{&r.Change, &r.Sale, &r.Action, &r.RequestID, &r.Ref, &r.Of, &r.ID, &r.Code, &r.Host, &r.Boot, &r.Outcome} {
		*s = cutText(*s, short)
	}
	r.Actor = r.Actor.clip(short)
	if r.Approver != nil {
		a := r.Approver.clip(short)
		r.Approver = &a
	}
	if r.Target != nil {
		t := *r.Target
		for _, s := range []*string{&t.System, &t.Kind, &t.Name, &t.ID, &t.Account, &t.Region} {
			*s = cutText(*s, short)
		}
		r.Target = &t
	}
	if r.Play != nil {
		p := *r.Play
		p.Name = cutText(p.Name, short)
		r.Play = &p
	}
	if r.Ask != nil {
		a := *r.Ask
		a.Token, a.Text, a.Play, a.Risk = cutText(a.Token, short), cutText(a.Text, limit), cutText(a.Play, short), cutText(a.Risk, short)
		r.Ask = &a
	}
	r.Approval = cutText(r.Approval, short)
	r.Glass = append([]string(nil), r.Glass[:min(len(r.Glass), mostItems)]...)
	for i := range r.Glass {
		r.Glass[i] = cutText(r.Glass[i], short)
	}
	r.Evidence = append([]Evidence(nil), r.Evidence[:min(len(r.Evidence), mostItems)]...)
	for i := range r.Evidence {
		e := &r.Evidence[i]
		e.Metric, e.Unit, e.Freshness = cutText(e.Metric, short), cutText(e.Unit, short), cutText(e.Freshness, short)
	}
}

func (a Actor) clip(limit int) Actor {
	for _, s := range []*string{&a.Name, &a.Fingerprint, &a.Role, &a.Via, &a.Remote} {
		*s = cutText(*s, limit)
	}
	return a
}

// cutText cuts a text without cutting a code point; what was cut ends in "…".
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head := s[:limit]
	for len(head) > limit-utf8.UTFMax && !utf8.RuneStart(s[len(head)]) {
		head = head[:len(head)-1]
	}
	return strings.ToValidUTF8(head, "\uFFFD") + "…"
}

var errLine = errors.New("not a record")

// decode reads one line, without its newline, and checks its hash over its own bytes. It
// doesn't check what the line is bound to.
func decode(line []byte) (Record, error) {
	var r Record
	if len(line) < hashTail+2 || len(line) >= MaxLine {
		return r, fmt.Errorf("%w: %d bytes", errLine, len(line))
	}
	cut := len(line) - hashTail
	end := line[cut:]
	if !bytes.HasPrefix(end, []byte(hashKey)) || !bytes.HasSuffix(end, []byte(`"}`)) {
		return r, fmt.Errorf("%w: it does not end in a hash", errLine)
	}
	sum := sha256.New()
	sum.Write(line[:cut])
	sum.Write([]byte{'}'})
	if hex.EncodeToString(sum.Sum(nil)) != string(end[len(hashKey):len(end)-2]) {
		return r, fmt.Errorf("%w: its hash does not fit its bytes", errLine)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", errLine, err)
	}
	if r.Seq == 0 || r.V < 1 {
		return Record{}, fmt.Errorf("%w: no sequence number", errLine)
	}
	return r, nil
}

// follows reports how a record fails to follow the one with this sequence number and hash.
func (r *Record) follows(seq uint64, hash string) error {
	switch {
	case r.Seq != seq+1:
		return fmt.Errorf("record #%d stands where #%d belongs", r.Seq, seq+1)
	case r.Prev != hash:
		return fmt.Errorf("record #%d is not bound to #%d", r.Seq, seq)
	}
	return nil
}
