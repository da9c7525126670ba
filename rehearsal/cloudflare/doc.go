// Package cloudflare answers the Waiting Room part of Cloudflare's API for the rehearsed world.
//
// It follows the published OpenAPI document, and where that is silent the prose of Cloudflare's
// manual. Choices that a client can notice:
//
//   - PATCH, like PUT, wants name, host, new_users_per_minute and total_active_users, as the
//     document says, although the manual's prose speaks of partial bodies. A client that sends all
//     four is right with either.
//   - An event wants new_users_per_minute and total_active_users together or not at all.
//   - The numbers of refused writes (code in errors[]) are not published; 1000 and up are used.
//   - Status estimates are 20 to 50 seconds old. Status does not tell that queue_all is on, and the
//     estimated time is then 0.
//   - 1,200 requests in five minutes are free; one more blocks everybody for five minutes.
package cloudflare
