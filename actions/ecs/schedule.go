package ecs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	sctypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// ScheduleExpression is the setting of a scheduled action that says when: at(…), in UTC.
const ScheduleExpression = "Schedule"

const leadTime = actions.PlanLead

// ScheduleOptions say which scheduled action is meant. Name and At are required.
type ScheduleOptions struct {
	Options
	// Name is stable: the same name again changes the action, so that nothing is planned twice.
	Name string
	At   time.Time // when the bounds are set, to the second
	// NotBefore is the end of the sale; a scale-back that is planned earlier is refused. Zero: not
	// known, and a scale-back takes the severe gesture.
	NotBefore time.Time

	// Size is what actions.ScaleAhead sets; 0: it can't be asked for.
	Size int
	// Plan is the whole plan that Size belongs to, itself included: what a size follows on is said
	// as it is declared, not as AWS has it. Zone is where a person reads the times; nil: UTC.
	Plan []actions.PlannedSize
	Zone *time.Location
}

// Schedule plans bounds for a time: AWS sets them then, also with this program closed. Its undo
// puts back what was planned before under the name, or deletes it. It needs a registered target.
// It is safe for many goroutines.
type Schedule struct {
	opts ScheduleOptions
	at   time.Time
}

// NewSchedule makes the executor of one scheduled action.
func NewSchedule(o ScheduleOptions) (*Schedule, error) {
	if err := o.Options.check(); err != nil {
		return nil, err
	}
	if o.Name == "" || o.At.IsZero() {
		return nil, errors.New("ecs: a scheduled action needs a name and a time")
	}
	return &Schedule{opts: o, at: o.At.UTC().Truncate(time.Second)}, nil
}

// Info implements actions.Executor.
func (s *Schedule) Info() actions.Info {
	info := actions.Info{System: System, Verbs: []actions.Verb{actions.ScaleUp, actions.ScaleBack}}
	if s.opts.Size > 0 {
		info.Verbs = append(info.Verbs, actions.ScaleAhead)
	}
	return info
}

// Scheduled is one planned change of the bounds.
type Scheduled struct {
	Name     string
	Schedule string    // the expression, as AWS holds it
	At       time.Time // of an at(…); zero for what recurs
	Min, Max *int      // nil: not set by it
	Ours     bool      // it is the one of this Schedule
}

// List reads what is planned for the target, what happens once first, by time.
func (s *Schedule) List(ctx context.Context) ([]Scheduled, error) {
	all, err := s.opts.scheduled(ctx)
	if err != nil {
		p := s.opts.problem(err)
		return nil, &p
	}
	list := make([]Scheduled, 0, len(all))
	number := func(v *int32) *int {
		if v == nil {
			return nil
		}
		return aws.Int(int(*v))
	}
	for _, a := range all {
		at, _ := atOf(aws.ToString(a.Schedule), aws.ToString(a.Timezone))
		n := Scheduled{
			Name: s.opts.clean(aws.ToString(a.ScheduledActionName), 0), Schedule: s.opts.clean(aws.ToString(a.Schedule), 0), At: at,
			Ours: aws.ToString(a.ScheduledActionName) == s.opts.Name,
		}
		if t := a.ScalableTargetAction; t != nil {
			n.Min, n.Max = number(t.MinCapacity), number(t.MaxCapacity)
		}
		list = append(list, n)
	}
	slices.SortStableFunc(list, func(a, b Scheduled) int {
		if a.At.IsZero() != b.At.IsZero() {
			if b.At.IsZero() {
				return -1
			}
			return 1
		}
		return a.At.Compare(b.At)
	})
	return list, nil
}

// planned is what an action sets; everything is unset where there is none.
func planned(a *sctypes.ScheduledAction) actions.Value {
	v := actions.Value{ScheduleExpression: actions.Unset, MinCapacity: actions.Unset, MaxCapacity: actions.Unset}
	if a == nil {
		return v
	}
	expression := aws.ToString(a.Schedule)
	if at, ok := atOf(expression, aws.ToString(a.Timezone)); ok {
		expression = "at(" + at.Format(atForm) + ")"
	}
	v[ScheduleExpression] = actions.Word(sale.Clean(expression, 0))
	if t := a.ScalableTargetAction; t != nil {
		for name, n := range map[string]*int32{MinCapacity: t.MinCapacity, MaxCapacity: t.MaxCapacity} {
			if n != nil {
				v[name] = actions.Number(float64(*n))
			}
		}
	}
	return v
}

