// Package journal is the record of everything that was done, refused or left unknown: JSON
// Lines, append-only, each record bound to the one before it by SHA-256, each on disk before
// the call returns. Any number of processes of one user may append at the same time.
//
// A chain shows edits. It can't show that its owner cut off the tail or wrote the whole of it
// again: publish the head elsewhere and give it to Verify. So the journal is tamper-evident,
// not tamper-proof.
//
// The bytes of a record are one line of printable ASCII. Its hash is SHA-256 over the line
// without the hash field: the line `{…,"prev":"P","hash":"H"}` has H = SHA-256(`{…,"prev":"P"}`),
// in lower-case hex. P is the hash of the record before it, 64 zeros for the very first.
//
// After a write or a sync has failed nothing is appended again, because a second sync may
// report success for pages that were lost: the journal stays failed until Reopen starts a new
// file. A torn last line, left by a crash, is moved to a file beside the journal and said in a
// record. Any other bad line counts as tampering: it is left as it is, reported for ever by
// Verify, and appending goes on in a new file.
package journal
