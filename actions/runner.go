package actions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// Config is what a runner is made of.
type Config struct {
	Journal Recorder
	Policy  Policy
	// Executor finds who executes a verb of a sale. An error says, in words for a person, why
	// nobody does. For an undo it is asked for the verb that is undone.
	Executor func(id sale.ID, v Verb) (Executor, error)
	// Snapshot is the newest that is known; nil: nothing is.
	Snapshot func() *sale.Snapshot
	Plays    []Play
	// Incident reports whether an incident is open for a sale. nil: the journal is asked.
	Incident func(id sale.ID) bool
	// Redact takes secrets out of a text before it is journalled or shown; nil: nothing to hide.
	Redact func(string) string
}

// Runner is the one way to act. It is safe for many goroutines; any number of runners, in any
// number of processes, may share a journal.
type Runner struct {
	cfg      Config
	declared atomic.Pointer[rules]

	mu       sync.Mutex
	inFlight map[string]string // target key → id of the action that is running on it
	armings  map[string]arming
	watches  []Watch
	// of marks the intents of this runner, so that another runner of the same process, or a
	// later process with the same number, is told apart.
	of      map[string]bool
	refused map[string]time.Time // what was refused lately, so that a held key fills no journal
}

// NewRunner makes a runner. Call Settle before the first action.
func NewRunner(cfg Config) (*Runner, error) {
	if cfg.Journal == nil || cfg.Executor == nil {
		return nil, errors.New("a runner needs a journal and a way to find executors")
	}
	r := &Runner{
		cfg:      cfg,
		inFlight: map[string]string{}, armings: map[string]arming{},
		refused: map[string]time.Time{}, of: map[string]bool{},
	}
	r.Redeclare(cfg)
	return r, nil
}

// rules are what a config declares of acting. They are replaced as a whole and never changed.
type rules struct {
	policy   Policy
	plays    []Play
	executor func(sale.ID, Verb) (Executor, error)
	redact   func(string) string
}

func (r *Runner) rules() *rules { return r.declared.Load() }

// Redeclare puts another Policy, Executor, Redact and other Plays in place, as when a config was
// changed while the program runs; the rest of cfg stays as it was. An action that is on its way goes
// on with its own executor to its end, and every guard that it has still to pass is the new one.
// What was confirmed under the old rules is looked at again before anything is sent, as always.
func (r *Runner) Redeclare(cfg Config) {
	r.declared.Store(&rules{policy: cfg.Policy.withDefaults(), plays: cfg.Plays, executor: cfg.Executor, redact: cfg.Redact})
}

// mine reports whether this runner wrote a record.
func (r *Runner) mine(rec journal.Record) bool { return r.of[rec.ID] }

// previewWithin bounds one preview and one reading back.
const previewWithin = 10 * time.Second

// Result is how one action, or one play, ended.
type Result struct {
	ID       string
	Outcome  Outcome
	Preview  Preview // the fresh one that was sent, else the one that was confirmed
	Refusals []Refusal
	Problem  *sale.Problem
	Text     string // one line for a person
	ReadBack Value  // nil: not read
	State    State  // as it was read last
	Receipt  Receipt
	Sent     time.Time // zero: nothing was sent
	Ended    time.Time
	// Sequence numbers of the journal's records; 0: none.
	IntentSeq, ResultSeq uint64
	// Unrecorded says why the end could not be journalled. The outcome is true all the same; the
	// next start will read it back.
	Unrecorded error
	Steps      []Result // of a play, as far as it went
}

// Head is the journal's end, and why nothing can be written to it, or nil.
func (r *Runner) Head() (journal.Head, error) { return r.cfg.Journal.Head(), r.cfg.Journal.Err() }

// state is what is known of a sale, or nil.
func (r *Runner) state(id sale.ID) *sale.State {
	if r.cfg.Snapshot == nil {
		return nil
	}
	snap := r.cfg.Snapshot()
	if snap == nil {
		return nil
	}
	return snap.Sale(id)
}

func (r *Runner) evidence(id sale.ID, now time.Time) Evidence {
	e := EvidenceOf(r.state(id), now)
	e.IncidentOpen = r.incident(id)
	return e
}

func (r *Runner) redact(text string) string {
	if r.rules().redact == nil {
		return text
	}
	return r.rules().redact(text)
}

// oneSale bounds how far back the journal is read for what belongs to a sale's day.
const oneSale = 48 * time.Hour

// incident reports whether the journal knows of an incident that was opened and not resolved.
// An incident that may have been opened counts as none: an exemption must be certain.
func (r *Runner) incident(id sale.ID) bool {
	if r.cfg.Incident != nil {
		return r.cfg.Incident(id)
	}
	records, err := r.cfg.Journal.List(journal.Filter{Sale: string(id), Code: "INC", Kinds: []journal.Kind{journal.Result}, Since: time.Now().Add(-oneSale)})
	if err != nil {
		return false
	}
	open := false
	for _, rec := range records {
		if rec.Outcome != string(Done) {
			continue
		}
		switch Verb(rec.Action) {
		case Incident:
			open = true
		case Resolve:
			open = false
		}
	}
	return open
}

