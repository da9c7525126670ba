package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
)

func TestASecretShowsItselfToNobody(t *testing.T) {
	s := NewSecret(canary)
	type inner struct {
		Public Secret
		secret Secret
		Many   map[string]Secret
		Ptr    *Secret
	}
	holder := inner{s, s, map[string]Secret{"a": s}, &s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10v", "%-10s", "%p"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+"\n", s, &s, holder, &holder)
	}
	fmt.Fprintln(&out, s, holder, errors.New(s.String()))
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"yaml": func(v any) ([]byte, error) { return yaml.Marshal(v) },
		"text": func(any) ([]byte, error) { return s.MarshalText() },
		"xml":  func(any) ([]byte, error) { return xml.Marshal(s) },
	} {
		b, err := marshal(holder)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(string(b), hidden) {
			t.Errorf("%s gives %s", name, b)
		}
		out.Write(b)
	}
	var logged bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(h).Info("login", "token", s, "all", holder, slog.Group("g", "s", &s))
	}
	out.Write(logged.Bytes())
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the canary got out:\n%s", out.String())
	}
	if s.Reveal() != canary || !s.IsSet() {
		t.Error("Reveal does not give the value")
	}
	if (Secret{}).IsSet() || (Secret{}).Reveal() != "" {
		t.Error("the zero secret is set")
	}
}

// secrets collects every Secret that a config holds.
func secrets(v reflect.Value, into *[]Secret) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			secrets(v.Elem(), into)
		}
	case reflect.Struct:
		if s, ok := v.Interface().(Secret); ok {
			*into = append(*into, s)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				secrets(v.Field(i), into)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			secrets(v.Index(i), into)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			secrets(v.MapIndex(k), into)
		}
	}
}

func TestACanaryInEverySecretOfAConfigGetsIntoNoRendering(t *testing.T) {
	held := 0
	for _, path := range fixtures(t, "good") {
		c, err := fixture(t, path)
		if err != nil {
			t.Fatal(err)
		}
		var all []Secret
		secrets(reflect.ValueOf(*c), &all)
		for _, s := range all {
			if strings.Contains(s.Reveal(), canary) {
				held++
			}
		}
		shown, err := c.ShowYAML()
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out := fmt.Sprintf("%v %+v %#v %s %s %+v %v", *c, *c, *c, shown, asJSON, c.Sources, c.Warnings)
		for _, s := range c.Sources {
			out += fmt.Sprintf("%+v %+v %+v %+v %+v %+v", s.Prometheus, s.CloudWatch, s.SQS, s.WaitingRoom, s.HTTPJSON, s.Redis)
		}
		for _, ctl := range c.Controls {
			out += fmt.Sprintf("%v %+v %#v %+v %+v %+v %+v", ctl, ctl, ctl, ctl.Webhook, ctl.PagerDuty, ctl.WaitingRoom, ctl.Alertmanager)
		}
		for _, s := range all {
			listed := slices.ContainsFunc(c.Secrets(), func(l Secret) bool { return l.Reveal() == s.Reveal() })
			if strings.Contains(s.Reveal(), canary) && !listed {
				t.Errorf("%s: Secrets does not list every secret", path)
			}
		}
		for _, place := range []Place{c.At("sources"), c.At("sources", "gate", "token"), c.At("sources", "q")} {
			out += place.String() + place.Text
		}
		if strings.Contains(out, canary) {
			t.Errorf("%s: the canary got out", path)
		}
	}
	if held < 20 {
		t.Errorf("only %d canaries were set: the test has gone blind", held)
	}
}

