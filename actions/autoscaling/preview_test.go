package autoscaling

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
	all = append(all, "CHANGE "+p.Change, "REVERTS "+p.RevertsIt, "UNDO "+p.UndoText, "COST "+p.CostText, "EFFECT "+p.EffectText, "RISK "+string(p.Risk))
	return strings.Join(all, "\n")
}

func number(v int) *int { return &v }

func TestWhatAPreviewSaysBefore(t *testing.T) {
	suggested := ask(actions.ScaleUp, 0) // nobody names a size
	cost := 0.39
	instead := func(from, to string) func(*cloud) {
		return func(c *cloud) {
			c.edit = func(_, body string) string { return strings.ReplaceAll(body, from, to) }
		}
	}
	suspended := func(process string) func(*cloud) {
		return func(c *cloud) {
			c.group.Suspended = []capacity.Process{{Name: process, Reason: "User suspended at 2026-12-04"}}
		}
	}
	pool := func(c *cloud) { c.group.HasPool = true }
	raise := func(o *Options) { o.RaiseMax = true }
	hosts := func(o *Options) { o.ConnectionsPerHost = 100 }
	database := func(used float64, f sale.Freshness) []actions.Observed {
		return []actions.Observed{
			{Signal: sale.DBConnections, Has: true, Value: used, Freshness: f},
			{Signal: sale.DBConnectionsMax, Has: true, Value: 4000, Freshness: sale.Fresh},
		}
	}
	for _, c := range []struct {
		name   string
		cloud  func(*cloud)
		opts   func(*Options)
		ask    actions.Request
		seen   actions.Evidence
		wants  []string
		hasNot []string
		to     string
	}{
		{
			name: "a plain scale up raises min alone, and desired follows", ask: ask(actions.ScaleUp, 32), to: "MinSize 32",
			wants: []string{"CHANGE min 20 → 32, desired 24 → 32", "headroom: 8 more up to max 40", "can't shrink below it", "nothing found", "U sets min 20 again; instances leave as the scaling policies decide", "COST not known", "RISK normal"}, hasNot: []string{"WARNING", "REFUSED"},
		},
		{
			name: "a scale up that only holds what is there says so", ask: ask(actions.ScaleUp, 24), to: "MinSize 24",
			wants: []string{"no instance is added: it holds the 24"},
		},
		{name: "the cost is the added instances", ask: ask(actions.ScaleUp, 32), opts: func(o *Options) { o.UnitCost = &cost }, to: "MinSize 32", wants: []string{"COST +8 × $0.39 = +3.12 USD/h, 9.36 → 12.48, list price"}},
		{name: "suspended Launch refuses", cloud: suspended("Launch"), ask: ask(actions.ScaleUp, 32), wants: []string{"REFUSED target: Launch is suspended: AWS would accept it and start nothing", "User suspended at"}, to: "MinSize 32"},
		{name: "suspended AddToLoadBalancer warns that new instances get no traffic", cloud: suspended("AddToLoadBalancer"), ask: ask(actions.ScaleUp, 32), wants: []string{"WARNING AddToLoadBalancer is suspended: new instances get no traffic"}, to: "MinSize 32"},
		{name: "another suspended process is named", cloud: suspended("ReplaceUnhealthy"), ask: ask(actions.ScaleUp, 32), wants: []string{"WARNING ReplaceUnhealthy is suspended"}, to: "MinSize 32"},
		{name: "suspended Terminate is said of a scale back", cloud: suspended("Terminate"), ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), wants: []string{"WARNING Terminate is suspended: no instance ends", "RISK normal"}, to: "MinSize 10"},
		{name: "a size over max is refused with the headroom", ask: ask(actions.ScaleUp, 41), wants: []string{"REFUSED bounds: 41 is over the group's max of 40: headroom for 16 more"}, to: ""},
		{name: "the size that nobody named stops at max", cloud: func(c *cloud) { c.group.Max = 26 }, ask: suggested, wants: []string{"CHANGE min 20 → 26, desired 24 → 26", "headroom: none above 26"}, hasNot: []string{"REFUSED"}, to: "MinSize 26"},
		{name: "a group that is at its max and held there has no headroom", cloud: func(c *cloud) { c.group.Min, c.group.Max = 24, 24 }, ask: suggested, wants: []string{"REFUSED bounds: desired is at the group's max of 24: there is no headroom"}},
		{name: "how long starts take is said where it is known", ask: ask(actions.ScaleUp, 32), opts: func(o *Options) { o.Soonest, o.Latest = 90*time.Second, 3*time.Minute }, to: "MinSize 32", wants: []string{"done when 32 are in service and healthy; starts take 1:30 to 3:00"}},
		{name: "max is raised along where that is allowed", opts: raise, ask: ask(actions.ScaleUp, 50), wants: []string{"max 40 → 50", "headroom: none above 50", "U sets min 20 again and max 40"}, to: "MaxSize 50, MinSize 50"},
		{name: "max is never raised over the bound", opts: raise, ask: ask(actions.ScaleUp, 61), wants: []string{"REFUSED bounds: 61 is over the bound of 60"}},
		{name: "a raised max makes the warm pool start more", cloud: pool, opts: raise, ask: ask(actions.ScaleUp, 50), to: "MaxSize 50, MinSize 50", wants: []string{"WARNING a larger max prepares up to 10 more instances for the warm pool, which cost too"}},
		{
			name: "a warm pool with a prepared capacity of its own does not", opts: raise, ask: ask(actions.ScaleUp, 50), to: "MaxSize 50, MinSize 50",
			cloud: func(c *cloud) {
				pool(c)
				instead("<PoolState>Stopped</PoolState>", "<PoolState>Stopped</PoolState><MaxGroupPreparedCapacity>30</MaxGroupPreparedCapacity>")(c)
			}, wants: []string{"prepared capacity is fixed at 30"}, hasNot: []string{"for the warm pool, which cost"},
		},
		{name: "a running instance refresh is said", cloud: func(c *cloud) {
			c.group.Refresh = &capacity.Refresh{ID: "r", Status: "InProgress", Percent: 40, Start: time.Now()}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"WARNING an instance refresh is going on (InProgress, 40 %)"}},
		{name: "a finished instance refresh is not", cloud: func(c *cloud) {
			c.group.Refresh = &capacity.Refresh{ID: "r", Status: "Successful", Percent: 100, Start: time.Now()}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", hasNot: []string{"refresh"}},
		{name: "a scheduled action that sets a smaller size reverts it", cloud: func(c *cloud) {
			at := time.Now().Add(3 * time.Hour).UTC()
			c.scheduled = []capacity.Scheduled{{Name: "night", Start: at, Next: at, Min: number(10)}}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"WARNING scheduled action night at", "REVERTS scheduled action night at", ": min 10"}},
		{name: "a scheduled action that sets a larger size does not", cloud: func(c *cloud) {
			at := time.Now().Add(3 * time.Hour).UTC()
			c.scheduled = []capacity.Scheduled{{Name: "more", Start: at, Next: at, Min: number(35)}}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"REVERTS nothing found"}},
		{name: "a stack that manages the group is named", cloud: instead("<Key>role</Key>", "<Key>aws:cloudformation:stack-name</Key>"), ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"REVERTS CloudFormation stack web"}},
		{name: "a launch that failed lately is said", cloud: func(c *cloud) {
			c.acts = []capacity.Activity{{ID: "a", Status: "Failed", Start: time.Now().Add(-time.Minute), Message: "We currently do not have sufficient m7g.2xlarge capacity", Cause: "x", Description: "Launching"}}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"WARNING the last launch failed", "sufficient m7g.2xlarge capacity"}},
		{name: "what could not be read beside the group is said, and does not prevent", cloud: func(c *cloud) {
			c.answer = func(action string) (int, string) {
				if action == "DescribeScheduledActions" {
					return 403, queryError("AccessDenied", "not authorized")
				}
				return 0, ""
			}
		}, ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"WARNING scheduled actions could not be read: AccessDenied", "REVERTS not known"}},
		{name: "instances that are protected stay", cloud: instead("<ProtectedFromScaleIn>false<", "<ProtectedFromScaleIn>true<"), ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), to: "MinSize 10", wants: []string{"WARNING 24 instances are protected from scale-in and stay"}},
		{name: "weights are said", cloud: instead("<HealthStatus>Healthy<", "<WeightedCapacity>2</WeightedCapacity><HealthStatus>Healthy<"), ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"WARNING capacity is counted in instance weights", "now: 48 of 24"}},
		{name: "new hosts near the database's limit are said", opts: hosts, ask: ask(actions.ScaleUp, 32), seen: during(sale.Live, database(2500, sale.Fresh)...), to: "MinSize 32", wants: []string{"WARNING the database comes close to its limit: +8 hosts × 100 = 800 more connections: 3300 of 4000 (82 %)", "RISK normal"}},
		{name: "new hosts over the database's limit are severe", opts: hosts, ask: ask(actions.ScaleUp, 32), seen: during(sale.Live, database(3500, sale.Fresh)...), to: "MinSize 32", wants: []string{"WARNING the database would run out of connections", "RISK severe"}},
		{name: "stale connections are not known, never few", opts: hosts, ask: ask(actions.ScaleUp, 32), seen: during(sale.Live, database(10, sale.Stale)...), to: "MinSize 32", wants: []string{"WARNING the database's connections are not known"}},
		{name: "a scale back while the sale is on is severe", ask: ask(actions.ScaleBack, 10), seen: during(sale.Live), to: "MinSize 10", wants: []string{"WARNING the sale is on or may be (phase live)", "RISK severe", "nothing shrinks without one"}},
		{name: "a scale back of a sale of which nothing is known is severe", ask: ask(actions.ScaleBack, 10), to: "MinSize 10", wants: []string{"phase not known", "RISK severe"}},
		{name: "a scale back below the floor is refused", ask: ask(actions.ScaleBack, 7), seen: during(sale.Closed), wants: []string{"REFUSED bounds: 7 is below the floor of 8"}},
		{name: "without a floor there is no scale back", opts: func(o *Options) { o.Floor = 0 }, ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), wants: []string{"REFUSED bounds: no floor is declared"}},
		{name: "where no policy scales, desired is set along", opts: func(o *Options) { o.SetDesired = true }, ask: ask(actions.ScaleBack, 10), seen: during(sale.Closed), to: "DesiredCapacity 10, MinSize 10", wants: []string{"WARNING 14 instances end at once", "CHANGE min 20 → 10, desired 24 → 10"}},
		{name: "without a number the next declared size is taken", opts: func(o *Options) { o.Sizes = []int{36, 30} }, ask: ask(actions.ScaleUp, 0), to: "MinSize 30"},
		{name: "above the last declared size nothing is guessed", opts: func(o *Options) { o.Sizes = []int{24} }, ask: ask(actions.ScaleUp, 0), wants: []string{"REFUSED bounds: the largest declared size, 24, is reached"}},
		{name: "without declared sizes it is a quarter more", ask: ask(actions.ScaleUp, 0), to: "MinSize 30"},
		{name: "a group that is being deleted is refused", cloud: instead("<HealthCheckType>", "<Status>Delete in progress</Status><HealthCheckType>"), ask: ask(actions.ScaleUp, 32), to: "MinSize 32", wants: []string{"REFUSED target: the group is being deleted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			if c.cloud != nil {
				c.cloud(cl)
			}
			var change []func(*Options)
			if c.opts != nil {
				change = append(change, c.opts)
			}
			p := cl.preview(t, cl.executor(t, change...), c.ask, c.seen)
			if got := p.To.String(); got != c.to {
				t.Errorf("it would set %q, want %q", got, c.to)
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
	for _, v := range []float64{0, -3, math.NaN(), math.Inf(1), 12.5, 61, 1e9} {
		cl := fleet(24, 20, 40)
		r := ask(actions.ScaleUp, 1)
		r.To = &v
		if p := cl.preview(t, cl.executor(t), r, actions.Evidence{}); !p.Refused() || len(cl.asked) > 0 {
			t.Errorf("%v: refused %v after %q", v, p.Refused(), cl.asked)
		}
	}
}

func TestAnUndo(t *testing.T) {
	for _, c := range []struct {
		name    string
		restore actions.Value
		seen    actions.Evidence
		wants   []string
		to      string
	}{
		{"of a scale up lowers min again and is severe while the sale is on", actions.Value{MinSize: actions.Number(16)}, during(sale.Live), []string{"RISK severe", "CHANGE min 20 → 16, desired 24 → 24"}, "MinSize 16"},
		{"that lowers max below the size says how many end", actions.Value{MinSize: actions.Number(16), MaxSize: actions.Number(18)}, during(sale.Closed), []string{"WARNING 6 instances end at once"}, "MaxSize 18, MinSize 16"},
		{"below the declared floor is possible, since it was recorded, and severe", actions.Value{MinSize: actions.Number(2)}, during(sale.Closed), []string{"the recorded min of 2 is below the declared floor of 8", "RISK severe"}, "MinSize 2"},
		{"of a scale back raises min again", actions.Value{MinSize: actions.Number(30)}, during(sale.Live), []string{"CHANGE min 20 → 30, desired 24 → 30", "RISK normal"}, "MinSize 30"},
		{"that no longer fits under max is refused", actions.Value{MinSize: actions.Number(50)}, during(sale.Live), []string{"REFUSED target: min 50 would be over max 40, which was changed since"}, ""},
		{"of nothing is refused", actions.Value{}, during(sale.Live), []string{"REFUSED request"}, ""},
		{"of a value that is no size is refused", actions.Value{"queue_all": actions.Flag(true)}, during(sale.Live), []string{"REFUSED request"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			p := cl.preview(t, cl.executor(t), actions.Request{Sale: "harbour", Verb: actions.Undo, Of: actions.ScaleUp, Restore: c.restore}, c.seen)
			text := texts(p)
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said in\n%s", want, text)
				}
			}
			if p.To.String() != c.to {
				t.Errorf("it would set %s", p.To)
			}
		})
	}
}

