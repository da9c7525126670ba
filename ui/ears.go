package ui

import (
	"io"
	"os"
	"time"
)

// ears is the input of a terminal without its answers to our questions. Everything else passes,
// byte by byte as it came; so does an answer that nobody asked for.
//
// While a question is open, bytes that could begin an answer wait for the next ones: an escape
// for as long as Bubble Tea itself waits for what an escape begins, more of it a little longer.
type ears struct {
	in    io.Reader
	open  func() bool                // a question is open
	heard func() bool                // an answer came; it reports whether it was ours
	more  func(d time.Duration) bool // whether there is something to read within d
	held  int                        // how many bytes of an answer came last
	left  []byte                     // what did not fit into the last read
}

const (
	escapeWait = 50 * time.Millisecond
	answerWait = 300 * time.Millisecond
)

// sift appends to out what of in is no answer of ours.
func (e *ears) sift(out, in []byte) []byte {
	for _, b := range in {
		if b == linkAnswer[e.held] && (e.held > 0 || e.open()) {
			if e.held++; e.held == len(linkAnswer) {
				e.held = 0
				if !e.heard() {
					out = append(out, linkAnswer...)
				}
			}
			continue
		}
		out = e.release(out)
		if b == linkAnswer[0] && e.open() {
			e.held = 1
			continue
		}
		out = append(out, b)
	}
	return out
}

// release gives up waiting for the rest of an answer.
func (e *ears) release(out []byte) []byte {
	out = append(out, linkAnswer[:e.held]...)
	e.held = 0
	return out
}

// Read reads keys. It may return 0 bytes and no error, when there was nothing but an answer.
func (e *ears) Read(p []byte) (int, error) {
	var err error
	if len(e.left) == 0 {
		err = e.listen(p)
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, err
}

// listen reads into p and leaves in e.left what of it was no answer, as a rule as much as p holds.
func (e *ears) listen(p []byte) error {
	for {
		room := len(p) - len(e.left) - e.held
		n, err := e.in.Read(p[:max(min(room, len(p)), min(len(p), 1))])
		e.left = e.sift(e.left, p[:n])
		if e.held == 0 {
			return err
		}
		patience := answerWait
		if e.held == 1 {
			patience = escapeWait
		}
		if err != nil || len(p)-len(e.left)-e.held < len(linkAnswer) || !e.more(patience) {
			e.left = e.release(e.left)
			return err
		}
	}
}

// newEars listens to in for the answers that the gate's terminal owes. What is no file is read
// by a goroutine that ends with in, or after the gate as soon as its read comes back.
func newEars(in io.Reader, t *gate, g *Guard) *ears {
	e := &ears{in: in, open: func() bool { return t.link.open.Load() > 0 }, heard: t.hear}
	if f, ok := in.(*os.File); ok {
		e.more = func(d time.Duration) bool { return readable(f, d) }
		return e
	}
	r := &relay{chunks: make(chan []byte)}
	e.in, e.more = r, r.more
	g.Go("terminal reader", func() { r.run(in, t.closed) })
	return e
}

// relay makes a reader that can only block into one that can be waited for with a limit.
type relay struct {
	chunks chan []byte
	err    error // set before chunks is closed
	chunk  []byte
}

func (r *relay) run(in io.Reader, over <-chan struct{}) {
	defer close(r.chunks)
	for {
		buf := make([]byte, 4096)
		n, err := in.Read(buf)
		if n > 0 {
			select {
			case r.chunks <- buf[:n]:
			case <-over:
				r.err = io.EOF
				return
			}
		}
		if err != nil {
			r.err = err
			return
		}
	}
}

// Read waits for what comes next.
func (r *relay) Read(p []byte) (int, error) {
	if len(r.chunk) == 0 {
		chunk, ok := <-r.chunks
		if !ok {
			return 0, r.err
		}
		r.chunk = chunk
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

// more reports whether a Read would return at once, now or within d.
func (r *relay) more(d time.Duration) bool {
	if len(r.chunk) > 0 {
		return true
	}
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case chunk, ok := <-r.chunks:
		r.chunk = chunk
		return ok
	case <-limit.C:
		return false
	}
}
