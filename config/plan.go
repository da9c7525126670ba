package config

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onsale-dev/onsale/sale"
)

// plan reads what was expected of a sale.
func (b *salesBuilder) plan(s *Sale, in *planIn) {
	if in == nil {
		return
	}
	b.about = "plan"
	defer func() { b.about = "" }()
	if d := in.Session; d.given() {
		if d.V < 10*time.Second || d.V > 4*time.Hour {
			b.wrong(d.at, `"session" is out of range`, "give 10s to 4h: how long a person stays on the site")
		}
		s.Plan.Session = d.V
	}
	if c := in.Carries; c.given() {
		if !(c.V > 0 && c.V <= 1e6) {
			b.wrong(c.at, `"carries" is out of range`, "give the people on the site that one instance carries: 150")
		}
		s.Plan.Carries = c.V
	}
	switch {
	case len(in.Points) > 0 && in.Like != nil:
		b.wrong(in.Like.at, `"points" and "like" exclude each other`, "keep the one that this sale goes by")
	case in.Like != nil:
		b.planLike(s, in.Like)
	default:
		b.planPoints(s, in.Points)
	}
}

func (b *salesBuilder) planPoints(s *Sale, in []*planPointIn) {
	var rows []planRow
	at := map[time.Duration]*node{}
	for _, p := range in {
		if p == nil || !p.At.given() {
			continue
		}
		when, ok := b.instant(p.At, s)
		if !ok || s.Opens.IsZero() {
			continue
		}
		row := planRow{after: when.Sub(s.Opens)}
		for _, one := range []struct {
			in number
			to **float64
		}{{p.Waiting, &row.waiting}, {p.Admission, &row.admission}, {p.Capacity, &row.capacity}} {
			if !one.in.given() {
				continue
			}
			if !(one.in.V >= 0 && one.in.V <= mostPlanned) {
				b.wrong(one.in.at, fmt.Sprintf("%v can't be planned", one.in.V), fmt.Sprintf("give a number from 0 to %.0f", mostPlanned))
			}
			v := one.in.V
			*one.to = &v
		}
		if row.waiting == nil && row.admission == nil && row.capacity == nil {
			b.wrong(p.at, "this point plans nothing", "add waiting:, admission: or capacity:")
		}
		if first, twice := at[row.after]; twice {
			b.wrong(p.At.at, "two points are planned for the same time", "put what they plan into one", see(first, "the first one"))
			continue
		}
		at[row.after] = p.At.at
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(x, y planRow) int { return int(min(max(x.after-y.after, -1), 1)) })
	s.Plan.Lines = planLines(rows, 1)
}

// planLike reads an earlier sale's course and scales it by the tickets: twice as many tickets, twice
// as many people and instances.
func (b *salesBuilder) planLike(s *Sale, in *planLikeIn) {
	if !in.File.given() || !in.Tickets.given() {
		return
	}
	if s.Tickets <= 0 {
		b.wrong(in.Tickets.at, fmt.Sprintf("the sale %q has no tickets to scale the plan by", s.ID), "add tickets: to the sale")
		return
	}
	data, _, err := b.env.read(b.path(in.File.S), maxPlanFile)
	if err != nil {
		b.wrong(in.File.at, "the plan can't be read: "+sale.Clean(fault(in.File.S, err), 160), "give a .csv or .json file of at most 1 MiB")
		return
	}
	rows, err := parsePlanFile(data)
	if err != nil {
		b.wrong(in.File.at, "not a plan: "+sale.Clean(err.Error(), 200), "write a heading at,waiting,admission,capacity and a line a point: -10m,20000,0,24")
		return
	}
	s.Plan.Lines = planLines(rows, float64(s.Tickets)/float64(in.Tickets.V))
}

// planLines makes a line of each column that has a figure. What is not whole in reality is rounded
// to the next whole one; of capacity none is rounded away.
func planLines(rows []planRow, scale float64) []sale.PlanLine {
	var lines []sale.PlanLine
	for _, column := range []struct {
		signal sale.Signal
		of     func(planRow) *float64
		round  func(float64) float64
	}{
		{sale.Waiting, func(r planRow) *float64 { return r.waiting }, math.Round},
		{sale.AdmissionRate, func(r planRow) *float64 { return r.admission }, math.Round},
		{sale.CapacityInService, func(r planRow) *float64 { return r.capacity }, math.Ceil},
	} {
		line := sale.PlanLine{Signal: column.signal}
		for _, r := range rows {
			if v := column.of(r); v != nil {
				line.Points = append(line.Points, sale.PlanPoint{After: r.after, Value: column.round(*v * scale)})
			}
		}
		if len(line.Points) > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// resumes takes over how the sale's own resume would end a pause.
func resumes(s *Sale) {
	if a, ok := s.Action(VerbResume); ok && a.Gate != nil {
		s.Plan.Ramp, s.Plan.RampEvery = a.Gate.Ramp, a.Gate.Every
	}
}

// showPlan writes the plan as it was understood: an earlier sale's course as points of this one.
func showPlan(m *yaml.MapSlice, s *Sale) {
	p := yaml.MapSlice{}
	addSpan(&p, "session", s.Plan.Session)
	if s.Plan.Carries > 0 {
		add(&p, "carries", unpointed(s.Plan.Carries))
	}
	keys := map[sale.Signal]string{sale.Waiting: "waiting", sale.AdmissionRate: "admission", sale.CapacityInService: "capacity"}
	points := map[time.Duration]yaml.MapSlice{}
	var times []time.Duration
	for _, line := range s.Plan.Lines {
		for _, at := range line.Points {
			if _, ok := points[at.After]; !ok {
				times = append(times, at.After)
			}
			points[at.After] = append(points[at.After], yaml.MapItem{Key: keys[line.Signal], Value: unpointed(at.Value)})
		}
	}
	slices.Sort(times)
	var list []any
	for _, t := range times {
		at := "opens"
		if t != 0 {
			at = fmt.Sprintf("opens%+dms", t.Milliseconds())
			if t%time.Second == 0 {
				at = fmt.Sprintf("opens%+ds", int64(t/time.Second))
			}
		}
		list = append(list, append(yaml.MapSlice{{Key: "at", Value: at}}, points[t]...))
	}
	addList(&p, "points", list)
	if len(p) > 0 {
		add(m, "plan", p)
	}
}

// unpointed is a figure as a person would write it: without a point where it is whole.
func unpointed(v float64) any {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return int64(v)
	}
	return v
}
