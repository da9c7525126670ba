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

// targetKeys are the keys that say what a kind of control acts on; those before needs are
// required.
func targetKeys(kind, verb string) (keys []string, needs int) {
	if oneOf(verb, incidentVerbs) {
		return []string{"service"}, 0
	}
	switch kind {
	case ControlWaitingRoom:
		return []string{"room"}, 1
	case ControlParameter:
		if verb == VerbRate {
			return []string{"parameter", "value"}, 1
		}
		return []string{"parameter", "value"}, 2
	case ControlWebhook:
		return []string{"target"}, 1
	case ControlAutoScaling:
		return []string{"group"}, 1
	case ControlECS:
		return []string{"service", "cluster"}, 1
	case ControlScalable:
		return []string{"resource", "dimension"}, 1
	case ControlKubernetes:
		return []string{"namespace", "name"}, 2
	default:
		return nil, 0
	}
}

// verbKeys are the keys that say how a verb is done.
var verbKeys = map[string][]string{
	VerbPause:       {"effect"},
	VerbResume:      {"floor", "ceiling", "max_active", "ramp", "every", "abort", "effect"},
	VerbRate:        {"floor", "ceiling", "max_active", "step", "effect"},
	VerbScaleUp:     {"step", "sizes", "max", "raise_max", "unit_cost", "unit_connections", "boots_in", "ahead", "effect"},
	VerbScaleBack:   {"step", "sizes", "floor", "unit_cost", "effect"},
	VerbIncident:    {"severity", "text"},
	VerbAcknowledge: {"text"},
	VerbResolve:     {"text"},
	VerbNote:        {"text"},
	VerbSilence:     {},
}

// kindKeys are the keys of verbs that only one kind of control takes.
var kindKeys = map[string]string{
	"max_active": ControlWaitingRoom, "ramp": ControlWaitingRoom, "every": ControlWaitingRoom, "abort": ControlWaitingRoom,
}

// act builds what can be done about a sale.
func (b *salesBuilder) act(s *Sale, res *resolved, sc *scope, known map[sale.Signal]bool) {
	out := map[string]bool{} // verbs that are left out on purpose
	for _, verb := range Verbs() {
		l, ok := res.actions[verb]
		if !ok {
			continue
		}
		if l.kind == nullKind || sc.absent(l.get("via")) {
			out[verb] = true
			continue
		}
		if a := b.action(s, verb, l, sc, known, res.removed); a != nil {
			s.Actions = append(s.Actions, *a)
		}
	}
	b.follow(s, res)
	for _, name := range res.playOrder {
		b.play(s, name, res, out, sc, known)
	}
}

// price carries what a unit costs, and how many are kept, from the actions that say so to the sale.
// What a scale-up adds is what will have to be paid for, so its price comes first.
func (s *Sale) price() {
	for _, verb := range []string{VerbScaleUp, VerbScaleBack} {
		a, ok := s.Action(verb)
		if !ok || a.Scale == nil {
			continue
		}
		if s.UnitCost == nil {
			s.UnitCost = a.Scale.UnitCost
		}
		s.CapacityFloor = max(s.CapacityFloor, a.Scale.Floor)
	}
}

// follow adds what comes along with opening an incident.
func (b *salesBuilder) follow(s *Sale, res *resolved) {
	open, ok := s.Action(VerbIncident)
	if !ok {
		return
	}
	ctl, ok := b.config.Control(open.Control)
	if !ok {
		return
	}
	base := *open
	for _, verb := range ctl.Verbs() {
		if _, declared := res.actions[verb]; !declared && follows(verb) {
			one := base
			one.Verb = verb
			one.Incident = &Incident{Service: base.Incident.Service}
			s.Actions = append(s.Actions, one)
		}
	}
	order := Verbs()
	slices.SortStableFunc(s.Actions, func(x, y Action) int { return slices.Index(order, x.Verb) - slices.Index(order, y.Verb) })
}

