package pagerduty

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// maxKey bounds a dedup_key, in bytes (Events API v2).
const maxKey = 255

// Causes that are no signal: a person's own judgement, and a sale that can't be seen.
const (
	ByHand = "by-hand"
	Unseen = "unseen"
)

// Key is the dedup_key of a sale's cause: "onsale/<sale>/<cause>", at most 255 bytes of plain
// ASCII. The same sale and cause give the same key in every cockpit and after every restart, and
// two different ones never share a key.
func Key(id sale.ID, cause string) string {
	key := "onsale/" + url.PathEscape(string(id)) + "/" + url.PathEscape(cause)
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	tail := "~" + hex.EncodeToString(sum[:16])
	return key[:maxKey-len(tail)] + tail
}

// causeOf is why a sale is not well: the signal of its worst and oldest reason.
func causeOf(seen actions.Evidence) string {
	for _, r := range seen.Reasons {
		if r.Signal != "" {
			return string(r.Signal)
		}
	}
	if !seen.Known || len(seen.Reasons) > 0 {
		return Unseen
	}
	return ByHand
}

// steadyCause is causeOf, held for as long as a panel is open: reasons that change places
// between the preview and the sending must not turn one incident into another.
func (x *Executor) steadyCause(id sale.ID, seen actions.Evidence, now time.Time) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if was, ok := x.causes[id]; ok && fresh(was.at, now) {
		return was.cause
	}
	cause := causeOf(seen)
	x.causes[id] = shownCause{now, cause}
	return cause
}

// steadyState is what a preview of opening says of the target. An incident that is open is
// always said. Whether none is open, or that could not be read, stays what it was: a REST API
// that fails on and off must not keep anybody from opening one.
func (x *Executor) steadyState(key string, open, known bool, now time.Time) actions.Setting {
	state := actions.Unset
	if known {
		state = actions.Word(stateNone)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for k, was := range x.shown {
		if !fresh(was.at, now) {
			delete(x.shown, k)
		}
	}
	if open {
		delete(x.shown, key)
		return actions.Word(stateOpen)
	}
	if was, ok := x.shown[key]; ok {
		return was.state
	}
	x.shown[key] = shownState{now, state}
	return state
}

func fresh(at, now time.Time) bool { return now.Sub(at) < steadyFor && !now.Before(at) }

// mostKeys bounds how many keys of one sale are looked up.
const mostKeys = 8

// keys lists under which keys a sale may have an open incident: what the journal knows, what this
// process opened, and what could be opened for the causes that hold now.
func (x *Executor) keys(id sale.ID, seen actions.Evidence) []string {
	var all []string
	add := func(key string) {
		if key != "" && len(key) <= maxKey && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	for _, key := range x.openedBefore(id) {
		add(key)
	}
	for _, r := range seen.Reasons {
		if r.Signal != "" {
			add(Key(id, string(r.Signal)))
		}
	}
	all = all[:min(len(all), mostKeys-2)]
	add(Key(id, ByHand))
	add(Key(id, Unseen))
	return all
}

// openedBefore lists keys of incidents of a sale that are known to have been opened, by the
// journal or by this process, and not resolved by it since.
func (x *Executor) openedBefore(id sale.ID) []string {
	var all []string
	if x.options.Opened != nil {
		for _, key := range x.options.Opened(id) {
			if strings.HasPrefix(key, "onsale/") {
				all = append(all, key)
			}
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var own []string
	for _, a := range x.accepted {
		if a.sale != id {
			continue
		}
		switch a.verb {
		case actions.Incident:
			own = append([]string{a.key}, own...)
		case actions.Resolve:
			own = slices.DeleteFunc(own, func(key string) bool { return key == a.key })
		}
	}
	return append(all, own...)
}
