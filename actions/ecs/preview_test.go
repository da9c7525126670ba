package ecs

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/sale"
)

func texts(p actions.Preview) string {
	var all []string
	for _, r := range p.Refusals {
		all = append(all, "REFUSED "+string(r.Guard)+": "+r.Text+" | "+r.Hint)
	}
	for _, w := range p.Warnings {
		all = append(all, "WARNING "+w)
	}
	for _, f := range p.Facts {
		all = append(all, "FACT "+f.Label+": "+f.Text)
	}
	all = append(all, "CHANGE "+p.Change, "HOW "+p.How, "REVERTS "+p.RevertsIt, "UNDO "+p.UndoText, "COST "+p.CostText, "EFFECT "+p.EffectText, "RISK "+string(p.Risk))
	return strings.Join(all, "\n")
}

func TestWhatAPreviewSaysBefore(t *testing.T) {
	suggested := ask(actions.ScaleUp, 0) // nobody names a size
	cost := 0.1
	instead := func(pairs ...string) func(*cloud) {
		return func(c *cloud) {
			c.edit = func(_, body string) string { return strings.NewReplacer(pairs...).Replace(body) }
		}
	}
	event := func(text string, ago time.Duration) func(*cloud) {
		return func(c *cloud) {
			c.group.Events = []capacity.Event{{ID: "e", At: time.Now().Add(-ago), Message: text}}
		}
	}
	refusing := func(operation string) func(*cloud) {
		return func(c *cloud) {
			c.answer = func(op string) (int, string) {
				if op == operation {
					return 400, jsonError("AccessDeniedException", "not authorized")
				}
				return 0, ""
			}
		}
	}
	plan := func(schedule string, least int) func(*cloud) {
		return func(c *cloud) {
			c.scheduled = []capacity.Scheduled{{Name: "night", Schedule: schedule, Next: time.Now().Add(time.Hour), Min: &least}}
		}
	}
	for _, c := range []struct {
		name   string
		none   bool // no scalable target
		cloud  func(*cloud)
		opts   func(*Options)
		ask    actions.Request
		seen   actions.Evidence
		wants  []string
		hasNot []string
		to     string
	}{
		{name: "a managed service is scaled by min, which holds it", ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"CHANGE min 20 → 32, desired 24 → 32", "HOW RegisterScalableTarget service/pl-prod/web: MinCapacity 32, absolute", "headroom: 8 more up to max 40", "no policy can shrink below it", "U sets MinCapacity 20 again", "nothing found"}, hasNot: []string{"WARNING", "REFUSED"}},
		{name: "a service without a scalable target is scaled by its count, and none is registered", none: true, ask: ask(actions.ScaleUp, 32), to: "desiredCount 32", wants: []string{"HOW UpdateService pl-prod/web: desiredCount 32, absolute, no new deployment", "no policy changes it"}},
		{name: "the cost is the added tasks", opts: func(o *Options) { o.UnitCost = &cost }, ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"COST +8 × $0.1 = +0.80 USD/h"}},
		{name: "a size over max is refused with the headroom", ask: ask(actions.ScaleUp, 41), wants: []string{"REFUSED bounds: 41 is over the target's max of 40: headroom for 16 more"}},
		{name: "the size that nobody named stops at max", cloud: func(c *cloud) { c.group.Max = 26 }, ask: suggested, to: "MinCapacity 26", wants: []string{"CHANGE min 20 → 26, desired 24 → 26"}, hasNot: []string{"REFUSED"}},
		{name: "a target that is at its max has no headroom", cloud: func(c *cloud) { c.group.Min, c.group.Max = 24, 24 }, ask: suggested, wants: []string{"REFUSED bounds: the target is at its max of 24: there is no headroom"}},
		{name: "how long starts take is said where it is known", ask: ask(actions.ScaleUp, 32), opts: func(o *Options) { o.Soonest, o.Latest = time.Minute, 2*time.Minute }, to: "MinCapacity 32", wants: []string{"done when 32 are running; starts take 1:00 to 2:00"}},
		{name: "max is raised along where that is allowed", opts: func(o *Options) { o.RaiseMax = true }, ask: ask(actions.ScaleUp, 50), to: "MaxCapacity 50, MinCapacity 50", wants: []string{"max 40 → 50", "headroom: none above 50"}},
		{name: "a deployment in progress is said", cloud: func(c *cloud) {
			c.group.Refresh = &capacity.Refresh{ID: "r", Status: "InProgress", Percent: 50, Start: time.Now()}
		}, ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING a deployment is in progress: 12 of 24 tasks of the new one run; scale-in by policies is off while it is"}},
		{name: "a deployment that failed is said", cloud: instead(`"rolloutState":"COMPLETED"`, `"rolloutState":"FAILED"`), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING a deployment has failed"}},
		{name: "suspended scaling is said", cloud: func(c *cloud) { c.group.Hold = capacity.Hold{In: true, Out: true} }, ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING scale-in by policies is suspended", "WARNING scale-out by policies is suspended"}},
		{name: "tasks that find no room are said", cloud: event("(service web) was unable to place a task. Reason: Capacity is unavailable at this time.", time.Minute), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING tasks find no room: (service web) was unable to place a task"}},
		{name: "an old shortage is not", cloud: event("(service web) was unable to place a task.", time.Hour), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", hasNot: []string{"no room"}},
		{name: "tasks on instances need instances", cloud: instead(`"launchType":"FARGATE"`, `"launchType":"EC2"`), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING tasks need EC2 instances"}},
		{name: "a daemon service is refused", cloud: instead(`"schedulingStrategy":"REPLICA"`, `"schedulingStrategy":"DAEMON"`), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"REFUSED target: it is a daemon service"}},
		{name: "a service that drains is refused", cloud: instead(`"status":"ACTIVE","desired`, `"status":"DRAINING","desired`), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"REFUSED target: the service is DRAINING"}},
		{name: "a scheduled action that sets a smaller size reverts it", cloud: plan("cron(0 3 * * ? *)", 10), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING scheduled action night, cron(0 3 * * ? *): min 10", "REVERTS scheduled action night"}},
		{name: "one whose time has passed does not", cloud: plan("at(2020-01-01T03:00:00)", 10), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"REVERTS nothing found"}},
		{name: "why it did not scale is said", cloud: func(c *cloud) {
			c.acts = []capacity.Activity{{ID: "a", Status: "Successful", Start: time.Now(), NotScaled: []capacity.NotScaled{{Code: "AlreadyAtMaxCapacity"}}, Cause: "x", Description: "y"}}
		}, ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"it did not scale: AlreadyAtMaxCapacity"}},
		{name: "what could not be read beside is said, and does not prevent", cloud: refusing("DescribeScheduledActions"), ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", wants: []string{"WARNING scheduled actions could not be read: AccessDeniedException", "REVERTS not known"}},
		{name: "a database that would run out of connections makes it severe", opts: func(o *Options) { o.ConnectionsPerTask = 100 }, ask: ask(actions.ScaleUp, 32), to: "MinCapacity 32", seen: during(sale.Live, actions.Observed{Signal: sale.DBConnections, Has: true, Value: 3900, Freshness: sale.Fresh}, actions.Observed{Signal: sale.DBConnectionsMax, Has: true, Value: 4000, Freshness: sale.Fresh}), wants: []string{"WARNING the database would run out of connections: +8 tasks × 100 = 800 more connections: 4700 of 4000", "RISK severe"}},
		{name: "a scale back while the sale is on is severe", ask: ask(actions.ScaleBack, 10), seen: during(sale.Opening), to: "MinCapacity 10", wants: []string{"phase opening", "RISK severe", "nothing shrinks without one"}},
		{name: "a scale back of an unmanaged service ends tasks at once", none: true, ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), to: "desiredCount 10", wants: []string{"WARNING 14 tasks end at once: 24 → 10", "RISK normal"}},
		{name: "a scale back below the floor is refused", ask: ask(actions.ScaleBack, 7), seen: during(sale.Closed), wants: []string{"REFUSED bounds: 7 is below the floor of 8"}},
		{name: "without a floor there is no scale back", opts: func(o *Options) { o.Floor = 0 }, ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), wants: []string{"REFUSED bounds: no floor is declared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			scaler := capacity.Target
			if c.none {
				scaler = capacity.None
			}
			cl := fleetOf(24, 20, 40, scaler)
			if c.cloud != nil {
				c.cloud(cl)
			}
			var change []func(*Options)
			if c.opts != nil {
				change = append(change, c.opts)
			}
			p := look(t, cl.executor(t, change...), c.ask, c.seen)
			if p.To.String() != c.to {
				t.Errorf("it would set %q, want %q", p.To, c.to)
			}
			text := texts(p)
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said in\n%s", want, text)
				}
			}
			for _, not := range c.hasNot {
				if strings.Contains(text, not) {
					t.Errorf("%q is said in\n%s", not, text)
				}
			}
			if cl.written() != 0 {
				t.Error("a preview wrote")
			}
		})
	}
}

