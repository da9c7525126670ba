// Package actions is the one way to change anything: preview, guard, journal, execute once,
// read back, watch the effect, undo.
//
// The laws, which every path (a key, `onsale act`, a session over SSH, a play) obeys because
// every path goes through Runner:
//
//   - A target is absolute. "Eight more" is computed once, shown, and sent as "set 32".
//   - What can't be journalled first is not done.
//   - An executor makes exactly one attempt. A lost answer is settled by reading the target
//     back, never by sending again.
//   - There are four outcomes, done, refused, failed and unknown, and none is guessed.
//   - Undo restores recorded values; it is an action like any other, with its own preview.
//
// The systems that are acted on live in folders below this one. Each implements Executor and
// passes the suite in actiontest. This package knows none of them.
package actions
