// Package turnstile is a gate as a shop builds its own: one JSON document per sale, a POST that says
// the state that is wanted, and a GET that shows the one that holds.
//
//	GET  /gates/{sale}   {"gate", "rate", "paused", "changed_at", "passed_per_minute"}
//	POST /gates/{sale}   {"rate": people per minute} or {"paused": true or false}; more members are let pass
//
// It follows published conventions where there are some:
//
//   - Every request is signed by the Standard Webhooks specification: webhook-id, webhook-timestamp and
//     webhook-signature, "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". A timestamp may be
//     five minutes old or early.
//   - A POST needs an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). The same key with the
//     same body is answered as the first time, and changes nothing again; with another body it is
//     refused with 422. Keys are kept for a day.
//   - A refusal is a problem document (RFC 9457).
//
// A bearer token is asked for, too. What was set has its effect later: see shop.Barrier.
package turnstile