func (s *Schedule) find(all []sctypes.ScheduledAction) *sctypes.ScheduledAction {
	for i := range all {
		if aws.ToString(all[i].ScheduledActionName) == s.opts.Name {
			return &all[i]
		}
	}
	return nil
}

// name is the target's: a scheduled action has its name only within what it scales.
func (s *Schedule) name() string { return s.opts.name() + "/" + s.opts.Name }

// Preview implements actions.Executor.
func (s *Schedule) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	o := &s.opts.Options
	p := actions.Preview{Request: req, Risk: actions.Normal, Target: actions.Target{System: System, Kind: "scheduled action", Name: s.name()}}
	if no := o.numeric(req); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	f, err := o.describe(ctx)
	if err != nil {
		return p, err
	}
	all, err := o.scheduled(ctx)
	if err != nil {
		q := o.problem(err)
		return p, &q
	}
	was := s.find(all)
	p.ReadAt, p.From = time.Now(), planned(was)
	p.Target = o.targetOf(f)
	p.Target.Kind, p.Target.Name = "scheduled action", s.name()
	var no *actions.Refusal
	switch {
	case f.target == nil:
		no = refusal(actions.GuardTarget, "register one first, or scale by hand at that time", "no scalable target is registered, so nothing can be planned")
	case req.Verb == actions.Undo:
		no = s.undo(&p, req, was)
	default:
		no = s.plan(&p, f, req, all)
	}
	if no == nil {
		no = s.fits(&p, f)
	}
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	s.say(&p, f, all, seen)
	return p, nil
}

func (s *Schedule) plan(p *actions.Preview, f *fleet, req actions.Request, all []sctypes.ScheduledAction) *actions.Refusal {
	o := &s.opts.Options
	n, no := 0, (*actions.Refusal)(nil)
	least, most := s.before(f, all)
	most = min(most, f.max)
	switch req.Verb {
	case actions.ScaleUp:
		n, no = o.upTo(req.To, f.min, f.min)
	case actions.ScaleBack:
		// The floor of that time is not known: only the declared one counts.
		n, no = o.backTo(req.To, mostSize+1)
		if no == nil && !s.opts.NotBefore.IsZero() && s.at.Before(s.opts.NotBefore) {
			no = refusal(actions.GuardRequest, "plan it for after the sale", "the sale goes on until %s", clock(s.opts.NotBefore))
		}
		if s.opts.NotBefore.IsZero() {
			p.Risk = actions.Severe
			warn(p, "when the sale ends is not known: see that %s is after it", clock(s.at))
		}
	case actions.ScaleAhead:
		n, no = s.ahead(p, least)
	default:
		no = refusal(actions.GuardRequest, "", "%s can't be planned", req.Verb)
	}
	switch {
	case no != nil:
		return no
	case n > most && !o.RaiseMax:
		return refusal(actions.GuardBounds, "choose a size up to max, or allow max to be raised in the config", "%d is over the target's max of %d%s", n, most, lowered(most, f.max))
	}
	p.To = actions.Value{ScheduleExpression: actions.Word("at(" + s.at.Format(atForm) + ")"), MinCapacity: actions.Number(float64(n))}
	if n > most {
		p.To[MaxCapacity] = actions.Number(float64(n))
	}
	was := s.find(all)
	if was == nil {
		return nil
	}
	// What a change leaves out stays as it was, and what it adds could not be taken away again.
	for _, name := range []string{MinCapacity, MaxCapacity} {
		if _, sent := p.To[name]; sent != (p.From[name] != actions.Unset) {
			return refusal(actions.GuardTarget, "delete it, or choose another name", "scheduled action %s is there and sets other things: %s", s.opts.Name, p.From)
		}
	}
	zone := aws.ToString(was.Timezone)
	if _, once := atOf(aws.ToString(was.Schedule), zone); !once || was.StartTime != nil || was.EndTime != nil || zone != "" && zone != "UTC" {
		return refusal(actions.GuardTarget, "delete it, or choose another name", "scheduled action %s is there and is no plan of ours: %s", s.opts.Name, o.clean(aws.ToString(was.Schedule), 60))
	}
	return nil
}

