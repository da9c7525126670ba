package views

import (
	"math"
	"testing"
)

// How people see who lack one kind of cone, as 3x3 matrices on linear RGB: Machado, Oliveira and
// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009,
// severity 1.0.
var deficiencies = map[string][9]float64{
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

// Words and glyphs tell states apart without any colour; the colours must not contradict them.
func TestTheStatesStayApartForTheColourBlind(t *testing.T) {
	table := hues()
	for name, matrix := range deficiencies {
		for _, ground := range []struct {
			name  string
			apart float64 // CIE76
			of    func(style) [3]uint8
		}{
			{"dark", 33, func(s style) [3]uint8 { return table[s].dark }},
			{"light", 17, func(s style) [3]uint8 { return table[s].light }},
		} {
			for _, pair := range [][2]style{{watch, bad}, {watch, unknown}, {bad, unknown}} {
				a, b := seenAs(ground.of(pair[0]), matrix), seenAs(ground.of(pair[1]), matrix)
				d := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
				if d < ground.apart {
					t.Errorf("%s on %s: styles %d and %d are %.1f apart, want at least %.0f", name, ground.name, pair[0], pair[1], d, ground.apart)
				}
			}
		}
	}
}

// seenAs gives the CIE L*a*b* coordinates (D65) of an sRGB colour as it is seen through a matrix.
func seenAs(rgb [3]uint8, m [9]float64) [3]float64 {
	var linear, seen [3]float64
	for i, v := range rgb {
		c := float64(v) / 255
		if c <= 0.04045 {
			linear[i] = c / 12.92
		} else {
			linear[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	for i := range seen {
		seen[i] = min(max(m[3*i]*linear[0]+m[3*i+1]*linear[1]+m[3*i+2]*linear[2], 0), 1)
	}
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124564*seen[0] + 0.3575761*seen[1] + 0.1804375*seen[2]) / 0.95047)
	y := f(0.2126729*seen[0] + 0.7151522*seen[1] + 0.0721750*seen[2])
	z := f((0.0193339*seen[0] + 0.1191920*seen[1] + 0.9503041*seen[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}
