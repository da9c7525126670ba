// Package webhook acts on every gate and incident tool that takes an HTTP call with a JSON body.
//
// Own calls a gate or a tool of one's own, with onsale's own JSON or with the bodies of the config.
//
// A call says the absolute state that is wanted, so that a call that arrives twice does no harm. It
// carries the action's id as Idempotency-Key and, with a secret, the three headers of the Standard
// Webhooks specification: webhook-id, webhook-timestamp and webhook-signature, which is
// HMAC-SHA256 over "id.timestamp.body"; a look at the state is signed, too. A call is sent once. With a state URL the target is read before
// the call, compared, and read back; without one the acceptance is all the proof there is, and a
// lost answer stays unknown.
//
// A body is a JSON document whose strings hold placeholders, so that no value can break out of its
// place. The presets are calls that are known: Queue-it's speed, Slack, Jira Service Management,
// incident.io and Rootly.
package webhook
