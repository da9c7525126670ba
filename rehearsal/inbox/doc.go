// Package inbox is where messages and alerts of an on-sale night arrive in the rehearsed world: a Slack
// incoming webhook, the alert API of Jira Service Management's operations, an HTTP alert source of
// incident.io and a generic webhook source of Rootly. Each is a server of its own.
//
// They follow what the vendors publish. Where that is silent:
//
//   - Slack: three messages at once pass, then one a second; the next is 429 with Retry-After. Code blocks,
//     attachments and all else of a message are taken and not looked at. Nothing is deduplicated.
//   - Jira: 202 means that a request was taken in. It is carried out Options.Process later, and what became
//     of it is told by GET /v2/alerts/requests/{id}. A request about an alert that is not there fails then,
//     not before. Texts above their published length are refused with 422.
//   - incident.io: a resolved event for a key that does not fire is taken and dropped.
//   - Rootly: the source maps title, description, external_id and state ("resolved" resolves), as the
//     cockpit's manual asks for. Its answer is 200 with {"status":"ok"}.
//
// Of alerts with one key at most one is open: another event for it counts up, and after it was closed a
// new one is opened.
package inbox
