// Package actiontest is the contract that every executor keeps, as a suite of checks, and a
// system in memory that keeps it.
//
// An executor's own test says how to start the system that it acts on and how to make that
// system fail; the promises, and what counts as keeping them, are here:
//
//	func TestTheExecutorKeepsTheContract(t *testing.T) {
//		actiontest.Run(t, func(t *testing.T) actiontest.Rig { … })
//	}
package actiontest
