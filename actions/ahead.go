package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// PlannedSize is one size of a sale's plan: wanted from an instant on, with nobody at the screen.
type PlannedSize struct {
	Name string    // of the scheduled action; stable, so that the same again changes nothing
	Text string    // the time as it is declared: "opens-15m"
	At   time.Time // its location is the one in which a person reads it
	To   int
}

// AheadPart is one size of a plan and who sends it. Target is the name of its target, which no
// other part has.
type AheadPart struct {
	Size     PlannedSize
	Target   string
	Executor Executor
}

// Ahead plans all sizes of a sale in one request, a step for each. A size that is planned as it is
// declared takes no step, and neither does one whose time has passed. A request with a step asks for
// that one size, counted from 1 in the order of time; an undo is that of the size it is on. It is an
// Executor of ScaleAhead, safe for many goroutines when its parts are.
type Ahead struct {
	info  Info
	parts []AheadPart
}

// PlanLead is how far ahead a planned time must lie at least, so that it is not past when the
// provider reads it.
const PlanLead = time.Minute

// NewAhead makes the executor of a plan with at least one size.
func NewAhead(parts ...AheadPart) (*Ahead, error) {
	if len(parts) == 0 {
		return nil, errors.New("a plan needs a size")
	}
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, func(a, b AheadPart) int { return a.Size.At.Compare(b.Size.At) })
	names := map[string]bool{}
	for _, part := range sorted {
		if part.Executor == nil || names[part.Target] {
			return nil, fmt.Errorf("the plan has %s twice, or nobody who sends it", part.Target)
		}
		names[part.Target] = true
	}
	info := sorted[0].Executor.Info()
	info.Verbs = []Verb{ScaleAhead}
	return &Ahead{info: info, parts: sorted}, nil
}

// Info implements Executor.
func (a *Ahead) Info() Info { return a.info }

// Preview implements Executor.
func (a *Ahead) Preview(ctx context.Context, req Request, seen Evidence) (Preview, error) {
	refused := func(text, hint string) (Preview, error) {
		p := Preview{Request: req, Risk: Normal, Target: Target{System: a.info.System, Kind: "scheduled action", Name: req.On.Name}}
		p.Refuse(GuardRequest, text, hint)
		return p, nil
	}
	switch {
	case req.Verb == Undo:
		part, ok := a.on(req.On)
		if !ok {
			return refused(req.On.String()+" is not declared any more", "delete it by hand, or declare it again")
		}
		return part.Executor.Preview(ctx, req, seen)
	case req.Verb != ScaleAhead:
		return refused(fmt.Sprintf("%s can't be planned", req.Verb), "")
	case req.Step < 0 || req.Step > len(a.parts):
		return refused(fmt.Sprintf("the plan has %d sizes", len(a.parts)), "")
	case req.Step > 0:
		return a.parts[req.Step-1].Executor.Preview(ctx, req, seen)
	}
	return a.whole(ctx, req, seen)
}

// whole makes one preview of everything that is not planned yet.
func (a *Ahead) whole(ctx context.Context, req Request, seen Evidence) (Preview, error) {
	whole := Preview{Request: req, Risk: Normal, Target: Target{System: a.info.System, Kind: "plan", Name: string(req.Sale)}}
	planned := 0
	var sizes []PlannedSize
	for i, part := range a.parts {
		if !part.Size.At.After(time.Now().Add(PlanLead)) {
			whole.Facts = append(whole.Facts, Fact{Label: "passed", Text: part.Size.String() + ": its time has passed or is too close, scale now if it is missing"})
			continue
		}
		one := req
		one.Step = i + 1
		p, err := part.Executor.Preview(ctx, one, seen)
		if err != nil {
			return p, err
		}
		p.Request, whole.ReadAt = one, p.ReadAt
		switch {
		case p.Refused():
			for _, no := range p.Refusals {
				whole.Refuse(no.Guard, part.Size.Text+": "+no.Text, no.Hint)
			}
		case p.From.Holds(p.To):
			planned++
			whole.Facts = append(whole.Facts, Fact{Label: "planned", Text: part.Size.String() + " already"})
			continue
		}
		whole.Steps, sizes = append(whole.Steps, Step{Request: one, Preview: p}), append(sizes, part.Size)
	}
	switch {
	case whole.Refused():
	case len(whole.Steps) == 0 && planned > 0:
		whole.Refuse(GuardTarget, "nothing to plan: every size whose time is ahead is planned already", "")
	case len(whole.Steps) == 0:
		whole.Refuse(GuardRequest, "nothing to plan: the time of every size has passed or is too close", "scale up now instead")
	case len(whole.Steps) == 1: // one write needs no steps
		p := whole.Steps[0].Preview
		p.Request, p.Facts = req, append(p.Facts, whole.Facts...)
		return p, nil
	}
	if len(whole.Steps) > 0 {
		whole.tellPlan(sizes)
	}
	return whole, nil
}

