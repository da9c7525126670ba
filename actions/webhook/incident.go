package webhook

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

const noteCells = 400

// dedup is the name of a sale's incident: the same in every cockpit and at every press.
func dedup(id sale.ID) string { return "onsale/" + string(id) + "/incident" }

// tellIncident puts into the preview what the call will carry, so that it is shown before.
func (e *Executor) tellIncident(p *actions.Preview, seen actions.Evidence) {
	for i, r := range seen.Reasons {
		if i == 3 {
			break
		}
		p.Facts = append(p.Facts, actions.Fact{Label: "cause", Text: sale.Clean(r.Text, 200)})
	}
	for _, verdict := range []sale.Verdict{sale.Bad, sale.Unknown, sale.Watch, sale.OK, ""} {
		for _, o := range seen.Signals {
			if o.Has && o.Verdict == verdict && len(p.Evidence) < 12 {
				p.Evidence = append(p.Evidence, o)
			}
		}
	}
	p.Change = fmt.Sprintf("%s: %s", e.o.Name, p.To.String())
	p.How = "deduplicated by " + dedup(p.Request.Sale)
	if e.o.repeats {
		p.How = "one message; pressing again posts another"
	}
	p.NotChanged = "the shop, its gate and its capacity"
	p.UndoText = "nothing is taken back; a later call resolves it, where the tool can"
	p.EffectText = cmp.Or(e.o.Accepted, "accepted is not the same as paged")
}

// values are those of the placeholders for one call.
func (e *Executor) values(p actions.Preview, verb actions.Verb) map[string]any {
	id := p.Request.Sale
	name := cmp.Or(e.o.Names[id], string(id))
	clean := func(s string, cells int) string { return e.told(e.clean(s, cells)) }
	v := map[string]any{
		holeVerb: string(verb), holeTarget: e.o.Name, holeSeverity: e.o.Severity, holeService: clean(e.o.Service, 80), holeSale: string(id), holeSaleName: clean(name, 120), holeDedup: dedup(id),
		holeAt: p.ReadAt.UTC().Format(time.RFC3339), holeReason: clean(p.Request.Reason, 200), holeChange: clean(p.Request.Change, 80),
	}
	if n, ok := p.To[SettingRate].Number(); ok {
		v[holeTo] = n
	}
	if on, ok := p.To[SettingPaused].Flag(); ok {
		v[holePaused] = on
	}
	if note, ok := p.To[SettingNote].Word(); ok {
		v[holeNote] = clean(note, noteCells)
	}
	var causes, figures []string
	for _, f := range p.Facts {
		causes = append(causes, clean(f.Text, 200))
	}
	for _, o := range p.Evidence {
		figures = append(figures, clean(o.String(), 120))
	}
	var links []map[string]string
	for _, l := range e.o.Links[id] {
		links = append(links, map[string]string{"title": clean(l.Title, 60), "url": e.hide(l.URL)})
	}
	v[holeCause], v[holeFigures], v[holeLinks] = strings.Join(causes, "; "), figures, links
	if len(links) > 0 {
		v[holeLink] = links[0]["url"]
	}
	head := cmp.Or(sale.Clean(p.Request.Text, 160), first(p.Facts), "incident")
	switch {
	case verb == actions.AddNote:
		head = "note"
	case p.Request.Text == "" && e.o.Summary != "":
		head = sale.Clean(e.o.Summary, 160)
	}
	v[holeTitle] = e.short(holeTitle, clean(name+": "+head, 200))
	v[holeDescription] = e.short(holeDescription, e.description(v, verb, causes, figures))
	return v
}

func first(facts []actions.Fact) string {
	if len(facts) == 0 {
		return ""
	}
	return facts[0].Text
}

// told is a text as the tool must get it.
func (e *Executor) told(s string) string {
	if e.o.escape != nil {
		return e.o.escape(s)
	}
	return s
}

// short keeps a text within the tool's own bound.
func (e *Executor) short(name, text string) string {
	limit, ok := e.o.bounded[name]
	if runes := []rune(text); ok && len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// description is the sale, the cause, the last figures with their ages, and the links.
func (e *Executor) description(v map[string]any, verb actions.Verb, causes, figures []string) string {
	lines := []string{
		fmt.Sprintf("%s: %v", label(verb), v[holeTitle]),
		fmt.Sprintf("Sale: %v, seen %v", v[holeSale], v[holeAt]),
	}
	add := func(label string, value any) {
		if s := text(value); s != "" {
			lines = append(lines, label+": "+s)
		}
	}
	add("Severity", v[holeSeverity])
	add("Service", v[holeService])
	add("Note", v[holeNote])
	for _, c := range causes {
		add("Cause", c)
	}
	add("Reason given", v[holeReason])
	add("Change", v[holeChange])
	for _, l := range v[holeLinks].([]map[string]string) {
		add(l["title"], e.told(l["url"]))
	}
	for _, f := range figures {
		add("Figure", f)
	}
	return strings.Join(lines, "\n")
}

func label(v actions.Verb) string {
	switch v {
	case actions.Acknowledge:
		return "Acknowledged"
	case actions.Resolve:
		return "Resolved"
	case actions.AddNote:
		return "Note"
	}
	return "Incident"
}
