package sale_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
	"github.com/onsale-dev/onsale/sale"
)

// plot is what really happens in a scenario: in which sale, when it begins, and what a cockpit
// that knows should say.
type plot struct {
	scenario string
	sale     sale.ID // "": every sale that is open
	begins   time.Duration
	key      string // of the alarm that belongs on top
	part     string // of the figure that really broke it; "" where it is nobody's own trouble
	calm     bool   // nothing bad happens at all
}

func plots() []plot {
	return []plot{
		{scenario: "calm", calm: true, sale: shop.Main, key: "db_connections"},
		{scenario: "surge-at-opening", sale: shop.Prequeued, begins: 150 * time.Second, key: "capacity_in_service"},
		{scenario: "payment-degrades", sale: shop.Main, begins: 60 * time.Second, key: "payment_failure_ratio", part: "payment provider A"},
		{scenario: "db-exhausted", sale: shop.Main, begins: 20 * time.Second, key: "db_connections"},
		{scenario: "source-dark", begins: 45 * time.Second, key: "source:metrics"},
	}
}

// told is what the cockpit said in one night.
type told struct {
	after  time.Duration // from the beginning of the trouble to the first BAD or UNKNOWN; 0: never
	first  bool          // the cause was right when it was first said
	said   int           // judged seconds in which the sale was BAD or UNKNOWN
	right  int           // of them, with the right cause
	named  int           // of those, with the right part of the figure, or rightly with none
	top    int           // of the seconds with a BAD or UNKNOWN alarm, those with the true cause on top
	topped int
	most   int // new alarms in ten minutes, at most
	folded int // beyond the flood limit, at most
	wrong  int // seconds in which a sale that has no trouble was BAD or UNKNOWN
	unsafe string
}

// watched is how long each night is watched from the beginning of its story.
const watched = 15 * time.Minute

func (p plot) play(t testing.TB, seed uint64) told {
	r := rehearse(t, p.scenario, seed)
	var out told
	for now := nightStart; now.Sub(nightStart) < watched; {
		now = r.second()
		snap := r.store.Snapshot()
		for _, st := range snap.Sales {
			out.hear(p, st, now)
		}
		b := snap.Board(now)
		out.most, out.folded = max(out.most, b.New), max(out.folded, b.More)
		if len(b.Active) > 0 && b.Active[0].Verdict.Rank() >= sale.Unknown.Rank() {
			out.topped++
			if a := b.Active[0]; a.Key == p.key && (p.sale == "" || a.Sale == p.sale) {
				out.top++
			}
		}
	}
	return out
}

func (o *told) hear(p plot, st *sale.State, now time.Time) {
	if st.Verdict != sale.Bad && st.Verdict != sale.Unknown || now.Sub(nightStart) < 31*time.Second {
		return // before the first poll of every source nothing can be known
	}
	if p.calm || p.sale != "" && st.Sale.ID != p.sale {
		o.wrong++
		return
	}
	key := string(st.Cause.Signal)
	if st.Cause.Blind {
		key = "source:" + st.Cause.Source
	}
	right := key == p.key
	if o.said == 0 {
		o.after, o.first = now.Sub(nightStart)-p.begins, right
	}
	o.said++
	if right {
		o.right++
	}
	if blamed := strings.HasPrefix(st.Cause.Text, "payment provider "); right && blamed == (p.part != "") && strings.HasPrefix(st.Cause.Text, p.part) {
		o.named++
	}
	if st.Next.Action == "scale-up" && p.key == "db_connections" {
		o.unsafe = st.Next.Text
	}
}

func playAll(t *testing.T, nights int) map[string][]told {
	t.Helper()
	all := map[string][]told{}
	for _, p := range plots() {
		all[p.scenario] = make([]told, nights)
	}
	var running sync.WaitGroup
	seats := make(chan struct{}, 4)
	for _, p := range plots() {
		of := all[p.scenario]
		for i := range nights {
			seats <- struct{}{}
			running.Go(func() {
				defer func() { <-seats }()
				of[i] = p.play(t, uint64(i+1))
			})
		}
	}
	running.Wait()
	return all
}

// The bounds that hold for every night, and that docs/accuracy-causes.md tells of.
const (
	leastRight = 0.95 // of the time in which a sale is BAD or UNKNOWN
	leastTop   = 0.95 // of the time in which an alarm of that weight stands
	leastNamed = 0.90 // of the time in which the cause is right: the part that broke the figure
	nightsHere = 1    // with the race detector each takes half a minute
	nightsTold = 20
)

