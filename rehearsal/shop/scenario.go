package shop

import "time"

// Scenario is a night that can be rehearsed. Times are simulated seconds since its story began.
type Scenario struct {
	Name  string
	Story string // one line

	opensIn     time.Duration // when the pre-queue opens; 0: as declared
	declineFrom float64       // when provider A of the main sale begins to decline; 0: never
	leakFrom    float64       // when the main sale's database begins to lose connections; 0: never
	hindered    []hindrance   // what stands in the way of more capacity
	nodes       int           // of the cluster that the pods run in; 0: as usual

	// DarkFrom and DarkUntil bound the time in which the platform takes the service Dark down.
	Dark                string
	DarkFrom, DarkUntil time.Duration
}

// Main is the sale that the scenarios are about, except surge-at-opening, which is about Prequeued.
const (
	Main      = "lantern"
	Prequeued = "juniper"
)

// Scenarios lists the nights, the default one first.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: "calm", Story: "a normal night: six sales in six phases, one database rather full"},
		{Name: "surge-at-opening", Story: "a third more people than planned wait for the stadium sale, which opens after 150 s with a plan that lets in more than its hosts can carry", opensIn: 150 * time.Second},
		{Name: "payment-degrades", Story: "after a minute payment provider A of the main sale declines one card in twelve, and slowly", declineFrom: 60},
		{Name: "db-exhausted", Story: "the main sale's database loses connections until none is left; latency and errors follow", leakFrom: 20},
		{Name: "source-dark", Story: "Prometheus goes dark after 45 s, for five minutes or until it is mended", Dark: "prometheus", DarkFrom: 45 * time.Second, DarkUntil: 345 * time.Second},
		{
			Name:     "scaling-hindered",
			Story:    "more capacity can't be had, each sale for another reason: Launch suspended, no machines, no traffic, max reached, nodes full, Argo CD",
			hindered: hindered(), nodes: 19,
		},
	}
}

// Find returns a scenario by name; "" is the default one.
func Find(name string) (Scenario, bool) {
	for _, s := range Scenarios() {
		if s.Name == name || name == "" {
			return s, true
		}
	}
	return Scenario{}, false
}

// declineRate returns provider A's share of declined payments for a sale at a story second.
func (s Scenario) declineRate(sale string, normal, story float64) float64 {
	if s.declineFrom == 0 || sale != Main || story < s.declineFrom {
		return normal
	}
	return normal + (0.0845-normal)*min(1, (story-s.declineFrom)/20)
}

// paymentFactor returns how much slower provider A answers.
func (s Scenario) paymentFactor(sale string, story float64) float64 {
	if s.declineFrom == 0 || sale != Main || story < s.declineFrom {
		return 1
	}
	return 1 + 1.4*min(1, (story-s.declineFrom)/40)
}

// leaked returns the connections that a sale's database has lost for good.
func (s Scenario) leaked(sale string, story float64) float64 {
	if s.leakFrom == 0 || sale != Main || story < s.leakFrom {
		return 0
	}
	return min(420, (story-s.leakFrom)*1.1)
}
