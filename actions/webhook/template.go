package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Placeholders that a body and a URL may hold. A string that is one placeholder alone takes the
// value's own JSON type; {{to:text}} makes it a string. An object's member whose only placeholder
// has no value is left out. In a URL values are path-escaped.
const (
	holeTo          = "to"          // number: the absolute rate
	holePaused      = "paused"      // boolean
	holeVerb        = "verb"        // pause, resume, rate, incident, acknowledge, resolve, note
	holeTarget      = "target"      // what the gate or the tool is called there
	holeSale        = "sale"        // the sale's id
	holeSaleName    = "sale_name"   //
	holeTitle       = "title"       // one line: the sale and what is wrong
	holeDescription = "description" // lines: sale, cause, figures with ages, links
	holeNote        = "note"        // the words of a note
	holeCause       = "cause"       //
	holeFigures     = "figures"     // list of strings
	holeLinks       = "links"       // list of {title, url}
	holeLink        = "link"        // the first link's address
	holeReason      = "reason"      //
	holeChange      = "change"      // id of a change or ticket
	holeSeverity    = "severity"    // critical, error, warning or info
	holeService     = "service"     // what is affected
	holeDedup       = "dedup"       // the same for every cockpit and every press on one sale
	holeAt          = "at"          // when the target was read, RFC 3339
)

var holes = []string{
	holeTo, holePaused, holeVerb, holeTarget, holeSale, holeSaleName, holeTitle, holeDescription, holeNote, holeCause,
	holeFigures, holeLinks, holeLink, holeReason, holeChange, holeSeverity, holeService, holeDedup, holeAt,
}

var hole = regexp.MustCompile(`\{\{\s*([a-z_]+)(:text)?\s*\}\}`)

// template is a compiled body or URL.
type template struct {
	tree any    // of a body
	text string // of a URL
	uses []string
}

// compileBody reads a body: a JSON document.
func compileBody(text string) (*template, error) {
	t := &template{}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&t.tree); err != nil {
		return nil, fmt.Errorf("the body is not JSON (placeholders stand within strings): %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body is more than one JSON document")
	}
	return t, t.note(t.tree)
}

func compileURL(text string) (*template, error) {
	t := &template{text: text}
	return t, t.note(text)
}

// note finds the placeholders, and the mistakes in them.
func (t *template) note(node any) error {
	switch n := node.(type) {
	case map[string]any:
		for _, v := range n {
			if err := t.note(v); err != nil {
				return err
			}
		}
	case []any:
		for _, v := range n {
			if err := t.note(v); err != nil {
				return err
			}
		}
	case string:
		for _, m := range hole.FindAllStringSubmatch(n, -1) {
			if !slices.Contains(holes, m[1]) {
				return fmt.Errorf("there is no placeholder {{%s}}; there are %s", m[1], strings.Join(holes, ", "))
			}
			t.uses = append(t.uses, m[1])
		}
		if rest := hole.ReplaceAllString(n, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
			return errors.New("a placeholder is written {{name}} or {{name:text}}")
		}
	}
	return nil
}

func (t *template) has(name string) bool { return slices.Contains(t.uses, name) }

// body fills a body.
func (t *template) body(values map[string]any) ([]byte, error) {
	filled, _ := fill(t.tree, values)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(filled); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// fill replaces the placeholders below a node; empty reports a lone placeholder without a value.
func fill(node any, values map[string]any) (filled any, empty bool) {
	switch n := node.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range n {
			if f, none := fill(v, values); !none {
				out[k] = f
			}
		}
		return out, false
	case []any:
		out := []any{}
		for _, v := range n {
			if f, none := fill(v, values); !none {
				out = append(out, f)
			}
		}
		return out, false
	case string:
		if m := hole.FindStringSubmatch(n); m != nil && m[0] == n && m[2] == "" {
			v := values[m[1]]
			return v, none(v)
		}
		lone := hole.FindString(n) == n && n != ""
		s := hole.ReplaceAllStringFunc(n, func(h string) string { return text(values[hole.FindStringSubmatch(h)[1]]) })
		return s, lone && s == ""
	}
	return node, false
}

// url fills a URL.
func (t *template) url(values map[string]any) string {
	return hole.ReplaceAllStringFunc(t.text, func(h string) string {
		return url.PathEscape(text(values[hole.FindStringSubmatch(h)[1]]))
	})
}

func none(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []map[string]string:
		return len(v) == 0
	}
	return false
}

// text writes a value as a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []string:
		return strings.Join(v, "\n")
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}
