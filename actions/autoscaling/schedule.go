package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// StartTime is the setting of a scheduled action that says when, in RFC 3339 and UTC.
const StartTime = "StartTime"

const (
	// quotaActions is AWS's quota of scheduled actions per group.
	quotaActions = 125
	leadTime     = actions.PlanLead
)

// ScheduleOptions say which scheduled action is meant. Name and At are required.
type ScheduleOptions struct {
	Options
	// Name is stable: the same name again changes the action, so that nothing is planned twice.
	Name string
	At   time.Time // when the size is set, to the second
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

// Schedule plans a size for a time: AWS sets it then, also with this program closed. Its undo
// puts back what was planned before under the name, or deletes it. It is safe for many goroutines.
type Schedule struct {
	opts ScheduleOptions
	at   time.Time
}

// NewSchedule makes the executor of one scheduled action.
func NewSchedule(o ScheduleOptions) (*Schedule, error) {
	if err := o.Options.check(); err != nil {
		return nil, err
	}
	if o.Name == "" || o.At.IsZero() || strings.ContainsAny(o.Name, ":/") {
		return nil, errors.New("autoscaling: a scheduled action needs a time and a name without colon and slash")
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

// Scheduled is one planned change of the group.
type Scheduled struct {
	Name              string
	At                time.Time // when it is done next
	Recurrence        string    // "" is once
	Min, Max, Desired *int      // nil: not set by it
	Ours              bool      // it is the one of this Schedule
}

// List reads what is planned for the group, the next first.
func (s *Schedule) List(ctx context.Context) ([]Scheduled, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Scheduled, 0, len(all))
	number := func(v *int32) *int {
		if v == nil {
			return nil
		}
		return aws.Int(int(*v))
	}
	for _, a := range all {
		list = append(list, Scheduled{
			Name: s.opts.clean(aws.ToString(a.ScheduledActionName), 0), At: aws.ToTime(a.StartTime).UTC(), Recurrence: s.opts.clean(aws.ToString(a.Recurrence), 0),
			Min: number(a.MinSize), Max: number(a.MaxSize), Desired: number(a.DesiredCapacity), Ours: aws.ToString(a.ScheduledActionName) == s.opts.Name,
		})
	}
	slices.SortStableFunc(list, func(a, b Scheduled) int { return a.At.Compare(b.At) })
	return list, nil
}

// all reads what is planned. Three pages of fifty hold more than the quota.
func (s *Schedule) all(ctx context.Context) ([]types.ScheduledUpdateGroupAction, error) {
	var all []types.ScheduledUpdateGroupAction
	var next *string
	for range 3 {
		out, err := s.opts.API.DescribeScheduledActions(ctx, &autoscaling.DescribeScheduledActionsInput{
			AutoScalingGroupName: aws.String(s.opts.Group), MaxRecords: aws.Int32(maxActions), NextToken: next,
		})
		if err != nil {
			p := s.opts.problem(err)
			return nil, &p
		}
		all = append(all, out.ScheduledUpdateGroupActions...)
		if next = out.NextToken; aws.ToString(next) == "" {
			break
		}
	}
	return all, nil
}

// planned is what an action sets; everything is unset where there is none.
func planned(a *types.ScheduledUpdateGroupAction) actions.Value {
	v := actions.Value{StartTime: actions.Unset, MinSize: actions.Unset, MaxSize: actions.Unset, DesiredCapacity: actions.Unset}
	if a == nil {
		return v
	}
	if a.StartTime != nil {
		v[StartTime] = actions.Word(a.StartTime.UTC().Format(time.RFC3339))
	}
	for name, n := range map[string]*int32{MinSize: a.MinSize, MaxSize: a.MaxSize, DesiredCapacity: a.DesiredCapacity} {
		if n != nil {
			v[name] = actions.Number(float64(*n))
		}
	}
	return v
}

func (s *Schedule) find(all []types.ScheduledUpdateGroupAction) *types.ScheduledUpdateGroupAction {
	for i := range all {
		if aws.ToString(all[i].ScheduledActionName) == s.opts.Name {
			return &all[i]
		}
	}
	return nil
}

// name is the target's: a scheduled action has its name only within its group.
func (s *Schedule) name() string { return s.opts.Group + "/" + s.opts.Name }

// Preview implements actions.Executor.
func (s *Schedule) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	o := &s.opts.Options
	p := actions.Preview{Request: req, Risk: actions.Normal, Target: actions.Target{System: System, Kind: "scheduled action", Name: s.name()}}
	if no := o.numeric(req); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	g, err := o.describe(ctx)
	if err != nil {
		return p, err
	}
	all, err := s.all(ctx)
	if err != nil {
		return p, err
	}
	was := s.find(all)
	p.ReadAt, p.From = time.Now(), planned(was)
	p.Target = o.target(g)
	p.Target.Kind, p.Target.Name = "scheduled action", s.name()
	var no *actions.Refusal
	if req.Verb == actions.Undo {
		no = s.undo(&p, req, was)
	} else {
		no = s.plan(&p, g, req, all)
	}
	if no == nil {
		no = s.fits(&p, g, all)
	}
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return p, nil
	}
	s.say(&p, g, all, seen)
	return p, nil
}

