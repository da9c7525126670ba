// Package prom is a small Prometheus server: the real time series database, the real query
// engine and the HTTP API of Prometheus 3 over one scraped target, all in one process. It keeps
// a bounded time of samples and forgets everything when it is closed.
//
// What is left out on purpose: rules, alerts, federation, remote write, the web page.
package prom
