package views

import (
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// pagedWorld is the world with an incident of one sale, none of others, and one that can't be told.
func pagedWorld() *sale.Snapshot {
	snap := world()
	clock := func(h, m, s int) time.Time { return time.Date(2026, 12, 4, h, m, s, 0, worldNow.Location()) }
	for _, st := range snap.Sales {
		st.Incidents = sale.IncidentState{Kept: true, Known: true, Tool: "PagerDuty"}
		st.Sale.SLAs = sale.SLAs{Acknowledge: 5 * time.Minute, Mitigate: 15 * time.Minute, Resolve: time.Hour}
	}
	lanterns, volt, pier := snap.Sale("lanterns"), snap.Sale("volt"), snap.Sale("pier")
	lanterns.Incidents.Current = &sale.Incident{
		Sale: "lanterns", Key: "onsale/lanterns/payment_failure_ratio", Name: "INC-2214", Status: sale.IncidentAcknowledged,
		Opened: clock(10, 4, 12), Acknowledged: clock(10, 5, 21), AcknowledgedBy: "ivana", Seen: clock(10, 8, 20),
	}
	lanterns.Timeline = []sale.Event{
		{At: clock(10, 7, 12), Kind: sale.EffectEvent, Text: "pause admission: EFFECT SEEN after 62 s: admitted 800/min → 0/min", Who: "onsale", Ref: "#416"},
		{At: clock(10, 6, 10), Kind: sale.ActionEvent, Text: "pause admission 800/min → 0/min: DONE: read back: queue_all on", Who: "ivana ssh", Ref: "#412 #413"},
		{At: clock(10, 5, 21), Kind: sale.IncidentEvent, Text: "acknowledge #2214: DONE: read back: acknowledged on", Who: "ivana ssh", Ref: "#409 #410"},
		{At: clock(10, 4, 40), Kind: sale.IncidentEvent, Text: "open incident for payment_failure_ratio: DONE: read back: incident open", Who: "ivana ssh", Ref: "#405 #406"},
		{At: clock(10, 4, 12), Kind: sale.AlarmEvent, Text: "BAD declines 7.0 % > 5.0 % for 1:00"},
		{At: clock(9, 57, 0), Kind: sale.AlarmEvent, Text: "WATCH db conns 83 % of db max > 80 % for 1:00"},
		{At: clock(9, 49, 0), Kind: sale.PhaseEvent, Text: "OPENING → LIVE"},
		{At: clock(9, 45, 0), Kind: sale.PhaseEvent, Text: "PREQUEUE → OPENING"},
	}
	for i := range lanterns.Signals {
		if spec := lanterns.Signals[i].Spec; spec.Signal == sale.PaymentFailureRatio {
			spec.Runbook, spec.RunbookAction = "runbooks/declines.md", "pause"
			spec.RunbookText = []string{"Provider declines", "1 pause admission: people keep their place", "2 call provider A, desk number in the vault", "  then wait until declines < 3 % for 3 min"}
		}
	}
	volt.Incidents.Known, volt.Incidents.Why = false, "PagerDuty can't be read: HTTP 401 Unauthorized"
	pier.Incidents.Current = &sale.Incident{Sale: "pier", Status: sale.IncidentAccepted, Accepted: clock(10, 8, 31), Opened: clock(10, 8, 31)}
	return snap
}

func TestScreensWithIncidentsLookAsTheyDid(t *testing.T) {
	r := NewRenderer()
	paged := func(draw func(Frame) string) func(Frame) string {
		return func(f Frame) string {
			f.Snapshot = pagedWorld()
			f.Acts = map[string]KeyHint{"pause": {Keys: "P", Label: "pause admission"}}
			return draw(f)
		}
	}
	for _, size := range sizes() {
		compareGolden(t, "incident-overview", size, "mono", paged(r.Overview))
		compareGolden(t, "incident-sale", size, "mono", paged(r.Sale))
	}
	compareGolden(t, "incident-overview", [2]int{200, 50}, "dark", paged(r.Overview))
	compareGolden(t, "incident-sale", [2]int{160, 45}, "dark", paged(r.Sale))
	compareGolden(t, "incident-sale", [2]int{160, 45}, "ascii", paged(r.Sale))
}

// words are a line's pieces as they are drawn.
func (s pieces) words() string {
	all := make([]string, len(s))
	for i := range s {
		all[i] = s[i].text
	}
	return strings.Join(all, "  ")
}

func TestWhatIsSaidOfAnIncident(t *testing.T) {
	slas := sale.SLAs{Acknowledge: 5 * time.Minute, Mitigate: 15 * time.Minute, Resolve: time.Hour}
	ago := func(d time.Duration) time.Time { return worldNow.Add(-d) }
	seen := ago(10 * time.Second)
	open := func(change func(*sale.Incident)) *sale.Incident {
		in := &sale.Incident{Name: "INC-1", Status: sale.IncidentOpen, Opened: ago(4 * time.Minute), Seen: seen}
		change(in)
		return in
	}
	state := func(in *sale.Incident, change ...func(*sale.IncidentState)) sale.IncidentState {
		s := sale.IncidentState{Kept: true, Known: true, Tool: "PagerDuty", Current: in}
		for _, f := range change {
			f(&s)
		}
		return s
	}
	tests := []struct {
		name  string
		state sale.IncidentState
		want  string // the longest form
		style style  // of its last piece
	}{
		{"nobody keeps them", sale.IncidentState{}, "", 0},
		{"none", state(nil), "no incident", dim},
		{"it can't be told", state(nil, func(s *sale.IncidentState) { s.Known, s.Why = false, "PagerDuty was not read yet" }), "incident not known: PagerDuty was not read yet", unknown},
		{"accepted and not shown", state(open(func(in *sale.Incident) {
			in.Status, in.Accepted, in.Seen, in.Name = sale.IncidentAccepted, ago(time.Minute), time.Time{}, ""
		})), "accepted 10:07:41, not seen in PagerDuty yet", watch},
		{"accepted, and nobody can look", state(open(func(in *sale.Incident) { in.Status, in.Accepted = sale.IncidentAccepted, ago(time.Minute) }), func(s *sale.IncidentState) { s.Tool = "" }), "accepted 10:07:41; accepted is not paged", watch},
		{"open", state(open(func(*sale.Incident) {})), "INC-1  ack 4:00/5:00  mitigate 4:00/15:00  resolve 4:00/1h", text},
		{"nobody acknowledged in time", state(open(func(in *sale.Incident) { in.Opened = ago(6 * time.Minute) })), "INC-1  ▲ ack 6:00/5:00  mitigate 6:00/15:00  resolve 6:00/1h", text},
		{"acknowledged, the clock stands", state(open(func(in *sale.Incident) { in.Status, in.Acknowledged = sale.IncidentAcknowledged, ago(3*time.Minute) })), "INC-1  ack 1:00/5:00  mitigate 4:00/15:00  resolve 4:00/1h", text},
		{"acknowledged, nobody knows when", state(open(func(in *sale.Incident) { in.Status = sale.IncidentAcknowledged })), "INC-1  ack ?/5:00  mitigate 4:00/15:00  resolve 4:00/1h", text},
		{"open for too long", state(open(func(in *sale.Incident) { in.Opened = ago(2 * time.Hour) })), "INC-1  ▲ ack 2:00:00/5:00  ▲ mitigate 2:00:00/15:00  ▲ resolve 2:00:00/1h", bad},
		{"others are open too", state(open(func(*sale.Incident) {}), func(s *sale.IncidentState) { s.Others = 2 }), "INC-1  ack 4:00/5:00  mitigate 4:00/15:00  resolve 4:00/1h  +2 open", watch},
		{"the tool went dark", state(open(func(*sale.Incident) {}), func(s *sale.IncidentState) { s.Known, s.Why = false, "PagerDuty can't be read: timeout" }), "?INC-1  ack 4:00/5:00  mitigate 4:00/15:00  resolve 4:00/1h  PagerDuty can't be read: timeout", unknown},
		{"the journal alone has it open", state(open(func(in *sale.Incident) { in.Seen, in.Name = time.Time{}, "" })), "incident  ack 4:00/5:00  mitigate 4:00/15:00  resolve 4:00/1h  not shown by PagerDuty", watch},
		{"resolved", state(open(func(in *sale.Incident) {
			in.Status, in.Resolved, in.ResolvedBy = sale.IncidentResolved, ago(time.Minute), "Ines"
		})), "INC-1  resolved 10:07:41 by Ines", dim},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Frame{Now: worldNow}
			forms := f.incidentForms(&sale.State{Sale: &sale.Sale{SLAs: slas}, Incidents: test.state})
			if test.want == "" {
				if forms != nil {
					t.Errorf("it says %q", forms[0].words())
				}
				return
			}
			if got := forms[0].words(); got != test.want || forms[0][len(forms[0])-1].style != test.style {
				t.Errorf("it says %q in style %d, want %q in %d", got, forms[0][len(forms[0])-1].style, test.want, test.style)
			}
			for i := 1; i < len(forms); i++ {
				if forms[i].cells() > forms[i-1].cells() {
					t.Errorf("the form %q is longer than the one before it", forms[i].words())
				}
			}
		})
	}
}

func TestAnIncidentIsNeverLeftOutOfASmallScreen(t *testing.T) {
	for _, size := range [][2]int{{200, 50}, {160, 45}, {120, 36}, {100, 30}, {80, 24}} {
		f := worldFrame(size[0], size[1], NewTheme(themes()["mono"]))
		f.Snapshot = pagedWorld()
		for name, screen := range map[string]string{"overview": NewRenderer().Overview(f), "sale": NewRenderer().Sale(f)} {
			if !strings.Contains(screen, "INC-2214") {
				t.Errorf("%s at %dx%d says nothing of the open incident:\n%s", name, size[0], size[1], screen)
			}
		}
	}
}
