package ssm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// KindParameter is the kind of a parameter's target.
const KindParameter = "parameter"

// SettingValue is the one setting of a parameter: a number where its value is one by the template,
// else the value itself.
const SettingValue = "value"

// SafeAdmission is the signal that Safe reads unless another function is given: people per minute
// that the site can carry. It is not one of the standard signals.
const SafeAdmission = actions.SafeAdmission

// ParameterOptions configure a gate that the shop reads from a parameter. Name is required, and at
// least one of Number, Pause and Resume. The parameter must be there: it is never created.
type ParameterOptions struct {
	AWS
	Name  string // "/shop/gate/rate"
	Label string // the name in targets, which the policy compares; default Name

	// Number is the value for a rate, with {{to}} where the number stands: "{{to}}" or
	// {"rate": {{to}}}. Empty: no rate can be set.
	Number string
	// Pause and Resume are the whole values for off and on. Empty: the verb is refused.
	Pause, Resume string
	// Min and Max bound a rate, people per minute; Max 0 means 1,000,000.
	Min, Max float64
	Whole    bool // only whole numbers

	// Soonest and Latest bound the time until the shop has read the parameter again; 0: not known.
	Soonest, Latest time.Duration
	// Safe is how many people per minute the site can carry. nil reads the signal SafeAdmission.
	Safe func(seen actions.Evidence) (perMinute float64, known bool)
}

// Parameter sets one parameter.
type Parameter struct {
	o           ParameterOptions
	c           *connection
	head, tail  string // of Number, around the number
	verbs       []actions.Verb
	placeholder bool
}

var _ actions.Executor = (*Parameter)(nil)

const hole = "{{to}}"

// NewParameter makes the executor of a gate. It sends nothing.
func NewParameter(o ParameterOptions) (*Parameter, error) {
	c, err := connect(o.AWS)
	if err != nil {
		return nil, err
	}
	e := &Parameter{c: c}
	if o.Label == "" {
		o.Label = o.Name
	}
	if o.Max == 0 {
		o.Max = 1e6
	}
	if o.Safe == nil {
		o.Safe = func(seen actions.Evidence) (float64, bool) {
			safe := seen.Signal(SafeAdmission)
			return safe.Value, safe.Usable()
		}
	}
	switch {
	case o.Name == "":
		return nil, errorf("a parameter's name is needed")
	case o.Number != "" && strings.Count(o.Number, hole) != 1:
		return nil, errorf("parameter %s: the template of a number must have one %s", o.Name, hole)
	case strings.Contains(o.Pause+o.Resume, hole):
		return nil, errorf("parameter %s: the values of pause and resume take no %s", o.Name, hole)
	case o.Pause != "" && o.Pause == o.Resume:
		return nil, errorf("parameter %s: pause and resume would set the same value", o.Name)
	case o.Min < 0 || !(o.Max > o.Min) || math.IsInf(o.Max, 0):
		return nil, errorf("parameter %s: the bounds %v to %v are none", o.Name, o.Min, o.Max)
	}
	if e.head, e.tail, e.placeholder = strings.Cut(o.Number, hole); e.placeholder {
		e.verbs = append(e.verbs, actions.Rate)
	}
	if o.Pause != "" {
		e.verbs = append(e.verbs, actions.Pause)
	}
	if o.Resume != "" {
		e.verbs = append(e.verbs, actions.Resume)
	}
	if len(e.verbs) == 0 {
		return nil, errorf("parameter %s: a template of a number, or the values of pause and resume, are needed", o.Name)
	}
	e.verbs = append(e.verbs, actions.Undo)
	e.o = o
	return e, nil
}

// Info describes the executor.
func (e *Parameter) Info() actions.Info {
	return actions.Info{System: System, Verbs: e.verbs, Versions: true, Deadline: 10 * time.Second}
}

// Target is the parameter as the policy has to declare it.
func (e *Parameter) Target() actions.Target {
	return actions.Target{System: System, Kind: KindParameter, Name: e.o.Label, Region: e.o.Config.Region}
}

// found is a parameter as it was read.
type found struct {
	at      time.Time
	raw     string
	value   actions.Setting
	version string
	target  actions.Target
	changed time.Time
}

func (e *Parameter) read(ctx context.Context) (*found, *sale.Problem) {
	out, err := e.c.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(e.o.Name)})
	if err != nil {
		var gone *types.ParameterNotFound
		p := e.c.problem(err)
		if errors.As(err, &gone) {
			p.Text = sale.Clean("there is no parameter "+e.o.Name+" in "+e.o.Config.Region, 240)
		}
		return nil, p
	}
	q := out.Parameter
	switch {
	case q == nil || q.Value == nil || q.Version < 1:
		return nil, &sale.Problem{Class: sale.BadData, Text: "the answer holds no parameter", Hint: "see the endpoint in the config"}
	case q.Type == types.ParameterTypeSecureString:
		return nil, &sale.Problem{Class: sale.BadData, Text: e.o.Label + " is a SecureString: its value can't be shown, compared or restored", Hint: "use a String for a gate"}
	}
	f := &found{at: time.Now(), raw: *q.Value, value: e.setting(*q.Value), version: strconv.FormatInt(q.Version, 10), target: e.Target()}
	if region, account := ofARN(aws.ToString(q.ARN)); account != "" {
		f.target.Region, f.target.Account = region, account
		f.target.ID = e.c.clean(*q.ARN, 300)
	}
	if q.LastModifiedDate != nil {
		f.changed = q.LastModifiedDate.UTC()
	}
	return f, nil
}

