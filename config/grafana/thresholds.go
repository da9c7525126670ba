package grafana

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// rules are the two thresholds of a signal, in the words of a config; "" for none.
type rules struct{ watch, bad string }

// held is how long a value must be over an imported threshold. A dashboard has no such thing: its
// colour changes with every point.
const held = " for 1m"

// step is a threshold of Grafana: from the value on, the colour.
type step struct {
	from  float64 // -Inf for the first
	color string
}

// severity is what a colour says: 0 fine, 1 look, 2 bad; ok is false when it can't be told.
func severity(color string) (level int, ok bool) {
	color = strings.ToLower(strings.TrimSpace(color))
	for _, known := range []struct {
		word  string
		level int
	}{
		{"red", 2},
		{"orange", 1},
		{"yellow", 1},
		{"green", 0},
		{"blue", 0},
		{"purple", 0},
		{"transparent", 0},
		{"text", 0},
		{"white", 0},
		{"black", 0},
		{"gray", 0},
		{"grey", 0},
	} {
		if strings.Contains(color, known.word) {
			return known.level, true
		}
	}
	r, g, b, ok := channels(color)
	if !ok {
		return 0, false
	}
	most, least := max(r, g, b), min(r, g, b)
	if most-least < 30 {
		return 0, true // a grey
	}
	hue := 0.0
	switch most {
	case r:
		hue = math.Mod(60*(g-b)/(most-least)+360, 360)
	case g:
		hue = 60*(b-r)/(most-least) + 120
	default:
		hue = 60*(r-g)/(most-least) + 240
	}
	switch {
	case hue < 18 || hue > 335:
		return 2, true
	case hue < 68:
		return 1, true
	}
	return 0, true
}

// channels reads #rgb, #rrggbb, #rrggbbaa, rgb(…) and rgba(…).
func channels(color string) (r, g, b float64, ok bool) {
	if hex, is := strings.CutPrefix(color, "#"); is {
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		if len(hex) != 6 && len(hex) != 8 {
			return 0, 0, 0, false
		}
		v, err := strconv.ParseUint(hex[:6], 16, 32)
		return float64(v >> 16), float64(v >> 8 & 255), float64(v & 255), err == nil
	}
	inner, is := strings.CutPrefix(color, "rgb")
	if !is {
		return 0, 0, 0, false
	}
	parts := strings.Split(strings.Trim(strings.TrimPrefix(inner, "a"), "() "), ",")
	if len(parts) < 3 {
		return 0, 0, 0, false
	}
	var v [3]float64
	for i := range v {
		f, err := strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		if err != nil || f < 0 || f > 255 {
			return 0, 0, 0, false
		}
		v[i] = f
	}
	return v[0], v[1], v[2], true
}

// stepsOf reads fieldConfig's thresholds; why says what can't be taken.
func stepsOf(thresholds, low, high *node) (steps []step, why string) {
	percent := thresholds.get("mode").text() == "percentage"
	least, hasLeast := low.number()
	most, hasMost := high.number()
	if percent && !(hasLeast && hasMost) {
		return nil, "thresholds in per cent of a range that has no min and max"
	}
	for i, s := range thresholds.get("steps").list() {
		v, ok := s.get("value").number()
		switch {
		case !ok && i == 0:
			v = math.Inf(-1)
		case !ok:
			return nil, "a threshold without a value"
		case percent:
			v = least + v/100*(most-least)
		}
		steps = append(steps, step{v, s.get("color").text()})
	}
	return steps, ""
}

// isDefault reports Grafana's own first guess, which every new panel has: red from 80.
func isDefault(steps []step) bool {
	return len(steps) == 2 && math.IsInf(steps[0].from, -1) && steps[0].color == "green" && steps[1].color == "red" && steps[1].from == 80
}

// rulesOf turns steps into thresholds of a unit; why says what of it can't be said that way.
func rulesOf(steps []step, u scaled) (out rules, why string) {
	levels := make([]int, len(steps))
	for i, s := range steps {
		level, ok := severity(s.color)
		if !ok {
			return rules{}, "a threshold in a colour that says neither good nor bad: " + clip(s.color)
		}
		levels[i] = level
	}
	rising, falling := true, true
	for i := 1; i < len(levels); i++ {
		rising = rising && levels[i] >= levels[i-1] && steps[i].from > steps[i-1].from
		falling = falling && levels[i] <= levels[i-1] && steps[i].from > steps[i-1].from
	}
	switch {
	case len(levels) == 0 || rising && falling:
		return rules{}, ""
	case rising:
		for i := len(levels) - 1; i > 0; i-- {
			out.put(levels[i], levels[i-1], ">", steps[i].from, u)
		}
	case falling:
		for i := 1; i < len(levels); i++ {
			out.put(levels[i-1], levels[i], "<", steps[i].from, u)
		}
	default:
		return rules{}, "thresholds that are bad on both sides of a good range"
	}
	return out.checked(u.unit)
}

// put notes the limit between two colours, of which worse lies beyond it.
func (r *rules) put(worse, better int, op string, limit float64, u scaled) {
	if worse == better {
		return
	}
	text := op + " " + limitText(limit*u.factor, u.unit) + held
	if worse == 2 {
		r.bad = text
	}
	if worse == 1 {
		r.watch = text
	}
}

// checked leaves only what a config accepts.
func (r rules) checked(unit sale.Unit) (rules, string) {
	for _, text := range []string{r.watch, r.bad} {
		if text == "" {
			continue
		}
		if _, err := sale.ParseRule(text, unit); err != nil {
			return rules{}, fmt.Sprintf("a threshold that can't be kept: %s", sale.Clean(err.Error(), 120))
		}
	}
	return r, ""
}

func limitText(v float64, unit sale.Unit) string {
	switch unit {
	case sale.Ratio:
		return plain(100*v) + "%"
	case sale.Seconds:
		return plain(v) + "s"
	case sale.PerMinute:
		return plain(v) + "/min"
	case sale.PerSecond:
		return plain(v) + "/s"
	}
	return plain(v)
}
