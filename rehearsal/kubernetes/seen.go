package kubernetes

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// firstVersion is where the resource versions of a fresh server begin, as in a cluster that has lived.
const firstVersion = 41_000

// ref names one object.
type ref struct{ resource, namespace, name string }

func (r ref) path() string { return r.namespace + "/" + r.name }

// held is one object as it was seen last.
type held struct {
	ref
	tree    tree   // with resourceVersion
	body    string // without, to compare
	version int64
}

// change is one step of an object's life. was is nil for ADDED.
type change struct {
	kind    string // ADDED, MODIFIED or DELETED
	ref     ref
	version int64
	was, is tree // is, of what was deleted, is its last state
}

// seen is what the server saw of the cluster: it gives every object its resource version and
// remembers the changes for those who watch.
type seen struct {
	mu      sync.Mutex
	version int64
	objects map[ref]*held
	log     []change
	keep    int
	floor   int64 // changes up to here are forgotten
	wake    chan struct{}
}

// look compares the cluster with what was seen last. The caller holds the lock.
func (v *seen) look(kinds []kind, state State) {
	if v.objects == nil {
		v.version, v.floor = firstVersion, firstVersion
		v.objects, v.wake = map[ref]*held{}, make(chan struct{})
	}
	before := v.version
	present := map[ref]bool{}
	for i := range kinds {
		k := &kinds[i]
		if k.objects == nil {
			continue
		}
		for _, t := range k.objects(state) {
			r := refOf(k, t)
			present[r] = true
			v.take(r, t)
		}
	}
	for r, h := range v.objects {
		if !present[r] {
			v.version++
			delete(v.objects, r)
			v.record(change{kind: "DELETED", ref: r, version: v.version, was: h.tree, is: withVersion(h.tree, v.version)})
		}
	}
	if v.version != before {
		close(v.wake)
		v.wake = make(chan struct{})
	}
}

func refOf(k *kind, t tree) ref {
	meta, _ := t["metadata"].(tree)
	namespace, _ := meta["namespace"].(string)
	name, _ := meta["name"].(string)
	return ref{k.resource, namespace, name}
}

func (v *seen) take(r ref, t tree) {
	old, ok := v.objects[r]
	body, err := json.Marshal(t)
	if err != nil || ok && old.body == string(body) {
		return
	}
	v.version++
	c := change{kind: "ADDED", ref: r, version: v.version, is: withVersion(t, v.version)}
	if ok {
		c.kind, c.was = "MODIFIED", old.tree
	}
	v.objects[r] = &held{ref: r, tree: c.is, body: string(body), version: v.version}
	v.record(c)
}

func (v *seen) record(c change) {
	v.log = append(v.log, c)
	if over := len(v.log) - v.keep; over > 0 {
		v.floor = v.log[over-1].version
		v.log = slices.Delete(v.log, 0, over)
	}
}

// withVersion is a copy with that resourceVersion, or without one for 0. Only the metadata is copied.
func withVersion(t tree, version int64) tree {
	out := make(tree, len(t))
	for k, x := range t {
		out[k] = x
	}
	meta := tree{}
	if old, ok := t["metadata"].(tree); ok {
		for k, x := range old {
			meta[k] = x
		}
	}
	delete(meta, "resourceVersion")
	if version > 0 {
		meta["resourceVersion"] = strconv.FormatInt(version, 10)
	}
	out["metadata"] = meta
	return out
}

// all lists the objects of a kind by namespace and name.
func (v *seen) all(resource, namespace string) []*held {
	var out []*held
	for r, h := range v.objects {
		if r.resource == resource && (namespace == "" || r.namespace == namespace) {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *held) int { return strings.Compare(a.path(), b.path()) })
	return out
}

// refresh looks at the cluster and runs f under the lock.
func (s *Server) refresh(f func(v *seen)) {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	s.seen.look(s.kinds, s.cluster.State())
	f(&s.seen)
}
