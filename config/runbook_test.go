package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/onsale-dev/onsale/sale"
)

func TestARunbookBringsItsFirstLinesAndTheActionThatFits(t *testing.T) {
	c, err := fixture(t, "testdata/good/incidents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := c.Sale("tide")
	for signal, want := range map[sale.Signal]sale.Spec{
		sale.PaymentFailureRatio: {Runbook: "/conf/books/payment.md", RunbookText: []string{"Provider declines", "1. **P** pause admission", "   - not the rate"}, RunbookAction: "incident"},
		sale.ErrorRatio:          {RunbookText: []string{"Look at the last deploy.", "Then roll it back."}},
		sale.OrderRate:           {Runbook: "https://wiki.example/orders", RunbookAction: "acknowledge"},
		sale.LatencyP95:          {Runbook: "elsewhere/latency.md"},
	} {
		i := slices.IndexFunc(s.Signals, func(spec sale.Spec) bool { return spec.Signal == signal })
		if got := s.Signals[i]; got.Runbook != want.Runbook || got.RunbookAction != want.RunbookAction || !slices.Equal(got.RunbookText, want.RunbookText) {
			t.Errorf("%s has %q %q %q", signal, got.Runbook, got.RunbookText, got.RunbookAction)
		}
	}
	if s.SLAs.Acknowledge == 0 || s.SLAs != sale.SLAs(c.SLAs) {
		t.Errorf("the sale's promises are %+v, the file's %+v", s.SLAs, c.SLAs)
	}
}

func TestWhatARunbookBringsIsBoundedAndClean(t *testing.T) {
	lines := firstLines(strings.Repeat("a \x1b[2J"+strings.Repeat("long ", 100)+"\n\n", 200))
	if len(lines) != 40 {
		t.Errorf("%d lines, want 40", len(lines))
	}
	for _, line := range lines {
		if line != sale.Clean(line, 124) {
			t.Errorf("the line %q is not clean or too long", line)
		}
	}
}

func TestEverySourceOfIncidentsKnowsItsSales(t *testing.T) {
	c, err := fixture(t, "testdata/good/incidents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]sale.ID{"m": nil, "pager": {"tide"}, "alerts": nil, "ops": nil} {
		s, _ := c.Source(name)
		if got := c.IncidentSales(s); !slices.Equal(got, want) {
			t.Errorf("%s tells of %v, want %v", name, got, want)
		}
	}
}
