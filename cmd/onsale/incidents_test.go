package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/rehearsal"
	"github.com/onsale-dev/onsale/sale"
)

// desk is a night with a journal where every command finds it.
type watchOffice struct {
	*night
	env map[string]string
	dir string
}

func newWatchOffice(t *testing.T, o rehearsal.Options) *watchOffice {
	d := &watchOffice{night: startNight(t, o), env: map[string]string{"LANG": "C.UTF-8", "USER": "ivana", "XDG_STATE_HOME": t.TempDir()}}
	var err error
	if d.dir, err = journal.DefaultDir(func(name string) string { return d.env[name] }); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *watchOffice) done(args ...string) {
	d.t.Helper()
	all := append([]string{"act", "lantern"}, args...)
	if out := runIn(d.t, d.env, append(all, "-c", d.config, "--reason", "test", "--confirm", "lantern")...); out.code != 0 {
		d.t.Fatalf("%v: exit %d\n%s%s", args, out.code, out.stdout, out.stderr)
	}
}

// incident is what a check tells of the sale's incident.
func (d *watchOffice) incident() (in *checkIncident, known *bool) {
	d.t.Helper()
	out := runIn(d.t, d.env, "check", "lantern", "-c", d.config, "-o", "json")
	var r struct {
		Sales []struct {
			Incident *checkIncident `json:"incident"`
			Known    *bool          `json:"incident_known"`
		} `json:"sales"`
	}
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil || len(r.Sales) != 1 {
		d.t.Fatalf("%v\n%s%s", err, out.stdout, out.stderr)
	}
	return r.Sales[0].Incident, r.Sales[0].Known
}

func TestAnIncidentIsSeenInItsToolAndHearsWhatWasDone(t *testing.T) {
	t.Parallel()
	d := newWatchOffice(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 5})
	d.done("incident")
	in, _ := d.incident()
	if in == nil || in.Status != sale.IncidentOpen || in.Name != "INC-4181" || in.OpenedBy != "ivana" || in.Opened == nil || in.Seen == nil {
		t.Fatalf("opened: %+v", in)
	}
	for _, c := range in.Clocks {
		if c.Within == nil || c.Took == nil || c.Left == nil || c.Stopped || c.Over {
			t.Errorf("the clock is %+v", c)
		}
	}

	d.done("pause")
	records, err := journal.List(d.dir, journal.Filter{Code: "AUD"})
	if err != nil || len(records) != 2 {
		t.Errorf("%d records of telling, want the timeline and the note: %+v, %v", len(records), records, err)
	}
	for _, r := range records {
		if r.Code != "AUD10D" || !strings.Contains(r.Text, "800/min → 0/min") {
			t.Errorf("told: %+v", r)
		}
	}
	ledger, err := json.Marshal(d.truth().Ledger)
	if err != nil || !strings.Contains(string(ledger), "annotated") || !strings.Contains(string(ledger), "change") {
		t.Errorf("PagerDuty heard nothing: %s, %v", ledger, err)
	}

	d.done("acknowledge")
	if in, _ := d.incident(); in == nil || in.Status != sale.IncidentAcknowledged || in.Acknowledged == nil || !in.Clocks[0].Stopped {
		t.Errorf("acknowledged: %+v", in)
	}
	d.fault("pagerduty", "error")
	if in, known := d.incident(); in == nil || in.Status != sale.IncidentAcknowledged || known == nil || *known || in.Seen != nil {
		t.Errorf("with the tool down: %+v, known %v: want what the journal knows, and that it can't be told", in, known)
	}
}

func TestWhoActsIsNotHeldUpByWhomToTell(t *testing.T) {
	t.Parallel()
	d := newWatchOffice(t, rehearsal.Options{Seed: 7, Scenario: "calm", Speed: 5})
	d.fault("pagerduty", "error")
	d.done("pause") // done for all that
	records, err := journal.List(d.dir, journal.Filter{Code: "AUD"})
	if err != nil || len(records) == 0 || records[0].Code != "AUD10F" {
		t.Errorf("that nobody could be told is not on record: %+v, %v", records, err)
	}
}

