// Package ui holds the cockpit in the operator's hands: the one Bubble Tea model, its keys,
// focus, overlays and pace, the session's life from its first byte to a restored terminal,
// and the log that is shown as a screen.
//
// Three rules hold everywhere. Update and View do no I/O, take no lock and wait for nobody.
// A frame is drawn because something changed, at a bounded rate and only when the terminal has
// drawn the last one, and View returns the text of the last frame until then. Whatever ends a session (a key, a signal, a lost or stalled
// terminal, a panic in any goroutine of ours), the terminal is put back as it was found,
// within two seconds.
package ui
