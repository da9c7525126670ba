package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// actionIn is one verb of a sale. Which keys it takes depends on the verb and on the control.
type actionIn struct {
	place
	Via str `json:"via" jsonschema_description:"The control that does it. A variable that is null here leaves the action out."`

	Room      text `json:"room" jsonschema_description:"cloudflare-waiting-room: id or name of the room."`
	Parameter text `json:"parameter" jsonschema:"pattern=^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$|\\$" hint:"write the parameter's name: /shop/admission" jsonschema_description:"ssm-parameter: its name."`
	Value     text `json:"value" jsonschema_description:"ssm-parameter: the whole value that means pause, or resume. Of rate: the value with {{to}} for the number; default {{to}}."`
	Target    text `json:"target" jsonschema_description:"webhook: what the gate is called at the other end."`
	Group     text `json:"group" jsonschema_description:"autoscaling: the group's name or ARN."`
	Cluster   text `json:"cluster" jsonschema_description:"ecs: the cluster's name or ARN. Default: the control's cluster."`
	Service   text `json:"service" jsonschema_description:"ecs: the service's name or ARN. Of an incident: what is affected."`
	Namespace text `json:"namespace" jsonschema_description:"kubernetes: the namespace."`
	Name      text `json:"name" jsonschema_description:"kubernetes: the deployment's name; what scales it is found, and changed instead."`
	Resource  text `json:"resource" jsonschema_description:"application-autoscaling: the resource id, such as service/web/shop."`
	Dimension str  `json:"dimension" jsonschema:"pattern=^[a-z-]+:[A-Za-z0-9_-]+:[A-Za-z0-9]+$|\\$" hint:"write the scalable dimension: ecs:service:DesiredCount" jsonschema_description:"application-autoscaling: the scalable dimension. Default: by the resource, where there is only one."`

	Floor     number `json:"floor" jsonschema_description:"resume, rate: nobody goes below, people per minute. scale-back: nobody goes below, required."`
	Ceiling   number `json:"ceiling" jsonschema_description:"resume, rate: nobody goes above, people per minute."`
	MaxActive number `json:"max_active" jsonschema_description:"resume, rate: the most people on the site at once."`
	Ramp      []part `json:"ramp" jsonschema:"minItems=1,maxItems=10" jsonschema_description:"resume of a waiting room: the parts of the rate to go through. Default [25%, 50%, 100%]."`
	Every     span   `json:"every" jsonschema_description:"resume of a waiting room: the time between two steps of the ramp, 10s to 1h. Default 2m."`
	Abort     []str  `json:"abort" jsonschema_description:"resume of a waiting room: what stops the ramp, such as error_ratio > 5%. A signal that is missing or stale stops it too."`

	Step            step       `json:"step" jsonschema_description:"rate, scale-up, scale-back: one press: an amount, or a part such as 25%. Default: what the system suggests."`
	Sizes           []units    `json:"sizes" jsonschema:"minItems=1,maxItems=20" jsonschema_description:"scale-up, scale-back: the sizes to go through, instead of step."`
	Max             units      `json:"max" jsonschema_description:"scale-up: nobody goes above."`
	RaiseMax        toggle     `json:"raise_max" jsonschema_description:"scale-up: true lets the system's own maximum be raised, up to max."`
	UnitCost        number     `json:"unit_cost" jsonschema_description:"scale-up, scale-back: USD per unit and hour."`
	UnitConnections number     `json:"unit_connections" jsonschema_description:"scale-up: database connections that one more unit opens; held against db_connections_max before anything is sent."`
	BootsIn         span       `json:"boots_in" jsonschema_description:"scale-up: until a unit carries traffic."`
	Ahead           []*aheadIn `json:"ahead" jsonschema:"maxItems=20" jsonschema_description:"scale-up: sizes that are wanted from an instant on, with nobody at the screen."`

	Severity str  `json:"severity" jsonschema:"enum=critical,enum=error,enum=warning,enum=info" jsonschema_description:"Of an incident. Default: critical."`
	Text     text `json:"text" jsonschema_description:"Of an incident: the summary to start from."`

	Effect *effectIn `json:"effect" jsonschema_description:"The signal that proves the action. Default: admission_rate or capacity_in_service."`
}

