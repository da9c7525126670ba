package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The words that a policy takes beside the verbs.
const (
	wordSevere       = "severe"
	wordIncidentOpen = "incident-open"
	wordUndo         = "undo"
	wordPlay         = "play"
)

// lifted are the guards that breaking the glass can lift.
func lifted() []string { return []string{"freeze", "second_person", "max_actions", "change"} }

// changing are the verbs that customers can feel, and that a freeze window holds up.
func changing() []string {
	return slices.Concat(scaleVerbs, gateVerbs, []string{wordUndo, wordPlay})
}

// slas reads the promises about incidents.
func (r *reader) slas(in *slasIn) SLAs {
	s := SLAs{Acknowledge: in.Acknowledge.V, Mitigate: in.Mitigate.V, Resolve: in.Resolve.V}
	var last span
	name := ""
	for _, one := range []struct {
		name string
		in   span
	}{{"acknowledge", in.Acknowledge}, {"mitigate", in.Mitigate}, {"resolve", in.Resolve}} {
		if !one.in.given() {
			continue
		}
		if one.in.V < time.Second || one.in.V > 30*24*time.Hour {
			r.wrong(one.in.at, fmt.Sprintf("%q is out of range", one.name), "give 1s to 30 days: 720h")
		}
		if last.given() && one.in.V < last.V {
			r.wrong(one.in.at, fmt.Sprintf("%q comes before %q", one.name, name), "each counts from the opening of the incident: acknowledge, then mitigate, then resolve", see(last.at, "the earlier one"))
		}
		last, name = one.in, one.name
	}
	return s
}

// policy reads what may be done. What is not said is the safer of the two.
func (r *reader) policy(c *Config, in *configFile) Policy {
	pin := &in.Policy
	p := Policy{
		Role: RoleViewer, ArmFor: pin.ArmFor.or(time.Minute), Reason: Optional, Change: Optional,
		MaxActions: MaxActions{10, 10 * time.Minute}, EvidenceMaxAge: pin.EvidenceMaxAge.V, given: pin.given(),
		ApprovalExpiry: pin.ApprovalExpiry.or(5 * time.Minute), ExecutionExpiry: pin.ExecExpiry.or(time.Minute),
	}
	if pin.Role.given() {
		p.Role = pin.Role.S
	}
	p.ReadOnly = p.Role != RoleOperator
	if pin.ReadOnly.given() {
		if !pin.ReadOnly.V && p.Role != RoleOperator && (pin.Role.given() || pin.at.get("role") == nil) {
			r.wrong(pin.ReadOnly.at, "a viewer can only read", "add role: operator, or remove read_only:")
		}
		p.ReadOnly = pin.ReadOnly.V
	}
	if production(c.Environment) {
		p.Reason = Required
	}
	if pin.Reason.given() {
		p.Reason = pin.Reason.S
	}
	if pin.Change.given() {
		p.Change = pin.Change.S
	}
	r.within(pin.ArmFor, "arm_for", 5*time.Second, 10*time.Minute, "5s to 10m")
	r.within(pin.ApprovalExpiry, "approval_expiry", 10*time.Second, time.Hour, "10s to 1h")
	r.within(pin.ExecExpiry, "execution_expiry", 10*time.Second, 10*time.Minute, "10s to 10m")
	r.within(pin.EvidenceMaxAge, "evidence_max_age", 5*time.Second, time.Hour, "5s to 1h")
	if m := pin.MaxActions; m.given() {
		p.MaxActions = MaxActions{m.Count.V, m.Per.V}
		r.within(m.Per, "per", 10*time.Second, 24*time.Hour, "10s to 24h")
	}
	for _, w := range r.wordsFrom(pin.SecondPerson, append(Verbs(), wordUndo, wordPlay, wordSevere), "a verb") {
		if w == wordSevere {
			p.SecondSevere = true
			continue
		}
		p.SecondPerson = append(p.SecondPerson, w)
	}
	p.Bounds = r.bounds(pin.Bounds.at)
	for _, f := range pin.Freeze {
		p.Freezes = append(p.Freezes, r.freeze(c, f)...)
	}
	if g := pin.BreakGlass; g != nil {
		p.BreakGlass = &BreakGlass{
			Verbs: r.wordsFrom(g.Verbs, append(Verbs(), wordUndo, wordPlay), "a verb"),
			Lifts: r.wordsFrom(g.Lifts, lifted(), "a guard"),
		}
	}
	if len(c.Controls) > 0 && pin.at.get("role") == nil {
		r.warn(in.Controls.at, "controls are declared and nobody may use them: the role is viewer", "add policy: {role: operator}, or role: viewer to say so")
	}
	return p
}

func (r *reader) within(in span, key string, least, most time.Duration, words string) {
	if in.given() && (in.V < least || in.V > most) {
		r.wrong(in.at, fmt.Sprintf("%q is out of range", key), "give "+words)
	}
}