func TestTheIncidentsKeysSayWhyTheyAreOff(t *testing.T) {
	at := time.Date(2026, 12, 4, 10, 5, 21, 0, time.UTC)
	open := sale.Incident{Sale: "tide", Key: "k", Name: "INC-1", Status: sale.IncidentOpen, Opened: at}
	acked, accepted := open, open
	acked.Status, acked.Acknowledged, acked.AcknowledgedBy = sale.IncidentAcknowledged, at, "ivana"
	accepted.Status, accepted.Accepted = sale.IncidentAccepted, at
	for _, test := range []struct {
		name                   string
		log                    *sale.Log
		open, acknowledge, end string
	}{
		{"nobody keeps them", nil, "", "", ""},
		{"none is open", &sale.Log{}, "", "no incident is open", "no incident is open"},
		{"it can't be told", &sale.Log{Problem: "unreadable"}, "", "", ""},
		{"accepted", &sale.Log{Incidents: []sale.Incident{accepted}}, "accepted 10:05:21", "", ""},
		{"open", &sale.Log{Incidents: []sale.Incident{open}}, "INC-1 is open", "", ""},
		{"acknowledged", &sale.Log{Incidents: []sale.Incident{acked}}, "INC-1 is open", "done 10:05:21 by ivana", ""},
	} {
		store := sale.NewStore([]*sale.Sale{{ID: "tide"}}, nil, sale.Limits{}, at)
		if test.log != nil {
			test.log.Sale = "tide"
			store.Recorded([]sale.Log{*test.log}, at)
		}
		h := &hands{store: store, config: &config.Config{TimeZone: "UTC"}}
		for verb, want := range map[actions.Verb]string{actions.Incident: test.open, actions.Acknowledge: test.acknowledge, actions.Resolve: test.end} {
			if got := h.incidentOff("tide", verb); got != want {
				t.Errorf("%s: %s is off because %q, want %q", test.name, verb, got, want)
			}
		}
	}
}

func TestAMitigationIsJournalledOnceAndTakenBack(t *testing.T) {
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	cfg := &config.Config{Sales: []config.Sale{{Sale: sale.Sale{ID: "tide"}}}}
	target := &journal.Target{System: "pagerduty", ID: "onsale/tide/x"}
	for _, r := range []journal.Record{
		{Code: "INC10I", Kind: journal.Intent, ID: "a", Sale: "tide", Action: "incident", Target: target},
		{Code: "INC10D", Kind: journal.Result, ID: "a", Sale: "tide", Action: "incident", Target: target, Outcome: "done"},
	} {
		if _, err := j.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	store := sale.NewStore([]*sale.Sale{&cfg.Sales[0].Sale}, nil, sale.Limits{}, time.Now())
	h := &desk{recorder: j, chronicle: &chronicle{config: cfg}}
	h.recorded(store, time.Now())
	snap := func(mitigated, blind bool) *sale.Snapshot {
		in := h.chronicle.of("tide").Incidents[0]
		in.Mitigated, in.Blind, in.MitigatedAt = mitigated, blind, time.Now()
		return &sale.Snapshot{Sales: []*sale.State{{Sale: &cfg.Sales[0].Sale, Incidents: sale.IncidentState{Kept: true, Known: true, Current: &in}}}}
	}
	for _, step := range []struct {
		mitigated, blind bool
		records          int
	}{{false, false, 0}, {true, false, 1}, {true, false, 1}, {false, true, 1}, {false, false, 2}, {false, false, 2}, {true, false, 3}} {
		h.mitigated(t.Context(), store, snap(step.mitigated, step.blind))
		records, err := j.List(journal.Filter{Code: "INC40"})
		if err != nil || len(records) != step.records {
			t.Errorf("mitigated %t, blind %t: %d records, want %d (%v)", step.mitigated, step.blind, len(records), step.records, err)
		}
	}
}
