package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/webhook"
	"github.com/onsale-dev/onsale/cmd/onsale/login"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// webhookControl makes the calls of one action. Executors of one control and target share its limit
// of calls: a provider counts them together.
func (e *executors) webhookControl(a *config.Action, c *config.Control) (actions.Executor, error) {
	o := webhookOptions(a, c)
	key := c.Name + "/" + o.Name
	if e.limits[key] == nil {
		e.limits[key] = webhook.NewLimit(o.Budget)
	}
	o.Limit, o.Client = e.limits[key], actingClient()
	o.Names, o.Links = map[sale.ID]string{}, map[sale.ID][]sale.Link{}
	for i := range e.config.Sales {
		s := &e.config.Sales[i].Sale
		o.Names[s.ID], o.Links[s.ID] = s.Name, s.Links
	}
	for _, secret := range e.config.Secrets() {
		o.Secrets = append(o.Secrets, secret.Reveal())
	}
	return webhook.New(o)
}

// webhookOptions are what the config says of one action by a webhook. The target follows from them
// for the policy, too.
func webhookOptions(a *config.Action, c *config.Control) webhook.Options {
	o := presetOptions(a, c)
	o.Deadline = c.Timeout
	if c.Budget != nil {
		o.Budget = webhook.Budget{Calls: c.Budget.Calls, Per: c.Budget.Per}
	}
	if i := a.Incident; i != nil {
		o.Summary, o.Severity, o.Service = i.Text, i.Severity, i.Service
	}
	if g := a.Gate; g != nil {
		if g.Floor != nil {
			o.Min = max(o.Min, *g.Floor)
		}
		if g.Ceiling != nil {
			o.Max = *g.Ceiling
		}
		o.Safe = safeAdmission(g.Ceiling)
	}
	if e := a.Effect; e != nil {
		o.Proof = webhook.Proof{Signal: e.Signal, Direction: actions.Direction(e.Direction), Within: e.Within}
	}
	return o
}

func presetOptions(a *config.Action, c *config.Control) webhook.Options {
	w := c.Webhook
	switch w.Preset {
	case config.PresetQueueIt:
		return webhook.QueueIt(webhook.QueueItOptions{
			Customer: queueItCustomer(w.URL.Reveal()), BaseURL: w.URL.Reveal(), Event: a.Gate.Target, Key: w.Token.Reveal(),
		})
	case config.PresetSlack:
		return webhook.Slack(webhook.SlackOptions{URL: w.URL.Reveal(), Name: c.Name})
	case config.PresetJira:
		return webhook.JiraServiceManagement(webhook.JSMOptions{BaseURL: w.URL.Reveal(), Key: w.Token.Reveal(), Priority: jiraPriority(a), Name: c.Name})
	case config.PresetIncidentIO:
		return webhook.IncidentIO(webhook.IncidentIOOptions{Source: w.Source, Token: w.Token.Reveal(), BaseURL: w.URL.Reveal(), Name: c.Name})
	case config.PresetRootly:
		return webhook.Rootly(webhook.RootlyOptions{URL: w.URL.Reveal(), Secret: w.Token.Reveal(), Name: c.Name})
	}
	own := webhook.OwnOptions{
		Name: c.Name, Account: hostOf(w.URL.Reveal()), URL: w.URL.Reveal(), Method: w.Method, Verb: actions.Verb(a.Verb),
		Token: w.Token.Reveal(), Headers: map[string]string{}, Sign: w.HMAC.Reveal(),
		StateURL: w.StateURL.Reveal(), StatePaths: w.StatePaths, StatePaused: w.StatePaused,
	}
	if a.Gate != nil {
		own.Name = a.Gate.Target
	}
	for name, value := range w.Headers {
		own.Headers[name] = value.Reveal()
	}
	if w.Bodies != nil {
		own.Bodies = map[actions.Verb]string{}
		for verb, body := range w.Bodies {
			own.Bodies[actions.Verb(verb)] = body
		}
	}
	return webhook.Own(own)
}

// queueItCustomer is the customer id in the host of Queue-it's API, or "".
func queueItCustomer(address string) string {
	id, ok := strings.CutSuffix(hostOf(address), ".api2.queue-it.net")
	if !ok {
		return ""
	}
	return id
}

// hostOf tells one gate from another of the same name. What follows it in an address may be a secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return sale.Clean(u.Host, 120)
}

// jiraPriority is a severity in Jira Service Management's own words; "" leaves it to the preset.
func jiraPriority(a *config.Action) string {
	if a.Incident == nil {
		return ""
	}
	return map[string]string{"critical": "P1", "error": "P2", "warning": "P3", "info": "P4"}[a.Incident.Severity]
}

// safeAdmission is what the evidence says that the site can carry, and never more than the config's
// ceiling, which alone will do.
func safeAdmission(most *float64) func(actions.Evidence) (float64, bool) {
	return func(seen actions.Evidence) (float64, bool) {
		safe := seen.Signal(webhook.SafeAdmission)
		switch {
		case most == nil:
			return safe.Value, safe.Usable()
		case safe.Usable():
			return min(safe.Value, *most), true
		}
		return *most, true
	}
}

// webhookMistakes are what of the config's webhooks can't work, in words for a person: a placeholder
// that does not exist, a rate without its number.
func webhookMistakes(cfg *config.Config) []string {
	made := newExecutors(cfg, login.NewBook(login.Options{}))
	var all []string
	for i := range cfg.Sales {
		s := &cfg.Sales[i]
		for j := range s.Actions {
			a := &s.Actions[j]
			if a.Kind != config.ControlWebhook {
				continue
			}
			if _, err := made.find(s.ID, actions.Verb(a.Verb)); err != nil {
				all = append(all, string(s.ID)+": "+a.Verb+": "+err.Error())
			}
		}
	}
	return slices.Compact(all)
}
