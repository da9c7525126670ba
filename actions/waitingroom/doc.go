// Package waitingroom acts on one Cloudflare waiting room: it pauses admission, sets the rate,
// and resumes as a ramp.
//
// What an operator must know is built in:
//
//   - Pause is queue_all. The room's switch "suspended" is its opposite: it turns the room off and
//     lets everybody through. It is never sent, and never restored.
//   - While an event is active its own limits win over the room's, so a rate is set on the event,
//     with both limits together. queue_all stays on the room: it wins over events.
//   - 200 a minute is Cloudflare's floor. Less than that is a pause.
//   - People who are in already stay in; counters follow the configuration by a minute or two and
//     are 20 to 50 seconds old themselves.
//
// A PATCH carries name, host, new_users_per_minute and total_active_users along from a read just
// before it: the published OpenAPI document demands all four, although the manual's prose speaks of
// partial bodies. A PATCH of an event carries all that the event sets itself, for the same reason.
// There is no If-Match, so modified_on and the values are compared just before the write; what a
// colleague changes in the few milliseconds after that is lost to neither of the two settings that
// were named, but one of the four carried along may be put back.
package waitingroom
