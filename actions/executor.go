package actions

import (
	"context"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// Request is what somebody wants, before anything is known of the target. Pure data.
type Request struct {
	Sale sale.ID
	Verb Verb
	// To is the absolute number asked for; nil leaves it to the executor's own step (the next
	// size, half the rate). Never an increment.
	To     *float64
	Reason string
	Change string // id of a change or ticket; may be empty
	Text   string // the words of a note or an incident's summary
	Play   string // name of the play, with RunPlay
	// Step asks for one step of a verb that has several, counted from 1; 0 asks for all of it.
	Step int
	// Glass asks to act in spite of the guards that the policy lets an operator lift, on record.
	Glass bool

	// Restore, Undoes, Of and On are set by the runner on an undo: the settings to put back, the id
	// of the action that they come from, its verb, and its target.
	Restore Value
	Undoes  string
	Of      Verb
	On      Target
}

// Target is the one thing that an action changes. Two targets are the same when all fields are.
type Target struct {
	System  string `json:"system"`  // the executor's name: "waitingroom", "autoscaling"
	Kind    string `json:"kind"`    // "waiting room", "Auto Scaling group", "scalable target"
	Name    string `json:"name"`    // the name a person knows
	ID      string `json:"id"`      // the provider's own id or ARN; may be empty
	Account string `json:"account"` // account, zone or cluster as the provider itself says
	Region  string `json:"region"`  // empty where there is none
}

// Key is one word for the target, for locks and for the journal.
func (t Target) Key() string {
	return t.System + "/" + t.Account + "/" + t.Region + "/" + t.Kind + "/" + t.Name + "/" + t.ID
}

// String names the target for a person: "waiting room quay-2026".
func (t Target) String() string {
	if t.Kind == "" {
		return t.Name
	}
	return t.Kind + " " + t.Name
}

// Risk sets the gesture: a letter, or the typed name.
type Risk string

// The risks. Mild can be undone at once and nobody outside notices; Severe takes the typed
// name of the sale. Anything else counts as Severe.
const (
	Mild   Risk = "mild"
	Normal Risk = "normal"
	Severe Risk = "severe"
)

// Outcome is how an action ended. It is never guessed.
type Outcome string

// The outcomes. Refused: nothing was sent. Failed: the system said no, or holds another value
// than the one it accepted. Unknown: sent, and neither can be shown.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown"
)

// Info is what an executor says of itself.
type Info struct {
	System string // name of the folder, and of Target.System
	Verbs  []Verb
	// Deadline bounds one Execute; 0 means 10 s. It must stay under the provider's own.
	Deadline time.Duration
	// ReadBack bounds the reading back. Zero fields mean 6 tries within 30 s, the first after
	// 500 ms, then twice as long each time up to 8 s.
	ReadBack ReadBackPlan
	// ByReceipt is set where nothing can be read back with the credentials at hand, so that the
	// provider's acceptance is all the proof there is. A lost answer then stays unknown.
	ByReceipt bool
	// Versions says that the provider's targets carry a version that changes with every write.
	Versions bool
}

// ReadBackPlan is how often and for how long a target is read after a write.
type ReadBackPlan struct {
	Tries  int
	First  time.Duration // before the first try
	Most   time.Duration // between two tries
	Within time.Duration // all of it
}

// Executor acts on one kind of system. Its reading and its writing use a credential and a
// rate budget that no poller shares. Foreign text has passed sale.Clean before it is handed
// out, and holds no secret. Errors wrap a *sale.Problem that says what a person would do.
//
// All methods must honor the context's deadline and be safe for many goroutines.
type Executor interface {
	Info() Info

	// Preview reads the target again and computes the absolute new value. It never writes.
	// A request that can't be met is not an error: the preview carries its Refusals. A target
	// of zero, below the floor, not finite or over the bound, and a scale up below the present
	// size, are refusals.
	Preview(ctx context.Context, req Request, seen Evidence) (Preview, error)

	// Execute sends p.To, exactly one write, no retry, with the key where the provider takes one.
	// A *RejectedError says that the provider refused it, or that it was never sent, and nothing
	// changed; any other error says that it may have happened. Where the provider has versions
	// the write is conditional on p.Version, and a conflict is a *ConflictError: nothing changed.
	Execute(ctx context.Context, p Preview, key string) (Receipt, error)

	// ReadBack reads the settings that p.To names. It never writes.
	ReadBack(ctx context.Context, p Preview) (State, error)
}

// Receipt is what the provider answered to a write.
type Receipt struct {
	RequestID string // the provider's own, for its support; clean
	Text      string // "accepted 202", for a person
	Link      string // https address of what was made, or ""
}

// State is a target as it was read.
type State struct {
	Value    Value
	Version  string // "" where the provider has none
	At       time.Time
	ByWhom   string    // who changed it last, where the provider says so
	Modified time.Time // when it was changed last; zero: not known
	Text     string    // progress in words: "26 of 32 in service"
}

// ConflictError is the provider's word that the target was changed since the preview.
type ConflictError struct{ Text string }

func (e *ConflictError) Error() string { return "changed since the preview: " + e.Text }

// RejectedError says that nothing changed: the provider said no, or nothing reached it. An
// answer that can't be understood is not one.
type RejectedError struct{ Problem sale.Problem }

func (e *RejectedError) Error() string { return e.Problem.Text }

// Unwrap gives the problem.
func (e *RejectedError) Unwrap() error { return &e.Problem }
