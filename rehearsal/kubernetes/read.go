package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (s *Server) get(w http.ResponseWriter, r *request) {
	var found tree
	s.refresh(func(v *seen) {
		if h := v.objects[r.ref()]; h != nil {
			found = h.tree
		}
	})
	switch {
	case found == nil:
		respond(w, r.kind.missing(r.name))
	case r.sub == "scale":
		write(w, http.StatusOK, scaleOf(found))
	default:
		write(w, http.StatusOK, found)
	}
}

func (r *request) ref() ref { return ref{r.kind.resource, r.namespace, r.name} }

// page is a continue token.
type page struct {
	Version int64  `json:"rv"`
	Start   string `json:"start"`
}

const tooOld = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list."

func (s *Server) list(w http.ResponseWriter, r *request) {
	q := r.URL.Query()
	match, st := r.selectors()
	if st != nil {
		respond(w, st)
		return
	}
	limit, from, st := paging(q.Get("limit"), q.Get("continue"))
	if st != nil {
		respond(w, st)
		return
	}
	items, meta := list{}, tree{}
	s.refresh(func(v *seen) {
		version := v.version
		if from.Version != 0 {
			if from.Version < v.floor {
				st = expired(tooOld)
				return
			}
			version = from.Version
		}
		meta["resourceVersion"] = strconv.FormatInt(version, 10)
		all := v.all(r.kind.resource, r.namespace)
		last := ""
		for i, h := range all {
			if h.path() <= from.Start && from.Start != "" || !match(h.tree) {
				continue
			}
			if limit > 0 && len(items) == limit {
				token, _ := json.Marshal(page{version, last}) // plain data
				meta["continue"] = base64.RawURLEncoding.EncodeToString(token)
				if q.Get("labelSelector") == "" && q.Get("fieldSelector") == "" {
					meta["remainingItemCount"] = len(all) - i
				}
				return
			}
			items, last = append(items, withoutKind(h.tree)), h.path()
		}
	})
	if st != nil {
		respond(w, st)
		return
	}
	if r.kind.custom { // the items of custom resources carry their kind
		for i, item := range items {
			t := withVersion(item.(tree), versionOf(item.(tree)))
			t["apiVersion"], t["kind"] = r.kind.apiVersion(), r.kind.kind
			items[i] = t
		}
	}
	write(w, http.StatusOK, tree{"kind": r.kind.kind + "List", "apiVersion": r.kind.apiVersion(), "metadata": meta, "items": items})
}

// withoutKind is an item as a list of a built-in kind has it.
func withoutKind(t tree) tree {
	out := make(tree, len(t))
	for k, x := range t {
		if k != "kind" && k != "apiVersion" {
			out[k] = x
		}
	}
	return out
}

func versionOf(t tree) int64 {
	meta, _ := t["metadata"].(tree)
	text, _ := meta["resourceVersion"].(string)
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return v
}

func paging(limit, token string) (n int, from page, st *status) {
	if limit != "" {
		v, err := strconv.Atoi(limit)
		if err != nil || v < 0 {
			return 0, from, badRequest("unable to decode %q as an unsigned limit", limit)
		}
		n = v
	}
	if token != "" {
		data, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || json.Unmarshal(data, &from) != nil || from.Version <= 0 || from.Start == "" {
			return 0, page{}, badRequest("invalid continue token, continue key is not valid")
		}
	}
	return n, from, nil
}

// selectors reads labelSelector and fieldSelector.
func (r *request) selectors() (func(tree) bool, *status) {
	q := r.URL.Query()
	labels, err := parseLabels(q.Get("labelSelector"))
	if err != nil {
		return nil, badRequest("unable to parse requirement: %v", err)
	}
	fields, st := r.kind.parseFields(q.Get("fieldSelector"))
	if st != nil {
		return nil, st
	}
	return func(t tree) bool {
		has := stringsAt(t, "metadata", "labels")
		for _, one := range labels {
			if !one.holds(has) {
				return false
			}
		}
		for _, one := range fields {
			if !one.holds(map[string]string{one.key: textAt(t, r.kind.fieldPath(one.key)...)}) {
				return false
			}
		}
		return true
	}, nil
}