// plainSecrets puts a canary, in plain text, wherever somebody might put a secret.
var plainSecrets = []string{
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: CANARY}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: 'CANARY'}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {berer: CANARY}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: {x: CANARY}}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: [CANARY]}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {basic: {username: u, password: CANARY}}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {basic: {username: u, pasword: CANARY}}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {headers: {Authorization: Bearer CANARY}}}}",
	"sources: {p: {kind: prometheus, url: https://p.example, auth: {headers: {X-Any: CANARY}, evry: x}}}",
	"sources: {p: {kind: prometheus, url: 'https://u:CANARY@p.example'}}",
	"sources: {p: {kind: prometheus, url: 'https://u:CANARY@p.example', evry: 5s}}",
	"sources: {p: {kind: prometheus, url: 'https://p.example/?token=CANARY'}}",
	"sources: {q: {kind: sqs, region: x, credentials: {access_key_id: a, secret_access_key: CANARY, session_token: CANARY}}}",
	"sources: {q: {kind: sqs, region: x, credentials: {secret_acess_key: CANARY}}}",
	"sources: {g: {kind: cloudflare-waiting-room, token: CANARY}}",
	"sources: {g: {kind: cloudflare-waiting-room, token: \"${env:HOME}CANARY\"}}",
	"sources:\n  g:\n    kind: cloudflare-waiting-room\n    token: |\n      CANARY\n    zone: [1]\n",
	"sources:\n  g:\n    kind: cloudflare-waiting-room\n    token: >-\n      CANARY\n      CANARY\n    zone: [1]\n",
	"sources:\n  g:\n    kind: cloudflare-waiting-room\n    token: \"a\n      CANARY\"\n    zone: [1]\n",
	"sources:\n  g:\n    token: &t CANARY\n    zone: *t\n",
	"x: &t CANARY-CANARY\nsources: {g: {kind: cloudflare-waiting-room, token: *t}}\n",
	"sources:\n  g:\n    token: CANARY: x\n",
	"sources:\n  g:\n    token: {CANARY\n",
	"sources:\n  g:\n    token: \"CANARY\n",
	"sources:\n  g:\n    token:\n      CANARY: [\n",
	"sources:\n  g:\n    token:\n      @CANARY\n",
	"sources:\n  g:\n    token: >\n      CANARY\n     @x\n",
	"sources: {g: {token: CANARY]}",
	"sources: {p: {tls: {key: \"-----BEGIN PRIVATE KEY-----\\nCANARY\"}, kind: prometheus, url: https://p.example}}",
	"sources:\n  p:\n    kind: prometheus\n    url: https://p.example\n    tls:\n      key: |\n        -----BEGIN PRIVATE KEY-----\n        CANARY\n      cert: [x]\n",
	"controls: {g: {kind: cloudflare-waiting-room, token: CANARY}}",
	"controls: {p: {kind: pagerduty, routing_key: CANARY, token: CANARY}}",
	"controls: {p: {kind: pagerduty, routing_kye: CANARY}}",
	"controls: {p: {kind: pagerduty, routingkey: [CANARY]}}",
	"controls: {w: {kind: webhook, url: https://w.example, hmac_secret: CANARY, evry: 5s}}",
	"controls: {w: {kind: webhook, url: https://w.example, hmac_secrt: CANARY}}",
	"controls: {w: {kind: webhook, url: https://w.example, headers: {api-key: CANARY}}}",
	"controls: {w: {kind: webhook, preset: slack, url: 'https://hooks.slack.com/services/CANARY', evry: 5s}}",
	"controls: {w: {evry: 5s, kind: webhook, preset: slack, url: 'https://chat.example/hooks/CANARY'}}",
	"controls: {w: {evry: 5s, kind: webhook, url: 'https://hooks.slack.com/services/CANARY'}}",
	"controls: {w: {kind: webhook, url: 'https://u:CANARY@w.example'}}",
	"controls: {w: {kind: webhook, url: 'https://w.example/?sig=CANARY'}}",
	"controls: {a: {kind: alertmanager, peers: ['https://am.example'], auth: {bearer: CANARY}}}",
	"controls: {a: {kind: alertmanager, peers: ['https://u:CANARY@am.example']}}",
	"controls: {s: {kind: autoscaling, region: eu-central-1, credentials: {access_key_id: a, secret_access_key: CANARY}}}",
	"controls:\n  p:\n    kind: pagerduty\n    routing_key: >\n      CANARY\n     @x\n",
	"templates: {t: {variables: {api_token: CANARY, x: {}}}}\n",
}

