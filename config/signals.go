package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onsale-dev/onsale/sale"
)

// attributeKinds says which kinds of source a signal's key belongs to. "group" is not here: it
// is the group's name for one kind, and a place on the screen for all others.
var attributeKinds = map[string][]string{
	"query":  {KindPrometheus},
	"metric": {KindCloudWatch}, "namespace": {KindCloudWatch, KindKubernetes}, "dimensions": {KindCloudWatch}, "statistic": {KindCloudWatch},
	"metrics": {KindCloudWatch}, "expression": {KindCloudWatch}, "period": {KindCloudWatch}, "missing": {KindCloudWatch, KindRedis}, "band": {KindCloudWatch},
	"region": {KindCloudWatch}, "account": {KindCloudWatch},
	"queue": {KindSQS}, "attribute": {KindSQS},
	"room": {KindWaitingRoom}, "field": {KindWaitingRoom, KindAutoScaling, KindECS, KindRDS, KindKubernetes, KindHTTPJSON, KindRedis},
	"jq": {KindHTTPJSON}, "boolean": {KindHTTPJSON}, "key": {KindRedis}, "consumers": {KindRedis},
	"cluster": {KindECS, KindRDS}, "service": {KindECS}, "instance": {KindRDS},
	"object": {KindKubernetes}, "resource": {KindKubernetes},
}

// attributesOf lists the keys that read a kind of source, for a fix.
func attributesOf(kind string) string {
	switch kind {
	case KindPrometheus:
		return "query"
	case KindCloudWatch:
		return "metric with dimensions and statistic, or metrics with expression"
	case KindSQS:
		return "queue and attribute"
	case KindAutoScaling:
		return "group and field"
	case KindECS:
		return "service, cluster and field"
	case KindRDS:
		return "instance or cluster, and field"
	case KindKubernetes:
		return "namespace, object, resource and field"
	case KindHTTPJSON:
		return "jq, or field where it has a preset"
	case KindRedis:
		return "key and field, and consumers for a group of a stream"
	default:
		return "room and field"
	}
}

// fieldUnits are what the figures of rooms, groups, services and workloads count.
var fieldUnits = map[string]sale.Unit{
	"queued_users": sale.Users, "active_users": sale.Users, "total_active_users": sale.Users,
	"new_users_per_minute": sale.PerMinute, "wait": sale.Seconds, "queue_all": sale.Count,
	"in_service": sale.Count, "desired": sale.Count, "min": sale.Count, "max": sale.Count, "pending": sale.Count, "unhealthy": sale.Count,
	"warm": sale.Count, "healthy_targets": sale.Count, "running": sale.Count, "unschedulable": sale.Count,
	"connections_max": sale.Count, "available": sale.Count, "readers": sale.Count, "failover_targets": sale.Count, "acu_min": sale.Count, "acu_max": sale.Count,
	"storage_bytes": sale.Bytes, "storage_max_bytes": sale.Bytes,
	"waiting_in_queue": sale.Users, "redirects_last_minute": sale.PerMinute, "max_redirects_per_minute": sale.PerMinute,
	"publish_rate": sale.PerSecond, "deliver_rate": sale.PerSecond, "ack_rate": sale.PerSecond,
	"gate_rate": sale.PerMinute, "gate_paused": sale.Count, "passed_per_minute": sale.PerMinute,
}

// sourceNamed finds the source that a "from" names.
func (r *reader) sourceNamed(n *node) *Source {
	for i := range r.known {
		if s := &r.known[i]; s.Name == n.text && s.ReadsAlarms() {
			r.wrong(n, fmt.Sprintf("%s source tells of alarms, no signal can read from it", a(s.Kind)), "name a source that is read for figures, such as prometheus or cloudwatch")
			return nil
		} else if s.Name == n.text {
			return s
		}
	}
	names := make([]string, len(r.known))
	for i, s := range r.known {
		names[i] = s.Name
	}
	why, fix := fmt.Sprintf("there is no source called %s", quote(n)), didYouMean(n.text, names, "declare it under sources:")
	if n.doc.builtin && n.filled {
		// A default of a shipped template: one sentence for all signals that use it.
		r.wrongOnce(n, fmt.Sprintf("the template's signals read a source called %s, and there is none", quote(n)),
			fmt.Sprintf("declare it under sources:, set %s to one of yours (%s), or remove those signals with null", strings.TrimPrefix(n.raw, "$"), strings.Join(names, ", ")))
		return nil
	}
	r.wrong(n, why, fix)
	return nil
}

