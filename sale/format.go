package sale

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Format writes a value for a person, with its unit where the unit is written: "7.0 %",
// "0.21 %", "1.24 s", "12,400", "245/min", "2,310/s", "1.5 GiB", "$3.98". An estimate
// begins with "~". Precision follows size, so that a figure keeps about three digits. Numbers
// from 10^15 on have an exponent. A value that is not finite is written as "": what to say
// for an unknown value is the caller's word. A share that is nearly whole is not rounded up: "99.95 %".
func Format(v float64, u Unit, estimate bool) string { return format(v, u, estimate, 0) }

// format is Format with more decimals than usual.
func format(v float64, u Unit, estimate bool, more int) string {
	if !isFinite(v) {
		return ""
	}
	sign := ""
	if estimate {
		sign = "~"
	}
	switch u {
	case Ratio:
		if v >= nearlyAll && v < 1 && more == 0 {
			return sign + FormatGood(v)
		}
		percent := min(max(v*100, -math.MaxFloat64), math.MaxFloat64)
		return sign + decimal(percent, byHundreds, more) + " %"
	case Seconds:
		return sign + seconds(v, more)
	case PerMinute:
		return sign + decimal(v, byTens, more) + "/min"
	case PerSecond:
		return sign + decimal(v, byTens, more) + "/s"
	case Bytes:
		return sign + binarySize(v, more)
	case USD:
		if v < 0 {
			return sign + "-$" + decimal(-v, cents, more)
		}
		return sign + "$" + decimal(v, cents, more)
	default:
		return sign + decimal(v, byTens, more)
	}
}

// nearlyAll is the share from which on two decimals are written, and not rounded up: what is not
// whole is never "100 %".
const nearlyAll = 0.995

// distinct writes a value and a limit with as many decimals as it takes to tell them apart,
// so that nobody reads "5.0 % > 5.0 %".
func distinct(v, limit float64, u Unit, estimate bool) (value, bound string) {
	for more := range 7 {
		value, bound = format(v, u, estimate, more), format(limit, u, false, more)
		if strings.TrimPrefix(value, "~") != bound || v == limit {
			break
		}
	}
	return value, bound
}

// A scale says how many decimals a figure of a size has.
type scale func(size float64) int

// byHundreds is for percentages: 0.21, 7.0, 92.
func byHundreds(size float64) int {
	switch {
	case size >= 9.95:
		return 0
	case size >= 0.995:
		return 1
	}
	return 2
}

// byTens is for counts and rates: 12,400, 245, 3.5, and whole numbers without decimals.
func byTens(size float64) int {
	switch {
	case size >= 99.5 || size == math.Trunc(size):
		return 0
	case size >= 0.995:
		return 1
	}
	return 2
}

func cents(size float64) int {
	if size >= 999.5 {
		return 0
	}
	return 2
}

// decimal writes a number with the decimals that its scale gives it and a comma between
// thousands.
func decimal(v float64, s scale, more int) string {
	size := math.Abs(v)
	if size >= 1e15 {
		return strconv.FormatFloat(v, 'e', 1+more, 64)
	}
	text := strconv.FormatFloat(size, 'f', s(size)+more, 64)
	whole, part, dotted := strings.Cut(text, ".")
	var b strings.Builder
	if v < 0 && strings.Trim(text, "0.") != "" {
		b.WriteByte('-')
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if dotted {
		b.WriteByte('.')
		b.WriteString(part)
	}
	return b.String()
}

// seconds writes a time span that is a value: "4.2 ms", "1.24 s", "42 s", "2:10".
func seconds(v float64, more int) string {
	size := math.Abs(v)
	switch {
	case size >= 59.5 && size < 1e9 && more == 0:
		text := FormatAge(time.Duration(math.Round(size)) * time.Second)
		if v < 0 {
			return "-" + text
		}
		return text
	case size > 0 && size < 0.00995:
		return decimal(v*1000, byHundreds, more) + " ms"
	default:
		return decimal(v, byHundredsWhole, more) + " s"
	}
}

// byHundredsWhole is for times: 0.19, 1.24, 42, and zero without decimals.
func byHundredsWhole(size float64) int {
	if size >= 9.995 || size == 0 {
		return 0
	}
	return 2
}

// binarySize writes a size in binary units.
func binarySize(v float64, more int) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for math.Abs(v) >= 1023.5 && i < len(units)-1 {
		v /= 1024
		i++
	}
	return decimal(v, byTens, more) + " " + units[i]
}

// FormatAge writes how long ago something was, in whole seconds, rounded down: "31s", "1:41",
// "2:38:41"; from a hundred hours on "5d 3h". A negative age is "0s".
func FormatAge(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return strconv.FormatInt(s, 10) + "s"
	case s < 3600:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	case s < 360000:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	default:
		return fmt.Sprintf("%dd %dh", s/86400, s/3600%24)
	}
}

// Clock writes the time relative to the opening: "T-00:26:19" before, "T+01:08:41" after;
// from a hundred hours on in days and hours, "T-12d 03h". Until the very
// opening the countdown shows at least one second. "" for a sale without an opening time.
func Clock(opens, now time.Time) string {
	if opens.IsZero() {
		return ""
	}
	sign, d := '+', now.Sub(opens)
	if d < 0 {
		// Rounded up, so that the last second before the doors open counts as one.
		sign, d = '-', -(d - time.Second + 1)
	}
	s := int64(max(d, 0) / time.Second)
	if s >= 360000 {
		return fmt.Sprintf("T%c%dd %02dh", sign, s/86400, s/3600%24)
	}
	return fmt.Sprintf("T%c%02d:%02d:%02d", sign, s/3600, s/60%60, s%60)
}
