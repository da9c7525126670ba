package sale

import (
	"slices"
	"time"
)

// LoginState says whether a login has credentials.
type LoginState string

// The states of a login. LoginAsks waits for a person; LoginUntried was not needed yet.
const (
	LoginReady   LoginState = "ready"
	LoginAsks    LoginState = "asks"
	LoginFails   LoginState = "fails"
	LoginUntried LoginState = "untried"
)

// Login is who onsale is towards a system, as it stands. Its texts are clean.
type Login struct {
	Name   string // "hr-act"
	Kind   string // "aws sso, role"
	Acts   bool   // controls use it; else sources do
	UsedBy []string
	Sales  []ID // those that need it
	State  LoginState
	// Until is when it ends and somebody has to do something, or, where it Renews by itself, when
	// it does that next. Zero: not known, unless it Lasts, which has no end.
	Until  time.Time
	Renews bool
	Lasts  bool
	// Problem is why it has no credentials, why they could not be renewed, or why its system refuses
	// them; nil: nothing is wrong.
	Problem *Problem
	Mend    string // what renews it: "aws sso login --profile hr-act"; may be empty
	// Skew is how far this machine's clock is ahead of the system's; 0: not known, or not worth a word.
	Skew time.Duration
}

// word is what a login is for.
func (l *Login) word() string {
	if l.Acts {
		return "act login "
	}
	return "read login "
}

// loginAhead is how long before a sale, and before the end of a login of a sale without a declared
// end, it is said that the login will end.
const (
	loginAhead   = time.Hour
	loginWarning = 30 * time.Minute
)

// Ended reports whether the login is over, as far as is known.
func (l *Login) Ended(now time.Time) bool {
	return !l.Renews && !l.Until.IsZero() && !now.Before(l.Until)
}

// For reports whether a sale needs the login.
func (l *Login) For(id ID) bool { return slices.Contains(l.Sales, id) }

// Short says in words why the login does not carry a sale to its end; empty when it does, when that
// is not known, and while the sale is further ahead than the login would matter.
func (l *Login) Short(s *Sale, now time.Time) string {
	if !l.For(s.ID) || !s.Closes.IsZero() && !now.Before(s.Closes) {
		return ""
	}
	begins := s.Prequeue
	if begins.IsZero() {
		begins = s.Opens
	}
	if begins.After(now.Add(loginAhead)) && (l.Until.IsZero() || begins.After(l.Until)) {
		return ""
	}
	clock := func(t time.Time) string { return t.In(now.Location()).Format("15:04") }
	switch {
	case l.Ended(now):
		return "ENDED " + clock(l.Until)
	case l.State == LoginFails && l.Until.IsZero():
		return "FAILS"
	case l.State == LoginFails:
		return "can't be renewed, ends " + clock(l.Until)
	case l.State == LoginAsks:
		return "waits for an MFA code"
	case l.Renews || l.Until.IsZero():
		return ""
	case !s.Closes.IsZero() && l.Until.Before(s.Closes):
		return "ends " + clock(l.Until) + ", sale ends " + clock(s.Closes)
	case s.Closes.IsZero() && l.Until.Before(now.Add(loginWarning)):
		return "ends " + clock(l.Until)
	}
	return ""
}

// LoggedIn takes in how the logins stand. A sale that one of them does not carry to its end gets a
// note of it. The caller keeps the list; it is not changed.
func (s *Store) LoggedIn(logins []Login, now time.Time) { s.loggedIn(logins, now) }

func (e *engine) loggedIn(logins []Login, now time.Time) {
	_, changed := e.locked(now, func(time.Time) bool {
		if slices.EqualFunc(logins, e.logins, sameLogin) {
			return false
		}
		e.logins = slices.Clone(logins)
		e.newState = true
		for _, s := range e.sales {
			s.dirty = true
		}
		return true
	})
	if changed {
		e.bells.ring()
	}
}

func sameLogin(a, b Login) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.Acts == b.Acts && a.State == b.State && a.Until.Equal(b.Until) && a.Renews == b.Renews &&
		a.Lasts == b.Lasts && a.Mend == b.Mend && a.Skew == b.Skew && samePointed(a.Problem, b.Problem) && slices.Equal(a.UsedBy, b.UsedBy) && slices.Equal(a.Sales, b.Sales)
}

// loginNotes says which logins do not carry a sale to its end, and when time alone may change that.
func (e *engine) loginNotes(s *Sale, now time.Time) (notes []Note, due time.Time) {
	for i := range e.logins {
		l := &e.logins[i]
		if !l.For(s.ID) {
			continue
		}
		if short := l.Short(s, now); short != "" {
			notes = append(notes, Note{Sale: s.ID, Code: "login", Text: l.word() + l.Name + " " + short})
		}
		begins := s.Prequeue
		if begins.IsZero() {
			begins = s.Opens
		}
		for _, at := range []time.Time{l.Until, l.Until.Add(-loginWarning), begins.Add(-loginAhead), s.Closes} {
			if at.After(now) {
				due = earliest(due, at)
			}
		}
	}
	return notes, due
}