// action builds one action; nil when it is unusable.
func (b *salesBuilder) action(s *Sale, verb string, l leveled, sc *scope, known map[sale.Signal]bool, removed map[string]leveled) *Action {
	b.about = fmt.Sprintf("action %q", verb)
	defer func() { b.about = "" }()
	before := len(b.mistakes)
	via := sc.fill(l.get("via"))
	if len(b.mistakes) > before {
		return nil
	}
	ctl := b.controlFor(verb, via)
	if ctl == nil || !b.keysFit(verb, ctl, l.node) {
		return nil
	}
	at := sc.fill(withoutAbsent(sc, l.node, verb, ctl.Kind))
	if len(b.mistakes) > before {
		return nil
	}
	in := &actionIn{}
	b.decode(at, reflect.ValueOf(in).Elem(), constraint{key: verb})
	if len(b.mistakes) > before {
		return nil
	}
	targets, needs := targetKeys(ctl.Kind, verb)
	for _, key := range targets[:needs] {
		if at.get(key) == nil {
			b.wrong(at.keyOf("via"), fmt.Sprintf("the action %q has no %q", verb, key), fmt.Sprintf("add %s: …; %s control acts on %s", key, a(ctl.Kind), strings.Join(targets[:needs], " and ")))
			return nil
		}
	}
	act := &Action{Verb: verb, Control: ctl.Name, Kind: ctl.Kind}
	x := &conditions{reader: b.reader, sale: s, known: known, removed: removed, level: l.level}
	switch {
	case oneOf(verb, gateVerbs):
		act.Gate = x.gate(verb, ctl.Kind, in)
	case oneOf(verb, scaleVerbs):
		act.Scale = x.scale(verb, ctl, in)
	default:
		act.Incident = &Incident{Severity: in.Severity.S, Service: sale.Clean(in.Service.S, 80), Text: sale.Clean(in.Text.S, 1024)}
		if verb == VerbIncident && act.Incident.Severity == "" {
			act.Incident.Severity = "critical"
		}
	}
	act.Effect = x.effect(act, in, l.get("effect"))
	if len(b.mistakes) > before {
		return nil
	}
	return act
}

// withoutAbsent leaves out the keys whose variable is null, but for those that are required.
func withoutAbsent(sc *scope, n *node, verb, kind string) *node {
	targets, needs := targetKeys(kind, verb)
	required := append([]string{"via"}, targets[:needs]...)
	if verb == VerbScaleBack {
		required = append(required, "floor")
	}
	c := *n
	c.entries = slices.DeleteFunc(slices.Clone(n.entries), func(e entry) bool {
		return sc.absent(e.value) && !oneOf(e.key.text, required)
	})
	return &c
}

// keysFit refuses keys that mean nothing for a verb or for its control.
func (b *salesBuilder) keysFit(verb string, ctl *Control, at *node) bool {
	targets, _ := targetKeys(ctl.Kind, verb)
	for _, e := range at.entries {
		key := e.key.text
		if key == "via" || oneOf(key, targets) {
			continue
		}
		if kind, ok := kindKeys[key]; oneOf(key, verbKeys[verb]) && (!ok || kind == ctl.Kind) {
			continue
		}
		var verbs, kinds []string
		for _, v := range Verbs() {
			if oneOf(key, verbKeys[v]) {
				verbs = append(verbs, v)
			}
		}
		for _, kind := range doing(verb) {
			if keys, _ := targetKeys(kind, verb); oneOf(key, keys) || kindKeys[key] == kind && oneOf(key, verbKeys[verb]) {
				kinds = append(kinds, kind)
			}
		}
		fix := "remove it"
		if len(targets) > 0 {
			fix = fmt.Sprintf("remove it; %s control acts on %s", a(ctl.Kind), strings.Join(targets, ", "))
		}
		switch {
		case len(kinds) > 0:
			b.wrong(e.key, fmt.Sprintf("%q is for %s control, and %q is %s control", key, either(kinds), ctl.Name, a(ctl.Kind)), fix)
		case len(verbs) > 0:
			b.wrong(e.key, fmt.Sprintf("%q is for %s, not for %s", key, strings.Join(verbs, ", "), verb), "move it there, or remove it")
		default:
			b.wrong(e.key, fmt.Sprintf("%q has no place in %s", key, verb), fix)
		}
		return false
	}
	return true
}

