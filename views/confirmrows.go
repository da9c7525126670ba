package views

import (
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// panelRows says what would happen, each fact in its own place. w is the room for the words.
func (f *Frame) panelRows(p *Panel, w int) []panelRow {
	var rows []panelRow
	add := func(drop int, label string, s style, words string, most int) {
		if lines := wrap(words, w, most); len(lines) > 0 {
			rows = append(rows, panelRow{label, lines, s, drop})
		}
	}
	q := p.Preview
	if q == nil {
		add(0, "target", dim, "not read yet", 1)
		return rows
	}
	for i, no := range q.Refusals {
		words := "▲ " + no.Text
		if no.Hint != "" {
			words += "; mend: " + no.Hint
		}
		add(0, firstLabel(i, "refused"), bad, words, 3)
	}
	for i, no := range q.Lifted {
		add(0, firstLabel(i, "lifts"), bad, "▲ "+no.Text, 2)
	}
	change := q.Change
	if change == "" && len(q.To) > 0 {
		change = q.From.Change(q.To)
	}
	if q.How != "" && len(q.Steps) == 0 {
		change = strings.TrimSpace(change + "   " + q.How)
	}
	add(0, "from → to", accent, change, 2)
	holds := commonHold(q.Steps)
	for i := range q.Steps {
		words := stepWords(&q.Steps[i])
		if hold := holdWords(&q.Steps[i]); holds == "" && hold != "" {
			words += "; stops " + hold
		}
		add(1, firstLabel(i, "steps"), text, words, 2)
	}
	if holds != "" {
		add(1, "stops", text, "before each step "+holds+", or when one of these is not known", 2)
	}
	if q.Target.Name != "" {
		where := q.Target.String()
		if q.Target.Account != "" {
			where += " in " + q.Target.Account
		}
		if q.Target.Region != "" {
			where += ", " + q.Target.Region
		}
		add(5, "target", text, where, 1)
	}
	for i, words := range q.Warnings {
		add(1, firstLabel(i, "warning"), watch, "◆ "+words, 2)
	}
	if !q.Refused() || q.PeopleText != "" {
		add(3, "people", text, known(q.PeopleText, "affected: not known"), 2)
	}
	add(7, "stays", text, q.Stays, 2)
	add(6, "not changed", text, q.NotChanged, 2)
	if !q.Refused() {
		add(4, "effect", text, effectWords(q), 2)
		add(4, "cost", text, costWords(q), 2)
	}
	for _, fact := range q.Facts {
		add(8, fact.Label, text, fact.Text, 2)
	}
	add(3, "reverts it", text, q.RevertsIt, 2)
	add(3, "undo", text, q.UndoText, 2)
	evidence, old := f.evidenceWords(q)
	s := text
	if old {
		s = unknown
	}
	add(2, "evidence", s, evidence, 2)
	if !q.Refused() {
		rows = append(rows, f.reasonRow(p, w))
	}
	if p.Second != "" {
		add(1, "2nd person", text, p.Second, 2)
	}
	return rows
}

// firstLabel is the label of the first row of several; the others have none.
func firstLabel(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// stepWords is "200/min → 400/min, after 2:00".
func stepWords(s *actions.Step) string {
	words := s.Preview.Change
	if m, ok := s.Request.Verb.Meaning(); ok && s.Request.Play != "" {
		words = m.Label + " " + words
	}
	if s.Preview.How != "" {
		words += "   " + s.Preview.How
	}
	if s.After > 0 {
		words += ", after " + sale.FormatAge(s.After)
	}
	return words
}

// holdWords is what stops a sequence before a step: "when declines over 5.0 %".
func holdWords(s *actions.Step) string {
	words := ""
	for i, hold := range s.Hold {
		m, ok := sale.MeaningOf(hold.Signal)
		if !ok {
			m.Label = string(hold.Signal)
		}
		joint := " or "
		if i == 0 {
			joint = "when "
		}
		over := " over "
		if hold.Over == actions.Down {
			over = " under "
		}
		words += joint + m.Label + over + format(hold.Limit, m.Unit)
	}
	return words
}

// commonHold is what stops all steps alike, or "" where they differ.
func commonHold(steps []actions.Step) string {
	if len(steps) < 2 {
		return ""
	}
	first := holdWords(&steps[0])
	for i := range steps {
		if holdWords(&steps[i]) != first {
			return ""
		}
	}
	return first
}

func known(words, otherwise string) string {
	if words == "" {
		return otherwise
	}
	return words
}

func effectWords(q *actions.Preview) string {
	words := q.EffectText
	if words == "" && q.Latest > 0 {
		words = "seen in " + span(q.Soonest) + " to " + span(q.Latest)
	}
	switch {
	case words == "" && q.Effect == nil:
		return "no signal can show it"
	case words == "":
		return "time until it is seen: not known"
	}
	return words
}

// span writes a short time: "60 s", "3 min".
func span(d time.Duration) string { return format(d.Seconds(), sale.Seconds) }

func costWords(q *actions.Preview) string {
	switch {
	case q.CostText != "":
		return q.CostText
	case q.CostPerHour == nil:
		return "not known"
	case *q.CostPerHour == 0:
		return "$0"
	case *q.CostPerHour < 0:
		return "-" + format(-*q.CostPerHour, sale.USD) + "/h"
	default:
		return "+" + format(*q.CostPerHour, sale.USD) + "/h"
	}
}

// evidenceWords quotes what the action leans on with its age now, and reports whether some of
// what is needed is stale or missing.
func (f *Frame) evidenceWords(q *actions.Preview) (words string, old bool) {
	var quoted []string
	for _, o := range q.Evidence {
		if o.Has && !o.At.IsZero() {
			o.Age = max(f.Now.Sub(o.At), 0)
		}
		old = old || o.Needed && !o.Usable()
		quoted = append(quoted, o.String())
	}
	if !q.ReadAt.IsZero() {
		quoted = append(quoted, "target read "+clockAt(q.ReadAt, f.Now))
	}
	if q.ByWhom != "" {
		by := "last changed by " + q.ByWhom
		if !q.Modified.IsZero() {
			by += " " + clockAt(q.Modified, f.Now)
		}
		quoted = append(quoted, by)
	}
	return strings.Join(quoted, " · "), old
}

func (f *Frame) reasonRow(p *Panel, w int) panelRow {
	reason := sale.Clean(p.Reason, 400)
	switch {
	case p.Confirm.Editing() && p.EditsChange:
		return panelRow{"change id", []string{lastCells(sale.Clean(p.Change, 400), w-1) + "▏"}, accent, 0}
	case p.Confirm.Editing():
		return panelRow{"reason", []string{lastCells(reason, w-1) + "▏"}, accent, 0}
	}
	words, hint := reason, "tab edits, timer stops"
	if words == "" {
		words = "none given"
	}
	if p.Change != "" {
		words += "   change " + sale.Clean(p.Change, 60)
	}
	if p.Aim != AimSend && p.Aim != AimAsk {
		hint = ""
	}
	if room := w - len(hint) - 2; cells(words) <= room {
		words += spaces(w-cells(words)-len(hint)) + hint
	}
	return panelRow{"reason", []string{clip(words, w)}, text, 0}
}
