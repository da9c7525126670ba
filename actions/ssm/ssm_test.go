package ssm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal/systems"
	"github.com/onsale-dev/onsale/sale"
)

func seeing(values map[sale.Signal]float64) actions.Evidence {
	e := actions.Evidence{At: time.Now(), Known: true, Reasons: []sale.Reason{{Text: "declines A 7.0 % > 5.0 % for 2:53", Verdict: sale.Bad}}}
	for name, v := range values {
		e.Signals = append(e.Signals, actions.Observed{Signal: name, Label: string(name), Has: true, Value: v, Age: 9 * time.Second, Freshness: sale.Fresh, Verdict: sale.Bad})
	}
	return e
}

func TestAGateIsPreviewedWithItsVersionItsDelayAndItsBounds(t *testing.T) {
	c := begin(t)
	slow := func(o *ParameterOptions) { o.Soonest, o.Latest = 5*time.Second, 30*time.Second }
	for _, k := range []struct {
		name    string
		gate    *Parameter
		req     actions.Request
		seen    actions.Evidence
		change  string
		refused string
	}{
		{"a lower rate", c.gate(slow), actions.Request{Verb: actions.Rate, To: to(600)}, actions.Evidence{}, "800 → 600", ""},
		{"a pause", c.gate(slow), actions.Request{Verb: actions.Pause}, actions.Evidence{}, "800 → off", ""},
		{"a rate within JSON", c.gate(func(o *ParameterOptions) { o.Name, o.Number = "/shop/gate/json", `{"rate": {{to}}}` }), actions.Request{Verb: actions.Rate, To: to(500)}, actions.Evidence{}, "640 → 500", ""},
		{"up within what is safe", c.gate(), actions.Request{Verb: actions.Rate, To: to(1000)}, seeing(map[sale.Signal]float64{SafeAdmission: 1100}), "800 → 1000", ""},
		{"up above what is safe", c.gate(), actions.Request{Verb: actions.Rate, To: to(1200)}, seeing(map[sale.Signal]float64{SafeAdmission: 1100}), "", "above the safe admission of 1,100/min"},
		{"over the bound", c.gate(), actions.Request{Verb: actions.Rate, To: to(30000)}, actions.Evidence{}, "", "outside 0 to 20000"},
		{"a verb that has no value", c.gate(func(o *ParameterOptions) { o.Pause = "" }), actions.Request{Verb: actions.Pause}, actions.Evidence{}, "", "not made for pause"},
		{"an undo of something else", c.gate(), actions.Request{Verb: actions.Undo, Restore: actions.Value{"min": actions.Number(3)}}, actions.Evidence{}, "", "can't be put back"},
	} {
		t.Run(k.name, func(t *testing.T) {
			p, err := k.gate.Preview(t.Context(), k.req, k.seen)
			if err != nil {
				t.Fatal(err)
			}
			if p.Refused() != (k.refused != "") {
				t.Fatalf("%+v", p.Refusals)
			}
			contains(t, p.Change, k.change)
			if p.Refused() {
				contains(t, p.Refusals[0].Text, k.refused)
			}
			if p.Target.Account == "" || p.Target.Region != region || p.Version == "" {
				t.Errorf("%+v", p.Target)
			}
		})
	}
	p, _ := c.gate(slow).Preview(t.Context(), actions.Request{Verb: actions.Pause}, seeing(map[sale.Signal]float64{sale.AdmissionRate: 790}))
	contains(t, p.EffectText, "within 30s")
	if p.Soonest != 5*time.Second || p.Effect == nil || p.Effect.Within != 150*time.Second || p.Version != "7" {
		t.Errorf("%+v %+v", p, p.Effect)
	}
}

func TestAGateThatCantBeRestoredIsNotTouched(t *testing.T) {
	c := begin(t)
	c.put("/shop/gate/rate", "eight\nhundred\x1b[2J")
	if p, err := c.gate().Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{}); err != nil || !p.Refused() {
		t.Errorf("%+v %v", p.Refusals, err)
	}
	for name, want := range map[string]sale.Class{"/shop/secret": sale.BadData, "/shop/none": sale.NotFound} {
		var problem *sale.Problem
		_, err := c.gate(func(o *ParameterOptions) { o.Name = name }).Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{})
		if !errors.As(err, &problem) || problem.Class != want || problem.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPatternThatDoesNotTakeTheValueIsARefusal(t *testing.T) {
	c := begin(t)
	e := c.gate(func(o *ParameterOptions) { o.Pause = "closed" })
	p, err := e.Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Execute(t.Context(), p, "k")
	r := rejectedOf(err)
	if r == nil || !strings.Contains(r.Problem.Hint, "AllowedPattern") || !strings.Contains(r.Problem.Text, "ParameterPatternMismatch") {
		t.Errorf("%v", err)
	}
}