// wrongOnce tells a mistake of a shipped template without the signal's name before it, so
// that the same words about the same place are said once.
func (r *reader) wrongOnce(n *node, why, fix string) {
	about := r.about
	r.about = ""
	r.wrong(n, why, fix)
	r.about = about
}

// built is a signal as a sale has it.
type built struct {
	spec sale.Spec
	read *Read
	in   *signalIn
	at   *node
}

// signal builds one signal of a sale from its filled node; ok is false when it is unusable.
func (r *reader) signal(name string, at *node) (b built, ok bool) {
	r.about = fmt.Sprintf("signal %q", name)
	defer func() { r.about = "" }()
	before := len(r.mistakes)
	in := &signalIn{}
	r.decode(at, reflect.ValueOf(in).Elem(), constraint{key: name})
	b = built{in: in, at: at}
	m, standard := sale.MeaningOf(sale.Signal(name))
	if !standard {
		m = sale.Meaning{Signal: sale.Signal(name), Label: strings.ReplaceAll(name, "_", " "), Group: sale.Other}
	}
	b.spec = sale.Spec{Signal: m.Signal, Group: m.Group, Label: m.Label, Needed: in.Needed.V, Of: sale.Signal(in.Of.S)}
	b.spec.Unit = r.unit(name, in, m, standard)
	if in.Label.given() {
		b.spec.Label = sale.Clean(in.Label.S, 24)
	}
	if in.Group.given() && !r.readsGroup(in) {
		r.onScreen(in)
		if standard && in.Group.S != string(m.Group) {
			r.wrong(in.Group.at, fmt.Sprintf("the standard signal %q belongs to the group %s", name, m.Group), "remove group:")
		}
		b.spec.Group = sale.Group(in.Group.S)
	}
	r.runbook(in.Runbook, &b.spec)
	switch {
	case in.Value.given() && in.From.given():
		r.wrong(at.keyOf("value"), `"value" and "from" exclude each other`, "keep value: for a fixed number, from: for one that is read", see(at.keyOf("from"), "the other one"))
	case in.Value.given():
		v := in.Value.V
		b.spec.Constant = &v
		r.noAttributes(at)
	case in.From.given():
		r.attach(&b, name)
	case at.keyOf("from") == at && at.keyOf("value") == at && r.adjusts(name, at):
		r.wrong(at, fmt.Sprintf("the signal %q has neither \"from\" nor \"value\"", name), "add from: and how to read it, or value:")
	}
	return b, len(r.mistakes) == before
}

func (r *reader) unit(name string, in *signalIn, m sale.Meaning, standard bool) sale.Unit {
	unit := m.Unit
	if !standard {
		if unit = sale.Unit(in.Unit.S); unit == "" {
			unit = sale.Count
			if u, ok := fieldUnits[in.Field.S]; ok {
				unit = u
			}
		}
	} else if in.Unit.given() && in.Unit.S != string(unit) {
		r.wrong(in.Unit.at, fmt.Sprintf("the standard signal %q is in %s, not in %s", name, unit, in.Unit.S),
			fmt.Sprintf("bring the value to %s and remove unit:, or give the signal another name", unit))
	}
	if u, ok := fieldUnits[in.Field.S]; ok && u != unit {
		r.wrong(in.Field.at, fmt.Sprintf("the field %q is in %s, the signal %q in %s", in.Field.S, u, name, unit), "choose another field, or another name for the signal")
	}
	if in.Attribute.given() && unit != sale.Count {
		r.wrong(in.Attribute.at, fmt.Sprintf("the attribute %q is a count, the signal %q is in %s", in.Attribute.S, name, unit), "choose another signal; the age of the oldest message is a CloudWatch metric")
	}
	return unit
}

func (r *reader) noAttributes(at *node) {
	for _, e := range at.entries {
		if _, ok := attributeKinds[e.key.text]; ok {
			r.wrong(e.key, fmt.Sprintf("%q has no place beside \"value\": nothing is read", e.key.text), "remove it, or write from: instead of value:")
		}
	}
}

