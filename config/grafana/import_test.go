package grafana_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/config/grafana"
	"github.com/onsale-dev/onsale/sources/prometheus"
)

var update = flag.Bool("update", false, "write the golden files anew")

func options() grafana.Options {
	return grafana.Options{
		Now:     time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC),
		Sources: map[string]string{"P0EDGE": "edge", "Mimir": "mimir"},
		Series:  func(expr string) grafana.Series { return grafana.Series(prometheus.SeriesOf(expr)) },
	}
}

func notes(r *grafana.Result) string {
	var b strings.Builder
	for _, n := range r.Notes {
		b.WriteString(n.String() + "\n")
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

// valid reads a config as "onsale config validate" does.
func valid(yaml []byte) error {
	_, err := config.Parse("onsale.yaml", yaml, config.SystemEnvironment())
	return err
}

func TestADashboardBecomesAConfigThatIsValidAndWhatDoesNotIsTold(t *testing.T) {
	boards, _ := filepath.Glob("testdata/*.json")
	if len(boards) == 0 {
		t.Fatal("no dashboards")
	}
	for _, path := range boards {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := grafana.Import(data, options())
			if err != nil {
				t.Fatalf("%v\n%s", err, notes(got))
			}
			name := strings.TrimSuffix(path, ".json")
			golden(t, name+".yaml", string(got.YAML))
			golden(t, name+".txt", notes(got))
			if err := valid(got.YAML); err != nil {
				t.Errorf("onsale config validate refuses it:\n%v", err)
			}
		})
	}
}

func TestWhatIsNoDashboardIsToldWithItsPlace(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ text, want string }{
		{"", "1:1: not JSON: it ends too early"},
		{"{\"panels\": [\n  {\"id\": 1,}\n]}", "2:12: not JSON: "},
		{`{"panels": [tru]}`, "1:13: not JSON: "},
		{`{"panels": [1,,2]}`, "1:15: not JSON: "},
		{`{"panels" 1}`, "1:11: not JSON: "},
		{"{\"panels\": [", "1:13: not JSON: it ends too early"},
		{`{"panels": []} x`, "1:16: "},
		{`[]`, "1:1: a dashboard is a JSON object"},
		{`{"a": 1}`, "1:1: no dashboard: it has neither panels nor rows"},
		{`{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {"elements": {}}}`, "1:16: a dashboard in schema v2"},
		{`{"panels": ` + deep + `}`, "nested deeper than 64"},
		{strings.Repeat(" ", 8<<20+1), "longer than 8 MiB"},
	} {
		_, err := grafana.Import([]byte(c.text), options())
		var wrong *grafana.Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestADashboardOfNothingThatCanBeReadSaysWhyOfEachPanel(t *testing.T) {
	got, err := grafana.Import([]byte("{\"panels\": [\n{\"type\": \"logs\", \"title\": \"a\\u001b[31m\", \"id\": 3},\n{\"type\": \"stat\", \"title\": \"b\"},\n7]}"), options())
	if !errors.Is(err, grafana.ErrNothing) || got == nil || got.YAML != nil {
		t.Fatalf("%v %v", got, err)
	}
	text := notes(got)
	for _, want := range []string{`2:1: panel "a`, "shows what is no single number", `3:1: panel "b": left out: it asks for nothing`, "4:1: left out: a panel that is no JSON object"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said in\n%s", want, text)
		}
	}
	if strings.ContainsRune(text, 0x1b) {
		t.Errorf("the terminal would obey the dashboard: %q", text)
	}
}

func TestASaleTakesAtMostTwoHundredSignals(t *testing.T) {
	var panels []string
	for i := range 230 {
		panels = append(panels, fmt.Sprintf(`{"type":"stat","title":"same title","targets":[{"expr":"sum(x_%d)","refId":"A"}]}`, i))
	}
	got, err := grafana.Import([]byte(`{"panels":[`+strings.Join(panels, ",")+`]}`), options())
	if err != nil || got.Signals != 200 || !strings.Contains(notes(got), "at most 200 signals") {
		t.Fatalf("%d signals, %v", got.Signals, err)
	}
	if err := valid(got.YAML); err != nil {
		t.Error(err)
	}
}

