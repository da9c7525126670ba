package actions

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
)

// Recorder is the journal as the runner needs it; *journal.Journal is one.
type Recorder interface {
	Append(ctx context.Context, r journal.Record) (journal.Record, error)
	AppendIf(ctx context.Context, r journal.Record, check func(journal.View) error) (journal.Record, error)
	List(want journal.Filter) ([]journal.Record, error)
	Recent(n int) ([]journal.Record, error)
	Pending() ([]journal.Pending, error)
	Head() journal.Head
	Age(r journal.Record) time.Duration
	WriterAlive(r journal.Record) bool
	Err() error
}

// NoJournal is the recorder of a program whose journal could not be opened: it says why, and
// because nothing can be written, nothing is done.
func NoJournal(why error) Recorder { return none{why} }

type none struct{ why error }

func (n none) Append(context.Context, journal.Record) (journal.Record, error) {
	return journal.Record{}, n.why
}

func (n none) AppendIf(context.Context, journal.Record, func(journal.View) error) (journal.Record, error) {
	return journal.Record{}, n.why
}

func (n none) List(journal.Filter) ([]journal.Record, error) { return nil, n.why }
func (n none) Recent(int) ([]journal.Record, error)          { return nil, n.why }
func (n none) Pending() ([]journal.Pending, error)           { return nil, n.why }
func (n none) Head() journal.Head                            { return journal.Head{} }
func (n none) Age(journal.Record) time.Duration              { return 0 }
func (n none) WriterAlive(journal.Record) bool               { return false }
func (n none) Err() error                                    { return n.why }

// The last letter of a journal code says what became of the action.
const (
	letterIntent   = "I"
	letterDone     = "D"
	letterEffect   = "E"
	letterNotTaken = "X"
	letterRefused  = "R"
	letterFailed   = "F"
	letterUnknown  = "U"
	letterNote     = "N"
)

// The codes of what has no verb of its own: asking for a second person, the answers, and breaking
// the glass.
const (
	codeAsks    = "APR10" + letterNote
	codeAgrees  = "APR20" + letterNote
	codeDenies  = "APR30" + letterNote
	codeApprove = "APR"
	codeGlass   = "GLS10" + letterNote
)

// code is the journal code of a verb.
func (v Verb) code(letter string) string {
	m, _ := v.Meaning()
	return m.Code + letter
}

// newID makes an id that sorts by time and that nobody else makes: 12 hex digits of
// milliseconds, 16 of chance.
func newID(now time.Time) (string, error) {
	var chance [8]byte
	if _, err := rand.Read(chance[:]); err != nil {
		return "", fmt.Errorf("no randomness for an id: %w", err)
	}
	return fmt.Sprintf("%012x", now.UnixMilli()) + hex.EncodeToString(chance[:]), nil
}

// record is the journal's form of what is about to be done.
func (r *Runner) record(kind journal.Kind, letter, id string, actor Actor, p *Preview) journal.Record {
	t := journal.Target(p.Target)
	rec := journal.Record{
		Code: p.Request.Verb.code(letter), Kind: kind, ID: id, Actor: plain(actor),
		Sale: string(p.Request.Sale), Action: string(p.Request.Verb), Target: &t,
		From: raw(p.From), To: raw(p.To), Reason: r.redact(p.Request.Reason), Change: r.redact(p.Request.Change),
		Ref: p.Request.Undoes, Of: string(p.Request.Of),
	}
	if p.Target == (Target{}) {
		rec.Target = nil
	}
	return rec
}

func plain(a Actor) journal.Actor {
	return journal.Actor{Name: a.Name, Fingerprint: a.Fingerprint, Role: string(a.Role), Via: a.Via, Remote: a.Remote}
}

// raw is a value as JSON; the names are in order, so the same value gives the same bytes.
func raw(v Value) json.RawMessage {
	if len(v) == 0 {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil { // no setting can fail to marshal
		return nil
	}
	return data
}

func unraw(data json.RawMessage) Value {
	var v Value
	if len(data) == 0 || json.Unmarshal(data, &v) != nil {
		return nil
	}
	return v
}

func quoted(evidence []Observed) []journal.Evidence {
	var out []journal.Evidence
	for _, o := range evidence {
		e := journal.Evidence{Metric: string(o.Signal), Unit: string(o.Unit), AgeSeconds: o.Age.Seconds(), Freshness: string(o.Freshness)}
		if o.Has {
			v := o.Value
			e.Value = &v
		}
		out = append(out, e)
	}
	return out
}
