package kubernetes

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The patch types, by their media types.
const (
	jsonPatch      = "application/json-patch+json"
	mergePatch     = "application/merge-patch+json"
	strategicPatch = "application/strategic-merge-patch+json"
)

// patched applies the body to an object; the object itself stays as it is.
func (r *request) patched(body []byte, to tree) (tree, *status) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	types := []string{jsonPatch, mergePatch}
	if !r.kind.custom {
		types = append(types, strategicPatch)
	}
	if !slices.Contains(types, mediaType) {
		return nil, &status{
			Message: "the body of the request was in an unknown format - accepted media types include: " + strings.Join(types, ", "),
			Reason:  "UnsupportedMediaType", Details: &details{}, Code: http.StatusUnsupportedMediaType,
		}
	}
	next := plainJSON(to)
	if mediaType == jsonPatch {
		return applyJSONPatch(body, next)
	}
	var patch tree
	if err := json.Unmarshal(body, &patch); err != nil {
		return nil, badRequest("error decoding patch: %v", err)
	}
	if patch == nil {
		patch = tree{}
	}
	if mediaType == strategicPatch && hasDirective(patch) {
		return nil, badRequest("the rehearsal takes no directives ($patch, $retainKeys, …) in a strategic merge patch")
	}
	merged, _ := merge(next, patch).(tree)
	return merged, nil
}

// merge is RFC 7386.
func merge(target, patch any) any {
	p, ok := patch.(tree)
	if !ok {
		return patch
	}
	t, ok := target.(tree)
	if !ok {
		t = tree{}
	}
	for k, v := range p {
		if v == nil {
			delete(t, k)
		} else {
			t[k] = merge(t[k], v)
		}
	}
	return t
}

func hasDirective(v any) bool {
	switch x := v.(type) {
	case tree:
		for k, each := range x {
			if strings.HasPrefix(k, "$") || hasDirective(each) {
				return true
			}
		}
	case list:
		return slices.ContainsFunc(x, hasDirective)
	}
	return false
}

// operation is one step of RFC 6902.
type operation struct {
	Op    string          `json:"op"`
	Path  *string         `json:"path"`
	From  string          `json:"from"`
	Value json.RawMessage `json:"value"`
}

// mostOperations is the server's own limit of a JSON patch.
const mostOperations = 10_000

func applyJSONPatch(body []byte, to tree) (tree, *status) {
	var operations []operation
	if err := json.Unmarshal(body, &operations); err != nil {
		return nil, badRequest("error decoding patch: %v", err)
	}
	if len(operations) > mostOperations {
		return nil, &status{
			Message: fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", mostOperations, len(operations)),
			Reason:  "RequestEntityTooLarge", Code: http.StatusRequestEntityTooLarge,
		}
	}
	var doc any = to
	for _, o := range operations {
		var err error
		if doc, err = o.apply(doc); err != nil {
			return nil, &status{Message: "the server rejected our request due to an error in our request: " + err.Error(), Reason: "Invalid", Details: &details{}, Code: http.StatusUnprocessableEntity}
		}
	}
	out, ok := doc.(tree)
	if !ok {
		return nil, badRequest("the patched object is no object")
	}
	return out, nil
}

func (o operation) apply(doc any) (any, error) {
	if o.Path == nil {
		return nil, fmt.Errorf("%s operation has no path", o.Op)
	}
	var value any
	if o.Op == "add" || o.Op == "replace" || o.Op == "test" {
		if len(o.Value) == 0 {
			return nil, fmt.Errorf("%s operation has no value", o.Op)
		}
		if err := json.Unmarshal(o.Value, &value); err != nil {
			return nil, err
		}
	}
	switch o.Op {
	case "test":
		got, err := lookup(doc, *o.Path)
		if err != nil || !equal(got, value) {
			return nil, fmt.Errorf("testing value %s failed", *o.Path)
		}
		return doc, nil
	case "add":
		return edit(doc, *o.Path, value, addTo)
	case "replace":
		if _, err := lookup(doc, *o.Path); err != nil {
			return nil, err
		}
		return edit(doc, *o.Path, value, replaceIn)
	case "remove":
		if _, err := lookup(doc, *o.Path); err != nil {
			return nil, err
		}
		return edit(doc, *o.Path, nil, removeFrom)
	case "copy", "move":
		from, err := lookup(doc, o.From)
		if err != nil {
			return nil, err
		}
		if o.Op == "move" {
			if doc, err = edit(doc, o.From, nil, removeFrom); err != nil {
				return nil, err
			}
		}
		return edit(doc, *o.Path, copied(from), addTo)
	}
	return nil, fmt.Errorf("unexpected kind: %s", o.Op)
}

func copied(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(data, &out) != nil {
		return nil
	}
	return out
}

func lookup(doc any, pointer string) (any, error) {
	if pointer == "" {
		return doc, nil
	}
	v := doc
	for _, step := range splitPointer(pointer) {
		switch x := v.(type) {
		case tree:
			next, ok := x[step]
			if !ok {
				return nil, fmt.Errorf("missing path: %s", pointer)
			}
			v = next
		case list:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil, fmt.Errorf("missing path: %s", pointer)
			}
			v = x[i]
		default:
			return nil, fmt.Errorf("missing path: %s", pointer)
		}
	}
	return v, nil
}

type editing int

const (
	addTo editing = iota
	replaceIn
	removeFrom
)

// edit changes what stands at a pointer and returns the whole document.
func edit(doc any, pointer string, value any, how editing) (any, error) {
	if pointer == "" {
		return value, nil
	}
	return editAt(doc, splitPointer(pointer), value, how)
}

func editAt(v any, steps []string, value any, how editing) (any, error) {
	step, rest := steps[0], steps[1:]
	switch x := v.(type) {
	case tree:
		if len(rest) > 0 {
			next, err := editAt(x[step], rest, value, how)
			if err != nil {
				return nil, err
			}
			x[step] = next
		} else if how == removeFrom {
			delete(x, step)
		} else {
			x[step] = value
		}
		return x, nil
	case list:
		i, err := strconv.Atoi(step)
		if step == "-" && len(rest) == 0 && how == addTo {
			i, err = len(x), nil
		}
		if err != nil || i < 0 || i > len(x) || i == len(x) && (how != addTo || len(rest) > 0) {
			return nil, fmt.Errorf("invalid array index %q", step)
		}
		switch {
		case len(rest) > 0:
			next, err := editAt(x[i], rest, value, how)
			if err != nil {
				return nil, err
			}
			x[i] = next
		case how == addTo:
			x = slices.Insert(x, i, value)
		case how == replaceIn:
			x[i] = value
		default:
			x = slices.Delete(x, i, i+1)
		}
		return x, nil
	}
	return nil, fmt.Errorf("missing path at %q", step)
}
