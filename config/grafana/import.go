package grafana

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Options say how a dashboard is read. Now and Series are needed.
type Options struct {
	// Now is the clock: a sale needs an opening, and a dashboard knows none.
	Now time.Time
	// Window stands for $__rate_interval and $__interval; 0 is a minute.
	Window time.Duration
	// Sources names sources: what a data source of Grafana, by its uid or its name, is called in the
	// config; "default" is the one that panels without a data source ask.
	Sources map[string]string
	// Series tells how many series a PromQL expression gives.
	Series func(expr string) Series
}

// Series is how many series an expression gives, as far as its text tells.
type Series struct {
	// Count is 1, or 2 for any number, or 0 where only the server knows; -1 is no number at all.
	Count int
	// Whole is the expression over all series at once, where the text gives that: the grouping is
	// dropped from a sum. "" where it would say something else.
	Whole string
	// Buckets reports that it is a histogram's buckets and nothing else, as a heat map draws them.
	Buckets bool
}

// Result is a config and what a person should know of it.
type Result struct {
	YAML    []byte
	Signals int
	Panels  int
	Notes   []Note
}

// Note is what was left out, or came out otherwise than it was. Line and Column are its place in the
// dashboard, from 1.
type Note struct {
	Line, Column int
	Panel        string // its title and id; "" for the dashboard itself
	Left         bool   // left out; else changed
	Text         string // clean, one line
}

// String is the note for a terminal.
func (n Note) String() string {
	what := "changed"
	if n.Left {
		what = "left out"
	}
	if n.Panel != "" {
		what = n.Panel + ": " + what
	}
	return fmt.Sprintf("%d:%d: %s: %s", n.Line, n.Column, what, n.Text)
}

// ErrNothing says that no panel of the dashboard became a signal; the notes say why.
var ErrNothing = errors.New("nothing of this dashboard can be imported")

// Import reads a dashboard of at most 8 MiB. Where the text is no dashboard the error is an *Error;
// where nothing of it became a signal it is ErrNothing, and the result holds the notes.
func Import(data []byte, o Options) (*Result, error) {
	if o.Window <= 0 {
		o.Window = time.Minute
	}
	if len(data) > maxBytes {
		return nil, &Error{1, 1, fmt.Sprintf("longer than %d MiB: export one dashboard", maxBytes>>20)}
	}
	f := newFile(data)
	root, err := f.parse()
	if err != nil {
		return nil, err
	}
	board, err := f.board(root)
	if err != nil {
		return nil, err
	}
	im := &importer{
		options: o, file: f, board: board, window: o.Window, span: spanOf(board.get("time", "from").text()),
		variables: map[string]*templated{}, signals: map[string]*signal{}, sources: map[string]*source{}, spoken: map[string]bool{},
	}
	im.readVariables(board.get("templating", "list").list())
	im.walk()
	result := &Result{Notes: im.notes, Signals: len(im.names), Panels: len(im.panels)}
	if len(im.names) == 0 {
		return result, ErrNothing
	}
	result.YAML = im.write()
	return result, nil
}

// board finds the dashboard in what Grafana exports: the JSON model itself, an answer of the HTTP API,
// or a resource of the first version of the new API.
func (f *file) board(root *node) (*node, error) {
	const how = "export it as classic JSON (Share or Export, without \"Export as code\")"
	switch {
	case !root.object:
		return nil, f.wrong(root.at, "a dashboard is a JSON object")
	case root.get("spec", "elements") != nil, strings.Contains(root.get("apiVersion").text(), "/v2"):
		return nil, f.wrong(root.get("apiVersion").offset(), "a dashboard in schema v2, which is not read: %s", how)
	}
	for _, inner := range []*node{root.get("dashboard"), root.get("spec")} {
		if inner.get("panels") != nil || inner.get("rows") != nil {
			return inner, nil
		}
	}
	if root.get("panels") == nil && root.get("rows") == nil {
		return nil, f.wrong(root.at, "no dashboard: it has neither panels nor rows; %s", how)
	}
	return root, nil
}

// importer is one dashboard under way.
type importer struct {
	options Options
	file    *file
	board   *node
	window  time.Duration
	span    time.Duration

	variables map[string]*templated
	order     []string

	sources     map[string]*source // by what Grafana calls them
	sourceNames []string           // keys of sources, as they were met
	signals     map[string]*signal // by name
	names       []string           // in their order
	panels      []shown
	notes       []Note
	spoken      map[string]bool // what was told of variables
}

// signal is one signal of the config to be.
type signal struct {
	name, label string
	source      *source
	unit        sale.Unit
	standard    bool
	query       string // PromQL
	metric      *metric
	metrics     []*metric // of an expression, each with its id
	expression  string
	period      string
	region      string
	rules       rules
}

// shown is one panel of the config to be.
type shown struct {
	title   string
	signals []string
}

// source is one data source that is read.
type source struct {
	name, kind string
	called     string // what Grafana calls it
	region     string
}

const (
	maxNotes = 2000
	maxText  = 240
)

// tell notes something about a place.
func (im *importer) tell(at *node, panel string, left bool, format string, args ...any) {
	if len(im.notes) >= maxNotes {
		return
	}
	line, column := im.file.place(at.offset())
	im.notes = append(im.notes, Note{line, column, panel, left, sale.Clean(fmt.Sprintf(format, args...), maxText)})
}

// unique makes a name that nothing has yet.
func unique(name string, longest int, taken func(string) bool) string {
	if !taken(name) {
		return name
	}
	for i := 2; ; i++ {
		end := fmt.Sprintf("_%d", i)
		next := name[:min(len(name), longest-len(end))] + end
		if !taken(next) {
			return next
		}
	}
}
