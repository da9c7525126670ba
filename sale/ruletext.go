package sale

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// String writes the rule so that ParseRule, with the signal's unit, reads the same rule
// back. It doesn't know that unit, so only a ratio to another signal has one; Text writes
// the unit too.
func (r Rule) String() string { return r.write(r.number) }

// Text is String with the signal's unit: "> 2% for 30s".
func (r Rule) Text(unit Unit) string {
	return r.write(func(v float64) string {
		switch {
		case r.Of != "":
			return r.number(v)
		case unit == Ratio:
			return percent(v)
		case unit == Seconds:
			return shortest(v) + "s"
		case unit == PerMinute:
			return shortest(v) + "/min"
		case unit == PerSecond:
			return shortest(v) + "/s"
		default:
			return shortest(v)
		}
	})
}

func (r Rule) write(number func(float64) string) string {
	op, back := "<", ">"
	if r.Above {
		op, back = ">", "<"
	}
	var b strings.Builder
	b.WriteString(op + " " + number(r.Limit))
	if r.Of != "" {
		b.WriteString(" of " + string(r.Of))
	}
	if r.For > 0 {
		b.WriteString(" for " + duration(r.For))
	}
	if r = r.withDefaults(); r.Clear != r.defaultClear() || r.ClearFor != r.defaultClearFor() {
		b.WriteString(", clear " + back + " " + number(r.Clear) + " for " + duration(r.ClearFor))
	}
	return b.String()
}

func (r Rule) number(v float64) string {
	if r.Of != "" {
		return percent(v)
	}
	return bare(v)
}

// percent writes a ratio in per cent if that reads back as the very same number.
func percent(v float64) string {
	text := shortest(shifted(shortest(v), 2))
	if shifted(text, -2) != v {
		return bare(v)
	}
	return text + "%"
}

// shifted is the number that digits say, times a power of ten: "5.8" shifted by -2 is 0.058
// exactly as written, where 5.8/100 is not.
func shifted(digits string, by int) float64 {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(digits), "e")
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			return math.NaN()
		}
		by += n
	}
	v, err := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(by), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// bare writes a number that no unit of signal refuses.
func bare(v float64) string {
	if looksLikePercent(v) {
		return shortest(v) + ".0"
	}
	return shortest(v)
}

func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// duration writes a time without the zeros that Go's own format ends in.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
