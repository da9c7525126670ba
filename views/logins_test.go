package views

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// withLogins is the world with logins of every kind of standing, one of which ends before a sale does.
func withLogins(f Frame) Frame {
	st := f.Snapshot.Sale("lanterns")
	st.Sale.Closes = worldNow.Add(147 * time.Minute)
	f.Snapshot.Logins = []sale.Login{
		{Name: "hr-read", Kind: "aws sso", State: sale.LoginReady, Until: worldNow.Add(40 * time.Minute), Renews: true, UsedBy: []string{"aws", "edge", "orders"}, Sales: []sale.ID{"lanterns"}},
		{Name: "pl-read", Kind: "aws instance", State: sale.LoginReady, Until: worldNow.Add(5 * time.Hour), Renews: true, UsedBy: []string{"pl"}, Skew: -422 * time.Second},
		{Name: "hr-act", Kind: "aws sso, role", Acts: true, State: sale.LoginReady, Until: worldNow.Add(44 * time.Minute), UsedBy: []string{"scale"}, Sales: []sale.ID{"lanterns"}, Mend: "aws sso login --profile hr-act"},
		{Name: "pl-act", Kind: "aws key, role", Acts: true, State: sale.LoginFails, UsedBy: []string{"tasks"}, Problem: &sale.Problem{Class: sale.Auth, Text: "pl-act: the SSO session has ended", Hint: "run: aws sso login --profile pl-act"}},
		{Name: "st-act", Kind: "aws key", Acts: true, State: sale.LoginAsks, UsedBy: []string{"ops"}},
		{Name: "spare", Kind: "aws key", Acts: true, State: sale.LoginUntried, UsedBy: []string{"switch"}},
		{Name: "root-key", Kind: "aws key", Acts: true, State: sale.LoginReady, Lasts: true, UsedBy: []string{"page"}},
	}
	return f
}

func TestLoginsLookAsTheyDid(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes() {
		compareGolden(t, "logins", size, "mono", func(f Frame) string { return r.Sources(withLogins(f)) })
	}
	for _, size := range sizes()[:3] {
		compareGolden(t, "login-ends", size, "mono", func(f Frame) string { return r.Overview(withLogins(f)) })
	}
}

func TestTheHeaderSaysWhichLoginDoesNotCarryASale(t *testing.T) {
	r := NewRenderer()
	header := func(w int, change func(logins []sale.Login)) string {
		f := withLogins(worldFrame(w, 36, NewTheme(Options{Profile: Mono})))
		if change != nil {
			change(f.Snapshot.Logins)
		}
		return strings.Split(r.Overview(f), "\n")[1]
	}
	ends := worldNow.Add(44 * time.Minute).Format("15:04")
	closes := worldNow.Add(147 * time.Minute).Format("15:04")
	if got := header(160, nil); !strings.Contains(got, "◆ hr-act ends "+ends+", sale ends "+closes) {
		t.Errorf("%q", got)
	}
	if got := header(80, nil); !strings.Contains(got, "◆ hr-act") {
		t.Errorf("a narrow one leaves it out: %q", got)
	}
	if got := header(160, func(l []sale.Login) { l[2].Until = worldNow.Add(-time.Minute) }); !strings.Contains(got, "▲ hr-act ENDED") {
		t.Errorf("%q", got)
	}
	if got := header(160, func(l []sale.Login) { l[3].Sales = []sale.ID{"lanterns"} }); !strings.Contains(got, "▲ pl-act FAILS") {
		t.Errorf("the graver one is said: %q", got)
	}
	if got := header(160, func(l []sale.Login) { l[2].Until = worldNow.Add(5 * time.Hour) }); strings.Contains(got, "-act") || strings.Contains(got, "-read") {
		t.Errorf("nothing is short: %q", got)
	}
}

func TestLoginsThatNeedNobodyPushNoSourceOutOfSight(t *testing.T) {
	r := NewRenderer()
	f := worldFrame(80, 24, NewTheme(Options{Profile: Mono}))
	for range 6 {
		f.Snapshot.Sources = append(f.Snapshot.Sources, f.Snapshot.Sources[0])
	}
	without, _ := r.SourcesRows(f)
	f.Snapshot.Logins = []sale.Login{{Name: "hr-read", State: sale.LoginReady, Lasts: true}}
	if seen, _ := r.SourcesRows(f); seen != without || strings.Contains(r.Sources(f), "logins") {
		t.Errorf("%d sources in sight, %d without logins", seen, without)
	}
	f.Snapshot.Logins[0] = sale.Login{Name: "hr-read", State: sale.LoginFails, Problem: &sale.Problem{Text: "hr-read: the SSO session has ended"}}
	if !strings.Contains(r.Sources(f), "▲ FAILS") {
		t.Error("one that fails is not shown")
	}
}

func TestWhereThereIsNoRoomTheLoginsThatNeedSomebodyStay(t *testing.T) {
	f := withLogins(worldFrame(80, 24, NewTheme(Options{Profile: Mono})))
	f.ready()
	rows := strings.Join(f.loginsSection(4), "\n")
	for _, want := range []string{"4 more", "hr-act", "pl-act", "st-act"} {
		if !strings.Contains(rows, want) {
			t.Errorf("no %q in:\n%s", want, rows)
		}
	}
}
