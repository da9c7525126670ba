package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	scaleasg "github.com/onsale-dev/onsale/actions/autoscaling"
	scaleecs "github.com/onsale-dev/onsale/actions/ecs"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/ui"
)

// This file turns the sizes that a sale declares ahead of time into scheduled actions of AWS, which
// keeps them with this program closed.

// errNoSchedule is why nothing is planned on Kubernetes.
var errNoSchedule = errors.New("there is no scheduled action in Kubernetes, and this program is no scheduler: " +
	"keep the plan in git as a KEDA cron trigger, or scale up by hand before the sale")

// ahead makes the executor of a sale's plan.
func (e *executors) ahead(s *config.Sale) (actions.Executor, error) {
	up, ok := s.Action(config.VerbScaleUp)
	if !ok || len(up.Scale.Ahead) == 0 {
		return nil, fmt.Errorf("sale %s declares no size ahead of time: scale-up: {ahead: [{at: opens-15m, to: 14}]}", s.ID)
	}
	c, ok := e.config.Control(up.Control)
	if !ok {
		return nil, fmt.Errorf("no control %s", up.Control)
	}
	plan := planOf(e.config, s, up)
	return e.once(string(s.ID)+"/"+string(actions.ScaleAhead), c, func() (actions.Executor, error) {
		floor := 0
		if back, ok := s.Action(config.VerbScaleBack); ok && back.Control == up.Control {
			floor = back.Scale.Floor
		}
		switch c.Kind {
		case config.ControlAutoScaling:
			o, err := e.autoscalingOptions(up, c)
			if err != nil {
				return nil, err
			}
			o.Floor = floor
			return scaleasg.NewAhead(o, plan, s.Closes)
		case config.ControlECS:
			o, err := e.ecsOptions(up, c)
			if err != nil {
				return nil, err
			}
			o.Floor = floor
			return scaleecs.NewAhead(o, plan, s.Closes)
		case config.ControlScalable:
			o, err := e.scalableOptions(up, c)
			if err != nil {
				return nil, err
			}
			o.Floor = floor
			return scaleecs.NewAhead(o, plan, s.Closes)
		}
		return nil, errNoSchedule
	})
}

// planOf is what a scale-up declares ahead of time, with times in the zone that the screen shows.
func planOf(cfg *config.Config, s *config.Sale, up *config.Action) []actions.PlannedSize {
	zone := zoneOf(cfg)
	var plan []actions.PlannedSize
	for _, a := range up.Scale.Ahead {
		plan = append(plan, actions.PlannedSize{Name: plannedName(s, a), Text: a.Text, At: a.At.In(zone), To: a.To})
	}
	return plan
}

// zoneOf is where the screen's times are: the config's zone, else the machine's.
func zoneOf(cfg *config.Config) *time.Location {
	if zone, err := time.LoadLocation(cfg.TimeZone); err == nil && cfg.TimeZone != "" {
		return zone
	}
	return time.Local
}

// plannedName names a scheduled action by its sale and by the time as it is declared: when the sale
// moves, its plan moves along. An id has no dot, so that no sale's names begin with another's. AWS
// takes neither colons nor slashes; an absolute time is written without.
func plannedName(s *config.Sale, a config.AheadOfTime) string {
	when := strings.ReplaceAll(a.Text, ".", "_")
	if strings.ContainsAny(when, ": /|") || when == "" {
		when = a.At.UTC().Format("20060102T150405Z")
	}
	return "onsale." + string(s.ID) + "." + when
}

// plannedTargets are the scheduled actions that the policy lets a sale's plan change.
func plannedTargets(cfg *config.Config, s *config.Sale, a *config.Action, c *config.Control) []actions.Target {
	if a.Verb != config.VerbScaleUp {
		return nil
	}
	var all []actions.Target
	for _, ahead := range a.Scale.Ahead {
		t := targetOf(cfg, s.ID, a, c)
		t.Kind, t.Name = "scheduled action", t.Name+"/"+plannedName(s, ahead)
		all = append(all, t)
	}
	return all
}

// eachPlan visits every size that a sale declares ahead of time.
func eachPlan(cfg *config.Config, visit func(up *config.Action, c *config.Control, p sources.Plan)) {
	for i := range cfg.Sales {
		s := &cfg.Sales[i]
		up, ok := s.Action(config.VerbScaleUp)
		if !ok {
			continue
		}
		c, ok := cfg.Control(up.Control)
		if !ok {
			continue
		}
		for _, size := range planOf(cfg, s, up) {
			visit(up, c, sources.Plan{Sale: s.ID, Name: size.Name, Text: size.Text, At: size.At, To: size.To})
		}
	}
}

// ecsPlanned is the ECS service that a scale-up plans for; "" when it is none.
func ecsPlanned(up *config.Action, c *config.Control) (cluster, service, region string) {
	switch c.Kind {
	case config.ControlECS:
		return ecsCluster(up, c), up.Scale.Service, c.ECS.Region
	case config.ControlScalable:
		if parts := strings.Split(up.Scale.Resource, "/"); len(parts) == 3 && parts[0] == "service" {
			return parts[1], parts[2], c.ApplicationAutoScaling.Region
		}
	}
	return "", "", ""
}

// aheadOffer is what a scale-up with a plan offers beside itself; ok is false without one.
func aheadOffer(cfg *config.Config, s *config.Sale, a *config.Action) (offer ui.Offer, ok bool) {
	if a.Verb != config.VerbScaleUp || len(a.Scale.Ahead) == 0 {
		return offer, false
	}
	var sizes []string
	for _, p := range planOf(cfg, s, a) {
		sizes = append(sizes, fmt.Sprintf("%s to %d", p.At.Format("15:04"), p.To))
	}
	offer = ui.Offer{Verb: actions.ScaleAhead, Hint: "plan at AWS: " + strings.Join(sizes, ", ")}
	if a.Kind == config.ControlKubernetes {
		offer.Off = "Kubernetes has no scheduled action: keep it in git as a KEDA cron trigger"
	}
	return offer, true
}
