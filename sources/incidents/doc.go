// Package incidents reads the state of a sale's incidents from the tool that keeps them: PagerDuty,
// Alertmanager or OpsCenter. It reads, with a credential of its own, and never answers an incident.
//
// An incident is known by its key, "onsale/<sale>/<cause>", which follows from the sale and the
// cause alone: one that another cockpit, or anybody else, opened under the same key is seen too.
// Each poll asks for everything that is open. What was open and is not in the answer any more is
// looked after until it is known how it ended: PagerDuty and OpsCenter are asked for it by itself;
// Alertmanager forgets what is over, so an alert that every peer has forgotten has ended by then.
//
// Where PagerDuty's service makes alerts, its incidents may name no key; those are found only by
// the keys that the journal knows.
package incidents
