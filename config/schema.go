package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// SchemaID names the schema for editors.
const SchemaID = "https://github.com/onsale-dev/onsale/config/onsale.schema.json"

// Schema returns the JSON Schema (2020-12) of the file, made from the same types that it is
// read with. It tells what an editor can know: keys, types, words and patterns. What depends
// on two places, such as a signal's source, only reading the file tells.
func Schema() ([]byte, error) {
	r := &reader{fields: map[reflect.Type][]field{}}
	defs := jsonschema.Definitions{}
	root := reflectType(reflect.TypeFor[configFile](), defs)
	for _, in := range sourceTypes() {
		reflectType(reflect.TypeOf(in).Elem(), defs)
	}
	for _, in := range controlTypes() {
		reflectType(reflect.TypeOf(in).Elem(), defs)
	}
	for _, t := range []reflect.Type{
		reflect.TypeFor[templateIn](), reflect.TypeFor[signalIn](), reflect.TypeFor[metricIn](),
		reflect.TypeFor[actionIn](), reflect.TypeFor[playStepIn](), reflect.TypeFor[boundIn](), reflect.TypeFor[runbookIn](),
	} {
		reflectType(t, defs)
	}
	for name, t := range fileTypes() {
		if s := defs[name]; s != nil {
			r.complete(s, t)
		}
	}
	if err := narrow(defs); err != nil {
		return nil, err
	}
	out := *defs[reflect.TypeFor[configFile]().Name()]
	delete(defs, reflect.TypeFor[configFile]().Name())
	out.Version, out.ID, out.Definitions = root.Version, SchemaID, defs
	out.Title = "onsale.yaml"
	out.Description = "What onsale watches: sources, templates and sales."
	data, err := json.Marshal(&out)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// reflectType adds a type and all that it holds to the definitions.
func reflectType(t reflect.Type, defs jsonschema.Definitions) *jsonschema.Schema {
	r := &jsonschema.Reflector{
		Anonymous:                  true,
		RequiredFromJSONSchemaTags: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if l, ok := reflect.New(t).Interface().(leaf); ok {
				return l.schema()
			}
			return nil
		},
	}
	s := r.ReflectFromType(t)
	for name, def := range s.Definitions {
		defs[name] = def
	}
	return s
}

// fileTypes are the groups of keys, by the name of their definition.
func fileTypes() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for _, v := range []any{
		configFile{},
		limitsIn{},
		templateIn{},
		saleIn{},
		signalIn{},
		metricIn{},
		objectiveIn{},
		panelIn{},
		linkIn{},
		planIn{},
		planPointIn{},
		planLikeIn{},
		prometheusIn{},
		authIn{},
		basicIn{},
		sigv4In{},
		thanosIn{},
		tlsIn{},
		cloudwatchIn{},
		credentialsIn{},
		sqsIn{},
		waitingRoomIn{},
		budgetIn{},
		autoScalingIn{},
		ecsIn{},
		rdsIn{},
		kubernetesIn{},
		whoseIn{},
		cloudwatchAlarmsIn{},
		prometheusAlertsIn{},
		alertmanagerIn{},
		loginIn{},
		actionIn{},
		aheadIn{},
		effectIn{},
		playStepIn{},
		policyIn{},
		freezeIn{},
		maxActionsIn{},
		boundIn{},
		breakGlassIn{},
		slasIn{},
		calendarIn{},
		serveIn{},
		userIn{},
		runbookIn{},
		pagerdutyIn{},
		alertmanagerIn{},
		opsItemIn{},
	} {
		all[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
	}
	for _, in := range controlTypes() {
		all[reflect.TypeOf(in).Elem().Name()] = reflect.TypeOf(in).Elem()
	}
	return all
}

// complete adds what the tags say and the generator leaves out for types of more than one
// form: a pattern, which for a value that may stand elsewhere also allows a reference.
func (r *reader) complete(s *jsonschema.Schema, t reflect.Type) {
	for _, f := range r.fieldsOf(t) {
		p, ok := s.Properties.Get(f.name)
		if !ok || f.pattern == nil {
			continue
		}
		switch t.FieldByIndex(f.index).Type {
		case reflect.TypeFor[outer]():
			p.Pattern = f.pattern.String() + "|" + referenceForm
		case reflect.TypeFor[text]():
			p.Pattern = f.pattern.String()
		}
		if p.Items != nil {
			p.Items.Pattern, p.Pattern = f.pattern.String(), ""
		}
	}
}