// attach says how the signal is read.
func (r *reader) attach(b *built, name string) {
	s := r.sourceNamed(b.in.From.at)
	if s == nil {
		return
	}
	if s.Kind == "" {
		return // the source itself is wrong, and told
	}
	if r.noSignal(b, s) {
		return
	}
	b.spec.Source = s.Name
	b.spec.Cadence = sale.Cadence{Period: s.Every}
	for _, e := range b.at.entries {
		if kinds, ok := attributeKinds[e.key.text]; ok && !oneOf(s.Kind, kinds) {
			r.wrong(e.key, fmt.Sprintf("%q is for %s source, and %q is %s source", e.key.text, either(kinds), s.Name, a(s.Kind)),
				fmt.Sprintf("%s source is read with %s", a(s.Kind), attributesOf(s.Kind)))
			return
		}
	}
	read := &Read{Signal: b.spec.Signal, Source: s.Name, Unit: b.spec.Unit}
	in := b.in
	switch s.Kind {
	case KindPrometheus:
		b.spec.Cadence.Period = max(s.Every, minFreshness)
		if r.need(b, in.Query.given(), "query", s) {
			read.Prometheus = &PrometheusRead{Query: in.Query.S}
		}
	case KindCloudWatch:
		read.CloudWatch = r.cloudwatch(b, s)
		if read.CloudWatch != nil {
			b.spec.Band = r.band(b)
			read.CloudWatch.Band = b.spec.Band
		}
		if s.CloudWatch != nil && read.CloudWatch != nil {
			b.spec.Cadence = sale.Cadence{Period: max(read.CloudWatch.Period, s.Every), Delay: s.CloudWatch.Delay}
		}
	case KindSQS:
		q := &SQSRead{Queue: in.Queue.S, Attribute: in.Attribute.S}
		if q.Queue == "" && s.SQS != nil {
			q.Queue = s.SQS.Queue
		}
		if q.Attribute == "" {
			q.Attribute = "visible"
		}
		if r.need(b, q.Queue != "", "queue", s) {
			read.SQS = q
		}
		b.spec.Estimate = true // AWS calls all of them approximate
	case KindWaitingRoom:
		if r.need(b, in.Room.given(), "room", s) && r.need(b, in.Field.given(), "field", s) {
			read.WaitingRoom = &WaitingRoomRead{Room: in.Room.S, Field: in.Field.S}
		}
		r.fieldOf(b, s)
		r.room(b, in.Field.S)
	case KindHTTPJSON, KindRedis:
		r.gateRead(b, s, read)
	case KindRDS:
		r.database(b, s, read)
	default:
		r.capacity(b, s, read)
	}
	b.read = read
	b.spec.System = systemOf(read)
}

// statusDelay is the most that a waiting room's status is behind when it is served, 20 to 50 s
// by Cloudflare's own documents. The source dates all of a room's figures by it.
const statusDelay = 50 * time.Second

// minFreshness is the shortest period that a Prometheus figure's age is judged by: no server
// scrapes faster than this in practice, and one lost poll of a 1 s cadence must not blind a sale.
const minFreshness = 5 * time.Second

// room marks the figures of the status, which are estimates; the others are settings.
func (r *reader) room(b *built, field string) {
	b.spec.Cadence.Delay = statusDelay
	switch field {
	case "queued_users", "active_users", "wait":
		b.spec.Estimate = true
	}
}

// a puts the article before a kind of source or control.
func a(kind string) string {
	if kind == KindSQS || kind == KindRDS || kind == KindHTTPJSON || strings.HasPrefix(kind, "ssm-") || strings.ContainsAny(kind[:min(1, len(kind))], "ae") {
		return "an " + kind
	}
	return "a " + kind
}

// either names some kinds with their articles: "a prometheus", "an ecs or a kubernetes".
func either(kinds []string) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = a(k)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (r *reader) need(b *built, has bool, key string, s *Source) bool {
	if has || b.at.keyOf(key) != b.at { // given and wrong: told already
		return has
	}
	fix := fmt.Sprintf("%s source is read with %s", a(s.Kind), attributesOf(s.Kind))
	if key == "statistic" {
		fix = "add statistic: Sum, Average, Minimum, Maximum, SampleCount, or a percentile such as p95"
	}
	r.wrong(b.at.keyOf("from"), fmt.Sprintf("the signal %q has no %q", b.spec.Signal, key), fix)
	return false
}