func (actionIn) what() string { return "an action" }

type aheadIn struct {
	place
	At instant `json:"at" jsonschema:"required" jsonschema_description:"When: opens-15m, prequeue, closes+30m, or a time with its zone."`
	To units   `json:"to" jsonschema:"required" jsonschema_description:"How many."`
}

func (aheadIn) what() string { return "ahead" }

type effectIn struct {
	place
	Signal    str  `json:"signal" jsonschema_description:"The signal."`
	Direction str  `json:"direction" jsonschema:"enum=up,enum=down" jsonschema_description:"The way it must go. Default: by the verb."`
	Within    span `json:"within" jsonschema_description:"Then it counts as not taken, 10s to 2h. Default: 3m for admission, 10m for capacity."`
}

func (effectIn) what() string { return "effect" }

// playStepIn is what stands after the verb in a play.
type playStepIn struct {
	place
	To    number `json:"to" jsonschema_description:"The absolute number to set."`
	Text  text   `json:"text" jsonschema_description:"Of an incident or a note."`
	After span   `json:"after" jsonschema_description:"How long to wait after the step before it."`
	Hold  []str  `json:"hold" jsonschema_description:"What stops the play before this step, such as error_ratio > 5%."`
}

func (playStepIn) what() string { return "a step of a play" }

// part is a percentage above zero.
type part struct {
	place
	V float64
}

var partPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?%$`)

func (*part) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: partPattern.String() + `|\$`}
}

func (v *part) read(r *reader, n *node, c constraint) {
	if r.template && n.hasVariable() {
		v.at = n
		return
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(n.text, "%")+"e-2", 64)
	if n.kind != scalarKind || !partPattern.MatchString(n.text) || err != nil || f <= 0 {
		r.wrong(n, fmt.Sprintf("%q needs a part above zero, this is %s", c.key, n.found()), "write it with its sign: 25%")
		return
	}
	v.at, v.V = n, f
}

// step is an amount, or a part of what is there.
type step struct {
	place
	V Step
}

func (*step) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "string", Pattern: partPattern.String() + `|\$`}}}
}

func (v *step) read(r *reader, n *node, c constraint) {
	if r.template && n.hasVariable() {
		v.at = n
		return
	}
	if partPattern.MatchString(n.text) && n.kind == scalarKind {
		var p part
		if p.read(r, n, c); p.given() {
			v.at, v.V = n, Step{Part: p.V}
		}
		return
	}
	var a number
	if a.read(r, n, c); !a.given() {
		return
	}
	if a.V <= 0 {
		r.wrong(n, fmt.Sprintf("%q must be above zero", c.key), "give an amount, or a part such as 25%")
		return
	}
	v.at, v.V = n, Step{Amount: a.V}
}

// units is a whole number above zero; in a template a variable may stand for it.
type units struct {
	place
	V int
}

const maxUnits = 100_000

func (*units) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Type: "string", Pattern: `\$`}}}
}

func (v *units) read(r *reader, n *node, c constraint) {
	if r.template && n.hasVariable() {
		v.at = n
		return
	}
	least, most := 1.0, float64(maxUnits)
	var w whole
	c.min, c.max = &least, &most
	if w.read(r, n, c); w.given() {
		v.at, v.V = n, w.V
	}
}

// instant is a time, or one that is counted from the times of the sale.
type instant struct {
	place
	S string
}

const instantForm = `^(prequeue|opens|closes)([+-]([0-9]+(\.[0-9]+)?(ms|s|m|h))+)?$`

var instantPattern = regexp.MustCompile(instantForm)

func (*instant) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: instantForm + `|^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]|\$`}
}

const instantHelp = `write "opens-15m", "prequeue", "closes+30m", or a time with its zone`

func (v *instant) read(r *reader, n *node, c constraint) {
	if n.kind != scalarKind {
		r.wrong(n, fmt.Sprintf("%q needs a time, this is %s", c.key, n.found()), instantHelp)
		return
	}
	v.at, v.S = n, n.text
}
