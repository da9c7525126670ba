package actions

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// A second person's agreement lives in the journal: any session of any process on it can ask, see
// what is asked, and answer. The times run by the journal's own clock, and an agreement is good
// once. The fields are those of NetApp's multi-admin verification: approvers exclude the requester,
// a request expires (approval_expiry), an agreement expires (execution_expiry).

// AskStage is how far a request for a second person has come.
type AskStage string

// The stages.
const (
	AskWaiting  AskStage = "waiting"
	AskAgreed   AskStage = "agreed"
	AskDeclined AskStage = "declined" // or withdrawn by whoever asked
	AskExpired  AskStage = "expired"  // nobody agreed in time, or the agreement was not used in time
	AskUsed     AskStage = "used"
)

// Asked is a request for a second person, as the journal tells it. Pure data; texts are clean.
type Asked struct {
	ID        string
	Seq       uint64 // of the journal's record
	Requester Actor
	Request   Request // enough to look at the target again
	Target    Target
	From, To  Value
	Change    string
	Evidence  []Observed // as the requester saw it
	Risk      Risk
	Token     string // of the preview that was asked about
	At        time.Time

	Stage    AskStage
	Answerer Actor // who agreed or declined
	Answered time.Time
	Reason   string // of a refusal
	// Left is until the request, or the agreement, expires; zero at any other stage.
	Left time.Duration
}

// Short is the end of the id, for a screen and for a shell.
func (a Asked) Short() string { return a.ID[max(len(a.ID)-6, 0):] }

