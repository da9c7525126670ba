package views

import (
	"slices"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// loginLook is the word for how a login stands.
func (f *Frame) loginLook(l *sale.Login) look {
	switch {
	case l.Ended(f.Now):
		return look{"▲", "ENDED", bad, badWord}
	case l.State == sale.LoginFails:
		return look{"▲", "FAILS", bad, badWord}
	case l.State == sale.LoginAsks:
		return look{"◆", "ASKS", watch, watchWord}
	case l.State == sale.LoginUntried:
		return look{"◇", "UNTRIED", unknown, unknownWord}
	case f.shortest(l) != nil:
		return look{"◆", "ENDS", watch, watchWord}
	case l.Skew != 0:
		return look{"◆", "CLOCK", watch, watchWord}
	}
	return look{"○", "READY", text, dim}
}

// shortest is the sale that a login leaves soonest without; nil where it carries all of them.
func (f *Frame) shortest(l *sale.Login) *sale.Sale {
	for _, st := range f.snapshot().Sales {
		if l.Short(st.Sale, f.Now) != "" {
			return st.Sale
		}
	}
	return nil
}

// gravity orders logins: those that are over first, then the one that ends soonest.
func (f *Frame) gravity(l *sale.Login) (rank int, until time.Time) {
	switch f.loginLook(l).glyph {
	case "▲":
		return 0, l.Until
	case "◆":
		return 1, l.Until
	case "◇":
		return 2, l.Until
	}
	return 3, l.Until
}

func (f *Frame) gravest(a, b *sale.Login) int {
	x, atX := f.gravity(a)
	y, atY := f.gravity(b)
	if x != y {
		return x - y
	}
	return atX.Compare(atY)
}

// loginPart is, in the header, the login that does not carry a sale to its end; it is never left out.
func (f *Frame) loginPart() (p part, ok bool) {
	var worst *sale.Login
	var of *sale.Sale
	logins := f.snapshot().Logins
	for i := range logins {
		if s := f.shortest(&logins[i]); s != nil && (worst == nil || f.gravest(&logins[i], worst) < 0) {
			worst, of = &logins[i], s
		}
	}
	if worst == nil {
		return p, false
	}
	l := f.loginLook(worst)
	s := watch
	if l.figure == bad {
		s = badWord
	}
	name := l.glyph + " " + clip(worst.Name, 24)
	full := name + " " + worst.Short(of, f.Now)
	brief, _, _ := strings.Cut(full, ", ")
	return part{s, []string{full, brief, name + " " + l.word}, 2}, true
}

// mostPressing is how many logins push sources out of sight when they need somebody.
const mostPressing = 3

// loginRows is how many lines the logins take on the sources screen, with their title; 0: none. They
// take what the sources leave, and more only where one of them needs somebody.
func loginRows(f *Frame, room int) int {
	n, pressing := len(f.snapshot().Logins), 0
	for i := range f.snapshot().Logins {
		if rank, _ := f.gravity(&f.snapshot().Logins[i]); rank < 2 {
			pressing++
		}
	}
	if pressing > 0 && f.Height >= 20 {
		room = max(room, 1+min(pressing, mostPressing))
	}
	if n == 0 || room < 2 {
		return 0
	}
	return min(n+1, room)
}

// loginsSection draws the logins under the sources, those that read before those that act. Where there
// is not room for all of them, those that need somebody stay.
func (f *Frame) loginsSection(h int) []string {
	if h < 2 {
		return nil
	}
	c := newCanvas(f.Theme, f.Width, h)
	defer c.release()
	var logins []*sale.Login
	for i := range f.snapshot().Logins {
		logins = append(logins, &f.snapshot().Logins[i])
	}
	if more := len(logins) - (h - 1); more > 0 {
		byGravity := slices.Clone(logins)
		slices.SortStableFunc(byGravity, f.gravest)
		kept := byGravity[:h-1]
		logins = slices.DeleteFunc(logins, func(l *sale.Login) bool { return !slices.Contains(kept, l) })
	}
	c.fill(0, 0, f.Width, dim, "─")
	title := " logins: to act has credentials of its own "
	if cut := len(f.snapshot().Logins) - len(logins); cut > 0 {
		title = " logins: " + number(cut) + " more "
	}
	c.put(2, 0, text, clip(title, f.Width-4))
	for i, l := range logins {
		k := f.loginLook(l)
		c.put(0, i+1, k.badge, k.glyph+" "+k.word)
		c.cut(11, i+1, 15, text, l.Name)
		does := "reads"
		if l.Acts {
			does = "acts"
		}
		c.cut(27, i+1, 5, dim, does)
		x, kind := 33, 0
		if f.Width >= 100 {
			kind = 18
			c.cut(x, i+1, kind-1, dim, l.Kind)
		}
		s := dim
		if k.figure != text {
			s = k.figure
		}
		c.cut(x+kind, i+1, f.Width-x-kind, s, f.loginWords(l))
	}
	return c.rows()
}

// loginWords say when a login ends, or what is wrong with it and what mends it.
func (f *Frame) loginWords(l *sale.Login) string {
	var words string
	switch s := f.shortest(l); {
	case l.Problem != nil:
		words = strings.TrimPrefix(l.Problem.Text, l.Name+": ")
		if !l.Until.IsZero() && !l.Ended(f.Now) {
			words += "; ends " + clockAt(l.Until, f.Now)
		}
		if l.Problem.Hint != "" {
			words += "; " + l.Problem.Hint
		}
	case l.State == sale.LoginAsks:
		words = "waits for an MFA code"
	case l.State == sale.LoginUntried:
		words = "not needed yet"
	case s != nil && !s.Closes.IsZero() && !l.Ended(f.Now):
		words = "ends " + clockAt(l.Until, f.Now) + ", sale " + strings.TrimSpace(digitText(s)+string(s.ID)) + " needs " + clockAt(s.Closes, f.Now)
	case l.Ended(f.Now):
		words = "ended " + clockAt(l.Until, f.Now)
	case l.Lasts:
		words = "a long-term key, no end"
	case l.Until.IsZero():
		words = "when it ends is not told"
	case l.Renews:
		words = "renews itself, by " + clockAt(l.Until, f.Now)
	default:
		words = "until " + clockAt(l.Until, f.Now)
	}
	if l.Mend != "" && l.Problem == nil && f.shortest(l) != nil {
		words += "; " + l.Mend
	}
	if l.Skew != 0 {
		way := " ahead of AWS"
		if l.Skew < 0 {
			way = " behind AWS"
		}
		words = "this machine's clock is " + sale.FormatAge(l.Skew.Abs()) + way + "; " + words
	}
	if len(l.UsedBy) > 0 {
		words += "; for " + strings.Join(l.UsedBy, ", ")
	}
	return words
}
