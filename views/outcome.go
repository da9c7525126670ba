package views

import (
	"time"
)

// Stage is how far an action has come, in the word that the screen uses for it.
type Stage string

// The stages, in the order in which an action goes through them.
const (
	StageSent     Stage = "SENT"
	StageDone     Stage = "DONE"
	StageSeen     Stage = "EFFECT SEEN"
	StageNotTaken Stage = "NOT TAKEN"
	StageNotSeen  Stage = "NOT KNOWN" // no sample could tell whether it took
	StageRefused  Stage = "REFUSED"
	StageFailed   Stage = "FAILED"
	StageUnknown  Stage = "UNKNOWN"
)

// The stages of a request for a second person.
const (
	StageAsked    Stage = "ASKED"
	StageAgreed   Stage = "AGREED"
	StageDeclined Stage = "DECLINED"
	StageExpired  Stage = "EXPIRED"
)

// Outcome is what became of an action. Texts are clean, one line each.
type Outcome struct {
	Stage Stage
	At    time.Time // when this stage was reached; zero: not said
	Text  string    // "sale 3: P 800/min → 0/min, read back 10:06:11"
	More  string    // the second row: what to expect or to do next
	Undo  string    // "U 0/min → 800/min"; empty where there is nothing to undo
	Loud  string    // "GLASS BROKEN: freeze", said before all else; empty: nothing
}

// stripRows is how many lines the outcome of the last action takes above the footer.
const stripRows = 2

// stripIndent is where the words of a strip begin: the longest stage and its glyph stand left.
const stripIndent = 14

func stageLook(s Stage) (glyph string, figure style) {
	switch s {
	case StageSent:
		return "→", text
	case StageDone, StageSeen, StageAgreed:
		return "●", edge
	case StageNotTaken, StageRefused, StageFailed, StageDeclined:
		return "▲", bad
	case StageAsked:
		return "◆", watch
	default:
		return "◇", unknown
	}
}

// badge is the style of a stage's word: reversed where it must not be missed.
func (s Stage) badge() style {
	switch _, figure := stageLook(s); figure {
	case bad:
		return badWord
	case unknown:
		return unknownWord
	case watch:
		return watchWord
	default:
		return figure
	}
}

// strip draws the outcome of the last action: the same two rows on every screen.
func (f *Frame) strip() []string {
	o := f.Outcome
	if o == nil {
		return nil
	}
	c := newCanvas(f.Theme, f.Width, stripRows)
	defer c.release()
	glyph, _ := stageLook(o.Stage)
	word := string(o.Stage)
	if word == "" {
		word = string(StageUnknown)
	}
	c.put(0, 0, o.Stage.badge(), glyph+" "+clip(word, stripIndent-3))
	end := f.Width
	if undo := "undo: " + o.Undo; o.Undo != "" && cells(undo)+stripIndent+30 < f.Width {
		c.right(end, 0, cells(undo), accent, undo)
		end -= cells(undo) + 2
	}
	words := o.Text
	if !o.At.IsZero() {
		words = clockAt(o.At, f.Now) + " " + words
	}
	at := stripIndent
	if o.Loud != "" {
		at = c.putTo(at, 0, end, badWord, clip("▲ "+o.Loud, max(end-at-20, 0))) + 1
	}
	lines := wrap(words, end-at, stripRows)
	more := o.More
	for i, line := range lines {
		if i > 0 && more != "" {
			more = line + "; " + more // the first row was too short for all of it
			break
		}
		c.cut(at, i, end-at, text, line)
		if i > 0 {
			return c.rows()
		}
	}
	c.cut(stripIndent, 1, f.Width-stripIndent, dim, more)
	return c.rows()
}
