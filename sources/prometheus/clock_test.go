package prometheus

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The series of shopLoad end at 20 minutes without a stale marker, as when a remote-writing
// agent dies: the server goes on giving their last value for five minutes.
func TestAValueThatRestsOnDeadSamplesKeepsTheTimeOfItsSample(t *testing.T) {
	e := serveEngine(t, shopLoad, 19*time.Minute)
	queries := queriesOf([]string{`sum(shop_tickets_left)`, `sum(shop_tickets_left) + time() * 0`, `time()`, `sum(shop_tickets_left offset 5m)`})
	s := mustNew(t, Options{URL: e.URL, Queries: queries, Every: 5 * time.Second})
	at := func(b sale.Batch, i int) time.Duration {
		for _, r := range b.Readings {
			if r.Key == queries[i].Key {
				return time.Duration(r.At.UnixMilli()) * time.Millisecond
			}
		}
		return -1
	}
	now := 19 * time.Minute
	for ; now <= 20*time.Minute; now += 5 * time.Second {
		b := readOne(t, s)
		if got := at(b, 0); got != now {
			t.Fatalf("at %s, samples coming every 15 s: the value is of %s", now, got)
		}
		if len(b.Warnings) > 0 {
			t.Fatalf("at %s: %q", now, b.Warnings)
		}
		e.advance(5 * time.Second)
	}
	warned := 0
	for ; now < 24*time.Minute; now += 5 * time.Second {
		b := readOne(t, s)
		got, dead := at(b, 0), now > 20*time.Minute+35*time.Second
		if dead && got != 20*time.Minute || !dead && got != now {
			t.Errorf("at %s, the last sample at 20m: the value is of %s", now, got)
		}
		if at(b, 1) != got {
			t.Errorf("at %s an expression of dead samples and the clock is of %s", now, at(b, 1))
		}
		if at(b, 2) != now || at(b, 3) != now {
			t.Errorf("at %s the clock is of %s, a look five minutes back of %s", now, at(b, 2), at(b, 3))
		}
		for _, w := range b.Warnings {
			if strings.Contains(w, "2 of 4 signals rest on samples that stopped coming") {
				warned++
			}
		}
		e.advance(5 * time.Second)
	}
	if warned < 30 {
		t.Errorf("%d polls warned of it", warned)
	}
	e.advance(2 * time.Minute)
	if b := readOne(t, s); outcome(b, queries[0].Key)[:9] != "not_found" {
		t.Errorf("after the server's own five minutes: %s", outcome(b, queries[0].Key))
	}
}

func TestTheUsualSpacingIsLearnedAndOneOutageDoesNotMoveIt(t *testing.T) {
	at := func(s float64) time.Time { return time.UnixMilli(int64(s * 1000)) }
	c := &clock{}
	c.see(1000)
	if _, late := c.late(at(1085), 5*time.Second); late {
		t.Error("85 s may be usual while the spacing is not known")
	}
	if _, late := c.late(at(1100), 5*time.Second); !late {
		t.Error("100 s is late for any usual scrape")
	}
	for _, newest := range []float64{1015, 1015, 1030, 1045, 1345, 1360} {
		c.see(newest)
	}
	if _, late := c.late(at(1394), 5*time.Second); late {
		t.Error("34 s is within twice a spacing of 15 s and a poll")
	}
	if when, late := c.late(at(1396), 5*time.Second); !late || !when.Equal(at(1360)) {
		t.Errorf("36 s: late %v at %v, want late at its sample", late, when.Unix())
	}
	c.fresh = false
	if _, late := c.late(at(9999), 5*time.Second); late {
		t.Error("without a sample in this poll nothing is known")
	}
}

func TestLookbackIsSentOnlyWhenItIsDeclared(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.FormValue("lookback_delta"))
		e.ServeHTTP(w, r)
	}))
	defer srv.Close()
	readOne(t, mustNew(t, Options{URL: srv.URL, Queries: tickets(1)}))
	e.advance(time.Minute)
	b := readOne(t, mustNew(t, Options{URL: srv.URL, Queries: tickets(1), Lookback: 45 * time.Second}))
	if got[0] != "" || got[1] != "45s" {
		t.Errorf("lookback_delta %q, want none and then 45s", got)
	}
	if delivered(b) != 0 {
		t.Error("a sample of a minute ago counts in spite of a lookback of 45 s")
	}
}

func TestAServerWhoseClockIsAheadIsPutRightAndNamed(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	e.now.Store(time.Now().Add(time.Hour).UnixMilli())
	s := mustNew(t, Options{URL: e.URL, Queries: queriesOf([]string{"17"})})
	b := readOne(t, s)
	if len(b.Readings) != 1 {
		t.Fatalf("%+v", b)
	}
	if off := time.Since(b.Readings[0].At); off < -time.Second || off > time.Minute {
		t.Errorf("the reading is %s old", off)
	}
	if len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "clock is 1h0m0s ahead") {
		t.Errorf("warnings: %q", b.Warnings)
	}
}
