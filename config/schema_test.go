package config

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "onsale.schema.json"

func TestTheCommittedSchemaIsTheOneThatTheTypesGive(t *testing.T) {
	got, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, string(got))
	again, err := Schema()
	if err != nil || !bytes.Equal(got, again) {
		t.Error("the schema differs from one time to the next")
	}
}

// validator compiles the schema with a validator that is not the generator's.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// judge validates a YAML file against the schema.
func judge(t *testing.T, s *jsonschema.Schema, path string) error {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Skipf("not readable as YAML: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Skipf("not readable as JSON: %v", err)
	}
	return s.Validate(doc)
}

func TestEveryGoodFileFitsTheSchema(t *testing.T) {
	s := validator(t)
	for _, path := range fixtures(t, "good") {
		t.Run(nameOf(path), func(t *testing.T) {
			if strings.Contains(path, "anchors") {
				t.Skip("the validator's reader unfolds no merges")
			}
			if err := judge(t, s, path); err != nil {
				t.Error(err)
			}
		})
	}
}

// beyondSchema are the mistakes that only reading the file tells: they depend on a second
// place, on the outside, or on what a text means.
var beyondSchema = map[string]bool{
	"plan-in-two-ways": true, "plan-like-a-file-out-of-order": true, "plan-like-a-file-that-is-not-there": true,
	"plan-like-a-sale-without-tickets-to-scale-by": true, "plan-of-instances-that-carry-nobody": true, "plan-of-less-than-nobody": true,
	"plan-of-nothing": true, "plan-twice-for-one-time": true, "plan-with-a-session-of-a-day": true,
	"alias-of-nothing": true, "attribute-of-another-kind": true, "changing-a-query-without-from": true,
	"changing-a-signal-that-is-not-inherited": true, "closes-before-it-opens": true, "cloudwatch-asked-too-often": true,
	"cloudwatch-band-that-cannot-be": true, "part-of-nothing": true, "objective-of-a-month-that-nobody-reads": true, "cloudwatch-expression-over-an-unknown-metric": true, "cloudwatch-metric-that-nothing-uses": true,
	"cloudwatch-metric-without-a-namespace": true, "cloudwatch-metric-without-a-statistic": true,
	"cloudwatch-period-that-does-not-exist": true, "cloudwatch-unknown-statistic": true, "duplicate-key": true,
	"duplicate-sale-id": true, "link-to-a-host-that-is-not-listed": true, "link-without-https": true,
	"objective-that-nobody-can-miss": true, "objective-without-a-limit": true, "prequeue-after-the-opening": true,
	"query-without-from": true, "queue-without-a-name": true, "field-of-another-preset": true, "field-without-a-preset": true,
	"http-json-that-can-not-ask": true, "jq-that-is-none": true, "queue-it-asked-too-often": true, "redis-that-can-not-be-read": true, "reference-inside-a-signal": true,
	"removed-signal-that-another-needs": true, "removing-a-signal-that-is-not-inherited": true, "sale-without-signals": true,
	"secret-in-a-file-that-is-not-there": true, "secret-in-a-header": true, "secret-in-a-variable-that-is-not-set": true,
	"secret-in-an-address": true, "secret-over-http": true, "shipped-template-without-its-sources": true,
	"signal-with-from-and-value": true, "signal-without-from-or-value": true, "templates-in-a-circle": true,
	"threshold-in-another-unit": true, "threshold-of-an-unknown-signal": true, "threshold-without-a-limit": true,
	"time-in-an-unknown-zone": true, "time-that-happens-twice": true, "time-that-never-happens": true,
	"two-documents": true, "two-meanings-of-one-key": true, "two-ways-to-log-in": true, "unknown-signal-in-a-panel": true,
	"unknown-source": true, "unknown-template": true, "variable-from-the-shell": true, "variable-made-of-itself": true,
	"variable-of-the-wrong-kind-of-value": true, "variable-that-is-not-declared": true, "variable-that-is-not-set": true,
	"variable-that-nothing-uses": true, "variable-that-the-template-does-not-have": true,
	"variable-that-this-sale-does-not-use": true, "variable-with-the-name-of-the-sale": true,
	"waiting-room-asked-too-often": true, "waiting-room-field-in-another-unit": true, "wrong-unit-of-a-standard-signal": true,
	"address-without-a-scheme": true, "prometheus-of-another-kind": true,

	"rds-field-of-another-unit": true, "rds-signal-of-an-instance-and-a-cluster": true, "rds-signal-without-a-database": true, "rds-signal-without-a-field": true, "rds-storage-of-a-cluster": true,
	"two-templates-of-one-signal": true,

	"incident-control-with-the-token-of-a-source": true, "signal-from-a-source-of-incidents": true,

	"abort-on-an-unknown-signal": true, "abort-that-waits": true, "action-by-an-unknown-control": true,
	"action-on-a-target-of-another-kind": true, "action-removed-that-is-not-inherited": true,
	"action-that-its-control-cannot-do": true, "action-with-a-key-of-another-verb": true, "action-without-a-control": true,
	"alarm-rule-of-an-unknown-sale": true, "alarm-rule-that-looks-at-nothing": true, "alarm-rule-that-says-no-sale": true,
	"alarm-rule-that-says-the-sale-twice": true, "alarm-tags-where-there-are-none": true, "signal-read-from-a-source-of-alarms": true,
	"action-without-its-target": true, "alertmanager-quorum-of-more-than-its-peers": true,
	"autoscaling-signal-without-a-group": true, "cluster-login-in-two-ways": true, "control-in-another-account": true,
	"control-on-aws-without-an-account": true, "control-with-the-cluster-login-of-a-source": true,
	"control-with-the-profile-of-a-source": true, "control-with-the-token-of-a-source": true,
	"control-with-the-value-of-a-source": true, "control-without-a-login": true, "effect-in-an-unknown-signal": true,
	"effect-the-wrong-way": true, "field-of-another-kind-of-source": true, "freeze-that-ends-before-it-begins": true,
	"freeze-to-a-time-that-a-sale-has-not": true, "group-that-the-screen-has-not": true, "group-without-a-field": true,
	"parameter-without-a-value": true, "play-of-an-action-that-is-not-there": true, "play-with-a-number-where-none-is": true,
	"policy-out-of-range": true, "preset-that-cannot-pause": true, "preset-with-keys-of-its-own": true, "raise-max-without-max": true, "ramp-that-falls": true,
	"rate-under-the-floor-of-cloudflare": true, "scale-back-without-a-floor": true, "sizes-that-fall": true,
	"slack-address-in-plain-text": true, "slas-out-of-order": true, "viewer-who-may-write": true, "webhook-over-http": true,

	"serve-bad-line-in-a-key-file": true, "serve-key-file-that-others-can-write": true, "serve-key-that-was-cut": true, "serve-key-twice": true,
	"serve-key-with-an-option-that-cannot-be-kept": true, "serve-metrics-for-everybody": true, "serve-user-twice": true, "serve-user-without-a-key": true,
}

func TestTheSchemaRefusesEveryMistakeThatASchemaCanTell(t *testing.T) {
	s := validator(t)
	seen := map[string]bool{}
	for _, path := range fixtures(t, "bad") {
		name := nameOf(path)
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			err := judge(t, s, path)
			if refused := err != nil; refused == beyondSchema[name] {
				t.Errorf("refused: %v, but listed as beyond a schema: %v\n%v", refused, beyondSchema[name], err)
			}
		})
	}
	for name := range beyondSchema {
		if !seen[name] {
			t.Errorf("%q is listed and is no fixture", name)
		}
	}
}

func TestEveryKeyOfTheSchemaIsDescribedAndEveryGroupIsClosed(t *testing.T) {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	groups := map[string]any{"the config": doc}
	for name, def := range doc["$defs"].(map[string]any) {
		groups[name] = def
	}
	for name, g := range groups {
		group := g.(map[string]any)
		if group["additionalProperties"] != false {
			t.Errorf("%s takes any key", name)
		}
		for key, p := range group["properties"].(map[string]any) {
			if d, _ := p.(map[string]any)["description"].(string); d == "" {
				t.Errorf("%s.%s has no description", name, key)
			}
		}
	}
}
