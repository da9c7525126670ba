package actions_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

func TestASettingIsTheSameAfterJSON(t *testing.T) {
	v := actions.Value{
		"n": actions.Number(0.5), "big": actions.Number(2147483647), "on": actions.Flag(true), "off": actions.Flag(false),
		"w": actions.Word("fifo"), "none": actions.Unset,
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back actions.Value
	if err := json.Unmarshal(data, &back); err != nil || !back.Equal(v) {
		t.Errorf("%s → %s (%v)", data, back, err)
	}
	if s := v.String(); s != "big 2147483647, n 0.5, none unset, off off, on on, w fifo" {
		t.Errorf("%q", s)
	}
	for _, bad := range []string{`{"a":[]}`, `{"a":{}}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is a value", bad)
		}
	}
	if data, err := json.Marshal(actions.Value{"n": actions.Number(math.NaN())}); err != nil || !strings.Contains(string(data), "NaN") {
		t.Errorf("%s %v", data, err)
	}
}

func TestAValueHoldsOnlyWhatIsProven(t *testing.T) {
	n := actions.Number
	for name, c := range map[string]struct {
		has, want actions.Value
		holds     bool
	}{
		"the same":             {actions.Value{"a": n(1)}, actions.Value{"a": n(1)}, true},
		"more":                 {actions.Value{"a": n(1), "b": n(2)}, actions.Value{"a": n(1)}, true},
		"less":                 {actions.Value{"a": n(1)}, actions.Value{"a": n(1), "b": n(2)}, false},
		"another number":       {actions.Value{"a": n(1)}, actions.Value{"a": n(2)}, false},
		"another kind":         {actions.Value{"a": n(1)}, actions.Value{"a": actions.Flag(true)}, false},
		"zero is not unset":    {actions.Value{"a": n(0)}, actions.Value{"a": actions.Unset}, false},
		"unset is not missing": {actions.Value{}, actions.Value{"a": actions.Unset}, false},
		"nothing proves":       {actions.Value{"a": n(1)}, actions.Value{}, false},
		"NaN is never held":    {actions.Value{"a": n(math.NaN())}, actions.Value{"a": n(math.NaN())}, false},
	} {
		if got := c.has.Holds(c.want); got != c.holds {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTheVerbsHaveCodesOfTheirOwnAndAreNamedAsTheCommandNamesThem(t *testing.T) {
	names, codes := []string{}, map[string]bool{}
	for _, m := range actions.Verbs() {
		names = append(names, string(m.Verb))
		if len(m.Code) != 5 || codes[m.Code] || m.Label == "" {
			t.Errorf("%+v", m)
		}
		codes[m.Code] = true
	}
	if got := strings.Join(names, " "); got != "scale-up scale-back scale-ahead pause resume rate incident acknowledge resolve note silence undo play" {
		t.Error(got)
	}
	if _, ok := actions.Verb("suspend").Meaning(); ok {
		t.Error("suspend is an action")
	}
}

func TestTheTokenChangesWithEverythingThatIsSentAndComparedAndNothingElse(t *testing.T) {
	base := func() actions.Preview {
		return actions.Preview{
			Request: actions.Request{Sale: harbour, Verb: actions.Rate}, Version: "1",
			Target: actions.Target{Name: "a"}, From: actions.Value{"r": actions.Number(1)}, To: actions.Value{"r": actions.Number(2)},
		}
	}
	p := base()
	token := p.Token()
	if len(token) != 16 {
		t.Errorf("%q", token)
	}
	for name, change := range map[string]func(*actions.Preview){
		"sale":    func(p *actions.Preview) { p.Request.Sale = "x" },
		"verb":    func(p *actions.Preview) { p.Request.Verb = actions.Pause },
		"account": func(p *actions.Preview) { p.Target.Account = "x" },
		"version": func(p *actions.Preview) { p.Version = "2" },
		"from":    func(p *actions.Preview) { p.From = actions.Value{"r": actions.Number(0)} },
		"to":      func(p *actions.Preview) { p.To = actions.Value{"r": actions.Number(3)} },
		"a step":  func(p *actions.Preview) { p.Steps = []actions.Step{{}} },
	} {
		p := base()
		change(&p)
		if p.Token() == token {
			t.Errorf("%s is not in the token", name)
		}
	}
	q := base()
	q.Request.Reason, q.ReadAt, q.CostText = "because", time.Now(), "$1"
	if q.Token() != token {
		t.Error("the reason or the reading is in the token")
	}
}

func TestEvidenceQuotesWhatIsNotKnownAsNotKnown(t *testing.T) {
	e := actions.EvidenceOf(nil, t0)
	if e.Known || e.Verdict != sale.Unknown || e.Signal(sale.Waiting).Usable() {
		t.Errorf("%+v", e)
	}
	if s := e.Signal(sale.Waiting).String(); s != "waiting not known" {
		t.Errorf("%q", s)
	}
	snap := snapshot(800, t0)
	at := func(d time.Duration) string {
		return actions.EvidenceOf(snap.Sales[0], t0.Add(d)).Signal(sale.AdmissionRate).String()
	}
	if got := at(9 * time.Second); got != "admitted 800/min (9s)" {
		t.Errorf("%q", got)
	}
	if got := at(5 * time.Minute); got != "admitted ?800/min (5:00)" {
		t.Errorf("%q", got)
	}
}

func TestWhoWaitsIsSaidOnlyWhenItIsKnown(t *testing.T) {
	e := actions.Evidence{Known: true, Signals: []actions.Observed{
		{Signal: sale.Waiting, Has: true, Value: 12400, Unit: sale.Users, Estimate: true, Age: 31 * time.Second, Freshness: sale.Fresh},
	}}
	if n, text := e.Waiting(); n == nil || *n != 12400 || text != "~12,400 waiting (31s old); capacity alone lets nobody in" {
		t.Errorf("%v %q", n, text)
	}
	e.Signals[0].Freshness = sale.Stale
	if n, text := e.Waiting(); n != nil || text != "" {
		t.Errorf("a stale number is told: %v %q", n, text)
	}
}
