package rehearsal

import (
	"net/http"

	"github.com/onsale-dev/onsale/rehearsal/inbox"
	"github.com/onsale-dev/onsale/rehearsal/queueit"
	"github.com/onsale-dev/onsale/rehearsal/redis"
	"github.com/onsale-dev/onsale/rehearsal/turnstile"
)

// AlertSource is the id of incident.io's alert source.
const AlertSource = "01K9REHEARSALSOURCE0000000"

// hooks gives what the shop runs itself, and the inboxes that take a plain HTTP call, what they answer.
func (p *Platform) hooks(give func(name string, h http.Handler, broken map[string]http.Handler)) error {
	gates, err := turnstile.New(p.world, turnstile.Options{Token: p.secrets.gateToken, Reader: p.secrets.gateRead, Secret: p.secrets.gateSecret, Now: p.now})
	if err != nil {
		return err
	}
	give(Gate, gates, map[string]http.Handler{
		Error: turnstile.Failure(), Throttle: turnstile.Throttled(),
		Garbage: says(http.StatusOK, "application/json", `{"gate":"marble","rate":60`),
	})
	give(QueueIt, queueit.New(p.world, queueit.Options{Key: p.secrets.queueKey, Now: p.now}), map[string]http.Handler{
		Error: queueit.Failure(), Throttle: queueit.Throttled(),
		Garbage: says(http.StatusOK, "application/json; charset=utf-8", `{"EventId":"lantern","MaxRedir`),
	})
	p.slack = inbox.NewSlack(p.secrets.slack, p.arrives(Slack))
	give(Slack, p.slack, map[string]http.Handler{
		Error: inbox.SlackFailure(), Throttle: inbox.SlackThrottled(), Garbage: says(http.StatusOK, "text/html", "<html><body>Sign in to the proxy"),
	})
	p.jira = inbox.NewJira(p.secrets.jiraKey, p.arrives(Jira))
	give(Jira, p.jira, map[string]http.Handler{
		Error: inbox.JiraFailure(), Throttle: inbox.JiraThrottled(), Garbage: says(http.StatusOK, "application/json", `{"result":"Request will be pro`),
	})
	give(IncidentIO, inbox.NewIncidentIO(AlertSource, p.secrets.incidentIO, p.arrives(IncidentIO)), map[string]http.Handler{
		Error: inbox.IncidentIOFailure(), Throttle: inbox.IncidentIOThrottled(), Garbage: says(http.StatusOK, "application/json", `{"status":"succ`),
	})
	give(Rootly, inbox.NewRootly(p.secrets.rootly, p.arrives(Rootly)), map[string]http.Handler{
		Error: inbox.RootlyFailure(), Throttle: inbox.RootlyThrottled(), Garbage: says(http.StatusOK, "application/json", `{"stat`),
	})
	lines := p.services[Redis]
	lines.lines = redis.New(p.world, redis.Options{Username: RedisUser, Password: p.secrets.redis})
	lines.brokenLines = map[string]string{Error: redis.Failure(), Throttle: redis.Throttled(), Garbage: "HTTP/1.1 400 Bad Request\r\n\r\n"}
	return nil
}

// RedisUser is the user of the service Redis who may read and nothing else.
const RedisUser = "onsale"

// arrives writes into the ledger what became of what an inbox was sent.
func (p *Platform) arrives(service string) inbox.Options {
	return inbox.Options{Now: p.now, Tell: func(h inbox.Happening) {
		what := h.What
		if h.Key != "" {
			what += " (" + h.Key + ")"
		}
		p.world.Note(service, what, "", h.Text)
	}}
}
