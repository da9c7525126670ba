// Package sshd is the door of a cockpit that is served over SSH: who may come in, by which key, how
// many of them, and what a session may ask for. What a session shows and what its commands do is
// handed in.
//
// Everything that a client says is a claim: its name, its terminal, its size, its environment. Who it
// is comes from the key that it proved to hold, and is looked up again each time that it matters, so
// that a key or a role taken out of the config is gone from open sessions, too. One client, whatever
// it does or leaves undone, holds up no other: every wait has an end, every queue a bound, every
// goroutine of ours a recover.
package sshd