func (s *Schedule) plan(p *actions.Preview, g *group, req actions.Request, all []types.ScheduledUpdateGroupAction) *actions.Refusal {
	o := &s.opts.Options
	n, no := 0, (*actions.Refusal)(nil)
	least, most := s.before(g, all)
	switch req.Verb {
	case actions.ScaleUp:
		n, no = o.upTo(req.To, g.min, g.min)
	case actions.ScaleBack:
		// The floor of that time is not known: only the declared one counts.
		n, no = o.backTo(req.To, mostSize+1)
		if no == nil && !s.opts.NotBefore.IsZero() && s.at.Before(s.opts.NotBefore) {
			no = refusal(actions.GuardRequest, "plan it for after the sale", "the sale goes on until %s", clock(&s.opts.NotBefore))
		}
		if s.opts.NotBefore.IsZero() {
			p.Risk = actions.Severe
			warn(p, "when the sale ends is not known: see that %s is after it", clock(&s.at))
		}
	case actions.ScaleAhead:
		n, no = s.ahead(p, least)
	default:
		no = refusal(actions.GuardRequest, "", "%s can't be planned", req.Verb)
	}
	if no != nil {
		return no
	}
	p.To = actions.Value{StartTime: actions.Word(s.at.Format(time.RFC3339)), MinSize: actions.Number(float64(n))}
	if most = min(most, g.max); n > most {
		if !o.RaiseMax {
			return refusal(actions.GuardBounds, "choose a size up to max, or allow max to be raised in the config", "%d is over the group's max of %d%s", n, most, lowered(most, g.max))
		}
		p.To[MaxSize] = actions.Number(float64(n))
	}
	was := s.find(all)
	if was == nil {
		return nil
	}
	// What a change leaves out stays as it was, and what it adds could not be taken away again.
	for _, name := range []string{MinSize, MaxSize, DesiredCapacity} {
		_, sent := p.To[name]
		if sent != (p.From[name] != actions.Unset) {
			return refusal(actions.GuardTarget, "delete it, or choose another name", "scheduled action %s is there and sets other things: %s", s.opts.Name, sizesText(*was))
		}
	}
	if aws.ToString(was.Recurrence) != "" {
		return refusal(actions.GuardTarget, "delete it, or choose another name", "scheduled action %s is there and recurs", s.opts.Name)
	}
	return nil
}

func (s *Schedule) undo(p *actions.Preview, req actions.Request, was *types.ScheduledUpdateGroupAction) *actions.Refusal {
	if !slices.Contains(s.Info().Verbs, req.Of) || len(req.Restore) == 0 {
		return refusal(actions.GuardRequest, "", "%s is not a plan of this group", req.Of)
	}
	if was == nil && req.Of == actions.ScaleAhead && req.Restore[StartTime] == actions.Unset {
		return refusal(actions.GuardTarget, "after its time, scale back instead", "%s is not planned any more: its time has passed, or somebody deleted it", s.opts.Name)
	}
	if _, _, err := s.write(req.Restore); err != nil {
		return refusal(actions.GuardRequest, "delete the scheduled action, or plan it anew", "the recorded values %q can't be planned: %s", req.Restore.String(), err)
	}
	p.To = req.Restore
	return nil
}

