package sale

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseRule reads a threshold as people write it:
//
//	OP VALUE[UNIT] ["of" SIGNAL] ["for" DURATION] ["," "clear" OP VALUE[UNIT] ["for" DURATION]]
//
// such as "> 2% for 30s", "> 80% of db_connections_max for 1m" or
// "< 80% for 2m, clear > 85% for 4m". OP is > or <; UNIT is %, s, ms, m, min, /min or /s and
// must fit the signal's unit; without one the number is in the signal's own unit. A whole
// number from 2 to 100 without a unit is refused for a ratio, where it nearly always means
// per cent. Durations are Go's ("90s", "1m30s"), at most 24 h. The clear limit must lie on
// the good side of the limit.
//
// Every error is a *RuleError.
func ParseRule(text string, unit Unit) (Rule, error) {
	p := ruleParser{text: text, unit: unit}
	rule, err := p.rule()
	if err != nil {
		return Rule{}, err
	}
	return rule, nil
}

// RuleError says where in a threshold's text the fault is and how to mend it.
type RuleError struct {
	Text   string
	Offset int    // in bytes from the start of Text, where the fault begins
	Reason string // what is wrong there
	Fix    string // how to write it instead
}

// Error is one line, also for a text of many.
func (e *RuleError) Error() string {
	text := e.Text
	if len(text) > 80 {
		text, _ = bounded(text, 80)
	}
	return fmt.Sprintf("threshold %q, offset %d: %s; %s", text, e.Offset, e.Reason, e.Fix)
}

// longestFor bounds both durations of a rule.
const longestFor = 24 * time.Hour

type ruleParser struct {
	text string
	pos  int
	unit Unit
}

func (p *ruleParser) fail(at int, fix, reason string, args ...any) *RuleError {
	return &RuleError{Text: p.text, Offset: at, Reason: fmt.Sprintf(reason, args...), Fix: fix}
}

// number is a VALUE[UNIT] that has been read but not yet been understood.
type number struct {
	at     int
	value  float64
	digits string
	unitAt int
	unit   string
}

func (p *ruleParser) rule() (Rule, *RuleError) {
	above, _, err := p.operator()
	if err != nil {
		return Rule{}, err
	}
	limit, err := p.number()
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Above: above}
	if p.keyword("of") {
		if r.Of, err = p.signal(); err != nil {
			return Rule{}, err
		}
	}
	if r.Limit, err = p.understand(limit, r.Of); err != nil {
		return Rule{}, err
	}
	if r.For, _, err = p.span(); err != nil {
		return Rule{}, err
	}
	r.Clear, r.ClearFor = r.defaultClear(), r.defaultClearFor()
	if p.skip(); p.pos < len(p.text) && p.text[p.pos] == ',' {
		p.pos++
		if err := p.clear(&r); err != nil {
			return Rule{}, err
		}
	}
	if p.skip(); p.pos < len(p.text) {
		return Rule{}, p.fail(p.pos, `a threshold reads like "> 2% for 30s" or "< 80% for 2m, clear > 85% for 4m"`,
			"%q is not expected here", p.word())
	}
	return r, nil
}

// clear reads what stands after the comma.
func (p *ruleParser) clear(r *Rule) *RuleError {
	p.skip()
	if at := p.pos; !p.keyword("clear") {
		return p.fail(at, `write ", clear < 4%" with the limit of return, or end before the comma`, `"clear" is missing after the comma`)
	}
	want, side := "<", "at or below"
	if !r.Above {
		want, side = ">", "at or above"
	}
	above, at, err := p.operator()
	if err != nil {
		return err
	}
	if above == r.Above {
		return p.fail(at, fmt.Sprintf("write clear %s", want), "a threshold clears on the other side")
	}
	n, err := p.number()
	if err != nil {
		return err
	}
	if r.Clear, err = p.understand(n, r.Of); err != nil {
		return err
	}
	if r.Above && r.Clear > r.Limit || !r.Above && r.Clear < r.Limit {
		return p.fail(n.at, fmt.Sprintf("it must be %s the limit of %s", side, shortest(r.Limit)),
			"the clear limit is on the bad side, so the threshold would clear while it is broken")
	}
	forAt := p.pos
	d, given, err := p.span()
	if err != nil {
		return err
	}
	if given {
		r.ClearFor = d
	}
	if r.Clear == 0 && r.ClearFor == 0 {
		return p.fail(forAt, "give it a time, such as for 30s", "a clear limit of 0 can't clear at once")
	}
	return nil
}

