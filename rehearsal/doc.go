// Package rehearsal is the outside world made small: a ticketing platform on loopback that answers
// on the real wire. One model of six sales (package shop) stands behind a Prometheus server (prom),
// CloudWatch, SQS and STS (aws) and Cloudflare's Waiting Room API (cloudflare), so that the whole
// cockpit can be tried, tested and drilled without an account or a network.
//
// It shares no code with the readers of those systems: a mistake can't hide in both.
package rehearsal
