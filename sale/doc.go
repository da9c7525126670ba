// Package sale is what the cockpit knows: sales, their phases and signals, how fresh each
// reading is, the verdict that follows from them and the history behind it.
//
// The package does no I/O and never asks for the time: "now" is always an argument, so the
// same inputs give the same answer in the cockpit, in a check, in a replay and in a test.
//
// Three rules hold everywhere. A value that is not known is unknown: never zero, never OK.
// A value carries the time it describes, not only the time it was fetched. A snapshot,
// once handed out, never changes.
package sale