// String names a size for a person: "min 14 at 10:20 CET (opens-15m)".
func (s PlannedSize) String() string {
	text := fmt.Sprintf("min %d at %s", s.To, s.Clock())
	if s.Text != "" {
		text += " (" + s.Text + ")"
	}
	return text
}

// Clock is the time of a size for a person, in its own location.
func (s PlannedSize) Clock() string { return s.At.Format("2006-01-02 15:04 MST") }

// tellPlan says in words what the plan does, as a whole.
func (p *Preview) tellPlan(sizes []PlannedSize) {
	first := &p.Steps[0].Preview
	p.From, p.To = first.From, p.Steps[len(p.Steps)-1].Preview.To
	p.Target = first.Target
	p.Target.Kind, p.Target.Name = "scheduled actions of", strings.TrimSuffix(first.Target.Name, "/"+sizes[0].Name)
	p.NotChanged = first.NotChanged
	var changes, calls, costs []string
	var reverts, warnings []string
	cost, peak, known := 0.0, 0.0, true
	add := func(to *[]string, text string) {
		if text != "" && !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	for i := range p.Steps {
		q := &p.Steps[i].Preview
		changes, calls = append(changes, q.Change), append(calls, fmt.Sprintf("%d %s", i+1, q.How))
		add(&reverts, q.RevertsIt)
		for _, w := range q.Warnings {
			add(&warnings, w)
		}
		for _, f := range q.Facts {
			p.Facts = append(p.Facts, Fact{Label: f.Label, Text: sizes[i].Text + ": " + f.Text})
		}
		for _, o := range q.Evidence {
			if !slices.ContainsFunc(p.Evidence, func(e Observed) bool { return e.Signal == o.Signal }) {
				p.Evidence = append(p.Evidence, o)
			}
		}
		if q.CostPerHour == nil {
			known = false
			add(&costs, q.CostText)
			continue
		}
		cost += *q.CostPerHour
		if i == 0 || cost > peak {
			peak = cost
		}
		costs = append(costs, fmt.Sprintf("%+.2f USD/h from %s", cost, sizes[i].At.Format("15:04")))
	}
	if known {
		p.CostPerHour = &peak
		costs = append(costs, "list price, against now")
	}
	p.Change = strings.Join(changes, ", then ")
	p.How = strings.Join(calls, "; ") + "; each read back before the next"
	p.CostText = strings.Join(costs, ", ")
	p.RevertsIt = sale.Clean(strings.Join(reverts, "; "), 0)
	p.Warnings = warnings
	p.EffectText = "each " + first.EffectText
	p.UndoText = "U takes the sizes back one at a time, the last first, until their time; after it, scale back"
}

// on finds the part that a target belongs to.
func (a *Ahead) on(t Target) (AheadPart, bool) {
	i := slices.IndexFunc(a.parts, func(part AheadPart) bool { return t.System == a.info.System && part.Target == t.Name })
	if i < 0 {
		return AheadPart{}, false
	}
	return a.parts[i], true
}

// Execute implements Executor: one write of one size.
func (a *Ahead) Execute(ctx context.Context, p Preview, key string) (Receipt, error) {
	part, ok := a.on(p.Target)
	if !ok {
		return Receipt{}, &RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: p.Target.String() + " is not declared", Hint: "preview again"}}
	}
	return part.Executor.Execute(ctx, p, key)
}

// ReadBack implements Executor.
func (a *Ahead) ReadBack(ctx context.Context, p Preview) (State, error) {
	part, ok := a.on(p.Target)
	if !ok {
		return State{}, &sale.Problem{Class: sale.NotFound, Text: p.Target.String() + " is not declared any more", Hint: "compare the journal with the config"}
	}
	return part.Executor.ReadBack(ctx, p)
}
