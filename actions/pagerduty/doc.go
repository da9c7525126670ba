// Package pagerduty opens, acknowledges, resolves and annotates incidents in PagerDuty by the
// Events API v2, and writes what else was done to a service's timeline as change events.
//
// The Events API is asynchronous: 202 means that an event was taken in, not that an incident is
// there, and not that anybody was paged. An acknowledge or a resolve without an open alert is
// answered with 202 and dropped. So with a token for the REST API every preview and every
// outcome is looked up (GET /incidents?incident_key=…): the number, the address, the state and
// who was notified. Without a token acceptance is all the proof there is, and every text says so.
//
// Every event carries a dedup_key that follows from the sale and the cause alone, so two cockpits
// that open the same incident at once open one, and a repeat is harmless. Therefore opening fails
// open: nothing that can't be read stops it. Each Execute still makes exactly one attempt.
//
// Limits are those of PagerDuty's public manual: events up to 512 KB, a summary up to 1,024
// characters, a dedup_key up to 255, about 120 events a minute and integration key.
package pagerduty
