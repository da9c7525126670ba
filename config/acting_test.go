package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

const actingHead = `environment: %s
account: "471122083344"
sources:
  m: {kind: prometheus, url: https://p.example}
  fleet: {kind: autoscaling, region: eu-central-1, profile: onsale-read}
controls:
  gate_write: {kind: cloudflare-waiting-room, zone: abc, token: "${env:CF_WRITE_TOKEN}"}
  scale: {kind: autoscaling, region: eu-central-1, profile: onsale-act}
  page: {kind: pagerduty, routing_key: "${env:PD_KEY}"}
  alerts: {kind: alertmanager, peers: ["https://am.example"]}
`

func acting(t *testing.T, rest string) *Config {
	t.Helper()
	return mustParse(t, fmt.Sprintf(actingHead, "staging")+rest)
}

func verbsOf(s *Sale) string {
	var all []string
	for _, a := range s.Actions {
		all = append(all, a.Verb+" "+a.Control)
	}
	return strings.Join(all, ", ")
}

func TestAConfigWithoutControlsOnlyReads(t *testing.T) {
	c := shippedExample(t)
	if len(c.Controls) != 0 || c.Policy.Role != RoleViewer || !c.Policy.ReadOnly {
		t.Errorf("got %+v", c.Policy)
	}
	for _, s := range c.Sales {
		if len(s.Actions) != 0 || len(s.Plays) != 0 {
			t.Errorf("%s can do %s", s.ID, verbsOf(&s))
		}
	}
	if shown, err := c.ShowYAML(); err != nil || strings.Contains(string(shown), "policy:") || strings.Contains(string(shown), "actions:") {
		t.Errorf("it is shown with what it does not have: %v", err)
	}
}

func TestTheShippedActionsAppearWithTheirControls(t *testing.T) {
	c, err := fixture(t, "testdata/good/shipped-template-that-acts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	harbour, _ := c.Sale("harbour")
	want := "scale-up scale, scale-back scale, pause gate_write, resume gate_write, rate gate_write, incident page, acknowledge page, resolve page, note page"
	if got := verbsOf(harbour); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(harbour.Plays) != 1 || harbour.Plays[0].Name != "hold-the-doors" || len(harbour.Plays[0].Steps) != 2 {
		t.Errorf("got %+v", harbour.Plays)
	}
	resume, _ := harbour.Action(VerbResume)
	if len(resume.Gate.Abort) != 2 || !slices.Equal(resume.Gate.Ramp, []float64{0.25, 0.5, 1}) || resume.Gate.Every != 2*time.Minute {
		t.Errorf("what looks at a removed signal is left out: %+v", resume.Gate)
	}
	up, _ := harbour.Action(VerbScaleUp)
	if up.Scale.Group != "web" || *up.Scale.UnitCost != 0.166 || up.Scale.Max != 0 || up.Effect == nil || up.Effect.Within != 6*time.Minute {
		t.Errorf("got %+v %+v", up.Scale, up.Effect)
	}
	tide, _ := c.Sale("tide")
	if got := verbsOf(tide); got != "pause gate_write, resume gate_write, rate gate_write" {
		t.Errorf("got %s", got)
	}
	if len(tide.Plays) != 0 {
		t.Error("a play whose action a sale does without is left out")
	}
}

func TestWhatComesWithAnIncident(t *testing.T) {
	for _, c := range []struct{ name, actions, want string }{
		{"all that the control can do", "incident: {via: page}", "incident page, acknowledge page, resolve page, note page"},
		{"and nothing that it can't", "incident: {via: alerts}", "incident alerts, resolve alerts"},
		{"but for what is taken away", "incident: {via: page}, note: null, resolve: null", "incident page, acknowledge page"},
		{"or goes another way", "incident: {via: alerts}, note: {via: page}", "incident alerts, resolve alerts, note page"},
		{"nothing without one", "note: {via: page}", "note page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := acting(t, "sales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: m, query: up}}, actions: {"+c.actions+"}}]\n")
			if got := verbsOf(&cfg.Sales[0]); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestASaleChangesTheActionsOfItsTemplate(t *testing.T) {
	c := acting(t, `templates:
  base:
    variables: {floor: null, control: scale, none: null, via_none: $none}
    signals: {capacity_in_service: {from: fleet, group: web}, admission_rate: {from: m, query: a}}
    actions:
      scale-up: {via: $control, group: web, step: 25%, max: 40}
      scale-back: {via: $control, group: web, floor: $floor, unit_cost: $none}
      incident: {via: $via_none}
  other:
    extends: base
    actions: {scale-up: {max: 60, step: null}}
sales:
  - id: a
    name: a
    template: other
    opens: 2026-12-01T10:00:00Z
    with: {floor: 4}
    signals: {capacity_in_service: null}
    actions: {scale-up: {sizes: [8, 16], ahead: [{at: opens, to: 8}, {at: opens-1h30m, to: 16}]}, pause: {via: gate_write, room: r, effect: {within: 1m}}}
`)
	a := &c.Sales[0]
	if got := verbsOf(a); got != "scale-up scale, scale-back scale, pause gate_write" {
		t.Errorf("got %s", got)
	}
	up, _ := a.Action(VerbScaleUp)
	if up.Scale.Max != 60 || up.Scale.Step != (Step{}) || !slices.Equal(up.Scale.Sizes, []int{8, 16}) || up.Effect != nil {
		t.Errorf("got %+v, effect %+v", up.Scale, up.Effect)
	}
	if ahead := up.Scale.Ahead; len(ahead) != 2 || ahead[0].To != 16 || !ahead[0].At.Equal(a.Opens.Add(-90*time.Minute)) {
		t.Errorf("got %+v", ahead)
	}
	if back, _ := a.Action(VerbScaleBack); back.Scale.Floor != 4 || back.Scale.UnitCost != nil {
		t.Errorf("got %+v", back.Scale)
	}
	if pause, _ := a.Action(VerbPause); *pause.Effect != (Effect{sale.AdmissionRate, "down", time.Minute}) {
		t.Errorf("got %+v", pause.Effect)
	}
}

