// Package ssm acts through AWS Systems Manager: a gate that the shop reads from a parameter, and an
// incident as an OpsItem of OpsCenter.
//
// Parameter Store has no compare-and-set: the version is read and compared just before the write,
// and the answer's version tells whether somebody came in between. An effect is seen when the shop
// reads the parameter again; how soon that is only the config knows.
//
// An OpsItem pages nobody by itself. It is found again by its deduplication string, so that any
// cockpit, also after a restart, acknowledges and resolves the one that another has opened.
package ssm
