package shop

import (
	"time"

	"github.com/onsale-dev/onsale/rehearsal/capacity"
)

// Declared is what is fixed about a sale before it begins.
type Declared struct {
	ID, Name, Venue, Group   string
	Prequeue, Opens, Closes  time.Time
	Tickets                  int
	Room, RoomName, RoomPath string // waiting room id, its name and the path that it guards
	DB                       string
	DBMax                    int
	ALB, ASG                 string        // ASG is the name of the group of hosts, whatever it is made of
	Kind                     capacity.Kind // of the hosts
	Scaler                   capacity.Scaler
	Workers                  string // name of the group that takes the orders out of the queue; "": it can't be scaled
	Distribution, Queue      string

	limit, ceiling int           // the room's people per minute and people on the site
	session        float64       // seconds that a person stays, on average
	conversion     float64       // of those let in, the share that places a hold
	steps          []planned     // what the plan does to the limit after the doors open
	before         float64       // people per minute who come before the doors open
	surge, surgeT  float64       // people per minute who come at the opening, and its decay in seconds
	steady         float64       // people per minute who keep coming
	expects        demand        // what the organisers planned with, whatever the scenario does
	lookers        float64       // people on the site's open pages, not through the room
	hosts          int           // in service at the beginning
	hostsMax       int           //
	idle           float64       // database connections without a visitor
	perActive      float64       // database connections per person on the site
	sold           float64       // share of the stock that is gone when the history begins
	lead           time.Duration // from the pre-queue's opening to the doors'
	event          *eventPlan    // nil: the room has no event
	declines       [2]float64    // of payments, per provider
	paymentScale   float64       // seconds; a payment's 95th percentile is 4.74 times that
	monthAsked     float64       // requests in the 30 days before, and those of them that failed
	monthFailed    float64       //
}

// planned is one step of the admission plan.
type planned struct {
	after time.Duration
	limit int
}

type eventPlan struct {
	limit, ceiling int // 0: the room's own
	shuffle        bool
}

// The shares of holds by fate, and how long they last. A hold that is never paid nor given back
// expires.
const (
	shareChecked  = 0.80
	shareReleased = 0.17
	holdLife      = 600 // seconds
)

// The work that one person makes, and what one host can do.
const (
	requestsPerPerson = 0.48 // per second on the site
	requestsOfArrival = 20   // that a person makes on entering
	hostRate          = 140  // requests per second that fill one host
	serviceTime       = 0.064
	poolPerHost       = 40 // database connections that a host beyond the first ones opens
)

// nodesOfCluster carry the pods of pl-prod, four each. Nobody adds any.
const nodesOfCluster = 22

// workersOf are how many order workers a group of them has.
const workersOf = 6

// fleet is the group of hosts as it is at the beginning.
func (d *Declared) fleet() capacity.Group {
	return capacity.Group{
		Sale: d.ID, Name: d.ASG, Role: "web", Kind: d.Kind, Scaler: d.Scaler,
		Min: d.hosts, Max: d.hostsMax, Desired: d.hosts,
		TargetGroup: d.ASG, LoadBalancer: d.ALB, HasPool: d.ID == "cobalt",
	}
}

// workersFleet is the group of order workers as it is at the beginning; ok is false when the sale has
// none. Those of pods are under GitOps.
func (d *Declared) workersFleet() (g capacity.Group, ok bool) {
	g = capacity.Group{Sale: d.ID, Name: d.Workers, Role: "workers", Kind: d.Kind, Desired: workersOf}
	if d.Kind == capacity.Pods {
		size := workersOf
		g.Git = &size
	}
	return g, d.Workers != ""
}

// ZoneID is the zone that all waiting rooms belong to.
const ZoneID = "023e105f4ecef8ad9ca31a8372d0c353"