// fits refuses what AWS would refuse, or do nothing with.
func (s *Schedule) fits(p *actions.Preview, g *group, all []types.ScheduledUpdateGroupAction) *actions.Refusal {
	at, deletes, err := s.write(p.To)
	switch {
	case err != nil:
		return refusal(actions.GuardRequest, "", "%s", err)
	case deletes:
		return nil
	case at.Before(p.ReadAt.Add(leadTime)):
		return refusal(actions.GuardRequest, "scale now instead, or plan a later time", "%s has passed or is too close", s.clock(at))
	case g.suspends("ScheduledActions"):
		return refusal(actions.GuardTarget, s.opts.whySuspended(g, "ScheduledActions"), "ScheduledActions is suspended: AWS would accept it and do nothing at its time")
	case g.suspends("Launch"):
		warn(p, "Launch is suspended: unless it is resumed before, nothing starts at that time")
	}
	for _, a := range all {
		if aws.ToString(a.ScheduledActionName) != s.opts.Name && aws.ToTime(a.StartTime).Equal(at) {
			return refusal(actions.GuardTarget, "plan it a minute earlier", "scheduled action %s has the same time, and AWS takes only one", s.opts.clean(aws.ToString(a.ScheduledActionName), 64))
		}
	}
	if len(all) >= quotaActions && s.find(all) == nil {
		return refusal(actions.GuardTarget, "delete some that are not needed", "the group has %d scheduled actions, AWS's quota", len(all))
	}
	return nil
}

// write reads what a value asks for: an action at a time, or that there be none.
func (s *Schedule) write(v actions.Value) (at time.Time, deletes bool, err error) {
	start, ok := v[StartTime]
	if !ok {
		return at, false, errors.New("no time is given")
	}
	set := 0
	for name := range v {
		if name == StartTime {
			continue
		}
		_, there, err := setting(v, name)
		switch {
		case err != nil:
			return at, false, err
		case name != MinSize && name != MaxSize:
			return at, false, fmt.Errorf("%s is not planned here", name)
		case there:
			set++
		}
	}
	if start == actions.Unset {
		if set > 0 {
			return at, false, errors.New("a size without a time")
		}
		return at, true, nil
	}
	word, _ := start.Word()
	if at, err = time.Parse(time.RFC3339, word); err != nil || set != len(v)-1 || set == 0 {
		return at, false, fmt.Errorf("%s is no plan", v)
	}
	return at.UTC(), false, nil
}

func (s *Schedule) say(p *actions.Preview, g *group, all []types.ScheduledUpdateGroupAction, seen actions.Evidence) {
	o := &s.opts.Options
	at, deletes, _ := s.write(p.To)
	p.Evidence = seen.Need(o.Needs...)
	p.NotChanged = "the group as it is now, launch template, scaling policies, other scheduled actions"
	if deletes {
		p.Change = "planned " + p.From.Only(p.To).String() + " → nothing"
		p.How = sale.Clean("DeleteScheduledAction "+s.opts.Name, maxWarning)
		p.EffectText = "read back in seconds; nothing happens at that time"
		p.CostText, p.UndoText = "no change now", "U plans it again, while its time is ahead"
		return
	}
	n := count(p.To[MinSize])
	least, _ := s.before(g, all)
	p.Before = actions.Value{MinSize: actions.Number(float64(least))}
	p.Change = fmt.Sprintf("at %s: min %d → %d", s.clock(at), least, n)
	if p.From[StartTime] != actions.Unset {
		p.Change += " (was planned: " + p.From.Only(p.To).String() + ")"
	}
	if most, ok := p.To[MaxSize].Number(); ok {
		p.Change += fmt.Sprintf(", max %d → %.0f", g.max, most)
		o.sayWarmPool(p, g, int(most), n)
	}
	p.How = sale.Clean("PutScheduledUpdateGroupAction "+s.opts.Name+": "+p.To.String(), maxWarning)
	o.sayCost(p, g, max(least, g.desired), max(n, g.desired))
	p.CostText += ", from that time on"
	p.EffectText = "read back in seconds; AWS sets it at that time, also with this program closed"
	p.UndoText = "U deletes it, until its time; after it, scale back"
	if p.From[StartTime] != actions.Unset {
		p.UndoText = "U plans the earlier values again, while their time is ahead"
	}
	o.sayConnections(p, g, n, seen)
	s.sayLater(p, all, at, n)
	if p.Request.Verb == actions.ScaleAhead {
		s.sayAhead(p, g, all, least, n)
	}
}