func TestASecretInPlainTextIsRefusedWithoutBeingRepeated(t *testing.T) {
	for _, text := range plainSecrets {
		_, err := Parse("onsale.yaml", []byte(strings.ReplaceAll(text, "CANARY", canary)), fixtureEnvironment())
		if err == nil {
			t.Errorf("taken: %s", text)
			continue
		}
		asJSON, jerr := json.Marshal(err)
		if jerr != nil {
			t.Fatal(jerr)
		}
		if out := err.Error() + string(asJSON) + fmt.Sprintf("%+v", err); strings.Contains(out, canary) {
			t.Errorf("repeated: %s\n%v", text, err)
		}
	}
}

func TestAReferenceIsResolvedOrRefused(t *testing.T) {
	const file = "environment: x\nsources: {p: {kind: prometheus, url: https://p.example, auth: {bearer: \"REF\"}}}\n" +
		"sales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: p, query: up}}}]\n"
	env := outside(map[string]string{"TOKEN": "from-env", "EMPTY": "", "LINES": "a\r\nInjected: b", "HOME": "/home/ops"}, map[string]*fstest.MapFile{
		"/run/one":        {Data: []byte("from-file\n"), Mode: 0o600},
		"/run/two":        {Data: []byte("from-file\r\n"), Mode: 0o600},
		"/run/open":       {Data: []byte("from-file"), Mode: 0o640},
		"/run/empty":      {Data: []byte("\n"), Mode: 0o600},
		"/run/lines":      {Data: []byte("a\nb\n"), Mode: 0o600},
		"/run/huge":       {Data: bytes.Repeat([]byte("x"), maxSecret+1), Mode: 0o600},
		"/conf/rel/token": {Data: []byte("relative"), Mode: 0o400},
		"/home/ops/token": {Data: []byte("home"), Mode: 0o600},
	})
	for _, c := range []struct{ name, ref, want, refused, warned string }{
		{"a variable", "${env:TOKEN}", "from-env", "", ""},
		{"a file, without its last line break", "${file:/run/one}", "from-file", "", ""},
		{"a file from another system", "${file:/run/two}", "from-file", "", ""},
		{"a relative path starts at the config's folder", "${file:rel/token}", "relative", "", ""},
		{"a path in the home folder", "${file:~/token}", "home", "", ""},
		{"a file that the group can read is a warning", "${file:/run/open}", "from-file", "", "mode 0640"},
		{"a variable that is not set", "${env:NOPE}", "", "not set", ""},
		{"a variable that is empty", "${env:EMPTY}", "", "empty", ""},
		{"a variable that would inject a header", "${env:LINES}", "", "line break", ""},
		{"a file that is not there", "${file:/run/none}", "", "/run/none", ""},
		{"a file that is empty", "${file:/run/empty}", "", "empty", ""},
		{"a file of two lines", "${file:/run/lines}", "", "line break", ""},
		{"a file that is too large", "${file:/run/huge}", "", "too large", ""},
		{"a folder", "${file:/run}", "", "directory", ""},
		{"a reference without a name", "${env:}", "", "without a name", ""},
		{"a reference to something else", "${vault:x}", "", "must not stand in the file", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Parse("/conf/onsale.yaml", []byte(strings.Replace(file, "REF", c.ref, 1)), env)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("want a refusal with %q, got %v", c.refused, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Sources[0].Prometheus.Bearer.Reveal(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(cfg.Warnings) > 0 != (c.warned != "") || c.warned != "" && !strings.Contains(cfg.Warnings[0].Error(), c.warned) {
				t.Errorf("warnings: %v", cfg.Warnings)
			}
		})
	}
}