func TestARehearsedBadNightRaisesFewAlarmsWithTheTrueCauseOnTop(t *testing.T) {
	nights := nightsHere
	if *update {
		nights = nightsTold
	}
	all := playAll(t, nights)
	for _, p := range plots() {
		for i, o := range all[p.scenario] {
			night := fmt.Sprintf("%s, seed %d", p.scenario, i+1)
			if o.most > sale.FloodLimit || o.folded > 0 {
				t.Errorf("%s: %d new alarms in ten minutes, %d folded, want at most %d", night, o.most, o.folded, sale.FloodLimit)
			}
			if o.wrong > 0 {
				t.Errorf("%s: a sale without trouble was BAD or UNKNOWN for %d s", night, o.wrong)
			}
			if o.unsafe != "" {
				t.Errorf("%s: the next move makes it worse: %s", night, o.unsafe)
			}
			if p.calm {
				continue
			}
			if o.said == 0 || !o.first {
				t.Errorf("%s: the cause was not said right at first sight (said for %d s)", night, o.said)
			}
			if share := float64(o.right) / float64(max(o.said, 1)); share < leastRight {
				t.Errorf("%s: the cause was right %.0f %% of the time, want %.0f %%", night, 100*share, 100*leastRight)
			}
			if share := float64(o.named) / float64(max(o.right, 1)); share < leastNamed {
				t.Errorf("%s: the part %q was named %.0f %% of the time, want %.0f %%", night, p.part, 100*share, 100*leastNamed)
			}
			if share := float64(o.top) / float64(max(o.topped, 1)); o.topped == 0 || share < leastTop {
				t.Errorf("%s: the true cause was on top %.0f %% of the time, want %.0f %%", night, 100*share, 100*leastTop)
			}
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile("../docs/accuracy-causes.md", []byte(accuracyPage(all)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func accuracyPage(all map[string][]told) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# How often the cause is right

Each scenario of the rehearsal, %d nights of it with different chance, the first %s of its story, read at the pace and
with the delays of real sources and without a wire. *True* is what the model really does. This page is written by
`+"`go test ./sale -run RehearsedBadNight -update`"+`; the same test holds the bounds for %d night in every run, and for all of these when the page is written: at most
%d new alarms in ten minutes, the true cause right at first sight, right at least %.0f %% of the time in which the sale is BAD or
UNKNOWN, its part named at least %.0f %% of that (the provider whose cards are declined), and on top of the list at least %.0f %% of the time, no other sale blamed, and never more hosts when the database is the limit.

| scenario | true cause | told after (median, worst) | right at first sight | right, of the time told | part named, of the time right | on top, of the time | new alarms in 10 min, worst | others blamed |
|---|---|---|---|---|---|---|---|---|
`, nightsTold, watched, nightsHere, sale.FloodLimit, 100*leastRight, 100*leastNamed, 100*leastTop)
	for _, p := range plots() {
		b.WriteString(p.row(all[p.scenario]))
	}
	b.WriteString(`
These nights hold one trouble each, of the sorts that the causal order knows (` + "`sale/causal.go`" + `), so the table says that the order
fits the model and that delays do not upset it, not that every night is like that. In the surge the doors
open half past a minute; where they open at the full one, CloudWatch tells of the hosts that are missing ten seconds after the pages got BAD, and
for so long the cause is the pages. Not measured: two troubles at once in one sale, and causes that no signal shows, such as a wrong price or a broken button.
`)
	return b.String()
}

func (p plot) row(nights []told) string {
	var after []time.Duration
	var sum told
	first := 0
	for _, o := range nights {
		after = append(after, o.after)
		sum.said, sum.right, sum.named, sum.top, sum.topped, sum.wrong = sum.said+o.said, sum.right+o.right, sum.named+o.named, sum.top+o.top, sum.topped+o.topped, sum.wrong+o.wrong
		sum.most = max(sum.most, o.most)
		if o.first {
			first++
		}
	}
	slices.Sort(after)
	if p.calm {
		return fmt.Sprintf("| %s | none | – | – | – | – | – | %d | %d s |\n", p.scenario, sum.most, sum.wrong)
	}
	key, named := p.key, "no part"
	if p.part != "" {
		key, named = p.key+" of "+p.part, fmt.Sprintf("%.1f %%", 100*float64(sum.named)/float64(max(sum.right, 1)))
	}
	return fmt.Sprintf("| %s | %s | %s, %s | %d of %d | %.1f %% | %s | %.1f %% | %d | %d s |\n", p.scenario, key,
		sale.FormatAge(after[len(after)/2]), sale.FormatAge(after[len(after)-1]), first, len(nights),
		100*float64(sum.right)/float64(sum.said), named, 100*float64(sum.top)/float64(sum.topped), sum.most, sum.wrong)
}
