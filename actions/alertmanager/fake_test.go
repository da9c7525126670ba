package alertmanager_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fake is an Alertmanager in memory, with a clock that may be wrong. It merges alerts as the real
// one does, so that an end that is still ahead loses against a later one.
type fake struct {
	skew time.Duration

	mu       sync.Mutex
	alerts   []map[string]any // as of the API
	silences []map[string]any
	mute     bool // every alert is silenced
	inhibit  bool
}

func (f *fake) now() time.Time { return time.Now().Add(f.skew) }

func instant(v any) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
	return at
}

func labelsOf(a map[string]any) map[string]string {
	labels := map[string]string{}
	if m, ok := a["labels"].(map[string]any); ok {
		for k, v := range m {
			labels[k] = fmt.Sprint(v)
		}
	}
	return labels
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Date", f.now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v2/alerts":
		shown := []map[string]any{}
		for _, a := range f.alerts {
			if instant(a["endsAt"]).After(f.now()) && f.match(labelsOf(a), r.URL.Query()["filter"]) {
				shown = append(shown, a)
			}
		}
		answer(shown)
	case "GET /api/v2/silences":
		answer(append([]map[string]any{}, f.silences...))
	case "GET /api/v2/status":
		answer(map[string]any{"cluster": map[string]any{"status": "disabled", "peers": []any{}}})
	case "POST /api/v2/silences":
		var s map[string]any
		if json.NewDecoder(r.Body).Decode(&s) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		f.expire(fmt.Sprint(s["id"])) // one that is sent again takes the place of the old one
		s["id"], s["status"] = strconv.Itoa(len(f.silences)+1), map[string]any{"state": "active"}
		f.silences = append(f.silences, s)
		f.mute = f.mute || strings.Contains(fmt.Sprint(s["matchers"]), "cause")
		answer(map[string]string{"silenceID": s["id"].(string)})
	case "POST /api/v2/alerts":
		var list []map[string]any
		if json.NewDecoder(r.Body).Decode(&list) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, a := range list {
			f.take(a)
		}
	default:
		if id, ok := strings.CutPrefix(r.URL.Path, "/api/v2/silence/"); ok && r.Method == http.MethodDelete && f.expire(id) {
			return
		}
		w.WriteHeader(http.StatusNotFound)
		answer(map[string]any{"code": 404, "message": "path was not found"})
	}
	for _, a := range f.alerts {
		by := map[bool][]string{true: {"s1"}, false: {}}
		a["status"] = map[string]any{"state": "active", "silencedBy": by[f.mute], "inhibitedBy": by[f.inhibit]}
	}
}

// expire ends a silence, and reports whether it was there.
func (f *fake) expire(id string) bool {
	for _, s := range f.silences {
		if s["id"] == id {
			s["status"] = map[string]any{"state": "expired"}
			return true
		}
	}
	return false
}

func (f *fake) match(labels map[string]string, filters []string) bool {
	for _, one := range filters {
		name, quoted, _ := strings.Cut(one, "=")
		value, err := strconv.Unquote(quoted)
		if err != nil || labels[name] != value {
			return false
		}
	}
	return true
}

// take merges an alert as Alertmanager's own Merge does.
func (f *fake) take(a map[string]any) {
	a["updatedAt"], a["receivers"] = f.now().UTC().Format(time.RFC3339Nano), []map[string]string{{"name": "on-call"}}
	starts, ends := instant(a["startsAt"]), instant(a["endsAt"])
	for i, old := range f.alerts {
		if !maps.Equal(labelsOf(old), labelsOf(a)) {
			continue
		}
		was, until := instant(old["startsAt"]), instant(old["endsAt"])
		if ends.After(was) && ends.Before(until) || starts.After(was) && starts.Before(until) {
			if was.Before(starts) {
				a["startsAt"] = old["startsAt"]
			}
			if ends.After(f.now()) && until.After(ends) {
				a["endsAt"] = old["endsAt"]
			}
		}
		f.alerts[i] = a
		return
	}
	f.alerts = append(f.alerts, a)
}
