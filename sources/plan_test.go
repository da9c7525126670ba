package sources_test

import (
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sources"
)

func TestAPlanIsHeldAgainstWhatTheProviderHas(t *testing.T) {
	cet := time.FixedZone("CET", 3600)
	now := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	doors := time.Date(2026, 12, 4, 10, 20, 0, 0, cet)
	n := func(v int32) *int32 { return &v }
	plan := sources.Plan{Sale: "arena", Name: "onsale.arena.opens-15m", Text: "opens-15m", At: doors, To: 14}
	planned := func(name string, at time.Time, least *int32) sources.Scheduled {
		return sources.Scheduled{Name: name, At: at.UTC(), Min: least}
	}
	for _, c := range []struct {
		name  string
		plan  func(*sources.Plan)
		all   []sources.Scheduled
		cut   bool
		least *int32
		code  string
		text  string
	}{
		{name: "it is planned as declared", all: []sources.Scheduled{planned(plan.Name, doors, n(14))}, least: n(8), code: "planned", text: "planned 10:20 CET: min 8 → 14 (opens-15m)"},
		{name: "what it follows on is planned too", all: []sources.Scheduled{planned("early", doors.Add(-10*time.Minute), n(10)), planned("later", doors.Add(time.Hour), n(6)), planned(plan.Name, doors, n(14))}, least: n(8), code: "planned", text: "planned 10:20 CET: min 10 → 14 (opens-15m)"},
		{name: "a present size that is not known is none", all: []sources.Scheduled{planned(plan.Name, doors, n(14))}, code: "planned", text: "planned 10:20 CET: min ? → 14 (opens-15m)"},
		{name: "nobody has sent it", least: n(8), code: "not_planned", text: "NOT planned: opens-15m (10:20 CET) to 14; scale ahead sends it"},
		{name: "another action at another time is not it", all: []sources.Scheduled{planned("night", doors.Add(time.Minute), n(14))}, code: "not_planned", text: "NOT planned: opens-15m (10:20 CET) to 14; scale ahead sends it"},
		{name: "somebody planned the same by another name", all: []sources.Scheduled{planned("terraform", doors, n(14))}, least: n(8), code: "planned", text: "planned 10:20 CET: min 8 → 14 (opens-15m)"},
		{name: "it is planned for another time", all: []sources.Scheduled{planned(plan.Name, doors.Add(5*time.Minute), n(14))}, code: "planned_otherwise", text: "planned OTHERWISE: min 14 at 10:25 CET, declared is opens-15m (10:20 CET) to 14; scale ahead mends it"},
		{name: "it is planned with another size", all: []sources.Scheduled{planned(plan.Name, doors, n(12))}, code: "planned_otherwise", text: "planned OTHERWISE: min 12 at 10:20 CET, declared is opens-15m (10:20 CET) to 14; scale ahead mends it"},
		{name: "it is planned and sets no floor", all: []sources.Scheduled{planned(plan.Name, doors, nil)}, code: "planned_otherwise", text: "planned OTHERWISE: no min at 10:20 CET, declared is opens-15m (10:20 CET) to 14; scale ahead mends it"},
		{name: "what is not listed may be there", cut: true, code: "plan_unknown", text: "whether opens-15m (10:20 CET) to 14 is planned is not known: there are more scheduled actions than were listed"},
		{name: "another day is named", plan: func(p *sources.Plan) { p.At = doors.AddDate(0, 0, 3) }, code: "not_planned", text: "NOT planned: opens-15m (Dec 7 10:20 CET) to 14; scale ahead sends it"},
		{name: "what has passed is no plan any more", plan: func(p *sources.Plan) { p.At = now }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan
			if c.plan != nil {
				c.plan(&p)
			}
			if code, text := sources.PlanNote(p, c.all, !c.cut, c.least, now); code != c.code || text != c.text {
				t.Errorf("got  %s: %s\nwant %s: %s", code, text, c.code, c.text)
			}
		})
	}
}
