package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/charmbracelet/x/term"

	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/ui"
)

// This file asks a person for the codes of MFA devices: in the screen where there is one, else at the
// terminal of a command. A terminal that a screen is drawn on is never read here.

// lineAsker asks on standard error and reads a line of standard input.
type lineAsker struct {
	out   io.Writer
	lines func() <-chan string // starts the one reader when it is first needed
}

// terminalAsker asks at this run's terminal; nil where there is none, or where it is the wall's.
func (p *program) terminalAsker() login.Asker {
	in, ok := p.stdin.(*os.File)
	out, okOut := p.stderr.(*os.File)
	if !ok || !okOut || p.wall || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return nil
	}
	return newLineAsker(in, out)
}

func newLineAsker(in io.Reader, out io.Writer) *lineAsker {
	return &lineAsker{out: out, lines: sync.OnceValue(func() <-chan string {
		lines := make(chan string)
		go func() {
			defer close(lines)
			for read := bufio.NewScanner(in); read.Scan(); {
				lines <- read.Text()
			}
		}()
		return lines
	})}
}

func (a *lineAsker) Code(ctx context.Context, q login.Question) (string, error) {
	if q.Wrong != "" {
		_, _ = fmt.Fprintf(a.out, "onsale: %s\n", q.Wrong)
	}
	_, _ = fmt.Fprintf(a.out, "onsale: MFA code of %s for %s (empty: none): ", q.Serial, q.Login)
	select {
	case line, ok := <-a.lines():
		if line = strings.TrimSpace(line); !ok || line == "" {
			return "", login.ErrDeclined
		}
		return line, nil
	case <-ctx.Done():
		_, _ = fmt.Fprintln(a.out)
		return "", context.Cause(ctx)
	}
}

// codeDesk holds the question that the screen's person is asked. It is the asker of the logins and
// what the screen looks at.
type codeDesk struct {
	book func() *login.Book

	mu     sync.Mutex
	newest uint64
	asked  *ui.CodeQuestion
	answer chan string // of what is asked; closed without an answer when it is declined
	bells  map[chan struct{}]struct{}
}

func newCodeDesk(book func() *login.Book) *codeDesk {
	return &codeDesk{book: book, bells: map[chan struct{}]struct{}{}}
}

// codesOf makes the screen's desk for codes and the logins of this run, before anything asks for one;
// nil where no screen could ask: on the wall, and in a session of plain lines, which asks at the
// terminal that it does not read.
func (p *program) codesOf(log *slog.Logger) *codeDesk {
	o := login.Options{Operator: p.operator(), Log: log}
	var desk *codeDesk
	if plain := p.env("ACCESSIBLE"); p.wall || plain != "" && plain != "0" {
		o.Asker = p.terminalAsker()
	} else {
		desk = newCodeDesk(p.logins)
		o.Asker = desk
	}
	p.book = login.NewBook(o)
	return desk
}

var errAskedTwice = errors.New("two questions at once")

func (d *codeDesk) Code(ctx context.Context, q login.Question) (string, error) {
	d.mu.Lock()
	if d.asked != nil { // the logins ask one after another
		d.mu.Unlock()
		return "", errAskedTwice
	}
	d.newest++
	answer := make(chan string, 1)
	d.asked = &ui.CodeQuestion{ID: d.newest, Login: q.Login, Acts: q.Acts, Device: q.Serial, Wrong: q.Wrong}
	d.answer = answer
	d.ring()
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked, d.answer = nil, nil
		d.ring()
	}()
	select {
	case code, ok := <-answer:
		if !ok {
			return "", login.ErrDeclined
		}
		return code, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (d *codeDesk) Wanted() (ui.CodeQuestion, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked == nil || d.answer == nil {
		return ui.CodeQuestion{}, false
	}
	return *d.asked, true
}

func (d *codeDesk) Answer(id uint64, code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answer != nil && d.asked.ID == id {
		d.answer <- code
		d.answer = nil
	}
}

func (d *codeDesk) Decline(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answer != nil && d.asked.ID == id {
		close(d.answer)
		d.answer = nil
	}
}

func (d *codeDesk) Declined() bool { return d.book().Declined() }

func (d *codeDesk) Again() {
	if d.book().Again() {
		d.book().Renew()
	}
}

func (d *codeDesk) Subscribe() (bell <-chan struct{}, cancel func()) {
	ring := make(chan struct{}, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bells[ring] = struct{}{}
	return ring, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.bells, ring)
	}
}

// ring wakes the sessions; the lock is held, and nothing here can block.
func (d *codeDesk) ring() {
	for bell := range d.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}
