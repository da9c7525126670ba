package kubernetes

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// bookmarkEvery is how often a watch that asked for bookmarks gets one.
const bookmarkEvery = time.Minute

// longestWatch ends a watch that names no timeoutSeconds.
const longestWatch = 30 * time.Minute

// watcher is one open watch.
type watcher struct {
	s      *Server
	r      *request
	out    *json.Encoder
	flush  func() error
	match  func(tree) bool
	from   int64 // changes up to here were sent
	failed bool
}

func (s *Server) watch(w http.ResponseWriter, r *request) {
	q := r.URL.Query()
	match, st := r.selectors()
	if st != nil {
		respond(w, st)
		return
	}
	lasts := longestWatch
	if text := q.Get("timeoutSeconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			respond(w, badRequest("unable to decode %q as timeoutSeconds", text))
			return
		}
		if n > 0 {
			lasts = time.Duration(n) * time.Second
		}
	}
	version, err := strconv.ParseInt(q.Get("resourceVersion"), 10, 64)
	if q.Get("resourceVersion") == "" {
		version, err = 0, nil
	}
	if err != nil || version < 0 {
		respond(w, &status{
			Message: "Invalid value: " + strconv.Quote(q.Get("resourceVersion")) + ": strconv.ParseUint: parsing " + strconv.Quote(q.Get("resourceVersion")) + ": invalid syntax",
			Reason:  "Invalid", Details: &details{}, Code: http.StatusUnprocessableEntity,
		})
		return
	}
	initial := q.Get("sendInitialEvents") == "true"
	bookmarks := q.Get("allowWatchBookmarks") == "true" || q.Get("allowWatchBookmarks") == "1"
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	x := &watcher{s: s, r: r, out: json.NewEncoder(w), flush: http.NewResponseController(w).Flush, match: match, from: version}
	if version == 0 || initial {
		x.present()
		if initial && bookmarks {
			x.bookmark(true)
		}
	}
	x.run(lasts, bookmarks)
}

// run sends changes until the time is over, the client goes or the history does.
func (x *watcher) run(lasts time.Duration, bookmarks bool) {
	_ = x.flush() // a writer without Flush sends when it is full
	end := time.NewTimer(lasts)
	defer end.Stop()
	tick := time.NewTicker(x.s.watchEvery)
	defer tick.Stop()
	mark := time.NewTicker(bookmarkEvery)
	defer mark.Stop()
	for {
		wake, ok := x.changes()
		if !ok {
			return
		}
		select {
		case <-wake:
		case <-tick.C:
		case <-mark.C:
			if bookmarks {
				x.bookmark(false)
			}
		case <-end.C:
			if bookmarks { // the last word of a watch says how far it came
				x.bookmark(false)
			}
			return
		case <-x.r.Context().Done():
			return
		}
	}
}

// present sends what there is as ADDED.
func (x *watcher) present() {
	var all []tree
	x.s.refresh(func(v *seen) {
		x.from = v.version
		for _, h := range v.all(x.r.kind.resource, x.r.namespace) {
			if x.match(h.tree) && (x.r.name == "" || h.name == x.r.name) {
				all = append(all, h.tree)
			}
		}
	})
	for _, t := range all {
		x.send("ADDED", t)
	}
}

// changes sends what happened since, and returns what wakes it next; false ends the watch.
func (x *watcher) changes() (<-chan struct{}, bool) {
	var todo []change
	var wake <-chan struct{}
	var gone *status
	x.s.refresh(func(v *seen) {
		wake = v.wake
		if x.from < v.floor {
			gone = expired("too old resource version: " + strconv.FormatInt(x.from, 10) + " (" + strconv.FormatInt(v.floor+1, 10) + ")")
			return
		}
		for _, c := range v.log {
			if c.version > x.from && c.ref.resource == x.r.kind.resource && (x.r.namespace == "" || c.ref.namespace == x.r.namespace) {
				todo = append(todo, c)
			}
		}
		x.from = max(x.from, v.version)
	})
	if gone != nil {
		x.send("ERROR", gone)
		_ = x.flush()
		return nil, false
	}
	for _, c := range todo {
		x.change(c)
	}
	if len(todo) > 0 {
		_ = x.flush()
	}
	return wake, !x.failed
}

// change sends a change as it looks through the selectors: what begins to match was added, what
// ceases to was deleted.
func (x *watcher) change(c change) {
	was, is := c.was != nil && x.match(c.was), c.kind != "DELETED" && x.match(c.is)
	switch {
	case !was && is:
		x.send("ADDED", c.is)
	case was && is:
		x.send("MODIFIED", c.is)
	case was:
		x.send("DELETED", withVersion(c.was, c.version))
	}
}

func (x *watcher) bookmark(initial bool) {
	meta := tree{"resourceVersion": strconv.FormatInt(x.from, 10), "creationTimestamp": nil}
	if initial {
		meta["annotations"] = tree{"k8s.io/initial-events-end": "true"}
	}
	x.send("BOOKMARK", tree{"kind": x.r.kind.kind, "apiVersion": x.r.kind.apiVersion(), "metadata": meta})
	_ = x.flush()
}

func (x *watcher) send(kind string, object any) {
	if err := x.out.Encode(map[string]any{"type": kind, "object": object}); err != nil {
		x.failed = true
	}
}
