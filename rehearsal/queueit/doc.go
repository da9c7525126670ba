// Package queueit answers the part of Queue-it's API v2 that a cockpit needs, for the rehearsed world:
// every sale is an event of its own id.
//
//	GET  /2_0/event                              every event
//	GET  /2_0/event/{id}                         one
//	POST /2_0/event/search                       {"EventId", "DisplayName"}: those that hold both texts
//	PUT  /2_0/event/{id}/queue/speed             {"MaxRedirectsPerMinute":"N"}
//	GET  /2_0/event/{id}/queue/statistics/summary
//
// Numbers are strings on this wire, both ways. Where what is published is silent:
//
//   - A speed is a whole number from 5 to 100000; anything else is refused with 400.
//   - A missing or a wrong api-key is 401, an unknown event 404, each with {"ErrorCode","ErrorText"}.
//   - Ten calls a minute to one event pass, refused ones count; the next is 429 with Retry-After. The list
//     and the search are calls to no event.
//   - There is no pause: API v2 documents none.
package queueit