// rules reads the thresholds, once every signal of the sale is known.
func (r *reader) rules(b *built, known map[sale.Signal]bool, removed map[string]leveled) {
	r.about = fmt.Sprintf("signal %q", b.spec.Signal)
	defer func() { r.about = "" }()
	if of := b.in.Of; of.given() {
		if sale.Signal(of.S) == b.spec.Signal {
			r.wrong(of.at, fmt.Sprintf("the signal %q can't be a part of itself", of.S), "name its limit")
		} else if !known[sale.Signal(of.S)] {
			r.unknownSignal(of.at, of.S, known, removed)
		}
	}
	b.spec.Rules = sale.Rules{
		Watch: r.thresholds(b, b.in.Watch, known, removed),
		Bad:   r.thresholds(b, b.in.Bad, known, removed),
	}
}

func (r *reader) thresholds(b *built, l levels, known map[sale.Signal]bool, removed map[string]leveled) sale.Thresholds {
	var t sale.Thresholds
	read := func(n *node) *sale.Rule {
		if n == nil {
			return nil
		}
		rule := r.parseRule(n, b.spec.Unit)
		if rule != nil && rule.Of != "" && !known[rule.Of] {
			r.unknownSignal(inside(n, string(rule.Of)), string(rule.Of), known, removed)
		}
		return rule
	}
	t.Default = read(l.all)
	for _, p := range l.phase {
		if t.ByPhase == nil {
			t.ByPhase = map[sale.Phase]*sale.Rule{}
		}
		t.ByPhase[p.phase] = read(p.rule)
	}
	return t
}

// parseRule reads a threshold, and points into its text when it is wrong.
func (r *reader) parseRule(n *node, unit sale.Unit) *sale.Rule {
	rule, err := sale.ParseRule(n.text, unit)
	if err == nil {
		return &rule
	}
	why, fix, at := err.Error(), "", n
	var re *sale.RuleError
	if errors.As(err, &re) {
		why, fix = re.Reason, re.Fix
		if whole := inside(n, n.text); !n.filled && whole != n && re.Offset <= len(n.text) {
			before := utf8.RuneCountInString(n.text[:re.Offset])
			whole.col, whole.width = whole.col+before, max(1, utf8.RuneCountInString(n.text)-before)
			at = whole
		}
	}
	r.wrong(at, "not a threshold: "+sale.Clean(why, 200), sale.Clean(fix, 200))
	return nil
}

// ruleForms checks thresholds before variables are known, where the unit already is.
func (r *reader) ruleForms(name string, in *signalIn) {
	m, standard := sale.MeaningOf(sale.Signal(name))
	if !standard {
		if !in.From.given() && !in.Value.given() {
			return // the unit is in the template that this one changes
		}
		if m.Unit = sale.Unit(in.Unit.S); m.Unit == "" {
			m.Unit = sale.Count
		}
		if u, ok := fieldUnits[in.Field.S]; ok && !in.Unit.given() {
			m.Unit = u
		}
	}
	check := func(n *node) {
		if n != nil && !n.hasVariable() {
			r.parseRule(n, m.Unit)
		}
	}
	for _, l := range []levels{in.Watch, in.Bad} {
		check(l.all)
		for _, p := range l.phase {
			check(p.rule)
		}
	}
}

// unknownSignal tells that a sale has no such signal, and who took it out.
func (r *reader) unknownSignal(n *node, name string, known map[sale.Signal]bool, removed map[string]leveled) {
	names := make([]string, 0, len(known))
	for _, k := range slices.Sorted(maps.Keys(known)) {
		names = append(names, string(k))
	}
	if gone, ok := removed[name]; ok {
		r.wrong(n, fmt.Sprintf("the signal %q is named here and was removed", name), "keep it, or change what names it", see(gone.node, "it is removed here"))
		return
	}
	r.wrong(n, fmt.Sprintf("unknown signal %q", name), didYouMean(name, names, "declare it under signals:"))
}