func TestAWriteThatCameInBetweenIsSaid(t *testing.T) {
	c := begin(t)
	e := c.gate()
	p, err := e.Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	c.before = func(target string) {
		if target == "PutParameter" {
			c.put("/shop/gate/rate", "700")
		}
	}
	receipt, err := e.Execute(t.Context(), p, "k")
	if err != nil || receipt.RequestID == "" {
		t.Fatalf("%+v %v", receipt, err)
	}
	contains(t, receipt.Text, "version 9", "somebody wrote version 8")
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, k := range []struct {
		name     string
		status   int
		code     string
		rejected bool
		class    sale.Class
	}{
		{"a throttle", 400, "ThrottlingException", true, sale.Throttled},
		{"an expired session", 400, "ExpiredTokenException", true, sale.Auth},
		{"a missing right", 400, "AccessDeniedException", true, sale.Auth},
		{"too many updates", 400, "TooManyUpdates", true, sale.Throttled},
		{"an inner failure", 500, "InternalServerError", false, sale.Failing},
		{"a gateway", 503, "", false, sale.Failing},
	} {
		t.Run(k.name, func(t *testing.T) {
			c := begin(t)
			e := c.gate()
			p, err := e.Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{})
			if err != nil {
				t.Fatal(err)
			}
			c.instead = func(w http.ResponseWriter, target string) bool {
				if target != "PutParameter" {
					return false
				}
				refuse(w, k.status, k.code, "no")
				return true
			}
			_, err = e.Execute(t.Context(), p, "k")
			var problem *sale.Problem
			if (rejectedOf(err) != nil) != k.rejected || !errors.As(err, &problem) || problem.Class != k.class || problem.Hint == "" {
				t.Errorf("%#v", err)
			}
			if k.class == sale.Auth && k.code == "AccessDeniedException" {
				contains(t, problem.Hint, "ssm:PutParameter", "profile onsale-act")
			}
			if c.wrote() != 1 {
				t.Errorf("%d writes", c.wrote())
			}
		})
	}
}

func TestGarbageIsUnknownAndNothingThatAnswersIsARefusal(t *testing.T) {
	for _, body := range []string{"<html>", "", "null", `{"Version":"many"}`, strings.Repeat("x", maxBody+2)} {
		c := begin(t)
		e := c.gate()
		p, err := e.Preview(t.Context(), actions.Request{Verb: actions.Pause}, actions.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		c.instead = func(w http.ResponseWriter, target string) bool {
			if target != "PutParameter" {
				return false
			}
			_, _ = w.Write([]byte(body))
			return true
		}
		if _, err := e.Execute(t.Context(), p, "k"); rejectedOf(err) != nil {
			t.Errorf("%.20q is called a refusal: %v", body, err)
		}
	}
	c := begin(t)
	o := c.aws()
	o.Endpoint = "http://127.0.0.1:1"
	e, err := NewParameter(ParameterOptions{AWS: o, Name: "/shop/gate/rate", Pause: "off"})
	if err != nil {
		t.Fatal(err)
	}
	p := actions.Preview{Target: e.Target(), To: actions.Value{SettingValue: actions.Word("off")}}
	if _, err := e.Execute(t.Context(), p, "k"); rejectedOf(err) == nil || rejectedOf(err).Problem.Class != sale.Unreachable {
		t.Errorf("%v", err)
	}
}

func TestAnOpsItemCarriesTheSaleTheCauseTheFiguresAndTheLinks(t *testing.T) {
	c := begin(t)
	e := c.center()
	req := actions.Request{Sale: "lantern", Verb: actions.Incident, Text: "payments decline", Reason: "INC-2214"}
	p, err := e.Preview(t.Context(), req, seeing(map[sale.Signal]float64{sale.PaymentFailureRatio: 0.07}))
	if err != nil || p.Refused() {
		t.Fatalf("%+v %v", p.Refusals, err)
	}
	contains(t, p.EffectText, "pages nobody")
	receipt, err := e.Execute(t.Context(), p, "k")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, receipt.Text, "oi-", "pages nobody")
	contains(t, receipt.Link, "https://eu-central-1.console.aws.amazon.com/systems-manager/opsitems/oi-")
	body := c.last("CreateOpsItem").body
	contains(t, fmt.Sprint(body["Description"]), "Harbour Hall · The Lanterns: payments decline", "Sale: lantern", "Cause: declines A 7.0 %", "payment_failure_ratio 0.07 (9s)", "dashboard: https://grafana.example/d/1", "Reason given: INC-2214")
	contains(t, fmt.Sprint(body["OperationalData"]), `map[Type:SearchableString Value:{"dedupString":"onsale/lantern/incident"}]`)
	if strings.Contains(fmt.Sprint(body["Source"]), "aws") {
		t.Error("the source is reserved")
	}
	again, err := e.Preview(t.Context(), req, actions.Evidence{})
	if err != nil || !again.Refused() {
		t.Errorf("a second incident is offered: %v", err)
	}
	receipt, err = e.Execute(t.Context(), p, "k2") // another cockpit was faster
	if err != nil || !strings.Contains(receipt.Text, "open already") || len(c.store.OpsItems()) != 1 {
		t.Errorf("%+v %v", receipt, err)
	}
}

