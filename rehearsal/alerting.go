package rehearsal

import (
	"context"
	"net/http"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/alertmanager"
	"github.com/onsale-dev/onsale/rehearsal/prom"
)

// ruleInterval is how often Prometheus evaluates its alerting rules.
const ruleInterval = 15 * time.Second

// alertingRules are the shop's own. Their limits are where the cockpit's shipped template says BAD,
// for no shorter time, so that they never come before its own alarms.
func alertingRules() []prom.Rule {
	const people = "on-call"
	rule := func(name, expr string, held time.Duration, severity, summary string) prom.Rule {
		return prom.Rule{
			Name: name, Expr: expr, For: held,
			Labels:      map[string]string{"severity": severity, "team": people},
			Annotations: map[string]string{"summary": summary},
		}
	}
	return []prom.Rule{
		rule("PaymentDeclines", `sum by (sale) (rate(shop_payments_failed_total[1m])) / (sum by (sale) (rate(shop_payments_total[1m])) > 0) > 0.05`, time.Minute,
			"page", `{{ $value | humanizePercentage }} of the payments of {{ $labels.sale }} are declined`),
		rule("PaymentsSlow", `histogram_quantile(0.95, sum by (sale, le) (rate(shop_payment_duration_seconds_bucket[1m]))) > 8`, time.Minute,
			"page", `one payment in twenty of {{ $labels.sale }} takes more than {{ $value | humanizeDuration }}`),
		rule("PagesSlow", `histogram_quantile(0.95, sum by (sale, le) (rate(shop_http_request_duration_seconds_bucket[1m]))) > 3`, time.Minute,
			"page", `one page in twenty of {{ $labels.sale }} takes more than {{ $value | humanizeDuration }}`),
		// The cockpit reads errors from CloudWatch, minutes after they happen.
		rule("RequestsFail", `sum by (sale) (rate(shop_http_requests_total{code=~"5.."}[1m])) / sum by (sale) (rate(shop_http_requests_total[1m])) > 0.05`, 4*time.Minute,
			"page", `{{ $value | humanizePercentage }} of the requests of {{ $labels.sale }} fail`),
		rule("ShopNotScraped", `up{job="shop"} == 0`, 2*time.Minute,
			"ticket", `{{ $labels.instance }} can't be scraped: no alert about any sale can fire`),
	}
}

// alerting gives Prometheus its rules, with the state that the past gives them, and makes the
// Alertmanager that is told.
func (p *Platform) alerting(give func(name string, h http.Handler, broken map[string]http.Handler)) error {
	var err error
	if p.rules, err = prom.NewRules(p.api, p.services[Prometheus].url(), ruleInterval, alertingRules()); err != nil {
		return err
	}
	now := p.now()
	if err := p.rules.Replay(context.Background(), now); err != nil {
		return err
	}
	p.alerts = alertmanager.New(alertmanager.Options{Now: p.now, Tell: func(h alertmanager.Happening) {
		p.world.NoteOf("alertmanager", h.By, h.What+" "+h.ID, "", h.Text)
	}})
	p.alerts.Take(sent(p.rules, now))
	give(Alertmanager, p.alerts, map[string]http.Handler{
		Error:    says(http.StatusInternalServerError, "application/json", `"the rehearsal broke it"`),
		Throttle: retryLater(says(http.StatusTooManyRequests, "text/plain; charset=utf-8", "Limit of concurrent GET requests reached (2), try again later.\n")),
		Garbage:  says(http.StatusOK, "application/json", `[{"annotations":{"summary":"7.1% of the pay`),
	})
	return nil
}

func sent(rules *prom.Rules, now time.Time) []alertmanager.Alert {
	var out []alertmanager.Alert
	for _, a := range rules.Sent(now) {
		out = append(out, alertmanager.Alert(a))
	}
	return out
}

// judge evaluates the rules when they are due and tells the Alertmanager. One that is broken in any
// way takes nothing: what fired then is there once it is mended and told again.
func (p *Platform) judge(ctx context.Context) {
	now := p.now()
	if p.rules.Evaluate(ctx, now) && ctx.Err() == nil && p.services[Alertmanager].fault() == OK {
		p.alerts.Take(sent(p.rules, now))
	}
}

// watchRules judges until ctx ends.
func (p *Platform) watchRules(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.judge(ctx)
		}
	}
}
