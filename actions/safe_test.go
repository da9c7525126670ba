package actions

import (
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

func TestTheSafeAdmissionIsEvidenceAsOldAndAsFreshAsWhatItFollowsFrom(t *testing.T) {
	now := time.Date(2026, 12, 4, 9, 8, 41, 0, time.UTC)
	quick, slow := sale.Cadence{Period: 5 * time.Second}, sale.Cadence{Period: time.Minute}
	constant := 2000.0
	specs := []sale.Spec{
		{Signal: sale.ActiveUsers, Cadence: quick},
		{Signal: sale.DBConnections, Cadence: slow},
		{Signal: sale.DBConnectionsMax, Constant: &constant},
	}
	state := func(active, connections time.Duration) *sale.State {
		st := &sale.State{Sale: &sale.Sale{ID: "quay", Signals: specs}, Phase: sale.Live}
		for i, age := range []time.Duration{active, connections, 0} {
			st.Signals = append(st.Signals, sale.Known{Spec: &specs[i], Has: true, Value: 1, At: now.Add(-age)})
		}
		st.SafeAdmission = sale.SafeAdmission{Has: true, PerMinute: 640, Evidence: []sale.Evidence{
			{Signal: sale.ActiveUsers}, {Signal: sale.DBConnections}, {Signal: sale.DBConnectionsMax},
		}}
		return st
	}
	for _, tc := range []struct {
		active, connections time.Duration
		age                 time.Duration
		freshness           sale.Freshness
		usable              bool
	}{
		{5 * time.Second, 80 * time.Second, 80 * time.Second, sale.Fresh, true},
		{5 * time.Second, 2 * time.Minute, 2 * time.Minute, sale.Late, true},
		{time.Minute, 30 * time.Second, time.Minute, sale.Stale, false},
	} {
		o := EvidenceOf(state(tc.active, tc.connections), now).Signal(SafeAdmission)
		if !o.Has || o.Value != 640 || o.Age != tc.age || o.Freshness != tc.freshness || o.Usable() != tc.usable {
			t.Errorf("of readings %s and %s old it is %+v", tc.active, tc.connections, o)
		}
	}
	unknown := state(0, 0)
	unknown.SafeAdmission = sale.SafeAdmission{Why: "not measured"}
	if o := EvidenceOf(unknown, now).Signal(SafeAdmission); o.Has || o.Usable() {
		t.Errorf("what is not known is evidence: %+v", o)
	}
}