// sayLater names the scheduled actions that come after it and set a smaller size.
func (s *Schedule) sayLater(p *actions.Preview, all []types.ScheduledUpdateGroupAction, at time.Time, n int) {
	var found []string
	for _, a := range all {
		later := aws.ToTime(a.StartTime).After(at) && aws.ToTime(a.StartTime).Before(at.Add(horizon))
		if later && !s.declared(aws.ToString(a.ScheduledActionName)) && (a.MinSize != nil && int(*a.MinSize) < n || a.MaxSize != nil && int(*a.MaxSize) < n) {
			found = append(found, s.opts.clean(fmt.Sprintf("scheduled action %s at %s: %s", aws.ToString(a.ScheduledActionName), s.clock(*a.StartTime), sizesText(a)), maxWarning))
		}
	}
	p.RevertsIt = "nothing planned sets a smaller size within 24 h of it"
	if len(found) > 0 {
		p.RevertsIt = sale.Clean(strings.Join(found, "; "), 2*maxWarning)
	}
}

// Execute implements actions.Executor: one PutScheduledUpdateGroupAction or DeleteScheduledAction.
func (s *Schedule) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	if ctx.Err() != nil {
		return actions.Receipt{}, unsent(sale.Timeout, "the time was up before", "press the key again")
	}
	if p.Target.System != System || p.Target.Name != s.name() {
		return actions.Receipt{}, unsent(sale.BadData, p.Target.String()+" is not "+s.name(), "preview again")
	}
	at, deletes, err := s.write(p.To)
	if err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	group, name := aws.String(s.opts.Group), aws.String(s.opts.Name)
	if deletes {
		out, err := s.opts.API.DeleteScheduledAction(ctx, &autoscaling.DeleteScheduledActionInput{AutoScalingGroupName: group, ScheduledActionName: name})
		if err != nil {
			return actions.Receipt{}, s.opts.sendError(err)
		}
		return s.opts.receipt(out.ResultMetadata), nil
	}
	size, err := sizesOf(sizesIn(p.To))
	if err != nil {
		return actions.Receipt{}, unsent(sale.BadData, err.Error(), "preview again")
	}
	out, err := s.opts.API.PutScheduledUpdateGroupAction(ctx, &autoscaling.PutScheduledUpdateGroupActionInput{
		AutoScalingGroupName: group, ScheduledActionName: name, StartTime: aws.Time(at), MinSize: size.min, MaxSize: size.max,
	})
	if err != nil {
		return actions.Receipt{}, s.opts.sendError(err)
	}
	return s.opts.receipt(out.ResultMetadata), nil
}

func sizesIn(v actions.Value) actions.Value {
	only := v.With(nil)
	delete(only, StartTime)
	return only
}

// ReadBack implements actions.Executor. After its time an action is gone, and all is unset.
func (s *Schedule) ReadBack(ctx context.Context, p actions.Preview) (actions.State, error) {
	if p.Target.Name != s.name() {
		return actions.State{}, &sale.Problem{Class: sale.NotFound, Text: sale.Clean(p.Target.String()+" is not "+s.name(), maxProblemText), Hint: "compare the journal with the config"}
	}
	all, err := s.all(ctx)
	if err != nil {
		return actions.State{}, err
	}
	was := s.find(all)
	state := actions.State{Value: planned(was), At: time.Now(), Text: "nothing is planned under this name"}
	if was != nil {
		state.Text = "planned for " + clock(was.StartTime) + ": " + sizesText(*was)
	}
	return state, nil
}
