package sale

import (
	"cmp"
	"slices"
	"time"
)

// resolvedFor is how long a resolved incident is still told of.
const resolvedFor = 30 * time.Minute

// desk is what a sale's entry knows of its incidents.
type desk struct {
	tools []toolDesk // of the sources that tell of them
	log   *Log       // nil: no journal is read
	marks marks
}

// toolDesk is what one source tells of one sale.
type toolDesk struct {
	source *sourceEntry
	at     time.Time // of the last good read; zero: there was none
	list   []Incident
}

// marks remember how the verdict has moved, for telling when an incident was mitigated.
type marks struct {
	notBad time.Time // since when the sale has not been BAD; zero: it is, or it is not known
	ok     time.Time // the first OK since then
	seen   bool      // a verdict other than OK was judged here before, so that ok is no guess
}

// step takes in the verdict as it stands; since is when it became so. UNKNOWN proves nothing.
func (m *marks) step(v Verdict, since time.Time) {
	switch v {
	case Bad:
		*m = marks{seen: true}
	case Watch:
		m.seen = true
		if m.notBad.IsZero() {
			m.notBad = since
		}
	case OK:
		if m.notBad.IsZero() {
			m.notBad = since
		}
		if m.ok.IsZero() {
			m.ok = since
		}
	}
}

// mitigate says in an incident whether it is mitigated under a verdict: the sale is OK again, or
// has left BAD and the effect of an action was seen. A sale that was OK before the opening and has
// been ever since shows nothing that could be mitigated, so its clock runs until it is resolved.
func (m *marks) mitigate(in *Incident, v Verdict) {
	noted := in.MitigatedAt
	in.Mitigated, in.MitigatedAt, in.Blind = false, time.Time{}, v != OK && v != Watch && v != Bad
	if v == Bad || in.Blind {
		return
	}
	at := m.ok
	if left := m.notBad; !left.IsZero() && !in.EffectSeen.IsZero() {
		if in.EffectSeen.After(left) {
			left = in.EffectSeen
		}
		if at.IsZero() || left.Before(at) {
			at = left
		}
	}
	if at.IsZero() || !at.After(in.Opened) {
		return
	}
	in.Mitigated, in.MitigatedAt = true, at
	if !m.seen { // it was so when this program first looked: only the journal can know since when
		in.MitigatedAt = noted
	}
}

// addTools prepares the desks of the sales that a source tells of.
func (e *engine) addTools() {
	for _, src := range e.sources {
		if src.state.Incidents == nil {
			continue
		}
		for _, s := range e.sales {
			if slices.Contains(src.state.Incidents.Sales, s.sale.ID) {
				s.desk.tools = append(s.desk.tools, toolDesk{source: src})
			}
		}
	}
}

// incidents takes in what a batch tells of incidents. A failed poll leaves what was known.
func (in *intake) incidents() {
	read := in.batch.Incidents
	for _, s := range in.sales {
		for i := range s.desk.tools {
			t := &s.desk.tools[i]
			if t.source != in.source {
				continue
			}
			s.dirty = true // also a failure changes what is known
			if read == nil || in.batch.Problem != nil {
				continue
			}
			t.at, t.list = read.At, t.list[:0:0]
			for _, one := range read.List {
				if one.Sale == s.sale.ID {
					one.settle()
					t.list = append(t.list, one)
				}
			}
		}
	}
	if read != nil && in.batch.Problem == nil {
		in.newest = max(in.newest, read.At.UnixNano())
	}
}

// recorded takes in what the journal tells.
func (e *engine) recorded(logs []Log) {
	for i := range logs {
		for _, s := range e.sales {
			if s.sale.ID != logs[i].Sale {
				continue
			}
			l := Log{Sale: s.sale.ID, Problem: logs[i].Problem, Events: slices.Clone(logs[i].Events), Incidents: slices.Clone(logs[i].Incidents)}
			for j := range l.Incidents {
				l.Incidents[j].settle()
			}
			for j := range l.Events {
				l.Events[j].At = moment(l.Events[j].At)
			}
			s.desk.log, s.dirty, s.told = &l, true, true
		}
	}
}