// setting is what a value means. It is a number only when writing that number gives the same value
// again, so that an undo restores what was there to the byte.
func (e *Parameter) setting(raw string) actions.Setting {
	if inner, ok := strings.CutPrefix(raw, e.head); ok && e.placeholder {
		if inner, ok = strings.CutSuffix(inner, e.tail); ok {
			n, err := strconv.ParseFloat(inner, 64)
			if err == nil && actions.Number(n).Finite() && e.raw(actions.Number(n)) == raw {
				return actions.Number(n)
			}
		}
	}
	return actions.Word(raw)
}

// raw is the value that is written for a setting; "" for one that can't be.
func (e *Parameter) raw(s actions.Setting) string {
	if n, ok := s.Number(); ok && e.placeholder {
		return e.head + strconv.FormatFloat(n, 'f', -1, 64) + e.tail
	}
	w, _ := s.Word()
	return w
}

// Preview reads the parameter again and computes its new value.
func (e *Parameter) Preview(ctx context.Context, req actions.Request, seen actions.Evidence) (actions.Preview, error) {
	now, problem := e.read(ctx)
	if problem != nil {
		return actions.Preview{}, problem
	}
	zero := 0.0
	p := actions.Preview{
		Request: req, Target: now.target, From: actions.Value{SettingValue: e.shown(now.value)}, Version: now.version,
		ReadAt: now.at, Modified: now.changed, Risk: actions.Normal, CostPerHour: &zero, CostText: "$0",
		Soonest: e.o.Soonest, Latest: e.o.Latest, Stays: "whoever is in already goes on",
		NotChanged: "the parameter's type, tier and pattern; every other parameter",
		RevertsIt:  "a deployment or a script may write the parameter again",
		UndoText:   "U writes the earlier value again",
		EffectText: "read back at once; how soon the shop reads it is not declared",
	}
	if e.o.Latest > 0 {
		p.EffectText = fmt.Sprintf("read back at once; the shop reads it within %s", sale.FormatAge(e.o.Latest))
	}
	e.aim(&p, req, seen)
	if next, ok := p.To[SettingValue]; ok {
		p.Change = p.From[SettingValue].String() + " → " + next.String()
		p.How = fmt.Sprintf("parameter %s, version %s", e.o.Label, now.version)
		p.Effect = e.effect(seen, p.From[SettingValue], next)
	}
	for _, name := range []sale.Signal{sale.Waiting, sale.AdmissionRate} {
		if o := seen.Signal(name); o.Has {
			p.Evidence = append(p.Evidence, o)
		}
	}
	if o := seen.Signal(sale.Waiting); o.Usable() {
		n := o.Value
		p.People, p.PeopleText = &n, o.String()
	}
	if raw := e.raw(now.value); e.shown(now.value) != now.value || raw != now.raw {
		p.Refuse(actions.GuardTarget, "the parameter holds text that can't be shown as it is, so it could not be restored", "set it by hand")
	}
	return p, nil
}

// shown is a setting that is clean.
func (e *Parameter) shown(s actions.Setting) actions.Setting {
	if w, ok := s.Word(); ok {
		return actions.Word(e.c.clean(w, 400))
	}
	return s
}

// aim computes the absolute new value, and refuses what can't be one.
func (e *Parameter) aim(p *actions.Preview, req actions.Request, seen actions.Evidence) {
	switch {
	case req.Verb == actions.Rate && e.placeholder && req.To != nil:
		p.To = actions.Value{SettingValue: actions.Number(*req.To)}
		e.bound(p, *req.To, seen)
	case req.Verb == actions.Pause && e.o.Pause != "":
		p.To = actions.Value{SettingValue: e.setting(e.o.Pause)}
	case req.Verb == actions.Resume && e.o.Resume != "" && req.To == nil:
		p.To = actions.Value{SettingValue: e.setting(e.o.Resume)}
		p.Warnings = append(p.Warnings, "everybody is let in at the shop's own rate at once: this gate has no ramp")
	case req.Verb == actions.Undo:
		s, ok := req.Restore[SettingValue]
		p.To = actions.Value{SettingValue: s}
		if !ok || len(req.Restore) != 1 || e.raw(s) == "" {
			p.Refuse(actions.GuardTarget, "the recorded value can't be put back: "+req.Restore.String(), "set the value you want by name")
		} else if n, isNumber := s.Number(); isNumber && s != e.setting(e.o.Pause) && s != e.setting(e.o.Resume) {
			e.bound(p, n, seen)
		}
	default:
		p.Refuse(actions.GuardRequest, fmt.Sprintf("parameter %s is not made for %s as it was asked", e.o.Label, req.Verb), "see the gate in the config")
	}
}

