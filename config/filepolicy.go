package config

import (
	"github.com/invopop/jsonschema"
)

type policyIn struct {
	place
	Role           outer         `json:"role" jsonschema:"pattern=^(viewer|operator)$" hint:"write viewer or operator" jsonschema_description:"Of whoever opens this config on this machine: viewer or operator. Default: viewer."`
	ReadOnly       toggle        `json:"read_only" jsonschema_description:"true forbids every action. Default: true for a viewer, false for an operator."`
	ArmFor         span          `json:"arm_for" jsonschema_description:"The longest that an action stays armed, 5s to 10m. Default 60s."`
	Reason         str           `json:"reason" jsonschema:"enum=required,enum=severe,enum=optional" jsonschema_description:"Whether an action needs a reason. Default: required in production, else optional."`
	Change         str           `json:"change" jsonschema:"enum=required,enum=severe,enum=optional" jsonschema_description:"Whether an action needs the id of a change. Default: optional."`
	SecondPerson   oneOrMore     `json:"second_person" jsonschema_description:"The verbs that need a second person; severe: everything that is severe."`
	ApprovalExpiry span          `json:"approval_expiry" jsonschema_description:"How long a second person has to agree, 10s to 1h. Default 5m."`
	ExecExpiry     span          `json:"execution_expiry" jsonschema_description:"How long what was agreed to may still be sent, 10s to 10m. Default 60s."`
	Freeze         []*freezeIn   `json:"freeze" jsonschema:"maxItems=200" jsonschema_description:"Windows in which nothing changes."`
	MaxActions     maxActionsIn  `json:"max_actions" jsonschema_description:"The most actions per sale in a window. Default 10 in 10m."`
	Bounds         rawMap        `json:"bounds" jsonschema_description:"What a verb may set, by verb."`
	EvidenceMaxAge span          `json:"evidence_max_age" jsonschema_description:"Older evidence carries no action, 5s to 1h. Default: by the freshness of each signal."`
	BreakGlass     *breakGlassIn `json:"break_glass" jsonschema_description:"How an operator acts in spite of a guard, on record. Default: not at all."`
}

func (policyIn) what() string { return "policy" }

type freezeIn struct {
	place
	From   instant   `json:"from" jsonschema:"required" jsonschema_description:"Its begin: a time, or opens-1h for each sale."`
	To     instant   `json:"to" jsonschema:"required" jsonschema_description:"Its end: a time, or closes for each sale."`
	Zone   str       `json:"zone" jsonschema_description:"The time zone of both, when they name none: Europe/Zagreb."`
	Sales  oneOrMore `json:"sales" jsonschema_description:"The sales that it holds for. Default: all."`
	Except oneOrMore `json:"except" jsonschema_description:"Verbs that go on; incident-open: it is lifted for a sale with an open incident."`
	Reason text      `json:"reason" jsonschema_description:"Why, for the screen."`
}

func (freezeIn) what() string { return "a freeze window" }

type maxActionsIn struct {
	place
	Count whole `json:"count" jsonschema:"required,minimum=1,maximum=1000" jsonschema_description:"Actions per window."`
	Per   span  `json:"per" jsonschema:"required" jsonschema_description:"The window, 10s to 24h."`
}

func (maxActionsIn) what() string { return "max_actions" }

type boundIn struct {
	place
	Min    number `json:"min" jsonschema_description:"The least that may be set."`
	Max    number `json:"max" jsonschema_description:"The most that may be set."`
	Factor number `json:"factor" jsonschema_description:"How many times more or less one action may set, above 1."`
}

func (boundIn) what() string { return "a bound" }

type breakGlassIn struct {
	place
	Verbs oneOrMore `json:"verbs" jsonschema:"required" jsonschema_description:"What it is for: verbs."`
	Lifts oneOrMore `json:"lifts" jsonschema:"required" jsonschema_description:"The guards that it lifts: freeze, second_person, max_actions, change."`
}

func (breakGlassIn) what() string { return "break_glass" }

type slasIn struct {
	place
	Acknowledge span `json:"acknowledge" jsonschema_description:"Until somebody has it."`
	Mitigate    span `json:"mitigate" jsonschema_description:"Until buyers feel it no more."`
	Resolve     span `json:"resolve" jsonschema_description:"Until it is over."`
}

func (slasIn) what() string { return "slas" }

// words is one word of a list, or several of them.
func words(names []string) *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string", Enum: anys(names)}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one, MinItems: count(1), UniqueItems: true}}}
}
