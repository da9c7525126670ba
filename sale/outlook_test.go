package sale

import (
	"testing"
	"time"
)

func TestTheDatabaseBindsTheMainSaleAt640AMinute(t *testing.T) {
	s := theMainSale(t, 12_400, 3_100)
	st := s.n.state()
	near(t, "active", s.active, 4800, 2)
	near(t, "the session", st.SafeAdmission.Session.Minutes(), 6, 0.05)
	near(t, "connections per person", s.n.entries()[0].look.load.Per, 0.358, 0.002)
	near(t, "idle connections", s.n.entries()[0].look.load.Idle, 120, 10)
	if st.Binding == nil || st.Binding.Name != LimitDatabase {
		t.Fatalf("it binds %+v", st.Binding)
	}
	near(t, "the safe admission", st.Binding.Safe, 641, 4)
	if got, want := st.BindsText(s.n.now), "RDS connections 92 % of max; safe admission <= 640/min"; got != want {
		t.Errorf("binds %q, want %q", got, want)
	}
	if !st.SafeAdmission.Measured || st.SafeAdmission.At().IsZero() {
		t.Errorf("the session is measured and every input has a time, got %+v", st.SafeAdmission)
	}
}

func TestTheMainSalesTicketsServeAThirdOfItsQueue(t *testing.T) {
	s := theMainSale(t, 12_378, 3_149)
	s.admit, s.limit, s.joining = 0, 0, 260
	s.run(5 * time.Second)
	st := s.n.state()
	if !st.Paused() {
		t.Fatal("it is not paused")
	}
	f := st.Forecast
	near(t, "tickets per person", f.Serve.PerPerson, 0.734, 0.012)
	near(t, "served", f.Serve.Served, 4_220, 70)
	near(t, "who miss", f.Serve.Miss, 8_180, 70)
	if !f.SellOut.AfterResume {
		t.Fatalf("the sell-out is %+v", f.SellOut)
	}
	near(t, "the sell-out after R", f.SellOut.At.Sub(f.SellOut.From).Minutes(), 8.7, 0.4)
	near(t, "the drain", f.Drain.At.Sub(f.Drain.From).Minutes(), 12_400/(640-260.0), 0.3)
	if text := st.AheadText(s.n.now); text != "3,100 serve ~4,220 of ~12,400, ~8,180 miss; sold out ~9 min after R; drain 33 min at 640/min" {
		t.Errorf("ahead %q", text)
	}
}