// narrow says what stands in the groups of keys that are read name by name.
func narrow(defs jsonschema.Definitions) error {
	ref := func(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }
	scalar := &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
	maybe := &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean", "null"}}}
	plain := &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number"}}}
	signal := &jsonschema.Schema{OneOf: []*jsonschema.Schema{ref("signalIn"), {Type: "null"}}}
	action := &jsonschema.Schema{OneOf: []*jsonschema.Schema{ref("actionIn"), {Type: "null"}}}
	play := playSchema(ref("playStepIn"))
	for _, n := range []struct {
		def, key, names string
		value           *jsonschema.Schema
	}{
		{"configFile", "sources", sourceName.String(), sourceSchema()},
		{"configFile", "templates", templateName.String(), ref("templateIn")},
		{"configFile", "keys", "", (&oneOrMore{}).schema()},
		{"templateIn", "variables", variableName.String(), maybe},
		{"templateIn", "signals", signalName.String(), signal},
		{"calendarIn", "zones", "", &jsonschema.Schema{Type: "string"}},
		{"saleIn", "with", variableName.String(), scalar},
		{"saleIn", "signals", signalName.String(), signal},
		{"signalIn", "dimensions", "", plain},
		{"signalIn", "metrics", metricID.String(), ref("metricIn")},
		{"metricIn", "dimensions", "", plain},
		{"authIn", "headers", headerName.String(), plain},
		{"configFile", "controls", sourceName.String(), controlSchema()},
		{"templateIn", "actions", oneWord(Verbs()), action},
		{"templateIn", "plays", playName.String(), play},
		{"saleIn", "actions", oneWord(Verbs()), action},
		{"saleIn", "plays", playName.String(), play},
		{"webhookControlIn", "headers", headerName.String(), plain},
		{"webhookControlIn", "state_paths", oneWord(webhookSettings()), &jsonschema.Schema{Type: "string"}},
		{"webhookControlIn", "bodies", oneWord(slices.Concat(gateVerbs, incidentVerbs)), &jsonschema.Schema{Type: "string"}},
		{"alertmanagerControlIn", "labels", labelName.String(), plain},
		{"whoseIn", "labels", "", plain},
		{"whoseIn", "tags", "", plain},
		{"policyIn", "bounds", oneWord([]string{VerbScaleUp, VerbScaleBack, VerbResume, VerbRate}), ref("boundIn")},
	} {
		def := defs[n.def]
		if def == nil {
			return fmt.Errorf("schema: there is no definition %q", n.def)
		}
		p, ok := def.Properties.Get(n.key)
		if !ok {
			return fmt.Errorf("schema: %q has no %q", n.def, n.key)
		}
		p.AdditionalProperties = n.value
		if n.names != "" {
			p.PropertyNames = &jsonschema.Schema{Pattern: n.names}
		}
	}
	for kind, in := range sourceTypes() {
		p, ok := defs[reflect.TypeOf(in).Elem().Name()].Properties.Get("kind")
		if !ok {
			return fmt.Errorf("schema: the kind %q has no \"kind\"", kind)
		}
		p.Enum, p.Const = nil, kind
	}
	for kind, in := range controlTypes() {
		p, ok := defs[reflect.TypeOf(in).Elem().Name()].Properties.Get("kind")
		if !ok {
			return fmt.Errorf("schema: the kind %q has no \"kind\"", kind)
		}
		p.Const = kind
	}
	narrowWords(defs)
	calendarSchema(defs)
	// An action that only changes an inherited one may take any of its keys away with null.
	for pair := defs["actionIn"].Properties.Oldest(); pair != nil; pair = pair.Next() {
		if pair.Key != "via" {
			pair.Value = orNull(pair.Value)
		}
	}
	// A signal that only changes an inherited one may take any of its keys away with null.
	for pair := defs["signalIn"].Properties.Oldest(); pair != nil; pair = pair.Next() {
		if oneOf(pair.Key, adjusting) && pair.Key != "watch" && pair.Key != "bad" {
			pair.Value = orNull(pair.Value)
		}
	}
	return nil
}

func orNull(s *jsonschema.Schema) *jsonschema.Schema {
	description := s.Description
	s.Description = ""
	return &jsonschema.Schema{Description: description, OneOf: []*jsonschema.Schema{s, {Type: "null"}}}
}

// oneWord is the pattern of exactly these words.
func oneWord(all []string) string { return "^(" + strings.Join(all, "|") + ")$" }

// playSchema is a list of steps, each of one verb.
func playSchema(step *jsonschema.Schema) *jsonschema.Schema {
	one := &jsonschema.Schema{
		Type: "object", MinProperties: count(1), MaxProperties: count(1),
		PropertyNames:        &jsonschema.Schema{Enum: anys(Verbs())},
		AdditionalProperties: &jsonschema.Schema{OneOf: []*jsonschema.Schema{step, {Type: "null"}}},
	}
	list := &jsonschema.Schema{Type: "array", Items: one, MinItems: count(1), MaxItems: count(maxSteps)}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{list, {Type: "null"}}}
}

// calendarSchema says that a calendar may give what every sale needs otherwise.
func calendarSchema(defs jsonschema.Definitions) {
	file, one := defs["configFile"], defs["saleIn"]
	drop := func(from *[]string, names ...string) {
		*from = slices.DeleteFunc(*from, func(name string) bool { return slices.Contains(names, name) })
	}
	drop(&file.Required, "sales")
	drop(&one.Required, "name", "opens")
	if p, ok := file.Properties.Get("sales"); ok {
		p.MinItems = nil
	}
	whole := jsonschema.NewProperties()
	whole.Set("sales", &jsonschema.Schema{MinItems: count(1), Items: &jsonschema.Schema{Required: []string{"name", "opens"}}})
	file.If = &jsonschema.Schema{Required: []string{"calendar"}}
	file.Else = &jsonschema.Schema{Required: []string{"sales"}, Properties: whole}
}

// narrowWords says which words the lists of a policy take.
func narrowWords(defs jsonschema.Definitions) {
	for _, n := range []struct {
		def, key string
		words    []string
	}{
		{"policyIn", "second_person", append(Verbs(), wordUndo, wordPlay, wordSevere)},
		{"freezeIn", "except", append(Verbs(), wordUndo, wordPlay, wordIncidentOpen)},
		{"breakGlassIn", "verbs", append(Verbs(), wordUndo, wordPlay)},
		{"breakGlassIn", "lifts", lifted()},
	} {
		if p, ok := defs[n.def].Properties.Get(n.key); ok {
			p.OneOf = words(n.words).OneOf
		}
	}
}
