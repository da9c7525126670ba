package main

import (
	"slices"

	"github.com/onsale-dev/onsale/actions"
	scaleasg "github.com/onsale-dev/onsale/actions/autoscaling"
	scaleecs "github.com/onsale-dev/onsale/actions/ecs"
	scalepods "github.com/onsale-dev/onsale/actions/kubernetes"
	"github.com/onsale-dev/onsale/actions/pagerduty"
	"github.com/onsale-dev/onsale/actions/ssm"
	gate "github.com/onsale-dev/onsale/actions/waitingroom"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// This file turns the config's targets, policy and plays into the runner's own terms.

// targetOf is what the policy lets a declared action change: as much as the config knows of it.
func targetOf(cfg *config.Config, id sale.ID, a *config.Action, c *config.Control) actions.Target {
	switch c.Kind {
	case config.ControlWaitingRoom:
		return actions.Target{System: gate.System, Name: a.Gate.Room, Account: c.WaitingRoom.Zone}
	case config.ControlParameter:
		return actions.Target{System: ssm.System, Name: a.Gate.Parameter, Account: cfg.Account}
	case config.ControlAutoScaling:
		return actions.Target{System: scaleasg.System, Name: a.Scale.Group, Account: cfg.Account, Region: c.AutoScaling.Region}
	case config.ControlECS:
		return actions.Target{System: scaleecs.System, Name: ecsCluster(a, c) + "/" + a.Scale.Service, Account: cfg.Account, Region: c.ECS.Region}
	case config.ControlScalable:
		return actions.Target{System: scaleecs.System, Name: a.Scale.Resource, Account: cfg.Account, Region: c.ApplicationAutoScaling.Region}
	case config.ControlKubernetes:
		return actions.Target{System: scalepods.System, Name: a.Scale.Namespace + "/" + a.Scale.Name, Account: clusterName(c)}
	case config.ControlPagerDuty:
		return actions.Target{System: pagerduty.System, Name: c.PagerDuty.Service}
	case config.ControlOpsItem:
		return actions.Target{System: ssm.System, Name: "onsale/" + string(id) + "/incident"} // its deduplication string
	case config.ControlWebhook:
		return webhookOptions(a, c).Target()
	}
	return actions.Target{System: c.Kind, Name: c.Name}
}

// policyOf turns what the config declares into the runner's own terms.
func policyOf(cfg *config.Config) actions.Policy {
	in := cfg.Policy
	p := actions.Policy{ReadOnly: in.ReadOnly, Armed: in.ArmFor, EvidenceMaxAge: in.EvidenceMaxAge, Approval: in.ApprovalExpiry, Execution: in.ExecutionExpiry, Targets: map[sale.ID][]actions.Target{}}
	if g := in.BreakGlass; g != nil {
		p.Glass = &actions.Glass{Verbs: verbs(g.Verbs)}
		for _, name := range g.Lifts {
			p.Glass.Lifts = append(p.Glass.Lifts, actions.Lift(name))
		}
	}
	for i := range cfg.Sales {
		for j := range cfg.Sales[i].Actions {
			a := &cfg.Sales[i].Actions[j]
			if c, ok := cfg.Control(a.Control); ok {
				p.Targets[cfg.Sales[i].ID] = append(p.Targets[cfg.Sales[i].ID], targetOf(cfg, cfg.Sales[i].ID, a, c))
				p.Targets[cfg.Sales[i].ID] = append(p.Targets[cfg.Sales[i].ID], plannedTargets(cfg, &cfg.Sales[i], a, c)...)
			}
		}
	}
	for _, f := range in.Freezes {
		p.Freezes = append(p.Freezes, actions.Freeze{
			Scope: actions.Scope{Sales: f.Sales, Verbs: verbs(f.Verbs), ExceptIncident: f.ExceptIncident},
			From:  f.From, Until: f.Until, Reason: f.Reason,
		})
	}
	if in.MaxActions.Count > 0 {
		p.Limits = append(p.Limits, actions.Limit{Count: in.MaxActions.Count, Per: in.MaxActions.Per})
	}
	for _, b := range in.Bounds {
		p.Bounds = append(p.Bounds, bounds(b)...)
	}
	p.Requirements = requirements(in)
	return p
}

// bounds are the settings that a verb's bound is about, by the names that their systems use.
func bounds(b config.Bound) []actions.Bound {
	var settings []string
	switch b.Verb {
	case config.VerbScaleUp, config.VerbScaleBack:
		settings = []string{scaleasg.MinSize, scaleasg.DesiredCapacity, scaleecs.MinCapacity, scaleecs.DesiredCount, "minReplicas", "minReplicaCount", "replicas"}
	default:
		settings = []string{gate.SettingRate, "rate"}
	}
	var out []actions.Bound
	for _, setting := range settings {
		out = append(out, actions.Bound{Scope: actions.Scope{Verbs: verbs([]string{b.Verb})}, Setting: setting, Min: b.Min, Max: b.Max, Factor: b.Factor})
	}
	return out
}

func requirements(in config.Policy) []actions.Requirement {
	var out []actions.Requirement
	for _, each := range []struct {
		how    string
		needed actions.Requirement
	}{{in.Reason, actions.Requirement{Reason: true}}, {in.Change, actions.Requirement{Change: true}}} {
		if each.how == config.Required || each.how == config.ForSevere {
			each.needed.Severe = each.how == config.ForSevere
			out = append(out, each.needed)
		}
	}
	if len(in.SecondPerson) > 0 {
		out = append(out, actions.Requirement{Scope: actions.Scope{Verbs: verbs(in.SecondPerson)}, Second: true})
	}
	if in.SecondSevere {
		out = append(out, actions.Requirement{Severe: true, Second: true})
	}
	return out
}

// verbs are the runner's own. What is said of scale-up is meant of scaling ahead, too.
func verbs(names []string) []actions.Verb {
	out := make([]actions.Verb, 0, len(names))
	for _, name := range names {
		out = append(out, actions.Verb(name))
		if name == config.VerbScaleUp {
			out = append(out, actions.ScaleAhead)
		}
	}
	return slices.Clip(out)
}

// playsOf are the plays of all sales, each for its own.
func playsOf(cfg *config.Config) []actions.Play {
	var out []actions.Play
	for i := range cfg.Sales {
		for _, p := range cfg.Sales[i].Plays {
			play := actions.Play{Name: p.Name, Title: p.Name, Sales: []sale.ID{cfg.Sales[i].ID}}
			for _, s := range p.Steps {
				play.Steps = append(play.Steps, actions.PlayStep{Verb: actions.Verb(s.Verb), To: s.To, Text: s.Text, After: s.After, Hold: conditions(s.Hold)})
			}
			out = append(out, play)
		}
	}
	return out
}