func TestANumberThatIsNoSizeIsRefusedBeforeAWSIsAsked(t *testing.T) {
	for _, v := range []float64{0, -3, math.NaN(), math.Inf(-1), 12.5, 61} {
		cl := fleetOf(24, 20, 40, capacity.Target)
		r := ask(actions.ScaleUp, 1)
		r.To = &v
		if p := look(t, cl.executor(t), r, actions.Evidence{}); !p.Refused() || len(cl.asked) > 0 {
			t.Errorf("%v: refused %v after %q", v, p.Refused(), cl.asked)
		}
	}
}

func TestAnUndoFitsWhoManagesTheService(t *testing.T) {
	for _, c := range []struct {
		name    string
		scaler  capacity.Scaler
		restore actions.Value
		says    string
		to      string
	}{
		{"bounds go back", capacity.Target, actions.Value{MinCapacity: actions.Number(12), MaxCapacity: actions.Number(30)}, "min 20 → 12, max 40 → 30", "MaxCapacity 30, MinCapacity 12"},
		{"a lower max that ends tasks says so", capacity.Target, actions.Value{MinCapacity: actions.Number(12), MaxCapacity: actions.Number(20)}, "4 tasks end at once", "MaxCapacity 20, MinCapacity 12"},
		{"a count goes back", capacity.None, actions.Value{DesiredCount: actions.Number(16)}, "desired 24 → 16", "desiredCount 16"},
		{"a count is refused once a target is registered", capacity.Target, actions.Value{DesiredCount: actions.Number(16)}, "its desired count would not stay", ""},
		{"bounds are refused once the target is gone: none is registered again", capacity.None, actions.Value{MinCapacity: actions.Number(12)}, "was deregistered since", ""},
		{"bounds that no longer fit are refused", capacity.Target, actions.Value{MinCapacity: actions.Number(45)}, "over max 40, which was changed since", ""},
		{"bounds and a count are two writes", capacity.Target, actions.Value{MinCapacity: actions.Number(12), DesiredCount: actions.Number(12)}, "REFUSED request", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleetOf(24, 20, 40, c.scaler)
			p := look(t, cl.executor(t), actions.Request{Sale: "orchard", Verb: actions.Undo, Of: actions.ScaleUp, Restore: c.restore}, during(sale.Closed))
			if p.To.String() != c.to || !strings.Contains(texts(p), c.says) {
				t.Errorf("it would set %q\n%s", p.To, texts(p))
			}
		})
	}
}

