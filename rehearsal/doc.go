// Package rehearsal is the outside world made small: a ticketing platform on loopback that answers
// on the real wire. One model of six sales (package shop) stands behind a Prometheus server with alerting
// rules (prom), the Alertmanager that holds what those fire (alertmanager),
// CloudWatch, SQS and STS, EC2 Auto Scaling, ECS, Application Auto Scaling, Elastic Load Balancing and
// Systems Manager (aws), Cloudflare's Waiting Room API (cloudflare), a Kubernetes API (kubernetes)
// and PagerDuty (pagerduty), a signed gate and queues of the shop's own (turnstile, redis), Queue-it (queueit), and Slack,
// Jira Service Management, incident.io and Rootly (inbox), so that the whole cockpit can be tried, tested and drilled without an
// account or a network.
//
// It shares no code with the readers of those systems: a mistake can't hide in both.
package rehearsal