// conditions reads what an action of one sale leans on.
type conditions struct {
	*reader
	sale    *Sale
	known   map[sale.Signal]bool
	removed map[string]leveled
	level   int // how far down the chain the action was declared
}

// roomFloor is the least rate that Cloudflare takes.
const roomFloor = 200

// hole is where a number stands in a value.
const hole = "{{to}}"

var usualRamp = []float64{0.25, 0.5, 1}

func (x *conditions) gate(verb, kind string, in *actionIn) *Gate {
	g := &Gate{
		Room: in.Room.S, Parameter: in.Parameter.S, Value: in.Value.S, Target: in.Target.S,
		Floor: x.positive(in.Floor, "floor"), Ceiling: x.positive(in.Ceiling, "ceiling"), MaxActive: x.positive(in.MaxActive, "max_active"),
		Step: in.Step.V,
	}
	if kind == ControlWaitingRoom {
		for _, l := range []struct {
			key string
			in  number
		}{{"floor", in.Floor}, {"ceiling", in.Ceiling}, {"max_active", in.MaxActive}} {
			if l.in.given() && l.in.V < roomFloor {
				x.wrong(l.in.at, fmt.Sprintf("%q is under what Cloudflare takes", l.key), fmt.Sprintf("give at least %d; nobody at all is pause", roomFloor))
			}
		}
	}
	if g.Floor != nil && g.Ceiling != nil && *g.Floor > *g.Ceiling {
		x.wrong(in.Floor.at, `"floor" is above "ceiling"`, "swap them", see(in.Ceiling.at, "the ceiling"))
	}
	if verb == VerbRate && kind == ControlParameter {
		if g.Value == "" {
			g.Value = hole
		}
		if !strings.Contains(g.Value, hole) {
			x.wrong(in.Value.at, fmt.Sprintf("the value has no place for the rate: %s", hole), `write "{{to}}", or {"rate": {{to}}}`)
		}
	}
	if verb != VerbResume || kind != ControlWaitingRoom {
		return g
	}
	g.Ramp, g.Every = slices.Clone(usualRamp), in.Every.or(2*time.Minute)
	if len(in.Ramp) > 0 {
		g.Ramp = nil
	}
	for _, p := range in.Ramp {
		if !p.given() {
			continue
		}
		if last := len(g.Ramp) - 1; p.V > 1 || last >= 0 && p.V <= g.Ramp[last] {
			x.wrong(p.at, "a ramp must rise, and end at 100% at most", "write [25%, 50%, 100%]")
		}
		g.Ramp = append(g.Ramp, p.V)
	}
	if g.Every < 10*time.Second || g.Every > time.Hour {
		x.wrong(in.Every.at, `"every" is out of range`, "give 10s to 1h; Cloudflare takes about 2m to carry a rate everywhere")
	}
	g.Abort = x.list(in.Abort)
	return g
}

func (x *conditions) positive(in number, key string) *float64 {
	if !in.given() {
		return nil
	}
	if in.V <= 0 || math.IsInf(in.V, 0) {
		x.wrong(in.at, fmt.Sprintf("%q must be above zero", key), "give a number above zero, or remove it")
		return nil
	}
	v := in.V
	return &v
}

