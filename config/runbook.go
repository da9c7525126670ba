package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/invopop/jsonschema"

	"github.com/onsale-dev/onsale/sale"
)

// Bounds of what a runbook brings to the screen.
const (
	maxRunbook   = 64 << 10 // bytes of a file, or of a text
	runbookLines = 40
	runbookCells = 120
)

// runbook is what to read when a signal is bad: a path or an address alone, or a group of keys.
type runbook struct {
	place
	in   runbookIn
	path str
}

type runbookIn struct {
	place
	Read   str `json:"read" jsonschema_description:"A Markdown or text file, from the config's folder, whose first lines the sale's page shows; or an https address."`
	Text   str `json:"text" jsonschema_description:"The words themselves, instead of a file."`
	Action str `json:"action" jsonschema_description:"The action of the sale that fits: its key is shown beside the text."`
}

func (runbookIn) what() string { return "a runbook" }

func (*runbook) schema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Ref: "#/$defs/runbookIn"}}}
}

func (b *runbook) read(r *reader, n *node, c constraint) {
	if n.kind != mapKind {
		if b.path.read(r, n, c); b.path.given() {
			b.at = n
		}
		return
	}
	before := len(r.mistakes)
	r.decode(n, reflect.ValueOf(&b.in).Elem(), c)
	if len(r.mistakes) > before {
		return
	}
	switch {
	case b.in.Read.given() == b.in.Text.given() && b.in.Read.given():
		r.wrong(n.keyOf("text"), `"read" and "text" are two runbooks`, "keep one", see(n.keyOf("read"), "the other one"))
	case !b.in.Read.given() && !b.in.Text.given():
		r.wrong(n, "the runbook has nothing to read", "add read: runbooks/payment.md, or text: …")
	default:
		b.at = n
	}
}

// fit is a runbook's action, to be held against those of the sale.
type fit struct {
	verb string
	at   *node
}

// runbook reads what a signal's runbook gives the sale's page.
func (r *reader) runbook(in runbook, spec *sale.Spec) {
	if !in.given() {
		return
	}
	where, plain := in.in.Read, in.path.given()
	if plain {
		where = in.path
	}
	if where.given() {
		scheme, _, address := strings.Cut(where.S, "://")
		if address && scheme != "https" {
			r.wrong(where.at, `"runbook" needs a path or an https address`, "write https://… or a path from the config's folder")
		}
		spec.Runbook = sale.Clean(where.S, 0)
		if !address {
			// A path alone may also be one for people, in another place than this machine.
			spec.RunbookText = r.runbookFile(where, !plain)
		}
	}
	if in.in.Text.given() {
		if len(in.in.Text.S) > maxRunbook {
			r.wrong(in.in.Text.at, fmt.Sprintf("the text is longer than %d bytes", maxRunbook), "put it into a file and show its beginning: read: …")
		}
		spec.RunbookText = firstLines(in.in.Text.S)
	}
	if v := in.in.Action; v.given() {
		if !oneOf(v.S, Verbs()) {
			r.wrong(v.at, fmt.Sprintf("%s is not an action", quote(v.at)), didYouMean(v.S, Verbs(), ""))
			return
		}
		spec.RunbookAction = v.S
		r.fits = append(r.fits, fit{v.S, v.at})
	}
}

// runbookFile reads the first lines of a file; needed makes one that can't be read a mistake.
func (r *reader) runbookFile(in str, needed bool) []string {
	path := r.path(in.S)
	if lines, ok := r.runbooks[path]; ok {
		return lines
	}
	data, _, err := r.env.read(path, maxRunbook)
	if err != nil {
		if needed {
			r.wrong(in.at, fmt.Sprintf("\"read\" names a file that can't be read: %s", fault(path, err)), "mend the path; a relative one starts at the config's folder")
		}
		return nil
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		if needed {
			r.wrong(in.at, `"read" names a file that is not text`, "write the runbook in Markdown or plain text, in UTF-8")
		}
		return nil
	}
	if r.runbooks == nil {
		r.runbooks = map[string][]string{}
	}
	r.runbooks[path] = firstLines(string(data))
	return r.runbooks[path]
}

// firstLines are the first lines that say something, clean and bounded.
func firstLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		line = strings.TrimRight(line, " \t\r\n")
		if bare := strings.TrimLeft(line, "# \t"); strings.HasPrefix(line, "#") {
			line = bare // a heading of Markdown is a line like any other here
		}
		line = strings.Repeat(" ", min(indent, 4)) + sale.Clean(strings.TrimSpace(line), runbookCells)
		if strings.TrimSpace(line) == "" {
			continue
		}
		if lines = append(lines, line); len(lines) == runbookLines {
			break
		}
	}
	return lines
}

// fitting refuses runbooks that name an action which the sale does not have.
func (r *reader) fitting(s *Sale) {
	for _, f := range r.fits {
		if _, ok := s.Action(f.verb); !ok {
			r.wrong(f.at, fmt.Sprintf("the runbook names the action %q, and the sale %q does not have it", f.verb, s.ID), "declare it under actions:, or remove action:")
		}
	}
	r.fits = nil
}
