// Package sale is what the cockpit knows: sales, their phases and signals, how fresh each
// reading is, the verdict that follows from them and the history behind it.
//
// The package does no I/O and never asks for the time: "now" is always an argument, so the
// same inputs give the same answer in the cockpit, in a check, in a replay and in a test.
//
// Three rules hold everywhere. A value that is not known is unknown: never zero, never OK.
// A value carries the time it describes, not only the time it was fetched. A snapshot,
// once handed out, never changes.
//
// Where what is, from what comes in to what is told:
//
//   - declared and measured: declared.go, signal.go, phase.go, plan.go, reading.go, clean.go
//   - kept: store.go, engine.go, intake.go, slot.go, samples.go, history.go, buckets.go, and minuteline.go,
//     the closed minutes that all sums rest on
//   - judged: judge.go, rule.go, ruleparse.go, ruletext.go, fold.go, freshness.go, verdict.go, reasons.go
//   - worked out beside the limits: assess.go with budgets.go, surge.go, watched.go, band.go and cost.go;
//     their sums are the packages budget and anomaly
//   - the outlook: ahead.go with look.go, course.go, limiting.go and resumed.go; its sums are the package
//     forecast; what it tells is in outlook.go, limits.go and aheadtext.go
//   - why, and what next: causal.go, cause.go, parts.go, alarmbook.go, alarm.go, move.go
//   - what happened: timeline.go, incident.go, incidentfold.go
//   - told: snapshot.go, sourcestate.go, format.go, text.go, order.go
package sale
