// Package httpjson reads any JSON endpoint: one request per poll for all signals that the sales
// read from it, and a jq expression for each.
//
// What an expression gives must be one finite number, or a string that is one in plain decimal
// digits. null, nothing and several values are no reading and say so: never zero. A boolean is 0 or
// 1 only where the query asks for that. A negative number of people, tickets, seconds or bytes is
// what many systems say for "not known", and is refused.
//
// A reading is as old as the expression At says. Without one it is dated when it was fetched, less
// the Age that a cache in between declares (RFC 9111, section 5.1).
//
// Expressions see the answer and nothing else: no environment, no files, no further input. Each has
// 100 ms; see https://jqlang.org/manual/ for the language and github.com/itchyny/gojq for this one.
package httpjson
