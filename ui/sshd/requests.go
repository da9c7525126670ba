package sshd

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/onsale-dev/onsale/sale"
)

// This file reads what a client asks for in a session (RFC 4254, sections 6.2 to 6.9). Nothing in it
// is believed.

// terminal takes in a request for a terminal.
func (v *Visit) terminal(payload []byte) bool {
	var req struct {
		Term                          string
		Width, Height, PixelW, PixelH uint32
		Modes                         string
	}
	if ssh.Unmarshal(payload, &req) != nil {
		return false
	}
	v.Terminal, v.Size = true, clamp(req.Width, req.Height)
	v.Env = append(v.Env, "TERM="+termName(req.Term), "SSH_TTY=ssh")
	return true
}

// termName is the name of a kind of terminal, or "dumb" for what can't be one: terminfo(5) names are
// short and plain.
func termName(claimed string) string {
	bad := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_+.", c))
	}
	if claimed == "" || len(claimed) > 64 || strings.ContainsFunc(claimed, bad) {
		return "dumb"
	}
	return claimed
}

func clamp(width, height uint32) Size {
	return Size{int(min(width, maxWidth)), int(min(height, maxHeight))}
}

// resize passes on the newest size; one that nobody has looked at yet is replaced.
func (v *Visit) resize(payload []byte) bool {
	var req struct{ Width, Height, PixelW, PixelH uint32 }
	if ssh.Unmarshal(payload, &req) != nil {
		return false
	}
	size := clamp(req.Width, req.Height)
	for {
		select {
		case v.sizes <- size:
			return true
		default:
		}
		select {
		case <-v.sizes:
		default:
		}
	}
}

// variable takes a variable of the client's environment if it is one of those that say how its
// terminal shows text. Everything else would be the client's say in how the server runs.
func (v *Visit) variable(payload []byte) bool {
	var req struct{ Name, Value string }
	if ssh.Unmarshal(payload, &req) != nil || len(req.Value) > longestVariable || !allowed(req.Name) {
		return false
	}
	if value := sale.Clean(req.Value, 0); value != req.Value {
		return false
	}
	v.Env = append(v.Env, req.Name+"="+req.Value)
	return true
}

func allowed(name string) bool {
	switch name {
	case "COLORTERM", "COLORFGBG", "NO_COLOR", "ACCESSIBLE", "LANG", "LC_ALL", "LC_CTYPE":
		return true
	}
	return false
}

// errSignalled says that the client sent a signal.
var errSignalled = errors.New("ended by a signal of the client")

// signal ends the session for those signals that would end a program; others mean nothing here.
func (v *Visit) signal(payload []byte) {
	var req struct{ Name string }
	if ssh.Unmarshal(payload, &req) != nil {
		return
	}
	switch req.Name {
	case "HUP", "INT", "KILL", "QUIT", "TERM":
		v.cancel(errSignalled)
	}
}

// commandIn reads a command: one line of text, of a bounded length.
func commandIn(payload []byte) (command string, ok bool) {
	var req struct{ Command string }
	if ssh.Unmarshal(payload, &req) != nil || len(req.Command) > longestCommand || !utf8.ValidString(req.Command) {
		return "", false
	}
	if strings.ContainsFunc(req.Command, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return "", false
	}
	return req.Command, true
}
