package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// The bounds of what a config can declare.
const (
	maxSales   = 1000
	maxSignals = 200 // of one sale
)

// namedNode is a signal as it was resolved.
type namedNode struct {
	name string
	node *node
}

// salesBuilder turns sales of the file into resolved ones.
type salesBuilder struct {
	*reader
	config    *Config
	templates *templates
	ids       map[string]*node
}

func (b *salesBuilder) build(in []*saleIn) {
	b.ids = map[string]*node{}
	if len(in) > maxSales {
		b.wrong(in[maxSales].at, fmt.Sprintf("there are more than %d sales", maxSales), "split the file")
		return
	}
	for _, s := range in {
		if s == nil || s.at == nil {
			continue
		}
		b.config.Sales = append(b.config.Sales, b.sale(s))
	}
	b.digits()
	for _, name := range b.templates.names { // a circle or an unknown parent is wrong, used or not
		if t := b.templates.byName[name]; t != nil && !t.used && t.in.Extends.given() {
			b.templates.resolve(t.key, name)
		}
	}
}

// digits numbers the first nine sales by their opening time; the file's order decides a tie.
func (b *salesBuilder) digits() {
	order := make([]*Sale, len(b.config.Sales))
	for i := range b.config.Sales {
		order[i] = &b.config.Sales[i]
	}
	slices.SortStableFunc(order, func(x, y *Sale) int { return x.Opens.Compare(y.Opens) })
	for i, s := range order[:min(len(order), 9)] {
		s.Digit = i + 1
	}
}

// title is what messages call a sale.
func (in *saleIn) title() string {
	switch {
	case in.ID.given():
		return fmt.Sprintf("the sale %q", in.ID.S)
	case in.Name.given():
		return fmt.Sprintf("the sale called %q", sale.Clean(in.Name.S, 40))
	default:
		return "this sale"
	}
}

func (b *salesBuilder) sale(in *saleIn) Sale {
	before := len(b.mistakes)
	s := Sale{at: in.at, Template: in.Template.S}
	s.ID, s.Name = sale.ID(in.ID.S), sale.Clean(in.Name.S, 80)
	s.Venue, s.Group = sale.Clean(in.Venue.S, 80), sale.Clean(in.Group.S, 40)
	s.Wall = sale.Clean(in.Wall.S, 16)
	s.Prequeue, s.Opens, s.Closes, s.Tickets = in.Prequeue.V, in.Opens.V, in.Closes.V, in.Tickets.V
	if in.ID.given() {
		if first, ok := b.ids[in.ID.S]; ok {
			b.wrong(in.ID.at, fmt.Sprintf("the id %q is here twice", in.ID.S), "give each sale its own", see(first, "the first one"))
		} else {
			b.ids[in.ID.S] = in.ID.at
		}
	}
	if in.Prequeue.given() && in.Opens.given() && !s.Prequeue.Before(s.Opens) {
		b.wrong(in.Prequeue.at, `"prequeue" is not before "opens"`, "a pre-queue ends when the doors open", see(in.Opens.at, "the doors open here"))
	}
	if in.Closes.given() && in.Opens.given() && !s.Opens.Before(s.Closes) {
		b.wrong(in.Closes.at, `"closes" is not after "opens"`, "check the date and the zone", see(in.Opens.at, "the doors open here"))
	}
	b.plan(&s, in.Plan)
	b.signalForms(in.Signals.at)
	b.actionForms(in.Actions.at)
	b.playForms(in.Plays.at)
	res := newResolved()
	if in.Template.given() {
		if res = b.templates.resolve(in.Template.at, in.Template.S); res == nil {
			return s
		}
	}
	res.depth++
	b.lay(res, in.Signals.at)
	b.layActions(res, in.Actions.at)
	b.layPlays(res, in.Plays.at)
	if len(res.signals) == 0 {
		if len(b.mistakes) > before {
			return s
		}
		at := in.at
		if in.Template.given() {
			at = in.Template.at
		}
		b.wrong(at, in.title()+" has no signals", "name a template: template: builtin/onsale, or give signals:")
		return s
	}
	if len(res.signals) > maxSignals {
		b.wrong(in.at, fmt.Sprintf("%s has more than %d signals", in.title(), maxSignals), "remove some")
		return s
	}
	b.cause = res.cause
	defer func() { b.cause = nil }()
	sc := b.newScope(in, res)
	known := b.signals(&s, res, sc)
	b.page(&s, in, res, sc, known)
	b.act(&s, res, sc, known)
	b.fitting(&s)
	s.price()
	resumes(&s)
	if len(b.mistakes) == before {
		sc.unused(res)
	}
	return s
}