func TestATargetOfAnotherKindIsScaledByItsBounds(t *testing.T) {
	cl := fleetOf(24, 20, 40, capacity.Target)
	o := cl.options(t)
	o.ECS, o.Cluster, o.Service = nil, "", ""
	o.Namespace, o.Resource, o.Dimension = "rds", "cluster:shop", "rds:cluster:ReadReplicaCount"
	const target = `{"ScalableTargets":[{"ServiceNamespace":"rds","ResourceId":"cluster:shop","ScalableDimension":"rds:cluster:ReadReplicaCount","MinCapacity":MIN,"MaxCapacity":40,"ScalableTargetARN":"arn:aws:application-autoscaling:eu-central-1:123456789012:scalable-target/0a"}]}`
	least := "9"
	cl.answer = func(op string) (int, string) {
		switch op {
		case "DescribeScalableTargets":
			return 200, strings.Replace(target, "MIN", least, 1)
		case "RegisterScalableTarget":
			least = "12"
			return 200, `{"ScalableTargetARN":"x"}`
		default:
			return 200, "{}"
		}
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := look(t, x, ask(actions.ScaleUp, 12), during(sale.Live))
	if p.Target.Name != "cluster:shop" || p.Target.Account != "123456789012" || p.Target.Kind != "scalable target" || p.To.String() != "MinCapacity 12" || p.Refused() {
		t.Errorf("%+v %s %v", p.Target, p.To, p.Refusals)
	}
	if _, err := x.Execute(t.Context(), p, "k"); err != nil {
		t.Fatal(err)
	}
	state, err := x.ReadBack(t.Context(), p)
	if err != nil || !state.Value.Holds(p.To) || !strings.Contains(state.Text, "not known") {
		t.Errorf("%+v %v", state, err)
	}
	for _, body := range cl.bodies {
		if id, list := body["ResourceId"], body["ResourceIds"]; id != "cluster:shop" && (list == nil || list.([]any)[0] != "cluster:shop") {
			t.Errorf("%v is about something else", body)
		}
	}
}

func TestOptionsThatCanNotWorkAreRefused(t *testing.T) {
	cl := fleetOf(24, 20, 40, capacity.Target)
	for name, change := range map[string]func(*Options){
		"no client":             func(o *Options) { o.Scaling = nil },
		"no name":               func(o *Options) { o.Cluster, o.Service = "", "" },
		"a service and another": func(o *Options) { o.Namespace, o.Resource, o.Dimension = "rds", "x", "y" },
		"max without a bound":   func(o *Options) { o.RaiseMax, o.Most = true, 0 },
		"a floor over it":       func(o *Options) { o.Floor = 61 },
		"a size of zero":        func(o *Options) { o.Sizes = []int{0} },
	} {
		o := cl.options(t)
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