func (s *Schedule) undo(p *actions.Preview, req actions.Request, was *sctypes.ScheduledAction) *actions.Refusal {
	if !slices.Contains(s.Info().Verbs, req.Of) || len(req.Restore) == 0 {
		return refusal(actions.GuardRequest, "", "%s is not a plan of this target", req.Of)
	}
	if was == nil && req.Of == actions.ScaleAhead && req.Restore[ScheduleExpression] == actions.Unset {
		return refusal(actions.GuardTarget, "after its time, scale back instead", "%s is not planned any more: its time has passed, or somebody deleted it", s.opts.Name)
	}
	if _, _, err := s.read(req.Restore); err != nil {
		return refusal(actions.GuardRequest, "delete the scheduled action, or plan it anew", "the recorded values %q can't be planned: %s", req.Restore.String(), err)
	}
	p.To = req.Restore
	return nil
}

// fits refuses what AWS would refuse, or do nothing with.
func (s *Schedule) fits(p *actions.Preview, f *fleet) *actions.Refusal {
	at, deletes, err := s.read(p.To)
	suspended := f.target.SuspendedState
	switch {
	case err != nil:
		return refusal(actions.GuardRequest, "", "%s", err)
	case deletes:
		return nil
	case at.Before(p.ReadAt.Add(leadTime)):
		return refusal(actions.GuardRequest, "scale now instead, or plan a later time", "%s has passed or is too close", s.clock(at))
	case suspended != nil && aws.ToBool(suspended.ScheduledScalingSuspended):
		return refusal(actions.GuardTarget, "resume it first", "scheduled scaling is suspended: AWS would accept it and do nothing at its time")
	}
	return nil
}

// read tells what a value asks for: bounds at a time, or that there be no action.
func (s *Schedule) read(v actions.Value) (at time.Time, deletes bool, err error) {
	when, ok := v[ScheduleExpression]
	if !ok {
		return at, false, errors.New("no time is given")
	}
	set := 0
	for name := range v {
		if name == ScheduleExpression {
			continue
		}
		_, there, err := setting(v, name)
		switch {
		case err != nil:
			return at, false, err
		case name != MinCapacity && name != MaxCapacity:
			return at, false, fmt.Errorf("%s is not planned here", name)
		case there:
			set++
		}
	}
	if when == actions.Unset {
		if set > 0 {
			return at, false, errors.New("a size without a time")
		}
		return at, true, nil
	}
	word, _ := when.Word()
	at, ok = atOf(word, "")
	if !ok || set != len(v)-1 || set == 0 {
		return at, false, fmt.Errorf("%s is no plan", v)
	}
	return at, false, nil
}

