package sale

import (
	"testing"
	"time"
)

func TestALoginIsHeldAgainstTheEndOfTheSale(t *testing.T) {
	day := time.Date(2026, 12, 4, 0, 0, 0, 0, time.UTC)
	at := func(h, m int) time.Time { return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	night := Sale{ID: "harbour", Prequeue: at(10, 0), Opens: at(10, 20), Closes: at(12, 35)}
	open := Sale{ID: "harbour", Opens: at(10, 20)}
	for _, c := range []struct {
		sentence string
		login    Login
		sale     Sale
		now      time.Time
		want     string
	}{
		{"one that ends before the sale does is short", Login{Until: at(10, 52)}, night, at(10, 8), "ends 10:52, sale ends 12:35"},
		{"also before the sale begins, where it ends in the midst of it", Login{Until: at(10, 52)}, night, at(8, 0), "ends 10:52, sale ends 12:35"},
		{"one that is over long before the sale matters is not said yet", Login{Until: at(5, 0)}, night, at(4, 0), ""},
		{"but an hour ahead it is", Login{Until: at(5, 0)}, night, at(9, 0), "ENDED 05:00"},
		{"one that outlives the sale is not short", Login{Until: at(12, 35)}, night, at(10, 8), ""},
		{"one that renews itself has no end to fear", Login{Until: at(10, 52), Renews: true}, night, at(10, 8), ""},
		{"a long-term key neither", Login{Lasts: true}, night, at(10, 8), ""},
		{"an end that is not told is not invented", Login{}, night, at(10, 8), ""},
		{"when it is over that is said", Login{Until: at(10, 52)}, night, at(10, 52), "ENDED 10:52"},
		{"one that can't be renewed ends when it ends", Login{State: LoginFails, Until: at(10, 52)}, night, at(10, 40), "can't be renewed, ends 10:52"},
		{"one that never was there fails", Login{State: LoginFails}, night, at(10, 40), "FAILS"},
		{"one that a person keeps waiting waits", Login{State: LoginAsks}, night, at(10, 40), "waits for an MFA code"},
		{"after the sale nothing matters", Login{Until: at(10, 52)}, night, at(12, 35), ""},
		{"without an end of the sale it is said half an hour ahead", Login{Until: at(11, 0)}, open, at(10, 31), "ends 11:00"},
		{"and not before", Login{Until: at(11, 0)}, open, at(10, 30), ""},
	} {
		c.login.Sales = []ID{"harbour"}
		if got := c.login.Short(&c.sale, c.now); got != c.want {
			t.Errorf("%s: %q", c.sentence, got)
		}
		c.login.Sales = []ID{"lantern"}
		if got := c.login.Short(&c.sale, c.now); got != "" {
			t.Errorf("%s: another sale says %q", c.sentence, got)
		}
	}
}

func TestTheSaleHasANoteOfTheLoginThatDoesNotCarryIt(t *testing.T) {
	now := time.Date(2026, 12, 4, 10, 8, 0, 0, time.UTC)
	s := &Sale{ID: "harbour", Opens: now.Add(-time.Minute), Closes: now.Add(2 * time.Hour)}
	store := NewStore([]*Sale{s}, nil, Limits{}, now)
	bell, hangUp := store.Subscribe()
	defer hangUp()
	logins := []Login{{Name: "hr-act", Acts: true, State: LoginReady, Until: now.Add(44 * time.Minute), Sales: []ID{"harbour"}}}
	store.LoggedIn(logins, now)
	note := func() string {
		st := store.Snapshot().Sale("harbour")
		if len(st.Notes) == 0 {
			return ""
		}
		return st.Notes[0].Code + ": " + st.Notes[0].Text
	}
	if got := note(); got != "login: act login hr-act ends 10:52, sale ends 12:08" {
		t.Error(got)
	}
	select {
	case <-bell:
	default:
		t.Error("nobody is told")
	}
	seq := store.Snapshot().Seq
	store.LoggedIn([]Login{logins[0]}, now.Add(time.Second))
	if store.Snapshot().Seq != seq {
		t.Error("the same again is news")
	}
	for m := range 44 {
		store.Tick(now.Add(time.Duration(m) * time.Minute))
	}
	store.Tick(now.Add(44 * time.Minute))
	if got := note(); got != "login: act login hr-act ENDED 10:52" {
		t.Errorf("%q: time alone ends it", got)
	}
	logins[0].Until = now.Add(12 * time.Hour)
	store.LoggedIn([]Login{logins[0]}, now.Add(45*time.Minute))
	if got := note(); got != "" || len(store.Snapshot().Logins) != 1 {
		t.Errorf("renewed: %q", got)
	}
}
