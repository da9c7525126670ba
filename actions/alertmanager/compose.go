package alertmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Causes that are no signal: a person's own judgement, and a sale that can't be seen.
const (
	ByHand = "by-hand"
	Unseen = "unseen"
)

// causeOf is why a sale is not well: the signal of its worst and oldest reason.
func causeOf(seen actions.Evidence) string {
	for _, r := range seen.Reasons {
		if text := sale.Clean(string(r.Signal), 100); text != "" {
			return text
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

// steadyState is what a preview of opening says of the target. An alert that is active is always
// said. Whether there is none, or that could not be read, stays what it was: a peer that fails
// on and off must not keep anybody from opening an incident.
func (x *Executor) steadyState(key string, state actions.Setting, now time.Time) actions.Setting {
	x.mu.Lock()
	defer x.mu.Unlock()
	for k, was := range x.shown {
		if !fresh(was.at, now) {
			delete(x.shown, k)
		}
	}
	if state != actions.Unset && state != actions.Word(stateNone) {
		delete(x.shown, key)
		return state
	}
	if was, ok := x.shown[key]; ok {
		return was.state
	}
	x.shown[key] = shownState{now, state}
	return state
}

// forget ends what was held for a panel: what comes next is a new question.
func (x *Executor) forget(id sale.ID, key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.causes, id)
	delete(x.shown, key)
}

func fresh(at, now time.Time) bool { return now.Sub(at) < steadyFor && !now.Before(at) }

// severityOf maps a verdict to the severities that routing trees commonly know. A sale that
// can't be seen is critical: nobody knows how bad it is.
func severityOf(seen actions.Evidence) string {
	if seen.Known && (seen.Verdict == sale.Watch || seen.Verdict == sale.OK) {
		return "warning"
	}
	return "critical"
}

// saleName is the name that people know, or the id.
func (x *Executor) saleName(id sale.ID) string {
	if s := x.declaredSale(id); s != nil && s.Name != "" {
		return s.Name
	}
	return string(id)
}

// summaryOf is the line that the person who is told reads first.
func (x *Executor) summaryOf(req actions.Request, seen actions.Evidence) string {
	text := req.Text
	if strings.TrimSpace(text) == "" {
		switch {
		case len(seen.Reasons) > 0:
			text = seen.Reasons[0].Text
			if n := len(seen.Reasons) - 1; n > 0 {
				text += fmt.Sprintf(" (and %d more)", n)
			}
		case !seen.Known:
			text = "nothing is known of this sale"
		default:
			text = "opened by hand, the signals say " + string(seen.Verdict)
		}
		text = x.saleName(req.Sale) + ": " + text
	}
	return sale.Clean(x.redact(text), 500)
}

const mostShown = 64 // figures

// figures quotes what is known, worst first, as evidence that does not bind: an incident can be
// opened on any age of data.
func figures(seen actions.Evidence) []actions.Observed {
	quoted := slices.Clone(seen.Signals)
	slices.SortStableFunc(quoted, func(a, b actions.Observed) int { return cmp.Compare(b.Verdict.Rank(), a.Verdict.Rank()) })
	return quoted[:min(len(quoted), mostShown)]
}

// Facts of a preview, by their labels. What a person was shown is what is sent.
const (
	factSummary  = "summary"
	factSeverity = "severity"
	factCause    = "cause"
	factBecause  = "because"
	factPhase    = "phase"
	factNow      = "in Alertmanager"
)

func factOf(p actions.Preview, label string) string {
	for _, f := range p.Facts {
		if f.Label == label {
			return f.Text
		}
	}
	return ""
}

// labels is the identity of a new incident.
func (x *Executor) labels(id sale.ID, cause, severity string) map[string]string {
	labels := map[string]string{}
	for name, value := range x.options.Labels {
		labels[name] = value
	}
	labels[labelName], labels[labelSale], labels[labelCause], labels[labelSeverity] = x.options.AlertName, string(id), cause, severity
	return labels
}

// annotations carry what the person who is told needs. They are no part of the identity.
func (x *Executor) annotations(p actions.Preview, now time.Time) map[string]string {
	notes := map[string]string{}
	add := func(name, text string) {
		if text = strings.TrimSpace(text); text != "" {
			notes[name] = text
		}
	}
	add("summary", factOf(p, factSummary))
	add("description", factOf(p, factBecause))
	add("phase", factOf(p, factPhase))
	add("reason", sale.Clean(x.redact(p.Request.Reason), 400))
	add("change", sale.Clean(x.redact(p.Request.Change), 100))
	var said []string
	for _, o := range p.Evidence {
		if o.Has && !o.At.IsZero() {
			o.Age = max(now.Sub(o.At), 0)
		}
		said = append(said, sale.Clean(x.redact(o.String()), maxWords))
	}
	add("figures", strings.Join(said, "\n"))
	if s := x.declaredSale(p.Request.Sale); s != nil {
		add("sale_name", sale.Clean(x.redact(s.Name), 200))
		var links []string
		for _, l := range s.Links[:min(len(s.Links), 20)] {
			if href := linkable(l.URL); href != "" && x.redact(href) == href {
				links = append(links, sale.Clean(l.Title, 100)+": "+href)
			}
		}
		add("links", strings.Join(links, "\n"))
		for _, spec := range s.Signals {
			if string(spec.Signal) == factOf(p, factCause) {
				add("runbook_url", linkable(spec.Runbook))
			}
		}
	}
	return notes
}