// signals builds the sale's signals in display order.
func (b *salesBuilder) signals(s *Sale, res *resolved, sc *scope) map[sale.Signal]bool {
	known := map[sale.Signal]bool{}
	all := make([]built, 0, len(res.order))
	for _, name := range res.order {
		known[sale.Signal(name)] = true
		before := len(b.mistakes)
		node := sc.fill(res.signals[name])
		if len(b.mistakes) > before {
			continue // what can't be filled in can't be judged
		}
		if one, ok := b.signal(name, node); ok {
			all = append(all, one)
		}
	}
	place := places()
	slices.SortStableFunc(all, func(x, y built) int { return place(x.spec) - place(y.spec) })
	b.parts(all, known, res.removed)
	for i := range all {
		b.rules(&all[i], known, res.removed)
		s.Signals = append(s.Signals, all[i].spec)
		if all[i].read != nil {
			s.Reads = append(s.Reads, *all[i].read)
		}
		s.signals = append(s.signals, namedNode{string(all[i].spec.Signal), all[i].at})
	}
	return known
}

// places gives a signal's rank on the screen: by group, the standard ones first.
func places() func(sale.Spec) int {
	rank, groups := map[sale.Signal]int{}, map[sale.Group]int{}
	for i, m := range sale.Standard() {
		rank[m.Signal] = i
		if _, ok := groups[m.Group]; !ok {
			groups[m.Group] = len(groups)
		}
	}
	const room = 1000
	return func(s sale.Spec) int {
		g, ok := groups[s.Group]
		if !ok {
			g = len(groups)
		}
		if r, ok := rank[s.Signal]; ok {
			return g*room + r
		}
		return g*room + room - 1
	}
}

// page builds what the sale's page shows: panels, objectives and links.
func (b *salesBuilder) page(s *Sale, in *saleIn, res *resolved, sc *scope, known map[sale.Signal]bool) {
	panels := replace(res.panels, in.at.get("panels"), res.depth)
	if panels == nil {
		if t := b.templates.find(builtinPrefix + "onsale"); t != nil {
			panels = replace(nil, t.at.get("panels"), defaultLevel)
		}
	}
	for _, l := range panels {
		b.panel(s, l, sc, known, res.removed)
	}
	for _, l := range overlay(res.goals, in.at.get("objectives"), "name", res.depth) {
		b.objective(s, l, sc, known, res.removed)
	}
	titles := map[string]*node{}
	for _, l := range overlay(res.links, in.at.get("links"), "title", res.depth) {
		b.link(s, l, sc, titles)
	}
}

// defaultLevel marks panels that nobody asked for: what a sale doesn't have, they leave out.
const defaultLevel = -1

// left reports whether a signal was taken out after something that names it was declared.
func left(name string, level int, removed map[string]leveled) bool {
	gone, ok := removed[name]
	return level == defaultLevel || ok && gone.level > level
}

func (b *salesBuilder) panel(s *Sale, l leveled, sc *scope, known map[sale.Signal]bool, removed map[string]leveled) {
	if l.level == defaultLevel && !slices.ContainsFunc(l.get("signals").items, func(n *node) bool { return known[sale.Signal(n.text)] }) {
		return
	}
	b.about = "panel"
	defer func() { b.about = "" }()
	n := sc.fill(l.node)
	var in panelIn
	before := len(b.mistakes)
	b.decode(n, reflect.ValueOf(&in).Elem(), constraint{key: "panels"})
	if len(b.mistakes) > before {
		return
	}
	p := sale.Panel{Title: sale.Clean(in.Title.S, 40)}
	if len(in.Signals) < 1 || len(in.Signals) > 3 {
		b.wrong(n.keyOf("signals"), fmt.Sprintf("the panel %q has %d signals", p.Title, len(in.Signals)), "a panel shows one to three")
		return
	}
	for _, name := range in.Signals {
		sig := sale.Signal(name.S)
		switch {
		case known[sig] && slices.Contains(p.Signals, sig):
			b.wrong(name.at, fmt.Sprintf("the signal %q is in the panel twice", name.S), "remove one of them")
		case known[sig]:
			p.Signals = append(p.Signals, sig)
		case !left(name.S, l.level, removed):
			b.unknownSignal(name.at, name.S, known, removed)
		}
	}
	if len(p.Signals) > 0 {
		s.Panels = append(s.Panels, p)
	}
}