func TestAnotherCockpitTakesAndResolvesTheOpsItem(t *testing.T) {
	c := begin(t)
	c.open("lantern", "Open")
	for _, k := range []struct {
		verb actions.Verb
		text string
		want string
	}{{actions.Acknowledge, "", "InProgress"}, {actions.AddNote, "provider A says fixed", "InProgress"}, {actions.Resolve, "", "Resolved"}} {
		e := c.center() // a fresh process each time
		p, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: k.verb, Text: k.text}, actions.Evidence{})
		if err != nil || p.Refused() {
			t.Fatalf("%s: %+v %v", k.verb, p.Refusals, err)
		}
		if _, err := e.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
		state, err := e.ReadBack(t.Context(), p)
		if err != nil || !state.Value.Holds(p.To) || c.store.OpsItems()[0].Status != k.want {
			t.Errorf("%s: %s %v", k.verb, state.Value, err)
		}
	}
	if d := c.store.OpsItems()[0].Data; d[noteName("provider A says fixed")].Value != "provider A says fixed" {
		t.Errorf("the note is not there: %v", d)
	}
	for _, verb := range []actions.Verb{actions.Acknowledge, actions.Resolve, actions.AddNote} {
		p, err := c.center().Preview(t.Context(), actions.Request{Sale: "lantern", Verb: verb, Text: "x"}, actions.Evidence{})
		if err != nil || !p.Refused() {
			t.Errorf("%s of a resolved one: %+v %v", verb, p.Refusals, err)
		}
	}
}

func TestAnIncidentOpensAlsoWhenTheSearchIsNotAllowed(t *testing.T) {
	c := begin(t)
	c.instead = func(w http.ResponseWriter, target string) bool {
		if target != "DescribeOpsItems" {
			return false
		}
		refuse(w, 400, "AccessDeniedException", "no")
		return true
	}
	e := c.center()
	p, err := e.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Incident}, actions.Evidence{})
	if err != nil || p.Refused() || len(p.Warnings) == 0 {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := e.Execute(t.Context(), p, "k"); err != nil {
		t.Fatal(err)
	}
	if state, err := e.ReadBack(t.Context(), p); err != nil || !state.Value.Holds(p.To) {
		t.Errorf("%s %v", state.Value, err)
	}
	if _, err := c.center().Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Resolve}, actions.Evidence{}); err == nil {
		t.Error("a resolve is offered for an item that can't be found")
	}
}

func TestOptionsThatCantWorkAreRefused(t *testing.T) {
	good := ParameterOptions{AWS: begin(t).aws(), Name: "/a", Number: "{{to}}", Pause: "off"}
	for name, spoil := range map[string]func(*ParameterOptions){
		"no name": func(o *ParameterOptions) { o.Name = "" }, "no region": func(o *ParameterOptions) { o.Config.Region = "" },
		"two holes": func(o *ParameterOptions) { o.Number = "{{to}}{{to}}" }, "no hole": func(o *ParameterOptions) { o.Number = "800" },
		"a hole in pause": func(o *ParameterOptions) { o.Pause = "{{to}}" }, "pause like resume": func(o *ParameterOptions) { o.Resume = "off" },
		"bounds that cross": func(o *ParameterOptions) { o.Min, o.Max = 9, 3 }, "nothing to do": func(o *ParameterOptions) { o.Number, o.Pause = "", "" },
	} {
		o := good
		spoil(&o)
		if _, err := NewParameter(o); err == nil {
			t.Error(name)
		}
	}
	for name, o := range map[string]OpsOptions{
		"a reserved source": {AWS: good.AWS, Source: "my-AWS-tool"}, "no severity of theirs": {AWS: good.AWS, Severity: "high"}, "no region": {},
	} {
		if _, err := NewOpsItem(o); err == nil {
			t.Error(name)
		}
	}
}

