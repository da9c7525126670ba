package ui

import (
	"math"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// question asks for what an action needs before its target is read: an absolute number, or words.
type question struct {
	label, key string
	req        actions.Request
	ask        string
	lines      []string
	input      textinput.Model
	optional   bool // nothing typed is an answer
	wrong      string
}

func (m *model) openQuestion(intent Intent, label, key string, req actions.Request) {
	q := &question{label: label, key: key, req: req, input: newInput(12)}
	switch req.Verb {
	case actions.AddNote:
		q.ask, q.input = "note", newInput(200)
		q.lines = []string{"it goes to the journal, and to the incident where one is open"}
	case actions.Resume:
		q.ask, q.optional = "rate at the end of the ramp, per minute (empty: as it was)", true
		q.lines = append(m.limitLines(req.Sale), "a resume is a ramp: it stops by itself when a health signal turns bad")
	default:
		q.ask = "new limit, per minute"
		q.lines = append(m.limitLines(req.Sale), "the number is absolute: it is what will be set")
		q.input.SetValue(m.suggestedRate(intent, req.Sale))
		q.input.CursorEnd()
	}
	if o, ok := m.offer(req.Verb, ""); ok && o.Hint != "" {
		q.lines = append(q.lines, o.Hint)
	}
	m.asking, m.helping = q, false
	m.needs(keyNeed)
}

// limitLines say what the limit of admission is now, as far as it is known.
func (m *model) limitLines(id sale.ID) []string {
	if v, known := m.admissionLimit(id); known != nil {
		return []string{"now " + sale.Format(v, known.Spec.Unit, false) + ", read " + sale.FormatAge(known.Age(m.now)) + " ago"}
	}
	return []string{"the present limit is not known here: the preview reads it"}
}

// admissionLimit is the limit of admission where a reading of it is there and not stale.
func (m *model) admissionLimit(id sale.ID) (float64, *sale.Known) {
	st := m.snap.Sale(id)
	if st == nil {
		return 0, nil
	}
	k, ok := st.Signal(sale.AdmissionLimit)
	if !ok || !k.Has {
		return 0, nil
	}
	if f := k.FreshnessAt(m.now); f == sale.Stale || f == sale.NoData {
		return 0, nil
	}
	return k.Value, &k
}

// suggestedRate is half of the limit, or a quarter more of it, in tens; "" where it isn't known.
func (m *model) suggestedRate(intent Intent, id sale.ID) string {
	v, known := m.admissionLimit(id)
	if known == nil || v <= 0 {
		return ""
	}
	if intent == rateDownIntent {
		v /= 2
	} else {
		v *= 1.25
	}
	if v >= 100 {
		v = math.Round(v/10) * 10
	}
	return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
}

func (m *model) typeQuestion(msg tea.Msg) {
	m.asking.input, _ = m.asking.input.Update(msg)
	m.asking.wrong = ""
	m.needs(keyNeed)
}

// answer takes what was typed and goes on to the panel.
func (m *model) answer() {
	q := m.asking
	m.needs(keyNeed)
	if m.together > 1 {
		q.wrong = "keys came in a burst: press enter alone"
		return
	}
	text := strings.TrimSpace(sale.Clean(q.input.Value(), 400))
	switch {
	case q.req.Verb == actions.AddNote && text == "":
		q.wrong = "a note needs words"
		return
	case q.req.Verb == actions.AddNote:
		q.req.Text = text
	case text == "" && q.optional:
	default:
		v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			q.wrong = strconv.Quote(text) + " is not a number of people per minute"
			return
		}
		q.req.To = &v
	}
	if why := m.offVerb(q.req.Verb, ""); why != "" {
		q.wrong = why
		return
	}
	if q.req.Sale != m.focus {
		q.wrong = "the focus went to another sale"
		return
	}
	m.asking = nil
	m.openPanel(q.label, q.key, q.req)
}

func (m *model) questionView() views.Question {
	q := m.asking
	return views.Question{Key: pretty(q.key), Label: q.label, Ask: q.ask, Input: sale.Clean(q.input.Value(), 400), Lines: q.lines, Wrong: q.wrong}
}
