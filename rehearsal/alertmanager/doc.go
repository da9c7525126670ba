// Package alertmanager is a small Alertmanager, API v2: one peer without a cluster, which holds the
// alerts that it is sent until they end, and the silences that people make. It notifies nobody.
//
// What is left out on purpose: the routing tree, inhibition, groups, receivers but one, the web page.
package alertmanager