// Preview reads the target again and says what would happen. It never writes to a system. What
// prevents the action is in the preview's Refusals; a viewer's preview asks no system at all.
func (r *Runner) Preview(ctx context.Context, actor Actor, req Request) Preview {
	now := time.Now()
	p := Preview{Request: req, Risk: Severe}
	if no := r.mayActor(actor); no != nil {
		p.Refusals = append(p.Refusals, *no)
		r.noteRefusal(ctx, actor, &p, "", p.Refusals)
		return p
	}
	for _, no := range []*Refusal{req.sane(), r.rules().policy.breakable(req)} {
		if no != nil {
			p.Refusals = append(p.Refusals, *no)
			return p
		}
	}
	p = r.look(ctx, req, r.evidence(req.Sale, now))
	if p.Refused() {
		return p
	}
	r.foresee(&p, time.Now())
	return p
}

// foresee adds to a preview what the guards would say now. The guards that a person can still
// satisfy, a reason and a second person, are not asked.
func (r *Runner) foresee(p *Preview, now time.Time) {
	parts := []*Preview{p}
	if len(p.Steps) > 0 {
		parts = parts[:0]
		for i := range p.Steps {
			parts = append(parts, &p.Steps[i].Preview)
		}
	}
	seen := r.evidence(p.Request.Sale, now)
	add := func(no *Refusal) {
		if no != nil {
			p.Refusals = append(p.Refusals, *no)
		}
	}
	lift := func(no *Refusal, l Lift) {
		switch {
		case no == nil:
		case r.rules().policy.lifts(p.Request, l):
			p.Lifted = append(p.Lifted, *no)
		default:
			p.Refusals = append(p.Refusals, *no)
		}
	}
	if r.rules().policy.ReadOnly {
		add(readOnly())
	}
	for _, part := range parts {
		lift(r.rules().policy.frozen(part.Request, seen.IncidentOpen, now), LiftFreeze)
		add(r.rules().policy.bounded(part, seen.IncidentOpen))
		add(r.rules().policy.fresh(part.Request, part.Evidence, seen))
		add(r.rules().policy.declared(part.Request.Sale, part.Target))
		p.Warnings = append(p.Warnings, r.rules().policy.aging(part.Request, part.Evidence, seen)...)
	}
	lift(r.tooMany(p, seen.IncidentOpen, now), LiftRate)
	if err := r.cfg.Journal.Err(); err != nil {
		add(&Refusal{Guard: GuardJournal, Text: r.redact(err.Error())})
	}
	r.brokenInto(p, seen.IncidentOpen)
}

// look asks the executor for a preview, and checks what no executor may get wrong.
func (r *Runner) look(ctx context.Context, req Request, seen Evidence) Preview {
	req.Text = r.redact(req.Text) // it leaves the house, and stays in the journal
	if req.Verb == RunPlay {
		return r.lookPlay(ctx, req, seen)
	}
	if req.Verb == Undo {
		var no *Refusal
		if req, no = r.undoing(req); no != nil {
			return Preview{Request: req, Risk: Severe, Refusals: []Refusal{*no}}
		}
	}
	refused := func(guard Guard, text, hint string) Preview {
		p := Preview{Request: req, Risk: Severe}
		p.Refuse(guard, text, hint)
		return p
	}
	ex, err := r.executor(req)
	if err != nil {
		return refused(GuardTarget, r.redact(err.Error()), "")
	}
	ctx, cancel := context.WithTimeout(ctx, previewWithin)
	defer cancel()
	p, err := guarded(ctx, func() (Preview, error) { return ex.Preview(ctx, req, seen) })
	if err != nil {
		problem := problemOf(err)
		return refused(GuardTarget, "the target could not be read: "+r.redact(problem.Text), problem.Hint)
	}
	p.Request = req
	if !p.Refused() {
		r.checkPreview(&p)
	}
	return p
}

func (r *Runner) checkPreview(p *Preview) {
	if len(p.Steps) > 0 {
		p.asIfInTurn()
		for i := range p.Steps {
			if no := p.Steps[i].Preview.sane(); no != nil {
				p.Refuse(no.Guard, fmt.Sprintf("step %d: %s", i+1, no.Text), no.Hint)
			}
		}
		return
	}
	if no := p.sane(); no != nil {
		p.Refusals = append(p.Refusals, *no)
		return
	}
	if p.Request.Verb == Undo {
		r.checkUndo(p)
	}
}

func (r *Runner) executor(req Request) (Executor, error) {
	verb := req.Verb
	if verb == Undo {
		verb = req.Of
	}
	ex, err := r.rules().executor(req.Sale, verb)
	if verb == AddNote && ex == nil {
		return notebook{}, nil
	}
	if err == nil && ex == nil {
		err = fmt.Errorf("nothing is declared for %s on sale %s", verb, req.Sale)
	}
	return ex, err
}

// guarded runs a call of an executor so that neither a panic in it nor a call that ignores its
// deadline can take the runner along. What comes too late is dropped.
func guarded[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("the executor broke down: %v", p)
			}
			done <- a
		}()
		a.v, a.err = call()
	}()
	select {
	case a := <-done:
		return a.v, a.err
	case <-ctx.Done():
	}
	// One that honors its deadline has a moment to say how it went.
	late := time.NewTimer(100 * time.Millisecond)
	defer late.Stop()
	select {
	case a := <-done:
		return a.v, a.err
	case <-late.C:
		var nothing T
		return nothing, ctx.Err()
	}
}

// problemOf is the problem in an error; an error without one is put in a class by what it is.
func problemOf(err error) sale.Problem {
	var p *sale.Problem
	switch {
	case errors.As(err, &p):
		return *p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return sale.Problem{Class: sale.Timeout, Text: "no answer in time"}
	default:
		return sale.Problem{Class: sale.Failing, Text: sale.Clean(err.Error(), 0)}
	}
}