// fixture reads one of AWS's own frozen requests from the SDK's module.
func fixture(t *testing.T, name string) (target string, body map[string]any) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/ssm").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("SKIPPED: AWS's wire fixtures were not found, so nothing was held against them: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "request_snapshot", name+".request.snap"))
	if err != nil {
		t.Fatal(err)
	}
	head, text, _ := strings.Cut(strings.TrimPrefix(string(data), "POST /\n\n"), "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		if v, ok := strings.CutPrefix(line, "X-Amz-Target: "); ok {
			target = v
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil || target == "" {
		t.Fatalf("%s: %v", name, err)
	}
	return target, body
}

// sameShape reports where a request of ours has a member or a type that AWS's own has not. Maps
// with names of the caller's choice have one sample.
func sameShape(t *testing.T, where string, ours, theirs any) {
	t.Helper()
	switch o := ours.(type) {
	case map[string]any:
		th, ok := theirs.(map[string]any)
		if !ok {
			t.Errorf("%s is an object, theirs %T", where, theirs)
			return
		}
		for name, v := range o {
			like, ok := th[name]
			if sample, isMap := th["key0"]; !ok && isMap {
				like, ok = sample, true
			}
			if !ok {
				t.Errorf("%s.%s is not a member", where, name)
				continue
			}
			sameShape(t, where+"."+name, v, like)
		}
	case []any:
		th, ok := theirs.([]any)
		if !ok || len(th) == 0 {
			t.Errorf("%s is a list, theirs %T", where, theirs)
			return
		}
		for _, v := range o {
			sameShape(t, where+"[]", v, th[0])
		}
	default:
		if fmt.Sprintf("%T", ours) != fmt.Sprintf("%T", theirs) {
			t.Errorf("%s is a %T, theirs a %T", where, ours, theirs)
		}
	}
}

func TestOurRequestsHaveTheShapeOfAWSsOwn(t *testing.T) {
	c := begin(t)
	gate, center := c.gate(), c.center()
	c.open("kestrel", "Open")
	for _, k := range []struct {
		ex  actions.Executor
		req actions.Request
	}{{gate, actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(600)}}, {center, actions.Request{Sale: "lantern", Verb: actions.Incident}}, {center, actions.Request{Sale: "kestrel", Verb: actions.AddNote, Text: "x"}}, {center, actions.Request{Sale: "kestrel", Verb: actions.Resolve}}} {
		p, err := k.ex.Preview(t.Context(), k.req, actions.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.ex.Execute(t.Context(), p, "k"); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"GetParameter", "PutParameter", "CreateOpsItem", "UpdateOpsItem", "GetOpsItem", "DescribeOpsItems"} {
		target, theirs := fixture(t, name)
		made := c.last(name)
		if made.header.Get("X-Amz-Target") != target || made.header.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s: %v", name, made.header)
		}
		sameShape(t, name, made.body, theirs)
	}
	if put := c.last("PutParameter").body; put["Overwrite"] != true || put["Value"] != "600" || len(put) != 3 {
		t.Errorf("PutParameter sent %v", put)
	}
}

func FuzzAValueIsANumberOnlyWhenItIsRestoredToTheByte(f *testing.F) {
	for _, s := range []string{"800", "0800", "8e2", "-0", "NaN", "on", `{"rate": 5}`, "\x1b[2J"} {
		f.Add(s, "{{to}}")
		f.Add(s, `{"rate": {{to}}}`)
	}
	f.Fuzz(func(t *testing.T, raw, template string) {
		e := &Parameter{}
		e.head, e.tail, e.placeholder = strings.Cut(template, hole)
		s := e.setting(raw)
		if e.raw(s) != raw {
			t.Errorf("%q by %q is %s, and would be restored as %q", raw, template, s, e.raw(s))
		}
	})
}

var _ systems.Store = (*store)(nil)
