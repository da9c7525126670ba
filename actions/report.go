package actions

import (
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// ReportSchema names the shape of Report.
const ReportSchema = "onsale.act/v1"

// Report is a result as other programs read it: `onsale act --output json`. What is not known
// is null, never 0. Ages and durations are seconds.
type Report struct {
	Schema   string         `json:"schema"`
	Action   Verb           `json:"action"`
	Sale     sale.ID        `json:"sale"`
	Outcome  Outcome        `json:"outcome"`
	Reason   string         `json:"reason"` // why it ended so
	From     Value          `json:"from"`
	To       Value          `json:"to"`
	ReadBack Value          `json:"read_back"`
	Journal  JournalReport  `json:"journal"`
	Preview  *PreviewReport `json:"preview"`
	ID       string         `json:"id,omitempty"`
	Request  string         `json:"provider_request_id,omitempty"`
	Link     string         `json:"link,omitempty"`
	Refusals []Refusal      `json:"refusals,omitempty"`
	Hint     string         `json:"hint,omitempty"`
	Steps    []Report       `json:"steps,omitempty"`
	// Unrecorded says that the end is true but could not be journalled.
	Unrecorded string `json:"unrecorded,omitempty"`
}

// JournalReport holds the sequence numbers of the records; null where there is none.
type JournalReport struct {
	Intent *uint64 `json:"intent"`
	Result *uint64 `json:"result"`
}

// PreviewReport is a preview as other programs read it.
type PreviewReport struct {
	Token      string           `json:"token"`
	Target     Target           `json:"target"`
	From       Value            `json:"from"`
	To         Value            `json:"to"`
	ReadAt     *time.Time       `json:"read_at"`
	Change     string           `json:"change"`
	How        string           `json:"how"`
	People     *float64         `json:"people"`
	PeopleText string           `json:"people_text"`
	Stays      string           `json:"stays"`
	NotChanged string           `json:"not_changed"`
	Soonest    *float64         `json:"soonest_seconds"`
	Latest     *float64         `json:"latest_seconds"`
	Cost       *float64         `json:"cost_per_hour_usd"`
	Undo       string           `json:"undo"`
	RevertsIt  string           `json:"reverts_it"`
	Facts      []Fact           `json:"facts,omitempty"`
	Warnings   []string         `json:"warnings"`
	Refusals   []Refusal        `json:"refusals"`
	Lifted     []Refusal        `json:"lifted,omitempty"`
	Risk       Risk             `json:"risk"`
	Evidence   []EvidenceReport `json:"evidence"`
	Effect     *EffectReport    `json:"effect"`
	Steps      []PreviewReport  `json:"steps,omitempty"`
}

// EvidenceReport is one signal that a preview leans on.
type EvidenceReport struct {
	Signal    sale.Signal    `json:"signal"`
	Value     *float64       `json:"value"`
	Unit      sale.Unit      `json:"unit"`
	Age       *float64       `json:"age_seconds"`
	Freshness sale.Freshness `json:"freshness"`
	Needed    bool           `json:"needed"`
}

// EffectReport is how the signals will show it.
type EffectReport struct {
	Signal    sale.Signal `json:"signal"`
	Direction Direction   `json:"direction"`
	Wanted    float64     `json:"wanted"`
	Within    float64     `json:"within_seconds"`
}

// ExitCode is what `onsale act` exits with: 0 done, 1 refused, 2 failed, 3 unknown.
func (o Outcome) ExitCode() int {
	switch o {
	case Done:
		return 0
	case Refused:
		return 1
	case Failed:
		return 2
	default:
		return 3
	}
}

// Report makes the report of a result.
func (r *Result) Report() Report {
	p := r.Preview.Report()
	rep := Report{
		Schema: ReportSchema, Action: r.Preview.Request.Verb, Sale: r.Preview.Request.Sale, Outcome: r.Outcome, Reason: r.Text,
		From: r.Preview.From, To: r.Preview.To, ReadBack: r.ReadBack, Preview: &p, ID: r.ID,
		Journal: JournalReport{Intent: seq(r.IntentSeq), Result: seq(r.ResultSeq)},
		Request: r.Receipt.RequestID, Link: r.Receipt.Link, Refusals: r.Refusals,
	}
	if r.Problem != nil {
		rep.Hint = r.Problem.Hint
	}
	if r.Unrecorded != nil {
		rep.Unrecorded = r.Unrecorded.Error()
	}
	for i := range r.Steps {
		rep.Steps = append(rep.Steps, r.Steps[i].Report())
	}
	return rep
}

// Report makes the report of a preview.
func (p *Preview) Report() PreviewReport {
	rep := PreviewReport{
		Token: p.Token(), Target: p.Target, From: p.From, To: p.To, Change: p.Change, How: p.How,
		People: p.People, PeopleText: p.PeopleText, Stays: p.Stays, NotChanged: p.NotChanged,
		Soonest: positive(p.Soonest), Latest: positive(p.Latest), Cost: p.CostPerHour, Undo: p.UndoText, RevertsIt: p.RevertsIt,
		Facts: p.Facts, Warnings: append([]string{}, p.Warnings...), Refusals: append([]Refusal{}, p.Refusals...),
		Lifted: p.Lifted, Risk: p.Gesture(), Evidence: []EvidenceReport{},
	}
	if !p.ReadAt.IsZero() {
		at := p.ReadAt.UTC()
		rep.ReadAt = &at
	}
	for _, o := range p.Evidence {
		e := EvidenceReport{Signal: o.Signal, Unit: o.Unit, Freshness: o.Freshness, Needed: o.Needed}
		if o.Has {
			v, age := o.Value, o.Age.Seconds()
			e.Value, e.Age = &v, &age
		}
		rep.Evidence = append(rep.Evidence, e)
	}
	if e := p.Effect; e != nil {
		rep.Effect = &EffectReport{e.Signal, e.Direction, e.Wanted, e.Within.Seconds()}
	}
	for i := range p.Steps {
		rep.Steps = append(rep.Steps, p.Steps[i].Preview.Report())
	}
	return rep
}

func seq(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	return &n
}

func positive(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}
