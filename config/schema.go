package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

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
	for _, t := range []reflect.Type{reflect.TypeFor[templateIn](), reflect.TypeFor[signalIn](), reflect.TypeFor[metricIn]()} {
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
		prometheusIn{},
		authIn{},
		basicIn{},
		sigv4In{},
		tlsIn{},
		cloudwatchIn{},
		credentialsIn{},
		sqsIn{},
		waitingRoomIn{},
		budgetIn{},
	} {
		all[reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
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
	for _, n := range []struct {
		def, key, names string
		value           *jsonschema.Schema
	}{
		{"configFile", "sources", sourceName.String(), sourceSchema()},
		{"configFile", "templates", templateName.String(), ref("templateIn")},
		{"configFile", "keys", "", (&oneOrMore{}).schema()},
		{"templateIn", "variables", variableName.String(), maybe},
		{"templateIn", "signals", signalName.String(), signal},
		{"saleIn", "with", variableName.String(), scalar},
		{"saleIn", "signals", signalName.String(), signal},
		{"signalIn", "dimensions", "", plain},
		{"signalIn", "metrics", metricID.String(), ref("metricIn")},
		{"metricIn", "dimensions", "", plain},
		{"authIn", "headers", headerName.String(), plain},
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
	// A signal that only changes an inherited one may take any of its keys away with null.
	for pair := defs["signalIn"].Properties.Oldest(); pair != nil; pair = pair.Next() {
		if oneOf(pair.Key, adjusting) && pair.Key != "watch" && pair.Key != "bad" {
			description := pair.Value.Description
			pair.Value.Description = ""
			pair.Value = &jsonschema.Schema{Description: description, OneOf: []*jsonschema.Schema{pair.Value, {Type: "null"}}}
		}
	}
	return nil
}
