// Package pagerduty answers PagerDuty's Events API v2 for the rehearsed world, and the small part of
// the REST API by which one can prove that an accepted event became an incident and paged somebody.
//
// The Events API is asynchronous: 202 means that an event was taken in. The incident is there
// Options.Process later and pages Options.Page after that. An acknowledge or a resolve without an open
// alert of that routing key and dedup_key is dropped without a word; the answer was 202.
//
// It follows the published OpenAPI document and manual. Where those are silent:
//
//   - A routing key of 32 characters that no integration has is refused with 400.
//   - A body above 512 KB is refused with 413; a summary above 1,024 characters or a dedup_key above
//     255 with 400, so that a client finds out here.
//   - A change event with a ruleset's key (R…) is refused with 400.
//   - 120 events a minute and routing key pass, the stricter of the two limits that are documented.
package pagerduty
