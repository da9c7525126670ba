package sale

import (
	"testing"
	"time"
)

// opens is when the doors of the tests' sale open.
var opens = time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)

// live is a moment in its live phase.
var live = opens.Add(20 * time.Minute)

// every is a cadence without delay.
func every(d time.Duration) Cadence { return Cadence{Period: d} }

func constant(v float64) *float64 { return &v }

// tester is what the helpers need of a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
}

func rule(t tester, text string, unit Unit) *Rule {
	t.Helper()
	r, err := ParseRule(text, unit)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// always is a threshold that is the same in every phase.
func always(t tester, text string, unit Unit) Thresholds {
	return Thresholds{Default: rule(t, text, unit)}
}

// harbour is a sale with one signal of each sort that the judgement tells apart.
func harbour(t tester) *Sale {
	selling := []Phase{Opening, Live}
	return &Sale{
		ID: "harbour", Name: "Lantern Choir", Opens: opens, Prequeue: opens.Add(-time.Hour),
		Closes: opens.Add(4 * time.Hour), Tickets: 10_000,
		Signals: []Spec{
			{Signal: AdmissionRate, Label: "admitted", Unit: PerMinute, Source: "metrics", Cadence: every(5 * time.Second), Needed: selling},
			{Signal: OrderRate, Label: "orders", Unit: PerMinute, Source: "metrics", Cadence: every(5 * time.Second), Needed: selling},
			{Signal: PaymentFailureRatio, Label: "declines", Unit: Ratio, Source: "metrics", Cadence: every(5 * time.Second), Rules: Rules{
				Watch: always(t, "> 3% for 10s", Ratio),
				Bad:   Thresholds{Default: rule(t, "> 5% for 30s", Ratio), ByPhase: map[Phase]*Rule{Opening: rule(t, "> 8% for 1m", Ratio), Scheduled: nil}},
			}},
			{Signal: TicketsLeft, Label: "left", Unit: Tickets, Source: "metrics", Cadence: every(5 * time.Second), Needed: append([]Phase{Tail}, selling...)},
			{
				Signal: DBConnections, Label: "db conns", Unit: Count, Source: "aws", Cadence: Cadence{Period: time.Minute, Delay: 2 * time.Minute},
				Of: DBConnectionsMax, Rules: Rules{Watch: always(t, "> 80% of db_connections_max for 1m", Count)},
			},
			{Signal: DBConnectionsMax, Label: "db max", Unit: Count, Constant: constant(2000)},
		},
	}
}

var harbourSources = []SourceInfo{
	{Name: "metrics", Kind: "prometheus", Every: 5 * time.Second, Cadence: every(5 * time.Second)},
	{Name: "aws", Kind: "cloudwatch", Every: time.Minute, Cadence: Cadence{Period: time.Minute, Delay: 2 * time.Minute}},
}

// night is a store with one sale and a clock that the test moves.
type night struct {
	*Store
	t   testing.TB
	now time.Time
	seq uint64
}

func newNight(t testing.TB, now time.Time, sales ...*Sale) *night {
	if len(sales) == 0 {
		sales = []*Sale{harbour(t)}
	}
	return &night{Store: NewStore(sales, harbourSources, Limits{}, now), t: t, now: now}
}

// at makes a reading of the harbour sale, stamped and fetched at one time.
func at(when time.Time, s Signal, v float64) Reading {
	return Reading{Key: Key{"harbour", s}, Value: v, At: when, FetchedAt: when}
}

// poll applies a good poll of a source that ends now.
func (n *night) poll(source string, readings ...Reading) {
	n.t.Helper()
	n.send(Batch{Source: source, Readings: readings, Calls: 1})
}

// fail applies a failed poll of a source that ends now.
func (n *night) fail(source string, p Problem) {
	n.t.Helper()
	n.send(Batch{Source: source, Problem: &p, Calls: 1})
}

func (n *night) send(b Batch) {
	n.t.Helper()
	n.seq++
	b.Seq, b.Started, b.Finished = n.seq, n.now.Add(-50*time.Millisecond), n.now
	if !n.Apply(b, n.now) {
		n.t.Fatal("the batch was dropped")
	}
}

// healthy polls every source once with values inside all limits.
func (n *night) healthy() {
	n.t.Helper()
	n.poll("metrics", at(n.now, AdmissionRate, 400), at(n.now, OrderRate, 120),
		at(n.now, PaymentFailureRatio, 0.012), at(n.now, TicketsLeft, 7000))
	n.poll("aws", at(n.now.Add(-2*time.Minute), DBConnections, 800))
}

func (n *night) pass(d time.Duration) {
	n.now = n.now.Add(d)
	n.Tick(n.now)
}

func (n *night) state() *State { return n.Snapshot().Sale("harbour") }

func (n *night) signal(s Signal) Known {
	n.t.Helper()
	k, ok := n.state().Signal(s)
	if !ok {
		n.t.Fatalf("%s is not declared", s)
	}
	return k
}

func (n *night) source(name string) SourceState {
	n.t.Helper()
	for _, s := range n.Snapshot().Sources {
		if s.Name == name {
			return s
		}
	}
	n.t.Fatalf("no source %s", name)
	return SourceState{}
}

func (n *night) want(v Verdict) {
	n.t.Helper()
	if got := n.state(); got.Verdict != v {
		n.t.Fatalf("verdict is %s, want %s; reasons %q", got.Verdict, v, texts(got))
	}
}

func texts(s *State) []string {
	var all []string
	for _, r := range s.Reasons {
		all = append(all, r.Text)
	}
	return all
}

// wantReasons compares the sentences, in order.
func (n *night) wantReasons(want ...string) {
	n.t.Helper()
	got := texts(n.state())
	if len(got) != len(want) {
		n.t.Fatalf("reasons are %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			n.t.Errorf("reason %d is %q, want %q", i, got[i], want[i])
		}
	}
}
