package shop

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/systems"
)

var tester = capacity.Caller{Service: "test", Who: "KEY"}

// group returns a group as it stands.
func (w *World) group(t interface{ Fatalf(string, ...any) }, name string) capacity.Group {
	for _, g := range w.Fleets().Groups() {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("there is no group %s", name)
	return capacity.Group{}
}

// resize changes the bounds of a group, as UpdateAutoScalingGroup does; 0 leaves a bound.
func (w *World) resize(t interface{ Fatalf(string, ...any) }, name string, least, most int) {
	set := func(v int) *int {
		if v == 0 {
			return nil
		}
		return &v
	}
	if _, err := w.Fleets().Change(name, tester, func(g *capacity.Group) error { return g.Resize(set(least), set(most), nil) }); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestEachKindOfGroupIsThere(t *testing.T) {
	w := play(t, Options{Seed: 1})
	got := map[string]string{}
	for _, g := range w.Fleets().Groups() {
		got[g.Name] = fmt.Sprint(g.Kind, " ", g.Scaler, " ", g.Count(capacity.InService))
		if sampled := g.Kind == capacity.Pods && g.Scaler != capacity.None; sampled != (g.Sampled > 0) {
			t.Errorf("%s was sampled at %.2f", g.Name, g.Sampled)
		}
		for _, u := range g.Units {
			if u.ID == "" || u.Zone == "" || u.Address == "" || u.Ready.IsZero() || (g.Kind == capacity.Pods) != (u.Node != "") {
				t.Errorf("%s has the unit %+v", g.Name, u)
			}
		}
	}
	for name, want := range map[string]string{
		"marble-web": "instances target tracking 18", "lantern-web": "instances target tracking 24", "cobalt-web": "instances target tracking 8",
		"kestrel-web": "tasks target tracking 24", "kestrel-orders": "tasks  6", "saffron-web": "pods hpa 28", "saffron-orders": "pods  6", "juniper-web": "pods keda 40",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, not %q", name, got[name], want)
		}
	}
	if len(w.group(t, "cobalt-web").WarmPool) != 4 {
		t.Error("the warm pool does not hold what the group may grow by")
	}
}

func TestMachinesComeAfterTheirBootOfTheirKind(t *testing.T) {
	for _, k := range []struct {
		name            string
		to              int
		earliest, whole int // seconds until the first and until all serve
	}{
		{"lantern-web", 30, 90 + checking, 170 + checking + 1},
		{"kestrel-web", 30, 60 + checking, 100 + checking + 1},
		{"saffron-web", 34, 45, syncEvery + 90 + 3},
		{"juniper-web", 44, 45, kedaEvery + syncEvery + 90 + 3},
		{"cobalt-web", 12, warmBoot + checking, warmBoot + 20 + checking + 1},
	} {
		t.Run(k.name, func(t *testing.T) {
			w := play(t, Options{Seed: 9})
			f := w.find(k.name)
			from := f.serving
			_, err := w.Fleets().Change(k.name, tester, func(g *capacity.Group) error {
				g.Wanted.Min = k.to
				return g.Resize(&k.to, nil, nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			first, all := 0, 0
			for second := 1; second <= 300 && all == 0; second++ {
				w.Advance(1)
				if first == 0 && f.serving > from {
					first = second
				}
				if f.serving == k.to {
					all = second
				}
			}
			if first < k.earliest || all == 0 || all > k.whole {
				t.Errorf("the first served after %d s and all after %d s, not %d to %d", first, all, k.earliest, k.whole)
			}
		})
	}
}

func TestMoreHostsCarryMoreAndOpenMoreConnections(t *testing.T) {
	surge := func(scale bool) map[string]float64 {
		w := play(t, Options{Seed: 3, Scenario: "surge-at-opening"})
		if scale {
			w.resize(t, "juniper-web", 0, 0)
			_, err := w.Fleets().Change("juniper-web", tester, func(g *capacity.Group) error {
				g.Wanted.Min, g.Min, g.Desired = 50, 50, 50
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		w.run(7 * time.Minute)
		return w.Truth(w.Now()).Sales[Prequeued]
	}
	small, large := surge(false), surge(true)
	if large["capacity_in_service"] < 50 || large["latency_p95_seconds"] > small["latency_p95_seconds"]/2 || large["error_ratio"] > small["error_ratio"] {
		t.Errorf("scaled ahead: %.2f s, not: %.2f s", large["latency_p95_seconds"], small["latency_p95_seconds"])
	}
	before, after := play(t, Options{Seed: 3}), play(t, Options{Seed: 3})
	after.resize(t, "lantern-web", 28, 0)
	for _, w := range []*World{before, after} {
		w.run(4 * time.Minute)
	}
	more := after.Truth(after.Now()).Sales[Main]["db_connections_now"] - before.Truth(before.Now()).Sales[Main]["db_connections_now"]
	if more < 120 || more > 200 {
		t.Errorf("four hosts more open %.0f connections, not 160", more)
	}
}

func TestWhatIsNotNeededIsGivenBackSlowlyAndNeverBelowTheMinimum(t *testing.T) {
	for _, k := range []struct {
		name string
		low  int // new minimum
	}{{"kestrel-web", 12}, {"saffron-web", 14}} {
		t.Run(k.name, func(t *testing.T) {
			w := play(t, Options{Seed: 5})
			f := w.find(k.name)
			from := f.serving
			w.run(20 * time.Minute)
			if f.serving != from {
				t.Fatalf("at its minimum it went from %d to %d", from, f.serving)
			}
			w.resize(t, k.name, k.low, 0)
			f.g.Wanted.Min = k.low
			idle := f.idleFor()
			w.run(time.Duration(idle-10) * time.Second)
			if f.serving < from {
				t.Errorf("it was given back after less than %d s", idle)
			}
			w.run(40 * time.Minute)
			if f.g.Desired >= from || f.g.Desired < k.low || f.live() != f.g.Desired {
				t.Errorf("with a load of %.2f it wants %d of %d and has %d", f.g.Utilisation, f.g.Desired, from, f.live())
			}
		})
	}
}

func TestASuspendedProcessDoesNotRun(t *testing.T) {
	suspend := func(w *World, processes ...string) {
		_, err := w.Fleets().Change("lantern-web", tester, func(g *capacity.Group) error {
			g.Suspended = nil
			for _, p := range processes {
				g.Suspended = append(g.Suspended, capacity.Process{Name: p, Reason: "test"})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w := play(t, Options{Seed: 2})
	suspend(w, "Launch")
	w.resize(t, "lantern-web", 30, 0)
	w.run(5 * time.Minute)
	if g := w.group(t, "lantern-web"); g.Desired != 30 || len(g.Units) != 24 {
		t.Errorf("with Launch suspended there are %d of %d", len(g.Units), g.Desired)
	}
	suspend(w, "AddToLoadBalancer")
	w.run(5 * time.Minute)
	f := w.find("lantern-web")
	if f.inService != 30 || f.serving != 24 {
		t.Errorf("with AddToLoadBalancer suspended %d are in service and %d serve", f.inService, f.serving)
	}
	suspend(w, "Terminate")
	w.resize(t, "lantern-web", 24, 24)
	w.run(2 * time.Minute)
	if f.live() != 30 {
		t.Errorf("with Terminate suspended %d are left", f.live())
	}
	suspend(w)
	w.run(2 * time.Minute)
	if f.live() != 24 || len(f.units) != 24 {
		t.Errorf("at last %d are left", len(f.units))
	}
}

func TestWithoutMachinesEveryKindSaysSoAndGoesOnWhenThereAreSome(t *testing.T) {
	w := play(t, Options{Seed: 2})
	for name, least := range map[string]int{"lantern-web": 28, "kestrel-web": 28, "saffron-web": 32} {
		if err := w.Trouble(name, Trouble{Launches: "insufficient"}); err != nil {
			t.Fatal(err)
		}
		w.resize(t, name, least, 0)
	}
	w.run(4 * time.Minute)
	a := w.Fleets().Activities("lantern-web")
	if len(a) < 3 || a[0].Status != "Failed" || !strings.Contains(a[0].Message, "InsufficientInstanceCapacity") || !strings.Contains(a[0].Cause, "from 24 to 28") {
		t.Errorf("the group says %+v", a)
	}
	if e := w.group(t, "kestrel-web").Events[0]; !strings.Contains(e.Message, "unable to place a task. Reason: Capacity is unavailable") || e.Count < 2 {
		t.Errorf("the service says %+v", e)
	}
	pods := w.group(t, "saffron-web")
	if e := pods.Events[0]; e.Reason != "FailedScheduling" || pods.Count(capacity.Pending) != 4 {
		t.Errorf("the scheduler says %+v", e)
	}
	if v := w.Truth(w.Now()).Sales["saffron"]; v["pods_pending"] != 4 || v["capacity_desired"] != 32 || v["capacity_in_service"] != 28 {
		t.Errorf("the truth says %v", v)
	}
	for _, name := range []string{"lantern-web", "kestrel-web", "saffron-web"} {
		if err := w.Trouble(name, Trouble{Launches: "ok"}); err != nil {
			t.Fatal(err)
		}
	}
	w.run(5 * time.Minute)
	for _, name := range []string{"lantern-web", "kestrel-web", "saffron-web"} {
		if f := w.find(name); f.serving != f.g.Desired {
			t.Errorf("%s: %d of %d serve", name, f.serving, f.g.Desired)
		}
	}
	if err := w.Trouble("nowhere", Trouble{}); err == nil || !strings.Contains(err.Error(), "lantern-web") {
		t.Errorf("a group that is not there: %v", err)
	}
}

func TestPodsThatNoNodeHasRoomForStayPending(t *testing.T) {
	w := play(t, Options{Seed: 2})
	_, err := w.Fleets().Change("juniper-web", tester, func(g *capacity.Group) error {
		g.Wanted.Min = 60
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.run(4 * time.Minute)
	g := w.group(t, "juniper-web")
	room := nodesOfCluster*podsPerNode - 28 - workersOf
	if g.Desired != 60 || g.Count(capacity.InService) != room || g.Count(capacity.Pending) != 60-room {
		t.Errorf("of %d pods %d run and %d wait; there is room for %d", g.Desired, g.Count(capacity.InService), g.Count(capacity.Pending), room)
	}
}

func TestKEDAAndGitOpsTakeBackWhatIsNotTheirs(t *testing.T) {
	w := play(t, Options{Seed: 2})
	w.resize(t, "juniper-web", 45, 0)
	six := 10
	if _, err := w.Fleets().Change("saffron-orders", tester, func(g *capacity.Group) error { g.Desired = six; return nil }); err != nil {
		t.Fatal(err)
	}
	w.run(30 * time.Second)
	if g := w.group(t, "juniper-web"); g.Min != 40 {
		t.Errorf("the HPA of a ScaledObject kept its minimum of %d", g.Min)
	}
	if g := w.group(t, "saffron-orders"); g.Desired != workersOf {
		t.Errorf("what GitOps applies kept its size of %d", g.Desired)
	}
	by := map[string]bool{}
	for _, e := range w.Truth(w.Now()).Ledger {
		by[e.By+" "+e.What] = true
	}
	for _, want := range []string{"keda juniper-web.hpa", "argocd saffron-orders.desired_capacity", "test saffron-orders.desired_capacity"} {
		if !by[want] {
			t.Errorf("the ledger does not tell of %s: %v", want, by)
		}
	}
}

func TestFailingInstancesAreReplaced(t *testing.T) {
	w := play(t, Options{Seed: 2})
	if err := w.Trouble("lantern-web", Trouble{Unhealthy: 3}); err != nil {
		t.Fatal(err)
	}
	w.run(10 * time.Second)
	f := w.find("lantern-web")
	if v := w.Truth(w.Now()).Sales[Main]; f.serving != 21 || v["capacity_unhealthy"] != 3 || v["capacity_in_service"] != 24 {
		t.Errorf("%d serve, and the truth says %v", f.serving, v["capacity_unhealthy"])
	}
	w.run(5 * time.Minute)
	if f.serving != 24 || len(f.units) != 24 {
		t.Errorf("after a while %d of %d serve", f.serving, len(f.units))
	}
}

func TestAPlannedChangeIsDoneByTheClockOnce(t *testing.T) {
	w := play(t, Options{Seed: 2})
	c := w.Fleets()
	least := 30
	s := capacity.Scheduled{Name: "doors", Start: w.Now().Add(90 * time.Second), Min: &least}
	if err := s.Plan(w.Now()); err != nil {
		t.Fatal(err)
	}
	if err := c.Schedule("lantern-web", tester, s); err != nil {
		t.Fatal(err)
	}
	w.Advance(60) // a fast world has no later clock
	w.run(87 * time.Second)
	if g := w.group(t, "lantern-web"); g.Min != 24 {
		t.Errorf("two seconds before its time the minimum is %d", g.Min)
	}
	w.run(3 * time.Second)
	if g := w.group(t, "lantern-web"); g.Min != 30 || g.Desired != 30 || len(c.Scheduled("lantern-web")) != 0 {
		t.Errorf("at its time the minimum is %d and the size %d", g.Min, g.Desired)
	}
	if a := c.Activities("lantern-web"); len(a) != 6 || !strings.Contains(a[0].Cause, "the scheduled action doors executed. Setting desired capacity from 24 to 30.") {
		t.Errorf("the activities are %+v", a)
	}
	two := 2 // below the minimum: it fails, and says so
	s = capacity.Scheduled{Name: "wrong", Start: w.Now().Add(5 * time.Second), Max: &two}
	if err := errors.Join(s.Plan(w.Now()), c.Schedule("lantern-web", tester, s)); err != nil {
		t.Fatal(err)
	}
	w.run(8 * time.Second)
	failed := 0
	for _, a := range c.Activities("lantern-web") {
		if a.Status == "Failed" && strings.Contains(a.Message, "Max bound") {
			failed++
		}
	}
	if failed != 1 || w.group(t, "lantern-web").Max != 32 {
		t.Errorf("what can't be done failed %d times", failed)
	}
	if ok, err := c.Unschedule("lantern-web", tester, "doors"); ok || err != nil {
		t.Errorf("it is still there: %v, %v", ok, err)
	}
}

func TestContentionAndUnknownGroupsAreErrorsThatChangeNothing(t *testing.T) {
	w := play(t, Options{Seed: 2})
	c := w.Fleets()
	before := len(w.Truth(w.Now()).Ledger)
	if _, err := c.Change("nowhere", tester, func(*capacity.Group) error { return nil }); !errors.Is(err, capacity.ErrNoGroup) {
		t.Error(err)
	}
	no := errors.New("no")
	if _, err := c.Change("lantern-web", tester, func(g *capacity.Group) error { g.Min = 1; return no }); !errors.Is(err, no) || w.group(t, "lantern-web").Min != 24 {
		t.Error(err)
	}
	if got := len(w.Truth(w.Now()).Ledger); got != before {
		t.Errorf("the ledger grew by %d", got-before)
	}
	if err := w.Trouble("lantern-web", Trouble{Contended: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Change("lantern-web", tester, func(*capacity.Group) error { return nil }); !errors.Is(err, capacity.ErrContention) {
		t.Error(err)
	}
	w.resize(t, "lantern-web", 25, 0)
	if e := w.Truth(w.Now()).Ledger; e[len(e)-2].Who != "KEY" || e[len(e)-2].What != "lantern-web.min_size" || e[len(e)-2].To != 25 || e[len(e)-1].What != "lantern-web.desired_capacity" {
		t.Errorf("the ledger ends with %+v", e[len(e)-2:])
	}
}

func TestTheShopsOwnGateFollowsItsParameter(t *testing.T) {
	w := play(t, Options{Seed: 2})
	rate := func() float64 { return w.Truth(w.Now()).Sales[Main]["admission_rate"] }
	put := func(v string) {
		if _, err := w.Systems().PutParameter(GateParameter(Main), "KEY", func(p *systems.Parameter, exists bool) error {
			if !exists {
				return errors.New("the parameter is not there")
			}
			p.Value = v
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	open := rate()
	put("300")
	w.run(gateEvery*time.Second + 70*time.Second)
	if got := rate(); got < 280 || got > 305 || open < 600 {
		t.Errorf("with 300 a minute %.0f come in; before %.0f", got, open)
	}
	put(GateOpen)
	w.run(gateEvery*time.Second + 70*time.Second)
	if got := rate(); got < 600 {
		t.Errorf("opened again, %.0f come in", got)
	}
}

func TestNoGroupEverLeavesItsLimitsWhateverIsAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, err := New(Options{Seed: rapid.Uint64().Draw(t, "seed"), Start: start(), History: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		names := w.groupNames()
		for range rapid.IntRange(1, 10).Draw(t, "orders") {
			name := rapid.SampledFrom(names).Draw(t, "group")
			least, most := rapid.IntRange(1, 40).Draw(t, "min"), rapid.IntRange(1, 80).Draw(t, "max")
			_, err := w.Fleets().Change(name, tester, func(g *capacity.Group) error {
				g.Wanted = capacity.Bounds{Min: least, Max: max(least, most)}
				return g.Resize(&least, &most, nil)
			})
			if out := (*capacity.OutOfBounds)(nil); err != nil && !errors.As(err, &out) {
				t.Fatal(err)
			}
			trouble := Trouble{Launches: rapid.SampledFrom([]string{"ok", "insufficient"}).Draw(t, "launches"), Unhealthy: rapid.IntRange(0, 3).Draw(t, "ill")}
			if err := w.Trouble(name, trouble); err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(1, 200).Draw(t, "seconds") {
				w.Advance(rapid.IntRange(0, 3).Draw(t, "speed"))
			}
			placed := 0
			for _, g := range w.Fleets().Groups() {
				live := g.Count(capacity.Pending) + g.Count(capacity.InService)
				if g.Scaler != capacity.None && (g.Desired < 1 || live > max(g.Desired, 80)) {
					t.Fatalf("%s: %d live of %d", g.Name, live, g.Desired)
				}
				for _, u := range g.Units {
					if u.Node != "" {
						placed++
					}
				}
			}
			used := 0
			for _, n := range w.byID["juniper"].fleet.nodes.used {
				if used += n; n > podsPerNode || n < 0 {
					t.Fatalf("a node carries %d pods", n)
				}
			}
			if used != placed {
				t.Fatalf("%d places are taken and %d pods have a node", used, placed)
			}
			keepsItsTickets(t, w)
		}
	})
}
