package prometheus

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestCurrentValuesComeFirstAndTheHistoryRightAfter(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	queries := queriesOf([]string{`sum(shop_tickets_left)`, `60 * sum(rate(shop_orders_total[1m]))`, `17`, `no_such_metric`, `shop_tickets_left`})
	s := mustNew(t, Options{URL: e.URL, Queries: queries, Every: 5 * time.Second, History: 15 * time.Minute, Step: 30 * time.Second})
	b := readOne(t, s)
	if asked := e.requests(); !slices.Equal(asked, []string{"query"}) || len(b.Readings) != 3 {
		t.Fatalf("the first poll asked %v and gave %d readings, want current values alone", asked, len(b.Readings))
	}
	if !s.More() {
		t.Fatal("More() is false: the history would wait for the next turn")
	}
	b = readOne(t, s)
	if asked := e.requests(); !slices.Equal(asked, []string{"query", "query_range"}) {
		t.Errorf("the second poll asked %v, want the values and one range for everything", asked)
	}
	if s.More() {
		t.Error("More() stays true: it would be read without end")
	}
	points := map[sale.Key][]sale.Reading{}
	for _, r := range b.Readings {
		points[r.Key] = append(points[r.Key], r)
	}
	for i := range 3 {
		got := points[queries[i].Key]
		if len(got) != 32 { // the value, and 5:00 to 20:00 by 30 s
			t.Errorf("%s has %d points, want 32", queries[i].Expr, len(got))
		}
		for _, r := range got[1:] {
			if r.At.Unix()%30 != 0 {
				t.Errorf("%s has a point at %v, not on the step", queries[i].Expr, r.At)
			}
		}
	}
	// The load loses 8 tickets every 15 s: 16,000 at the start.
	for _, r := range points[queries[0].Key] {
		if want := 16000 - 8*float64(r.At.Unix()/15); r.Value != want {
			t.Errorf("at %ds %v tickets, want %v", r.At.Unix(), r.Value, want)
		}
	}
	if n := len(points[queries[4].Key]); n > 0 {
		t.Errorf("an expression of two series has %d points of history", n)
	}
	for range 3 {
		e.advance(5 * time.Second)
		readOne(t, s)
		if asked := e.requests(); !slices.Equal(asked, []string{"query"}) {
			t.Errorf("a later poll asked %v, want only values", asked)
		}
	}
}

func TestAGapOfMoreThanThreePeriodsIsFilledOnceTheServerIsBack(t *testing.T) {
	e := serveEngine(t, shopLoad, 10*time.Minute)
	s := mustNew(t, Options{URL: e.URL, Queries: tickets(2), Every: 5 * time.Second, History: 5 * time.Minute, Step: 5 * time.Second})
	readOne(t, s)
	readOne(t, s)
	e.advance(15 * time.Second)
	readOne(t, s)
	if s.More() {
		t.Error("three periods are no gap")
	}
	e.advance(2 * time.Minute)
	e.requests()
	if readOne(t, s); !s.More() {
		t.Fatal("two minutes without answers, and no gap was seen")
	}
	b := readOne(t, s)
	if asked := e.requests(); !slices.Equal(asked, []string{"query", "query", "query_range"}) {
		t.Errorf("the gap took %v", asked)
	}
	first := b.Readings[len(b.Readings)-1].At
	for _, r := range b.Readings {
		if r.At.Before(first) {
			first = r.At
		}
	}
	if want := time.Unix(615, 0); !first.Equal(want) {
		t.Errorf("the gap was read from %v, want %v: what is known is not asked again", first.Unix(), want.Unix())
	}
}

func TestAHistoryLongerThanTheServersLimitIsCutIntoRanges(t *testing.T) {
	h := history{step: time.Second, from: time.Unix(0, 0), to: time.Unix(30_000, 500_000_000)}
	covered := 0
	next := time.Unix(30_000, 0)
	for _, r := range h.stretches() {
		points := int(r.End.Sub(r.Start)/r.Step) + 1
		if points > maxPoints || !r.End.Equal(next) {
			t.Errorf("a range of %d points that ends at %d, want at most %d and %d", points, r.End.Unix(), maxPoints, next.Unix())
		}
		next = r.Start.Add(-r.Step)
		covered += points
	}
	if covered != 30_001 {
		t.Errorf("%d points are covered, want 30001", covered)
	}
}

func TestAHistoryThatFailsHidesNoValueAndIsGivenUpAfterThreeTries(t *testing.T) {
	e := serveEngine(t, shopLoad, 20*time.Minute)
	ranges := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "query_range") {
			ranges++
			writeError(w, http.StatusServiceUnavailable, "unavailable", "the store is compacting")
			return
		}
		e.ServeHTTP(w, r)
	}))
	defer srv.Close()
	s := mustNew(t, Options{URL: srv.URL, Queries: tickets(2), History: time.Hour})
	said := []string{}
	for range 5 * againAfter {
		b := readOne(t, s)
		if b.Problem != nil || delivered(b) != 2 {
			t.Fatalf("the values failed with the history: %v", b.Problem)
		}
		said = append(said, b.Warnings...)
	}
	if ranges != historyTries {
		t.Errorf("the history was asked for %d times, want %d", ranges, historyTries)
	}
	if len(said) != historyTries || !strings.Contains(said[0], "compacting") || !strings.Contains(said[2], "given up") {
		t.Errorf("it said %q", said)
	}
}

func TestSeriesThatTookTurnsAreOneHistory(t *testing.T) {
	e := serveEngine(t, `load 15s
	shop_up{pod="old"} 1x39 stale
	shop_up{pod="new"} _x40 1x40
	`, 20*time.Minute)
	s := mustNew(t, Options{URL: e.URL, Queries: queriesOf([]string{"shop_up"}), History: 20 * time.Minute, Step: 15 * time.Second})
	readOne(t, s)
	if b := readOne(t, s); len(b.Readings) < 75 {
		t.Errorf("%d points over a deploy, want the whole 20 minutes", len(b.Readings))
	}
}
