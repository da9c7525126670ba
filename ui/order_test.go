package ui

import (
	"slices"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// An ordering is a story of verdicts over time; the sales are harbour, comet and lantern.
func TestTheOrderOfSales(t *testing.T) {
	base := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	type step struct {
		at       time.Duration
		verdicts map[sale.ID]sale.Verdict
		since    time.Duration // when those verdicts began
		still    bool
		want     []sale.ID
	}
	hcl := []sale.ID{"harbour", "comet", "lantern"}
	for _, c := range []struct {
		sentence string
		steps    []step
	}{
		{"the worst sale stands first from the start", []step{
			{0, map[sale.ID]sale.Verdict{"lantern": sale.Bad}, 0, false, []sale.ID{"lantern", "harbour", "comet"}},
		}},
		{"unknown stands above watch", []step{
			{0, map[sale.ID]sale.Verdict{"comet": sale.Watch, "lantern": sale.Unknown}, 0, false, []sale.ID{"lantern", "comet", "harbour"}},
		}},
		{"a sale moves only when its verdict has held for 10 s", []step{
			{0, nil, 0, false, hcl},
			{60 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Bad}, 55 * time.Second, false, hcl},
			{64 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Bad}, 55 * time.Second, false, hcl},
			{65 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Bad}, 55 * time.Second, false, []sale.ID{"comet", "harbour", "lantern"}},
		}},
		{"a verdict that flaps moves nothing", []step{
			{0, nil, 0, false, hcl},
			{60 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Bad}, 55 * time.Second, false, hcl},
			{68 * time.Second, nil, 66 * time.Second, false, hcl},
			{70 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Bad}, 69 * time.Second, false, hcl},
		}},
		{"one sale moves per 10 s, the worst first", []step{
			{0, nil, 0, false, hcl},
			{60 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Watch, "lantern": sale.Bad}, 0, false, []sale.ID{"lantern", "harbour", "comet"}},
			{65 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Watch, "lantern": sale.Bad}, 0, false, []sale.ID{"lantern", "harbour", "comet"}},
			{70 * time.Second, map[sale.ID]sale.Verdict{"comet": sale.Watch, "lantern": sale.Bad}, 0, false, []sale.ID{"lantern", "comet", "harbour"}},
		}},
		{"nothing moves while a hand is on the keys", []step{
			{0, nil, 0, false, hcl},
			{60 * time.Second, map[sale.ID]sale.Verdict{"lantern": sale.Bad}, 0, true, hcl},
			{61 * time.Second, map[sale.ID]sale.Verdict{"lantern": sale.Bad}, 0, false, []sale.ID{"lantern", "harbour", "comet"}},
		}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			var o orderer
			for i, s := range c.steps {
				snap := world(3, base, nil)
				snap.At = base.Add(s.at)
				for _, st := range snap.Sales {
					if v, ok := s.verdicts[st.Sale.ID]; ok {
						st.Verdict = v
					}
					st.Since = base.Add(s.since)
				}
				o.update(snap, base.Add(s.at), s.still)
				if !slices.Equal(o.ids, s.want) {
					t.Fatalf("step %d at %s: %v, want %v", i, s.at, o.ids, s.want)
				}
			}
		})
	}
}

func TestTheOrderIsFreeWhileSourcesGiveTheirFirstAnswers(t *testing.T) {
	base := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	var o orderer
	snap := world(3, base, map[sale.ID]sale.Verdict{"harbour": sale.Unknown, "comet": sale.Unknown, "lantern": sale.Unknown})
	snap.Sources[0].Condition = sale.SourceStarting
	o.update(snap, base, false)
	for i, bad := range []sale.ID{"comet", "lantern"} {
		snap = world(3, base, map[sale.ID]sale.Verdict{bad: sale.Bad})
		snap.Sources[0].Condition = sale.SourceStarting
		o.update(snap, base.Add(time.Duration(i+1)*time.Second), false)
		if o.ids[0] != bad {
			t.Errorf("%v, want %s first", o.ids, bad)
		}
	}
	// the last source's answer is judged in the very snapshot in which no source is starting any more
	o.update(world(3, base, map[sale.ID]sale.Verdict{"harbour": sale.Bad}), base.Add(3*time.Second), false)
	if o.ids[0] != "harbour" {
		t.Errorf("%v, want what the last answer says first", o.ids)
	}
}

func TestASaleThatIsNewOrGoneIsTakenInAtOnce(t *testing.T) {
	base := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	var o orderer
	o.update(world(3, base, nil), base, false)
	o.update(world(5, base, nil), base.Add(time.Hour), true)
	if len(o.ids) != 5 {
		t.Errorf("%v", o.ids)
	}
	o.update(world(2, base, nil), base.Add(2*time.Hour), true)
	if !slices.Equal(o.ids, []sale.ID{"harbour", "comet"}) {
		t.Errorf("%v", o.ids)
	}
}

func FuzzOrderNeverLosesASale(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, story []byte) {
		base := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
		var o orderer
		words := []sale.Verdict{sale.OK, sale.Watch, sale.Unknown, sale.Bad, "odd"}
		for i, b := range story {
			now := base.Add(time.Duration(i) * 3 * time.Second)
			snap := world(6, now, map[sale.ID]sale.Verdict{sale.ID(acts[int(b)%6].id): words[int(b/6)%5]})
			for _, st := range snap.Sales {
				st.Since = now.Add(-time.Duration(b) * time.Second / 8)
			}
			o.update(snap, now, b%7 == 0)
			if sorted := slices.Sorted(slices.Values(o.ids)); len(slices.Compact(sorted)) != 6 {
				t.Fatalf("after %d steps: %v", i, o.ids)
			}
		}
	})
}