// fieldPath is where a field label stands.
func (k *kind) fieldPath(label string) []string {
	if label == "source" {
		return []string{"source", "component"}
	}
	return strings.Split(label, ".")
}

// requirement is one part of a selector.
type requirement struct {
	key, op string // =, !=, in, notin, exists, absent
	values  []string
}

func (q requirement) holds(has map[string]string) bool {
	value, ok := has[q.key]
	in := false
	for _, v := range q.values {
		in = in || v == value
	}
	switch q.op {
	case "exists":
		return ok
	case "absent":
		return !ok
	case "=", "in":
		return ok && in
	default:
		return !ok || !in
	}
}

func parseLabels(text string) ([]requirement, error) {
	var out []requirement
	for _, part := range splitSelector(text) {
		part = strings.TrimSpace(part)
		words := strings.Fields(strings.NewReplacer("(", " (", ")", ") ").Replace(part))
		var one requirement
		switch {
		case part == "":
			return nil, fmt.Errorf("found '', expected: identifier")
		case len(words) >= 3 && (words[1] == "in" || words[1] == "notin"):
			set := strings.Join(words[2:], "")
			if !strings.HasPrefix(set, "(") || !strings.HasSuffix(set, ")") {
				return nil, fmt.Errorf("found '%s', expected: '('", set)
			}
			one = requirement{words[0], words[1], strings.Split(set[1:len(set)-1], ",")}
		case strings.Contains(part, "="):
			one = parseEquals(part)
		case strings.HasPrefix(part, "!"):
			one = requirement{strings.TrimSpace(part[1:]), "absent", nil}
		case len(words) == 1:
			one = requirement{part, "exists", nil}
		default:
			return nil, fmt.Errorf("found '%s', expected: in, notin, =, ==, !=, gt, lt", words[1])
		}
		if one.key == "" || strings.ContainsAny(one.key, " ()!=") {
			return nil, fmt.Errorf("found '%s', expected: identifier", part)
		}
		out = append(out, one)
	}
	return out, nil
}

func parseEquals(part string) requirement {
	op := "="
	key, value, _ := strings.Cut(part, "=")
	if strings.HasSuffix(key, "!") {
		op, key = "!=", strings.TrimSuffix(key, "!")
	}
	return requirement{strings.TrimSpace(key), op, []string{strings.TrimSpace(strings.TrimPrefix(value, "="))}}
}

// splitSelector cuts at the commas that are not in brackets.
func splitSelector(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var out []string
	depth, from := 0, 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out, from = append(out, text[from:i]), i+1
			}
		}
	}
	return append(out, text[from:])
}

func (k *kind) parseFields(text string) ([]requirement, *status) {
	var out []requirement
	for _, part := range splitSelector(text) {
		if !strings.Contains(part, "=") {
			return nil, badRequest("invalid selector: '%s'; can't understand '%s'", text, part)
		}
		one := parseEquals(part)
		known := one.key == "metadata.name" || one.key == "metadata.namespace" && k.namespaced
		for _, label := range k.selectable {
			known = known || label == one.key
		}
		if !known {
			return nil, badRequest("field label not supported: %s", one.key)
		}
		out = append(out, one)
	}
	return out, nil
}

func at(t tree, path ...string) any {
	var v any = t
	for _, step := range path {
		m, ok := v.(tree)
		if !ok {
			return nil
		}
		v = m[step]
	}
	return v
}

func textAt(t tree, path ...string) string {
	switch v := at(t, path...).(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func stringsAt(t tree, path ...string) map[string]string {
	m, _ := at(t, path...).(tree)
	out := make(map[string]string, len(m))
	for k, v := range m {
		if text, ok := v.(string); ok {
			out[k] = text
		}
	}
	return out
}