// bound refuses a number that must not be set.
func (e *Parameter) bound(p *actions.Preview, n float64, seen actions.Evidence) {
	text := strconv.FormatFloat(n, 'g', -1, 64)
	switch {
	case !(n > 0 && n >= e.o.Min && n <= e.o.Max):
		p.Refuse(actions.GuardBounds, fmt.Sprintf("%s is outside %v to %v", text, e.o.Min, e.o.Max), "choose a number within the gate's bounds")
		return
	case e.o.Whole && n != math.Trunc(n):
		p.Refuse(actions.GuardBounds, text+" is not a whole number", "")
		return
	}
	if was, ok := p.From[SettingValue].Number(); ok && n <= was {
		return
	}
	safe, known := e.o.Safe(seen)
	if seen.Signal(SafeAdmission).Has {
		p.Evidence = append(p.Evidence, seen.Need(SafeAdmission)...)
	}
	switch {
	case !known:
		p.Warnings = append(p.Warnings, "how many people per minute the site can carry is not known")
	case !(n <= safe):
		p.OverSafe(fmt.Sprintf("%s is above the safe admission of %s", text, sale.Format(math.Floor(safe), sale.PerMinute, false)), "scale up first")
	}
}

// effect is the signal in which it shows, when the shop's own delay is known.
func (e *Parameter) effect(seen actions.Evidence, from, to actions.Setting) *actions.Effect {
	name := sale.AdmissionRate
	if !seen.Signal(name).Has || e.o.Latest <= 0 {
		return nil
	}
	within := e.o.Latest + 2*time.Minute
	was, numberWas := from.Number()
	next, numberNext := to.Number()
	switch {
	case to == e.setting(e.o.Pause) && e.o.Pause != "":
		return &actions.Effect{Signal: name, Direction: actions.Down, Wanted: 0.02 * seen.Signal(name).Value, Within: within}
	case numberWas && numberNext && next > was:
		return &actions.Effect{Signal: name, Direction: actions.Up, Wanted: was + (next-was)/2, Within: within}
	case numberWas && numberNext:
		return &actions.Effect{Signal: name, Direction: actions.Down, Wanted: next * 1.1, Within: within}
	}
	return nil
}

// Execute writes the parameter once, if its version and value are as the preview saw them.
func (e *Parameter) Execute(ctx context.Context, p actions.Preview, _ string) (actions.Receipt, error) {
	next := p.To[SettingValue]
	raw := e.raw(next)
	if p.Target.Kind != KindParameter || p.Target.Name != e.o.Label || len(p.To) != 1 || raw == "" || !next.Finite() {
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.BadData, Text: "not sent: the preview names no value of this parameter", Hint: "open the panel again"}}
	}
	if ctx.Err() != nil {
		return actions.Receipt{}, &actions.RejectedError{Problem: sale.Problem{Class: sale.Timeout, Text: "the time was up before anything was sent", Hint: "try again"}}
	}
	now, problem := e.read(ctx)
	if problem != nil {
		return actions.Receipt{}, unsent(problem)
	}
	is := actions.Value{SettingValue: e.shown(now.value)}
	switch {
	case !is.Holds(p.From):
		return actions.Receipt{}, &actions.ConflictError{Text: p.From.Change(is)}
	case p.Version != "" && p.Version != now.version:
		return actions.Receipt{}, &actions.ConflictError{Text: "it is at version " + now.version + ", not " + p.Version}
	}
	var version int64
	id, err := e.c.write(ctx, func(ctx context.Context) (middleware.Metadata, error) {
		out, err := e.c.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String(e.o.Name), Value: aws.String(raw), Overwrite: aws.Bool(true)})
		if err != nil {
			return middleware.Metadata{}, err
		}
		version = out.Version
		return out.ResultMetadata, nil
	})
	if err != nil {
		return actions.Receipt{RequestID: id}, err
	}
	receipt := actions.Receipt{RequestID: id, Text: fmt.Sprintf("accepted as version %d", version)}
	if before, _ := strconv.ParseInt(now.version, 10, 64); version > before+1 {
		receipt.Text += fmt.Sprintf("; somebody wrote version %d just before", version-1)
	}
	return receipt, nil
}

// ReadBack reads the parameter.
func (e *Parameter) ReadBack(ctx context.Context, _ actions.Preview) (actions.State, error) {
	now, problem := e.read(ctx)
	if problem != nil {
		return actions.State{}, problem
	}
	return actions.State{Value: actions.Value{SettingValue: e.shown(now.value)}, Version: now.version, At: now.at, Modified: now.changed}, nil
}

// ParameterPermissions lists what IAM must allow on the parameter, sorted.
func ParameterPermissions() []string { return []string{"ssm:GetParameter", "ssm:PutParameter"} }