func (b *salesBuilder) objective(s *Sale, l leveled, sc *scope, known map[sale.Signal]bool, removed map[string]leveled) {
	b.about = "objective"
	defer func() { b.about = "" }()
	n := sc.fill(l.node)
	var in objectiveIn
	before := len(b.mistakes)
	b.decode(n, reflect.ValueOf(&in).Elem(), constraint{key: "objectives"})
	if len(b.mistakes) > before {
		return
	}
	o := sale.Objective{Name: sale.Clean(in.Name.S, 40), Signal: sale.Signal(in.Signal.S), Burns: sale.Watch}
	if in.Burns.S == string(sale.Bad) {
		o.Burns = sale.Bad
	}
	if !known[o.Signal] {
		if !left(in.Signal.S, l.level, removed) {
			b.unknownSignal(in.Signal.at, in.Signal.S, known, removed)
		}
		return
	}
	var err error
	if o.Target, err = strconv.ParseFloat(strings.TrimSuffix(in.Target.S, "%")+"e-2", 64); err != nil || o.Target <= 0 || o.Target >= 1 {
		b.wrong(in.Target.at, fmt.Sprintf("a target of %s can't be kept or missed", quote(in.Target.at)), "give more than 0% and less than 100%: 99.9%")
	}
	i := slices.IndexFunc(s.Signals, func(spec sale.Spec) bool { return spec.Signal == o.Signal })
	if i < 0 {
		return // the signal itself is wrong, and told
	}
	unit := s.Signals[i].Unit
	switch {
	case in.Below.given():
		rule, err := sale.ParseRule("< "+in.Below.S+" for 1s", unit)
		if err != nil || rule.Of != "" {
			b.wrong(in.Below.at, fmt.Sprintf("%s is not a limit in %s", quote(in.Below.at), unit), "write a number with the signal's unit: 1.5s")
		}
		o.Below = &rule.Limit
	case unit != sale.Ratio:
		b.wrong(in.Signal.at, fmt.Sprintf("the objective %q needs \"below\": %q is in %s", o.Name, o.Signal, unit), "add below: and the limit that is still good")
	}
	b.month(&o, &in, s, known, l.level, removed)
	for i, other := range s.Objectives {
		if other.Name == o.Name {
			b.wrong(in.Name.at, fmt.Sprintf("the objective %q is here twice", o.Name), "give it another name", see(s.goals[i].get("name"), "the first one"))
			return
		}
	}
	s.Objectives = append(s.Objectives, o)
	s.goals = append(s.goals, n)
}

func (b *salesBuilder) link(s *Sale, l leveled, sc *scope, titles map[string]*node) {
	b.about = "link"
	defer func() { b.about = "" }()
	n := sc.fill(l.node)
	var in linkIn
	before := len(b.mistakes)
	b.decode(n, reflect.ValueOf(&in).Elem(), constraint{key: "links"})
	if len(b.mistakes) > before {
		return
	}
	u, err := url.Parse(in.URL.S)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil:
		b.wrong(in.URL.at, "a link needs an https address without a user name", "write https://host/path")
		return
	case !slices.Contains(b.config.LinkHosts, strings.ToLower(u.Hostname())):
		b.wrong(in.URL.at, fmt.Sprintf("links may not lead to %q", sale.Clean(u.Hostname(), 80)), "add the host to link_hosts:")
		return
	}
	if first, ok := titles[in.Title.S]; ok {
		b.wrong(in.Title.at, fmt.Sprintf("the link %q is here twice", in.Title.S), "give it another title", see(first, "the first one"))
		return
	}
	titles[in.Title.S] = in.Title.at
	s.Links = append(s.Links, sale.Link{Title: sale.Clean(in.Title.S, 40), URL: u.String()})
}

// month reads which signal tells of the month. It must be read, as a ratio: a declared number is no
// measurement.
func (b *salesBuilder) month(o *sale.Objective, in *objectiveIn, s *Sale, known map[sale.Signal]bool, level int, removed map[string]leveled) {
	by := &in.Month
	if in.MonthErrors.given() {
		if in.Month.given() {
			b.wrong(in.MonthErrors.at, `"month" and "month_errors" exclude each other`, "keep month: for the good part, month_errors: for the bad one", see(in.Month.at, "the other one"))
			return
		}
		by, o.MonthIsBad = &in.MonthErrors, true
	}
	if !by.given() {
		return
	}
	name := sale.Signal(by.S)
	if !known[name] {
		if !left(by.S, level, removed) {
			b.unknownSignal(by.at, by.S, known, removed)
		}
		o.MonthIsBad = false
		return
	}
	i := slices.IndexFunc(s.Signals, func(spec sale.Spec) bool { return spec.Signal == name })
	switch {
	case i < 0: // the signal itself is wrong, and told
	case s.Signals[i].Unit != sale.Ratio:
		b.wrong(by.at, fmt.Sprintf("%q is in %s, the month's part is a ratio", by.S, s.Signals[i].Unit), "name a signal with unit: ratio")
	case s.Signals[i].Constant != nil:
		b.wrong(by.at, fmt.Sprintf("%q is a declared number, nobody measures it", by.S), "name a signal that is read")
	default:
		o.Month = name
	}
}