// Ask asks for a second person for a preview. The answer is the id that Answer and Run take. It
// expires by the policy.
func (r *Runner) Ask(ctx context.Context, requester Actor, p Preview) (string, *Refusal) {
	if no := r.mayActor(requester); no != nil {
		return "", no
	}
	if r.rules().policy.ReadOnly {
		return "", readOnly()
	}
	if p.Refused() {
		return "", &p.Refusals[0]
	}
	id, err := newID(time.Now())
	if err != nil {
		return "", &Refusal{Guard: GuardSecond, Text: err.Error()}
	}
	rec := r.record(journal.Note, letterNote, id, requester, &p)
	req := p.Request
	rec.Code, rec.Text, rec.Evidence = codeAsks, r.redact(p.Change), quoted(p.Evidence)
	rec.Ask = &journal.Ask{
		Token: p.Token(), Number: req.To, Text: r.redact(req.Text), Play: req.Play, Step: req.Step, Risk: string(p.Gesture()), Glass: req.Glass,
	}
	if _, err := r.cfg.Journal.Append(ctx, rec); err != nil {
		return "", &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	return id, nil
}

func readOnly() *Refusal { return &Refusal{Guard: GuardArmed, Text: "this cockpit is read-only"} }

// Approve is the second person's agreement to a preview that is at hand: Answer for its token.
func (r *Runner) Approve(ctx context.Context, approver Actor, id string, p Preview) *Refusal {
	return r.Answer(ctx, approver, id, p.Token(), true, "")
}

// Answer agrees to a request, for the token of what was looked at, or declines it. Whoever asked,
// by name or by key, can't agree; two sessions of one key are one person. Any operator can decline,
// also what was agreed to and not used yet; of whoever asked it is a withdrawal, and needs no token.
func (r *Runner) Answer(ctx context.Context, who Actor, id, token string, agree bool, reason string) *Refusal {
	no := r.mayActor(who)
	if no == nil && r.rules().policy.ReadOnly {
		no = readOnly()
	}
	a, known, err := r.find(id)
	switch {
	case no != nil:
	case err != nil:
		return &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	case !known:
		no = &Refusal{Guard: GuardSecond, Text: "there is no such request, or it has expired"}
	default:
		no = a.answerable(who, token, agree)
	}
	p := a.preview()
	if no != nil {
		r.noteRefusal(ctx, who, &p, "", []Refusal{*no})
		return no
	}
	rec := r.record(journal.Note, letterNote, id, who, &p)
	rec.Code, rec.Text, rec.Reason = codeAgrees, "agrees as the second person: "+a.Change, r.redact(reason)
	switch {
	case !agree && a.Requester.Same(who):
		rec.Code, rec.Text = codeDenies, "withdraws the request: "+a.Change
	case !agree:
		rec.Code, rec.Text = codeDenies, "declines as the second person: "+a.Change
	}
	rec.Ask = &journal.Ask{Token: a.Token}
	_, err = r.cfg.Journal.AppendIf(ctx, rec, func(v journal.View) error {
		if no = r.still(v, a, func(now Asked) *Refusal { return now.answerable(who, token, agree) }); no != nil {
			return fmt.Errorf("%s", no.Text)
		}
		return nil
	})
	if no == nil && err != nil {
		no = &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	}
	return no
}

// answerable is the refusal of an answer, or nil.
func (a Asked) answerable(who Actor, token string, agree bool) *Refusal {
	refuse := func(text string) *Refusal { return &Refusal{Guard: GuardSecond, Text: text} }
	switch {
	case a.Stage == AskUsed:
		return refuse("it was agreed to by " + a.Answerer.Name + ", and done")
	case a.Stage == AskDeclined:
		return refuse("it was declined by " + a.Answerer.Name)
	case a.Stage == AskExpired:
		return refuse("the request has expired")
	case !agree:
		return nil
	case a.Requester.Same(who):
		return refuse(who.Name + " asked for it: another person must agree")
	case a.Stage == AskAgreed:
		return refuse(a.Answerer.Name + " has agreed already")
	case a.Token != token:
		return refuse("the request was for another preview")
	}
	return nil
}

// still asks again, now that nobody can write in between.
func (r *Runner) still(v journal.View, a Asked, judge func(Asked) *Refusal) *Refusal {
	since, ok := v.Since(a.Seq - 1)
	if !ok {
		return &Refusal{Guard: GuardSecond, Text: "too much was journalled meanwhile to tell what became of the request"}
	}
	for _, now := range askedIn(since, v.Age, r.rules().policy) {
		if now.ID == a.ID {
			return judge(now)
		}
	}
	return &Refusal{Guard: GuardSecond, Text: "there is no such request"}
}

// mostAsked bounds how many of the newest records are looked through for requests.
const mostAsked = 2048

// Requests lists the requests for a second person that the newest records tell of, oldest first,
// at any stage; those that nobody can act on any more for as long again as they could be.
func (r *Runner) Requests() ([]Asked, error) {
	records, err := r.cfg.Journal.Recent(mostAsked)
	return askedIn(records, r.cfg.Journal.Age, r.rules().policy), err
}

// find looks for one request.
func (r *Runner) find(id string) (Asked, bool, error) {
	since := time.Now().Add(-2 * (r.rules().policy.Approval + r.rules().policy.Execution))
	records, err := r.cfg.Journal.List(journal.Filter{Kinds: []journal.Kind{journal.Note, journal.Intent}, Since: since})
	if err != nil {
		return Asked{}, false, err
	}
	all := askedIn(records, r.cfg.Journal.Age, r.rules().policy)
	i := slices.IndexFunc(all, func(a Asked) bool { return a.ID == id })
	if i < 0 {
		return Asked{}, false, nil
	}
	return all[i], true, nil
}

// Review looks at the target of a request again, as whoever shall answer it, and refuses when what
// was asked for would not be the same any more.
func (r *Runner) Review(ctx context.Context, who Actor, id string) (Asked, Preview) {
	a, known, err := r.find(id)
	switch {
	case err != nil:
		return a, Preview{Risk: Severe, Refusals: []Refusal{{Guard: GuardJournal, Text: r.redact(err.Error())}}}
	case !known:
		return a, Preview{Risk: Severe, Refusals: []Refusal{{Guard: GuardSecond, Text: "there is no such request, or it has expired"}}}
	}
	p := r.Preview(ctx, who, a.Request)
	if p.Refused() {
		return a, p
	}
	if no := a.answerable(who, a.Token, true); no != nil {
		p.Refusals = append(p.Refusals, *no)
	} else if p.Token() != a.Token {
		p.Refuse(GuardChanged, fmt.Sprintf("%s was asked for, now it would be %s", a.Change, p.Change), a.Requester.Name+" has to ask again")
	}
	return a, p
}

// agreed is who agreed, and to which request, or why it is no good.
func (r *Runner) agreed(requester Actor, id string, p *Preview) (Asked, *Refusal) {
	if id == "" {
		return Asked{}, secondMissing("a second person must agree first")
	}
	a, known, err := r.find(id)
	switch {
	case err != nil:
		return a, &Refusal{Guard: GuardJournal, Text: r.redact(err.Error())}
	case !known:
		return a, secondMissing("there is no such agreement, or it was used")
	}
	return a, a.usable(requester, p.Token())
}

func secondMissing(text string) *Refusal {
	return &Refusal{Guard: GuardSecond, Text: text, Hint: "ask for a second person in the panel, or with onsale act"}
}

// usable is the refusal of an action that leans on a request, or nil.
func (a Asked) usable(requester Actor, token string) *Refusal {
	switch {
	case a.Stage == AskWaiting:
		return secondMissing("nobody has agreed yet")
	case a.Stage == AskDeclined:
		return secondMissing(a.Answerer.Name + " declined")
	case a.Stage == AskUsed:
		return secondMissing("the agreement was used: it is good once")
	case a.Stage != AskAgreed:
		return secondMissing("the agreement has expired")
	case a.Answerer.Same(requester):
		return secondMissing(a.Answerer.Name + " can't agree with themselves")
	case !a.Requester.Same(requester):
		return secondMissing("it was " + a.Requester.Name + " who asked, not " + requester.Name)
	case a.Token != token:
		return secondMissing("the agreement was for another preview")
	}
	return nil
}

// askedIn reads requests and what became of them out of records, oldest first.
func askedIn(records []journal.Record, age func(journal.Record) time.Duration, p Policy) []Asked {
	var all []Asked
	at := map[string]int{}
	answers := map[string]journal.Record{}
	for _, rec := range records {
		i, known := at[rec.ID]
		switch {
		case rec.Kind == journal.Intent && rec.Approval != "":
			if i, ok := at[rec.Approval]; ok {
				all[i].Stage = AskUsed
			}
		case rec.Kind != journal.Note || rec.Ask == nil:
		case rec.Code == codeAsks && !known:
			at[rec.ID] = len(all)
			all = append(all, askedOf(rec))
			i = len(all) - 1
			if all[i].Left = p.Approval - age(rec); all[i].Left < 0 {
				all[i].Stage, all[i].Left = AskExpired, 0
			}
		case !known || rec.Ask.Token != all[i].Token || all[i].Stage == AskUsed || all[i].Stage == AskDeclined:
		case rec.Code == codeAgrees && answers[rec.ID].Seq == 0 && !actorOf(rec.Actor).Same(all[i].Requester):
			// It was journalled, so it came in time: only its own time counts from here on.
			answers[rec.ID] = rec
			all[i].Stage, all[i].Left = AskAgreed, p.Execution-age(rec)
			if all[i].Left < 0 {
				all[i].Stage, all[i].Left = AskExpired, 0
			}
			all[i].Answerer, all[i].Answered = actorOf(rec.Actor), rec.TS
		case rec.Code == codeDenies:
			all[i].Stage, all[i].Left = AskDeclined, 0
			all[i].Answerer, all[i].Answered, all[i].Reason = actorOf(rec.Actor), rec.TS, sale.Clean(rec.Reason, 200)
		}
	}
	return all
}

// askedOf is the request in a record. Records hold foreign text as it came, so it is cleaned here.
func askedOf(rec journal.Record) Asked {
	a := Asked{
		ID: rec.ID, Seq: rec.Seq, Requester: actorOf(rec.Actor), From: unraw(rec.From), To: unraw(rec.To),
		Change: sale.Clean(rec.Text, 200), Risk: Risk(rec.Ask.Risk), Token: rec.Ask.Token, At: rec.TS, Stage: AskWaiting,
		Request: Request{
			Sale: sale.ID(rec.Sale), Verb: Verb(rec.Action), To: rec.Ask.Number, Reason: sale.Clean(rec.Reason, 400), Change: sale.Clean(rec.Change, 80),
			Text: rec.Ask.Text, Play: rec.Ask.Play, Step: rec.Ask.Step, Glass: rec.Ask.Glass, Undoes: rec.Ref, Of: Verb(rec.Of),
		},
	}
	a.Requester.Name = sale.Clean(a.Requester.Name, 40)
	if rec.Target != nil {
		a.Target = Target(*rec.Target)
	}
	for _, e := range rec.Evidence {
		o := Observed{
			Signal: sale.Signal(e.Metric), Label: sale.Clean(e.Metric, 40), Unit: sale.Unit(e.Unit), Freshness: sale.Freshness(e.Freshness),
			Age: time.Duration(e.AgeSeconds * float64(time.Second)),
		}
		if m, ok := sale.MeaningOf(o.Signal); ok {
			o.Label = m.Label
		}
		if e.Value != nil {
			o.Has, o.Value = true, *e.Value
		}
		a.Evidence = append(a.Evidence, o)
	}
	return a
}

// preview is what a record of an answer is made from.
func (a Asked) preview() Preview {
	return Preview{Request: a.Request, Target: a.Target, From: a.From, To: a.To, Change: a.Change, Risk: a.Risk}
}

// Words is the action in a few words: "pause admission 800/min → 0/min".
func (a Asked) Words() string {
	m, _ := a.Request.Verb.Meaning()
	words := m.Label
	if a.Request.Play != "" {
		words += " " + sale.Clean(a.Request.Play, 40)
	}
	if a.Change != "" {
		words += " " + a.Change
	}
	return words
}