// declare lays six sales around the start, each in another phase of its day.
func declare(start time.Time, scenario Scenario, story time.Time) []Declared {
	minutes := func(m, s int) time.Duration { return time.Duration(m)*time.Minute + time.Duration(s)*time.Second }
	ramp := func(first, second, third int) []planned {
		return []planned{{0, first}, {2 * time.Minute, second}, {4 * time.Minute, third}}
	}
	sales := []Declared{
		{
			ID: "marble", Name: "Večernji Zvuk", Venue: "Dvorana Mramor Split", Group: "hr-prod",
			Kind: capacity.Instances, Scaler: capacity.Target, Opens: start.Add(-minutes(128, 41)), Tickets: 20400, limit: 200, ceiling: 1000, session: 300, conversion: 0.39,
			before: 200, surge: 900, surgeT: 240, steady: 30, lookers: 3, hosts: 18, hostsMax: 24, idle: 90, perActive: 0.26, sold: 0.9175, DBMax: 1000, declines: [2]float64{0.002, 0.002},
		},
		{
			ID: "kestrel", Name: "Żółta Łódka", Venue: "Hala Bursztyn Kraków", Group: "pl-prod",
			Kind: capacity.Tasks, Scaler: capacity.Target, Opens: start.Add(-minutes(38, 41)), Tickets: 19500, limit: 250, ceiling: 1400, session: 312, conversion: 0.395,
			before: 560, surge: 900, surgeT: 150, steady: 140, lookers: 40, hosts: 24, hostsMax: 60, idle: 96, perActive: 0.36, DBMax: 2000,
			event: &eventPlan{limit: 400, ceiling: 2600},
		},
		{
			ID: "lantern", Name: "Crna Lanterna", Venue: "Dvorana Lučica Zagreb", Group: "hr-prod",
			Kind: capacity.Instances, Scaler: capacity.Target, Opens: start.Add(-minutes(23, 41)), Tickets: 24600, limit: 200, ceiling: 6000, session: 360, conversion: 0.3892,
			steps:  []planned{{0, 200}, {90 * time.Second, 400}, {3 * time.Minute, 800}},
			before: 690, surge: 1100, surgeT: 150, steady: 260, lookers: 45, hosts: 24, hostsMax: 32, idle: 120, perActive: 0.358, DBMax: 2000,
		},
		{
			ID: "saffron", Name: "Śnieżne Echo", Venue: "Hala Szafran Gdańsk", Group: "pl-prod",
			Kind: capacity.Pods, Scaler: capacity.HPA, Opens: start.Add(-minutes(3, 41)), Tickets: 11250, limit: 200, ceiling: 3400, session: 312, conversion: 0.39,
			steps: ramp(200, 400, 600), before: 640, surge: 800, surgeT: 150, steady: 300, lookers: 20,
			hosts: 28, hostsMax: 60, idle: 140, perActive: 0.3, DBMax: 2000, declines: [2]float64{0.008, 0.008}, event: &eventPlan{shuffle: true},
		},
		{
			ID: "juniper", Name: "Młody Wiatr", Venue: "Stadion Jałowiec Warszawa", Group: "pl-prod",
			Kind: capacity.Pods, Scaler: capacity.KEDA, Opens: start.Add(minutes(11, 19)), Tickets: 58000, limit: 400, ceiling: 5980, session: 312, conversion: 0.39,
			steps: ramp(400, 800, 1150), before: 2600, surge: 2600, surgeT: 300, steady: 700, lookers: 210,
			hosts: 40, hostsMax: 60, idle: 260, perActive: 0.28, DBMax: 4000, declines: [2]float64{0.012, 0.012}, event: &eventPlan{shuffle: true},
		},
		{
			ID: "cobalt", Name: "Kobaltni Čamac", Venue: "Arena Kamenjak Pula", Group: "hr-prod",
			Kind: capacity.Instances, Scaler: capacity.Target, Opens: start.Add(minutes(26, 19)), Tickets: 6900, limit: 300, ceiling: 1620, session: 300, conversion: 0.39,
			before: 520, surge: 1500, surgeT: 180, steady: 120, lookers: 40, hosts: 8, hostsMax: 12, idle: 96, perActive: 0.36, DBMax: 1000, lead: 15 * time.Minute,
		},
	}
	for i := range sales {
		complete(&sales[i], i, scenario, story)
	}
	return sales
}

// complete gives a sale its resources' names and what the scenario changes of its plan.
func complete(d *Declared, i int, scenario Scenario, story time.Time) {
	d.expects = demand{d.before, d.surge, d.surgeT, d.steady}
	if scenario.opensIn > 0 && d.ID == "juniper" {
		d.Opens = story.Add(scenario.opensIn)
		d.before, d.surge, d.surgeT = 1500, 9000, 240
		d.expects.before = 1120 // a third more come than its organisers expect
		d.steps = []planned{{0, 4000}}
		d.limit, d.ceiling, d.hosts = 4000, 9000, 32
	}
	if d.lead == 0 {
		d.lead = 30 * time.Minute
	}
	d.Prequeue = d.Opens.Add(-d.lead)
	d.Closes = d.Opens.Add(4 * time.Hour)
	ids := []string{
		"699d98642c564d2e855e9661899b7252", "25756b2dfe6e378a06b033b670413757", "8a1d3c5e7f9042b6a4c8e0d2f4b6a810",
		"c0ffee12ab34cd56ef7890a1b2c3d4e5", "5f4dcc3b5aa765d61d8327deb882cf99", "b6d81b360a5672d80c27430f39153e2c",
	}
	albs := []string{"50dc6c495c0c9188", "1f2e3d4c5b6a7980", "9a8b7c6d5e4f3021", "0a1b2c3d4e5f6071", "7766554433221100", "89abcdef01234567"}
	dists := []string{"E1A2B3C4D5E6F7", "E2QWERTY7UIOP1", "E3ZXCVB9NMASD2", "E4LKJHG5FDSAP3", "E5POIUY6TREWQ4", "E6MNBVC8XZLKJ5"}
	d.Room, d.RoomName, d.RoomPath = ids[i], d.ID+"_room", "/"+d.ID
	d.DB, d.ALB, d.ASG = d.ID+"-db", "app/"+d.ID+"-web/"+albs[i], d.ID+"-web"
	d.Distribution, d.Queue = dists[i], d.ID+"-orders"
	if d.ID == "kestrel" || d.ID == "saffron" {
		d.Workers = d.ID + "-orders"
	}
	if d.declines == ([2]float64{}) {
		d.declines = [2]float64{0.0175, 0.0145}
	}
	d.monthAsked = 60e6 + 15e6*float64(i)
	d.monthFailed = d.monthAsked * (0.0003 + 0.0001*float64(i))
	if d.paymentScale == 0 {
		d.paymentScale = 0.42
	}
}