func (x *conditions) scale(verb string, ctl *Control, in *actionIn) *Scale {
	c := &Scale{
		Group: in.Group.S, Cluster: in.Cluster.S, Service: in.Service.S, Namespace: in.Namespace.S, Name: in.Name.S,
		Resource: in.Resource.S, Dimension: in.Dimension.S, Step: in.Step.V, Max: in.Max.V, RaiseMax: in.RaiseMax.V,
		UnitCost: x.positive(in.UnitCost, "unit_cost"), UnitConnections: x.positive(in.UnitConnections, "unit_connections"), BootsIn: in.BootsIn.V,
	}
	switch ctl.Kind {
	case ControlECS:
		if c.Cluster == "" && ctl.ECS != nil && !strings.HasPrefix(c.Service, "arn:") {
			c.Cluster = ctl.ECS.Cluster
		}
	case ControlScalable:
		if c.Dimension == "" {
			c.Dimension = x.dimension(in.Resource)
		}
	}
	for _, n := range in.Sizes {
		if !n.given() {
			continue
		}
		if last := len(c.Sizes) - 1; last >= 0 && n.V <= c.Sizes[last] {
			x.wrong(n.at, "the sizes must rise", "write them in order, each once: [8, 14, 20]")
		}
		if c.Max > 0 && n.V > c.Max {
			x.wrong(n.at, fmt.Sprintf("the size %d is above \"max\"", n.V), "raise max, or remove the size", see(in.Max.at, "the most"))
		}
		c.Sizes = append(c.Sizes, n.V)
	}
	if in.Step.given() && len(c.Sizes) > 0 {
		x.wrong(in.Step.at, `"step" and "sizes" exclude each other`, "keep one", see(in.Sizes[0].at, "the sizes"))
	}
	if in.RaiseMax.V && !in.Max.given() {
		x.wrong(in.RaiseMax.at, `"raise_max" needs "max"`, "say how far: max: 40")
	}
	if in.BootsIn.V > time.Hour {
		x.wrong(in.BootsIn.at, `"boots_in" is longer than an hour`, "give the time until a unit carries traffic: 3m")
	}
	if verb == VerbScaleBack {
		x.floor(c, in)
	}
	c.Ahead = x.ahead(in.Ahead, c)
	return c
}

// floor reads how far a scale-back may go, which must be said.
func (x *conditions) floor(c *Scale, in *actionIn) {
	switch f := in.Floor; {
	case !f.given():
		x.wrong(in.Via.at, `the action "scale-back" has no "floor"`, "add floor: and the size that the shop needs at the least")
	case f.V < 1 || f.V > maxUnits || f.V != math.Trunc(f.V):
		x.wrong(f.at, `"floor" must be a whole number above zero`, "give the size that the shop needs at the least: 4")
	default:
		c.Floor = int(f.V)
		if len(c.Sizes) > 0 && c.Sizes[0] < c.Floor {
			x.wrong(in.Sizes[0].at, fmt.Sprintf("the size %d is under \"floor\"", c.Sizes[0]), "lower floor, or remove the size", see(f.at, "the floor"))
		}
	}
}

// dimensions are the scalable dimensions of resources that have only one.
var dimensions = map[string]string{
	"service/": "ecs:service:DesiredCount", "cluster:": "rds:cluster:ReadReplicaCount", "function:": "lambda:function:ProvisionedConcurrency",
	"spot-fleet-request/": "ec2:spot-fleet-request:TargetCapacity",
}

func (x *conditions) dimension(resource text) string {
	for prefix, dimension := range dimensions {
		if strings.HasPrefix(resource.S, prefix) {
			return dimension
		}
	}
	x.wrong(resource.at, fmt.Sprintf("%s can be scaled in more than one way", quote(resource.at)), "add dimension:, such as dynamodb:table:ReadCapacityUnits")
	return ""
}

func (x *conditions) ahead(in []*aheadIn, c *Scale) []AheadOfTime {
	var all []AheadOfTime
	for _, one := range in {
		if one == nil || !one.At.given() || !one.To.given() {
			continue
		}
		at, ok := x.instant(one.At, x.sale)
		if !ok {
			continue
		}
		if c.Max > 0 && one.To.V > c.Max {
			x.wrong(one.To.at, fmt.Sprintf("%d is above \"max\"", one.To.V), "raise max, or ask for less")
		}
		for _, other := range all {
			if other.At.Equal(at) {
				x.wrong(one.At.at, "two sizes are wanted at the same time", "remove one of them")
			}
		}
		all = append(all, AheadOfTime{At: at, To: one.To.V, Text: one.At.S})
	}
	slices.SortStableFunc(all, func(a, b AheadOfTime) int { return a.At.Compare(b.At) })
	return all
}