func (p *ruleParser) skip() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// word is the run of text at the position, for an error.
func (p *ruleParser) word() string {
	rest := p.text[p.pos:]
	if end := strings.IndexAny(rest, " \t,"); end > 0 {
		rest = rest[:end]
	}
	head, _ := bounded(rest, 24)
	return head
}

// letters returns the length of the run of ASCII letters at the position.
func (p *ruleParser) letters() int {
	n := 0
	for p.pos+n < len(p.text) && isLetter(p.text[p.pos+n]) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// keyword takes a word if it stands there.
func (p *ruleParser) keyword(word string) bool {
	p.skip()
	if n := p.letters(); p.text[p.pos:p.pos+n] == word {
		p.pos += n
		return true
	}
	return false
}

func (p *ruleParser) operator() (above bool, at int, err *RuleError) {
	p.skip()
	at = p.pos
	const fix = `begin with > or <, such as "> 2%"`
	if at == len(p.text) {
		return false, at, p.fail(at, fix, "a comparison is missing")
	}
	c := p.text[at]
	if c != '>' && c != '<' {
		return false, at, p.fail(at, fix, "%q is no comparison", p.word())
	}
	p.pos++
	if p.pos < len(p.text) && p.text[p.pos] == '=' {
		return false, at, p.fail(at, fmt.Sprintf("write %c", c), "%c= is not known", c)
	}
	return c == '>', at, nil
}

// number reads VALUE[UNIT]; what the unit means depends on an "of" that comes later.
func (p *ruleParser) number() (n number, err *RuleError) {
	p.skip()
	start := p.pos
	end := scanNumber(p.text, start)
	if end == start {
		what := "a number is missing"
		if start < len(p.text) {
			what = fmt.Sprintf("%q is no number", p.word())
		}
		return n, p.fail(start, "write a number such as 5000, 1.5s or 2%", "%s", what)
	}
	p.pos = end
	n = number{at: start, digits: p.text[start:end]}
	v, convErr := strconv.ParseFloat(n.digits, 64)
	if convErr != nil || !isFinite(v) {
		return n, p.fail(start, "write a smaller number", "the number is too large")
	}
	n.value = v
	if end+1 < len(p.text) && p.text[end] == ',' && isDigit(p.text[end+1]) {
		return n, p.fail(end, "write thousands without a comma: 20000", "a comma inside a number")
	}
	p.skip()
	n.unitAt = p.pos
	switch {
	case p.pos < len(p.text) && p.text[p.pos] == '%':
		n.unit = "%"
		p.pos++
	case p.pos < len(p.text) && p.text[p.pos] == '/':
		p.pos++
		n.unit = "/" + p.text[p.pos:p.pos+p.letters()]
		p.pos += len(n.unit) - 1
	default:
		if w := p.text[p.pos : p.pos+p.letters()]; w != "of" && w != "for" {
			n.unit = w
			p.pos += len(w)
		}
	}
	return n, nil
}

// scanNumber returns the end of the decimal number that begins at start, or start.
func scanNumber(text string, start int) int {
	i, digits := start, 0
	at := func(i int) byte {
		if i < len(text) {
			return text[i]
		}
		return 0
	}
	if c := at(i); c == '-' || c == '+' {
		i++
	}
	for ; isDigit(at(i)); i++ {
		digits++
	}
	if at(i) == '.' {
		i++
		for ; isDigit(at(i)); i++ {
			digits++
		}
	}
	if digits == 0 {
		return start
	}
	if at(i)|0x20 == 'e' {
		j := i + 1
		if c := at(j); c == '-' || c == '+' {
			j++
		}
		if isDigit(at(j)) {
			for i = j; isDigit(at(i)); i++ {
			}
		}
	}
	return i
}

// understand turns a number and its unit into the unit of what is compared.
func (p *ruleParser) understand(n number, of Signal) (float64, *RuleError) {
	unit := p.unit
	if of != "" {
		unit = Ratio
	}
	value := n.value
	fits := false
	switch n.unit {
	case "":
		fits = true
		if unit == Ratio && looksLikePercent(value) && !strings.ContainsAny(n.digits, ".eE") {
			return 0, p.fail(n.at, fmt.Sprintf("write %s%%, or %s.0 if you do mean %s times as much", n.digits, n.digits, n.digits),
				"%s is no share: a ratio of 1 is all of it", n.digits)
		}
	case "%":
		fits, value = unit == Ratio, shifted(n.digits, -2)
	case "s":
		fits = unit == Seconds
	case "ms":
		fits, value = unit == Seconds, shifted(n.digits, -3)
	case "m", "min":
		fits, value = unit == Seconds, value*60
	case "/min":
		fits = unit == PerMinute
	case "/s":
		fits = unit == PerSecond
	default:
		return 0, p.fail(n.unitAt, "units are %, s, ms, m, min, /min and /s", "%q is no unit", head(n.unit))
	}
	if !fits {
		return 0, p.fail(n.unitAt, unitFix(unit), "%q does not fit a signal in %s", n.unit, unitName(unit))
	}
	if !isFinite(value) {
		return 0, p.fail(n.at, "write a smaller number", "the number is too large")
	}
	return value, nil
}

func head(text string) string {
	h, _ := bounded(text, 24)
	return h
}

// looksLikePercent reports whether a bare ratio is more likely meant as per cent.
func looksLikePercent(v float64) bool {
	size := math.Abs(v)
	return size >= 2 && size <= 100 && size == math.Trunc(size)
}

func unitName(u Unit) string {
	if u == "" {
		return "bare numbers"
	}
	return string(u)
}

func unitFix(u Unit) string {
	switch u {
	case Ratio:
		return "write a share such as 5%"
	case Seconds:
		return "write a time such as 1.5s, 200ms or 2m"
	case PerMinute:
		return "write a rate such as 300/min"
	case PerSecond:
		return "write a rate such as 5/s"
	default:
		return `write the number alone, or compare with another signal: "80% of active_limit"`
	}
}

func (p *ruleParser) signal() (Signal, *RuleError) {
	p.skip()
	end := p.pos
	for end < len(p.text) && (isLetter(p.text[end]) || isDigit(p.text[end]) || strings.IndexByte("_-.:", p.text[end]) >= 0) {
		end++
	}
	name := p.text[p.pos:end]
	if name == "" || name == "for" || !isLetter(name[0]) && name[0] != '_' {
		return "", p.fail(p.pos, `name a signal, such as "of db_connections_max"`, `a signal's name is missing after "of"`)
	}
	p.pos = end
	return Signal(name), nil
}

// span reads ["for" DURATION].
func (p *ruleParser) span() (d time.Duration, given bool, err *RuleError) {
	if !p.keyword("for") {
		return 0, false, nil
	}
	p.skip()
	const fix = "write a time such as 30s, 1m30s or 2m"
	end := p.pos
	for end < len(p.text) && strings.IndexByte(" \t,", p.text[end]) < 0 {
		end++
	}
	word := p.text[p.pos:end]
	if word == "" {
		return 0, true, p.fail(p.pos, fix, `a time is missing after "for"`)
	}
	d, parseErr := time.ParseDuration(strings.ReplaceAll(word, "min", "m"))
	switch {
	case parseErr != nil:
		return 0, true, p.fail(p.pos, fix, "%q is no time", p.word())
	case d < 0:
		return 0, true, p.fail(p.pos, fix, "a time can't be negative")
	case d > longestFor:
		return 0, true, p.fail(p.pos, "write at most 24h", "the time is too long")
	}
	p.pos = end
	return d, true, nil
}
