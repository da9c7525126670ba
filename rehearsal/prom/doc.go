// Package prom is a small Prometheus server: the real time series database, the real query
// engine and the HTTP API of Prometheus 3 over one scraped target, all in one process. It keeps
// a bounded time of samples and forgets everything when it is closed.
//
// Rules are alerting rules that it evaluates itself and tells of.
//
// What is left out on purpose: recording rules, federation, remote write, the web page.
package prom