func TestAnEffectIsWatchedOnlyWhereTheSaleHasTheSignal(t *testing.T) {
	cl := fleet(24, 20, 40)
	x := cl.executor(t, func(o *Options) { o.Soonest, o.Latest = time.Minute, 3*time.Minute })
	p := cl.preview(t, x, ask(actions.ScaleUp, 32), during(sale.Live))
	want := actions.Effect{Signal: sale.CapacityInService, Direction: actions.Up, Wanted: 32, Within: 270 * time.Second}
	if p.Effect == nil || *p.Effect != want || p.Soonest != time.Minute {
		t.Errorf("the effect is %+v, want %+v", p.Effect, want)
	}
	if p := cl.preview(t, x, ask(actions.ScaleUp, 32), actions.Evidence{Known: true}); p.Effect != nil {
		t.Errorf("an effect in a signal that the sale does not have: %+v", p.Effect)
	}
	p = cl.preview(t, x, ask(actions.ScaleBack, 10), during(sale.Closed))
	if p.Effect == nil || p.Effect.Signal != sale.CapacityMin || p.Effect.Direction != actions.Down {
		t.Errorf("the effect of a scale back is %+v", p.Effect)
	}
}

func TestTheTargetIsNamedAsAWSNamesIt(t *testing.T) {
	cl := fleet(24, 20, 40)
	got := cl.preview(t, cl.executor(t), ask(actions.ScaleUp, 32), actions.Evidence{}).Target
	if got.Account == "" || got.Region != region || got.Name != "web-prod" || got.Kind != "Auto Scaling group" || !strings.HasPrefix(got.ID, groupARN) {
		t.Errorf("%+v", got)
	}
}

func TestAGroupThatIsNotThereOrAnAnswerWithoutSizesIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(string) string
		want sale.Class
	}{
		"not there":     {func(string) string { return wrapGroups("") }, sale.NotFound},
		"another group": {func(b string) string { return strings.ReplaceAll(b, ">web-prod<", ">web-test<") }, sale.BadData},
		"no min":        {func(b string) string { return strings.ReplaceAll(b, "<MinSize>20</MinSize>", "") }, sale.BadData},
		"an HTML page":  {func(string) string { return "<html><body>sign in</body></html>" }, sale.BadData},
		"empty":         {func(string) string { return "" }, sale.BadData},
		"cut":           {func(b string) string { return b[:len(b)-40] }, sale.BadData},
	} {
		t.Run(name, func(t *testing.T) {
			cl := fleet(24, 20, 40)
			cl.edit = func(_, body string) string { return c.edit(body) }
			_, err := cl.executor(t).Preview(t.Context(), ask(actions.ScaleUp, 32), actions.Evidence{})
			if p := problemIn(err); p == nil || p.Class != c.want || p.Hint == "" {
				t.Errorf("%v", err)
			}
		})
	}
}

func wrapGroups(inside string) string {
	return "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups>" + inside + "</AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>"
}
