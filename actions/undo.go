package actions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// undoing completes the request of an undo from the journal: what to put back, and on what.
// Without an id it is the last action of the sale that was done, within two days, and not
// undone yet.
func (r *Runner) undoing(req Request) (Request, *Refusal) {
	intent, no := r.undoable(req.Sale, req.Undoes)
	if no != nil {
		return req, no
	}
	to := unraw(intent.To)
	req.Undoes, req.Of = intent.ID, Verb(intent.Action)
	if intent.Target != nil {
		req.On = Target(*intent.Target)
	}
	if req.Of == Undo {
		req.Of = Verb(intent.Of)
	}
	req.Restore = unraw(intent.From).Only(to)
	if len(to) == 0 || len(req.Restore) != len(to) {
		return req, &Refusal{Guard: GuardTarget, Text: fmt.Sprintf("the earlier values of %s (#%d) are not recorded in full", intent.Action, intent.Seq)}
	}
	return req, nil
}

// undoable finds the intent of what an undo would take back.
func (r *Runner) undoable(id sale.ID, wanted string) (journal.Record, *Refusal) {
	records, err := r.cfg.Journal.List(journal.Filter{Sale: string(id), Kinds: []journal.Kind{journal.Intent, journal.Result}, Since: time.Now().Add(-oneSale)})
	if err != nil {
		return journal.Record{}, &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	intents := map[string]journal.Record{}
	undone := map[string]bool{}
	var done []string
	for _, rec := range records {
		switch {
		case rec.Kind == journal.Intent:
			intents[rec.ID] = rec
		case rec.Outcome != string(Done):
		case Verb(rec.Action) == Undo && wanted == "":
			undone[rec.Ref] = true
		default:
			done = append(done, rec.ID)
		}
	}
	for i := len(done) - 1; i >= 0; i-- {
		intent, ok := intents[done[i]]
		m, _ := Verb(intent.Action).Meaning()
		if !ok || !m.Undoable || undone[done[i]] || wanted != "" && wanted != done[i] {
			continue
		}
		return intent, nil
	}
	text := "nothing was done on this sale that can be undone"
	if wanted != "" {
		text = fmt.Sprintf("%s is not an action of this sale that was done and can be undone", sale.Clean(wanted, 40))
	}
	return journal.Record{}, &Refusal{Guard: GuardTarget, Text: text}
}

// checkUndo adds the refusals of an undo whose target is not as the undone action left it.
func (r *Runner) checkUndo(p *Preview) {
	intent, no := r.undoable(p.Request.Sale, p.Request.Undoes)
	if no != nil {
		p.Refusals = append(p.Refusals, *no)
		return
	}
	to := unraw(intent.To)
	switch {
	case !onTarget(intent, p.Target):
		p.Refuse(GuardTarget, fmt.Sprintf("the target is %s now; %s (#%d) was on another", p.Target, intent.Action, intent.Seq), "")
	case !p.From.Holds(to):
		p.Refuse(GuardChanged, fmt.Sprintf("it was changed since %s (#%d): %s", intent.Action, intent.Seq, to.Change(p.From.Only(to))), "set the value you want by name instead")
	case !p.To.Equal(p.Request.Restore):
		p.Refuse(GuardTarget, "the undo would set "+p.To.String()+", not the recorded "+p.Request.Restore.String(), "")
	}
}

// notebook executes a note where no incident system does: the journal's own record is all of it.
type notebook struct{}

const notebookSystem = "journal"

func (notebook) Info() Info {
	return Info{System: notebookSystem, Verbs: []Verb{AddNote}, ByReceipt: true}
}

func (notebook) Preview(_ context.Context, req Request, _ Evidence) (Preview, error) {
	sum := sha256.Sum256([]byte(req.Text))
	zero := 0.0
	p := Preview{
		Request: req, ReadAt: time.Now(), Risk: Mild, CostPerHour: &zero,
		Target: Target{System: notebookSystem, Kind: "journal", Name: string(req.Sale), ID: hex.EncodeToString(sum[:4])},
		From:   Value{"note": Unset}, To: Value{"note": Word(sale.Clean(req.Text, 400))},
		Change: "note to the journal", UndoText: "a note stays: a wrong one gets another beside it",
	}
	if blank(req.Text) {
		p.Refuse(GuardRequest, "a note needs words", "")
	}
	return p, nil
}

func (notebook) Execute(context.Context, Preview, string) (Receipt, error) {
	return Receipt{Text: "in the journal"}, nil
}

func (notebook) ReadBack(_ context.Context, p Preview) (State, error) {
	return State{Value: p.To, At: time.Now()}, nil
}