func (s *Schedule) say(p *actions.Preview, f *fleet, all []sctypes.ScheduledAction, seen actions.Evidence) {
	o := &s.opts.Options
	at, deletes, _ := s.read(p.To)
	p.Evidence = seen.Need(o.Needs...)
	p.NotChanged = "the target as it is now, scaling policies, other scheduled actions"
	if deletes {
		p.Change = "planned " + p.From.Only(p.To).String() + " → nothing"
		p.How = sale.Clean("DeleteScheduledAction "+s.opts.Name, maxWarning)
		p.EffectText = "read back in seconds; nothing happens at that time"
		p.CostText, p.UndoText = "no change now", "U plans it again, while its time is ahead"
		return
	}
	n := count(p.To[MinCapacity])
	least, _ := s.before(f, all)
	p.Before = actions.Value{MinCapacity: actions.Number(float64(least))}
	p.Change = fmt.Sprintf("at %s: min %d → %d", s.clock(at), least, n)
	if most, ok := p.To[MaxCapacity].Number(); ok {
		p.Change += fmt.Sprintf(", max %d → %.0f", f.max, most)
	}
	p.UndoText = "U deletes it, until its time; after it, scale back"
	if p.From[ScheduleExpression] != actions.Unset {
		p.Change += " (was planned: " + p.From.Only(p.To).String() + ")"
		p.UndoText = "U plans the earlier values again, while their time is ahead"
	}
	p.How = sale.Clean("PutScheduledAction "+s.opts.Name+": "+p.To.String(), maxWarning)
	present, _ := f.size()
	o.sayCost(p, max(least, present), max(n, present))
	p.CostText += ", from that time on"
	p.EffectText = "read back in seconds; AWS sets it at that time, also with this program closed"
	o.sayConnections(p, f, n, seen)
	var found []string
	for _, a := range all {
		later, once := atOf(aws.ToString(a.Schedule), aws.ToString(a.Timezone))
		t := a.ScalableTargetAction
		if s.declared(aws.ToString(a.ScheduledActionName)) || t == nil || once && !later.After(at) {
			continue
		}
		if t.MinCapacity != nil && int(*t.MinCapacity) < n || t.MaxCapacity != nil && int(*t.MaxCapacity) < n {
			found = append(found, o.clean(fmt.Sprintf("scheduled action %s, %s: %s", aws.ToString(a.ScheduledActionName), aws.ToString(a.Schedule), boundsText(t)), maxWarning))
		}
	}
	reverts(p, found, "nothing planned sets a smaller size after it")
	if p.Request.Verb == actions.ScaleAhead {
		s.sayAhead(p, f, all, least, n)
	}
}

// Execute implements actions.Executor: one PutScheduledAction or DeleteScheduledAction.
func (s *Schedule) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	o := &s.opts.Options
	if ctx.Err() != nil {
		return actions.Receipt{}, unsent(sale.Timeout, "the time was up before", "press the key again")
	}
	if p.Target.System != System || p.Target.Name != s.name() {
		return actions.Receipt{}, unsent(sale.BadData, p.Target.String()+" is not "+s.name(), "preview again")
	}
	at, deletes, err := s.read(p.To)
	if err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	namespace, dimension := sctypes.ServiceNamespace(o.Namespace), sctypes.ScalableDimension(o.Dimension)
	if deletes {
		out, err := o.Scaling.DeleteScheduledAction(ctx, &scaling.DeleteScheduledActionInput{
			ServiceNamespace: namespace, ResourceId: aws.String(o.Resource), ScalableDimension: dimension, ScheduledActionName: aws.String(s.opts.Name),
		})
		if err != nil {
			return actions.Receipt{}, o.sendError(err)
		}
		return o.receipt(out.ResultMetadata, accepted), nil
	}
	bounds := &sctypes.ScalableTargetAction{}
	for name, to := range map[string]**int32{MinCapacity: &bounds.MinCapacity, MaxCapacity: &bounds.MaxCapacity} {
		if n, there, _ := setting(p.To, name); there {
			*to = aws.Int32(n)
		}
	}
	out, err := o.Scaling.PutScheduledAction(ctx, &scaling.PutScheduledActionInput{
		ServiceNamespace: namespace, ResourceId: aws.String(o.Resource), ScalableDimension: dimension, ScheduledActionName: aws.String(s.opts.Name),
		Schedule: aws.String("at(" + at.Format(atForm) + ")"), ScalableTargetAction: bounds,
	})
	if err != nil {
		return actions.Receipt{}, o.sendError(err)
	}
	return o.receipt(out.ResultMetadata, accepted), nil
}

// ReadBack implements actions.Executor.
func (s *Schedule) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if p.Target.Name != s.name() {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: sale.Clean(p.Target.String()+" is not "+s.name(), maxProblemText), Hint: "compare the journal with the config"}
	}
	all, err := s.opts.scheduled(ctx)
	if err != nil {
		q := s.opts.problem(err)
		return actions.State{}, &q
	}
	was := s.find(all)
	state := actions.State{Value: planned(was), At: time.Now(), Text: "nothing is planned under this name"}
	if was != nil {
		state.Text = "planned: " + state.Value.String()
	}
	return state, nil
}
