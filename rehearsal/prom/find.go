package prom

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// selection is the part of a request that says where to look.
type selection struct {
	from, to int64 // ms
	limit    int
	sets     [][]*labels.Matcher // at least one; an empty set matches all
}

func (a *API) selection(r *http.Request) (selection, *answer) {
	var s selection
	refuse := func(parameter string, err error) (selection, *answer) {
		no := bad(parameter, err)
		return selection{}, &no
	}
	var err error
	if s.limit, err = intParameter(r, "limit"); err != nil {
		return refuse("limit", err)
	}
	start, err := timeParameter(r, "start", time.UnixMilli(0))
	if err != nil {
		return refuse("start", err)
	}
	end, err := timeParameter(r, "end", time.UnixMilli(1e15))
	if err != nil {
		return refuse("end", err)
	}
	s.from, s.to = start.UnixMilli(), end.UnixMilli()
	if s.sets, err = a.parser.ParseMetricSelectors(r.Form["match[]"]); err != nil {
		return refuse("match[]", err)
	}
	for _, set := range s.sets {
		if !slices.ContainsFunc(set, func(m *labels.Matcher) bool { return !m.Matches("") }) {
			return refuse("match[]", errors.New("match[] must contain at least one non-empty matcher"))
		}
	}
	return s, nil
}

func (a *API) series(r *http.Request) answer {
	if len(r.Form["match[]"]) == 0 {
		return answer{problem: &problem{"bad_data", errors.New("no match[] parameter provided")}}
	}
	s, no := a.selection(r)
	if no != nil {
		return *no
	}
	found := []labels.Labels{}
	seen := map[uint64]bool{}
	notes, err := a.each(r, s, func(ls labels.Labels) {
		if h := ls.Hash(); !seen[h] {
			seen[h] = true
			found = append(found, ls)
		}
	})
	if err != nil {
		return failed(err)
	}
	slices.SortFunc(found, labels.Compare)
	return cut(found, s.limit, notes)
}

func (a *API) labelNames(r *http.Request) answer {
	return a.collect(r, func(ls labels.Labels, into map[string]bool) {
		ls.Range(func(l labels.Label) { into[l.Name] = true })
	})
}

func (a *API) labelValues(r *http.Request) answer {
	name := r.PathValue("name")
	if !model.UTF8Validation.IsValidLabelName(name) {
		return answer{problem: &problem{"bad_data", fmt.Errorf("invalid label name: %q", name)}}
	}
	return a.collect(r, func(ls labels.Labels, into map[string]bool) {
		if v := ls.Get(name); v != "" {
			into[v] = true
		}
	})
}

// collect gathers words from the labels of every series that the request selects.
func (a *API) collect(r *http.Request, take func(ls labels.Labels, into map[string]bool)) answer {
	s, no := a.selection(r)
	if no != nil {
		return *no
	}
	if len(s.sets) == 0 {
		s.sets = [][]*labels.Matcher{{labels.MustNewMatcher(labels.MatchNotEqual, model.MetricNameLabel, "")}}
	}
	words := map[string]bool{}
	notes, err := a.each(r, s, func(ls labels.Labels) { take(ls, words) })
	if err != nil {
		return failed(err)
	}
	sorted := slices.Sorted(maps.Keys(words))
	if sorted == nil {
		sorted = []string{}
	}
	return cut(sorted, s.limit, notes)
}

// each visits the series that match any of the sets; one that matches two may come twice.
func (a *API) each(r *http.Request, s selection, visit func(labels.Labels)) (annotations.Annotations, error) {
	q, err := a.db.Querier(s.from, s.to)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	var notes annotations.Annotations
	for _, set := range s.sets {
		found := q.Select(r.Context(), false, &storage.SelectHints{Start: s.from, End: s.to, Func: "series"}, set...)
		for found.Next() {
			visit(found.At().Labels())
		}
		if err := found.Err(); err != nil {
			return nil, err
		}
		notes = notes.Merge(found.Warnings())
	}
	return notes, nil
}

func cut[T any](found []T, limit int, notes annotations.Annotations) answer {
	if limit > 0 && len(found) > limit {
		found = found[:limit]
		notes = notes.Add(errors.New("results truncated due to limit"))
	}
	return annotated(answer{data: found}, "", notes)
}

func (a *API) metadata(r *http.Request) answer {
	limit, err := intParameter(r, "limit")
	if err != nil {
		return bad("limit", err)
	}
	out := map[string][]metadata{}
	known := a.db.described()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if only := r.Form.Get("metric"); only != "" && only != name || limit > 0 && len(out) == limit {
			continue
		}
		out[name] = []metadata{known[name]}
	}
	return answer{data: out}
}

func (a *API) buildInfo(*http.Request) answer {
	return answer{data: map[string]string{
		"version": Version, "revision": "rehearsal", "branch": "HEAD", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
	}}
}