// wordsFrom takes words of a list, each once and in the order of the file.
func (r *reader) wordsFrom(in oneOrMore, known []string, what string) []string {
	var out []string
	for i, s := range in.S {
		switch {
		case !oneOf(s, known):
			r.wrong(in.N[i], fmt.Sprintf("%s is not %s", quote(in.N[i]), what), didYouMean(s, known, ""))
		case oneOf(s, out):
			r.wrong(in.N[i], fmt.Sprintf("%q is here twice", s), "remove one of them")
		default:
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) bounds(at *node) []Bound {
	if at == nil {
		return nil
	}
	numeric := []string{VerbScaleUp, VerbScaleBack, VerbResume, VerbRate}
	var all []Bound
	for _, e := range at.entries {
		if !oneOf(e.key.text, numeric) {
			r.wrong(e.key, fmt.Sprintf("%q sets no number that could be bounded", e.key.text), didYouMean(e.key.text, numeric, ""))
			continue
		}
		var in boundIn
		before := len(r.mistakes)
		r.decode(e.value, reflect.ValueOf(&in).Elem(), constraint{key: e.key.text})
		if len(r.mistakes) > before {
			continue
		}
		b := Bound{Verb: e.key.text, Factor: in.Factor.V}
		for _, one := range []struct {
			in  number
			out **float64
		}{{in.Min, &b.Min}, {in.Max, &b.Max}} {
			if v := one.in.V; one.in.given() {
				if v < 0 || math.IsInf(v, 0) {
					r.wrong(one.in.at, "a bound can't be below zero", "give a number of at least 0")
				}
				*one.out = &v
			}
		}
		if b.Min != nil && b.Max != nil && *b.Min > *b.Max {
			r.wrong(in.Min.at, `"min" is above "max"`, "swap them", see(in.Max.at, "the maximum"))
		}
		if in.Factor.given() && (b.Factor <= 1 || math.IsInf(b.Factor, 0)) {
			r.wrong(in.Factor.at, `"factor" must be above 1`, "give how many times more one action may set: 2")
		}
		if len(in.at.entries) == 0 {
			r.wrong(e.value, fmt.Sprintf("the bound of %q is empty", e.key.text), "add min, max or factor, or remove it")
		}
		all = append(all, b)
	}
	order := Verbs()
	slices.SortStableFunc(all, func(a, b Bound) int { return slices.Index(order, a.Verb) - slices.Index(order, b.Verb) })
	return all
}

// freeze reads one window; counted from the times of sales it is one for each of them.
func (r *reader) freeze(c *Config, in *freezeIn) []Freeze {
	if in == nil || in.at == nil || !in.From.given() || !in.To.given() {
		return nil
	}
	f := Freeze{Reason: sale.Clean(in.Reason.S, 80)}
	except := append(changing(), incidentVerbs...)
	for _, w := range r.wordsFrom(in.Except, append(except, wordIncidentOpen), "a verb") {
		if w == wordIncidentOpen {
			f.ExceptIncident = true
			continue
		}
		f.Except = append(f.Except, w)
	}
	if len(f.Except) > 0 {
		f.Verbs = slices.DeleteFunc(changing(), func(v string) bool { return oneOf(v, f.Except) })
	}
	sales := make([]*Sale, 0, len(c.Sales))
	for i, id := range in.Sales.S {
		s, ok := c.Sale(sale.ID(id))
		if !ok {
			ids := make([]string, len(c.Sales))
			for i := range c.Sales {
				ids[i] = string(c.Sales[i].ID)
			}
			r.wrong(in.Sales.N[i], fmt.Sprintf("there is no sale %s", quote(in.Sales.N[i])), didYouMean(id, ids, "declare it under sales:"))
			continue
		}
		sales = append(sales, s)
		f.Sales = append(f.Sales, s.ID)
	}
	if in.Zone.given() {
		if _, why := zone(in.Zone.S); why != "" {
			r.wrong(in.Zone.at, why, "write a name such as Europe/Zagreb")
			return nil
		}
	}
	from, to := zoned(in.From, in.Zone), zoned(in.To, in.Zone)
	if !instantPattern.MatchString(from.S) && !instantPattern.MatchString(to.S) {
		return r.window(f, from, to, &Sale{})
	}
	if len(in.Sales.S) == 0 {
		for i := range c.Sales {
			sales = append(sales, &c.Sales[i])
		}
	}
	var all []Freeze
	for _, s := range sales {
		one := f
		one.Sales = []sale.ID{s.ID}
		all = append(all, r.window(one, from, to, s)...)
	}
	return all
}

// zoned adds the window's zone to a time that has none.
func zoned(in instant, zone str) instant {
	if !zone.given() || instantPattern.MatchString(in.S) {
		return in
	}
	if _, why, _ := parseMoment(in.S); strings.Contains(why, "no time zone") {
		in.S += " " + zone.S
	}
	return in
}

func (r *reader) window(f Freeze, from, to instant, s *Sale) []Freeze {
	var begins, ends bool
	f.From, begins = r.instant(from, s)
	f.Until, ends = r.instant(to, s)
	if !begins || !ends {
		return nil
	}
	if !f.From.Before(f.Until) {
		r.wrong(to.at, "the window ends before it begins", "check the dates and the zones", see(from.at, "it begins here"))
		return nil
	}
	return []Freeze{f}
}