func TestAVariableThatAnActionNeedsMustBeSet(t *testing.T) {
	_, err := Parse("onsale.yaml", []byte(strings.Replace(mustRead(t, "testdata/good/shipped-template-that-acts.yaml"), ", scale_floor: 4", "", 1)), fixtureEnvironment())
	if err == nil || !strings.Contains(err.Error(), `the variable "scale_floor" is not set for the sale "harbour"`) {
		t.Errorf("got %v", err)
	}
}

func TestThePolicyIsTheSaferOfTwoUnlessItIsSaid(t *testing.T) {
	const sales = "sales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: m, query: up}}}]\n"
	for _, c := range []struct {
		name, environment, policy string
		role, reason              string
		readOnly, warned          bool
	}{
		{"nothing said", "production", "", RoleViewer, Required, true, true},
		{"a viewer on purpose", "staging", "policy: {role: viewer}\n", RoleViewer, Optional, true, false},
		{"an operator in production", "production", "policy: {role: operator}\n", RoleOperator, Required, false, false},
		{"production by another name", "Prod", "policy: {role: operator}\n", RoleOperator, Required, false, false},
		{"an operator elsewhere", "rehearsal", "policy: {role: operator}\n", RoleOperator, Optional, false, false},
		{"an operator who says less", "production", "policy: {role: operator, reason: severe}\n", RoleOperator, ForSevere, false, false},
		{"an operator who only looks", "production", "policy: {role: operator, read_only: true}\n", RoleOperator, Required, true, false},
		{"a role from outside", "staging", "policy: {role: \"${env:ROLE}\"}\n", RoleOperator, Optional, false, false},
		{"a policy without a role", "staging", "policy: {arm_for: 30s}\n", RoleViewer, Optional, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := mustParse(t, fmt.Sprintf(actingHead, c.environment)+c.policy+sales)
			p := cfg.Policy
			if p.Role != c.role || p.Reason != c.reason || p.ReadOnly != c.readOnly || len(cfg.Warnings) > 0 != c.warned {
				t.Errorf("got %+v, warnings %v", p, cfg.Warnings)
			}
			if p.ArmFor <= 0 || p.MaxActions.Count <= 0 || p.MaxActions.Per <= 0 || p.BreakGlass != nil || p.Change != Optional {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestAFreezeWindowHoldsForTheSalesItIsCountedFrom(t *testing.T) {
	c := acting(t, `policy:
  role: operator
  freeze:
    - {from: opens-1h, to: opens+1h, except: [pause, undo, incident-open]}
    - {from: 2026-12-24T00:00, to: "2026-12-27T00:00:00Z", zone: Europe/Zagreb}
sales:
  - {id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: m, query: up}}}
  - {id: b, name: b, opens: 2026-12-02T10:00:00Z, signals: {x: {from: m, query: up}}}
`)
	f := c.Policy.Freezes
	if len(f) != 3 || f[0].Sales[0] != "a" || f[1].Sales[0] != "b" || len(f[2].Sales) != 0 {
		t.Fatalf("got %+v", f)
	}
	if !f[1].From.Equal(c.Sales[1].Opens.Add(-time.Hour)) || !f[1].Until.Equal(c.Sales[1].Opens.Add(time.Hour)) || !f[1].ExceptIncident {
		t.Errorf("got %+v", f[1])
	}
	if slices.Contains(f[0].Verbs, VerbPause) || slices.Contains(f[0].Verbs, "undo") || !slices.Contains(f[0].Verbs, VerbResume) || len(f[2].Verbs) != 0 {
		t.Errorf("got %v, %v", f[0].Verbs, f[2].Verbs)
	}
	if want := time.Date(2026, 12, 23, 23, 0, 0, 0, time.UTC); !f[2].From.Equal(want) || !f[2].Until.Equal(time.Date(2026, 12, 27, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v to %v", f[2].From, f[2].Until)
	}
}

func TestEachKindOfControlDoesWhatItCan(t *testing.T) {
	for _, kind := range ControlKinds() {
		c := &Control{Kind: kind}
		if kind == ControlWebhook {
			continue
		}
		if len(c.Verbs()) == 0 {
			t.Errorf("%s does nothing", kind)
		}
		for _, verb := range c.Verbs() {
			if !oneOf(verb, Verbs()) || verbKeys[verb] == nil {
				t.Errorf("%s: %s", kind, verb)
			}
		}
		if controlTypes()[kind] == nil {
			t.Errorf("%s can't be read", kind)
		}
	}
	for preset, want := range map[string]string{
		PresetNone: "pause resume rate incident acknowledge resolve note", PresetQueueIt: "rate", PresetSlack: "incident resolve note",
		PresetJira: "incident acknowledge resolve note", PresetIncidentIO: "incident resolve", PresetRootly: "incident resolve",
	} {
		c := &Control{Kind: ControlWebhook, Webhook: &WebhookControl{Preset: preset}}
		if got := strings.Join(c.Verbs(), " "); got != want {
			t.Errorf("%s: got %s, want %s", preset, got, want)
		}
	}
	w := &Control{Kind: ControlWebhook, Webhook: &WebhookControl{Preset: PresetNone, Bodies: map[string]string{VerbPause: "{}", VerbNote: "{}"}}}
	if got := strings.Join(w.Verbs(), " "); got != "pause note" {
		t.Errorf("bodies say what a webhook does: got %s", got)
	}
	if am := (&Control{Kind: ControlAlertmanager, Alertmanager: &AlertmanagerControl{Silence: time.Hour}}).Verbs(); !oneOf(VerbAcknowledge, am) {
		t.Errorf("a silence acknowledges: got %v", am)
	}
}

func TestAPartReadsBackAsItIsWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		text := strconv.FormatFloat(r.Float64()*100, 'f', r.IntN(6), 64)
		v, err := strconv.ParseFloat(text+"e-2", 64)
		if err != nil {
			t.Fatal(err)
		}
		back, err := strconv.ParseFloat(strings.TrimSuffix(percent(v), "%")+"e-2", 64)
		if err != nil || back != v {
			t.Fatalf("%s%%: %v became %s", text, v, percent(v))
		}
	}
}

func TestTheGroupOfASignalIsThatOfItsSource(t *testing.T) {
	c := acting(t, "sales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {spare: {from: fleet, group: demand, field: warm}, mine: {from: m, query: up, group: demand}}}]\n")
	s := &c.Sales[0]
	if r := read(t, s, "spare").AutoScaling; r == nil || r.Group != "demand" || r.Field != "warm" || spec(t, s, "spare").Group != sale.Other {
		t.Errorf("the group of an autoscaling source is what is read: %+v", r)
	}
	if spec(t, s, "mine").Group != sale.Demand {
		t.Error("the group of any other source is a place on the screen")
	}
}

func TestAControlIsFoundByNameAndPlace(t *testing.T) {
	c, err := fixture(t, "testdata/good/every-control.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ctl, ok := c.Control("page")
	if !ok || ctl.PagerDuty == nil || ctl.PagerDuty.RoutingKey.Reveal() != canary+"-routing" {
		t.Errorf("got %+v", ctl)
	}
	if _, ok := c.Control("nobody"); ok {
		t.Error("found one that is not there")
	}
	lines := strings.Split(mustRead(t, "testdata/good/every-control.yaml"), "\n")
	for _, x := range []struct {
		path []string
		want string
	}{{[]string{"controls", "page", "routing_key"}, "PD_KEY"}, {[]string{"policy", "freeze"}, "from: 2026-12-24"}} {
		if p := c.At(x.path...); p.Line < 1 || !strings.Contains(lines[p.Line-1], x.want) {
			t.Errorf("%v: got %v", x.path, p)
		}
	}
}