func TestThresholdsKeepTheirMeaning(t *testing.T) {
	for _, c := range []struct{ unit, steps, want string }{
		{"percentunit", `{"color":"green","value":null},{"color":"orange","value":0.02},{"color":"red","value":0.05}`, "watch: '> 2% for 1m'\n bad: '> 5% for 1m'"},
		{"percent", `{"color":"#299c46","value":null},{"color":"#d44a3a","value":95}`, "bad: '> 95% for 1m'"},
		{"ms", `{"color":"rgb(50,172,45)","value":null},{"color":"#EAB839","value":250}`, "watch: '> 0.25s for 1m'"},
		{"opm", `{"color":"red","value":null},{"color":"yellow","value":10},{"color":"green","value":50}`, "watch: '< 50/min for 1m'\n bad: '< 10/min for 1m'"},
		{"short", `{"color":"blue","value":null},{"color":"purple","value":10}`, ""},
		{"short", `{"color":"green","value":null},{"color":"red","value":80}`, ""}, // Grafana's own
		{"short", `{"color":"green","value":null},{"color":"red","value":81}`, "bad: '> 81 for 1m'"},
		{"short", `{"color":"red","value":null},{"color":"green","value":1},{"color":"red","value":2}`, ""},
		{"short", `{"color":"#808080","value":null},{"color":"#f00","value":1}`, "bad: '> 1 for 1m'"},
		{"short", `{"color":"green","value":null},{"color":"chartreuse-ish","value":1}`, "bad"}, // see below
	} {
		board := `{"panels":[{"type":"stat","title":"x y","fieldConfig":{"defaults":{"unit":"` + c.unit + `","thresholds":{"mode":"absolute","steps":[` + c.steps + `]}}},"targets":[{"expr":"sum(x)","refId":"A"}]}]}`
		got, err := grafana.Import([]byte(board), options())
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(got.YAML); err != nil {
			t.Errorf("%s: %v", c.steps, err)
		}
		var rules []string
		for line := range strings.Lines(string(got.YAML)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "watch:") || strings.HasPrefix(line, "bad:") {
				rules = append(rules, line)
			}
		}
		if c.want == "bad" { // a colour that nobody knows is told, not guessed
			if len(rules) != 0 || !strings.Contains(notes(got), "neither good nor bad") {
				t.Errorf("%s: %q, %s", c.steps, rules, notes(got))
			}
			continue
		}
		if strings.Join(rules, "\n ") != c.want {
			t.Errorf("%s: %q, want %q", c.steps, rules, c.want)
		}
	}
}

// What the config reads must be what Grafana would have asked, dollar signs and all.
func TestAnExpressionArrivesAsGrafanaWouldAskIt(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`sum(x{shop="$shop"})`, `sum(x{shop="tide"})`},
		{`sum(x{shop="[[shop]]_${shop:regex}$shop"})`, `sum(x{shop="tide_tidetide"})`},
		{`label_replace(sum(x), "a", "$1-$$", "b", "(.*)$")`, `label_replace(sum(x), "a", "$1-$$", "b", "(.*)$")`},
		{`sum(x{a=~"it's|\\d+$"})`, `sum(x{a=~"it's|\\d+$"})`},
		{"sum(x)\n  / # the rest\n  sum(y)", "sum(x)\n  / # the rest\n  sum(y)"},
		{`sum(rate(x[$__rate_interval])) / $__range_s`, `sum(rate(x[1m])) / 3600`},
		{`sum(increase(x[$step]))`, `sum(increase(x[10m]))`},
		{`sum(${shop}_orders)`, `sum(tide_orders)`},
		{`sum by (pod) (x{sale="$sale"})`, `sum(x{sale="lantern"})`},
	} {
		expr, _ := json.Marshal(c.expr)
		board := `{"panels":[{"type":"timeseries","title":"A panel","targets":[{"expr":` + string(expr) + `,"refId":"A"}]}],"templating":{"list":[
			{"name":"shop","type":"custom","current":{"value":"tide"}},{"name":"sale","type":"query","current":{"value":"lantern"}},{"name":"step","type":"interval","current":{"value":"10m"}}]}}`
		got, err := grafana.Import([]byte(board), options())
		if err != nil {
			t.Errorf("%s: %v\n%s", c.expr, err, notes(got))
			continue
		}
		cfg, err := config.Parse("onsale.yaml", got.YAML, config.SystemEnvironment())
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if query := cfg.Sales[0].Reads[0].Prometheus.Query; query != c.want {
			t.Errorf("%s\n became %s\n want   %s", c.expr, query, c.want)
		}
	}
}

func FuzzNoDashboardBreaksTheImportAndWhatComesOutIsValid(f *testing.F) {
	boards, _ := filepath.Glob("testdata/*.json")
	for _, path := range boards { // a panel each: the engine is slow to shrink whole boards
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var board struct{ Panels []json.RawMessage }
		if err := json.Unmarshal(data, &board); err != nil {
			f.Fatal(err)
		}
		for _, panel := range board.Panels {
			var small bytes.Buffer
			if err := json.Compact(&small, panel); err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(`{"panels":[` + small.String() + `]}`))
		}
	}
	f.Add([]byte(`{"panels":[{"type":"stat","title":"$$ ${x} 'q' \"\n","targets":[{"expr":"sum(x{a=\"$1 $$ ${b} $x\"}) # $"}]}],"templating":{"list":[{"name":"x","current":{"value":"$x ${env:HOME}"}},{"name":"b","current":{"value":["a","'"]}}]}}`))
	f.Add([]byte(`{"panels":[{"type":"stat","targets":[{"namespace":"a: b","metricName":"c/d","dimensions":{"- x":"'"},"period":"7"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			return
		}
		got, err := grafana.Import(data, options())
		if err != nil {
			return
		}
		if err := valid(got.YAML); err != nil {
			t.Fatalf("%v\n%s", err, got.YAML)
		}
		for _, n := range got.Notes {
			if strings.ContainsAny(n.String(), "\x1b\n\r") || n.Line < 1 || n.Column < 1 {
				t.Fatalf("%+v", n)
			}
		}
	})
}