// state is what is known of the incidents at now, and when time alone may change that.
func (d *desk) state(v Verdict, now time.Time) (st IncidentState, due time.Time) {
	if len(d.tools) == 0 && d.log == nil {
		return IncidentState{}, time.Time{}
	}
	st.Kept, st.Known = len(d.tools) > 0 || d.log != nil, true
	unknown := func(why string) {
		if st.Known {
			st.Known, st.Why = false, why
		}
	}
	var all []Incident
	for i := range d.tools {
		t := &d.tools[i]
		st.Tool = t.source.state.Incidents.Tool
		all = append(all, t.list...)
		switch fresh := t.source.cadence().Freshness(t.at, now); {
		case t.at.IsZero() && t.source.state.Problem == nil:
			unknown(st.Tool + " was not read yet")
		case t.source.state.Failures > 0 && t.source.state.Problem != nil:
			unknown(st.Tool + " can't be read: " + t.source.state.Problem.Text)
		case fresh == Stale || fresh == NoData:
			unknown(st.Tool + " was last read at " + t.at.UTC().Format("15:04:05Z"))
		default:
			due = earliest(due, t.source.cadence().nextFreshness(t.at, now))
		}
	}
	if d.log != nil {
		for _, one := range d.log.Incidents {
			all = join(all, one)
		}
		if d.log.Problem != "" && len(d.tools) == 0 {
			unknown(d.log.Problem)
		}
	}
	var open []Incident
	var last *Incident
	for i := range all {
		one := &all[i]
		if one.Open() {
			open = append(open, *one)
			continue
		}
		ends := one.Resolved.Add(resolvedFor)
		if !one.Resolved.IsZero() && now.Before(ends) && (last == nil || one.Resolved.After(last.Resolved)) {
			last, due = one, earliest(due, ends)
		}
	}
	if len(open) > 0 {
		slices.SortStableFunc(open, func(a, b Incident) int {
			return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), a.Opened.Compare(b.Opened))
		})
		last, st.Others = &open[0], len(open)-1
	}
	if last != nil {
		one := *last
		if one.Open() {
			d.marks.mitigate(&one, v)
		} else {
			one.Mitigated = !one.MitigatedAt.IsZero()
		}
		st.Current = &one
	}
	return st, due
}

// rankOf puts what nobody has acknowledged first.
func rankOf(in Incident) int {
	if in.Status == IncidentAcknowledged {
		return 1
	}
	return 0
}

// join adds what the journal knows of an incident to what a tool shows of it: whichever is newer
// says how far it has come, and the first of two times counts.
func join(all []Incident, log Incident) []Incident {
	i := slices.IndexFunc(all, func(in Incident) bool { return sameIncident(in, log) })
	if i < 0 {
		return append(all, log)
	}
	tool := &all[i]
	newer := func(at time.Time) bool { return at.After(tool.Seen) }
	switch {
	case tool.Open() && log.Status == IncidentResolved && newer(log.Resolved):
		tool.Status, tool.Resolved, tool.ResolvedBy = IncidentResolved, log.Resolved, log.ResolvedBy
	case tool.Status == IncidentOpen && log.Status == IncidentAcknowledged && newer(log.Acknowledged):
		tool.Status = IncidentAcknowledged
	}
	first := func(to *time.Time, who *string, at time.Time, by string) {
		if !at.IsZero() && (to.IsZero() || at.Before(*to)) {
			*to, *who = at, cmp.Or(by, *who)
		}
	}
	first(&tool.Opened, &tool.OpenedBy, log.Opened, log.OpenedBy)
	first(&tool.Acknowledged, &tool.AcknowledgedBy, log.Acknowledged, log.AcknowledgedBy)
	tool.Accepted, tool.FirstAction, tool.EffectSeen, tool.MitigatedAt = log.Accepted, log.FirstAction, log.EffectSeen, log.MitigatedAt
	tool.OpenedBy, tool.System = cmp.Or(tool.OpenedBy, log.OpenedBy), cmp.Or(tool.System, log.System)
	return all
}

// sameIncident reports whether two accounts are of one incident: a key that was resolved can be
// opened again, and is another one then.
func sameIncident(a, b Incident) bool {
	over := func(one, other Incident) bool {
		return !one.Resolved.IsZero() && one.Resolved.Before(other.Opened)
	}
	return a.Key == b.Key && !over(a, b) && !over(b, a)
}
